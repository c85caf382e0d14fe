"""What a Socket.IO URL says: where, which namespace and events, what to emit, and how to log in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable, redact_url, secrets_of
from tuistream.sources.urls import checked

SCHEME = "socketio+"
PATH = "socket.io"
TRANSPORTS = ("polling", "websocket")
VERSIONS = ("3", "4")
_ONCE = ("namespace", "auth", "transport", "eio")
_OWN = (*_ONCE, "event", "emit", "args")


@dataclass(frozen=True, slots=True)
class Emit:
    """An event that is sent on every connect."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """target: as the user typed it, checked. url: scheme, host, port and the query that is the server's.

    name: for the feed. path: of the Engine.IO endpoint. events: those that are wanted, all if there are none.
    transports: those that may be used. version: of Engine.IO, 0 where it is to be found out.
    """

    target: str
    url: str
    name: str
    path: str
    namespace: str
    events: tuple[str, ...]
    emits: tuple[Emit, ...]
    auth: dict[str, Any]
    transports: tuple[str, ...]
    version: int
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, target: str) -> Options:
        """The options in a URL such as "socketio+http://host:5000/?event=sin_wave". Raises SettingsError."""
        checked_target, address, path = checked(target)
        shown = redact_url(checked_target)
        if "#" in checked_target:
            raise SettingsError(f"{shown}: a Socket.IO URL has no #fragment")
        parts = urlsplit(checked_target.removeprefix(SCHEME))
        query = parse_qsl(parts.query, keep_blank_values=True)
        said = _said_once(query, shown)
        auth = _auth(said.get("auth", ""), shown)
        namespace = "/" + said.get("namespace", "").strip("/")
        if "," in namespace or "?" in namespace:
            raise SettingsError(f"{shown}: namespace= has no comma and no question mark")
        url = parts._replace(path="", query=urlencode([pair for pair in query if pair[0] not in _OWN])).geturl()
        emits = tuple(_emits(query, shown))
        secrets = [*secrets_of(checked_target), *_texts(auth)]
        return cls(
            checked_target,
            url,
            printable(address + namespace.rstrip("/"), 60),
            path.strip("/") or PATH,
            namespace,
            tuple(value for key, value in query if key == "event" and value),
            emits,
            auth,
            _transports(said.get("transport", ""), shown),
            _version(said.get("eio", ""), shown),
            tuple(dict.fromkeys(secrets)),
        )


def _said_once(query: list[tuple[str, str]], shown: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for key, value in query:
        if key in _ONCE and key in said:
            raise SettingsError(f"{shown}: {key}= is there twice")
        said[key] = value
    return said


def _emits(query: list[tuple[str, str]], shown: str) -> Iterator[Emit]:
    """Each emit= with the args= behind it: a list is the arguments, anything else is the only one."""
    name = ""
    for key, value in query:
        if key == "emit":
            if not value:
                raise SettingsError(f"{shown}: emit= lacks the event's name")
            if name:
                yield Emit(name)
            name = value
        elif key == "args":
            if not name:
                raise SettingsError(f"{shown}: each args= belongs behind an emit=")
            arguments = _json(value, "args", shown)
            yield Emit(name, tuple(arguments) if isinstance(arguments, list) else (arguments,))
            name = ""
    if name:
        yield Emit(name)


def _auth(value: str, shown: str) -> dict[str, Any]:
    """An object as it is; a word is a token."""
    if not value:
        return {}
    if not value.lstrip().startswith("{"):
        return {"token": value}
    auth = _json(value, "auth", shown)
    assert isinstance(auth, dict)
    return auth


def _json(value: str, key: str, shown: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        # The error of the library would show the text, which may be a secret.
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise SettingsError(f"{shown}: {key}= is no JSON{where}") from None


def _transports(value: str, shown: str) -> tuple[str, ...]:
    if value and value not in TRANSPORTS:
        raise SettingsError(f"{shown}: transport={printable(value, 40)}: {' or '.join(TRANSPORTS)} is wanted")
    return (value,) if value else TRANSPORTS


def _version(value: str, shown: str) -> int:
    if value and value not in VERSIONS:
        raise SettingsError(f"{shown}: eio={printable(value, 40)}: {' or '.join(VERSIONS)} is wanted")
    return int(value or 0)


def _texts(value: object) -> Iterator[str]:
    """The texts in a JSON value."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
