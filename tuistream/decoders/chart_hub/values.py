"""What a message's value holds, by its type: rows of numbers, or a text, a picture, a map."""

from __future__ import annotations

from typing import Any, Final

from tuistream.decoders.chart_hub import literal
from tuistream.decoders.chart_hub.refusal import Cause, Refusal, bad
from tuistream.decoders.contract import MAX_FIELDS
from tuistream.decoders.wire.numbers import is_not_finite, is_number, to_float
from tuistream.decoders.wire.rows import label

LINES: Final = ("line", "bar", "horizontalBar", "pie", "doughnut", "radar", "polarArea")
POINTS: Final = {"bubble": ("x", "y", "r"), "heatmap": ("row", "col")}
ITEMS: Final = {"text": "text", "image": "image", "map": "map", "video_stream": "video"}
TYPES: Final = (*LINES, *POINTS, *ITEMS)
REPLACING: Final = ("image", "map", "video_stream")
MAX_DEPTH: Final = 8  # of objects in a value of numbers
MARKER_WORDS: Final = ("name", "label", "title", "color", "colour")  # that a place on a map may have
MAX_PLACES: Final = 10_000  # markers of a map; the first are kept
MAX_MARKER: Final = 60  # characters of each
MAX_URL: Final = 4_096  # characters of a video's path or URL
LEGEND: Final = "data"

Numbers = dict[str, float]  # by the names of their fields


def legend_of(value: object, limit: int) -> tuple[str, ...]:
    """The names of the fields, each once. Raises Refusal.  limit: characters of each."""
    values = value if isinstance(value, list) else [LEGEND] if value is None else [value]
    if len(values) > MAX_FIELDS:
        raise Refusal(Cause.FIELD, f"legend: {len(values):,} names are over the limit of {MAX_FIELDS}")
    names: dict[str, None] = {}
    for position, each in enumerate(values, 1):
        name = each if type(each) is str else str(to_float(each)).removesuffix(".0") if is_number(each) else ""
        if not name.strip():
            raise bad("legend", each, "a name, or a list of names,")
        if len(name) > limit:
            raise Refusal(Cause.NAME, f"legend: {len(name):,} characters are over the limit of {limit} (--max-name)")
        name = label(name)
        names[name if name not in names else f"{name} {position}"] = None
    return tuple(names)


def rows_of(kind: str, value: object, legend: tuple[str, ...]) -> list[Numbers]:
    """The ticks in the value of a message whose type is one of LINES or POINTS. Raises Refusal.

    A value that is no finite number is NaN, as null is; a tick has one finite value at least.
    """
    if kind in POINTS:
        rows = _points(kind, value)
    elif type(value) is dict:
        rows = [_flat(value)]
    elif type(value) is list and value and type(value[0]) is dict:
        rows = [_flat(each) if type(each) is dict else _none(each) for each in value]
    else:
        rows = [_by_legend(value if type(value) is list else [value], legend)]
    if not rows or not all(any(x == x for x in row.values()) for row in rows):
        raise Refusal(Cause.EMPTY, "value: no finite number in it")
    return rows


def item_of(kind: str, value: object) -> object:
    """The value of a message whose type is one of ITEMS. Raises Refusal. Nothing that it names is opened."""
    if kind == "text" and is_number(value):
        return str(value) if type(value) is not str else value
    if kind == "map":
        return _map(value)
    if type(value) is not str:
        raise bad("value", value, f"text for the type {kind}")
    if kind == "video_stream" and len(value) > MAX_URL:
        raise Refusal(Cause.FIELD, f"value: {len(value):,} characters of a path are over the limit of {MAX_URL:,}")
    return value


def _none(value: object) -> Numbers:
    raise bad("value", value, "an object, as the first one is,")


def _number(value: object) -> float:
    if value is None or is_not_finite(value):
        return to_float(None)
    if not is_number(value):
        raise bad("value", value, "a number, or a list of numbers,")
    return to_float(value)


