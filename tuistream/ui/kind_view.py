"""A content in a plot, drawn as one of the kinds of `charts/kinds/`, again only when it has changed."""

from __future__ import annotations

from typing import Final

from textual.app import App

from tuistream.charts import kinds
from tuistream.charts.kinds.contract import TRUECOLOUR, Content, DrawStyle, Raster, Size
from tuistream.charts.panel import Frame
from tuistream.ui.painting import PaintedApp
from tuistream.ui.stream_plot import StreamPlot

_COLOURS: Final = {"standard": 16, "256": 256, "truecolor": TRUECOLOUR, "windows": 16}


def colours_of(app: App[int]) -> int:
    """How many colours the terminal shows."""
    return 0 if app.no_color else _COLOURS.get(app.console.color_system or "", 0)


class KindView:
    """Keeps what was drawn last, so that a cell of it can be read out."""

    def __init__(self, plot: StreamPlot) -> None:
        self._plot = plot
        self._drawn: tuple[str, Content, Size, DrawStyle] | None = None

    def show(self, name: str, content: Content, style: DrawStyle, colours: tuple[str, ...] = ()) -> None:
        """Draw. colours: as in `StreamPlot.show`."""
        size = Size(*self._plot.size)
        if size.width < 1 or size.height < 1:
            return
        self._drawn = name, content, size, style
        frame = kinds.kind(name).draw(content, size, style)
        self._plot.show_cells(frame, colours)
        if isinstance(content, Raster) and frame.fg is not None and style.glyphs != "ascii":
            self._show_pixels(frame, content, size, style)

    def _show_pixels(self, frame: Frame, content: Raster, size: Size, style: DrawStyle) -> None:
        """Have the pixels seen, where the terminal can, in place of the half blocks."""
        plot = self._plot
        if isinstance(plot.app, PaintedApp) and plot.frame is frame:
            from tuistream.charts.kinds.picture import crop_of
            from tuistream.ui.sights import Sight

            ground = plot.background_colors[1]
            behind = -1 if ground.ansi is not None else int(ground.hex6[1:], 16)
            crop = crop_of(content.pixels, size, style)
            plot.app.graphics.show(plot, Sight(frame, content.pixels, crop, behind))

    @property
    def pixels(self) -> str:
        """Whether a picture is shown in pixels, in words; "" where there is no choice."""
        app = self._plot.app
        return app.graphics.words(self._plot) if isinstance(app, PaintedApp) else ""

    def read_out(self, column: int, row: int) -> str:
        """What is at a cell of what was drawn last; "" where nothing is."""
        if self._drawn is None:
            return ""
        name, content, size, style = self._drawn
        return kinds.kind(name).read_out(content, size, style, column, row)

    def forget(self) -> None:
        self._drawn = None
