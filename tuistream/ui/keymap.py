"""The user's own keys in place of the table's."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from textual.keys import _character_to_key

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.ui.commands import COMMANDS, Command, Pane

ALIASES = {"esc": "escape", "return": "enter", "del": "delete", "ins": "insert"}


def checked(keys: Mapping[str, tuple[str, ...]], where: str) -> dict[str, tuple[str, ...]]:
    """By the name of a command, its keys. Raises SettingsError for a command that is none, or a key of two.

    A command may be written with underscores ("zoom_in"), and a key as the character that it gives ("?").
    """
    changeable = [command.name for command in COMMANDS if command.one_action]
    found: dict[str, tuple[str, ...]] = {}
    for command, wanted in keys.items():
        name = command.replace("_", " ")
        if name not in changeable:
            near = difflib.get_close_matches(name, changeable, n=1)
            known = f"did you mean {near[0].replace(' ', '_')}?" if near else f"known are {', '.join(changeable)}"
            raise SettingsError(f"{where}: keys.{printable(command)} is no command; {known}")
        found[name] = tuple(_key(written) for written in wanted)
    _no_key_twice(found, where)
    return found


def _key(written: str) -> str:
    """A key as Textual names it."""
    return _character_to_key(written) if len(written) == 1 else ALIASES.get(written.lower(), written)


def _no_key_twice(found: Mapping[str, tuple[str, ...]], where: str) -> None:
    for name, keys in found.items():
        for other in COMMANDS:
            if other.pane is Pane.CURSOR and other.name not in found:
                continue  # its keys are other commands', too, while there is no cursor
            same = set(keys) & set(found.get(other.name, other.keys))
            if other.name != name and same:
                key = printable(min(same))
                raise SettingsError(f"{where}: keys: {key} is for {name!r} and for {other.name!r}")


def translation(keys: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """By the key that is pressed, the one of the table that it stands for; "" for one that does nothing any more."""
    found: dict[str, str] = {}
    for command in COMMANDS:
        if command.name in keys:
            found |= {key: "" for key in command.keys if key not in found}
            found |= dict.fromkeys(keys[command.name], command.keys[0])
    return found


def shown(command: Command, keys: Mapping[str, tuple[str, ...]]) -> str:
    """The keys of a command as people read them."""
    return " ".join(keys[command.name]) if command.name in keys else command.shown
