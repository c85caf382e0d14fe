"""What the user asked for, checked: targets and options become frozen settings, each error naming its option."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from tuistream.core.durations import UNITS, parse_duration
from tuistream.core.errors import SettingsError
from tuistream.core.limits import MEMORY, WINDOW
from tuistream.core.sizes import parse_size as parse_size
from tuistream.core.text import printable, redact_url, secrets_of
from tuistream.decoders.contract import DecoderOptions
from tuistream.sources.contract import COALESCE, MAX_FRAME, Target
from tuistream.sources.contract import FeedSettings as FeedSettings

if TYPE_CHECKING:
    from tuistream.store.rotation import Retention, Rotation

FILE_NAME = "tuistream.toml"
LEAST_ROTATION = UNITS["s"]
LEAST_FILE = 1_000_000  # bytes: a recording with hardly a tick in it has 60,000


class FeedOptions(msgspec.Struct, frozen=True):
    """The options of one feed, as typed; refused where several feeds are given."""

    send: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    bearer: str = ""
    basic: str = ""
    subprotocols: tuple[str, ...] = ()
    ca_file: str = ""
    decoder: str = ""
    time_field: str = ""
    fields: str = ""
    key: str = ""
    id: str = ""
    base_url: str = ""

    def given(self) -> list[str]:
        """The options that were given, as the user types them."""
        names = {
            "--send": self.send,
            "--header": self.headers,
            "--bearer": self.bearer,
            "--basic": self.basic,
            "--subprotocol": self.subprotocols,
            "--ca-file": self.ca_file,
            "--decoder": self.decoder,
            "--time-field": self.time_field,
            "--fields": self.fields,
            "--key": self.key,
            "--id": self.id,
            "--base-url": self.base_url,
        }
        return [name for name, value in names.items() if value]


class Settings(msgspec.Struct, frozen=True):
    """A run: its feeds, its recording and its bounds. `db` is None where nothing is recorded."""

    feeds: tuple[FeedSettings, ...]
    db: Path | None = None
    sync: Literal["normal", "full"] = "normal"
    index_time: bool = False
    record_media: bool = False
    rotation: Rotation | None = None
    retention: Retention | None = None
    retries: int | None = None
    limit: int | None = None
    duration: int | None = None  # ns
    window: int = WINDOW
    memory: int = MEMORY


class Place(NamedTuple):
    """Where to listen. port: 0 for a free one."""

    host: str
    port: int


def find_file(named: str | None) -> Path | None:
    """The configuration file in force: the one named, else `tuistream.toml` here, else the user's own."""
    if named:
        return Path(named)
    here, home = Path(FILE_NAME), home_file()
    return here if here.is_file() else home if home.is_file() else None


def home_file() -> Path:
    """Where a user's own configuration file is."""
    import platformdirs

    return Path(platformdirs.user_config_dir("tuistream", appauthor=False)) / FILE_NAME


def feed_settings(
    targets: Sequence[str],
    options: FeedOptions,
    *,
    compress: bool = False,
    max_frame: int = MAX_FRAME,
    coalesce: int = COALESCE,
) -> tuple[FeedSettings, ...]:
    """The feeds that `targets` (URLs and short names) and `options` mean. Raises SettingsError."""
    if len(targets) > 1 and (given := options.given()):
        raise SettingsError(f"{', '.join(given)}: for one feed only, and {len(targets)} are given; start them apart")
    if len(targets) > 1 and (replay := next((t for t in targets if t.lower().startswith("replay:")), "")):
        raise SettingsError(f"{printable(replay)}: a replay stands alone, as the clock goes by it; start it apart")
    headers, secrets = _headers(options)
    feeds: list[FeedSettings] = []
    for target in targets:
        found, after_login = _resolve(target, options)
        known, name = {feed.name for feed in feeds}, found.name
        unique = next(n for n in (name, *(f"{name}#{i}" for i in range(2, len(targets) + 2))) if n not in known)
        feeds.append(
            FeedSettings(
                name=unique,
                url=found.url,
                decoder=options.decoder or found.decoder,
                decoding=DecoderOptions(
                    options.time_field,
                    tuple(part.strip() for part in options.fields.split(",") if part.strip()),
                    options.key,
                    options.id,
                    after_login,
                ),
                send=(*found.send, *options.send),
                headers=headers,
                subprotocols=options.subprotocols,
                ca_file=options.ca_file,
                compress=compress,
                max_frame=max_frame,
                coalesce=coalesce,
                attempts=found.attempts,
                secrets=(*secrets, *found.secrets),
            )
        )
    return tuple(feeds)


