"""What a decoder found in the frames, for `tuistream probe`."""

from __future__ import annotations

import msgspec

from tuistream.decoders.wire.rows import Rows


class FieldReport(msgspec.Struct, frozen=True):
    """A field, where it stands in a frame (a dotted path), and its newest value (NaN where that had none)."""

    name: str
    path: str
    sample: float


class StreamReport(msgspec.Struct, frozen=True):
    """A stream as it was understood. Paths are dotted, "" where there is none.

    time, unit: the event time and how it is written, as `unit_of` has it; "" where ticks have their receive time.
    id, id_rule: the producer's id, and what it promises ("opaque", "unique", "consecutive"). key: what names the
    stream. ticks: how many came.
    """

    name: str
    kind: str
    fields: tuple[FieldReport, ...]
    time: str
    unit: str
    id: str
    id_rule: str
    id_sample: int | str | None
    key: str
    ticks: int


def reports(rows: Rows) -> list[StreamReport]:
    """A report for each stream, in the order of their first tick."""
    found = []
    for each in rows.streams.values():
        stream, layout = each.stream, each.layout
        fields = zip(stream.fields, layout.fields, each.last, strict=False)
        found.append(
            StreamReport(
                stream.name,
                stream.kind,
                tuple(FieldReport(name, path, value) for name, path, value in fields),
                layout.time,
                layout.unit,
                layout.id,
                stream.ids.value if layout.id else "",
                each.last_id,
                layout.key,
                each.ticks,
            )
        )
    return found
