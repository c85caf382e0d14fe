"""What a board's items say, in rows of parts. Nothing here draws, and nothing that an item names is opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from itertools import islice
from typing import Final

from tuistream.charts.numbers import compact
from tuistream.core.board import Item
from tuistream.core.pictures import picture_of
from tuistream.core.text import printable
from tuistream.core.video import VideoFrame
from tuistream.sources.media.names import NotOpened, named
from tuistream.ui.line import Part, cut, wrapped
from tuistream.ui.status_line import local_time

TEXT_SHOWN: Final = 4_000  # characters of one text
LINES_SHOWN: Final = 100  # of one item
SUMMARY: Final = 200  # characters
ADDRESS_SHOWN: Final = 400
STAMPED_FROM: Final = 30  # columns from which a text has its time beside it
NAMING: Final = ("image", "video")  # kinds whose value may be a path or a URL
PLACE_DIGITS: Final = 5  # of degrees: about a metre

Row = tuple[Part, ...]


def address_of(item: Item) -> str:
    """The path or URL that a picture or a video is said to be at; "" for what the item holds itself."""
    value = item.value
    if item.kind not in NAMING or not isinstance(value, str) or picture_of(value) is not None:
        return ""
    return value.strip()


def summary(item: Item) -> str:
    """What an item is, in one line of printable characters."""
    value = item.value
    if item.kind == "text":
        return printable(value if isinstance(value, str) else _json(value), SUMMARY)
    if address := address_of(item):
        return printable(f"at {address}", SUMMARY)
    if isinstance(value, VideoFrame):
        return printable(value.video.words, SUMMARY)
    if picture := picture_of(value):
        size = f"{picture.width:,} x {picture.height:,}" if picture.width and picture.height else "size not known"
        return printable(f"{picture.format or 'of no known format'}  {size}  {compact(picture.nbytes)}B", SUMMARY)
    if item.kind == "map" and isinstance(value, Mapping):
        return printable(_map_summary(value), SUMMARY)
    if item.kind == "spectrum" and isinstance(value, Mapping) and isinstance(y := value.get("y"), (list, tuple)):
        return f"{len(y):,} points"
    if item.kind == "matrix" and isinstance(value, Mapping) and isinstance(rows := value.get("z"), list):
        return f"{len(rows[0]) if rows and isinstance(rows[0], list) else 0:,} x {len(rows):,} numbers"
    if item.kind == "figure" and isinstance(value, Mapping):
        return printable(_figure_summary(value), SUMMARY)
    return printable(f"{compact(item.size)}B  {_json(value)}", SUMMARY)


def rows_of(item: Item, width: int, timezone: tzinfo | None) -> list[Row]:
    """An item in rows of at most `width` cells: its local time, then what it says. At least one."""
    room, indent = beside_stamp(width)
    stamp = f"{local_time(item.t, timezone):%H:%M:%S} " if indent else ""
    texts = list(islice(_texts(item, room), LINES_SHOWN)) or [("", "")]
    first: Part = (stamp, "dim")
    rest: Part = (indent, "")
    return [(rest if index else first, text) for index, text in enumerate(texts)]


def beside_stamp(width: int) -> tuple[int, str]:
    """Cells that are left beside the time of an item, where there is room for one, and the blanks below it."""
    indent = " " * len("00:00:00 ") if width >= STAMPED_FROM else ""
    return max(1, width - len(indent)), indent


def _texts(item: Item, width: int) -> Iterator[Part]:
    """The lines of an item, each with its ink."""
    if item.kind == "text":
        value = item.value if isinstance(item.value, str) else _json(item.value)
        for line in value[:TEXT_SHOWN].splitlines() or [""]:
            for part in wrapped(printable(line.expandtabs(4), TEXT_SHOWN), width):
                yield part, "plain"
        if len(value) > TEXT_SHOWN:
            yield printable(f"… {len(value):,} characters in all", width), "dim"
        return
    for part in wrapped(f"{printable(item.kind, 40)}  {summary(item)}", width):
        yield part, "plain"
    if address := address_of(item):
        text, ink = _how_to_open(address, moving=item.kind == "video")
        for part in wrapped(text, width):
            yield part, ink
    elif item.kind == "map" and isinstance(item.value, Mapping):
        for text in _markers(item.value):
            yield cut(text, width), "plain"


def _how_to_open(address: str, moving: bool) -> Part:
    only = "  (a video, or a picture)" if moving else ""
    try:
        return f"Enter: open {printable(named(address).name, ADDRESS_SHOWN)}{only}", "key"
    except NotOpened as error:
        return f"cannot be opened: {error}", "dim"


def _map_summary(value: Mapping[str, object]) -> str:
    markers = value.get("data")
    count = _count(value, markers) if isinstance(markers, list) else 0
    words = [f"{count:,} marker{'' if count == 1 else 's'}"]
    if isinstance(centre := value.get("center"), Mapping):
        words.append(f"centre {_place(centre)}")
    if isinstance(zoom := value.get("zoom"), (int, float)):
        words.append(f"zoom {zoom:g}")
    return "  ".join(words)


def _figure_summary(value: Mapping[str, object]) -> str:
    """Of a Plotly figure: its traces by their types, and its title."""
    traces = value.get("data")
    types = (
        [str(trace.get("type", "scatter")) for trace in traces if isinstance(trace, Mapping)]
        if isinstance(traces, list)
        else []
    )
    layout = value.get("layout")
    title = layout.get("title") if isinstance(layout, Mapping) else ""
    title = title.get("text") if isinstance(title, Mapping) else title
    words = [
        f"{len(types):,} trace{'' if len(types) == 1 else 's'}",
        ", ".join(dict.fromkeys(types)),
        str(title or ""),
    ]
    return "  ".join(word for word in words if word)


def _markers(value: Mapping[str, object]) -> Iterator[str]:
    markers = value.get("data")
    if not isinstance(markers, list):
        return
    for number, marker in enumerate(markers[: LINES_SHOWN - 2], 1):
        if isinstance(marker, Mapping):
            label = next((str(marker[name]) for name in ("name", "label", "title") if name in marker), "")
            yield f"{number:>4}  {_place(marker):>22}  {printable(label, 60)}".rstrip()
    if len(markers) > LINES_SHOWN - 2:
        yield f"   …  and {_count(value, markers) - LINES_SHOWN + 2:,} more"


def _count(value: Mapping[str, object], markers: list[object]) -> int:
    """The markers that came; those beyond what a decoder keeps are counted by it."""
    beyond = value.get("beyond")
    return len(markers) + (beyond if isinstance(beyond, int) else 0)


def _place(place: Mapping[str, object]) -> str:
    """Latitude and longitude, degrees."""
    parts = [place.get(name) for name in ("lat", "lng")]
    return ", ".join(f"{part:.{PLACE_DIGITS}f}" if isinstance(part, (int, float)) else "-" for part in parts)


def _json(value: object) -> str:
    """The beginning of a value as JSON, as far as it is worth looking at."""
    if isinstance(value, (bytes, bytearray)):
        return printable(bytes(value[:SUMMARY]), SUMMARY)
    return json.dumps(_shortened(value), ensure_ascii=False, default=str)


def _shortened(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return value[:SUMMARY]
    if isinstance(value, Mapping):
        return "…" if depth > 3 else {str(k)[:40]: _shortened(v, depth + 1) for k, v in list(value.items())[:20]}
    if isinstance(value, (list, tuple)):
        return "…" if depth > 3 else [_shortened(each, depth + 1) for each in value[:20]]
    return value
