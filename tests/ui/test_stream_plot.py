"""The plot widget, in a running app."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.geometry import Region

from tuistream.charts.axes import time_ticks, value_ticks
from tuistream.charts.panel import INKS
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport
from tuistream.ui.stream_plot import StreamPlot

S = 1_000_000_000
START = 1_795_176_000 * S  # 2026-11-20 12:00:00 UTC


class CountedPlot(StreamPlot):
    """Notes which regions it asks to be drawn again."""

    def __init__(self, glyphs: str = "braille") -> None:
        super().__init__(glyphs)
        self.refreshed: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if hasattr(self, "refreshed"):
            self.refreshed.append(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class PlotApp(App[None]):
    def __init__(self, glyphs: str = "braille") -> None:
        super().__init__()
        self.plot = CountedPlot(glyphs)

    def compose(self) -> ComposeResult:
        yield self.plot


def show(plot: StreamPlot, last: float = 61_834.09, shift: int = 0, **options: Any) -> None:
    t = START + np.arange(shift, 61 + shift, dtype=np.int64) * S
    v = 61_825 + 12 * np.sin((t - START) / S / 7)
    view = Viewport(START + shift * S, START + (60 + shift) * S, 61_808, 61_842)
    rows = plot.canvas_size[1]
    plot.show(
        [Line(t, v, (), 0), Line(t, v - 5, (), 4)],
        view,
        value_ticks(view.lo, view.hi, rows // 4 + 1),
        [(START + 15 * S, "13:50"), (START + 45 * S, "13:56")],
        (last, f"{last:,.2f}", "up"),
        [],
        **options,
    )


def rows_of(plot: StreamPlot) -> list[str]:
    return [plot.render_line(y).text for y in range(plot.size.height)]


async def test_lines_axes_and_tag() -> None:
    app = PlotApp()
    async with app.run_test(size=(72, 12)):
        plot = app.plot
        assert plot.canvas_size == (60, 10)
        show(plot)
        assert rows_of(plot) == [
            "                                                            ├ 61,840    ",
            "       ⣀⡤⠤⠖⠢⠤⢄⡀                                    ⣀⡤⠤⠖⠢⠤⢄⡀ │           ",
            "    ⡠⠔⠋⠁ ⢀⣀⣀⡀ ⠈⠑⠦⡄                              ⡠⠔⠋⠁ ⢀⣀⣀⡀ ⠈⠑◂ 61,834.09 ",
            "  ⡠⠎⠁⣀⡤⠖⠋⠁  ⠉⠑⠢⢄⡀⠈⠣⡄                         ⢀⡠⠎⠁⣀⡔⠒⠋⠁  ⠉⠑⠢⢄│           ",
            "⡔⠊⠁⡠⠎⠁          ⠈⠣⡄⠈⠣⡄                     ⢀⡔⠃⢀⡠⠎⠁          │           ",
            "⢁⡔⠋⠁              ⠈⠑⢆⡈⠣⣄⡀                ⢀⡔⠃⢀⡔⠃             │           ",
            "⠃                    ⠑⢆⡀⠑⢆⡀            ⢀⡔⠃⢀⡔⠃               ├ 61,820    ",
            "                       ⠑⢆⡀⠑⠢⣄⡀      ⢀⡠⠖⠃⢀⡔⠃                 │           ",
            "                         ⠑⢆⡀ ⠉⠓⠒⠦⠔⠒⠊⠁ ⣀⡔⠃                   │           ",
            "                           ⠈⠓⠦⣄⣀⣀⣀⣀⡠⠔⠊⠁                     │           ",
            "───────────────┬─────────────────────────────┬──────────────┘           ",
            "             13:50                         13:56                        ",
        ]


async def test_only_changed_rows_are_drawn_again() -> None:
    app = PlotApp()
    async with app.run_test(size=(72, 12)) as pilot:
        plot = app.plot
        show(plot)
        await pilot.pause()
        plot.refreshed.clear()
        show(plot)
        assert plot.refreshed == []
        show(plot, last=61_830.5)
        assert plot.refreshed == [(Region(0, 2, 72, 1), Region(0, 3, 72, 1))]
        plot.refreshed.clear()
        show(plot, shift=1)
        assert sum(region.height for region in plot.refreshed[0]) > 5


async def test_a_message_instead_of_a_plot_is_no_markup() -> None:
    app = PlotApp()
    async with app.run_test(size=(40, 5)):
        show(app.plot)
        show(app.plot, message="[bold]no [/nothing] \x1b[31m yet")
        assert [row.strip() for row in rows_of(app.plot)] == ["", "", "[bold]no [/nothing] ·[31m yet", "", ""]
        show(app.plot)
        assert "yet" not in "".join(rows_of(app.plot))


async def test_room_for_labels_stands_still() -> None:
    app = PlotApp()
    async with app.run_test(size=(72, 12)):
        plot = app.plot
        show(plot)
        assert plot.canvas_size == (60, 10)
        show(plot, last=9.5)
        assert plot.canvas_size == (60, 10)
        show(plot, last=1_161_834.09)
        assert plot.canvas_size == (57, 10)
        assert any("◂" in row or "▴" in row for row in rows_of(plot))
        assert any("1,161,834.09" in row for row in rows_of(plot))


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (12, 4), (20, 5), (36, 7), (200, 50)])
@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_any_size(size: tuple[int, int], glyphs: str) -> None:
    app = PlotApp(glyphs)
    async with app.run_test(size=size):
        for kind in ("line", "area"):
            show(app.plot, kind=kind)
            rows = rows_of(app.plot)
            assert [len(row) for row in rows] == [size[0]] * size[1]
            assert glyphs != "ascii" or all(row.isascii() for row in rows)


async def test_between_a_resize_and_the_next_drawing_the_old_one_is_cut() -> None:
    app = PlotApp()
    async with app.run_test(size=(72, 12)) as pilot:
        show(app.plot)
        await pilot.resize_terminal(40, 14)
        assert [len(row) for row in rows_of(app.plot)] == [40] * 14
        show(app.plot)
        assert "┘" in rows_of(app.plot)[12]


async def test_before_anything_is_shown_it_is_blank() -> None:
    app = PlotApp()
    async with app.run_test(size=(20, 3)):
        assert rows_of(app.plot) == [" " * 20] * 3
    show(StreamPlot())


async def test_every_theme_has_a_colour_for_every_ink() -> None:
    app = PlotApp()
    async with app.run_test(size=(72, 12)) as pilot:
        for theme in app.available_themes:
            app.theme = theme
            show(app.plot)
            await pilot.pause()
            styles = dict(zip(INKS, app.plot.ink_styles(), strict=True))
            assert all(style.color is not None for style in styles.values()), theme
            drawn = [segment.style for y in range(12) for segment in app.plot.render_line(y)]
            assert styles["price"] in drawn


async def test_colours_come_from_the_variables_of_the_theme() -> None:
    class Coloured(PlotApp):
        def get_theme_variable_defaults(self) -> dict[str, str]:
            return {"price": "#123456"}

    app = Coloured()
    async with app.run_test(size=(72, 12)):
        show(app.plot)
        colours = {
            Color.from_rich_color(segment.style.color).hex
            for y in range(10)
            for segment in app.plot.render_line(y)
            if segment.style is not None and segment.style.color is not None
        }
        assert "#123456" in colours


async def test_ticks_of_the_axes_modules_fit() -> None:
    app = PlotApp()
    async with app.run_test(size=(100, 20)):
        plot = app.plot
        columns, rows = plot.canvas_size
        view = Viewport(START, START + columns * S, -2.5, 7.5)
        ticks = time_ticks(view.t0, view.t1, columns // 13)
        plot.show([], view, value_ticks(-2.5, 7.5, rows // 4 + 1), ticks, None, [])
        shown = rows_of(plot)
        assert shown[-1].split() == [label for t, label in ticks if START + 4 * S <= t <= view.t1 - 4 * S]
        columns = plot.canvas_size[0]
        assert [row[columns + 1 :].strip() for row in shown[:-2] if row[columns] == "├"] == ["6", "4", "2", "0", "-2"]
