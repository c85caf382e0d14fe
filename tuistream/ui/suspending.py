"""Ctrl+Z and `fg`: the program makes ready, gives the terminal back, stops; and goes on with a whole screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from textual.worker import Worker

from tuistream.core import job_control
from tuistream.ui.messages import Said
from tuistream.ui.painting import PaintedApp

Suspended = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def nothing_to_do() -> AsyncIterator[str]:
    """For an app that has nothing to make ready."""
    yield "tuistream: suspended; fg goes on"


class SuspendingApp(PaintedApp):
    """An app that may be suspended.

    suspended: entered before the process is stopped and left when it goes on; gives the line that stands in the
    terminal meanwhile.
    """

    def __init__(self, budget: int = 0, suspended: Suspended = nothing_to_do, pictures: str = "cells") -> None:
        super().__init__(budget, pictures)
        self._suspended = suspended
        self._suspending: Worker[None] | None = None

    def action_suspend_process(self) -> None:
        """What the key does, which the terminal would have done to the whole job."""
        why_not = job_control.why_not()
        if not why_not and self._terminal is None:
            why_not = "it takes a terminal and its shell"
        if why_not:
            self.post_message(Said(f"cannot suspend: {why_not}"))
        else:
            self._suspend_soon(whole_job=True)

    def on_terminal_driver_told_to_stop(self) -> None:
        self._suspend_soon(whole_job=False)

    def on_terminal_driver_continued(self) -> None:
        driver = self._terminal
        if driver is not None and self.return_code is None:
            driver.take_terminal()
            self.take_anew()

    def _suspend_soon(self, whole_job: bool) -> None:
        if self._suspending is None or self._suspending.is_finished:
            self.post_message(Said("suspending"))
            self._suspending = self.run_worker(self._suspend(whole_job))

    async def _suspend(self, whole_job: bool) -> None:
        async with self._suspended() as line:
            driver = self._terminal
            if driver is not None and self.return_code is None:  # else the program ends
                driver.stop(line, whole_job=whole_job)
                self.post_message(Said("goes on"))
                self.take_anew()
