"""A heat map: the cells of a matrix by their values, from dark to bright, beside a scale that says which is which.

Where the terminal has colours enough a cell of it holds two values, one above the other; else it holds one, as a
shade. What has no room of its own shares a cell, which shows the largest, so that no spike is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.axes import value_ticks
from tuistream.charts.kinds.canvas import blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Matrix, Size
from tuistream.charts.kinds.words import name_text
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.panel import LABEL, Frame, message_frame
from tuistream.charts.raster import BLANK

PLENTY: Final = 256  # colours from which cells have their own
LEVELS: Final = 48  # shades in colours, few enough that noise below them sends nothing
# From dark to bright, each lighter than the one before, so that it is read without telling hues apart.
RAMP: Final = np.array([[52, 32, 98], [52, 82, 146], [32, 128, 141], [72, 178, 112], [170, 214, 62], [253, 231, 60]])
SHADES: Final = {"braille": "░▒▓█", "blocks": "░▒▓█", "ascii": ".:-=+*#%@"}
SHADE_INK: Final = 0
BESIDE: Final = 3  # cells of the scale beside its labels: a space, the bar, a space
SCALE_PART: Final = 3  # the scale gets at most one such part of the width, labels of rows as much
LABEL_MOST: Final = 16  # cells of a row's label
ROWS_A_TICK: Final = 3
LEFT_OVER: Final = 8  # of the room such a part may be left over, so that all cells are as large
WORDS_FROM: Final = 7  # rows from which a line says how much there is
LABELS_FROM: Final = 6  # and from which columns have their labels

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """Where what is. left: cells of the rows' labels. columns, rows: cells for the values.

    down, across: the first row, and column, of the matrix for each row and column of what is drawn, and one past the
    last. levels: float64[drawn rows, drawn columns], 0 to 1, NaN where nothing is to be seen. high: values in a cell.
    """

    left: int
    columns: int
    rows: int
    down: Numbers
    across: Numbers
    levels: NDArray[np.float64]
    high: int
    lo: float
    hi: float
    log: bool
    ticks: list[tuple[float, str]]
    scale: int


def fits(content: Content) -> bool:
    return isinstance(content, Matrix) and content.v.ndim == 2 and content.v.size > 0


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    assert isinstance(content, Matrix)
    scene = _scene(content, size, style)
    if scene is None:
        word = "nothing counted yet" if content.counts else "no value in this matrix"
        return message_frame(word, *size, style.glyphs)
    frame = blank(size)
    if style.colours >= PLENTY and style.glyphs != "ascii":
        shape = frame.chars.shape
        frame = Frame(frame.chars, frame.ink, fg=np.full(shape, -1, np.int32), bg=np.full(shape, -1, np.int32))
    _put(frame, scene.levels, scene.left, style)
    _draw_scale(frame, scene, style)
    _draw_labels(frame, scene, content, style)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The row, the column and the value at a cell; of several that share it the largest value, and how many."""
    assert isinstance(content, Matrix)
    scene = _scene(content, size, style)
    if scene is None:
        return ""
    x, y = column - scene.left, row * scene.high
    if not 0 <= x < len(scene.across) - 1 or not 0 <= y < len(scene.down) - 1:
        return ""
    end = min(y + scene.high, len(scene.down) - 1)
    rows = int(scene.down[y]), max(int(scene.down[end]), int(scene.down[y]) + 1)
    columns = int(scene.across[x]), max(int(scene.across[x + 1]), int(scene.across[x]) + 1)
    part = content.v[slice(*rows), slice(*columns)]
    known = part[np.isfinite(part)]
    digits = (0 if content.counts else digits_for(content.v.ravel())) if style.digits is None else style.digits
    value = format_value(float(known.max()), digits) if len(known) else "-"
    most = f" at most, of {part.size:,}" if part.size > 1 else ""
    unit = f" {style.unit}" if style.unit else ""
    return f"{_named('row', rows, content.rows)}  {_named('column', columns, content.columns)}  {value}{unit}{most}"


