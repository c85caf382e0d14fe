"""The command palette: the table of commands, and the themes by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Protocol, cast

from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tuistream.ui.commands import COMMANDS
from tuistream.ui.keymap import shown
from tuistream.ui.options import ViewOptions


class KeyedApp(Protocol):
    """An app whose user may have keys of their own."""

    options: ViewOptions


PAGE = 8  # commands


class Palette(CommandPalette):
    """Textual's, but that PgUp and PgDn go step by step: its own way fails while the list is being filled anew."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("pagedown", "page('cursor_down')", show=False),
        Binding("pageup", "page('cursor_up')", show=False),
    ]

    async def action_page(self, step: str) -> None:
        for _ in range(PAGE):
            await self.run_action(step)


class CommandProvider(Provider):
    """Offers every command that does one thing; its own texts only, none from the network."""

    def _commands(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        run = self.app.run_action
        replaying = cast(KeyedApp, self.app).options.playback is not None
        for command in COMMANDS:
            if command.one_action and command.group and command.name != "palette" and command.offered(replaying):
                _key, action = next(command.actions())
                sent = f"send({command.pane.value!r}, {action!r})"
                key = shown(command, cast(KeyedApp, self.app).options.keys)
                yield command.words_in(replaying), f"{command.group.lower()}, key {key}", partial(run, sent)
        for name in sorted(self.app.available_themes):
            yield f"theme {name}", "colours", partial(self._set_theme, name)

    async def discover(self) -> Hits:
        for name, text, run in self._commands():
            yield DiscoveryHit(name, run, help=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, text, run in self._commands():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=text)

    def _set_theme(self, name: str) -> None:
        self.app.theme = name
