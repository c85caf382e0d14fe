"""What the user asked for, checked: targets and options become frozen settings, each error naming its option."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tuistream.core.errors import SettingsError
from tuistream.core.limits import MEMORY, WINDOW
from tuistream.core.text import printable, redact_url, secrets_of, without
from tuistream.decoders.contract import DecoderOptions

SCHEMES = ("ws", "wss")
MAX_FRAME = 16 << 20
COALESCE = 5_000_000
_SIZES = {"": 1, "b": 1, "kb": 1_000, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One feed: where it is, what to say to it, and how to read it. `name` is unique in a run."""

    name: str
    url: str
    decoder: str = "auto"
    decoding: DecoderOptions = field(default_factory=DecoderOptions)
    send: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    ca_file: str = ""
    compress: bool = False
    max_frame: int = MAX_FRAME
    coalesce: int = COALESCE  # ns
    attempts: tuple[int, float] | None = None
    secrets: tuple[str, ...] = ()

    @property
    def shown_url(self) -> str:
        return redact_url(self.url)


@dataclass(frozen=True, slots=True)
class FeedOptions:
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


@dataclass(frozen=True, slots=True)
class Settings:
    """A run: its feeds, its recording and its bounds. `db` is None where nothing is recorded."""

    feeds: tuple[FeedSettings, ...]
    db: Path | None = None
    sync: Literal["normal", "full"] = "normal"
    index_time: bool = False
    retries: int | None = None
    limit: int | None = None
    duration: int | None = None  # ns
    window: int = WINDOW
    memory: int = MEMORY


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
    headers, secrets = _headers(options)
    feeds: list[FeedSettings] = []
    for target in targets:
        url, name, decoder, send, attempts = _resolve(target, options)
        known = {feed.name for feed in feeds}
        unique = next(n for n in (name, *(f"{name}#{i}" for i in range(2, len(targets) + 2))) if n not in known)
        feeds.append(
            FeedSettings(
                name=unique,
                url=url,
                decoder=decoder,
                decoding=DecoderOptions(
                    options.time_field,
                    tuple(part.strip() for part in options.fields.split(",") if part.strip()),
                    options.key,
                    options.id,
                ),
                send=(*send, *options.send),
                headers=headers,
                subprotocols=options.subprotocols,
                ca_file=options.ca_file,
                compress=compress,
                max_frame=max_frame,
                coalesce=coalesce,
                attempts=attempts,
                secrets=(*secrets, *secrets_of(url)),
            )
        )
    return tuple(feeds)


def _resolve(target: str, options: FeedOptions) -> tuple[str, str, str, tuple[str, ...], tuple[int, float] | None]:
    """URL, name, decoder, messages and limit of connections of a target."""
    from tuistream import decoders

    scheme, colon, rest = target.partition(":")
    scheme = scheme.lower()
    if colon and not rest.startswith("//") and scheme in decoders.venues():
        endpoint = decoders.endpoint(scheme, rest, options.base_url or None)
        return endpoint.url, scheme, options.decoder or scheme, endpoint.send, endpoint.attempts
    if options.base_url:
        raise SettingsError(f"--base-url: for short names ({', '.join(decoders.venues())}) only")
    if scheme not in SCHEMES or not rest.startswith("//"):
        forms = ", ".join([*(f"{name}://…" for name in SCHEMES), *(f"{name}:…" for name in decoders.venues())])
        raise SettingsError(f"{redact_url(target)!r} is neither a command nor a feed; a feed is one of {forms}")
    url = f"{scheme}:{rest}"
    shown = redact_url(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError as error:  # UnicodeError, too
        raise SettingsError(f"{shown}: no such host can be: {without(str(error), secrets_of(url))}") from None
    if not host:
        raise SettingsError(f"{shown}: a host is missing")
    if port == 0:
        raise SettingsError(f"{shown}: nobody listens on port 0")
    if "#" in url:
        raise SettingsError(f"{shown}: a WebSocket URL has no #fragment")
    if any(c.isspace() or not c.isprintable() for c in url):
        raise SettingsError(f"{shown}: a URL has no spaces or control characters")
    address = f"[{host}]" if ":" in host else host
    name = printable((f"{address}:{port}" if port else address) + parts.path.rstrip("/"), 60)
    return url, name, options.decoder or "auto", (), None


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
        token = _clean(_from_file(options.bearer, "--bearer"), "--bearer")
        headers.append(("Authorization", f"Bearer {token}"))
        secrets.append(token)
    if options.basic:
        login = _clean(_from_file(options.basic, "--basic"), "--basic")
        if ":" not in login:
            raise SettingsError("--basic: 'user:password' is wanted")
        headers.append(("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}"))
        secrets.append(login.partition(":")[2])
    return tuple(headers), tuple(secret for secret in secrets if secret)


def _clean(value: str, option: str) -> str:
    if not value.isprintable():
        raise SettingsError(f"{option}: a control character in it")
    return value


def _from_file(value: str, option: str) -> str:
    """The value itself, or with a leading @ the first line of that file, so that no secret shows in `ps`."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{option} {value}: {error}") from error


def parse_size(text: str, option: str) -> int:
    """Bytes of "4096", "500kB", "1.5GB", "16MiB". Raises SettingsError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b?)\s*", text, re.IGNORECASE)
    unit = match[2].lower() if match else ""
    unit = unit if unit in _SIZES else unit + "b"
    if match is None or unit not in _SIZES:
        raise SettingsError(f"{option} {text!r}: a size such as 500kB, 16MB or 1GB is wanted")
    return int(float(match[1]) * _SIZES[unit])
