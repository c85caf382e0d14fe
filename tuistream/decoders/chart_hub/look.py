"""How a message wants its chart to look. Every field may be missing or null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tuistream.core.colours import css_colour
from tuistream.core.look import Look
from tuistream.core.text import printable
from tuistream.decoders.chart_hub.refusal import bad
from tuistream.decoders.wire.numbers import to_float

POINTS: Final = 20  # the old hub's default, as are the grid's sides
COLUMNS, ROWS = 100, 200
MOST: Final = 1_000_000  # points, columns or rows
MAX_TITLE: Final = 80
MAX_COLOURS: Final = 64
_FILLS: Final = {"false": False, "none": False, "": False, "true": True, "origin": True, "start": True, "end": True}


def look_of(kind: str, message: Mapping[str, object]) -> Look:
    """What the message says of its looks. Raises Refusal for a field that cannot be.

    A title, a unit or colours that it does not give are left to the screen.
    """
    colours = _colours("borderColor", message.get("borderColor"))
    background = _colours("backgroundColor", message.get("backgroundColor"))
    grid = _whole("width", message.get("width"), COLUMNS), _whole("height", message.get("height"), ROWS)
    return Look(
        kind=kind,
        title=_text("name", message.get("name")),
        unit=_label(message.get("label")),
        colours=colours or background,
        fill=_fill(message.get("fill")),
        points=_whole("active_points", message.get("active_points"), POINTS),
        grid=grid if kind == "heatmap" else (0, 0),
    )


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return printable(value, MAX_TITLE)
    if type(value) in (int, float):
        return printable(str(to_float(value)).removesuffix(".0"), MAX_TITLE)
    raise bad(name, value, "text")


def _label(value: object) -> str:
    """The y axis' title; the first where there is a list of them."""
    if type(value) is not list:
        return _text("label", value)
    return _text("label", value[0]) if value else ""


def _colours(name: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    found = []
    for each in values[:MAX_COLOURS]:
        colour = css_colour(each) if type(each) is str else None
        if colour is None:
            raise bad(name, each, "a colour such as #3e95cd, rgb(62, 149, 205) or steelblue, or a list of them,")
        found.append(colour)
    return tuple(found)


def _fill(value: object) -> bool:
    if value is None or type(value) is bool:
        return bool(value)
    if type(value) is str and value.lower() in _FILLS:
        return _FILLS[value.lower()]
    if type(value) is int and value in (0, 1):
        return bool(value)
    raise bad("fill", value, "true or false")


def _whole(name: str, value: object, default: int) -> int:
    if value is None:
        return default
    number = to_float(value)
    if not 1 <= number <= MOST or number != int(number):
        raise bad(name, value, f"a whole number from 1 to {MOST:,}")
    return int(number)
