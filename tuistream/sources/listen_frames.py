"""`listen+frames://`: anyone sends large messages, each behind its length, pickled strings among them."""

from __future__ import annotations

from tuistream.core.status import FeedStatus
from tuistream.framers.pickled_objects import PickledObjectFramer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub import listening
from tuistream.sources.hub.byte_stream import ByteStreamRunner
from tuistream.sources.hub.intake import Intake


def parse(target: str) -> Target:
    """`listen+frames://[PASSWORD@][HOST][:PORT]`. Raises SettingsError."""
    return listening.parse(target, "frames")


def listener(intake: Intake, status: FeedStatus, settings: FeedSettings) -> FramesRunner:
    return FramesRunner(intake, status, settings)


class FramesRunner(ByteStreamRunner):
    way = "frames"

    def framer(self) -> PickledObjectFramer:
        return PickledObjectFramer(self.listener.limits.large)
