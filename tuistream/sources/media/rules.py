"""`--allow-media`: patterns of what may be opened without being asked for. Nothing here opens anything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.sources.media import names
from tuistream.sources.media.names import PORTS, Named, NotOpened

OPTION: Final = "--allow-media"
ANY: Final = "*"
STAND_IN: Final = "0any0"  # for it in a host


class UrlPattern(msgspec.Struct, frozen=True):
    """scheme, port ("*" for any) and host, in which `*` stays within a label. rest: path and query, as a whole."""

    scheme: str
    host: str
    port: str
    rest: str

    def matches(self, name: str) -> bool:
        """Whether a URL in its one spelling is covered."""
        parts = urlsplit(name)
        port = str(parts.port or PORTS[parts.scheme])
        host = parts.hostname or ""
        own, wanted = host.split("."), self.host.split(".")
        rest = name.partition("://")[2]
        return (
            parts.scheme == self.scheme
            and self.port in (port, ANY)
            and len(own) == len(wanted)
            and all(glob(pattern, label) for pattern, label in zip(wanted, own, strict=True))
            and glob(self.rest, rest[rest.index("/") :])
        )


class PathPattern(msgspec.Struct, frozen=True):
    """written: absolute. real: the same with the symbolic links in front of its first `*` resolved."""

    written: str
    real: str


class Rules:
    """What may be opened. Raises SettingsError for a pattern that cannot be.

    A pattern with `://` is for URLs, any other for paths; `*` stands for any characters, `/` among them. Scheme and
    port of a URL are the pattern's; in its host `*` stays within one label; how the host is resolved does not matter,
    and an address that it has is not covered by its name. Of a file the real path must match, after all symbolic
    links, and so must the one that the message names.
    """

    def __init__(self, patterns: Sequence[str] = (), where: str = OPTION) -> None:
        """where: what the user calls them."""
        self._urls = [_url_pattern(pattern, where) for pattern in patterns if _is_url(pattern)]
        self._paths = [_path_pattern(pattern, where) for pattern in patterns if not _is_url(pattern)]

    def allow(self, name: Named) -> bool:
        """Whether that may be opened. Of a file only what is written is looked at; `allow_real` decides."""
        if name.kind == "url":
            return name.plain and any(pattern.matches(name.name) for pattern in self._urls)
        return any(glob(path.written, name.name) or glob(path.real, name.name) for path in self._paths)

    def allow_real(self, path: str) -> bool:
        """Whether the file may be opened whose real path that is."""
        return any(glob(pattern.real, path) for pattern in self._paths)


def glob(pattern: str, text: str) -> bool:
    """Whether the text is the pattern with characters, or none, for each `*`. Takes time in proportion to both."""
    first, *others = pattern.split(ANY)
    if not others:
        return pattern == text
    *middle, last = others
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _is_url(pattern: str) -> bool:
    return "://" in pattern and not pattern.lower().startswith("file://")


def _url_pattern(pattern: str, where: str) -> UrlPattern:
    scheme, _, place = pattern.partition("://")
    authority, _, rest = place.partition("/")
    host, colon, port = authority.partition(":") if "]" not in authority else _of_ipv6(authority)
    scheme = scheme.lower()
    shown = f"{where} {printable(pattern, 200)!r}"
    if scheme not in PORTS:
        raise SettingsError(f"{shown}: a path, http://…, https://… or rtsp://… is wanted")
    if not host or any(char in authority for char in "@?#\\") or (colon and not (port == ANY or port.isdecimal())):
        raise SettingsError(f"{shown}: a host is wanted behind {scheme}://, and perhaps a port")
    if ANY in host and not host.isascii():
        raise SettingsError(f"{shown}: a host with * in it is wanted in ASCII (xn--…)")
    try:
        # Letters in place of each *, so that a host is checked and spelled as one of a URL is.
        spelled = names.host_of(urlsplit(f"{scheme}://{host.replace(ANY, STAND_IN)}")).replace(STAND_IN, ANY)
    except (NotOpened, ValueError):
        raise SettingsError(f"{shown}: no such host can be") from None
    return UrlPattern(scheme, spelled.strip("[]"), port or str(PORTS[scheme]), _spelled_rest(f"/{rest}"))


def _of_ipv6(authority: str) -> tuple[str, str, str]:
    address, _, rest = authority.partition("]")
    return f"{address}]", rest[:1], rest[1:]


def _spelled_rest(rest: str) -> str:
    path, question, query = rest.partition("?")
    return names.escaped(path, names.KEPT) + question + names.escaped(query, f"{names.KEPT}?")


def _path_pattern(pattern: str, where: str) -> PathPattern:
    if not pattern or "\0" in pattern:
        raise SettingsError(f"{where} {printable(pattern)!r}: a path or a URL is wanted")
    text = pattern[len("file://") :] if pattern.lower().startswith("file://") else pattern
    written = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111
    fixed, star, rest = written.partition(ANY)
    folder, last = os.path.split(fixed)
    real = os.path.join(os.path.realpath(folder), last) if star else os.path.realpath(written)  # noqa: PTH118
    return PathPattern(written, real + star + rest)
