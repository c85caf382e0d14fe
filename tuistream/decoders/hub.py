"""The messages of the chart hub: JSON objects with an `id` and a `value`; and any other object with numbers in it.

The format is that of grebtsew/Visualize-Realtime-Data-Stream-Chart-in-Flask, with its defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from tuistream.core.batch import IdRule, Stream, StreamKey
from tuistream.core.board import Item
from tuistream.core.look import Look
from tuistream.decoders.chart_hub.look import look_of
from tuistream.decoders.chart_hub.refusal import Cause as Cause
from tuistream.decoders.chart_hub.refusal import Refusal, bad
from tuistream.decoders.chart_hub.refusal import Refused as Refused
from tuistream.decoders.chart_hub.values import (
    ITEMS,
    LINES,
    REPLACING,
    TYPES,
    Numbers,
    item_of,
    legend_of,
    rows_of,
)
from tuistream.decoders.contract import MAX_FIELDS, MAX_NAME, Decoded, DecoderOptions
from tuistream.decoders.discovery.arrays import MATRIX, SPECTRUM, TooLarge, is_curve, is_matrix
from tuistream.decoders.discovery.reader import Reader
from tuistream.decoders.plotly import is_figure
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.numbers import NAN, is_number, to_float
from tuistream.decoders.wire.report import StreamReport, reports
from tuistream.decoders.wire.rows import MAX_STREAMS, Layout, Rows, StreamRows, label
from tuistream.decoders.wire.timestamps import to_ns, unit_of

STALE_AFTER: Final = 3_600.0  # senders come and go
FIGURE: Final = "figure"
HEAT_MAP: Final = "heatmap"
ARRAYS: Final = (None, "line", HEAT_MAP)  # types whose value may be a matrix, or a curve
PASSWORD: Final = "api_crypt"  # noqa: S105
TIMES: Final = ("time", "timestamp", "ts", "t")  # fields that hold the event time; the first that is there
UNSURE: Final = "t"  # may as well be something else
REMEMBERED: Final = 4_096  # bytes of a message that is kept, so that the next one like it is soon read
_MISSING: Final = object()

Check = Callable[[object], bool]


@dataclass(slots=True, eq=False)
class Chart:
    """A stream as its last message described it.

    said: that message without its value and its time, unless it is long. rows: None for what is no numbers. columns:
    of the legend's names, in its order. straight: they rise by one from 0.
    """

    stream: Stream
    kind: str
    rows: StreamRows | None = None
    said: dict[str, Any] | None = None
    legend: tuple[str, ...] = ()
    columns: list[int] = field(default_factory=list)
    straight: bool = False


class HubRows(Rows):
    """The streams of numbers, as many as there is room for. lacked: a new one was refused."""

    def __init__(self, feed: str, room: Callable[[], bool]) -> None:
        super().__init__(feed)
        self.lacked = False
        self._room = room

    def new(
        self,
        name: str,
        kind: str,
        fields: tuple[str, ...],
        ids: IdRule = IdRule.OPAQUE,
        timed: bool = True,
        found: str = "",
        layout: Layout | None = None,
    ) -> StreamRows | None:
        if not self._room():
            self.lacked = True
            return None
        return super().new(name, kind, fields, ids, timed, found, layout)


class Decoder:
    """Turns messages into ticks, items and looks. A message's id and type make a stream.

    After `decode`: `refused` tells which frames were not taken and why; `password_came`, that one proved its sender.
    max_streams: of all. max_name: characters of an id or a legend's name. relayed: they come from another hub, which
    puts its own `time` into each: local time there, in whole seconds, so that the receive time tells more.
    """

    name: ClassVar[str] = "hub"

    def __init__(
        self,
        feed: str,
        options: DecoderOptions,
        *,
        max_streams: int = MAX_STREAMS,
        max_name: int = MAX_NAME,
        relayed: bool = False,
    ) -> None:
        self.refused: list[Refused] = []
        self.password_came = False
        self._feed = feed
        self._max_streams = max_streams
        self._max_name = max_name
        self._relayed = relayed
        self._times = (options.time_field,) if options.time_field else TIMES
        self._rows = HubRows(feed, self._has_room)
        self._reader = Reader(self._rows, options)
        self._charts: dict[tuple[object, object], Chart] = {}  # by id and type as they are written
        self._boards: dict[tuple[str, str], Stream] = {}  # the streams that are no numbers
        self._looks: dict[StreamKey, Look] = {}
        self._out = Decoded()
        self._check: Check | None = None

    @property
    def chosen(self) -> str:
        return self.name

    @property
    def stale_after(self) -> float:
        return STALE_AFTER

    def opened(self) -> None:
        """Nothing depends on a connection."""

    def heartbeat(self) -> tuple[float, str] | None:
        return None

    def describe(self) -> list[StreamReport]:
        return reports(self._rows)

    def decode(self, frames: Sequence[bytes], recv: int, check: Check | None = None) -> Decoded:
        """check: whether an `api_crypt` is right; messages before the first that has the right one are refused."""
        self._out = out = Decoded()
        self.refused, self.password_came, self._check = [], False, check
        for at, frame in enumerate(frames):
            try:
                self._take(loads(frame), frame, recv)
                out.data += 1
            except Refusal as refusal:
                self._refuse(at, frame, refusal.cause, str(refusal))
            except Malformed as error:
                self._refuse(at, frame, Cause.MALFORMED, str(error))
        out.batches = self._rows.batches(recv)
        return out

    def _refuse(self, at: int, frame: bytes, cause: Cause, reason: str) -> None:
        self.refused.append(Refused(at, cause, reason))
        self._out.malformed.append((frame, reason))

    def _take(self, message: object, frame: bytes, recv: int) -> None:
        if type(message) is list and message and type(message[0]) is dict:
            for position, each in enumerate(message, 1):
                try:
                    self._take_one(each, frame, recv)
                except Refusal as refusal:
                    raise Refusal(refusal.cause, f"message {position:,} of {len(message):,}: {refusal}") from None
        else:
            self._take_one(message, frame, recv)

    def _take_one(self, message: object, frame: bytes, recv: int) -> None:
        if type(message) is not dict:
            self._allow(_MISSING)
            self._discover(message, recv)
            return
        self._allow(message.pop(PASSWORD, _MISSING))
        if "value" not in message and is_figure(message):
            self._take_figure(message, frame, recv)
            return
        value = message.pop("value", _MISSING)
        chart_id, kind = message.get("id", _MISSING), message.get("type")
        if value is _MISSING or chart_id is _MISSING:
            if chart_id is not _MISSING and kind in TYPES:
                raise Refusal(Cause.FIELD, "value: it is missing")
            if value is not _MISSING:
                message["value"] = value
            self._discover(message, recv)
            return
        if type(chart_id) not in (str, int, float) or (kind is not None and type(kind) is not str):
            self._name_and_kind(chart_id, kind)  # tells what is wrong
        if type(value) is list and len(value) > 1 and (type(value[0]) is list or len(value) > MAX_FIELDS):
            taken = self._take_arrays(message, value, frame, recv)
            if taken:
                return
        chart = self._charts.get((chart_id, kind))
        t = recv
        if chart is None or chart.said != message:
            name, told, t = self._event_time(message, recv)
            if chart is None or chart.said != message:
                chart = self._described(message, value, chart_id, kind)
                chart.said = message if len(frame) <= REMEMBERED else None
            if name and not chart.stream.timed:
                self._note_timed(chart, Layout(time=name, unit=unit_of(told)))
        if chart.rows is None:
            content = item_of(chart.kind, value)
            replaces = chart.kind in REPLACING
            self._out.items.append(Item(chart.stream, t, recv, ITEMS[chart.kind], content, len(frame), replaces))
        else:
            self._add(chart, chart.rows, value, t)

    def _take_arrays(self, message: dict[str, Any], value: list[Any], frame: bytes, recv: int) -> bool:
        """Take a matrix, or more numbers than a tick has; each replaces the one before. Raises Refusal."""
        kind = message.get("type")
        if kind not in ARRAYS:
            return False
        try:
            # Two of a heat map are a cell.
            if is_matrix(value, 3 if kind == HEAT_MAP else 2):
                what, content = MATRIX, {"z": value}
            elif kind != HEAT_MAP and message.get("legend") is None and is_curve(value, MAX_FIELDS):
                what, content = SPECTRUM, {"y": value}
            else:
                return False
        except TooLarge as error:
            raise Refusal(Cause.FIELD, f"value: {error}") from None
        name, _kind = self._name_and_kind(message["id"], kind)
        stream = self._board(name, what)
        look = look_of(what, message)
        if self._looks.get(stream.key) != look:
            self._looks[stream.key] = self._out.looks[stream.key] = look
        t = self._event_time(message, recv)[2]
        self._out.items.append(Item(stream, t, recv, what, content, len(frame), replaces=True))
        return True

    def _event_time(self, message: dict[str, Any], recv: int) -> tuple[str, object, int]:
        """Take the time out of a message: its field, what that holds, and ns; "" and `recv` where there is none."""
        found = [(name, message.pop(name)) for name in self._times if name in message]
        name, told = next(((name, value) for name, value in found if value is not None), ("", None))
        if not name or self._relayed:
            return "", None, recv
        t = to_ns(told, recv)
        if t is None:
            self._out.bad_times += name != UNSURE
            return "", None, recv
        return name, told, t

    def _note_timed(self, chart: Chart, layout: Layout) -> None:
        if chart.rows is None:
            chart.stream = self._boards[chart.stream.name, chart.kind] = replace(chart.stream, timed=True)
        else:
            chart.rows.note_timed(layout)
            chart.stream = chart.rows.stream

    def _allow(self, password: object) -> None:
        if self._check is None:
            return
        if not self._check(password):
            what = "no password" if password is _MISSING else "a wrong password"
            raise Refusal(Cause.PASSWORD, f"{what} in {PASSWORD}")
        self._check = None
        self.password_came = True

    def _discover(self, message: object, recv: int) -> None:
        """Take whatever holds a number, as the decoder `auto` does."""
        self._rows.lacked = False
        reader = self._reader
        reader.read(message, recv)
        self._out.bad_times += reader.bad_times
        if self._rows.lacked:
            raise self._too_many()
        if not reader.ticks:
            finite = "finite " if reader.not_finite else ""
            raise Refusal(Cause.EMPTY, f"neither id and value, nor another {finite}number in it")

    def _add(self, chart: Chart, rows: StreamRows, value: object, t: int) -> None:
        columns = chart.columns
        if type(value) is float or type(value) is int:
            value = [value]
        if type(value) is list and len(value) == len(columns) == rows.width and chart.kind in LINES:
            values = [to_float(each) for each in value]
            # What is not finite may yet be no number at all, which the long way tells.
            if all(x == x for x in values):
                rows.add(t, values if chart.straight else _in_columns(values, columns, rows.width))
                return
        found = rows_of(chart.kind, value, chart.legend)
        for numbers in found:
            self._add_numbers(rows, numbers, t)
        chart.stream = rows.stream

    def _add_numbers(self, rows: StreamRows, numbers: Numbers, t: int) -> None:
        fields = tuple(numbers)
        self._grow(rows, fields)
        known = {name: column for column, name in enumerate(rows.stream.fields)}
        rows.add(t, _in_columns(list(numbers.values()), [known[name] for name in fields], rows.width))

    def _grow(self, rows: StreamRows, fields: tuple[str, ...]) -> None:
        missing = [name for name in fields if name not in rows.stream.fields]
        if len(missing) + rows.width > MAX_FIELDS:
            raise Refusal(Cause.FIELD, f"legend: {rows.stream.label} has {rows.width} of {MAX_FIELDS} fields already")
        if missing:
            rows.grow(fields, fields)

    def _described(self, message: dict[str, Any], value: object, chart_id: object, kind_said: object) -> Chart:
        """The chart that a message describes: a new one, or one that is described anew. Raises Refusal."""
        name, kind = self._name_and_kind(chart_id, kind_said)
        look = look_of(kind, message)
        if kind in ITEMS:
            item_of(kind, value)
            chart = Chart(self._board(name, kind), kind)
        else:
            chart = self._numeric(name, kind, message, value)
        self._charts[chart_id, kind_said] = chart
        key = chart.stream.key
        if self._looks.get(key) != look:
            self._looks[key] = self._out.looks[key] = look
        return chart

    def _take_figure(self, figure: dict[str, Any], frame: bytes, recv: int) -> None:
        """Take a Plotly figure; it replaces the one before with the same `id`, or that has none either."""
        name = self._name_and_kind(figure["id"], None)[0] if figure.get("id") is not None else ""
        stream = self._board(name, FIGURE)
        self._out.items.append(Item(stream, recv, recv, FIGURE, figure, len(frame), replaces=True))

    def _board(self, name: str, kind: str) -> Stream:
        """The stream of what is no numbers. Raises Refusal where there is no room for a new one."""
        stream = self._boards.get((name, kind))
        if stream is None:
            if not self._has_room():
                raise self._too_many()
            stream = self._boards[name, kind] = Stream(self._feed, name, kind, (), timed=False, found=self.name)
        return stream

    def _numeric(self, name: str, kind: str, message: dict[str, Any], value: object) -> Chart:
        legend = legend_of(message.get("legend"), self._max_name)
        fields = tuple(dict.fromkeys(name for row in rows_of(kind, value, legend) for name in row))
        rows = self._rows.streams.get((name, kind))
        if rows is None:
            if len(fields) > MAX_FIELDS:
                raise Refusal(Cause.FIELD, f"value: over {MAX_FIELDS} numbers with different names")
            rows = self._rows.new(
                name, kind, fields, timed=False, found=self.name, layout=Layout(key="id", fields=fields)
            )
            if rows is None:
                raise self._too_many()
        else:
            self._grow(rows, fields)
        known = {field_name: column for column, field_name in enumerate(rows.stream.fields)}
        columns = [known[each] for each in legend] if all(each in known for each in legend) else []
        return Chart(rows.stream, kind, rows, None, legend, columns, columns == list(range(len(columns))))

    def _name_and_kind(self, chart_id: object, kind: object) -> tuple[str, str]:
        known = "line" if kind is None else kind
        if type(known) is not str or known not in TYPES:
            raise bad("type", kind, f"one of {', '.join(TYPES)}")
        if type(chart_id) is float and chart_id == to_float(chart_id):
            chart_id = int(chart_id) if chart_id.is_integer() else repr(chart_id)
        if type(chart_id) not in (str, int) or not (is_number(chart_id) or str(chart_id).strip()):
            raise bad("id", chart_id, "a number or a name")
        name = str(chart_id)
        if len(name) > self._max_name:
            raise Refusal(
                Cause.NAME, f"id: {len(name):,} characters are over the limit of {self._max_name} (--max-name)"
            )
        return label(name), known

    def _has_room(self) -> bool:
        return len(self._rows.streams) + len(self._boards) < self._max_streams

    def _too_many(self) -> Refusal:
        return Refusal(Cause.STREAMS, f"a new stream, and there are {self._max_streams:,} already (--max-streams)")


def _in_columns(values: list[float], columns: list[int], width: int) -> list[float]:
    row = [NAN] * width
    for column, value in zip(columns, values, strict=True):
        row[column] = value
    return row
