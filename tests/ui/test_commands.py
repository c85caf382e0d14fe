"""The table of commands: no key twice, every key of the design there."""

from __future__ import annotations

from collections import Counter

import pytest

from tuistream.ui.commands import COMMANDS, GROUPS, Pane, app_bindings, bindings, footer

KEYS = {
    *(
        "tab",
        "shift+tab",
        "enter",
        "m",
        "o",
        "space",
        "plus",
        "minus",
        "0",
        "left",
        "right",
        "up",
        "down",
        "end",
        "f",
    ),
    *("left_square_bracket", "right_square_bracket", "pageup", "pagedown", "slash", "question_mark", "escape"),
    *("ctrl+p", "ctrl+c", "ctrl+z", *"123456789hjklacCdyLwestqgxXHUA"),
    *("comma", "full_stop", "less_than_sign", "greater_than_sign"),
}


@pytest.mark.parametrize("pane", list(Pane))
def test_no_pane_has_a_key_twice(pane: Pane) -> None:
    counts = Counter(key for command in COMMANDS if command.pane is pane for key in command.keys)
    assert [key for key, count in counts.items() if count > 1] == []


def test_every_key_works_wherever_the_focus_is() -> None:
    bound = [binding.key for binding in app_bindings()]
    assert len(bound) == len(set(bound))
    assert set(bound) >= KEYS


def test_a_pane_answers_its_own_keys_itself() -> None:
    own = {binding.key: binding.action for binding in bindings(Pane.LIST)}
    assert own["enter"] == "open"
    assert own["down"] == "select(1)"
    assert {binding.key: binding.action for binding in bindings(Pane.GRID)}["7"] == "go('7')"


def test_names_are_unique_and_groups_known() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    assert {command.group for command in COMMANDS} <= {*GROUPS, ""}
    assert all(command.words and command.shown and command.keys for command in COMMANDS)


def test_the_footer_follows_the_pane() -> None:
    assert footer(Pane.LIST)[0].name == "open"
    assert "zoom in" not in [command.name for command in footer(Pane.LIST)]
    assert "zoom in" in [command.name for command in footer(Pane.PANEL)]
    assert [command.name for command in footer(Pane.PANEL)][-2:] == ["help", "quit"]


def test_in_a_replay_its_keys_come_first() -> None:
    replaying = [command.name for command in footer(Pane.PANEL, replaying=True)]
    assert replaying[:4] == ["pause", "step back", "slower", "go to"]
    assert replaying[-2:] == ["help", "quit"]
    assert "slower" not in [command.name for command in footer(Pane.PANEL)]
