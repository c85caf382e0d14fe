"""A picture in half blocks, two pixels a cell; without colours in dots, or in letters of rising ink."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds.canvas import Canvas, blank
from tuistream.charts.kinds.contract import CLOSER, TRUECOLOUR, Content, DrawStyle, Raster, Size
from tuistream.charts.panel import LABEL, Frame, message_frame
from tuistream.core.palettes import colours_of, nearest

STEPS_MOST: Final = 16
PAN_PART: Final = 8  # of what is seen is one step aside
RAMP: Final = " .:-=+*#%@"
_HALF: Final = ord("▀")
# Source: B. E. Bayer, "An optimum method for two-level rendition of continuous-tone pictures", ICC 1973.
_BAYER: Final = ((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5))
_SPREAD: Final = {16: 90.0, 256: 24.0}  # of a channel, by which dithering moves it: about a step of the palette
_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R BT.601

Pixels = NDArray[np.uint8]


class Crop(NamedTuple):
    """The part of a picture that is seen, in its pixels, and the cells that it has on the screen."""

    x: float
    y: float
    width: float
    height: float
    column: int
    row: int
    columns: int
    rows: int


def fits(content: Content) -> bool:
    """Whether the content is a picture."""
    return isinstance(content, Raster)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    """The picture as large as it can be with all of it seen, in the middle; nearer, a part of it."""
    frame = blank(size)
    if not isinstance(content, Raster) or not content.pixels.size or size.width < 1 or size.height < 1:
        return message_frame("no picture", frame.width, frame.height, style.glyphs) if frame.chars.size else frame
    crop = crop_of(content.pixels, size, style)
    part = slice(crop.row, crop.row + crop.rows), slice(crop.column, crop.column + crop.columns)
    if style.glyphs == "ascii":
        return _lettered(frame, content.pixels, crop, part, style)
    if not style.colours:
        return _dotted(frame, content.pixels, crop, style)
    colours = _limited(scaled(content.pixels, crop, crop.columns, 2 * crop.rows), style.colours)
    fore, back = (np.full(frame.chars.shape, -1, np.int32) for _ in range(2))
    fore[part], back[part] = colours[::2], colours[1::2]
    frame.chars[part], frame.ink[part] = _HALF, LABEL
    return Frame(frame.chars, frame.ink, fg=fore, bg=back)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The pixel in the middle of a cell, and its colour."""
    if not isinstance(content, Raster) or not content.pixels.size or size.width < 1 or size.height < 1:
        return ""
    crop = crop_of(content.pixels, size, style)
    if not (0 <= column - crop.column < crop.columns and 0 <= row - crop.row < crop.rows):
        return ""
    height, width = content.pixels.shape[:2]
    x = min(width - 1, int(crop.x + (column - crop.column + 0.5) * crop.width / crop.columns))
    y = min(height - 1, int(crop.y + (row - crop.row + 0.5) * crop.height / crop.rows))
    red, green, blue = content.pixels[y, x].tolist()
    return f"x {x:,}  y {y:,}  #{red:02x}{green:02x}{blue:02x}"


def crop_of(pixels: Pixels, size: Size, style: DrawStyle) -> Crop:
    """What is seen of a picture, where."""
    height, width = pixels.shape[:2]
    ratio = style.cell_ratio
    scale = min(size.width / width, ratio * size.height / height)  # cells' widths a pixel
    scale *= CLOSER ** min(max(0, style.zoom), STEPS_MOST)
    columns = min(size.width, max(1, round(width * scale)))
    rows = min(size.height, max(1, round(height * scale / ratio)))
    seen_x, seen_y = min(float(width), columns / scale), min(float(height), ratio * rows / scale)
    x = (width - seen_x) / 2 + style.pan[0] * seen_x / PAN_PART
    y = (height - seen_y) / 2 + style.pan[1] * seen_y / PAN_PART
    return Crop(
        min(max(0.0, x), width - seen_x),
        min(max(0.0, y), height - seen_y),
        seen_x,
        seen_y,
        (size.width - columns) // 2,
        (size.height - rows) // 2,
        columns,
        rows,
    )


