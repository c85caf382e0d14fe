"""`listen+tcp://`: anyone sends JSON objects, one after another, with anything or nothing between them."""

from __future__ import annotations

from tuistream.core.status import FeedStatus
from tuistream.framers.objects import ObjectFramer
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.hub import listening
from tuistream.sources.hub.byte_stream import ByteStreamRunner
from tuistream.sources.hub.intake import Intake


def parse(target: str) -> Target:
    """`listen+tcp://[PASSWORD@][HOST][:PORT]`. Raises SettingsError."""
    return listening.parse(target, "tcp")


def listener(intake: Intake, status: FeedStatus, settings: FeedSettings) -> TcpRunner:
    return TcpRunner(intake, status, settings)


class TcpRunner(ByteStreamRunner):
    way = "tcp"

    def framer(self) -> ObjectFramer:
        return ObjectFramer(self.listener.limits.frame)
