"""Asks whether what a message names is to be opened, and says exactly what that is."""

from __future__ import annotations

from typing import ClassVar, Final
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tuistream.charts.numbers import compact
from tuistream.core.board import Item
from tuistream.core.text import printable
from tuistream.sources.media.names import MAX_ADDRESS, Named
from tuistream.sources.media.opening import MAX_MEDIA
from tuistream.ui.line import Line, Part, wrapped

WIDEST: Final = 100


class NamedScreen(ModalScreen[bool]):
    """Says where a picture or a video is said to be; true if the user wants it opened.

    Not `Enter`, which has brought it up: a key that is held down confirms nothing.
    """

    DEFAULT_CSS = """
    #named {
        border: heavy $accent; background: $background; padding: 0 1; max-width: 100%;
        height: auto; max-height: 100%; border-title-style: bold; border-subtitle-color: $dim; overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("y", "dismiss(True)", "open", show=False),
        *(Binding(key, "dismiss(False)", "back", show=False) for key in ("escape", "q", "n")),
    ]

    def __init__(self, item: Item, label: str, name: Named, real: str) -> None:
        """real: the file or the URL that would be opened."""
        super().__init__()
        self._item = item
        self._label = label
        self._named = name
        self._real = real

    def compose(self) -> ComposeResult:
        width = max(1, min(WIDEST, self.app.size.width - 5))
        with VerticalScroll(id="named") as box:
            box.styles.width = width + 4
            box.border_title = f"open {printable(self._item.kind, 20)}?"
            box.border_subtitle = "y open  Esc back"
            for row in rows_of(self._named, self._real, self._label, width):
                line = Line()
                line.show(row)
                yield line


def rows_of(name: Named, real: str, label: str, width: int) -> list[list[Part]]:
    rows: list[list[Part]] = [[(text, "key")] for text in wrapped(name.shown, width)]
    if real != name.name:
        rows += [[(text, "warning")] for text in wrapped(f"leads to {printable(real, MAX_ADDRESS)}", width)]
    told = (
        f"{where(name)}. The sender of {label} names it; it may be anything.",
        f"y opens it this once, as a picture of at most {compact(MAX_MEDIA)}B, or plays it as a video.",
    )
    for words in told:
        rows += [[("", "")], *([(text, "plain")] for text in wrapped(words, width))]
    return rows


def where(name: Named) -> str:
    """What opening it would touch."""
    if name.kind == "file":
        return "A file on this machine"
    return f"This machine would connect to {printable(urlsplit(name.name).netloc, 200)}"
