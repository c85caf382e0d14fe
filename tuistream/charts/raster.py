"""Lines from arrays to cells of characters.

A cell holds dots: 2 x 4 in braille, 2 x 2 in quadrant blocks, 1 x 3 in ASCII. A line is drawn as the polyline
through its points: each column of dots gets the span between the smallest and the largest value that the polyline
takes in it, so that a spike of one tick shows at every zoom and a line has no holes.

The law of anchored columns: the time at which a column begins depends on `t0` and on the width of a cell only.
Where that width, (t1 - t0) / width, is a whole number of ns, a viewport moved by whole cells shows every old column
as it was, but for the last one, which also holds what is at `t1` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tuistream.charts.polyline import Grid, Line, Spans, spans_of
from tuistream.core.batch import Times, Values

NO_INK: Final = -1
BLANK: Final = 0x20

Dots = NDArray[np.bool_]
Codes = NDArray[np.uint16]


class Viewport(msgspec.Struct, frozen=True):
    """Times from t0 to t1, ns, and values from lo (the lower edge) to hi (the upper). log: a logarithmic scale."""

    t0: int
    t1: int
    lo: float
    hi: float
    log: bool = False


class Cells(msgspec.Struct, frozen=True, eq=False):
    """A drawing. chars: uint16[height, width], code points. ink: int8[height, width], the style of the line that
    owns a cell, -1 where there is none. fill: bool[height, width], cells that hold nothing but an area's filling.
    bits: uint8[lines, height, width], the dots of each line in each cell; None where nothing is drawn.
    """

    chars: Codes
    ink: NDArray[np.int8]
    fill: NDArray[np.bool_]
    bits: NDArray[np.uint8] | None = None

    def rows(self) -> list[str]:
        """The text of each row, from the top."""
        return [row.astype("<u2").tobytes().decode("utf-16-le") for row in self.chars]


class GlyphSet(msgspec.Struct, frozen=True, eq=False):
    """How dots become characters. bits: the bit of each dot, int[rows, columns], in the index into `codes`.

    filling: whether the dots of an area's filling at (row, column) are set, by row and column modulo its shape, or
    the character that fills a whole cell.
    """

    bits: NDArray[np.uint8]
    codes: Codes
    filling: NDArray[np.bool_] | str

    @property
    def dots(self) -> tuple[int, int]:
        """Rows and columns of dots in a cell."""
        rows, columns = self.bits.shape
        return rows, columns


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-16-le"), dtype="<u2").astype(np.uint16)


def glyph_set(glyphs: str) -> GlyphSet:
    """The glyph set named `glyphs`: "braille", "blocks" or "ascii". Raises KeyError for any other."""
    return _GLYPH_SETS[glyphs]


# Bits of braille patterns: Unicode 15, chapter 21.1.
_BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
_BRAILLE = np.concatenate(([BLANK], np.arange(0x2801, 0x2900))).astype(np.uint16)
_CHECKERS = np.array([[True, False], [False, True]])
_GLYPH_SETS: Final = {
    "braille": GlyphSet(_BRAILLE_BITS, _BRAILLE, _CHECKERS),
    "blocks": GlyphSet(np.array([[1, 2], [4, 8]], dtype=np.uint8), _codes(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"), "▒"),
    "ascii": GlyphSet(np.array([[1], [2], [4]], dtype=np.uint8), _codes(" '-|.:||"), ":"),
}
for _set in _GLYPH_SETS.values():
    _set.bits.flags.writeable = _set.codes.flags.writeable = False


def rasterise(
    lines: Sequence[Line], viewport: Viewport, width: int, height: int, glyphs: str = "braille", kind: str = "line"
) -> Cells:
    """Draw `lines` into width x height cells, the first line on top: where two share a cell it keeps its ink.

    kind: "line", or "area", which fills from the first line to zero, or to the lower edge where zero is not in
    range. Nothing is drawn where the viewport has no extent; no float and no time makes it raise.
    """
    shape = (max(0, height), max(0, width))
    cells = Cells(np.full(shape, BLANK, np.uint16), np.full(shape, NO_INK, np.int8), np.zeros(shape, np.bool_))
    if not shape[0] or not shape[1] or viewport.t1 <= viewport.t0:
        return cells
    chosen = glyph_set(glyphs)
    rows, columns = chosen.dots
    grid = Grid(viewport.t0, viewport.t1, viewport.lo, viewport.hi, viewport.log, width, columns, height * rows)
    if not lines:
        return cells
    spans = spans_of(lines, grid)
    if kind == "area":
        _fill(cells, lines[0], spans.of(0), grid, chosen)
    every = _packed(painted(spans, len(lines), grid), chosen)
    inked = every != 0
    for line, touched in zip(reversed(lines), inked[::-1], strict=True):
        np.copyto(cells.ink, line.style, where=touched)
    touched = np.logical_or.reduce(inked, axis=0)
    cells.fill[touched] = False
    np.copyto(cells.chars, chosen.codes.take(np.bitwise_or.reduce(every, axis=0)), where=touched)
    return replace(cells, bits=every)


def rows_of(viewport: Viewport, values: Sequence[float] | Values, height: int) -> NDArray[np.int64]:
    """The rows of cells in which values lie, int64[n]: from 0 to height - 1 for those in range, below for NaN."""
    grid = Grid(viewport.t0, viewport.t1, viewport.lo, viewport.hi, viewport.log, 1, 1, height)
    known = np.array(values, dtype=np.float64)
    if viewport.log:
        known = np.maximum(known, np.finfo(np.float64).tiny)
    return grid.rows_of(np.where(np.isnan(known), height + 1.0, grid.heights(known)))


def columns_of(viewport: Viewport, times: Sequence[int] | Times, width: int) -> NDArray[np.int64]:
    """The columns of cells in which times (ns) lie, int64[n]; the first and the last one for what is outside."""
    edges = Grid(viewport.t0, viewport.t1, viewport.lo, viewport.hi, viewport.log, width, 1, 1).edges()
    found = edges.searchsorted(np.array(times, dtype=np.int64), side="right") - 1
    return np.minimum(np.maximum(found, 0), width - 1)


def painted(spans: Spans, count: int, grid: Grid) -> Dots:
    """Dots bool[count, rows, columns] that are set by the spans of `count` lines."""
    rows, width = grid.rows, grid.columns
    above, below = (np.minimum(np.maximum(edge, 0), rows) for edge in (spans.top, spans.bottom + 1))
    seen = above < below
    first = spans.lines * (rows + 1)
    begins, ends = ((first + row) * width + spans.columns for row in (above, below))
    # Half the memory of bincount's: most of the time goes into pages that are new.
    steps = np.zeros(count * (rows + 1) * width, np.int32)
    np.add.at(steps, begins[seen], np.int32(1))
    np.add.at(steps, ends[seen], np.int32(-1))
    grown = steps.reshape(count, rows + 1, width)
    return np.add.accumulate(grown, axis=1, out=grown)[:, :rows] > 0


def _fill(cells: Cells, line: Line, spans: Spans, grid: Grid, glyphs: GlyphSet) -> None:
    """Fill between the line and its base."""
    base = grid.row_of_zero()
    top, bottom = np.minimum(spans.top, base), np.maximum(spans.bottom, min(base, grid.rows))
    (dots,) = painted(spans._replace(top=top, bottom=bottom), 1, grid)
    if isinstance(glyphs.filling, str):
        rows, columns = glyphs.dots
        full = dots.reshape(cells.ink.shape[0], rows, cells.ink.shape[1], columns).all(axis=(1, 3))
        cells.chars[full] = ord(glyphs.filling)
    else:
        period = glyphs.filling.shape
        mask = np.tile(glyphs.filling, (-(-grid.rows // period[0]), -(-grid.columns // period[1])))
        (bits,) = _packed((dots & mask[: grid.rows, : grid.columns])[None], glyphs)
        full = bits != 0
        cells.chars[full] = glyphs.codes[bits[full]]
    cells.ink[full] = line.style
    cells.fill[full] = True


def _packed(dots: Dots, glyphs: GlyphSet) -> NDArray[np.uint8]:
    """The bits of each cell of each line, uint8[count, height, width]."""
    rows, columns = glyphs.dots
    cells = dots.view(np.uint8)
    bits = np.zeros((len(dots), dots.shape[1] // rows, dots.shape[2] // columns), np.uint8)
    for row in range(rows):
        for column in range(columns):
            bits |= cells[:, row::rows, column::columns] * glyphs.bits[row, column]
    return bits
