"""The bottom line: what the focused pane can do now."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events

from tuistream.ui.commands import Command, Pane, footer
from tuistream.ui.glyphs import Signs
from tuistream.ui.keymap import shown as shown_keys
from tuistream.ui.line import Line, Part

SHOWN_TOGETHER = {
    "zoom in": "+ -",
    "pan left": "← →",
    "shorter": "[ ]",
    "select up": "↑ ↓",
    "events up": "↑ ↓",
    "back": "↑ ↓",
    "step back": ", .",
    "slower": "< >",
}
ASCII_KEYS = {"← →": "Left Right", "↑ ↓": "Up Down"}


class Footer(Line):
    """As many keys as fit, the most useful first; a click does what its key does."""

    def __init__(self, signs: Signs, keys: Mapping[str, tuple[str, ...]], replaying: bool = False) -> None:
        """keys: the user's own."""
        super().__init__(id="footer")
        self._keys = keys
        self._replaying = replaying
        self._ascii = signs.bar == "|"
        self._spans: list[tuple[int, int, Command]] = []

    def update(self, pane: Pane) -> None:
        parts: list[Part] = []
        self._spans = []
        x = 0
        commands = footer(pane, self._replaying)
        last = commands[-2:]  # help and quit always have room
        kept = sum(len(self._key(command)) + len(command.footer) + 3 for command in last)
        for command in commands:
            key = self._key(command)
            width = len(key) + len(command.footer) + 3
            if command not in last and x + width + kept > self.size.width:
                continue
            self._spans.append((x, x + width, command))
            parts += [(f" {key} ", "key"), (f"{command.footer} ", "dim")]
            x += width
        self.show(parts)

    def on_click(self, event: events.Click) -> None:
        for start, end, command in self._spans:
            if start <= event.x < end:
                _key, action = next(command.actions())
                self.app.call_next(self.app.run_action, f"send({command.pane.value!r}, {action!r})")
                return

    def _key(self, command: Command) -> str:
        if command.name in self._keys:
            return shown_keys(command, self._keys)
        shown = SHOWN_TOGETHER.get(command.name, command.shown)
        return ASCII_KEYS.get(shown, shown) if self._ascii else shown
