"""Which stream a tick is of: its name, its kind, and, where these do not tell, its fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.control import kind_without
from tuistream.decoders.discovery.plan import Plan
from tuistream.decoders.wire.rows import Layout, Rows, StreamRows, label

MAX_VARIANTS = 16  # streams with the same name and kind, told apart by their fields
FIELDS_NAMED = 3  # of a variant, in its kind


class StreamFinder:
    """Finds the stream of a tick, or makes it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._variants: dict[tuple[str, str], list[StreamRows]] = {}

    def find(self, names: Iterable[Any], kinds: Iterable[Any], plan: Plan) -> StreamRows | None:
        """The stream of ticks with these names and kinds, as they stand in a message of `plan`.

        Ticks that share most of their fields are of one stream, which gains those that it lacks. Those that do not
        are of another, of a kind of its own. None where there are too many streams.
        """
        name = label("/".join(str(each) for each in names))
        kind = _kind([str(each) for each in kinds], name) or plan.word
        variants = self._variants.get((name, kind), [])
        fields = set(plan.fields)
        for stream in variants:
            if _alike(fields, set(stream.stream.fields)):
                stream.grow(plan.fields, plan.layout.fields)
                if plan.time and not stream.stream.timed:
                    stream.note_timed(plan.layout)
                return stream
        return self._new(name, kind, variants, plan)

    def _new(self, name: str, kind: str, variants: list[StreamRows], plan: Plan) -> StreamRows | None:
        if len(variants) >= MAX_VARIANTS:
            return None
        own_kind = kind
        if variants or (name, kind) in self._rows.streams:
            own_kind = label(f"{kind} {'+'.join(plan.fields[:FIELDS_NAMED])}".strip())
        if (name, own_kind) in self._rows.streams:
            return None
        made = self._rows.new(
            name, own_kind, plan.fields, timed=plan.time is not None, found=_found(plan.layout), layout=plan.layout
        )
        if made is not None:
            self._variants.setdefault((name, kind), []).append(made)
        return made


def _kind(kinds: list[str], name: str) -> str:
    telling = (
        kind for kind in kinds if kind.lower() not in words.NO_KINDS and kind.lower() not in words.OFTEN_CONTROL
    )
    kind = next(telling, "")
    return label(kind_without(kind, name)) if kind != name else ""


def _alike(fields: set[str], others: set[str]) -> bool:
    return 2 * len(fields & others) > min(len(fields), len(others))


def _found(layout: Layout) -> str:
    unit = f" in {layout.unit}" if layout.unit else ""
    parts = [f"time{unit} at '{layout.time}'" if layout.time else "no time: that of receipt"]
    if layout.key:
        parts.append(f"name at '{layout.key}'")
    if layout.id:
        parts.append(f"id at '{layout.id}'")
    return label(f"auto: {', '.join(parts)}", 200)
