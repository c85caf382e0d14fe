"""Pictures to pixels, through Pillow (the extra `picture`). What is too large is refused by its header."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import io
import struct
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.numbers import compact
from tuistream.core.pictures import picture_of
from tuistream.core.text import printable
from tuistream.sources.media.names import NotOpened
from tuistream.sources.media.opening import MAX_MEDIA

if TYPE_CHECKING:
    from PIL import Image

MAX_DECODED: Final = 40_000_000  # pixels of a picture that is decoded: 160 MB while that lasts
KEPT_WIDTH, KEPT_HEIGHT = 1_200, 900  # of the pixels that are kept; more than a terminal shows
FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
# What Pillow raises for data that are no picture, beside its own.
_BROKEN: Final = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(RuntimeError, MemoryError, struct.error, zlib.error),
)


def pixels_of(value: object, most: tuple[int, int] = (KEPT_WIDTH, KEPT_HEIGHT)) -> NDArray[np.uint8]:
    """uint8[h, w, 3] of bytes or a data URI, made smaller where it is larger than `most`. Raises NotOpened.

    Takes long enough to be called in a thread of its own. Of a moving picture the first one; what is transparent is
    on black.
    """
    header = picture_of(value)
    if header is None or header.width * header.height <= 0:
        raise NotOpened("no picture that is known here (PNG, JPEG, GIF, WebP, BMP)")
    if header.width * header.height > MAX_DECODED:
        size = f"{header.width:,} x {header.height:,}"
        raise NotOpened(f"a picture of {size} pixels is over the limit of {MAX_DECODED:,} that are decoded")
    if header.nbytes > MAX_MEDIA:
        raise NotOpened(f"{compact(header.nbytes)}B are over the limit of {compact(MAX_MEDIA)}B for a picture")
    if importlib.util.find_spec("PIL") is None:
        raise NotOpened("Pillow shows pictures: pip install 'tuistream[picture]'")
    return _decoded(bytes_of(value), most)


def bytes_of(value: object) -> bytes:
    """What a data URI holds, or the bytes themselves. Raises NotOpened."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    head, _, data = value.partition(",") if isinstance(value, str) else ("", "", "")
    if not head.rstrip().lower().endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError) as error:
        raise NotOpened(f"no base64: {printable(str(error), 80)}") from None


def _decoded(data: bytes, most: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_DECODED:  # by what Pillow takes for the header
                raise NotOpened(f"over {MAX_DECODED:,} pixels")
            picture.draft("RGB", most)
            picture.load()
            shown: Image.Image = ImageOps.exif_transpose(picture)
        scale = min(1.0, most[0] / shown.width, most[1] / shown.height)
        if shown.mode not in ("RGB", "L"):
            shown = _on_black(shown)
        if scale < 1.0:
            size = max(1, round(shown.width * scale)), max(1, round(shown.height * scale))
            shown = shown.resize(size, Image.Resampling.BOX)
        return np.asarray(shown.convert("RGB"), dtype=np.uint8)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotOpened(printable(str(error), 200)) from None
    except _BROKEN as error:
        raise NotOpened(f"broken: {printable(f'{type(error).__name__}: {error}', 120)}") from None


def _on_black(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # of 16 bits and more
        values = np.asarray(picture, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8))
    layers = picture.convert("RGBA")
    ground = Image.new("RGBA", layers.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, layers).convert("RGB")
