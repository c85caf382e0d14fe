"""What stands in a panel, cell by cell: lines, bands where data are missing, axes, the tag of the last value."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple
from unicodedata import category, east_asian_width

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.charts.frame import time_axis, value_axis
from tuistream.charts.polyline import Line
from tuistream.charts.raster import BLANK, Viewport, columns_of, rasterise, rows_of
from tuistream.core.durations import format_duration
from tuistream.core.latest import Latest

INKS: Final = (
    "price",
    "price-2",
    "price-3",
    "price-4",
    "average-1",
    "average-2",
    "average-3",
    "average-4",
    "fill",
    "gap",
    "gap-label",
    "axis",
    "label",
    "up",
    "down",
    "flat",
    "message",
)
FILL, GAP, GAP_LABEL, AXIS, LABEL, UP, DOWN, FLAT, MESSAGE = range(8, 17)
DIRECTIONS: Final = {"up": UP, "down": DOWN, "flat": FLAT}

MARGIN: Final = 3  # cells beside value labels: the axis, a space before them, a space after them
LABELS_PART: Final = 3  # labels get at most one such part of the width
AXIS_FROM: Final = 7  # rows from which the time axis has a line
TIMES_FROM: Final = 5  # rows from which it has labels
TIMES_WIDTH: Final = 16
MESSAGE_LENGTH: Final = 2_000

Gap = tuple[int, int]


class Layout(NamedTuple):
    """Cells of a panel. labels: for a value's text, 0 where there is no value axis. axis, times: rows below."""

    width: int
    height: int
    labels: int
    axis: bool
    times: bool

    @property
    def columns(self) -> int:
        return self.width - (self.labels + MARGIN if self.labels else 0)

    @property
    def rows(self) -> int:
        return self.height - self.axis - self.times


class Tag(NamedTuple):
    """The last value, its text, and its direction: "up", "down" or "flat"."""

    value: float
    text: str
    direction: str


class Axes:
    """What stands around the lines, kept until it changes: plotext's axes, and the cells that they take."""

    def __init__(self) -> None:
        self.values: Latest[list[str]] = Latest()
        self.times: Latest[tuple[str, str]] = Latest()
        self.beside: Latest[Frame] = Latest()
        self.margins: Latest[Frame] = Latest()


class Signs(NamedTuple):
    """tag: where a value is; above and below: that it lies outside. axes: how plotext's characters are written."""

    tag: str
    above: str
    below: str
    band: str
    axes: dict[int, str]


_PLAIN: Final = {ord(c): a for c, a in zip("│├┬─┘┼", "|++-++", strict=True)}
_SIGNS: Final = {
    "braille": Signs("◂", "▴", "▾", "░", {}),
    "blocks": Signs("◄", "▲", "▼", "░", {}),
    "ascii": Signs("<", "^", "v", "/", _PLAIN),
}


