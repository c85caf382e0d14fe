"""What a program without a screen says on standard error: lines of text, or a JSON object a line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.cli.output import Lines
    from tuistream.core.status import Event

LINE_LENGTH: Final = 2_000  # characters of a text, at most
FORMATS: Final = ("text", "json")


class Level(IntEnum):
    """Priorities of syslog (RFC 5424, 6.2.1), which journald takes at the beginning of a line as `<4>`."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


# Of kinds of events; what is not named here is a notice.
_LEVELS: Final = {
    "open": Level.INFO,
    "live": Level.INFO,
    "close": Level.WARNING,
    "retry": Level.WARNING,
    "stale": Level.WARNING,
    "gap": Level.WARNING,
    "lost": Level.ERROR,
    "recording": Level.WARNING,
}


class Log:
    """Writes through `lines`. form: "text" or "json". clock: ns since 1970 UTC.

    A line of JSON has `time` (UTC), `level`, `event` and `text`, and where they are known `feed`, `stream`, `kind`
    and `details`. No line has a control character in it, in whichever form.
    """

    def __init__(self, lines: Lines, form: str, clock: Callable[[], int], *, clear: str = "") -> None:
        """clear: what a line of text must begin with where it is to stand instead of another."""
        self._lines = lines
        self._json = form == "json"
        self._clock = clock
        self._clear = clear
        self._priorities = lines.to_journal

    @property
    def structured(self) -> bool:
        return self._json

    def say(self, level: Level, event: str, text: str, fields: Mapping[str, Any] | None = None) -> None:
        """`text` in a line; in JSON with `fields`."""
        if self._json:
            self._write(level, _object(self._clock(), level, event, text, fields or {}))
        else:
            self._write(level, self._clear + printable(text, LINE_LENGTH))

    def event(self, event: Event) -> None:
        """What happened to a feed, a stream or the recording."""
        level = _LEVELS.get(event.kind, Level.NOTICE)
        if not self._json:
            now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._clock() // 1_000_000_000))
            self.say(level, event.kind, f"{now}  {event.feed}  {event.kind}: {event.text}")
            return
        fields: dict[str, Any] = {"feed": event.feed} if event.feed else {}
        if event.stream is not None:
            fields |= {"stream": event.stream[1], "kind": event.stream[2]}
        self.say(level, event.kind, event.text, fields | ({"details": event.details} if event.details else {}))

    def _write(self, level: Level, line: str) -> None:
        self._lines.write(f"<{level.value}>{line}\n" if self._priorities else f"{line}\n")


def _object(now: int, level: Level, event: str, text: str, fields: Mapping[str, Any]) -> str:
    seconds, rest = divmod(now, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    head = {"time": f"{moment}.{rest // 1_000_000:03d}Z", "level": level.name.lower(), "event": event, "text": text}
    # Beyond ASCII all is escaped, so that what a journal or a collector does to it cannot matter.
    return json.dumps(_clean(head | dict(fields)), ensure_ascii=True, allow_nan=False)


def _clean(value: Any) -> Any:
    """`value` without a character that is no glyph, and without a number that JSON does not have."""
    if isinstance(value, str):
        return printable(value, LINE_LENGTH)
    if isinstance(value, Mapping):
        return {printable(str(name)): _clean(each) for name, each in value.items()}
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
