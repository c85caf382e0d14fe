"""The plot of a stream: plotext's axes, our lines between them, and rows that are sent only when they changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual_plotext import PlotextPlot

from tuistream.charts.cursor import with_cursor
from tuistream.charts.live_end import Points
from tuistream.charts.live_panel import LivePanel
from tuistream.charts.panel import (
    DIRECTIONS,
    FILL,
    INKS,
    Axes,
    Frame,
    Gap,
    Layout,
    Tag,
    aligned,
    compose,
    layout_for,
    message_frame,
)
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.ui.ink_colours import PLOT, colour_of
from tuistream.ui.painting import PaintedApp
from tuistream.ui.themes import variable_defaults

FIRST_LABELS: Final = 9  # cells that value labels are taken to need before there are any
FILLED: Final = 0.35  # how much of a line's colour the area under it has
NOWHERE: Final = Size(-1, -1)
SLACK: Final = 3  # cells that the room for value labels may be too wide before it is narrowed


class StreamPlot(PlotextPlot):
    """Shows lines of a stream, drawn by `show`; to be called at most as often as the screen is to change.

    A line's style is the index of its ink in `tuistream.charts.panel.INKS`: 0 to 3 are fields ("price" to
    "price-4"), 4 to 7 averages ("average-1" to "average-4"). `ink_colours.PLOT` gives each ink its
    colour. Has neither timer nor border of its own.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        glyphs: str = "braille",
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """glyphs: "braille", "blocks" or "ascii"."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        # The axes take their colours from our own inks, so plotext needs no theme made of the app's.
        self.set_reactive(PlotextPlot.theme, "textual-clear")
        self.glyphs = glyphs
        self._labels = FIRST_LABELS
        self._axes = Axes()
        self._frame: Frame | None = None
        self._plain: Frame | None = None  # the same without cursor
        self.cursor: tuple[int, int] | None = None  # column and row of cells
        self._tall = False
        self._live: LivePanel | None = None
        self._colours: tuple[str, ...] = ()
        self._measured = NOWHERE, NOWHERE  # with and without what is around the content
        self._own_styles: tuple[Style, ...] = ()  # none where they are to be looked up again

    @property
    def frame(self) -> Frame | None:
        """What was last set to be shown, without cursor."""
        return self._plain

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Columns and rows that lines have, at least 1 each; may be narrower after a `show` with wider labels."""
        layout = self._layout(self._room)
        return max(1, layout.columns), max(1, layout.rows)

    def show(
        self,
        lines: Sequence[Line],
        viewport: Viewport,
        value_ticks: Sequence[tuple[float, str]],
        time_ticks: Sequence[tuple[int, str]],
        last: tuple[float, str, str] | None,
        gaps: Sequence[Gap],
        message: str = "",
        kind: str = "line",
        colours: tuple[str, ...] = (),
        grown: Sequence[Points] | None = None,
    ) -> None:
        """Set what is shown.

        value_ticks, time_ticks: values, and times in ns, with their labels. last: the newest value, its text, and
        its direction, "up", "down" or "flat". gaps: (from, to) in ns, or three with a word for what is there.
        message: shown, if there is one, instead of all else, as it is but for what is no glyph. kind: "line" or
        "area". colours: of the first inks, "#rrggbb", "up", "down" or "flat" for those inks' own, or "" for the
        stylesheet's. grown: what has come at the end of each line since the last `show` or `grow`, where nothing else
        but the window may have changed. Nothing of the arrays is kept.
        """
        width, height = self._room
        self._set_colours(colours)
        live, self._live = self._live, None
        if width < 1 or height < 1:
            return
        if message:
            self._put(message_frame(message, width, height, self.glyphs))
            return
        tag = Tag(*last) if last is not None else None
        self._fit_labels([label for _value, label in value_ticks] + ([tag.text] if tag else []))
        layout = self._layout(self._room)
        self._tall = True
        if (
            live is None
            or grown is None
            or gaps
            or not live.slide(layout, self._axes, grown, viewport, value_ticks, time_ticks, tag)
        ):
            frame = compose(
                layout, self._axes, self.glyphs, lines, viewport, value_ticks, time_ticks, tag, gaps, kind
            )
            live = LivePanel(frame, layout, self.glyphs, lines, viewport, value_ticks, tag, gaps)
        self._put(live.frame)
        self._live = live

    def show_cells(self, frame: Frame, colours: tuple[str, ...] = ()) -> None:
        """Set what is shown, cell by cell; a frame of another size is for one that has gone, and not shown.

        colours: as in `show`.
        """
        self._set_colours(colours)
        self._live = None
        if (frame.width, frame.height) == self.size:
            self._tall = False
            self._put(frame)

    def point(self, cursor: tuple[int, int] | None) -> None:
        """Show a cursor at a column and a row of cells, or none."""
        self.cursor = cursor
        if self._plain is not None:
            self._put(self._plain)

    def grow(self, grown: Sequence[Points], last: tuple[float, str, str] | None) -> bool:
        """Add what has come at the end of each line since `show`; `last` as there. False where `show` is needed."""
        live = self._live
        if live is None or self.cursor is not None or (live.frame.width, live.frame.height) != self._room:
            return False
        places = live.grow(grown, Tag(*last) if last is not None else None)
        if places is None:
            return False
        chars, ink, app = live.frame.chars, live.frame.ink, self.app
        cells = [(y, x, int(chars[y, x]), int(ink[y, x])) for y, x in places]
        if cells and not (isinstance(app, PaintedApp) and app.paint_cells(self, cells, self.ink_styles())):
            self.refresh(*[Region(0, row, live.frame.width, 1) for row in sorted({y for y, _x in places})])
        return True

    @property
    def _room(self) -> Size:
        """`size`, which Textual finds out anew each time it is asked; that of a hidden plot is none yet."""
        if self.outer_size != self._measured[0] or not self._measured[1]:
            self._measured = self.outer_size, self.size
        return self._measured[1]

    def notify_style_update(self) -> None:
        """As Textual calls it when the stylesheet, or what it says of this widget, has changed."""
        self._own_styles = ()
        self._measured = NOWHERE, NOWHERE
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Row `y` as it was last shown; depends on nothing else."""
        width = self._room.width
        frame = self._frame
        # Any ink will do for blanks: they are all on the same background.
        styles = self.ink_styles()
        if frame is None or y >= frame.height:
            return Strip.blank(width, styles[0])
        segments = [
            Segment(text, styles[ink] + _own_style(fore, back) if fore >= 0 or back >= 0 else styles[ink])
            for text, ink, fore, back in frame.coloured_runs(y)
        ]
        return Strip(segments, frame.width).adjust_cell_length(width, styles[0])

    def _layout(self, size: Size) -> Layout:
        return layout_for(size.width, size.height, self._labels)

    def _fit_labels(self, labels: Sequence[str]) -> None:
        """Make room for the labels; give it back only when there is plenty, so that the canvas stands still."""
        needed = max(map(len, aligned(labels)), default=0)
        if needed > self._labels or needed < self._labels - SLACK:
            self._labels = needed

    def _put(self, frame: Frame) -> None:
        self._plain = frame
        if self.cursor is not None:
            frame = with_cursor(frame, *self.cursor, self.glyphs, tall=self._tall)
        before, self._frame = self._frame, frame
        if before is None or (before.width, before.height) != (frame.width, frame.height):
            self.refresh()
            return
        rows = frame.changed_rows(before)
        if len(rows) and not self._painted(frame, rows):
            self.refresh(*[Region(0, row, frame.width, 1) for row in rows.tolist()])

    def _painted(self, frame: Frame, rows: NDArray[np.intp]) -> bool:
        app = self.app
        if not isinstance(app, PaintedApp) or (frame.width, frame.height) != self._room:
            return False
        # The last style is for cells without ink, which are blank.
        colours = None
        if frame.fg is not None and frame.bg is not None:
            ground = self.background_colors[1]
            behind = -1 if ground.ansi is not None else int(ground.hex6[1:], 16)
            back = frame.bg[rows]
            colours = frame.fg[rows], np.where((frame.fg[rows] >= 0) & (back < 0), behind, back).astype(np.int32)
        return app.paint(self, rows, frame.chars[rows], frame.ink[rows], self.ink_styles(), colours)

    def _set_colours(self, colours: tuple[str, ...]) -> None:
        if colours != self._colours:
            self._colours = colours
            self._own_styles = ()
            self.refresh()

    def ink_styles(self) -> tuple[Style, ...]:
        """One for each of `tuistream.charts.panel.INKS`."""
        if not self._own_styles:
            self._own_styles = tuple(self._looked_up_styles())
        return self._own_styles

    def _looked_up_styles(self) -> list[Style]:
        variables = self.app.theme_variables
        variables = variable_defaults(variables) | variables
        own, ground = self.rich_style, self.background_colors[1]
        styles: list[Style] = []
        for variable, percent, bold, _behind in map(PLOT.__getitem__, INKS):
            colour = ground + colour_of(variables, variable, percent)
            styles.append(own + Style(color=colour.rich_color, bold=bold or None))
        for ink, name in enumerate(self._colours):
            if name in DIRECTIONS:
                styles[ink] = styles[DIRECTIONS[name]]
            elif name:
                styles[ink] += Style(color=name)
        main = styles[0].color
        few = self.app.console.color_system in ("standard", "windows")  # to which line and area may look the same
        if self._colours and self._colours[0] and main is not None and not few:
            filled = ground.blend(Color.from_rich_color(main), FILLED)
            styles[FILL] += Style(color=filled.rich_color)
        return styles


def _own_style(fore: int, back: int) -> Style:
    """The style of a cell with colours of its own, -1 for none."""
    return Style(color=_rich(fore), bgcolor=_rich(back))


def _rich(colour: int) -> RichColor | None:
    return None if colour < 0 else RichColor.from_rgb(colour >> 16, colour >> 8 & 255, colour & 255)
