"""What panes tell the app."""

from __future__ import annotations

from typing import Protocol

from textual.message import Message

from tuistream.ui.streams import EntryKey


class Said(Message):
    """A line for the user: that a key worked, or why it could not."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class SayingApp(Protocol):
    """An app that shows a line to the user at once."""

    def say(self, text: str) -> None: ...


class StreamChosen(Message):
    """The user wants to see this stream's panel."""

    def __init__(self, key: EntryKey) -> None:
        super().__init__()
        self.key = key


class Followed(Message):
    """The user wants to see the newest: a paused view goes on."""
