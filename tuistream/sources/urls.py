"""URLs of sources, checked before anybody is connected to."""

from __future__ import annotations

from urllib.parse import urlsplit

from tuistream.core.errors import SettingsError
from tuistream.core.text import redact_url, secrets_of, without


def checked(target: str) -> tuple[str, str, str]:
    """A URL with a host, its scheme in lower case; with "host:port" and path, for a name. Raises SettingsError."""
    scheme, _, rest = target.partition(":")
    url = f"{scheme.lower()}:{rest}"
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
    if any(c.isspace() or not c.isprintable() for c in url):
        raise SettingsError(f"{shown}: a URL has no spaces or control characters")
    address = f"[{host}]" if ":" in host else host
    return url, f"{address}:{port}" if port else address, parts.path
