"""Matrices of messages on the screen: heat maps by themselves."""

from __future__ import annotations

from tests.ui.conftest import SECOND, START, Monitor
from tuistream.charts.kinds.contract import Matrix
from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.ui.board_content import of_item
from tuistream.ui.items import summary

CAMERA = Stream("binance", "cam", "matrix", ())


def item(value: object, t: int = START) -> Item:
    return Item(CAMERA, t, t, "matrix", value, 100, replaces=True)


async def test_it_is_a_heat_map_and_the_next_takes_its_place(monitor: Monitor) -> None:
    monitor.session.show(monitor.feed, [item({"z": [[1.5, 2.5], [3.5, 4.5]]})])
    async with monitor.running(100, 30):
        assert "2 x 2" in monitor.plot
        assert "█ 4.5" in monitor.plot
        await monitor.press("v")
        assert "row 1  column 1  4.5" in monitor.edge
        monitor.session.show(monitor.feed, [item({"z": [[7.0, None, 9.0]]}, START + SECOND)])
        await monitor.settle(SECOND)
        assert "3 x 1" in monitor.plot
        await monitor.press("c")
        assert "3 x 1 numbers" in monitor.screen


def test_what_it_holds() -> None:
    content = of_item(item({"z": [[1, None], [10**400, 4]], "x": ["a", "b\x1b[31m"], "y": ["c", "d"]}))
    assert isinstance(content, Matrix)
    assert str(content.v.tolist()) == "[[1.0, nan], [nan, 4.0]]"
    assert content.columns[0] == "a"
    assert "\x1b" not in content.columns[1]
    assert content.rows == ("c", "d")


def test_what_holds_none() -> None:
    nothing: list[object] = [{}, {"z": []}, {"z": [[]]}, {"z": [1]}, {"z": [[1], [2, 3]]}, {"z": [["a"]]}, "x", None]
    for value in nothing:
        assert of_item(item(value)) is None
        assert summary(item(value))
