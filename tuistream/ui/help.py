"""All keys in one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tuistream.ui.commands import COMMANDS, GROUPS, Command
from tuistream.ui.keymap import shown
from tuistream.ui.line import Line, Part, padded, wrapped
from tuistream.ui.waiting import printable_line

KEY_WIDTH = 12
COLUMN_WIDTH = 58
LEAVE = ("escape", "question_mark", "q", "enter")


class HelpScreen(ModalScreen[None]):
    """The table of commands, in as many columns as there is room for."""

    DEFAULT_CSS = """
    #help {
        border: heavy $accent; background: $background; padding: 0 1; max-width: 100%;
        height: auto; max-height: 100%; border-title-style: bold; border-subtitle-color: $dim; overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        *(Binding(key, "dismiss", "back", show=False) for key in LEAVE),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
    ]

    def __init__(
        self, lines: Sequence[str] = (), keys: Mapping[str, tuple[str, ...]] | None = None, replaying: bool = False
    ) -> None:
        """lines: to be shown after the keys. keys: the user's own."""
        super().__init__()
        self._replaying = replaying
        self._keys = keys or {}
        self._lines = lines

    def compose(self) -> ComposeResult:
        columns = max(1, min(3, (self.app.size.width - 4) // COLUMN_WIDTH))
        room = min(COLUMN_WIDTH, (self.app.size.width - 5) // columns)
        blocks = [block(name, room, self._keys, self._replaying) for name in GROUPS]
        with VerticalScroll(id="help") as box:
            box.styles.width = columns * room + 5  # border, padding and scroll bar
            box.border_title = "keys"
            box.border_subtitle = "Esc back"
            for row in beside_each_other(blocks, columns, room):
                line = Line(classes="help-row")
                line.show(row)
                yield line
            for text in map(printable_line, self._lines):
                for part in wrapped(text, columns * room):
                    line = Line(classes="help-row")
                    line.show([(part, "plain")])
                    yield line

    def action_scroll(self, lines: int) -> None:
        self.query_one("#help").scroll_relative(y=lines, animate=False)


def block(group: str, width: int, keys: Mapping[str, tuple[str, ...]], replaying: bool = False) -> list[list[Part]]:
    """The commands of one group, a line each, and an empty line."""
    rows: list[list[Part]] = [[(padded(group, width), "strong")]]
    offered = [command for command in COMMANDS if command.group == group and command.offered(replaying)]
    rows += [entry(command, width, keys, replaying) for command in offered]
    return [*rows, [(" " * width, "")]]


def entry(command: Command, width: int, keys: Mapping[str, tuple[str, ...]], replaying: bool = False) -> list[Part]:
    key = padded(f"  {shown(command, keys)}", KEY_WIDTH)
    return [(key, "key"), (padded(command.words_in(replaying), max(1, width - KEY_WIDTH)), "plain")]


def beside_each_other(blocks: list[list[list[Part]]], columns: int, width: int) -> list[list[Part]]:
    """The blocks, in order, in columns of about the same height."""
    heights = [len(block) for block in blocks]
    limit = max(max(heights), -(-sum(heights) // columns))
    while True:
        filled: list[list[list[Part]]] = [[]]
        for block_rows in blocks:
            if filled[-1] and len(filled[-1]) + len(block_rows) > limit:
                filled.append([])
            filled[-1].extend(block_rows)
        if len(filled) <= columns:
            break
        limit += 1
    empty: list[Part] = [(" " * width, "")]
    height = max(len(column) for column in filled)
    return [
        [part for column in filled for part in (column[row] if row < len(column) else empty)] for row in range(height)
    ]
