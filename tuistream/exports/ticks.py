"""Ticks as a table: one row a tick, in the order of their receipt, streams of different fields side by side."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
from msgspec.structs import replace

from tuistream.core.batch import Batch, Stream, StreamKey
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.core.exchange import FEED, ID, KIND, MAX_FIELD_COLUMNS, RECEIVED, STREAM, TIME, column_of, union
from tuistream.exports.contract import PIECE_CELLS, Column, Done, Kind, Piece, Sheet
from tuistream.store.opening import open_for_reading, reason_of
from tuistream.store.playback import Block, Selection, blocks
from tuistream.store.reading import Reader

_ID_TYPES = {"integer": int, "text": str}


class Ticks:
    """The ticks of a selection as pieces of a table. Raises RecordingError; SettingsError for too many fields.

    typed_ids: it is told in `sheet.ids` of which types the ids are, for which all rows may have to be looked at.
    """

    def __init__(self, selection: Selection, done: Done, *, typed_ids: bool) -> None:
        self._selection = selection
        self._done = done
        streams = _streams(selection, done)
        self._fields = union(stream.fields for stream in streams)
        if len(self._fields) > MAX_FIELD_COLUMNS:
            raise SettingsError(
                f"{len(self._fields):,} fields in all, and a table has {MAX_FIELD_COLUMNS:,} columns for them:"
                " --streams takes some"
            )
        self._names = [tuple(dict.fromkeys(stream.key[part] for stream in streams)) for part in range(3)]
        self._places = {
            stream.key: [names.index(word) for names, word in zip(self._names, stream.key, strict=True)]
            for stream in streams
        }
        self._field_places: dict[tuple[str, ...], list[int]] = {}
        self.sheet = Sheet(
            (
                Column(TIME, Kind.TIME),
                Column(RECEIVED, Kind.TIME),
                *(Column(n, Kind.NAME, names) for n, names in zip((FEED, STREAM, KIND), self._names, strict=True)),
                Column(ID, Kind.ID),
                *(Column(column_of(name), Kind.NUMBER) for name in self._fields),
            ),
            _id_types(selection) if typed_ids else frozenset((int, str)),
            _told(streams),
        )

    def pieces(self) -> Iterator[Piece]:
        most = max(1, PIECE_CELLS // len(self.sheet.columns))
        for block in blocks(self._selection):
            if isinstance(block, Block):
                for start in range(0, len(block), most):
                    yield self._piece(block, start, min(start + most, len(block)))
                self._done.read += len(block)

    def _piece(self, block: Block, start: int, stop: int) -> Piece:
        which, rows = block.which[start:stop], block.row[start:stop]
        count = stop - start
        t, recv = np.empty(count, np.int64), np.empty(count, np.int64)
        names = np.empty((3, count), np.int64)
        ids = np.full(count, None, dtype=np.object_)
        v = np.full((len(self._fields), count), np.nan)
        for number in np.unique(which).tolist():
            batch = block.batches[number]
            there = np.flatnonzero(which == number)
            taken = rows[there]
            t[there], recv[there] = batch.t[taken], batch.recv[taken]
            names[:, there] = np.array(self._places[batch.stream.key])[:, None]
            if batch.ids is not None:
                ids[there] = batch.ids[taken]
            v[np.ix_(np.array(self._columns(batch), dtype=np.intp), there)] = batch.v[taken].T
        return [t, recv, *names, ids, *v]

    def _columns(self, batch: Batch) -> list[int]:
        fields = batch.stream.fields
        if fields not in self._field_places:
            known = {name: place for place, name in enumerate(self._fields)}
            self._field_places[fields] = [known[name] for name in fields]
        return self._field_places[fields]


def _streams(selection: Selection, done: Done) -> list[Stream]:
    """Those that are selected, each with the fields that it has in any of the files."""
    found: dict[StreamKey, Stream] = {}
    for path in selection.files:
        with Reader(path) as reader:
            done.total += reader.last
            numbers = selection.numbers(reader.streams)
            for number, stream in reader.streams.items():
                if numbers is None or number in numbers:
                    known = found.get(stream.key)
                    fields = union((known.fields if known else (), stream.fields))
                    found[stream.key] = replace(stream, fields=fields)
    return list(found.values())


def _id_types(selection: Selection) -> frozenset[type]:
    found = set()
    for path in selection.files:
        try:
            with closing(open_for_reading(path)) as connection:
                for name in _ID_TYPES:
                    sql = "SELECT EXISTS (SELECT 1 FROM ticks WHERE typeof(id) = ?)"
                    if connection.execute(sql, (name,)).fetchone()[0]:
                        found.add(name)
        except sqlite3.Error as error:
            raise RecordingError(f"cannot read {path}: {reason_of(error)}") from error
    return frozenset(_ID_TYPES[name] for name in found)


def _told(streams: Sequence[Stream]) -> str:
    return json.dumps(
        [
            {
                "feed": stream.feed, "name": stream.name, "kind": stream.kind, "fields": stream.fields,
                "ids": stream.ids, "timed": stream.timed, "found": stream.found,
                "axis": stream.axis,
            }
            for stream in streams
        ]
    )  # fmt: skip