class Frame(msgspec.Struct, frozen=True, eq=False):
    """A finished panel. chars: uint16[height, width]; ink: int8[height, width], index into INKS, -1 for none.

    bits: of its lines, as in Cells, where nothing else is drawn between them. margins: what stands around them.
    fg, bg: int32[height, width], colours that cells have themselves, 0xRRGGBB, -1 for those of their ink and of the
    panel; both or neither. A half block (▀) has both.
    """

    chars: NDArray[np.uint16]
    ink: NDArray[np.int8]
    bits: NDArray[np.uint8] | None = None
    margins: Frame | None = None
    fg: NDArray[np.int32] | None = None
    bg: NDArray[np.int32] | None = None

    @property
    def width(self) -> int:
        return int(self.chars.shape[1])

    @property
    def height(self) -> int:
        return int(self.chars.shape[0])

    def runs(self, y: int) -> list[tuple[str, int]]:
        """Row `y` as texts of one ink each; blanks take the ink before them, as nobody sees it."""
        text = self.chars[y].astype("<u2").tobytes().decode("utf-16-le")
        inked = (self.chars[y] != BLANK).nonzero()[0]
        if not len(inked):
            return [(text, -1)]
        inks = self.ink[y, inked]
        changes = (inks[1:] != inks[:-1]).nonzero()[0] + 1
        starts = [0, *inked[changes].tolist()]
        stops = [*starts[1:], len(text)]
        chosen = [int(inks[0]), *inks[changes].tolist()]
        return [(text[start:stop], ink) for start, stop, ink in zip(starts, stops, chosen, strict=True)]

    def changed_rows(self, before: Frame) -> NDArray[np.intp]:
        """The rows that differ from `before`, a frame of the same size; rising."""
        changed = (self.chars != before.chars) | (self.ink != before.ink)
        for own, other in ((self.fg, before.fg), (self.bg, before.bg)):
            if own is not None or other is not None:
                changed |= (own if own is not None else -1) != (other if other is not None else -1)
        rows: NDArray[np.intp] = np.logical_or.reduce(changed, axis=1).nonzero()[0]
        return rows

    def coloured_runs(self, y: int) -> list[tuple[str, int, int, int]]:
        """Row `y` as texts of one ink each, with the colours of their own: of the glyphs, and behind them."""
        if self.fg is None or self.bg is None:
            return [(text, ink, -1, -1) for text, ink in self.runs(y)]
        text = self.chars[y].astype("<u2").tobytes().decode("utf-16-le")
        looks = np.stack((self.ink[y].astype(np.int32), self.fg[y], self.bg[y]))
        starts = [0, *(((looks[:, 1:] != looks[:, :-1]).any(axis=0)).nonzero()[0] + 1).tolist()]
        return [
            (text[start:stop], *looks[:, start].tolist())
            for start, stop in zip(starts, [*starts[1:], len(text)], strict=True)
        ]


def aligned(labels: Sequence[str]) -> list[str]:
    """`labels` with blanks before them, so that their decimal points stand in one column."""
    whole = [len(label.partition(".")[0]) for label in labels]
    return [" " * (max(whole) - width) + label for width, label in zip(whole, labels, strict=True)]


def layout_for(width: int, height: int, labels: int) -> Layout:
    """How a panel of width x height cells is divided where value labels need `labels` cells; a small one has none."""
    labels = labels if labels + MARGIN <= width // LABELS_PART else 0
    wide = width >= TIMES_WIDTH
    return Layout(width, height, labels, wide and height >= AXIS_FROM, wide and height >= TIMES_FROM)


def compose(
    layout: Layout,
    axes: Axes,
    glyphs: str,
    lines: Sequence[Line],
    viewport: Viewport,
    value_ticks: Sequence[tuple[float, str]],
    time_ticks: Sequence[tuple[int, str]],
    tag: Tag | None,
    gaps: Sequence[Gap],
    kind: str = "line",
) -> Frame:
    """Draw a panel. Gaps and the times of ticks are in ns; what lies outside the viewport is left out."""
    signs = signs_of(glyphs)
    columns, rows = layout.columns, layout.rows
    cells = rasterise(lines, viewport, columns, rows, glyphs, kind)
    bits = cells.bits if kind == "line" else None
    frame = surroundings(layout, axes, glyphs, viewport, value_ticks, time_ticks, tag, bits)
    frame.chars[:rows, :columns] = cells.chars
    frame.ink[:rows, :columns] = np.where(cells.fill, FILL, cells.ink)
    draw_gaps(frame, cells.ink, viewport, gaps, signs)
    return frame


def surroundings(
    layout: Layout,
    axes: Axes,
    glyphs: str,
    viewport: Viewport,
    value_ticks: Sequence[tuple[float, str]],
    time_ticks: Sequence[tuple[int, str]],
    tag: Tag | None,
    bits: NDArray[np.uint8] | None,
) -> Frame:
    """A panel without its lines and gaps; `bits` as in the frame, the other arguments as of `compose`."""
    signs = signs_of(glyphs)
    *labels, text = aligned([*(label for _value, label in value_ticks), tag.text if tag else ""])
    values = tuple((value, label) for (value, _), label in zip(value_ticks, labels, strict=True))
    margins = axes.margins.of(_margins, layout, axes, viewport, values, tuple(time_ticks), signs)
    frame = Frame(margins.chars.copy(), margins.ink.copy(), bits, margins)
    if layout.labels and tag is not None and tag.value == tag.value:
        row = int(rows_of(viewport, [tag.value], layout.rows)[0])
        draw_tag(frame, layout, row, Tag(tag.value, text, tag.direction), signs)
    return frame


