"""The line in which the watch list's filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

LONGEST = 60


class FilterInput(Input):
    """Filters as one types; Enter keeps the filter, Esc drops it."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("escape", "drop", "filter off", show=False),
        Binding("up,down,tab,shift+tab", "submit", "back to the list", show=False),
    ]

    class Edited(Message):
        """The filter is now `text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The line is gone; the filter stays as it was last edited."""

    def __init__(self) -> None:
        super().__init__(placeholder="part of a name; Enter keeps it, Esc drops it", max_length=LONGEST, id="filter")
        self.compact = True
        self.display = False

    def open(self, text: str) -> None:
        self.value = text
        self.display = True
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Edited(self.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()

    def action_drop(self) -> None:
        self.value = ""
        self.post_message(self.Edited(""))
        self._close()

    def _close(self) -> None:
        self.display = False
        self.post_message(self.Closed())
