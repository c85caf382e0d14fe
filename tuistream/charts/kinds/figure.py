"""A figure as its sender made it: traces over time or x, its title, its range, an overview of all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

import numpy as np

from tuistream.charts import kinds
from tuistream.charts.axes import time_ticks, value_ticks
from tuistream.charts.kinds.canvas import Canvas, blank, cut, shown, write
from tuistream.charts.kinds.contract import CLOSER, Content, DrawStyle, Figure, Size, Trace
from tuistream.charts.kinds.plot import COLUMNS_A_TICK, SERIES, plotted, range_of
from tuistream.charts.numbers import format_value
from tuistream.charts.panel import AXIS, FILL, GAP_LABEL, LABEL, Frame, message_frame
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport, columns_of, rasterise, rows_of

TITLED_FROM: Final = 8  # rows from which the title has one
OVERVIEW_FROM: Final = 16  # and from which there is an overview
OVERVIEW: Final = 3  # its rows: a line that marks what is seen, and two of drawing
PAN_PART: Final = 8  # of what is seen is one step aside
STEPS_MOST: Final = 30
DIGITS: Final = 6  # significant ones of a value that is read out
SECOND: Final = 1_000_000_000
EMPTY: Final = "a figure without traces"


def fits(content: Content) -> bool:
    return isinstance(content, Figure)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    """The traces, or what is nearest to the figure; above it its title, below it what is not as it was meant."""
    frame = blank(size)
    if not isinstance(content, Figure) or size.width < 1 or size.height < 1:
        return frame
    top, bottom = _edges(content, size)
    inner = Size(size.width, size.height - top - bottom)
    drawn = _drawn(content, inner, style)
    if top + bottom == 0:
        return drawn
    frame = Frame(frame.chars, frame.ink, fg=_grown(drawn.fg, top, bottom), bg=_grown(drawn.bg, top, bottom))
    part = slice(top, top + inner.height)
    frame.chars[part], frame.ink[part] = drawn.chars, drawn.ink
    if top:
        _write_title(frame, content, style)
    if bottom:
        words = cut(shown(content.words, style.glyphs), size.width, style.glyphs)
        write(frame, size.height - 1, 0, words, LABEL)
    return frame


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The x in the middle of a column, and of each trace its point nearest to that."""
    if not isinstance(content, Figure) or size.width < 1 or size.height < 1:
        return ""
    top, bottom = _edges(content, size)
    inner = Size(size.width, size.height - top - bottom)
    traces = _seen(content)
    if not traces:
        if content.nearest is None or content.kind not in kinds.there():
            return ""
        return kinds.kind(content.kind).read_out(content.nearest, inner, style, column, row - top)
    t0, t1 = window_of(content, style)
    canvas = _canvas(content, inner, style, t0, t1)
    if not (0 <= column < canvas.width and 0 <= row - top < canvas.height):
        return ""
    at = t0 + (t1 - t0) * (2 * column + 1) // (2 * max(1, canvas.width))
    words = []
    for number, trace in enumerate(traces[:SERIES], 1):
        place = int(np.searchsorted(trace.x, at))
        near = min(
            (each for each in (place - 1, place) if 0 <= each < len(trace.x)),
            key=lambda each: abs(int(trace.x[each]) - at),
        )
        name = shown(trace.name, style.glyphs) or (f"trace {number}" if len(traces) > 1 else "")
        value = (
            f"{float(trace.y[near]):.{DIGITS}g}"
            if style.digits is None
            else format_value(float(trace.y[near]), style.digits)
        )
        words.append(f"{name} {value}".strip())
    return "  ".join([_x_text(content, at, style.timezone), *words])


def window_of(content: Figure, style: DrawStyle) -> tuple[int, int]:
    """The x from which to which it is seen: all of it, or as its user went nearer and aside."""
    traces = _seen(content)
    first = min(int(trace.x[0]) for trace in traces)
    last = max(int(trace.x[-1]) for trace in traces)
    t0 = first if content.since is None else min(max(first, content.since), last)
    span = max(1, round((last - t0) / CLOSER ** min(max(0, style.zoom), STEPS_MOST)))
    end = last + style.pan[0] * span // PAN_PART
    end = min(max(end, first + span), last)
    return end - span, end + 1


def _seen(content: Figure) -> list[Trace]:
    return [trace for trace in content.traces if len(trace.x)]


def _edges(content: Figure, size: Size) -> tuple[int, int]:
    """Rows above and below the drawing."""
    titled = bool(content.title or len(content.traces) > 1 or content.past)
    return int(titled and size.height >= TITLED_FROM), int(bool(content.words) and size.height >= TITLED_FROM)


def _drawn(content: Figure, size: Size, style: DrawStyle) -> Frame:
    if not _seen(content):
        if content.nearest is not None and content.kind in kinds.there():
            return kinds.kind(content.kind).draw(content.nearest, size, style)
        return message_frame(content.words or EMPTY, size.width, size.height, style.glyphs)
    t0, t1 = window_of(content, style)
    overview = OVERVIEW if (content.slider or _narrowed(content, t0, t1)) and size.height >= OVERVIEW_FROM else 0
    frame = blank(size)
    main = _traced(content, Size(size.width, size.height - overview), style, t0, t1)
    frame.chars[: main.height], frame.ink[: main.height] = main.chars, main.ink
    if overview:
        _draw_overview(frame, content, style, t0, t1)
    return frame


def _narrowed(content: Figure, t0: int, t1: int) -> bool:
    return any(int(trace.x[0]) < t0 or int(trace.x[-1]) >= t1 for trace in _seen(content))


