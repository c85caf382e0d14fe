"""Keys before drawing: under load a key does what it does, and is seen, before the next part of a frame is drawn.

Of Textual 8.2 this uses the private name `_check_bindings` of `App`. A test fails when it changes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from textual import events
from textual.app import App
from textual.widgets import Input

KEY_STEPS: Final = 2  # turns of the loop from the terminal to `on_event`
DRAW_SECONDS: Final = 0.002  # that drawing may take before a key is looked for
KEY_SECONDS: Final = 0.01  # that drawing waits for a key to do what it does


class KeysFirst(App[int]):
    """An app that draws in parts, between which keys go first."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._unsent = False  # something was painted
        self._gathering = False
        self._key_at = 0.0  # monotonic seconds: when the newest key came
        self._let_at = 0.0  # and when drawing last let keys go first

    def _send_soon(self) -> None:
        raise NotImplementedError

    def _send_painted(self) -> None:
        raise NotImplementedError

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is painted inside is sent together, at the end or with what a key paints meanwhile."""
        self._gathering = True
        self._let_at = time.monotonic()
        try:
            yield
        finally:
            self._gathering = False
            self._send_soon()

    async def keys_first(self) -> None:
        """Let a key that has come do what it does, and be seen; to be awaited between parts of a drawing."""
        if time.monotonic() - self._let_at < DRAW_SECONDS:
            return
        for _ in range(KEY_STEPS):
            await asyncio.sleep(0)
        self._let_at = time.monotonic()
        if time.monotonic() - self._key_at < KEY_SECONDS:
            gathering, self._gathering = self._gathering, False
            await asyncio.sleep(KEY_SECONDS)
            self._gathering = gathering

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._key_at = time.monotonic()
            if not event.is_forwarded and not self._typing and await self._run_binding(event.key):
                if self._unsent:  # with what of a frame has been drawn so far
                    self._send_painted()
                return
        await super().on_event(event)

    async def _run_binding(self, key: str) -> bool:
        return await self._check_bindings(key, priority=True) or await self._check_bindings(key)

    @property
    def _typing(self) -> bool:
        """Whether keys are not for bindings, or not for these: Textual then finds out what they do.

        It asks one widget after another for that, each in a task of its own, which under load takes milliseconds.
        """
        return len(self.screen_stack) > 1 or isinstance(self.focused, Input) or self.screen.maximized is not None
