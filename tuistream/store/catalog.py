"""The streams of one recording: their ids, their fields' columns and their views. No I/O but `load`."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Set

import msgspec
from msgspec.structs import replace

from tuistream.core.batch import IdRule, Stream, StreamKey
from tuistream.core.text import printable, redact_url, secrets_of
from tuistream.store import schema
from tuistream.store.values import storable_text

MAX_IDENTIFIER = 60
MAX_VIEWS = 1_000  # streams beyond this many have no view of their own; ticks_named has them all

QUANTITIES = ("qty", "quantity", "size", "amount")

Statement = tuple[str, tuple[object, ...]]


class Entry(msgspec.Struct, frozen=True):
    """One stream of the recording. `stream.fields` are those of all runs, in the order of their columns."""

    id: int
    stream: Stream
    view: str | None


class Catalog(msgspec.Struct, frozen=True):
    """What the recording says about its streams. `columns`: how many value columns the table of ticks has."""

    entries: Mapping[StreamKey, Entry] = msgspec.field(default_factory=dict)
    columns: int = schema.FIRST_COLUMNS

    def with_streams(self, streams: Iterable[Stream], first_seen: int) -> tuple[Catalog, list[Statement]]:
        """The catalog that knows `streams` as they are now, and the statements that make the recording agree.

        Self stays as it is, so that a transaction that fails leaves nothing behind.
        """
        entries = dict(self.entries)
        changed: dict[int, Entry] = {}
        statements: list[Statement] = []
        views = {entry.view.lower() for entry in entries.values() if entry.view}
        next_id = max((entry.id for entry in entries.values()), default=0) + 1
        for wanted in streams:
            key = stored_key(wanted.key)
            known = entries.get(key)
            stream = _merged(known.stream if known else None, wanted, key)
            if known is None:
                view = _view_name(stream, views) if len(views) < MAX_VIEWS else None
                if view:
                    views.add(view.lower())
                entry = Entry(next_id, stream, view)
                next_id += 1
                statements.append(_insert(entry, first_seen))
            else:
                entry = replace(known, stream=stream)
                if entry != known:
                    statements.append(_update(entry))
            if entry != known:
                changed[entry.id] = entry
            entries[key] = entries[wanted.key] = entry
        columns = max([self.columns, *(len(entry.stream.fields) for entry in changed.values())])
        widened = _widen(self.columns, columns)  # columns come before the views that name them
        viewed: list[Statement] = [(sql, ()) for entry in changed.values() for sql in stream_view(entry)]
        return Catalog(entries, columns), widened + statements + viewed

    def knows(self, stream: Stream) -> bool:
        """Whether the recording has all that there is to say about `stream`."""
        entry = self.entries.get(stream.key)
        if entry is None:
            return False
        return entry.stream == stream or _merged(entry.stream, stream, entry.stream.key) == entry.stream


def load(connection: sqlite3.Connection) -> Catalog:
    """The catalog of the recording behind `connection`."""
    entries: dict[StreamKey, Entry] = {}
    rows = connection.execute(
        "SELECT id, feed, name, kind, fields, ids, timed, found, axis, view FROM streams ORDER BY id"
    )
    for number, feed, name, kind, fields, ids, timed, found, axis, view in rows:
        names = tuple(each["name"] for each in json.loads(fields))
        entries[feed, name, kind] = Entry(
            number, Stream(feed, name, kind, names, IdRule(ids), bool(timed), found, axis), view
        )
    table = connection.execute("SELECT name FROM pragma_table_info('ticks')").fetchall()
    columns = sum(1 for (name,) in table if re.fullmatch(r"v\d+", name))
    return Catalog(entries, columns)


def stored_key(key: StreamKey) -> StreamKey:
    """`key` as the file holds it: text that SQLite can keep, and no secret."""
    feed, name, kind = key
    if secrets_of(feed):
        feed = redact_url(feed)
    return storable_text(feed), storable_text(name), storable_text(kind)


def _merged(known: Stream | None, wanted: Stream, key: StreamKey) -> Stream:
    """`wanted` with the fields that the recording has already, first and in their places."""
    fields = tuple(storable_text(name) for name in wanted.fields)
    if known is not None:
        fields = known.fields + tuple(name for name in fields if name not in known.fields)
    feed, name, kind = key
    found = storable_text(wanted.found)
    axis = storable_text(wanted.axis)
    fields = fields[: schema.MAX_COLUMNS]
    return replace(wanted, feed=feed, name=name, kind=kind, fields=fields, found=found, axis=axis)


def _widen(columns: int, wanted: int) -> list[Statement]:
    if wanted <= columns:
        return []
    added = [schema.add_column(column) for column in range(columns, wanted)]
    return [(sql, ()) for sql in (*added, *schema.wide_views(wanted))]


def _price(stream: Stream) -> int | None:
    """Which field the view trades shows."""
    if "price" in stream.fields:
        return stream.fields.index("price")
    return 0 if len(stream.fields) == 1 else None


def quantity_of(stream: Stream) -> int | None:
    """Which field of a stream of prices is how much was traded."""
    if "price" not in stream.fields:
        return None
    return next((stream.fields.index(name) for name in QUANTITIES if name in stream.fields), None)


def _fields_json(stream: Stream) -> str:
    return json.dumps([{"name": name, "unit": ""} for name in stream.fields], ensure_ascii=False)


def _insert(entry: Entry, first_seen: int) -> Statement:
    s = entry.stream
    row = (entry.id, s.feed, s.name, s.kind, _fields_json(s), s.ids, int(s.timed), s.found, s.axis, first_seen)
    sql = (
        "INSERT INTO streams"
        " (id, feed, name, kind, fields, ids, timed, found, axis, first_seen, price, quantity, view)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    return sql, (*row, _price(s), quantity_of(s), entry.view)


def _update(entry: Entry) -> Statement:
    s = entry.stream
    sql = (
        "UPDATE streams SET fields = ?, ids = ?, timed = ?, found = ?, axis = ?, price = ?, quantity = ? WHERE id = ?"
    )
    return (
        sql,
        (_fields_json(s), s.ids, int(s.timed), s.found, s.axis, _price(s), quantity_of(s), entry.id),
    )


def stream_view(entry: Entry) -> list[str]:
    """The statements that make the view of a stream anew."""
    if entry.view is None:
        return []
    taken = {"time", "t", "recv", "id"}
    columns = ""
    for position, name in enumerate(entry.stream.fields):
        column = _unused(printable(name, MAX_IDENTIFIER) or "field", taken)
        taken.add(column.lower())
        columns += f", k.v{position} AS {schema.identifier(column)}"
    view = schema.identifier(entry.view)
    creation = (
        f"CREATE VIEW {view} AS SELECT k.{schema.TIME} AS time, k.t, k.recv, k.id{columns}"  # noqa: S608  # quoted
        " FROM blocks AS b CROSS JOIN ticks AS k ON k.n BETWEEN b.r0 AND b.r1 AND k.stream = b.stream"
        f" WHERE b.stream = {entry.id}"
    )
    return [f"DROP VIEW IF EXISTS {view}", creation]


def _view_name(stream: Stream, taken: set[str]) -> str:
    """A name made of word characters only, so that most need no quotes: BTCUSDT_trade."""
    words = re.sub(r"\W+", "_", f"{stream.label} {stream.kind}").strip("_")[:MAX_IDENTIFIER]
    if not words or words[0].isdigit() or words.lower().startswith("sqlite_"):
        words = f"stream_{words}"
    return _unused(words, taken | schema.RESERVED)


def _unused(name: str, taken: Set[str]) -> str:
    """`name`, with a number where it is taken."""
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name}_{number}"
    return free
