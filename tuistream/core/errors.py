"""Every exception that tuistream raises on purpose.

The text of each is the one line that its user reads: what, where, and the numbers. A library's
exceptions become these at the edge of the one file that uses the library.
"""

from __future__ import annotations

from datetime import datetime


class TuistreamError(Exception):
    """The base of all; ends a command with `exit_code` and one line."""

    exit_code = 1


class SettingsError(TuistreamError):
    """An option, a URL or a key of the configuration that cannot be."""

    exit_code = 2


class SourceDown(TuistreamError):
    """A connection could not be made, or ended.

    `normal`: the producer said that it is done (close code 1000).
    `final`: trying again will not help (401, 403, 404, close code 1008).
    `retry_after`: seconds that the producer wants us to stay away, else None.
    `too_big`: a message over the limit, refused, is what ended it.
    `over`: there is nothing that could be connected to again (standard input has ended).
    """

    def __init__(
        self,
        reason: str,
        *,
        normal: bool = False,
        final: bool = False,
        retry_after: float | None = None,
        too_big: bool = False,
        over: bool = False,
    ) -> None:
        super().__init__(reason)
        self.normal = normal
        self.final = final
        self.retry_after = retry_after
        self.too_big = too_big
        self.over = over


class HubUnreachable(TuistreamError):
    """A message that its sender wanted to see on its way could not be sent to a hub."""


class RecordingError(TuistreamError):
    """A recording cannot be opened, read or written."""


class RecordingRefused(RecordingError):
    """The file is another program's, or of a layout that is newer than this program knows."""


class RecordingLocked(RecordingError):
    """Another process records into the file: its `pid`, and `since` when (ns since 1970 UTC), where that is known."""

    def __init__(self, path: str, pid: int | None, since: int | None = None) -> None:
        self.pid = pid
        self.since = since
        self.reason = f"recorded by pid {pid}" if pid else "recorded by another process"
        if since is not None:
            begun = datetime.fromtimestamp(since // 1_000_000_000).astimezone()
            self.reason += f" since {begun:%Y-%m-%d %H:%M:%S}"
        super().__init__(f"{path} is {self.reason}")


class Interrupted(Exception):
    """What was being read is not wanted any more. Not an error of anybody's: whoever interrupts expects it."""
