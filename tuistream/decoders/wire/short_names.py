"""What stands behind the colon of a short name, and the keys that some venues want."""

from __future__ import annotations

import os
import re

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable


def parts_of(what: str, pattern: re.Pattern[str], venue: str, noun: str, example: str) -> list[str]:
    """The parts of `what`, apart by commas, each of which `pattern` matches. Raises SettingsError."""
    parts = [part.strip() for part in what.split(",") if part.strip()]
    if not parts:
        raise SettingsError(f"{venue}: which {noun}s? such as {venue}:{example}")
    for part in parts:
        if pattern.fullmatch(part) is None:
            raise SettingsError(f"{venue}: {printable(part)!r} is no {noun}; one is such as {example.split(',')[0]}")
    return parts


def place_of(what: str, places: tuple[str, ...], venue: str) -> tuple[str, str]:
    """One of `places`, by default the first, and the rest of `what`, which is `PLACE/REST` or `REST`.

    Raises SettingsError.
    """
    place, slash, rest = what.partition("/")
    if not slash:
        return places[0], what
    if place not in places:
        raise SettingsError(
            f"{venue}: there is no {printable(place)!r}; before the slash is one of {', '.join(places)}"
        )
    return place, rest


def key_of(venue: str, variable: str) -> str:
    """The key in the environment variable `variable`. Raises SettingsError, which never shows it."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SettingsError(f"{venue}: it wants a key; put yours into the environment variable {variable}")
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{venue}: {variable} holds what can be no key")
    return key