def _named(what: str, part: tuple[int, int], labels: tuple[str, ...]) -> str:
    """Rows or columns from the first to before the second."""
    first, last = part[0], part[1] - 1
    if last < len(labels):
        names = name_text(labels[first]), name_text(labels[last])
        return names[0] if first == last else f"{names[0]} to {names[1]}"
    return f"{what} {first:,}" if first == last else f"{what}s {first:,} to {last:,}"


def _scene(content: Matrix, size: Size, style: DrawStyle) -> _Scene | None:
    """What is drawn; None where no value is to be seen, or no cell is there to show it."""
    v = content.v
    known = np.isfinite(v) & ((v != 0) if content.counts else True)
    log = style.log and bool((v[known] > 0).any())
    known &= (v > 0) if log else True
    if not known.any() or size.width < 1 or size.height < 1:
        return None
    lo, hi = float(v[known].min()), float(v[known].max())
    lo = min(lo, 0.0) if content.counts and not log else lo
    below = (size.height >= WORDS_FROM) + (size.height >= LABELS_FROM and bool(content.columns))
    rows = size.height - below
    ticks = value_ticks(lo, hi, max(2, rows // ROWS_A_TICK), log)
    if content.counts:
        ticks = [(value, f"{value:,.0f}") for value, _label in ticks if value == round(value)]
    room = max((len(text) for _value, text in ticks), default=0)
    scale = room + BESIDE if ticks and room + BESIDE <= size.width // SCALE_PART else 0
    left = min(LABEL_MOST, max(map(len, content.rows), default=-1)) + 1
    left = left if left <= size.width // SCALE_PART and rows >= v.shape[0] else 0
    columns = size.width - scale - left
    high = 2 if style.colours >= PLENTY and style.glyphs != "ascii" else 1
    down, across = _cuts(v.shape[0], rows * high), _cuts(v.shape[1], columns)
    shown_part = np.where(known, v, -np.inf)
    pooled = np.maximum.reduceat(np.maximum.reduceat(shown_part, down[:-1], axis=0), across[:-1], axis=1)
    levels = np.where(np.isfinite(pooled), _levels(pooled, lo, hi, log), np.nan)
    return _Scene(left, columns, rows, down, across, levels, high, lo, hi, log, ticks, scale)


def _cuts(count: int, room: int) -> Numbers:
    """The first of `count` for each of up to `room` places, and `count`: as many for each, or each several times.

    Each as often, where that leaves little room over.
    """
    if count <= room and room % count <= room // LEFT_OVER:
        return np.append(np.repeat(np.arange(count), room // count), count)
    return np.arange(room + 1, dtype=np.int64) * count // room


def _levels(values: NDArray[np.float64], lo: float, hi: float, log: bool) -> NDArray[np.float64]:
    """Where values lie between lo (0) and hi (1)."""
    if log:
        values, lo, hi = np.log10(np.maximum(values, lo)), float(np.log10(lo)), float(np.log10(hi))
    extent = hi / 2 - lo / 2
    if not extent > 0:
        return np.full(values.shape, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.clip((values / 2 - lo / 2) / extent, 0.0, 1.0)


def _put(frame: Frame, levels: NDArray[np.float64], left: int, style: DrawStyle) -> None:
    """Draw levels from the top and from a column on."""
    if frame.fg is not None and frame.bg is not None:
        if len(levels) % 2:
            levels = np.concatenate((levels, np.full((1, levels.shape[1]), np.nan)))
        upper, lower = _colours(levels[0::2]), _colours(levels[1::2])
        part = (slice(0, len(upper)), slice(left, left + upper.shape[1]))
        single = upper < 0
        chars = np.where(single & (lower < 0), BLANK, np.where(single, ord("▄"), ord("▀")))
        frame.chars[part] = chars
        frame.ink[part] = SHADE_INK
        frame.fg[part] = np.where(single, lower, upper)
        frame.bg[part] = np.where(single, -1, lower)
        return
    signs = np.frombuffer(SHADES[style.glyphs].encode("utf-16-le"), "<u2")
    known = np.isfinite(levels)
    places = np.minimum(np.where(known, levels, 0) * len(signs), len(signs) - 1).astype(np.int64)
    part = (slice(0, len(levels)), slice(left, left + levels.shape[1]))
    frame.chars[part] = np.where(known, signs[places], BLANK)
    frame.ink[part] = SHADE_INK


def _colours(levels: NDArray[np.float64]) -> NDArray[np.int32]:
    """0xRRGGBB for levels from 0 to 1; -1 for NaN."""
    known = np.isfinite(levels)
    steps = np.rint(np.where(known, levels, 0) * LEVELS) / LEVELS * (len(RAMP) - 1)
    parts = [np.rint(np.interp(steps, np.arange(len(RAMP)), RAMP[:, part])).astype(np.int32) for part in range(3)]
    return np.where(known, parts[0] << 16 | parts[1] << 8 | parts[2], -1).astype(np.int32)


def _draw_scale(frame: Frame, scene: _Scene, style: DrawStyle) -> None:
    """The bar with all levels, the largest at the top, and values beside it."""
    if not scene.scale:
        return
    bar = scene.left + scene.columns + 1
    steps = scene.rows * scene.high
    levels = np.linspace(1, 0, steps)[:, None] if steps > 1 else np.ones((1, 1))
    _put(frame, levels, bar, style)
    at = _levels(np.array([value for value, _label in scene.ticks]), scene.lo, scene.hi, scene.log)
    for level, (_value, label) in zip(at.tolist(), scene.ticks, strict=True):
        row = round((1 - level) * (scene.rows - 1))
        write(frame, row, bar + 2, label.rjust(scene.scale - BESIDE), LABEL)


def _draw_labels(frame: Frame, scene: _Scene, content: Matrix, style: DrawStyle) -> None:
    """The labels of rows, at the left, and of columns, below; and in the last line how much there is."""
    if scene.left:
        for index, label in enumerate(content.rows[: content.v.shape[0]]):
            places = np.flatnonzero(scene.down[:-1] == index)
            if len(places):
                text = cut(shown(label, style.glyphs), scene.left - 1, style.glyphs).rjust(scene.left - 1)
                write(frame, int(places.mean()) // scene.high, 0, text, LABEL)
    below = scene.rows
    if content.columns and frame.height >= LABELS_FROM:
        free = 0
        for index, label in enumerate(content.columns[: content.v.shape[1]]):
            place = int(np.searchsorted(scene.across[:-1], index))
            text = shown(label, style.glyphs)[:LABEL_MOST]
            if place >= free and place + len(text) <= scene.columns:
                write(frame, below, scene.left + place, text, LABEL)
                free = place + len(text) + 1
        below += 1
    if frame.height >= WORDS_FROM:
        write(frame, below, scene.left, _words(content, scene.columns, style), LABEL)


def _words(content: Matrix, room: int, style: DrawStyle) -> str:
    """How much there is, in as many words as there is room for."""
    rows, columns = content.v.shape
    words = [f"{columns:,} x {rows:,}"]
    if content.stands_for is not None:
        words[0] = "{:,} x {:,} as ".format(*content.stands_for) + words[0]
    if content.counts:
        with np.errstate(over="ignore", invalid="ignore"):
            words.append(f"{format_value(float(content.v[np.isfinite(content.v)].sum()), 0)} counted")
    if content.outside:
        words.append(f"{content.outside:,} outside")
    if style.unit:
        words.append(shown(style.unit, style.glyphs))
    while len(words) > 1 and sum(map(len, words)) + 2 * (len(words) - 1) > room:
        words.pop(1 if len(words) > 2 else 0)
    return cut("  ".join(words), room, style.glyphs)
