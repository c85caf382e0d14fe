"""What a kind of panel is: something that draws a content, arrays, into cells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuistream.charts.panel import Frame, Gap
from tuistream.charts.spectrum import DEFAULT, Transform
from tuistream.core import batch

LEAST_WIDTH: Final = 20  # cells; a kind draws in less, too, but need not draw well
LEAST_HEIGHT: Final = 5
TRUECOLOUR: Final = 1 << 24
CLOSER: Final = 1.5  # so many times as large with each step nearer
MARKERS_MOST: Final = 10_000  # on a map


class Size(NamedTuple):
    """Cells."""

    width: int
    height: int


class Ticks(msgspec.Struct, frozen=True, eq=False):
    """Ticks of a stream in a window.

    t: int64[n], ns since 1970 UTC, rising; or, where `axis` names what they are drawn along instead, billionths of
    its unit. columns: float64[n] by the names of the fields, NaN where a tick has no value: first those of `shown`,
    which the user chose to see together, then all others. t0, t1: the window, ns. gaps: (from, to), ns. every: these
    are all ticks; else of those of a stretch that is narrower than a column the first, least, greatest and last.
    """

    t: batch.Times
    columns: Mapping[str, batch.Values]
    shown: tuple[str, ...]
    t0: int
    t1: int
    gaps: tuple[Gap, ...] = ()
    axis: str = ""
    every: bool = True


class Values(msgspec.Struct, frozen=True, eq=False):
    """Numbers with names. v: float64[len(names), len(labels)]: a row for each series, NaN where it has no value."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    v: NDArray[np.float64]


class Points(msgspec.Struct, frozen=True, eq=False):
    """Values along something that is no time, and that the next message replaces: a spectrum, a figure's trace.

    x: float64[n], rising. columns: float64[n] each, by name. x_name: what x is, with its unit.
    """

    x: batch.Values
    columns: Mapping[str, batch.Values]
    x_name: str = ""


class Matrix(msgspec.Struct, frozen=True, eq=False):
    """v: float64[h, w], the row 0 at the top, NaN where nothing is known. rows, columns: labels, or none.

    counts: the values are numbers of things, so that 0 is nothing. outside: how many of them had no cell here.
    stands_for: the columns and rows of the larger grid of which each value is of several cells, or None.
    """

    v: NDArray[np.float64]
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    counts: bool = False
    outside: int = 0
    stands_for: tuple[int, int] | None = None


class Raster(msgspec.Struct, frozen=True, eq=False):
    """A picture. pixels: uint8[h, w, 3], red, green and blue, the row 0 at the top."""

    pixels: NDArray[np.uint8]


class Markers(msgspec.Struct, frozen=True, eq=False):
    """Places on a map.

    lon, lat: float64[n], degrees. labels: one each, or none. sizes: float64[n], or None. colours: int32[n],
    0xRRGGBB or -1 for one of our own, or None. centre: (lon, lat) and zoom, as the sender wants them; a zoom is the
    number of times that the width of the world is doubled from 256 pixels, as web maps count. beyond: markers that
    came and are not here, as there were too many.
    """

    lon: batch.Values
    lat: batch.Values
    labels: tuple[str, ...] = ()
    sizes: batch.Values | None = None
    colours: NDArray[np.int32] | None = None
    centre: tuple[float, float] | None = None
    zoom: float | None = None
    beyond: int = 0


class Trace(msgspec.Struct, frozen=True, eq=False):
    """A line of a figure. x: int64[n], rising: ns since 1970 UTC, or parts of a unit as its figure says.

    y: float64[n]. colour: "#rrggbb", or "" for one of ours. points: its points are drawn and no line. fill: the area
    below it is filled.
    """

    name: str
    x: batch.Times
    y: batch.Values
    colour: str = ""
    points: bool = False
    fill: bool = False


class Figure(msgspec.Struct, frozen=True, eq=False):
    """What came as a whole figure. timed: x is a time; else `parts` of x are one of its unit.

    title; y_range: the values that its sender wants to be seen; since: the first x that the user wants. ranges: first
    xs that the sender offers, by name. slider: an overview of all of it is wanted. nearest: what there is instead of
    traces, and the kind that shows it. past: it ended a day or more before it came. words: what of the figure is not
    as it was meant.
    """

    traces: tuple[Trace, ...]
    timed: bool = True
    parts: float = 1.0
    title: str = ""
    y_range: tuple[float, float] | None = None
    since: int | None = None
    ranges: tuple[tuple[str, int | None], ...] = ()
    slider: bool = False
    nearest: Values | Matrix | None = None
    kind: str = ""
    past: bool = False
    words: str = ""


Content = Ticks | Values | Points | Matrix | Raster | Markers | Figure


class DrawStyle(msgspec.Struct, frozen=True):
    """How it is drawn, whatever the kind.

    glyphs: "braille", "blocks" or "ascii". colours: how many the terminal has: 0, 16, 256 or `TRUECOLOUR`. digits:
    after the point, None where the values are to tell. log: a logarithmic scale where there is a value axis.
    timezone: of times, None for the machine's own. zoom: steps that the user went nearer; pan: that many right and
    down. values: the range of the value axis, None where the values in sight are to tell. cell: ns of a candle or a
    column of cells, 0 for what suits. transform: how a spectrum is made. names: of fields, where others than their
    own are to be shown. cell_ratio: how many times as high as wide a cell is.
    """

    glyphs: str = "braille"
    colours: int = TRUECOLOUR
    digits: int | None = None
    unit: str = ""
    log: bool = False
    timezone: tzinfo | None = None
    values: tuple[float, float] | None = None
    zoom: int = 0
    pan: tuple[int, int] = (0, 0)
    cell: int = 0
    transform: Transform = DEFAULT
    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    cell_ratio: float = 2.0


class Kind(Protocol):
    """A file of `charts/kinds/` is one: its functions are pure, take any float and any size, and never raise.

    `draw` and `read_out` are asked only for a content that `fits`; an empty one of such a type may be it.
    """

    def fits(self, content: Content) -> bool:
        """Whether the content can be drawn as this."""

    def draw(self, content: Content, size: Size, style: DrawStyle) -> Frame:
        """A frame of just that size; a word in it where there is nothing to draw, or no room."""

    def read_out(self, content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
        """What is at a cell of what `draw` makes of the same, in a line: its time or place, name, value; or ""."""
