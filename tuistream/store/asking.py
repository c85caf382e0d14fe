"""Windows of a recording for whoever must not wait: read in one thread, of each asker the newest question only."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from tuistream.core.batch import StreamKey
from tuistream.core.errors import Interrupted, RecordingError

if TYPE_CHECKING:
    from tuistream.store.history import History, Newest, Wanted, Window

Deliver = Callable[["Window | RecordingError"], None]


class _Question(NamedTuple):
    wanted: Wanted
    deliver: Deliver
    loop: asyncio.AbstractEventLoop
    context: contextvars.Context


class HistoryReader:
    """Reads the history that `opened` gives, in a thread of its own, which begins with the first question.

    At most one question of each asker waits: a newer one takes its place, and ends what is being read for it.
    """

    def __init__(self, opened: Callable[[], History]) -> None:
        self._opened = opened
        self._history: History | None = None
        self._lock = threading.Lock()
        self._waiting: dict[object, _Question] = {}
        self._running: object = None
        self._busy = self._closed = False
        self._thread = ThreadPoolExecutor(1, "history")

    def ask(self, asker: object, wanted: Wanted, deliver: Deliver) -> None:
        """Have `deliver` called on the running loop, in the caller's context, with the window or why there is none.

        It is not called for a question in whose place another one came.
        """
        question = _Question(wanted, deliver, asyncio.get_running_loop(), contextvars.copy_context())
        with self._lock:
            if self._closed:
                return
            self._waiting[asker] = question
            if self._running == asker:
                self._interrupt()
            if not self._busy:
                self._busy = True
                self._thread.submit(self._work)

    def withdraw(self, asker: object) -> None:
        """Forget what `asker` asked."""
        with self._lock:
            self._waiting.pop(asker, None)
            if self._running == asker:
                self._interrupt()

    async def newest(self, count: int, wanted: Callable[[StreamKey], bool]) -> list[Newest]:
        """As `History.newest`. Raises RecordingError."""
        return await asyncio.wrap_future(self._thread.submit(lambda: self._open().newest(count, wanted)))

    def close(self) -> None:
        """End at once; nothing is delivered any more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._interrupt()
        self._thread.submit(self._close)
        self._thread.shutdown()

    def _interrupt(self) -> None:
        if self._history is not None:
            self._history.interrupt()

    def _open(self) -> History:
        """In the thread."""
        if self._history is None:
            self._history = self._opened()
        return self._history

    def _close(self) -> None:
        """In the thread."""
        if self._history is not None:
            self._history.close()

    def _work(self) -> None:
        """In the thread: answer until nothing waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                asker = next(iter(self._waiting))
                question = self._waiting.pop(asker)
                self._running = asker
            answer: Window | RecordingError | None = None
            try:
                answer = self._open().window(question.wanted)
            except RecordingError as error:
                answer = error
            except Interrupted:
                pass
            with self._lock:
                self._running = None
                outdated = asker in self._waiting or self._closed or question.loop.is_closed()
                if answer is not None and not outdated:
                    question.loop.call_soon_threadsafe(question.deliver, answer, context=question.context)
