"""What drawing costs: the monitor itself, on the terminal that this process has, with ticks that are made up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from tuistream.core.session import Session
from tuistream.core.status import RecordingStatus
from tuistream.ui.app import TuistreamApp
from tuistream.ui.options import ViewOptions
from tuistream.ui.panel import Panel

WARM_FRAMES = 2


class Cost(NamedTuple):
    """frames: drawn. cpu: seconds of CPU, all of the process. began, ended: seconds by time.perf_counter()."""

    frames: float
    cpu: float
    began: float
    ended: float


async def measure(session: Session, advance: Callable[[], None], frames: int, fps: int) -> Cost:
    """Show `session` until `frames` frames are drawn, `fps` a second at most; `advance` puts new ticks into it."""
    app = TuistreamApp(session, ViewOptions(fps=fps, glyphs="braille"), lambda: RecordingStatus("off"))

    def drawn() -> float:
        if not app.is_running or not app.screen_stack:
            return 0.0
        counts = [panel.drawings for panel in app.query(Panel) if panel.chart is not None]
        return sum(counts) / max(1, len(counts))

    async def until(count: float) -> None:
        while drawn() < count and not running.done():
            advance()
            await asyncio.sleep(1 / fps / 2)  # so that there is something new for each frame

    running = asyncio.create_task(app.run_async(mouse=False))
    await until(WARM_FRAMES)
    before, cpu, began = drawn(), time.process_time(), time.perf_counter()
    await until(before + frames)
    cost = Cost(drawn() - before, time.process_time() - cpu, began, time.perf_counter())
    app.exit()
    await running
    return cost
