"""`tuistream info`: what a recording holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.store.inspect import Contents, FileContent, GapContent, SessionContent, StreamContent

GAPS_SHOWN = 20
SESSIONS_SHOWN = 10
FILES_SHOWN = 40
CELL = 48
NUMBERS = ("rows", "gaps", "bytes")  # columns that are set to the right


@click.command(epilog="\b\nExamples:\n  tuistream info btc.db\n  tuistream info btc.db --json | jq .rows")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in ns since 1970 UTC.")
def command(file: Path, as_json: bool) -> int:
    """Say what a recording holds: streams, fields, rows, time range, gaps, sessions."""
    from tuistream.store.inspect import inspect

    contents = inspect(file)
    click.echo(as_json_text(contents) if as_json else "\n".join(as_lines(contents)))
    return 0


def as_json_text(contents: Contents) -> str:
    values: dict[str, Any] = asdict(contents)
    values |= {"path": str(contents.path), "first": contents.first, "last": contents.last}
    values |= {"thinned": contents.thinned}
    values |= {"end": contents.end, "last_flush": contents.last_flush}
    return json.dumps(values, indent=2, default=str)


def as_lines(contents: Contents) -> Iterable[str]:
    """The recording in words; times are local."""
    yield printable(str(contents.path), 500)
    wal = f" and {_bytes(contents.wal_size)} not yet merged (WAL)" if contents.wal_size else ""
    files = f" in {_count(len(contents.files), 'file')}" if len(contents.files) > 1 else ""
    yield f"{_bytes(contents.size)}{files}{wal}, layout {contents.layout}"
    if contents.writer is not None:
        yield f"being recorded by {f'pid {contents.writer}' if contents.writer else 'another process'}"
    else:
        yield _end(contents)
    yield f"{_count(contents.rows, 'row')} in {_count(len(contents.streams), 'stream')}, {_span(contents)}"
    if contents.thinned:
        yield f"{_count(contents.thinned, 'older tick')} kept as rollups of 1 m, 1 h and 1 d only"
    if contents.items:
        yield f"{_count(contents.items, 'item')} (texts, pictures and the like), {_bytes(contents.item_bytes)}"
    if len(contents.files) > 1:
        yield ""
        yield from _table(("file", "bytes", "rows", "first", "last"), map(_file, contents.files[-FILES_SHOWN:]))
        if len(contents.files) > FILES_SHOWN:
            yield f"  … and {len(contents.files) - FILES_SHOWN:,} earlier"
    if contents.streams:
        yield ""
        yield from _table(
            ("stream", "kind", "feed", "fields", "rows", "first", "last", "gaps", "view"),
            map(_stream, contents.streams),
        )
    yield ""
    yield f"{_count(contents.gap_count, 'gap')}{':' if contents.gaps else ''}"
    yield from map(_gap, contents.gaps[-GAPS_SHOWN:])
    if contents.gap_count > GAPS_SHOWN:
        yield f"  … and {contents.gap_count - GAPS_SHOWN:,} earlier (the view gaps has them)"
    yield ""
    yield f"{_count(len(contents.sessions), 'session')}:"
    yield from map(_session, contents.sessions[-SESSIONS_SHOWN:])
    if len(contents.sessions) > SESSIONS_SHOWN:
        yield f"  … and {len(contents.sessions) - SESSIONS_SHOWN:,} earlier"


def _span(contents: Contents) -> str:
    if contents.first is None or contents.last is None:
        return "no ticks yet"
    return f"{local_time(contents.first)} to {local_time(contents.last)}"


def _end(contents: Contents) -> str:
    """Whether anything can be missing at the end."""
    if contents.end == "unclean":
        flush = local_time(contents.last_flush)
        return f"did not end as it should: the last flush was at {flush}, only what came after it is missing"
    return "ended as it should" if contents.sessions else "nothing recorded it"


def _file(file: FileContent) -> tuple[str, ...]:
    size = _bytes(file.size + file.wal_size)
    rows = f"{file.rows:,}" if file.thinned is None else "rollups"
    return printable(file.path.name, CELL), size, rows, local_time(file.first), local_time(file.last)


def _stream(stream: StreamContent) -> tuple[str, ...]:
    return (
        printable(stream.name, CELL),
        printable(stream.kind, CELL),
        printable(stream.feed, CELL),
        printable(", ".join(stream.fields), CELL),
        f"{stream.rows:,}",
        local_time(stream.first),
        local_time(stream.last),
        f"{stream.gaps:,}",
        printable(stream.view or "", CELL),
    )


def _gap(gap: GapContent) -> str:
    name = f"{gap.stream} {gap.kind}" if gap.stream is not None else gap.feed
    parts = [local_time(gap.t0), printable(name, CELL)]
    if gap.t0 is not None and gap.t1 is not None:
        parts.append(f"{(gap.t1 - gap.t0) / 1e9:,.3f} s")
    if gap.first_id is not None:
        ids = f"{gap.first_id}" if gap.first_id == gap.last_id else f"{gap.first_id} to {gap.last_id}"
        parts.append(f"id {printable(ids, CELL)}")
    if gap.missing is not None:
        parts.append(f"{gap.missing:,} missing")
    return "  " + "  ".join([*parts, printable(gap.reason or "", 100)])


def _session(session: SessionContent) -> str:
    end = {
        "clean": f"ended {local_time(session.ended)}",
        "running": "is recording",
        "unclean": f"did not end as it should, last wrote {local_time(session.alive)}",
    }[session.end]
    return f"  {local_time(session.began)}  pid {session.pid}  {_count(session.rows, 'row')}  {end}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    numbers = {column for column, name in enumerate(head) if name in NUMBERS}
    for line in lines:
        cells = (
            text.rjust(width) if column in numbers else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _bytes(size: int) -> str:
    if size < 1_000:
        return f"{size} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6)):
        if size < 1_000 * scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size / 1e9:,.1f} GB"


def local_time(t: int | None) -> str:
    """A time (ns since 1970 UTC) on this machine's clock, to the ms."""
    if t is None:
        return "-"
    try:
        # Whole seconds first: a float of ns would be off by hundreds of them, and could round up to the next second.
        moment = datetime.fromtimestamp(t // 1_000_000_000).astimezone()
    except (OverflowError, OSError, ValueError):
        return f"{t} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{t // 1_000_000 % 1_000:03}"
