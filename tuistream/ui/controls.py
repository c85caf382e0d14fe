"""What keys and mouse do to a panel's chart."""

from __future__ import annotations

from typing import ClassVar, cast

from msgspec.structs import replace
from textual import events
from textual.binding import Binding
from textual.widget import Widget

from tuistream.core.durations import format_duration
from tuistream.core.text import printable
from tuistream.ui.chart import AVERAGES, SCALES, Chart
from tuistream.ui.commands import Pane, bindings
from tuistream.ui.messages import Followed, Said, SayingApp
from tuistream.ui.options import ViewOptions
from tuistream.ui.streams import Streams
from tuistream.ui.view import SECOND, View, Window

STILL_FRAMES = 4  # for which the window of a fast stream stands still; then it slides by all of them
PAN_PART = 4  # a key pans by this part of the window
FURTHER = 1 << 62  # ns; than anything


class ChartControls(Widget):
    """Changes the view and the choices of `chart`, and says so. Subclasses draw."""

    BINDINGS: ClassVar[list[Binding]] = bindings(Pane.PANEL)  # type: ignore[assignment]

    def __init__(self, streams: Streams, options: ViewOptions) -> None:
        super().__init__()
        self._paged = options.budget > 0  # windows jump instead of sliding, as every byte counts
        self._still = STILL_FRAMES * SECOND // options.fps
        self.chart: Chart | None = None
        self.edge = 0  # now by the clock of the chart's stream, ns
        self._streams = streams
        self._timezone = options.timezone
        self._drag: tuple[int, View, Window] | None = None

    def canvas(self) -> tuple[int, int]:
        """Columns and rows that the lines have."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw at once what was changed."""
        raise NotImplementedError

    def no_chart(self) -> str:
        """Why the keys of a chart have nothing to act on."""
        return "nothing to show yet: no tick has come"

    def action_zoom(self, steps: int) -> None:
        chart, window = self._ready()
        if chart is None or window is None:
            return
        base = self.base(chart)
        covered = chart.past.first >= window.t0 and not chart.view.range.span
        zoomed = chart.view.zoomed(steps, base)
        if steps < 0 and covered and chart.view.zoom <= 0:
            self._say("all that is recorded is shown" if chart.past.known else "all ticks in memory are shown")
        elif zoomed is chart.view:
            self._say("this is the nearest" if steps > 0 else "this is the furthest")
        else:
            self._change(zoomed, f"{zoomed.span_text(zoomed.span(base))} are shown")

    def action_pan(self, direction: int) -> None:
        chart, window = self._ready()
        if chart is None or window is None:
            return
        columns = (window.t1 - window.t0) // window.width
        self._pan(chart, chart.view, window, direction * max(1, columns // PAN_PART) * window.width)

    def go_to(self, t: int) -> None:
        """Have `t` (ns) in the middle, as far as there are ticks."""
        chart, window = self._ready()
        if chart is None or window is None:
            return
        if chart.view.axis:
            self._say(f"it is drawn along {printable(chart.state.stream.axis)}, which is no time")
        elif t >= self.edge:
            self._change(chart.view.followed(), "follows the newest")
        elif t < chart.past.first:
            self._say(f"that is older than what is {'recorded' if chart.past.known else 'in memory'}")
        else:
            gone = chart.view.gone_to(t, self.base(chart))
            self._change(gone, f"behind {self.behind(gone)}")

    def action_oldest(self) -> None:
        chart, window = self._ready()
        if chart is not None and window is not None:
            self._pan(chart, chart.view, window, -FURTHER)

    def action_follow(self) -> None:
        chart, _window = self._ready()
        if chart is not None:
            self._change(chart.view.followed(), "follows the newest")
            self.post_message(Followed())

    def action_reset(self) -> None:
        chart, _window = self._ready()
        if chart is not None:
            chart.choices = replace(chart.choices, scale="sticky")
            chart.rescale()
            self._change(chart.home, f"range {chart.home.range.name}, live")
            self.post_message(Followed())

    def action_range(self, steps: int) -> None:
        chart, _window = self._ready()
        if chart is None:
            return
        ranged = chart.view.ranged(steps)
        if ranged is chart.view:
            self._say("this is the shortest range" if steps < 0 else "this is the longest range")
        else:
            chart.rescale()
            place = f"{ranged.ranges.index(ranged.range) + 1} of {len(ranged.ranges)}"
            self._change(ranged, f"range {ranged.range.name}, {place}")

    def action_averages(self) -> None:
        chart, _window = self._ready()
        if chart is not None:
            chart.choices = replace(chart.choices, averages=_next(AVERAGES, chart.choices.averages))
            self._change(chart.view, f"moving averages: {chart.choices.averages}")

    def action_scale(self) -> None:
        chart, _window = self._ready()
        if chart is not None:
            chart.choices = replace(chart.choices, scale=_next(SCALES, chart.choices.scale))
            if chart.choices.scale != "fixed":
                chart.rescale()
            self._change(chart.view, f"value scale: {chart.choices.scale}")

    def action_log(self) -> None:
        chart, window = self._ready()
        if chart is None or window is None:
            return
        if not chart.choices.log and not chart.positive(window):
            self._say("no logarithmic scale: no value shown is above zero")
            return
        chart.choices = replace(chart.choices, log=not chart.choices.log)
        chart.rescale()
        self._change(chart.view, f"scale {'logarithmic' if chart.choices.log else 'linear'}")

    def action_field(self) -> None:
        chart, _window = self._ready()
        if chart is None:
            return
        selections = chart.selections()
        if len(selections) == 1:
            self._say(f"{selections[0][0]} is the only field")
            return
        at = selections.index(chart.fields) if chart.fields in selections else chart.choices.field
        chart.choices = replace(chart.choices, field=(at + 1) % len(selections), only="", log=False)
        chart.rescale()
        self._change(chart.view, f"shows {', '.join(chart.fields)}")

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_zoom(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_zoom(-1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        chart, window = self._ready(quiet=True)
        if event.button == 1 and chart is not None and window is not None:
            self._drag = (event.screen_x, chart.view, window)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag is None or self.chart is None:
            return
        start, view, window = self._drag
        if event.screen_x != start:
            self._pan(self.chart, view, window, (start - event.screen_x) * window.width)

    def on_mouse_up(self) -> None:
        self._drag = None
        self.release_mouse()

    def _pan(self, chart: Chart, view: View, window: Window, by: int) -> None:
        oldest = chart.past.first
        if by < 0 and window.t0 <= oldest:
            self._say(f"nothing older is {'recorded' if chart.past.known else 'in memory'}")
            return
        if by > 0 and view.following:
            self._say("this is the newest")
            return
        if by < 0:
            by = max(by, oldest // window.width * window.width - window.t0)
        panned = view.panned(by, window, self.base(chart, view), self.edge)
        self._change(panned, "follows the newest" if panned.following else f"behind {self.behind(panned)}")

    def _change(self, view: View, words: str) -> None:
        """Take a new view, draw at once, and say so."""
        chart = self.chart
        assert chart is not None
        chart.view = view
        self._say(words)
        self.redraw()

    def _say(self, words: str) -> None:
        name = f"{self._streams.label(self.chart.state.stream.key)}: " if self.chart is not None else ""
        cast(SayingApp, self.app).say(name + words)

    def _ready(self, quiet: bool = False) -> tuple[Chart | None, Window | None]:
        """The chart and its window, or None each with a word to the user where there is nothing to act on."""
        chart = self.chart
        if chart is None or not len(chart.state.series):
            if not quiet:
                self.post_message(Said(self.no_chart()))
            return None, None
        return chart, self.window(chart)

    def base(self, chart: Chart, view: View | None = None) -> int:
        series = chart.state.series
        whole = series.total == len(series)
        return (view or chart.view).base(series.t, self.edge, self._timezone, whole, chart.past.first)

    def window(self, chart: Chart, view: View | None = None) -> Window:
        series = chart.state.series
        columns, _rows = self.canvas()
        whole = series.total == len(series)
        shown = view or chart.view
        oldest = chart.past.first
        return shown.window(
            series.t,
            self.edge,
            columns,
            self._timezone,
            whole=whole,
            paged=self._paged,
            still=self._still,
            oldest=oldest,
        )

    def behind(self, view: View) -> str:
        assert self.chart is not None
        by = max(0, self.edge - self.window(self.chart, view).end)
        return view.span_text(by) if view.axis else format_duration(by)


def _next(options: tuple[str, ...], now: str) -> str:
    return options[(options.index(now) + 1) % len(options)]
