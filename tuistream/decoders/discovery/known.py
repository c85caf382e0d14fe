"""What a plan says about all messages that differ from one in nothing but digits."""

from __future__ import annotations

from typing import Any

from tuistream.decoders.discovery.plan import Plan
from tuistream.decoders.discovery.shapes import Object
from tuistream.decoders.discovery.survey import Path
from tuistream.decoders.wire.skeleton import Keys, Reading


def reading_by(plan: Plan, message: Object) -> Reading | None:
    """How `message`, which was read by `plan`, is read; None where it is more than one tick, or may yet change."""
    if plan.pending or plan.lists or not plan.paths or not plan.is_top:
        return None
    if any(position >= 0 for _, _, position in (*plan.labels, *plan.paths)):
        return None
    chains: list[Keys] = [()]
    for at, key in plan.opens:
        chains.append((*chains[at], key))
    labels = tuple([_value(message, _keys(chains, path)) for path in plan.labels])
    entry = plan.entries.get(labels)
    if entry is None or entry.rows is None or entry.control == 2:
        return None
    if (entry.control and not plan.serious) or (entry.book and plan.counts_only):
        return None
    fields = zip(plan.paths, entry.columns, strict=True)
    return Reading(
        rows=entry.rows,
        fields=tuple((_keys(chains, path), column) for path, column in fields),
        time=_keys(chains, plan.time) if plan.time else None,
        id=_keys(chains, plan.id) if plan.id else None,
        same=tuple(_keys(chains, path) for path in plan.labels),
    )


def _keys(chains: list[Keys], path: Path) -> Keys:
    at, key, _ = path
    return *chains[at], key


def _value(message: Object, keys: Keys) -> Any:
    value: Any = message
    for key in keys:
        value = value[key]
    return value