def _resolve(target: str, options: FeedOptions) -> tuple[Target, tuple[str, ...]]:
    """What a target means, and what to send once a venue has let us in."""
    from tuistream import decoders, sources

    scheme, colon, rest = target.partition(":")
    scheme = scheme.lower()
    if colon and not rest.startswith("//") and scheme in decoders.venues():
        end = decoders.endpoint(scheme, rest, options.base_url or None)
        secrets = (*end.secrets, *secrets_of(end.url))
        return Target(end.url, scheme, scheme, end.send, end.attempts, secrets), end.after_login
    if options.base_url:
        raise SettingsError(f"--base-url: for short names ({', '.join(decoders.venues())}) only")
    begins = sources.forms()
    if not any(target.lower().startswith(begin) for begin in begins if begin != sources.STANDARD_INPUT) and (
        target != sources.STANDARD_INPUT
    ):
        forms = ", ".join([*(f"{begin}…" for begin in begins), *(f"{name}:…" for name in decoders.venues())])
        raise SettingsError(f"{redact_url(target)!r} is neither a command nor a feed; a feed is one of {forms}")
    return sources.parse(target), ()


def _headers(options: FeedOptions) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    headers: list[tuple[str, str]] = []
    secrets: list[str] = []
    for line in options.headers:
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
            raise SettingsError("--header: 'Name: value' is wanted")
        headers.append((name.strip(), _clean(value.strip(), "--header")))
        secrets.append(value.strip())
    if options.bearer and options.basic:
        raise SettingsError("--bearer and --basic exclude each other")
    if options.bearer:
        token = _clean(from_file(options.bearer, "--bearer"), "--bearer")
        headers.append(("Authorization", f"Bearer {token}"))
        secrets.append(token)
    if options.basic:
        login = _clean(from_file(options.basic, "--basic"), "--basic")
        if ":" not in login:
            raise SettingsError("--basic: 'user:password' is wanted")
        headers.append(("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}"))
        secrets.append(login.partition(":")[2])
    return tuple(headers), tuple(secret for secret in secrets if secret)


def _clean(value: str, option: str) -> str:
    if not value.isprintable():
        raise SettingsError(f"{option}: a control character in it")
    return value


def from_file(value: str, option: str) -> str:
    """The value itself, or with a leading @ the first line of that file, so that no secret shows in `ps`."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{option} {value}: {error}") from error


def parse_place(text: str, option: str) -> Place:
    """`PORT`, `HOST:PORT` or `[ADDRESS]:PORT`; this machine alone unless a host is given. Raises SettingsError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else "127.0.0.1"
    if not host or not (port.isascii() and port.isdigit() and int(port[:6]) <= 65_535):
        raise SettingsError(f"{option} {printable(text)!r}: PORT or HOST:PORT is wanted")
    return Place(host, int(port))


def parse_rotation(text: str, option: str) -> Rotation:
    """What "1d", "1h" (UTC) or "1GB" says of when a recording goes on in a new file. Raises SettingsError."""
    from tuistream.store.rotation import Rotation

    every, size = _time_or_size(text, option, "1d, 1h or 1GB")
    if (every and every < LEAST_ROTATION) or (size and size < LEAST_FILE):
        raise SettingsError(f"{option} {text!r}: at least 1s or {LEAST_FILE // 10**6}MB is wanted")
    return Rotation(every, size)


def parse_retention(text: str, option: str) -> Retention:
    """What "30d" or "50GB" says of how much of a recording is kept. Raises SettingsError."""
    from tuistream.store.rotation import Retention

    age, size = _time_or_size(text, option, "30d or 50GB")
    return Retention(age, size)


def parse_keep_rollups(text: str, option: str) -> int:
    """Nanoseconds of "1y" (365 days), "90d" …, or of "forever". Raises SettingsError."""
    from tuistream.store.rotation import FOREVER

    typed = text.strip()
    if typed == "forever":
        return FOREVER
    years = re.fullmatch(r"(\d{1,3})y", typed)
    time = int(years[1]) * 365 * UNITS["d"] if years else 0
    if not years and not typed[-1:].isdigit():
        with contextlib.suppress(SettingsError):
            time = parse_duration(typed, option)
    if time <= 0:
        raise SettingsError(f"{option} {text!r}: a time such as 1y or 90d, or forever, is wanted")
    return time


def _time_or_size(text: str, option: str, such_as: str) -> tuple[int, int]:
    """Nanoseconds, else 0; bytes, else 0. A number alone could be either, and is refused."""
    typed = text.strip()
    size = re.fullmatch(r"[\d.]+\s*([kmg]i?)?b", typed, re.IGNORECASE)
    try:
        found = (0, parse_size(typed, option)) if size else (parse_duration(typed, option), 0)
    except SettingsError:
        found = (0, 0)
    if not any(found) or typed[-1:].isdigit():
        raise SettingsError(f"{option} {text!r}: a time or a size such as {such_as} is wanted")
    return found
