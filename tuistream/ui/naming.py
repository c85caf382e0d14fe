"""What a message names outside of it: shown before anything else could happen to it."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tuistream.core.board import Item
from tuistream.core.text import printable
from tuistream.ui.items import address_of
from tuistream.ui.line import Line, Part, wrapped

SHOWN: Final = 2_000  # characters of an address
WIDEST: Final = 100
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)


class NamedScreen(ModalScreen[None]):
    """Says where a picture or a video is said to be. Nothing is opened."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding(key, "dismiss", "back", show=False) for key in ("escape", "enter", "q", "n")
    ]

    def __init__(self, item: Item, label: str) -> None:
        super().__init__()
        self._item = item
        self._label = label

    def compose(self) -> ComposeResult:
        width = max(1, min(WIDEST, self.app.size.width - 5))
        with VerticalScroll(id="named") as box:
            box.styles.width = width + 4
            box.border_title = f"open {printable(self._item.kind, 20)}?"
            box.border_subtitle = "Esc back"
            for row in rows_of(self._item, self._label, width):
                line = Line()
                line.show(row)
                yield line


def rows_of(item: Item, label: str, width: int) -> list[list[Part]]:
    address = address_of(item)
    rows: list[list[Part]] = [[(text, "key")] for text in wrapped(printable(address, SHOWN), width)]
    told = (
        f"{where(address)}. The sender of {label} names it; it may be anything.",
        "This version cannot open pictures and videos: nothing has been opened, and nothing will be.",
    )
    for words in told:
        rows += [[("", "")], *([(text, "plain")] for text in wrapped(words, width))]
    return rows


def where(address: str) -> str:
    """What opening an address would touch."""
    scheme = _SCHEME.match(address)
    if scheme is None or len(scheme[1]) == 1:  # a letter is a drive
        return "A file on this machine"
    if scheme[1].lower() == "file":
        return "A file on this machine"
    return f"A {scheme[1].lower()} address, which this machine would connect to"
