"""Whether gaps and consecutive ids say the same: each hole has its gap, and no gap is where there is no hole."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import IdRule, StreamKey
from tuistream.core.text import printable
from tuistream.store import catalog
from tuistream.store.checks.findings import File

CHUNK_ROWS = 50_000


class Hole(NamedTuple):
    """Ids first to last, which no tick has between the one at `since` and the one at row `row` and time `t`."""

    first: int
    last: int
    since: int
    row: int
    t: int


@dataclass(slots=True)
class Noted:
    """What the events say of one stream. gaps: first and last id. plain: gaps of times only. restarts: times."""

    gaps: list[tuple[int, int]] = field(default_factory=list)
    plain: list[tuple[int, int]] = field(default_factory=list)
    restarts: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Disagreement:
    """Where ids and gaps of one stream differ: holes that no gap tells of, and gaps (first and last id) of none.

    last: the highest id of the stream.
    """

    holes: list[Hole]
    unfounded: list[tuple[int, int]]
    last: int | None


def check_ids(file: File, newest: dict[StreamKey, int]) -> None:
    """newest: the last id of each stream in the files before; set to those of this one."""
    with file.step("the events", one_view=False):
        for entry, found in disagreements(file, newest):
            name = printable(entry.stream.label, 60)
            for hole in found.holes:
                which = f"id {hole.first}" if hole.first == hole.last else f"ids {hole.first} to {hole.last}"
                file.findings.add("ids", f"{which} missing, and no gap says so", name, hole.row, hole.t)
            for first, last in found.unfounded:
                file.findings.add("ids", f"a gap says that ids {first} to {last} are missing; they are there", name)
            if found.last is not None:
                newest[entry.stream.key] = found.last


def disagreements(file: File, newest: Mapping[StreamKey, int]) -> Iterator[tuple[catalog.Entry, Disagreement]]:
    """Of each stream whose ids are consecutive. newest: the last id of each in the files before."""
    noted = _noted(file)
    entries = {entry.id: entry for entry in catalog.load(file.connection).entries.values()}
    for entry in entries.values():
        if entry.stream.ids is IdRule.CONSECUTIVE:
            said = noted.get(entry.id, Noted())
            last, least, holes = _holes(file, entry.id, newest.get(entry.stream.key), said.restarts)
            yield entry, Disagreement(*_compare(holes, said, least, last), last)


def _noted(file: File) -> dict[int, Noted]:
    noted: dict[int, Noted] = {}
    sql = "SELECT stream, t, kind, details FROM events WHERE kind IN ('gap', 'restart') AND stream IS NOT NULL"
    for stream, t, kind, text in file.connection.execute(sql):
        of = noted.setdefault(stream, Noted())
        details = json.loads(text)
        if kind == "restart":
            of.restarts.add(t)
        elif isinstance(details.get("first_id"), int) and isinstance(details.get("last_id"), int):
            of.gaps.append((details["first_id"], details["last_id"]))
        else:
            of.plain.append((int(details.get("from") or 0), int(details.get("to") or 0)))
    return noted


def _holes(
    file: File, stream: int, last: int | None, restarts: set[int]
) -> tuple[int | None, int | None, list[Hole]]:
    """The highest id at the end, the least of all, and the holes, as `core.continuity` would have found them."""
    holes: list[Hole] = []
    least: int | None = None
    since = -(1 << 63)
    for rows in _chunks(file, stream):
        ids = np.array([tick_id for _, _, tick_id in rows], dtype=np.int64)
        least = int(ids.min()) if least is None else min(least, int(ids.min()))
        if last is not None and ids[0] == last + 1 and (np.diff(ids) == 1).all():
            last, since = int(ids[-1]), rows[-1][1]
            continue
        for row, t, tick_id in rows:
            if last is not None and tick_id <= last and t not in restarts:
                continue  # a late tick
            if last is not None and tick_id > last + 1:
                holes.append(Hole(last + 1, tick_id - 1, since, row, t))
            last, since = tick_id, t
    return last, least, holes


def _chunks(file: File, stream: int) -> Iterator[list[tuple[int, int, int]]]:
    """Row, time and id of the stream's ticks whose id is a number, in the order of their rows.

    Each chunk is a query of its own: rows up to `file.last` do not change.
    """
    blocks = "SELECT r0, r1 FROM blocks WHERE stream = ? AND r1 <= ? ORDER BY r0"
    found = file.connection.execute(blocks, (stream, file.last))
    spans = np.fromiter(found, dtype=np.dtype([("r0", np.int64), ("r1", np.int64)]))
    sql = "SELECT n, t, id FROM ticks WHERE n BETWEEN ? AND ? AND stream = ? AND typeof(id) = 'integer' ORDER BY n"
    rows: list[tuple[int, int, int]] = []
    for r0, r1 in _joined(spans):
        rows += file.connection.execute(sql, (r0, r1, stream)).fetchall()
        if len(rows) >= CHUNK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _joined(spans: NDArray[np.void]) -> Iterator[tuple[int, int]]:
    """Spans of rows, in their order, those next to one another as one of up to `CHUNK_ROWS` or a little more."""
    first, last = 0, -1
    for place in range(len(spans)):
        r0, r1 = int(spans["r0"][place]), int(spans["r1"][place])
        if first <= last and (r0 != last + 1 or last - first >= CHUNK_ROWS):
            yield first, last
            first = r0
        elif first > last:
            first = r0
        last = r1
    if first <= last:
        yield first, last


def _compare(
    holes: list[Hole], noted: Noted, least: int | None, last: int | None
) -> tuple[list[Hole], list[tuple[int, int]]]:
    """The holes that no gap tells of, and the gaps where there is no hole."""
    gaps = sorted(noted.gaps)
    firsts = [first for first, _ in gaps]
    untold = [
        hole
        for hole in holes
        if not _is_covered(hole, gaps, firsts) and not any(a <= hole.t and b >= hole.since for a, b in noted.plain)
    ]
    starts = sorted(holes)
    hole_firsts = [hole.first for hole in starts]
    unfounded = []
    for first, end in gaps:
        at = bisect_right(hole_firsts, first) - 1
        within = any(hole.first <= first and end <= hole.last for hole in starts[max(0, at - 10) : at + 1])
        # Before the file's first tick, or after its last: that which showed it is in another file, or was lost.
        outside = least is None or end < least or (last is not None and first > last)
        if not within and not outside:
            unfounded.append((first, end))
    return untold, unfounded


def _is_covered(hole: Hole, gaps: list[tuple[int, int]], firsts: list[int]) -> bool:
    """Whether gaps, one after another, name all ids of the hole. A crash may have cut one into two."""
    at = hole.first
    for first, end in gaps[max(0, bisect_right(firsts, at) - 10) :]:
        if first > at or at > hole.last:
            break
        at = max(at, end + 1)
    return at > hole.last
