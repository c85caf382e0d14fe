"""Candles: the first, highest, lowest and last value of each stretch of time, of the first field that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks
from tuistream.charts.kinds.plot import EMPTY, Plot, along_ticks, plotted, range_of, tag_of
from tuistream.charts.kinds.words import time_text
from tuistream.charts.numbers import digits_for, format_value
from tuistream.charts.ohlc import Candles, candles_of, width_for
from tuistream.charts.panel import DOWN, FLAT, UP, Frame, draw_gaps, message_frame, signs_of
from tuistream.charts.raster import BLANK, Viewport, columns_of, rows_of
from tuistream.core.durations import format_duration

NONE, WICK, BODY = range(3)
MOST_COLUMNS: Final = 15  # that a body is wide, so that few candles do not become walls


class _Signs(NamedTuple):
    """Characters by what is in a cell's upper and lower half, as 3 x upper + lower.

    thin: of a body that is a column wide. centre, side: of a wider one. A body without colour that rose is `hollow`.
    """

    thin: str
    centre: str
    side: str
    hollow: str


_SIGNS: Final = {
    "braille": _Signs(" ╷╻╵│╽╹╿┃", " ╷▄╵│▄▀▀█", "  ▄  ▄▀▀█", "░"),
    "blocks": _Signs(" │▄││▄▀▀█", " │▄││▄▀▀█", "  ▄  ▄▀▀█", "░"),
    "ascii": _Signs(" |#||####", " |#||####", "  #  ####", "+"),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is drawn where. width: of a candle, ns. digits: of values, after the point."""

    plot: Plot
    candles: Candles
    width: int
    digits: int


def fits(content: Content) -> bool:
    return isinstance(content, Ticks) and not content.axis and bool(content.shown)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    scene = _scene(content, size, style)
    assert isinstance(content, Ticks)
    if not len(scene.candles.t):
        return message_frame(EMPTY, *size, style.glyphs)
    plot = scene.plot
    if plot.columns and plot.rows:
        free = np.full((plot.rows, plot.columns), -1, np.int8)
        draw_gaps(plot.frame, free, plot.viewport, content.gaps, signs_of(style.glyphs))
        _draw_candles(scene, style)
    return plot.frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The candle over whose columns the cell lies."""
    scene = _scene(content, size, style)
    plot, candles = scene.plot, scene.candles
    if not (0 <= column < plot.columns and 0 <= row < plot.rows) or not len(candles.t):
        return ""
    view = plot.viewport
    place = view.t0 + (2 * column + 1) * (view.t1 - view.t0) // (2 * plot.columns)
    at = int(np.searchsorted(candles.t, place, side="right")) - 1
    span = view.t1 - view.t0
    if at < 0 or place - int(candles.t[at]) >= scene.width:
        return f"{time_text(place, style, span)}  no value"
    prices = " ".join(
        f"{name} {format_value(float(values[at]), scene.digits)}"
        for name, values in zip(("open", "high", "low", "close"), candles[1:5], strict=True)
    )
    assert isinstance(content, Ticks)
    count = int(candles.counts[at])
    words = f"  {count:,} tick{'' if count == 1 else 's'}" if content.every else ""
    begin = time_text(int(candles.t[at]), style, span)
    return f"{begin} {format_duration(scene.width)}  {prices}{words}"


def _scene(content: Content, size: Size, style: DrawStyle) -> _Scene:
    assert isinstance(content, Ticks)
    values = content.columns[content.shown[0]]
    inside = slice(*np.searchsorted(content.t, (content.t0, content.t1), side="left").tolist())
    t, v = content.t[inside], values[inside]
    log = style.log and bool((v > 0).any())
    lo, hi = style.values or range_of((v,), log=log)
    viewport = Viewport(content.t0, content.t1, lo, hi, log)
    plot = plotted(size, style, viewport, along_ticks(content, size.width, style), tag_of(v, style))
    span, columns = max(1, content.t1 - content.t0), max(1, plot.columns)
    width = max(style.cell, width_for(span, columns, 1)) if style.cell else width_for(span, columns)
    candles = candles_of(t, v, width)
    if len(candles.t) > 1 and int(candles.t[0]) < content.t0:  # of that one the beginning is not there
        candles = candles.since(1)
    return _Scene(plot, candles, width, digits_for(v) if style.digits is None else style.digits)


def _draw_candles(scene: _Scene, style: DrawStyle) -> None:
    plot, candles, signs = scene.plot, scene.candles, _SIGNS[style.glyphs]
    view, half = plot.viewport, plot.rows * 2
    wide = plot.columns * scene.width / max(1, view.t1 - view.t0)
    side = (max(1, int(min(MOST_COLUMNS, wide - 1))) - 1) // 2  # columns of a body at either side of its centre
    first, last = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    high, low, top, bottom = (
        np.clip(rows_of(view, each, half), 0, half - 1) for each in (candles.high, candles.low, first, last)
    )
    states = _halves(high, low, top, bottom, half)
    cells = 3 * states[:, 0::2] + states[:, 1::2]
    if side:  # no glyph is half wick and half wide body: such a cell is the body's, so that nothing is torn
        cells[(cells == 3 * WICK + BODY) | (cells == 3 * BODY + WICK)] = 3 * BODY + BODY
    rose, fell = candles.close > candles.open, candles.close < candles.open
    inks = np.where(rose, UP, np.where(fell, DOWN, FLAT)).tolist()
    tables = [np.frombuffer(text.encode("utf-16-le"), "<u2") for text in signs[:3]]
    plain = style.colours == 0 or style.glyphs == "ascii"
    centres = columns_of(view, candles.t + scene.width // 2, plot.columns).tolist()
    chars, ink = plot.frame.chars[: plot.rows], plot.frame.ink[: plot.rows]
    for centre, states_of, own in zip(centres, cells, inks, strict=True):
        for column in range(max(0, centre - side), min(plot.columns, centre + side + 1)):
            found = tables[2 if column != centre else 1 if side else 0][states_of]
            if plain and own == UP:
                found = np.where(np.isin(states_of, (2, 5, 6, 7, 8)), ord(signs.hollow), found)
            seen = found != BLANK
            chars[seen, column] = found[seen]
            ink[seen, column] = own


def _halves(
    high: NDArray[np.int64], low: NDArray[np.int64], top: NDArray[np.int64], bottom: NDArray[np.int64], half: int
) -> NDArray[np.int64]:
    """What is in each half of a cell, int64[candles, half rows], from the rows of a candle's four values."""
    rows = np.arange(half)
    wick = (high[:, None] <= rows) & (rows <= low[:, None])
    body = (top[:, None] <= rows) & (rows <= bottom[:, None])
    return np.where(body, BODY, np.where(wick, WICK, NONE))
