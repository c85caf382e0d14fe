"""What a message names as a picture or a video: a file or a URL, spelled in one way. Nothing here touches either.

Spelling of URLs: RFC 3986, sections 3 and 6.2.2.
"""

from __future__ import annotations

import os
import re
from typing import Final, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

from tuistream.core.errors import TuistreamError
from tuistream.core.text import printable

MAX_ADDRESS: Final = 4_096  # characters of a path or a URL
PORTS: Final = {"http": 80, "https": 443, "rtsp": 554}
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE | re.ASCII)  # a letter alone is a drive
_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", re.ASCII)
_ADDRESS_6: Final = re.compile(r"[0-9a-f:.]+", re.ASCII)
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
KEPT: Final = "/%:@!$&'()*+,;=~-._"  # in a path; a query may have ? besides
_DECODINGS: Final = 4  # of a path, after which it can hide nothing more


class NotOpened(TuistreamError):
    """What a message names was not opened; the text says what and why, in a line without control characters."""


class Named(msgspec.Struct, frozen=True):
    """A file by its absolute path, or an http, https or rtsp URL as it would be asked for.

    plain: a pattern may allow it. Not so a URL whose path a server may read as another: one with `.` or `..` for a
    part of it, or with an encoded separator or a backslash.
    """

    kind: Literal["file", "url"]
    name: str
    plain: bool = True

    @property
    def shown(self) -> str:
        return printable(self.name, MAX_ADDRESS)


def named(address: str) -> Named:
    """What an address means. Raises NotOpened for what nobody here can open."""
    text = address.strip()
    if not text or len(text) > MAX_ADDRESS:
        raise NotOpened(f"an address of {len(text):,} characters: 1 to {MAX_ADDRESS:,} are wanted")
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise NotOpened("a control character in the address")
    scheme = _SCHEME.match(text)
    kind = scheme[1].lower() if scheme else "file"
    if kind in PORTS:
        return _url(text)
    if kind != "file":
        raise NotOpened(f"{printable(kind, 20)}: only files, http://, https:// and rtsp:// can be opened")
    return _file(_path_of(text) if scheme else text)


def _url(text: str) -> Named:
    """An http, https or rtsp URL in its one spelling, without its fragment. Raises NotOpened."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise NotOpened(f"no such URL can be: {printable(str(error), 80)}") from None
    if "@" in parts.netloc or "\\" in text:
        raise NotOpened("a URL with a login or a backslash in it is not opened")
    path = escaped(parts.path or "/", KEPT)
    query = escaped(parts.query, KEPT + "?")
    place = host_of(parts) if port in (None, PORTS[parts.scheme]) else f"{host_of(parts)}:{port}"
    return Named("url", f"{parts.scheme}://{place}{path}{'?' + query if query else ''}", _is_plain(path))


def host_of(parts: SplitResult) -> str:
    """The host of a URL in small ASCII letters, an IPv6 address in brackets. Raises NotOpened."""
    host = parts.hostname or ""
    if "[" in parts.netloc and _ADDRESS_6.fullmatch(host):
        return f"[{host}]"
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        ascii_host = ""
    if not _HOST.fullmatch(ascii_host):
        raise NotOpened(f"{printable(host, 80)!r}: no such host can be")
    return ascii_host


def escaped(text: str, kept: str) -> str:
    """`text` with all escaped that must be, and nothing that need not be."""
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)

    def spelled(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()

    return quote(_ESCAPE.sub(spelled, text), safe=kept)


def _is_plain(path: str) -> bool:
    if re.search(r"%(?:2F|5C|00)", path):
        return False
    for _ in range(_DECODINGS):
        path = unquote(path)
        if "\\" in path or any(part.partition(";")[0] in (".", "..") for part in path.split("/")):
            return False
    return "%" not in path


def _path_of(text: str) -> str:
    """The path of a file: URL (RFC 8089)."""
    parts = urlsplit(text)
    if parts.netloc.lower() not in ("", "localhost"):
        raise NotOpened(f"a file of {printable(parts.netloc, 80)}: only those of this machine can be opened")
    return unquote(parts.path)


def _file(path: str) -> Named:
    # On Windows, and for some servers, two of them name another machine: looking there would already log in to it.
    if path[:2].replace("\\", "/") == "//":
        raise NotOpened("a path of another machine is not opened")
    if not path or "\0" in path:
        raise NotOpened("no such path can be")
    return Named("file", os.path.abspath(path))  # noqa: PTH100
