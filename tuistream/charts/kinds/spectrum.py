"""A spectrum: how much of each frequency there is in the window, of the first field; or arrays that are one."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

import numpy as np
from msgspec.structs import replace

from tuistream.charts.axes import fit_range, value_ticks
from tuistream.charts.kinds.canvas import cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Points, Size, Ticks
from tuistream.charts.kinds.plot import COLUMNS_A_TICK, EMPTY, SERIES, Plot, plotted, range_of
from tuistream.charts.kinds.words import name_text, value_text
from tuistream.charts.panel import FILL, LABEL, Frame, message_frame
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport, columns_of, rasterise
from tuistream.charts.spectrum import LEAST_POINTS, spectrum_of
from tuistream.core.batch import Values

FARTHEST: Final = 1e15  # the largest place, in the integers that lines are drawn along
DEEPEST: Final = 1e-6  # of the largest, what a logarithmic scale goes down to: 120 decibels
AREAS: Final = ("amplitude", "density")  # units that begin at zero
DEEPEST_DB: Final = 120.0  # below the largest
STEP_DB: Final = 20.0  # to which the ends of that scale are rounded, so that it stands still
DIGITS: Final = 4  # of a frequency
DIGITS_DB: Final = 1
FEW: Final = "too few ticks for a spectrum: it needs {} in a row"
NOT_ALL: Final = "too many ticks for a spectrum: + or [ for fewer"


@dataclass(frozen=True, slots=True, eq=False)
class _Curves:
    """x: float64[n], rising. columns: float64[n] each. unit: of x. size_unit: of the columns, where it is known.

    about: what was done to get them. made: by a transform, of that unit; "" where they came as they are.
    """

    x: Values
    columns: dict[str, Values]
    unit: str
    size_unit: str = ""
    about: str = ""
    made: str = ""


def fits(content: Content) -> bool:
    if isinstance(content, Ticks):
        return bool(content.shown)  # with too few ticks it says so
    return isinstance(content, Points) and bool(content.columns)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    curves = _curves(content, style)
    if curves is None:
        return message_frame(_nothing(content), *size, style.glyphs)
    scale, plot = _plot(curves, size, style)
    if not plot.columns or not plot.rows:
        return plot.frame
    places = _places(curves.x, scale)
    named = [*curves.columns.items()][:SERIES]
    lines = [Line(places, values, style=ink) for ink, (_name, values) in enumerate(named)]
    kind = "area" if curves.made in AREAS and not style.log else "line"
    cells = rasterise(lines, plot.viewport, *plot.canvas, style.glyphs, kind)
    drawn = cells.ink >= 0
    plot.frame.chars[: plot.rows, : plot.columns][drawn] = cells.chars[drawn]
    plot.frame.ink[: plot.rows, : plot.columns][drawn] = np.where(cells.fill, FILL, cells.ink)[drawn]
    if plot.layout.times and plot.layout.labels:
        unit = cut(shown(curves.unit, style.glyphs), plot.layout.labels + 2, style.glyphs)
        write(plot.frame, size.height - 1, plot.columns + 1, unit, LABEL)
    _write_about(plot, curves.about)
    return plot.frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The x of a column of cells, and of each curve the largest value in it, or the nearest."""
    curves = _curves(content, style)
    if curves is None:
        return ""
    scale, plot = _plot(curves, size, style)
    if not (0 <= column < plot.columns and 0 <= row < plot.rows):
        return ""
    view, places = plot.viewport, _places(curves.x, scale)
    inside = np.flatnonzero(columns_of(view, places, plot.columns) == column)
    main = next(iter(curves.columns.values()))
    if len(inside):
        index = int(inside[np.nanargmax(np.where(np.isfinite(main[inside]), main[inside], -np.inf))])
    else:
        place = view.t0 + (2 * column + 1) * (view.t1 - view.t0) // (2 * plot.columns)
        index = int(np.abs(places - place).argmin())
    told = replace(style, unit=curves.size_unit, digits=DIGITS_DB if curves.made == "dB" else style.digits)
    values = "  ".join(
        f"{name_text(name)} {value_text(float(values[index]), values, told, main=number == 0)}"
        for number, (name, values) in enumerate(curves.columns.items())
        if number < SERIES
    )
    return f"{_frequency(float(curves.x[index]), curves)} {name_text(curves.unit)}".rstrip() + f"  {values}"


