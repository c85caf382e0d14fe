"""What the user said about a listener."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuistream.sources.hub.limits import HubLimits


@dataclass(frozen=True, slots=True)
class HubOptions:
    """Who may send to a listener and how much; empty where nothing was said.

    allow: networks ("192.168.0.0/16") whose senders need no password. no_auth: nobody needs one, wherever the
    listener can be reached from. tls_cert, tls_key: PEM files; the key may be in the first. compat_200: HTTP answers
    200 to everything, as the old hub did.
    """

    password: str = field(default="", repr=False)
    allow: tuple[str, ...] = ()
    no_auth: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    compat_200: bool = False
    limits: HubLimits = field(default_factory=HubLimits)
