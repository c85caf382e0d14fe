"""`tuistream.toml`: feeds, listeners and choices in a file. Flags beat the environment, and that beats the file.

Everything in it is checked when it is read: an error names the file, the key, the value and what is allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

from tuistream.config import (
    FeedOptions,
    FeedSettings,
    feed_settings,
    parse_keep_rollups,
    parse_place,
    parse_retention,
    parse_rotation,
    parse_size,
)
from tuistream.core.durations import parse_duration
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable, redact_url
from tuistream.sources import forms
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.options import HubOptions, limits_of
from tuistream.sources.media.rules import Rules

MOST_BYTES: Final = 1 << 20
# A file that merely lies in the current directory may have come with somebody's archive: it starts no program.
STARTS_PROGRAMS: Final = ("exec:", "python:")

Words = list[str]
Bound = str | int | float | None  # of a listener, as users write it
Fps = Annotated[int, msgspec.Meta(ge=1, le=60)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Length = Annotated[int, msgspec.Meta(ge=2, le=100_000)]


@dataclass(frozen=True)
class RecordingSection:
    """[recording]"""

    record: bool | None = None
    db: str | None = None
    sync: Literal["normal", "full"] | None = None
    index_time: bool | None = None
    rotate: str | None = None
    retention: str | None = None
    keep_rollups: str | None = None
    record_media: bool | None = None
    retries: Count | None = None


@dataclass(frozen=True)
class ScreenSection:
    """[screen]"""

    fps: Fps | None = None
    budget: str | None = None
    glyphs: Literal["braille", "blocks", "ascii"] | None = None
    pictures: Literal["auto", "kitty", "sixel", "cells"] | None = None
    theme: str | None = None
    averages: Annotated[list[Length], msgspec.Meta(min_length=1, max_length=4)] | None = None
    window: Length | None = None
    memory: str | None = None
    allow_media: Words | None = None


@dataclass(frozen=True)
class HeadlessSection:
    """[headless]"""

    log_format: Literal["text", "json"] | None = None
    status_port: Port | str | None = None
    down_after: str | None = None


@dataclass(frozen=True)
class FeedSection:
    """[[feeds]]"""

    url: str
    name: str = ""
    send: Words = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    bearer: str = ""
    bearer_env: str = ""
    basic: str = ""
    basic_env: str = ""
    subprotocols: Words = field(default_factory=list)
    ca_file: str = ""
    decoder: str = ""
    time_field: str = ""
    fields: Words = field(default_factory=list)
    key: str = ""
    id: str = ""
    base_url: str = ""
    compress: bool = False
    max_frame: str = "16MB"
    coalesce: str = "5ms"

    def settings(self) -> FeedSettings:
        """Raises SettingsError."""
        options = FeedOptions(
            send=tuple(self.send),
            headers=tuple(f"{name}: {value}" for name, value in self.headers.items()),
            bearer=secret(self.bearer, self.bearer_env, "bearer_env"),
            basic=secret(self.basic, self.basic_env, "basic_env"),
            subprotocols=tuple(self.subprotocols),
            ca_file=self.ca_file,
            decoder=self.decoder,
            time_field=self.time_field,
            fields=",".join(self.fields),
            key=self.key,
            id=self.id,
            base_url=self.base_url,
        )
        (settings,) = feed_settings(
            [self.url],
            options,
            compress=self.compress,
            max_frame=parse_size(self.max_frame, "max_frame"),
            coalesce=parse_duration(self.coalesce, "coalesce"),
        )
        return replace(settings, name=self.name or settings.name)


@dataclass(frozen=True)
class ListenSection:
    """[[listen]]"""

    url: str
    name: str = ""
    password: str = ""
    password_env: str = ""
    no_auth: bool = False
    allow: Words = field(default_factory=list)
    tls_cert: str = ""
    tls_key: str = ""
    compat_200: bool = False
    max_frame: Bound = None
    max_large: Bound = None
    max_pending: Bound = None
    max_connections: Bound = None
    max_rate: Bound = None
    max_streams: Bound = None
    max_name: Bound = None
    idle: Bound = None

    def limits(self) -> HubLimits:
        """Raises SettingsError."""
        return limits_of(vars(self), lambda limit: limit.key, HubLimits())

    def settings(self) -> FeedSettings:
        """Raises SettingsError."""
        (settings,) = feed_settings([self.url], FeedOptions())
        options = HubOptions(
            secret(self.password, self.password_env, "password_env"),
            tuple(self.allow),
            self.no_auth,
            self.tls_cert,
            self.tls_key,
            self.compat_200,
            self.limits(),
        )
        return replace(settings, name=self.name or settings.name, hub=options)


@dataclass(frozen=True)
class PanelSection:
    """[[panels]]"""

    stream: str
    title: str = ""
    range: str = ""
    averages: Literal["off", "sma", "ema", "both"] | None = None
    chart: str | None = None
    scale: Literal["auto", "sticky", "fixed"] | None = None
    log: bool | None = None


@dataclass(frozen=True)
class ConfigFile:
    """What a file says. path: where it is; named: whether the user named it, or it was found."""

    path: Path
    named: bool
    recording: RecordingSection = field(default_factory=RecordingSection)
    screen: ScreenSection = field(default_factory=ScreenSection)
    headless: HeadlessSection = field(default_factory=HeadlessSection)
    feeds: tuple[FeedSection, ...] = ()
    listen: tuple[ListenSection, ...] = ()
    panels: tuple[PanelSection, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def feed_settings(self) -> tuple[FeedSettings, ...]:
        """The feeds and listeners in the order of the file, their names made unique. Raises SettingsError."""
        found: dict[str, FeedSettings] = {}
        sections: list[tuple[str, FeedSection | ListenSection]] = [
            *((f"feeds[{index}]", feed) for index, feed in enumerate(self.feeds)),
            *((f"listen[{index}]", listener) for index, listener in enumerate(self.listen)),
        ]
        for where, section in sections:
            try:
                settings = section.settings()
            except SettingsError as error:
                raise SettingsError(f"{self.path}: {where}: {error}") from error
            name = settings.name
            while settings.name in found:
                settings = replace(settings, name=f"{name}#{len(found) + 1}")
            found[settings.name] = settings
        return tuple(found.values())

    def options(self) -> dict[str, Any]:
        """What it says of options of commands, by the names of their parameters."""
        recording, screen, headless = self.recording, self.screen, self.headless
        given = {
            "no_record": None if recording.record is None else not recording.record,
            "db": str(Path(recording.db).expanduser()) if recording.db else None,
            "sync": recording.sync,
            "index_time": recording.index_time,
            "rotate": recording.rotate,
            "retention": recording.retention,
            "keep_rollups": recording.keep_rollups,
            "record_media": recording.record_media,
            "retries": recording.retries,
            "fps": screen.fps,
            "budget": screen.budget,
            "glyphs": screen.glyphs,
            "pictures": screen.pictures,
            "theme": screen.theme,
            "averages": None if screen.averages is None else ",".join(map(str, screen.averages)),
            "window": screen.window,
            "memory": screen.memory,
            "allow_media": screen.allow_media,
            "log_format": headless.log_format,
            "status_port": None if headless.status_port is None else str(headless.status_port),
            "down_after": headless.down_after,
        }
        return {name: value for name, value in given.items() if value is not None}


_TABLES: Final = {"recording": RecordingSection, "screen": ScreenSection, "headless": HeadlessSection}
_LISTS: Final = {"feeds": FeedSection, "listen": ListenSection, "panels": PanelSection}


def secret(value: str, variable: str, where: str) -> str:
    """The value itself, or that of an environment variable. Raises SettingsError where that is not set."""
    found = os.environ.get(variable, "") if variable else value
    if variable and not found:
        raise SettingsError(f"{where} = {printable(variable)}: this environment variable is not set")
    return found


def load(path: Path, named: bool) -> ConfigFile:
    """Read and check a file. Raises SettingsError, which tells every error in it, a line each."""
    errors: list[str] = []
    config = _checked(path, named, _parsed(path), errors)
    if errors:
        raise SettingsError("\n".join(f"{path}: {error}" for error in errors))
    return config


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise SettingsError(f"{path}: over {MOST_BYTES:,} bytes")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {printable(str(error))}") from None


def _checked(path: Path, named: bool, data: dict[str, Any], errors: list[str]) -> ConfigFile:
    known = [*_TABLES, *_LISTS, "keys"]
    errors += [_unknown(name, name, known) for name in data if name not in known]
    found: dict[str, Any] = {}
    for name, kind in _TABLES.items():
        if name in data:
            found[name] = _section(kind, data[name], name, errors)
    for name, kind in _LISTS.items():
        entries = data.get(name, [])
        if not isinstance(entries, list):
            errors.append(f"{name}: [[{name}]] is wanted, a table for each")
            continue
        sections = [_section(kind, entry, f"{name}[{i}]", errors) for i, entry in enumerate(entries)]
        found[name] = tuple(section for section in sections if section is not None)
    found["keys"] = _keys(data.get("keys", {}), errors)
    config = ConfigFile(path, named, **{name: value for name, value in found.items() if value is not None})
    _check_values(config, errors)
    return _with_warnings(config)


def _section(kind: Any, data: object, where: str, errors: list[str]) -> Any:
    """The section, or None where there is an error in it."""
    if not isinstance(data, dict):
        errors.append(f"{where}: a table is wanted, not {_shown(data)}")
        return None
    types = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    before = len(errors)
    for name, value in data.items():
        if name not in types:
            errors.append(_unknown(f"{where}.{name}", name, list(types)))
            continue
        try:
            values[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            said = str(error).replace(" | null", "").replace(" | None", "")
            errors.append(f"{where}.{name} = {_shown(value)}: {printable(said)}{_choices(types[name])}")
    errors += [f"{where}: {name} is missing" for name in ("url", "stream") if name in types and name not in data]
    return kind(**values) if len(errors) == before else None


def _choices(kind: Any) -> str:
    """The words that are allowed, where only some are."""
    words = [word for each in (kind, *get_args(kind)) if get_origin(each) is Literal for word in get_args(each)]
    return f"; allowed are {', '.join(words)}" if words else ""


def _keys(data: object, errors: list[str]) -> dict[str, tuple[str, ...]]:
    """By command, its keys. Which commands there are is known where the screen is."""
    if not isinstance(data, dict):
        errors.append("keys: a table is wanted")
        return {}
    keys: dict[str, tuple[str, ...]] = {}
    for command, value in data.items():
        words = [value] if isinstance(value, str) else value
        if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
            keys[command] = tuple(words)
        else:
            errors.append(f"keys.{printable(command)} = {_shown(value)}: a key or a list of keys is wanted")
    return keys


def _check_values(config: ConfigFile, errors: list[str]) -> None:
    parsers = {"rotate": parse_rotation, "retention": parse_retention, "keep_rollups": parse_keep_rollups}
    for name, parse in parsers.items():
        text = getattr(config.recording, name)
        if text is not None:
            _noted(errors, parse, text, f"recording.{name}")
    for name in ("budget", "memory"):
        text = getattr(config.screen, name)
        if text is not None:
            _noted(errors, parse_size, text.removesuffix("/s"), f"screen.{name}")
    if (port := config.headless.status_port) is not None:
        _noted(errors, parse_place, str(port), "headless.status_port")
    if (down_after := config.headless.down_after) is not None:
        _noted(errors, parse_duration, down_after, "headless.down_after")
    try:
        Rules(config.screen.allow_media or (), "screen.allow_media")
    except SettingsError as error:
        errors.append(str(error))
    for index, feed in enumerate(config.feeds):
        where = f"feeds[{index}]"
        _noted(errors, parse_size, feed.max_frame, f"{where}.max_frame")
        _noted(errors, parse_duration, feed.coalesce, f"{where}.coalesce")
        if feed.url.startswith("listen+"):
            errors.append(f"{where}.url = {_shown(feed.url)}: a listener belongs into [[listen]]")
        if feed.url.lower().startswith(STARTS_PROGRAMS) and not config.named and config.path.parent == Path():
            errors.append(
                f"{where}.url = {_shown(feed.url)}: a file that is found in the current directory starts no program; "
                f"name it: --config {config.path}"
            )
        errors += [
            f"{where}: {name} and {name}_env exclude each other"
            for name in ("bearer", "basic")
            if getattr(feed, name) and getattr(feed, f"{name}_env")
        ]
    for index, listener in enumerate(config.listen):
        try:
            listener.limits()
        except SettingsError as error:
            errors.append(f"listen[{index}].{error}")
        begins = [form for form in forms() if form.startswith("listen+")]
        if not listener.url.lower().startswith(tuple(begins)):
            allowed = ", ".join(begins) or "none in this version"
            errors.append(f"listen[{index}].url = {_shown(listener.url)}: one of {allowed} is wanted")


def _noted(errors: list[str], check: Any, text: str, where: str) -> None:
    try:
        check(text, where)
    except SettingsError as error:
        errors.append(str(error))


def _with_warnings(config: ConfigFile) -> ConfigFile:
    """A file with a secret in it that others can read is one to be warned of."""
    secret = [name for name in ("bearer", "basic") for feed in config.feeds if getattr(feed, name)]
    secret += ["password" for listener in config.listen if listener.password]
    if not secret or os.name != "posix" or not config.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return config
    text = f"{config.path}: holds a {secret[0]}, and others can read it: chmod 600 {config.path}"
    return dataclasses.replace(config, warnings=(text,))  # noqa: TID251


def _unknown(where: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
    return f"{printable(where)} is not known{hint}"


def _shown(value: object) -> str:
    return f'"{printable(redact_url(value), 80)}"' if isinstance(value, str) else printable(repr(value), 80)
