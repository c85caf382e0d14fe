"""Whether each tick is in exactly one block, and the blocks say of their ticks what is so."""

from __future__ import annotations

from typing import Final

from tuistream.core.text import printable
from tuistream.store import catalog
from tuistream.store.buckets import FIRST_NS, LAST_NS
from tuistream.store.checks.findings import File

ROWS_AT_ONCE: Final = 200_000  # of ticks, about, in one read transaction
BLOCKS_AT_ONCE: Final = 5_000

_NEXT_SQL = """
    SELECT t0, r0, r1 - r0 + 1 FROM blocks WHERE stream = ? AND (t0, r0) > (?, ?) ORDER BY t0, r0 LIMIT ?"""
_WRONG_SQL = """
    SELECT b.r0, b.r1, b.t0, b.t1, count(k.n), min(k.t), max(k.t), sum(k.stream <> b.stream)
    FROM blocks AS b LEFT JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1
    WHERE b.stream = ?1 AND b.r1 <= ?2 AND (b.t0, b.r0) > (?4, ?5) AND (b.t0, b.r0) <= (?6, ?7)
    GROUP BY b.t0, b.r0
    HAVING count(k.n) <> b.r1 - b.r0 + 1 OR min(k.t) <> b.t0 OR max(k.t) <> b.t1 OR sum(k.stream <> b.stream) > 0
        OR (b.t1 - b.t0 > ?3 AND ?3 < 9223372036854775807)"""
_EDGES_SQL = """
    SELECT * FROM (SELECT coalesce(lag(r1) OVER (ORDER BY r0), 0) AS before, r0 FROM blocks)
    WHERE r0 <> before + 1"""


def check_blocks(file: File) -> None:
    """Each block beside its ticks, stream by stream; then that the blocks together are all rows, each once."""
    findings = file.findings
    names: dict[int, str] = {}
    reaches: dict[int, int] = {}
    streams: list[int] = []
    with file.step("the streams"):
        names = {entry.id: entry.stream.label for entry in catalog.load(file.connection).entries.values()}
        reaches = dict(file.connection.execute("SELECT id, reach FROM streams").fetchall())
        streams = [stream for (stream,) in file.connection.execute("SELECT DISTINCT stream FROM blocks")]
        (file.last,) = file.connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
        findings.total += 2 * file.last
        findings.rows += file.last
    for stream in streams:
        name = printable(names.get(stream, f"stream {stream}"), 60)
        if stream not in names:
            findings.add("block", f"stream {stream} is not in the table of streams", name)
        _check_stream(file, stream, name, min(reaches.get(stream, LAST_NS), LAST_NS))
    _check_edges(file)


def _check_stream(file: File, stream: int, name: str, reach: int) -> None:
    """So many blocks at once, each time in a read transaction of its own."""
    at: tuple[int, int] | None = (FIRST_NS, 0)
    while at is not None:
        begin, at = at, None  # where it cannot be read, that was noted, and the next may well be no better
        with file.step(f"the blocks of {name}"):
            rows = 0
            end = begin
            for t0, r0, count in file.connection.execute(_NEXT_SQL, (stream, *begin, BLOCKS_AT_ONCE)):
                end, rows = (t0, r0), rows + count
                if rows >= ROWS_AT_ONCE:
                    break
            if end != begin:
                for block in file.connection.execute(_WRONG_SQL, (stream, file.last, reach, *begin, *end)):
                    _tell(file, name, reach, block)
                file.findings.done += rows
                at = end


def _tell(file: File, name: str, reach: int, block: tuple[int, ...]) -> None:
    r0, r1, t0, t1, count, low, high, strangers = block
    where = f"the block of rows {r0} to {r1}"
    if count != r1 - r0 + 1:
        file.findings.add("block", f"{where} has {count:,} ticks", name, r0, t0)
    elif strangers:
        file.findings.add("block", f"{where} has {strangers:,} ticks of another stream", name, r0, t0)
    elif (low, high) != (t0, t1):
        file.findings.add("block", f"{where} is from {t0} to {t1}, its ticks from {low} to {high}", name, r0, t0)
    else:
        file.findings.add("block", f"{where} is {t1 - t0} ns long; streams.reach is {reach}", name, r0, t0)


def _check_edges(file: File) -> None:
    with file.step("the blocks"):
        for before, r0 in file.connection.execute(_EDGES_SQL):
            if r0 <= before:
                file.findings.add("block", f"rows {r0} to {before} are in more than one block", row=r0)
            else:
                _tell_hole(file, before + 1, r0 - 1)
        (end,) = file.connection.execute("SELECT coalesce(max(r1), 0) FROM blocks").fetchone()
        (last,) = file.connection.execute("SELECT coalesce(max(n), 0) FROM ticks").fetchone()
        if end < last:
            _tell_hole(file, end + 1, last)
        (first,) = file.connection.execute("SELECT coalesce(min(n), 1) FROM ticks").fetchone()
        if first < 1:
            _tell_hole(file, first, 0)


def _tell_hole(file: File, first: int, last: int) -> None:
    sql = "SELECT count(*) FROM ticks WHERE n BETWEEN ? AND ?"
    (count,) = file.connection.execute(sql, (first, last)).fetchone()
    if count:
        file.findings.add("block", f"{count:,} ticks of rows {first} to {last} are in no block", row=first)
    if missing := last - first + 1 - count:
        file.findings.add("block", f"{missing:,} of rows {first} to {last} are missing", row=first)
