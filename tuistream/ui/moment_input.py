"""The line in which a time to go to is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

LONGEST = 60


class MomentInput(Input):
    """Enter goes there; Esc leaves all as it is."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("escape,tab,shift+tab", "drop", "leave", show=False),
    ]

    class Given(Message):
        """The line is gone. text: what was typed, empty where nothing is meant."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        hint = "a time: 14:30, -10m, yesterday 9:00, 2026-11-21 14:30; Enter goes there"
        super().__init__(placeholder=hint, max_length=LONGEST, id="moment")
        self.compact = True
        self.display = False

    def open(self) -> None:
        self.value = ""
        self.display = True
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close(self.value.strip())

    def action_drop(self) -> None:
        self._close("")

    def _close(self, text: str) -> None:
        self.display = False
        self.post_message(self.Given(text))
