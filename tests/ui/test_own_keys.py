"""What a user's configuration says of keys and panels."""

from __future__ import annotations

import pytest

from tests.ui.conftest import Monitor
from tuistream.core.errors import SettingsError
from tuistream.ui import keymap, wishes
from tuistream.ui.line import Line
from tuistream.ui.options import PanelOptions


async def test_a_key_of_ones_own_does_what_the_tables_did(monitor: Monitor) -> None:
    monitor.options = {"keys": keymap.checked({"pause": ("p",), "filter": ("z", "ctrl+f")}, "here")}
    monitor.feed_ticks("BTC", [1.0, 2.0])
    async with monitor.running(120, 40):
        await monitor.press("space")
        assert "paused" not in monitor.status
        await monitor.press("p")
        assert "paused" in monitor.status
        await monitor.press("z")
        await monitor.press("p", "x")
        assert monitor.watch_list.rows.filter == "px"
        await monitor.press("escape", "question_mark")
        keys = [row.text for row in monitor.app.screen.query(Line).filter(".help-row")]
        assert any("  p " in row and "pause the view" in row for row in keys)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"zoom_out": ("plus",)}, "plus is for 'zoom out' and for 'zoom in'"),
        ({"zom in": ("i",)}, "keys.zom in is no command; did you mean zoom_in?"),
        ({"pause": ("b",), "quit": ("b",)}, "b is for"),
    ],
)
def test_keys_that_cannot_be(keys: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(SettingsError, match="here: ") as caught:
        keymap.checked(keys, "here")
    assert told in str(caught.value)


def test_two_commands_may_change_places() -> None:
    found = keymap.checked({"zoom_in": ("minus",), "zoom_out": ("plus",)}, "here")
    assert keymap.translation(found) == {
        "plus": "minus",
        "minus": "plus",
        "equals_sign": "",
        "underscore": "",
    }


def test_keys_as_people_write_them() -> None:
    found = keymap.checked({"pause": ("%", "Z", "Esc"), "leave": ("Del",), "averages": ("ctrl+a",)}, "here")
    assert found == {"pause": ("percent_sign", "Z", "escape"), "leave": ("delete",), "averages": ("ctrl+a",)}
    with pytest.raises(SettingsError, match="question_mark is for 'pause' and for 'help'"):
        keymap.checked({"pause": ("?",)}, "here")


async def test_panels_come_in_their_order_and_as_they_are_wanted(monitor: Monitor) -> None:
    wanted = PanelOptions("ETH", title="ether", range="15m", averages="off", chart="area", scale="fixed", log=True)
    monitor.options = {"panels": (wanted, PanelOptions("SOL"))}
    for name in ("BTC", "SOL", "ETH"):
        monitor.feed_ticks(name, [1.0, 2.0])
    async with monitor.running(120, 40):
        assert [state.stream.name for state in monitor.app._streams.order] == ["ETH", "SOL", "BTC"]
        assert "1 ether" in monitor.title
        assert "15m" in monitor.title
        chart = monitor.panel.chart
        assert chart is not None
        assert (chart.choices.kind, chart.choices.averages, chart.choices.log) == ("area", "off", True)


def test_a_range_that_is_none() -> None:
    with pytest.raises(SettingsError, match=r'here: panels\[0\].range = "7m" is none; there are auto, '):
        wishes.checked([PanelOptions("ETH", range="7m")], "here")


def test_a_kind_of_chart_that_is_none() -> None:
    told = r'here: panels\[1\].chart = "cake" is none; there are line, area, .*, pie, '
    with pytest.raises(SettingsError, match=told):
        wishes.checked([PanelOptions("ETH", chart="pie"), PanelOptions("BTC", chart="cake")], "here")
