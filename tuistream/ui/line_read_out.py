"""What a drawing of lines has under a cursor, in words. Nothing here draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tuistream.charts.numbers import NO_VALUE, format_value
from tuistream.core.durations import format_duration
from tuistream.core.text import printable
from tuistream.ui.chart import Drawing

NAME_LENGTH = 20
REASON_LENGTH = 40


def read_out(drawing: Drawing, columns: int, column: int, digits: int, time_text: Callable[[int], str]) -> str:
    """The tick whose time is the nearest to a column of cells, and the last value of each average until then; said to
    be the first or the last one where the column is beyond it.

    Where ticks are missing there: for how long, and why. Where only minutes are known, the time is about. time_text:
    how a time, ns, or a place is written.
    """
    view = drawing.viewport
    if not 0 <= column < columns or not drawing.lines:
        return ""
    width = (view.t1 - view.t0) // max(1, columns)
    place = view.t0 + (2 * column + 1) * (view.t1 - view.t0) // (2 * columns)
    main = drawing.lines[0]
    known = np.flatnonzero(np.isfinite(main.v))
    if not len(known):
        return ""
    times = main.t[known]
    at = int(np.searchsorted(times, place))
    nearest = min((i for i in (at - 1, at) if 0 <= i < len(times)), key=lambda i: abs(int(times[i]) - place))
    t = int(times[nearest])
    missing = next((gap for gap in drawing.gaps if gap.since < place < gap.to), None)
    if missing is not None and abs(t - place) > width:
        reason = f": {printable(missing.reason, REASON_LENGTH)}" if missing.reason else ""
        return f"{time_text(place)}  no data {format_duration(missing.to - missing.since)}{reason}"
    values = []
    for (name, _ink), line in zip(drawing.legend, drawing.lines, strict=True):
        index = int(np.searchsorted(line.t, t, side="right")) - 1
        value = float(line.v[index]) if index >= 0 else float("nan")
        text = format_value(value, digits) if value == value else NO_VALUE
        values.append(f"{printable(name, NAME_LENGTH)} {text}")
    about = "≈ " if drawing.thinned is not None and t < drawing.thinned else ""
    # Where the line has not begun yet, or is over, what is said is not of the place under the cursor.
    beyond = "first " if place < int(times[0]) - width else "last " if place > int(times[-1]) + width else ""
    return f"{beyond}{about}{time_text(t)}  {'  '.join(values)}"
