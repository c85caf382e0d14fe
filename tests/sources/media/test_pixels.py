"""Pictures to pixels: what they hold, and that nothing hostile is decoded."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.sources.media.serving import PNG
from tuistream.sources.media.names import NotOpened
from tuistream.sources.media.pixels import KEPT_HEIGHT, KEPT_WIDTH, MAX_DECODED, pixels_of

RED = (200, 10, 20)


def encoded(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_each_format(form: str) -> None:
    pixels = pixels_of(encoded(Image.new("RGB", (40, 30), RED), form))
    assert pixels.shape == (30, 40, 3)
    assert np.abs(pixels.astype(int) - RED).max() <= 8


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_each_mode(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert pixels_of(encoded(Image.new(mode, (9, 7)), form)).shape == (7, 9, 3)


def test_what_is_transparent_is_on_black() -> None:
    pixels = pixels_of(encoded(Image.new("RGBA", (2, 2), (255, 255, 255, 0)), "PNG"))
    assert not pixels.any()


def test_a_data_uri() -> None:
    data = encoded(Image.new("RGB", (5, 5), RED), "PNG")
    assert pixels_of(f"data:image/png;base64,{base64.b64encode(data).decode()}")[0, 0].tolist() == list(RED)


def test_a_large_one_is_made_smaller() -> None:
    pixels = pixels_of(encoded(Image.new("RGB", (4_000, 300), RED), "PNG"))
    assert pixels.shape == (90, 1_200, 3)
    tall = pixels_of(encoded(Image.new("L", (3, 2 * KEPT_HEIGHT)), "PNG"))
    assert tall.shape[0] == KEPT_HEIGHT
    assert tall.shape[1] <= KEPT_WIDTH


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def png(width: int, height: int, *more: bytes) -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IEND", b"")


ZEROS = zlib.compress(bytes(100_000_000), 9)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (png(100_000, 100_000, chunk(b"IDAT", ZEROS)), "100,000 x 100,000 pixels is over the limit"),
        (png(20, 20, chunk(b"zTXt", b"a\0\0" + ZEROS), chunk(b"IDAT", ZEROS)), "broken"),
        (PNG, "broken"),
        (b"GIF89a" + b"\xff" * 30, "over the limit"),
        (b"RIFF\0\0\0\0WEBPVP8X" + b"\xff" * 30, "over the limit"),
        (b"no picture", "no picture"),
        (b"", "no picture"),
        ("data:image/png;base64,AAAA", "no picture"),
        ("https://example.com/a.png", "no picture"),
        (None, "no picture"),
    ],
)
def test_hostile_ones_are_refused_with_a_word(data: object, said: str) -> None:
    with pytest.raises(NotOpened, match=said):
        pixels_of(data)


def test_the_limit_is_that_of_all_pixels() -> None:
    side = int(MAX_DECODED**0.5)
    with pytest.raises(NotOpened, match="broken"):
        pixels_of(png(side, side))
    with pytest.raises(NotOpened, match="over the limit"):
        pixels_of(png(side + 1, side + 1))


GOOD = [encoded(Image.effect_noise((16, 12), 50.0), form) for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_broken_ones_are_shown_or_refused(good: bytes, data: st.DataObject) -> None:
    broken = bytearray(good)
    for place in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=8)):
        broken[place] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(len(good) // 2, len(good))) :]
    words, shape = "", (0, 0, 3)
    try:
        shape = pixels_of(bytes(broken)).shape
    except NotOpened as error:
        words = str(error)
    assert words.isprintable()
    assert len(shape) == 3
