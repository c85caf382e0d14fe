"""How a sender wants a stream to be shown."""

from __future__ import annotations

import msgspec


class Look(msgspec.Struct, frozen=True):
    """What a message says of its chart; empty where it says nothing.

    kind: the sender's own word for it ("line", "bar", "pie" …). points: how many of the newest ticks are wanted.
    colours: of the fields in their order, as "#rrggbb". grid: columns and rows of a heat map. All of it is text
    that came from outside: it is shown through `printable`, and never anything but shown.
    """

    kind: str = ""
    title: str = ""
    unit: str = ""
    colours: tuple[str, ...] = ()
    fill: bool = False
    points: int = 0
    grid: tuple[int, int] = (0, 0)