def _nothing(content: Content) -> str:
    if not isinstance(content, Ticks):
        return EMPTY
    return FEW.format(LEAST_POINTS) if content.every else NOT_ALL


def _curves(content: Content, style: DrawStyle) -> _Curves | None:
    """What is drawn; None where there is too little."""
    if isinstance(content, Points):
        known = np.isfinite(content.x)
        columns = {name: values[known] for name, values in content.columns.items()}
        if known.sum() < 2 or not any(np.isfinite(values).any() for values in columns.values()):
            return None
        return _Curves(content.x[known], columns, content.x_name, style.unit)
    assert isinstance(content, Ticks)
    if not content.every:
        return None  # what stands for many ticks has frequencies of its own
    inside = slice(*np.searchsorted(content.t, (content.t0, content.t1), side="left").tolist())
    name, how = content.shown[0], style.transform
    found = spectrum_of(content.t[inside], content.columns[name][inside], how, content.gaps)
    if found is None or not np.isfinite(found.size).any():
        return None
    per = "tick" if how.along == "ticks" else content.axis
    unit = f"1/{per}" if per else "Hz"
    peak = f"{float(found.frequency[int(np.nanargmax(found.size))]):,.{DIGITS}g} {shown(unit, style.glyphs)}"
    about = f"peak {peak}  {how.words}  {found.samples:,} ticks"
    own = "" if per else style.unit
    sizes = {"amplitude": style.unit, "dB": "dB", "density": f"{own}^2/Hz" if own else ""}
    return _Curves(found.frequency, {name: found.size}, unit, sizes[how.unit], about, how.unit)


def _plot(curves: _Curves, size: Size, style: DrawStyle) -> tuple[float, Plot]:
    """How many places a unit of x has, and the axes."""
    first, last = float(curves.x[0]), float(curves.x[-1])
    scale = FARTHEST / max(abs(first), abs(last), FARTHEST / (1 << 62))
    places = _places(curves.x, scale)
    begin, end = int(places[0]), max(int(places[-1]), int(places[0]) + max(1, size.width))
    lo, hi, log = _values(curves, style.log and curves.made != "dB")
    count = max(1, size.width // COLUMNS_A_TICK)
    along = [(round(x * scale), label) for x, label in value_ticks(first, last, count)]
    return scale, plotted(size, style, Viewport(begin, end, lo, hi, log), along)


def _places(x: Values, scale: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.rint(x * scale).astype(np.int64)


def _values(curves: _Curves, log: bool) -> tuple[float, float, bool]:
    """The value range, which stands still while the largest value is of about one size; and whether it is log."""
    finite = np.concatenate([values[np.isfinite(values)] for values in curves.columns.values()])
    lo, hi = float(finite.min()), float(finite.max())
    if curves.made == "dB":
        top = ceil(hi / STEP_DB) * STEP_DB
        return min(max(floor(lo / STEP_DB) * STEP_DB, top - DEEPEST_DB), top - STEP_DB), top, False
    if log and hi > 0:
        positive = finite[finite > 0]
        return *fit_range(max(float(positive.min()), hi * DEEPEST), hi, log=True), True
    if lo < 0 or not 0 < hi < FARTHEST:
        return *range_of((finite,)), False
    power = 10.0 ** floor(log10(hi))
    top = next((power * step for step in (1, 1.5, 2, 3, 5, 7.5) if power * step >= hi), power * 10)
    return (0.0, top, False) if 0 < top < np.inf else (*range_of((finite,)), False)


def _frequency(x: float, curves: _Curves) -> str:
    """A place with the digits that tell it from the next."""
    return f"{x:,.{DIGITS}g}" if curves.made else f"{x:,.6g}"


def _write_about(plot: Plot, text: str) -> None:
    """What was done, in the uppermost row, where there is room beside the curve."""
    x = plot.columns - len(text) - 1
    if text and plot.rows >= 4 and x > 0 and (plot.frame.ink[0, x : plot.columns] < 0).all():
        write(plot.frame, 0, x, text, LABEL)
