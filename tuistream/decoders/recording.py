"""The wire form of a recording: what `tuistream serve FILE.db` sends, both ways.

A message is a JSON object. `{"tuistream": "ticks", …}` holds ticks of one stream, column by column; all integers are
written in full. `{"tuistream": "gap", …}` tells of a gap of a stream, after the tick with which it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tuistream.core.batch import Batch, IdRule, Stream, StreamKey, Values, ids_array
from tuistream.core.errors import SettingsError
from tuistream.core.status import Event
from tuistream.core.text import printable
from tuistream.decoders.contract import MAX_NAME, Decoded, DecoderOptions
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.report import FieldReport, StreamReport
from tuistream.decoders.wire.rows import label

MARK: Final = "tuistream"
MAX_STREAMS: Final = 10_000
MAX_FIELDS: Final = 1_000  # as many as a recording has columns
MAX_TEXT: Final = 200
QUIET: Final = 60.0  # seconds: a replay pauses as long as what was recorded did
NOT_FINITE: Final = {"Infinity": np.inf, "-Infinity": -np.inf}  # NaN, where a tick has no value, is null


class _OfStream(msgspec.Struct, tag_field=MARK, gc=False):
    feed: str
    stream: str
    kind: str


class Ticks(_OfStream, tag="ticks", omit_defaults=True, kw_only=True, gc=False):
    """Ticks of one stream. t, recv: ns since 1970 UTC. fields: values by field, null where a tick has none.

    ids, timed, found, axis: as of a `Stream`. id: the producer's ids, missing where the stream has none.
    """

    ids: IdRule = IdRule.OPAQUE
    timed: bool = True
    found: str = ""
    axis: str = ""
    t: list[int]
    recv: list[int]
    id: list[int | str | None] | UnsetType = UNSET
    fields: dict[str, list[float | str | None]]


class Gap(_OfStream, tag="gap", kw_only=True, gc=False):
    """Ticks of the stream that are missing. details: as of an `Event`, with `from`, `to` and `reason`."""

    t: int
    text: str
    details: dict[str, int | float | str | None]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Ticks | Gap).decode


def ticks_message(batch: Batch) -> bytes:
    """The message that holds a batch."""
    stream = batch.stream
    columns = zip(stream.fields, batch.v.T, strict=True)
    return _encode(
        Ticks(
            stream.feed,
            stream.name,
            stream.kind,
            ids=stream.ids,
            timed=stream.timed,
            found=stream.found,
            axis=stream.axis,
            t=batch.t.tolist(),
            recv=batch.recv.tolist(),
            id=UNSET if batch.ids is None else batch.ids.tolist(),
            fields={name: _plain(column) for name, column in columns},
        )
    )


def gap_message(gap: Event) -> bytes:
    """The message that tells of a gap of a stream."""
    assert gap.stream is not None
    return _encode(Gap(*gap.stream, t=gap.t, text=gap.text, details=gap.details))


def _plain(column: Values) -> list[Any]:
    """Values as JSON can have them; the encoder writes NaN as null."""
    values: list[Any] = column.tolist()
    if np.isinf(column).any():
        words = {number: word for word, number in NOT_FINITE.items()}
        return [words.get(value, value) for value in values]
    return values


class Decoder:
    """Ticks as another tuistream recorded them: their receive times are its, not ours.

    A stream keeps its name and kind; its feed becomes ours, and where two recorded feeds have streams of one name,
    the later one's have their feed behind it.
    """

    name: ClassVar[str] = "recording"
    chosen: ClassVar[str] = "recording"
    stale_after: ClassVar[float] = QUIET

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        if options != DecoderOptions():
            raise SettingsError(f"--time-field, --fields, --key, --id: the {self.name} decoder knows its fields")
        self._feed = feed
        self._streams: dict[StreamKey, Stream] = {}  # ours, by what the recording calls them
        self._owners: dict[
            tuple[str, str], str
        ] = {}  # the recorded feed whose stream has a name and kind as they are
        self._last: dict[StreamKey, Batch] = {}
        self._counts: dict[StreamKey, int] = {}

    def opened(self) -> None:
        """A message says all that it means by itself."""

    def heartbeat(self) -> None:
        return None

    def understands(self, message: object) -> bool:
        return type(message) is dict and message.get(MARK) in ("ticks", "gap")

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:  # noqa: ARG002  # the recorder's stands there
        out = Decoded(relayed=True)
        parts: dict[StreamKey, list[Batch]] = {}
        for frame in frames:
            try:
                message = _decode(frame)
                if isinstance(message, Gap):
                    self._take_gap(message, out)
                    continue
                batch = self._batch(message)
            except (
                msgspec.MsgspecError,
                Malformed,
                UnicodeDecodeError,
                ValueError,
                OverflowError,
                RecursionError,
            ) as e:
                self._refuse(frame, e, out)
                continue
            out.data += 1
            parts.setdefault(batch.stream.key, []).append(batch)
        out.batches = [self._joined(key, batches) for key, batches in parts.items()]
        return out

    def describe(self) -> list[StreamReport]:
        return [self._report(batch, self._counts[key]) for key, batch in self._last.items()]

    def _refuse(self, frame: bytes, error: Exception, out: Decoded) -> None:
        try:
            ours = self.understands(loads(frame))
        except Malformed as not_json:
            ours, error = True, not_json
        if ours:
            out.malformed.append((frame, printable(str(error), MAX_TEXT)))
        else:
            out.other += 1

    def _take_gap(self, message: Gap, out: Decoded) -> None:
        out.control += 1
        stream = self._streams.get((message.feed, message.stream, message.kind))
        if stream is None or (stream.ids is IdRule.CONSECUTIVE and "first_id" in message.details):
            return  # of a stream of which no tick has come; or one that the ids tell once more
        span = [message.details.get(end) for end in ("from", "to")]
        if not all(isinstance(end, int) for end in span):
            raise Malformed("a gap without a beginning and an end")
        details = {
            printable(name, MAX_NAME): printable(value, MAX_TEXT) if isinstance(value, str) else value
            for name, value in message.details.items()
        }
        text = printable(message.text, MAX_TEXT)
        out.gaps.append(Event(message.t, self._feed, "gap", text, stream.key, details))

    def _batch(self, message: Ticks) -> Batch:
        count = len(message.t)
        columns = message.fields
        if not count or not columns:
            raise Malformed("no tick in it")
        if {count} != {len(message.recv), *map(len, columns.values())}:
            raise Malformed("columns of different lengths")
        stream = self._stream(message)
        v = np.full((count, len(stream.fields)), np.nan)
        for name, values in columns.items():
            v[:, stream.fields.index(label(name))] = _numbers(values)
        ids = None
        if message.id is not UNSET:
            if len(message.id) != count:
                raise Malformed("columns of different lengths")
            ids = ids_array(message.id)
        t, recv = (np.array(times, dtype=np.int64) for times in (message.t, message.recv))
        return Batch(stream, t, recv, v, ids)

    def _stream(self, message: Ticks) -> Stream:
        key = message.feed, message.stream, message.kind
        known = self._streams.get(key)
        fields = tuple(map(label, message.fields))
        if known is not None and known.fields == fields:
            return known
        if known is None:
            if len(self._streams) >= MAX_STREAMS:
                raise Malformed(f"more than {MAX_STREAMS:,} streams")
            known = self._new(message, fields)
        else:
            known = replace(known, fields=(*known.fields, *(name for name in fields if name not in known.fields)))
        if len(known.fields) > MAX_FIELDS:
            raise Malformed(f"more than {MAX_FIELDS:,} fields")
        self._streams[key] = known
        return known

    def _new(self, message: Ticks, fields: tuple[str, ...]) -> Stream:
        name, kind = label(message.stream) if message.stream else "", label(message.kind) if message.kind else ""
        if self._owners.setdefault((name, kind), message.feed) != message.feed:
            name = label(f"{name} ({message.feed})".strip())
        found = printable(message.found, MAX_TEXT) or self.name
        axis = label(message.axis) if message.axis in message.fields else ""
        return Stream(self._feed, name, kind, fields, message.ids, message.timed, found, axis)

    def _joined(self, key: StreamKey, batches: list[Batch]) -> Batch:
        """What came of one stream in a read, as one batch."""
        stream = batches[-1].stream
        joined = batches[0]
        if len(batches) > 1:
            widths = [(batch.v, len(stream.fields) - batch.v.shape[1]) for batch in batches]
            joined = Batch(
                stream,
                np.concatenate([batch.t for batch in batches]),
                np.concatenate([batch.recv for batch in batches]),
                np.concatenate([np.pad(v, ((0, 0), (0, more)), constant_values=np.nan) for v, more in widths]),
                _joined_ids(batches),
            )
        self._last[key] = joined.take(slice(-1, None))
        self._counts[key] = self._counts.get(key, 0) + len(joined)
        return joined

    @staticmethod
    def _report(batch: Batch, count: int) -> StreamReport:
        stream = batch.stream
        values = zip(stream.fields, batch.v[-1].tolist(), strict=True)
        fields = tuple(FieldReport(name, f"fields.{name}", value) for name, value in values)
        last_id = None if batch.ids is None else batch.ids[-1:].tolist()[0]
        rule = stream.ids.value if batch.ids is not None else ""
        where = "id" if batch.ids is not None else ""
        return StreamReport(
            stream.name, stream.kind, fields, "t" if stream.timed else "", "ns", where, rule, last_id, "stream", count
        )


def _joined_ids(batches: Sequence[Batch]) -> Any:
    arrays = [batch.ids for batch in batches]
    if all(ids is None for ids in arrays):
        return None
    if all(ids is not None and ids.dtype == np.int64 for ids in arrays):
        return np.concatenate([ids for ids in arrays if ids is not None])
    each = [[None] * len(batch) if batch.ids is None else batch.ids.tolist() for batch in batches]
    return ids_array([tick_id for ids in each for tick_id in ids])


def _numbers(values: Sequence[float | str | None]) -> Values:
    """float64[n], NaN for null. Raises Malformed for a text that is no number that JSON has not."""
    if str in set(map(type, values)):
        words: Mapping[Any, float] = NOT_FINITE
        if any(type(value) is str and value not in words for value in values):
            raise Malformed("a text where a number is wanted")
        values = [words.get(value, value) if type(value) is str else value for value in values]
    return np.array(values, dtype=np.float64)
