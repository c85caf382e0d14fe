"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 0.1  # between looks


@contextmanager
def shown(what: str, look: Callable[[], tuple[int, int, int]], quiet: bool = False) -> Iterator[None]:
    """Show how far it is while the block lasts. look: done, total (0 where it is not known), and rows so far."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, markup=False, highlight=False)
    over = threading.Event()
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task(what, total=None, rows=0)

        def refresh() -> None:
            while not over.wait(SECONDS):
                done, total, rows = look()
                progress.update(task, completed=done, total=total or None, rows=rows, refresh=True)

        looking = threading.Thread(target=refresh, name="progress", daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()