def _by_legend(values: list[Any], legend: tuple[str, ...]) -> Numbers:
    if len(values) > MAX_FIELDS:
        raise Refusal(Cause.FIELD, f"value: {len(values):,} numbers are over the limit of {MAX_FIELDS}")
    names = [*legend, *(f"{LEGEND}{position + 1}" for position in range(len(legend), len(values)))]
    return dict(zip(names, map(_number, values), strict=False))


def _points(kind: str, value: object) -> list[Numbers]:
    names = POINTS[kind]
    if type(value) is not list or not value or type(value[0]) not in (dict, list):
        value = [value]
    rows = []
    for each in value:
        if type(each) is dict and kind == "bubble":
            rows.append({name: _number(each.get(name)) for name in names})
        elif type(each) is list and len(names) >= len(each) >= 2:
            rows.append({name: _number(x) for name, x in zip(names, [*each, None], strict=False)})
        else:
            wanted = "objects with x, y and r" if kind == "bubble" else "[row, column]"
            raise bad("value", each, wanted)
        if any(rows[-1][name] != rows[-1][name] for name in names[:2]):
            raise Refusal(Cause.EMPTY, f"value: {' and '.join(names[:2])} must be finite numbers")
    return rows


def _flat(value: dict[str, Any]) -> Numbers:
    """The numbers in an object, those of inner ones with dotted names. What is no number is left out."""
    numbers: Numbers = {}
    within: list[tuple[str, dict[str, Any], int]] = [("", value, 1)]
    while within:
        before, members, depth = within.pop()
        for key, each in members.items():
            if type(each) is dict:
                if depth >= MAX_DEPTH:
                    raise Refusal(Cause.FIELD, f"value: objects nested over {MAX_DEPTH} deep")
                within.append((f"{before}{key}.", each, depth + 1))
            elif is_number(each) or is_not_finite(each):
                numbers[label(before + key)] = _number(each)
                if len(numbers) > MAX_FIELDS:
                    raise Refusal(Cause.FIELD, f"value: over {MAX_FIELDS} numbers in an object")
    return numbers


def _map(value: object) -> dict[str, object]:
    """A map: its centre, its zoom, the markers, all of them places, and how many are `beyond` what is kept."""
    if type(value) is str:
        try:
            value = literal.parse(value)
        except literal.NoLiteral as error:
            raise Refusal(Cause.FIELD, f"value: no map, {error}") from None
    if type(value) is not dict:
        raise bad("value", value, "an object such as { center: {lat: 41.4, lng: 2.2}, zoom: 4, data: [] }")
    markers = value.get("data")
    places = markers if type(markers) is list else []
    found: dict[str, object] = {"data": [_place("data", each) for each in places[:MAX_PLACES]]}
    if len(places) > MAX_PLACES:
        found["beyond"] = len(places) - MAX_PLACES
    if markers is not None and type(markers) is not list:
        raise bad("data", markers, "a list of places")
    if value.get("center") is not None:
        found["center"] = _place("center", value["center"])
    if value.get("zoom") is not None:
        zoom = to_float(value["zoom"])
        if not 0 <= zoom <= 30:
            raise bad("zoom", value["zoom"], "a number from 0 to 30")
        found["zoom"] = zoom
    return found


def _place(name: str, value: object) -> dict[str, object]:
    """Where a marker is, and what it is called and how it is coloured, where it says so."""
    if type(value) is dict:
        lat, lng = to_float(value.get("lat")), to_float(value.get("lng"))
        if -90 <= lat <= 90 and -360 <= lng <= 360:
            said = {word: value[word][:MAX_MARKER] for word in MARKER_WORDS if type(value.get(word)) is str}
            return {"lat": lat, "lng": lng, **said}
    raise bad(name, value, "a place with lat from -90 to 90 and lng from -360 to 360")
