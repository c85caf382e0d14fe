"""A content in a plot, drawn as one of the kinds of `charts/kinds/`, again only when it has changed."""

from __future__ import annotations

from typing import Final

from textual.app import App

from tuistream.charts import kinds
from tuistream.charts.kinds.contract import TRUECOLOUR, Content, DrawStyle, Size
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
        self._plot.show_cells(kinds.kind(name).draw(content, size, style), colours)

    def read_out(self, column: int, row: int) -> str:
        """What is at a cell of what was drawn last; "" where nothing is."""
        if self._drawn is None:
            return ""
        name, content, size, style = self._drawn
        return kinds.kind(name).read_out(content, size, style, column, row)

    def forget(self) -> None:
        self._drawn = None
