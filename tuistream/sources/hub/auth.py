"""Who may send to a listener."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.sources.hub.options import HubOptions

OWN_ORIGIN: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


class Admission(Enum):
    """What is asked of a sender."""

    TRUSTED = "trusted"
    PASSWORD = "password"  # noqa: S105
    REFUSED = "refused"


class Auth:
    """The rules of one listener. Raises SettingsError for a network that is none.

    A password is asked of everybody but the networks of `allow`. Where there is no password and no `no_auth`, only
    those networks and this machine may send.
    """

    def __init__(self, options: HubOptions) -> None:
        self.needs_password = bool(options.password)
        self._digest = _digest(options.password)
        self._no_auth = options.no_auth
        self._networks = [_network(text) for text in options.allow]

    def check_bind(self, address: str) -> None:
        """Refuse to listen at `address` (numeric) where anybody else could send. Raises SettingsError."""
        if not (_ip(address).is_loopback or self.needs_password or self._networks or self._no_auth):
            raise SettingsError(
                f"{printable(address)}: whoever can reach it could send; --password, --allow NETWORK (such as "
                "192.168.0.0/16) or --no-auth says who may"
            )

    def admission(self, address: str) -> Admission:
        """Of a sender at `address` (numeric)."""
        ip = _ip(address)
        if any(ip.version == network.version and ip in network for network in self._networks):
            return Admission.TRUSTED
        if self.needs_password:
            return Admission.PASSWORD
        return Admission.TRUSTED if self._no_auth or ip.is_loopback else Admission.REFUSED

    def allows_origin(self, origin: str | None) -> bool:
        """Whether a browser may send from a page of `origin`; one from anywhere can reach the ports of this machine.

        Programs name no origin. Where a password is asked for, it decides.
        """
        return (
            origin is None or self._no_auth or self.needs_password or OWN_ORIGIN.fullmatch(origin.lower()) is not None
        )

    def matches(self, password: object) -> bool:
        """Whether this is the password; the time that it takes does not depend on how much of it is right."""
        return self.needs_password and type(password) is str and hmac.compare_digest(_digest(password), self._digest)

    def matches_header(self, authorization: str) -> bool:
        """As `matches`, for an Authorization header: "Bearer TOKEN", or "Basic …" with any user name."""
        scheme, _, value = authorization.partition(" ")
        value = value.strip()
        if scheme.lower() == "bearer":
            return self.matches(value)
        if scheme.lower() != "basic":
            return False
        try:
            login = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return self.matches(login.partition(":")[2])


def own_host(header: str) -> bool:
    """Whether a request with this `Host` is to an address, or to a name that nobody else can give to this machine."""
    try:
        host = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _digest(password: str) -> bytes:
    return hashlib.blake2b(password.encode("utf-8", "surrogatepass")).digest()


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise SettingsError(
            f"--allow {printable(text)!r}: a network such as 192.168.0.0/16 or an address is wanted"
        ) from None