def _viewport(content: Figure, style: DrawStyle, t0: int, t1: int) -> Viewport:
    values = []
    for trace in _seen(content):
        part = slice(*np.searchsorted(trace.x, (t0, t1)).tolist())
        values.append(trace.y[part])
    if content.y_range is not None and not style.zoom and content.since is None:
        return Viewport(t0, t1, *content.y_range)
    return Viewport(t0, t1, *range_of(values, log=style.log), style.log)


def _canvas(content: Figure, size: Size, style: DrawStyle, t0: int, t1: int) -> Size:
    """The cells of the drawing between the axes."""
    overview = OVERVIEW if (content.slider or _narrowed(content, t0, t1)) and size.height >= OVERVIEW_FROM else 0
    rows = Size(size.width, size.height - overview)
    return Size(*plotted(rows, style, _viewport(content, style, t0, t1)).canvas)


def _traced(content: Figure, size: Size, style: DrawStyle, t0: int, t1: int) -> Frame:
    viewport = _viewport(content, style, t0, t1)
    count = max(1, size.width // COLUMNS_A_TICK)
    along = time_ticks(t0, t1, count, style.timezone) if content.timed else _places(content, t0, t1, count)
    plot = plotted(size, style, viewport, along)
    lines, traces = [], _seen(content)
    for ink, trace in enumerate(traces[:SERIES]):
        if not trace.points:
            lines.append(Line(trace.x, trace.y, (), ink))
    filled = bool(lines) and traces[lines[0].style].fill
    cells = rasterise(lines, viewport, *plot.canvas, style.glyphs, "area" if filled else "line")
    drawn = (cells.ink >= 0) | cells.fill
    part = slice(0, plot.rows), slice(0, plot.columns)
    plot.frame.chars[part][drawn] = cells.chars[drawn]
    plot.frame.ink[part][drawn] = np.where(cells.fill, FILL, cells.ink)[drawn]
    for ink, trace in enumerate(traces[:SERIES]):
        if trace.points:
            _draw_points(plot.frame, plot.canvas, viewport, trace, ink, style)
    return plot.frame


def _draw_points(frame: Frame, size: Size, viewport: Viewport, trace: Trace, ink: int, style: DrawStyle) -> None:
    canvas = Canvas(*size, style.glyphs)
    inside = (trace.x >= viewport.t0) & (trace.x < viewport.t1) & np.isfinite(trace.y)
    rows = rows_of(viewport, trace.y[inside].tolist(), canvas.rows)
    canvas.set(rows, columns_of(viewport, trace.x[inside].tolist(), canvas.columns), ink)
    canvas.put(frame)


def _places(content: Figure, t0: int, t1: int, count: int) -> list[tuple[int, str]]:
    ticks = value_ticks(t0 / content.parts, t1 / content.parts, count)
    return [(round(value * content.parts), label) for value, label in ticks]


def _draw_overview(frame: Frame, content: Figure, style: DrawStyle, t0: int, t1: int) -> None:
    """All of the first trace, what of it is seen in its ink; above it a line that is heavy there."""
    first = _seen(content)[0]
    top, width = frame.height - OVERVIEW, frame.width
    begin, end = int(first.x[0]), int(first.x[-1]) + 1
    whole = Viewport(begin, end, *range_of([first.y]))
    cells = rasterise([Line(first.x, first.y)], whole, width, OVERVIEW - 1, style.glyphs)
    left, right = columns_of(whole, [min(max(begin, t), end - 1) for t in (t0, t1)], width).tolist()
    seen = (np.arange(width) >= left) & (np.arange(width) <= right)
    frame.chars[top + 1 :] = cells.chars
    frame.ink[top + 1 :] = np.where(cells.ink >= 0, np.where(seen, 0, GAP_LABEL), -1)
    thin, heavy = ("-", "=") if style.glyphs == "ascii" else ("─", "━")
    frame.chars[top] = np.where(seen, ord(heavy), ord(thin))
    frame.ink[top] = np.where(seen, LABEL, AXIS)


def _write_title(frame: Frame, content: Figure, style: DrawStyle) -> None:
    """The title, and the names of the traces in their inks."""
    column = 0
    if content.title:
        title = cut(shown(content.title, style.glyphs), frame.width, style.glyphs)
        write(frame, 0, 0, title, LABEL)
        column = len(title) + 2
    if day := _day(content, style):
        write(frame, 0, column, cut(day, frame.width - column, style.glyphs), LABEL)
        column += len(day) + 2
    traces = _seen(content)
    for ink, trace in enumerate(traces[:SERIES]):
        name = cut(shown(trace.name or f"trace {ink + 1}", style.glyphs), frame.width - column, style.glyphs)
        if len(traces) > 1 and name:
            write(frame, 0, column, name, ink)
            column += len(name) + 2


def _day(content: Figure, style: DrawStyle) -> str:
    """The day on which it ends, where that is not about when it came: its axis may have times alone."""
    if not content.past:
        return ""
    last = max(int(trace.x[-1]) for trace in _seen(content))
    try:
        local = datetime.fromtimestamp(last // SECOND, UTC).astimezone(style.timezone)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{local.day} {local:%b %Y}"


def _grown(colours: object, top: int, bottom: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]] | None:
    """Colours of cells with rows above and below that have none."""
    if not isinstance(colours, np.ndarray):
        return None
    return np.pad(colours, ((top, bottom), (0, 0)), constant_values=-1)


def _x_text(content: Figure, at: int, zone: tzinfo | None) -> str:
    if not content.timed:
        return f"x {at / content.parts:.{DIGITS}g}"
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=at // 1_000)  # noqa: UP017
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError):
        return f"{at} ns"
