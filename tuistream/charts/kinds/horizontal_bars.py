"""Lying bars from zero, each with its name before it and its value after it; the newest tick is the lowest."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tuistream.charts.kinds.canvas import blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks, Values
from tuistream.charts.kinds.groups import label_of, last_ticks, texts_of
from tuistream.charts.kinds.plot import EMPTY, SERIES
from tuistream.charts.panel import LABEL, Frame, message_frame

PARTS: Final = "▏▎▍▌▋▊▉█"  # of a cell, from the left, in eighths
THICKEST: Final = 4  # rows of a bar
NAME_PART: Final = 3  # names get at most one such part of the width


class Bar(NamedTuple):
    """label: of what; value; ink: of its series."""

    label: str
    value: float
    ink: int


def fits(content: Content) -> bool:
    return isinstance(content, Ticks | Values)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    return lying(_bars(content, size, style), size, style)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:  # noqa: ARG001
    return said(_bars(content, size, style), row, size, style)


def said(bars: list[Bar], row: int, size: Size, style: DrawStyle) -> str:
    """The bar in a row of `lying`."""
    bars = bars[: size.height]
    step, thick = _step(len(bars), size.height)
    if not bars or row % step >= thick or not 0 <= row // step < len(bars):
        return ""
    bar = bars[row // step]
    (text,) = texts_of(np.array([bar.value]), style)
    return f"{bar.label}  {text}"


def lying(bars: list[Bar], size: Size, style: DrawStyle) -> Frame:
    """Bars below each other, as many as there are rows."""
    bars = bars[: size.height]
    values = np.array([bar.value for bar in bars], np.float64)
    if not np.isfinite(values).any():
        return message_frame(EMPTY, *size, style.glyphs)
    frame = blank(size)
    labels = [shown(bar.label, style.glyphs) for bar in bars]
    names = min(max(map(len, labels)), size.width // NAME_PART)
    texts = texts_of(values, style)
    numbers = min(max(map(len, texts)), max(0, size.width - names - 4))
    room = max(1, size.width - names - numbers - 2 - (names > 0))
    known = values[np.isfinite(values)]
    lo, hi = min(0.0, float(known.min())), max(0.0, float(known.max()))
    step, thick = _step(len(bars), size.height)
    for at, (bar, label, text) in enumerate(zip(bars, labels, texts, strict=True)):
        middle = at * step + (thick - 1) // 2
        write(frame, middle, 0, cut(label, names, style.glyphs).rjust(names), LABEL)
        for row in range(at * step, at * step + thick):
            _draw_bar(frame, row, names + (names > 0), room, (lo, hi), bar, style)
        write(frame, middle, size.width - numbers, cut(text, numbers, style.glyphs).rjust(numbers), bar.ink)
    return frame


def _draw_bar(
    frame: Frame, row: int, column: int, room: int, extent: tuple[float, float], bar: Bar, style: DrawStyle
) -> None:
    lo, hi = extent[0] / 2, extent[1] / 2  # halves, because the distance of two finite floats need not be one
    if not np.isfinite(bar.value) or hi <= lo:
        return
    zero = round(-lo / (hi - lo) * room)
    end = (bar.value / 2 - lo) / (hi - lo) * room
    if bar.value < 0:
        start = min(round(end), zero - 1)
        write(frame, row, column + start, ("#" if style.glyphs == "ascii" else "█") * (zero - start), bar.ink)
        return
    eighths = round((end - zero) * 8)
    if style.glyphs == "ascii":
        write(frame, row, column + zero, "#" * round(eighths / 8), bar.ink)
        return
    text = "█" * (eighths // 8) + (PARTS[eighths % 8 - 1] if eighths % 8 > 0 else "")
    write(frame, row, column + zero, (text or (PARTS[0] if bar.value > 0 else ""))[: room - zero], bar.ink)


def _step(count: int, height: int) -> tuple[int, int]:
    """Rows from a bar to the next, and those of a bar: with a blank one between them where there is room."""
    step = min(1 + THICKEST, max(1, (height + 1) // max(1, count)))
    return step, max(1, step - 1)


def _bars(content: Content, size: Size, style: DrawStyle) -> list[Bar]:
    series = max(1, min(len(content.shown), SERIES)) if isinstance(content, Ticks) else 1
    groups = last_ticks(content, max(1, size.height // series), style, fine=series == 1)
    several = min(len(groups.names), SERIES) > 1
    bars = []
    for at, label in enumerate(groups.labels[: size.height]):
        for ink in range(min(len(groups.names), SERIES)):
            name = label_of(groups.names[ink], ink)
            words = name if several and ink else f"{label_of(label, at)} {name}" if several else label_of(label, at)
            if several and len(words) > size.width // NAME_PART:
                words = name  # rather than half of a time
            bars.append(Bar(words, float(groups.v[ink, at]), ink))
    return bars[: size.height]
