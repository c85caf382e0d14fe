"""`replay:FILE[?speed=…&since=…&until=…&streams=…]`: a recording as a feed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.sources.contract import FeedSettings, Target

if TYPE_CHECKING:
    from tuistream.core.session import Session
    from tuistream.core.status import FeedStatus
    from tuistream.sources.replay import Replay
    from tuistream.store.playback import Selection

BEGINS: Final = "replay:"
OPTIONS: Final = ("speed", "since", "until", "streams", "file")
SLOWEST, FASTEST = 0.1, 1_000.0


def url_of(files: Sequence[Path], options: dict[str, str]) -> str:
    """The target that means `files`, one after the other, with `options` (those of `OPTIONS` that are not empty)."""
    pairs = [("file", str(file)) for file in files[1:]] + [(name, text) for name, text in options.items() if text]
    query = "&".join(f"{name}={quote(text, safe='/:,+')}" for name, text in pairs)
    return f"{BEGINS}{files[0]}{'?' if query else ''}{query}"


def parse(target: str) -> Target:
    """A path, and what of it is to be replayed how. Raises SettingsError."""
    files, options = _parts(target)
    parse_speed(options.get("speed", "1"))
    names = [file.name for file in files]
    return Target(BEGINS + target[len(BEGINS) :], printable(names[0], 60), "recording")


def _parts(target: str) -> tuple[list[Path], dict[str, str]]:
    path, mark, query = target[len(BEGINS) :].rpartition("?")
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True) if mark else []
    if not pairs or Path(target[len(BEGINS) :]).exists():  # a file may be called so
        path, pairs = target[len(BEGINS) :], []
    for name, _ in pairs:
        if name not in OPTIONS:
            raise SettingsError(f"{printable(target)}: {printable(name)!r} is none of {', '.join(OPTIONS)}")
    if not path:
        raise SettingsError(f"{BEGINS}FILE is wanted")
    files = [Path(path), *(Path(text) for name, text in pairs if name == "file")]
    return files, {name: text for name, text in pairs if name != "file"}


def parse_speed(text: str) -> float:
    """How many times as fast as it was recorded; infinite for "max". Raises SettingsError."""
    if text.strip().lower() == "max":
        return math.inf
    try:
        speed = float(text.strip().rstrip("x"))
    except ValueError:
        speed = math.nan
    if not SLOWEST <= speed <= FASTEST:
        raise SettingsError(f"--speed {printable(text)!r}: {SLOWEST:g} to {FASTEST:,.0f}, or max, is wanted")
    return speed


def selection_of(files: Sequence[Path], options: dict[str, str], now: int) -> Selection:
    """What `since`, `until` and `streams` mean in these recordings. Raises SettingsError, RecordingError.

    Times without a day, and "-10m", go by the recording's last tick. now: ns since 1970 UTC.
    """
    from tuistream.core.moments import parse_moment
    from tuistream.store.playback import Selection, check_names
    from tuistream.store.reading import Reader
    from tuistream.store.segments import files_of

    found = tuple(files_of(files))
    names = tuple(name.strip() for name in options.get("streams", "").split(",") if name.strip())
    moments = {name: options[name] for name in ("since", "until") if options.get(name)}
    streams, last = [], None
    for path in found:
        with Reader(path) as reader:
            streams += list(reader.streams.values())
            span = reader.span() if moments else None
            last = span[1] if span is not None else last
    check_names(names, streams)
    times = {name: parse_moment(text, now, None, last, option=f"--{name}") for name, text in moments.items()}
    since, until = times.get("since"), times.get("until")
    if since is not None and until is not None and until <= since:
        raise SettingsError("--until: it is not after --since")
    return Selection(found, since, until, names)


def runner(session: Session, status: FeedStatus, settings: FeedSettings) -> Replay:
    """Raises SettingsError, RecordingError."""
    from tuistream.sources.replay import Replay

    files, options = _parts(settings.url)
    selection = selection_of(files, options, time.time_ns())
    return Replay(session, status, selection, parse_speed(options.get("speed", "1")))