def scaled(pixels: Pixels, crop: Crop, columns: int, rows: int) -> NDArray[np.float64]:
    """float64[rows, columns, 3]: the mean of the pixels that each has, or the one in which it lies."""
    height, width = pixels.shape[:2]
    down, top, stop = _edges(crop.y, crop.height, rows, height)
    across, left, end = _edges(crop.x, crop.width, columns, width)
    part: NDArray[np.float64 | np.uint8] = pixels[top:stop, left:end]
    if rows < stop - top:  # fewer than there are: the sums of their stretches
        part = np.add.reduceat(part, down, axis=0, dtype=np.uint32) / _lengths(down, stop - top)[:, None, None]
    else:
        part = part[down]
    if columns < end - left:
        return np.add.reduceat(part, across, axis=1, dtype=np.float64) / _lengths(across, end - left)[:, None]
    return part[:, across].astype(np.float64)


def _edges(start: float, length: float, count: int, most: int) -> tuple[NDArray[np.int64], int, int]:
    """Of `count` parts of a stretch of a side: the pixel in which each begins, the first one, and the one after all.

    Each is counted from the first.
    """
    edges = start + np.arange(count) * (length / count)
    begins = np.clip(np.floor(edges + 1e-9).astype(np.int64), 0, most - 1)
    first = int(begins[0])
    return begins - first, first, min(most, max(int(begins[-1]) + 1, round(start + length)))


def _lengths(begins: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.diff(begins, append=count)


def _limited(colours: NDArray[np.float64], count: int) -> NDArray[np.int32]:
    """0xRRGGBB each, of a palette of `count` where there is one: dithered, the same in every frame."""
    if count < TRUECOLOUR:
        colours = colours + _threshold(*colours.shape[:2])[..., None] * _SPREAD.get(count, 0.0)
    whole = np.clip(np.rint(colours), 0, 255).astype(np.int32)
    packed: NDArray[np.int32] = whole[..., 0] << 16 | whole[..., 1] << 8 | whole[..., 2]
    return packed if count >= TRUECOLOUR else colours_of(nearest(packed, count), count)


def _threshold(rows: int, columns: int) -> NDArray[np.float64]:
    """float64[rows, columns], from -0.5 to 0.5, in Bayer's order."""
    cell = (np.array(_BAYER) + 0.5) / 16 - 0.5
    return np.tile(cell, (-(-rows // 4), -(-columns // 4)))[:rows, :columns]


def _brightness(pixels: Pixels, crop: Crop, columns: int, rows: int) -> NDArray[np.float64]:
    """float64[rows, columns], from 0 to 1."""
    found: NDArray[np.float64] = scaled(pixels, crop, columns, rows) @ np.array(_LUMA) / 255.0
    return found


def _dotted(frame: Frame, pixels: Pixels, crop: Crop, style: DrawStyle) -> Frame:
    canvas = Canvas(crop.columns, crop.rows, style.glyphs)
    bright = _brightness(pixels, crop, canvas.columns, canvas.rows)
    canvas.fill(bright > _threshold(canvas.rows, canvas.columns) + 0.5, LABEL)
    canvas.put(frame, crop.row, crop.column)
    return frame


def _lettered(frame: Frame, pixels: Pixels, crop: Crop, part: tuple[slice, slice], style: DrawStyle) -> Frame:
    colours = scaled(pixels, crop, crop.columns, crop.rows)
    bright = colours @ np.array(_LUMA) / 255.0
    ramp = np.frombuffer(RAMP.encode("utf-16-le"), "<u2")
    frame.chars[part] = ramp[np.clip((bright * len(ramp)).astype(np.int64), 0, len(ramp) - 1)]
    frame.ink[part] = LABEL
    if not style.colours:
        return frame
    fore, back = (np.full(frame.chars.shape, -1, np.int32) for _ in range(2))
    # Letters of full colours, whose ink is how bright they are; of 256, as each is a style to be remembered.
    full = colours / np.maximum(colours.max(axis=-1, keepdims=True), 1.0) * 255.0
    fore[part] = _limited(full, min(style.colours, 256))
    return Frame(frame.chars, frame.ink, fg=fore, bg=back)