def signs_of(glyphs: str) -> Signs:
    """What else is drawn with the glyphs "braille", "blocks" or "ascii"."""
    return _SIGNS[glyphs]


def _margins(
    layout: Layout,
    axes: Axes,
    viewport: Viewport,
    values: Sequence[tuple[float, str]],
    times: Sequence[tuple[int, str]],
    signs: Signs,
) -> Frame:
    """A panel without lines, gaps and tag."""
    value_range = replace(viewport, t0=0, t1=1)
    beside = axes.beside.of(_margin_of_values, layout, axes, value_range, values, signs)
    frame = Frame(beside.chars.copy(), beside.ink.copy())
    if layout.times:
        _draw_times(frame, layout, axes, viewport, times, signs)
    return frame


def _margin_of_values(
    layout: Layout, axes: Axes, viewport: Viewport, values: Sequence[tuple[float, str]], signs: Signs
) -> Frame:
    shape = layout.height, layout.width
    frame = Frame(np.full(shape, BLANK, np.uint16), np.full(shape, -1, np.int8))
    if layout.labels:
        _draw_values(frame, layout, axes, viewport, values, signs)
    return frame


def message_frame(message: str, width: int, height: int, glyphs: str = "braille") -> Frame:
    """`message` in the middle of a panel, its lines wrapped. What is no glyph of one cell becomes · (? in ASCII)."""
    frame = Frame(np.full((height, width), BLANK, np.uint16), np.full((height, width), -1, np.int8))
    texts: list[str] = []
    other = "?" if glyphs == "ascii" else "·"
    message = "".join(c if c == "\n" or one_cell(c, glyphs) else other for c in message[:MESSAGE_LENGTH])
    for line in message.split("\n"):
        texts += textwrap.wrap(line, width) or [""]
    texts = texts[:height]
    for y, text in enumerate(texts, start=(height - len(texts)) // 2):
        _write(frame, y, (width - len(text)) // 2, text, MESSAGE)
    return frame


def _write(frame: Frame, y: int, x: int, text: str, ink: int) -> None:
    frame.chars[y, x : x + len(text)] = np.frombuffer(text.encode("utf-16-le"), "<u2")
    frame.ink[y, x : x + len(text)] = ink


def one_cell(char: str, glyphs: str) -> bool:
    """Whether a terminal shows `char` as a glyph of one cell, as far as Unicode says."""
    if char.isascii() or glyphs == "ascii":
        return char.isascii() and char.isprintable()
    wide = east_asian_width(char) in "WF"
    return char.isprintable() and not wide and category(char)[0] != "M" and ord(char) < 0x10000


def draw_gaps(frame: Frame, drawn: NDArray[np.int8], viewport: Viewport, gaps: Sequence[Gap], signs: Signs) -> None:
    """Bands in the columns where data are missing, behind all lines, with their length where there is room.

    drawn: int8[rows, columns], the inks of what is drawn at the upper left, -1 where nothing is.
    """
    rows, columns = drawn.shape
    seen = [gap for gap in gaps if gap[1] > max(gap[0], viewport.t0) and gap[0] < viewport.t1]
    if not seen or not columns:
        return
    first = columns_of(viewport, [max(gap[0], viewport.t0) for gap in seen], columns)
    last = columns_of(viewport, [min(gap[1], viewport.t1) for gap in seen], columns)
    # The column in which the line ends, or begins again, is the line's where there are others.
    first = np.where((last - first > 1) & (np.array([gap[0] for gap in seen]) > viewport.t0), first + 1, first)
    last = np.where((last > first) & (np.array([gap[1] for gap in seen]) < viewport.t1), last - 1, last)
    band = np.zeros(columns, np.bool_)
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        band[begin : end + 1] = True
    free = (drawn < 0) & band
    frame.chars[:rows, :columns][free] = ord(signs.band)
    frame.ink[:rows, :columns][free] = GAP
    for (since, to), begin, end in zip(seen, first.tolist(), last.tolist(), strict=True):
        _name_gap(frame, free, begin, end + 1, format_duration(to - since))


def _name_gap(frame: Frame, free: NDArray[np.bool_], begin: int, end: int, duration: str) -> None:
    """Write a gap's length into its band, near the middle row, if a row has room for it."""
    for text in (f" no data {duration} ", f" {duration} "):
        if len(text) + 2 > end - begin:
            continue
        x = begin + (end - begin - len(text)) // 2
        rows = len(free)
        for y in sorted(range(rows), key=lambda y: abs(y - rows // 2)):
            if free[y, x : x + len(text)].all():
                _write(frame, y, x, text, GAP_LABEL)
                free[y, begin:end] = False
                return


def _draw_times(
    frame: Frame, layout: Layout, axes: Axes, viewport: Viewport, ticks: Sequence[tuple[int, str]], signs: Signs
) -> None:
    inside = [(t, label) for t, label in ticks if viewport.t0 <= t < viewport.t1]
    cells = columns_of(viewport, [t for t, _label in inside], layout.columns).tolist()
    # A label that is not whole under its tick would wait at the edge while its tick moves: it is left out.
    placed = [
        (t, cell, label)
        for (t, label), cell in zip(inside, cells, strict=True)
        if len(label) // 2 <= cell <= layout.columns - len(label) + len(label) // 2
    ]
    shown = [(cell, label) for _t, cell, label in _thinned(placed)]
    line, labels = _time_axis(axes, layout.columns, shown)
    if layout.axis:
        _write(frame, layout.rows, 0, line.translate(signs.axes), AXIS)
    _write(frame, layout.height - 1, 0, labels, LABEL)


def _time_axis(axes: Axes, columns: int, shown: Sequence[tuple[int, str]]) -> tuple[str, str]:
    """plotext's time axis, which it draws only once for labels that wander along together."""
    first, last = (shown[0][0], shown[-1][0]) if shown else (0, 0)
    room = max((len(label) for _cell, label in shown), default=0)  # at either side
    apart = tuple((room + cell - first, label) for cell, label in shown)
    line, labels = axes.times.of(time_axis, last - first + 1 + 2 * room, apart)
    before, after = first - room, columns - (last + 1 + room)
    line = "─" * before + line[max(0, -before) :] + "─" * after
    labels = " " * before + labels[max(0, -before) :] + " " * after
    return line[:columns], labels[:columns]


def _thinned(ticks: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The ticks (time, column, label) that have room: all, or every second, third … counted from the clock's zero."""
    if len(ticks) < 2:
        return ticks
    step = min(b[0] - a[0] for a, b in pairwise(ticks))
    for every in range(1, len(ticks)):
        kept = [tick for tick in ticks if tick[0] // max(1, step) % every == 0]
        # plotext centres a label on its tick if none other is within its length.
        if all(b[1] - a[1] > 1.5 * max(len(a[2]), len(b[2])) for a, b in pairwise(kept)):
            return kept
    return ticks[:1]


def _draw_values(
    frame: Frame, layout: Layout, axes: Axes, viewport: Viewport, ticks: Sequence[tuple[float, str]], signs: Signs
) -> None:
    places = rows_of(viewport, [value for value, _label in ticks], layout.rows).tolist()
    shown = {
        row: f" {text[: layout.labels]:{layout.labels}}" for row, (_value, text) in zip(places, ticks, strict=True)
    }
    axis = axes.values.of(
        value_axis, layout.rows, [(row, text) for row, text in shown.items() if 0 <= row < layout.rows]
    )
    for y, text in enumerate(axis):
        _write(frame, y, layout.columns, text[0].translate(signs.axes), AXIS)
        _write(frame, y, layout.columns + 1, text[1:], LABEL)
    if layout.axis:
        _write(frame, layout.rows, layout.columns, "┘".translate(signs.axes), AXIS)


def draw_tag(frame: Frame, layout: Layout, row: int, tag: Tag, signs: Signs) -> int:
    """Write a tag, its text as long as labels are, over the value axis; the row in which it stands.

    row: that of its value, which may be out of the canvas.
    """
    sign = signs.above if row < 0 else signs.below if row >= layout.rows else signs.tag
    text = f"{sign} {tag.text[: layout.labels]:{layout.labels}}"
    row = min(max(row, 0), layout.rows - 1)
    _write(frame, row, layout.columns, text, DIRECTIONS.get(tag.direction, FLAT))
    return row
