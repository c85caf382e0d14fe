"""What the user said about a listener."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import replace

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.sources.hub.limits import LIMITS, HubLimits, Limit

FLAGS: Final = ("no_auth", "compat_200")
FILES: Final = ("tls_cert", "tls_key")
_WORDS: Final = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class HubOptions(msgspec.Struct, frozen=True):
    """Who may send to a listener and how much; empty where nothing was said.

    allow: networks ("192.168.0.0/16") whose senders need no password. no_auth: nobody needs one, wherever the
    listener can be reached from. tls_cert, tls_key: PEM files; the key may be in the first. compat_200: HTTP answers
    200 to everything, as the old hub did.
    """

    password: str = ""
    allow: tuple[str, ...] = ()
    no_auth: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    compat_200: bool = False
    limits: HubLimits = msgspec.field(default_factory=HubLimits)

    def __repr__(self) -> str:
        """Without the password."""
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "password")
        return f"HubOptions({', '.join(shown)})"


def limits_of(said: Mapping[str, Any], name: Callable[[Limit], str], before: HubLimits) -> HubLimits:
    """Limits by their keys; those that are not there or None stay as `before`. Raises SettingsError.

    name: what to call a limit where the user wrote it.
    """
    found: dict[str, Any] = {
        limit.field: limit.parse(str(said[limit.key]), name(limit))
        for limit in LIMITS
        if said.get(limit.key) is not None
    }
    return replace(before, **found)


def with_query(options: HubOptions, query: str) -> HubOptions:
    """`options` with what the query of a listener's URL says in its place: max_rate=100&no-auth. SettingsError."""
    said: dict[str, str] = {}
    found: dict[str, Any] = {}
    known = [*(limit.key for limit in LIMITS), "allow", *FLAGS, *FILES]
    for name, value in parse_qsl(query, keep_blank_values=True):
        key = name.replace("-", "_")
        if key not in known:
            raise SettingsError(f"{printable(name, 40)}= is not known of a listener; known are {', '.join(known)}")
        if key == "allow":
            found[key] = (*found.get(key, ()), value)
        elif key in FLAGS:
            if value.lower() not in _WORDS:
                raise SettingsError(f"{key}={printable(value, 40)}: true or false is wanted")
            found[key] = _WORDS[value.lower()]
        elif key in FILES:
            found[key] = value
        else:
            said[key] = value
    return replace(options, **found, limits=limits_of(said, lambda limit: f"{limit.key}=", options.limits))
