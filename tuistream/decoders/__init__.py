"""Decoders by their names: a file here is one, and its name is the word that the user types."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from msgspec.structs import replace

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable, redact_url

if TYPE_CHECKING:
    from tuistream.decoders.contract import Decoder, DecoderOptions, Endpoint

_NOT_DECODERS = ("contract", "plotly")
_NOT_VENUES = ("auto", "hub", "lines", "recording", "socketio")


def known() -> list[str]:
    """The names that `create` takes."""
    modules = pkgutil.iter_modules(__path__)
    return sorted(module.name for module in modules if not module.ispkg and module.name not in _NOT_DECODERS)


def venues() -> list[str]:
    """The names that `endpoint` takes: what stands before the colon of a short name."""
    return [name for name in known() if name not in _NOT_VENUES]


def create(name: str, feed: str, options: DecoderOptions) -> Decoder:
    """The decoder `name` for the frames of `feed`. Raises SettingsError if there is none, or not with `options`.

    "auto" finds the fields by itself, and hands over to a venue's decoder where the first frames are that venue's;
    its `chosen` then names that one.
    """
    return cast("Decoder", _module(name, known()).Decoder(feed, options))


def endpoint(venue: str, what: str, base_url: str | None = None) -> Endpoint:
    """Where the short name `venue:what` leads. Raises SettingsError.

    base_url: scheme, host and port to use in place of the venue's own (as a test does); a path in it goes before
    the venue's.
    """
    found = cast("Endpoint", _module(venue, venues()).endpoint(what))
    if not base_url:
        return found
    return replace(found, url=_moved(found.url, base_url))


def _module(name: str, names: list[str]) -> Any:
    if name not in names:
        raise SettingsError(f"no decoder {printable(name)!r}; there are {', '.join(names)}")
    return importlib.import_module(f"{__name__}.{name}")


def _moved(url: str, base_url: str) -> str:
    try:
        base = urlsplit(base_url)
        base_is_url = base.scheme in ("ws", "wss") and bool(base.hostname) and (base.port or 1) > 0
    except ValueError:
        base_is_url = False
    if not base_is_url:
        raise SettingsError(f"--base-url {redact_url(base_url)}: ws://HOST:PORT or wss://HOST:PORT is wanted")
    return (
        urlsplit(url)
        ._replace(scheme=base.scheme, netloc=base.netloc, path=base.path.rstrip("/") + urlsplit(url).path)
        .geturl()
    )
