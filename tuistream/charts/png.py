"""A still as PNG, through Pillow (extra `picture`): dots and lines as shapes, words in whatever font there is."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Final

from tuistream.charts.shapes import Shapes, shapes_of
from tuistream.charts.still import Still, rgb
from tuistream.core.errors import SettingsError

try:
    from PIL import Image, ImageDraw, ImageFont
except ImportError as error:
    raise SettingsError("a PNG needs Pillow: pip install 'tuistream[picture]'") from error

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

CELL: Final = (12, 24)  # pixels
FONT_SIZE: Final = 20
FINER: Final = 4  # shapes are drawn so many times as large and then made smaller, so that their edges are smooth
DOT: Final = 4.6  # diameter, pixels
STROKE: Final = 1.8
MOST_PIXELS: Final = 100_000_000
FONTS: Final = (  # as Pillow finds them on Linux, macOS and Windows
    ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"),
    ("LiberationMono-Regular.ttf", "LiberationMono-Bold.ttf"),
    ("Menlo.ttc", "Menlo.ttc"),
    ("consola.ttf", "consolab.ttf"),
)


def png_of(still: Still) -> bytes:
    """Raises SettingsError for one that is too large."""
    size = still.width * CELL[0], still.height * CELL[1]
    if size[0] * size[1] > MOST_PIXELS:
        raise SettingsError(f"a PNG of {size[0]:,} x {size[1]:,} pixels is over the limit of {MOST_PIXELS:,}")
    picture = Image.new("RGB", size, rgb(still.background))
    for run in still.runs:
        if run.behind:
            x, y = run.x * CELL[0], run.y * CELL[1]
            picture.paste(rgb(run.behind), (x, y, x + run.width * CELL[0], y + CELL[1]))
        each_cell = len(run.text) == run.width
        for at, char in enumerate(run.text):
            if char == " ":
                continue
            x = run.x + (at if each_cell else at * run.width // len(run.text))
            mask = mask_of(char, run.bold)
            picture.paste(rgb(run.colour), (x * CELL[0], run.y * CELL[1]), mask)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


@cache
def mask_of(char: str, bold: bool) -> Image.Image:
    """How much of each pixel of a cell a character covers."""
    shapes = shapes_of(char)
    return _glyph(char, bold) if shapes is None else _drawn(shapes)


def _drawn(shapes: Shapes) -> Image.Image:
    width, height = CELL[0] * FINER, CELL[1] * FINER
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for polygon, opacity in shapes.areas:
        draw.polygon([(x * width, y * height) for x, y in polygon], fill=round(255 * opacity))
    for stroke in shapes.strokes:
        draw.line([(x * width, y * height) for x, y in stroke], fill=255, width=round(STROKE * FINER), joint="curve")
    radius = DOT * FINER / 2
    for x, y in shapes.dots:
        draw.circle((x * width, y * height), radius, fill=255)
    return mask.resize(CELL, Image.Resampling.BOX)


def _glyph(char: str, bold: bool) -> Image.Image:
    mask = Image.new("L", CELL)
    font = _font(bold)
    ImageDraw.Draw(mask).text((CELL[0] / 2, CELL[1] * 0.75), char, fill=255, font=font, anchor="ms")
    return mask


@cache
def _font(bold: bool) -> FreeTypeFont | ImageFont.ImageFont:
    for names in FONTS:
        try:
            return ImageFont.truetype(names[bold], FONT_SIZE)
        except OSError:
            continue
    return ImageFont.load_default(FONT_SIZE)
