"""Why a message is not taken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuistream.core.text import printable

SHOWN = 40  # characters of a value in a reason


class Cause(StrEnum):
    """For counting: what was wrong with a message, or with its sender."""

    MALFORMED = "malformed"  # no JSON, or cut short
    FIELD = "field"  # one that cannot be
    EMPTY = "no_number"
    NAME = "name"  # too long
    STREAMS = "streams"  # too many
    PASSWORD = "password"  # noqa: S105
    TOO_BIG = "too_big"  # longer than a message may be
    PENDING = "pending"  # too much is half sent, by all senders together
    PICKLE = "pickle"  # one that holds more than a string
    PROTOCOL = "protocol"  # such as HTTP where messages are wanted
    RATE = "rate"
    ADDRESS = "address"
    ORIGIN = "origin"  # a web page from elsewhere
    CONNECTIONS = "connections"  # too many


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was not taken. at: its position in what was given. reason: in a line, harmless."""

    at: int
    cause: Cause
    reason: str


class Refusal(Exception):
    """A message cannot be taken, for `cause`; the text is the reason."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


def bad(name: str, value: object, wanted: str) -> Refusal:
    """Of the field `name`: what it holds, and what is wanted there."""
    shown = printable(value, SHOWN) if isinstance(value, str) else _shown(value)
    return Refusal(Cause.FIELD, f"{name} {shown}: {wanted} is wanted")


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"({kind} of {len(value):,})"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return printable(f"{value:g}" if isinstance(value, float) else f"{value:d}", SHOWN) if _short(value) else "(huge)"


def _short(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 1_000)
