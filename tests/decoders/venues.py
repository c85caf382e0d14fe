"""What each venue sends, as its documentation and recordings show."""

from __future__ import annotations

import json
from typing import Any

from tests.decoders.recorded import EXCERPTS, NOW, counted
from tuistream.decoders.contract import Decoded, Decoder


def _read(which: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (EXCERPTS / "venues.messages").read_text(encoding="utf-8").splitlines():
        venue, kind, message = line.split(" ", 2)
        found[venue] = (*found.get(venue, ()), *((message,) if kind == which else ()))
    return found


USUAL = _read("usual")  # ticks, and books, which are passed over; `#` stands for a number that rises
OTHER = _read("other")  # answers, heartbeats, errors, and ticks that are not written as usual


def message(template: str, number: int) -> bytes:
    return template.replace("#", str(number + 10)).encode()


def decode(decoder: Decoder, *messages: Any) -> Decoded:
    """All messages, which are bytes or what is to be JSON, as one read."""
    frames = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    out = decoder.decode(frames, NOW)
    assert counted(out) == len(frames)
    return out
