"""What each venue sends, as its documentation and recordings show."""

from __future__ import annotations

from tests.decoders.recorded import EXCERPTS


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
