"""Text from outside, made harmless for a terminal, and secrets taken out of it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HIDDEN = "…"
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|api[_-]?key|apikey|auth|signature|crypt|^key$|^sig$|jwt", re.IGNORECASE
)
_NAMED_SECRET = re.compile(
    r"""((?:[\w-]*(?:token|secret|passw|pwd|api[_-]?key|signature|jwt)[\w-]*["']?\s*[=:\s]|bearer|basic)\s*["']?)"""
    r"""[^\s"'&;|]+""",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(://)[^\s/@]+@")


def printable(text: str | bytes, limit: int = 200) -> str:
    """`text` in one line without a character that is no glyph (each becomes ·), cut to `limit` with an …"""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", errors="replace")
    cut = text[:limit]
    if not cut.isprintable():
        # Controls, bidi and zero-width formats, surrogates, separators: no glyphs, and some move the cursor.
        cut = "".join(c if c.isprintable() else "·" for c in cut)
    return cut if len(text) <= limit else cut[: limit - 1] + "…"


def redact_url(url: str) -> str:
    """`url` without its password, and with every query value that is named like a secret hidden.

    What has no `//` behind its scheme (`exec:COMMAND`) is no such URL: what follows a word for a secret is hidden.
    """
    if ":" in url and not url.partition(":")[2].startswith("//"):
        return printable(_NAMED_SECRET.sub(rf"\1{HIDDEN}", _LOGIN.sub(rf"\1{HIDDEN}@", url)), 500)
    try:
        parts = urlsplit(url)
    except ValueError:
        return printable(url.partition("?")[0].rpartition("@")[2])
    netloc = parts.netloc
    if "@" in netloc:
        user, _, host = netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:{HIDDEN}@{host}" if ":" in user else f"{HIDDEN}@{host}"
    query = "&".join(
        f"{quote(name)}={HIDDEN if _SECRET_NAME.search(name) else quote(value, safe='/:@,!$')}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return printable(urlunsplit((parts.scheme, netloc, parts.path, query, "")), 500)


def secrets_of(url: str) -> list[str]:
    """The secret values that `url` carries, so that they can be taken out of other texts."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    found = [value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name)]
    if parts.password:
        found.append(parts.password)
    elif parts.username:
        found.append(parts.username)
    return [secret for secret in found if secret]


def without(text: str, secrets: list[str]) -> str:
    """`text` with each of `secrets` hidden, as it is or quoted for a URL."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
    return text
