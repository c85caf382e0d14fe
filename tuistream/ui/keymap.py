"""The user's own keys in place of the table's."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.ui.commands import COMMANDS, Command

ALIASES = {"space": "space", "esc": "escape", "return": "enter", "del": "delete", "ins": "insert"}


def checked(keys: Mapping[str, tuple[str, ...]], where: str) -> dict[str, tuple[str, ...]]:
    """By the name of a command, its keys. Raises SettingsError for a command that is none, or a key of two.

    A command may be written with underscores ("zoom_in").
    """
    changeable = {command.name: command for command in COMMANDS if command.one_action}
    found: dict[str, tuple[str, ...]] = {}
    for written, wanted in keys.items():
        name = written.replace("_", " ")
        if name not in changeable:
            near = difflib.get_close_matches(name, list(changeable), n=1)
            known = f"did you mean {near[0].replace(' ', '_')}?" if near else f"known are {', '.join(changeable)}"
            raise SettingsError(f"{where}: keys.{printable(written)} is no command; {known}")
        found[name] = tuple(ALIASES.get(key.lower(), key) for key in wanted)
    _no_key_twice(found, where)
    return found


def _no_key_twice(found: Mapping[str, tuple[str, ...]], where: str) -> None:
    for command in commands(found):
        for other in commands(found):
            same = set(command.keys) & set(other.keys)
            changed = command.name in found or other.name in found
            if command.name < other.name and same and changed and command.pane is other.pane:
                key = printable(min(same))
                raise SettingsError(f"{where}: keys: {key} is for {command.name!r} and for {other.name!r}")


def commands(keys: Mapping[str, tuple[str, ...]]) -> tuple[Command, ...]:
    """The table with these keys in it."""
    return tuple(
        replace(command, keys=keys[command.name], shown=" ".join(keys[command.name]))
        if command.name in keys
        else command
        for command in COMMANDS
    )
