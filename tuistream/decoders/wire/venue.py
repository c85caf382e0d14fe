"""What the decoders of venues share: the loop over frames, kinds of ticks as tables, and their streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar

import msgspec
import numpy as np
from msgspec.structs import replace

from tuistream.core.batch import IdRule, Times
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.numbers import is_not_finite, to_float, to_id
from tuistream.decoders.wire.report import StreamReport, reports
from tuistream.decoders.wire.rows import Layout, Rows, StreamRows, label
from tuistream.decoders.wire.timestamps import to_ns, unit_of
from tuistream.decoders.wire.typed import PLACES, WORTH_IT, Done, Typed

MAX_NOTICES = 20  # from one read
QUIET = 60.0  # seconds: a venue without heartbeats may be silent for as long as nobody trades
BEATING = 5.0  # seconds: one that sends a heartbeat every second may not

Message = dict[str, Any]
Row = tuple[StreamRows, int, list[float], int | str | None]


class Outcome(Enum):
    """What a frame was."""

    DATA = "data"
    CONTROL = "control"
    OTHER = "other"


class Kind(msgspec.Struct, frozen=True):
    """One kind of tick of a venue.

    keys: the key in the message of each field; those in `optional` are fields only where a message has them.
    time, id: the keys of event time and id, "" where there is none.
    """

    kind: str
    keys: Mapping[str, str]
    time: str = ""
    id: str = ""
    ids: IdRule = IdRule.OPAQUE
    optional: Mapping[str, str] = msgspec.field(default_factory=dict)


class VenueDecoder:
    """A decoder of one venue's frames, but for `_message`.

    A message that is not as its venue documents it is malformed as a whole: none of its ticks is kept.
    """

    name: ClassVar[str] = ""
    name_key: ClassVar[str] = ""  # where a tick names what it is of
    quiet: ClassVar[float] = QUIET  # seconds of silence that mean nothing, before a heartbeat has come
    texts: ClassVar[frozenset[bytes]] = frozenset()  # messages that are no JSON, such as `pong`
    chosen: str

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        if replace(options, after_login=()) != DecoderOptions():
            raise SettingsError(
                f"--time-field, --fields, --key, --id: the {self.name} decoder knows its fields; use --decoder auto"
            )
        self.chosen = self.name
        self._after_login = options.after_login
        self._is_in = False
        self.stale_after = self.quiet
        self._rows = Rows(feed, PLACES)
        self._typed: Typed | None = None
        self._staged: list[Row] = []
        self._place = 0  # in the read, of the frame that is decoded
        self._bad_times = 0

    def opened(self) -> None:
        self.stale_after = self.quiet
        self._is_in = False

    def heartbeat(self) -> tuple[float, str] | None:
        return None

    def understands(self, message: object) -> bool:
        """Whether a message, the first of an unknown feed, is this venue's. Never raises."""
        try:
            return self._is_ours(message)
        except (KeyError, TypeError, IndexError, AttributeError):
            return False

    def describe(self) -> list[StreamReport]:
        """What was found so far, a report for each stream."""
        return reports(self._rows)

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:
        return self._decode(frames, recv)

    def decode_many(self, frames: Sequence[bytes], recvs: Times) -> Decoded | None:
        return self._decode(frames, recvs)

    def _decode(self, frames: Sequence[bytes], recv: int | Times) -> Decoded:
        """recv: when all frames came, or each."""
        out = Decoded()
        if len(frames) < WORTH_IT:
            for at, frame in enumerate(frames):
                self._decode_at(at, frame, recv, out)
        else:
            done = Done(np.zeros(len(frames), dtype=np.bool_))
            self._together(frames, recv, done)
            left = np.flatnonzero(done.left).tolist()
            out.other = done.other
            out.data = len(frames) - len(left) - done.other
            for at in left:
                self._reached(at, done)
                self._decode_at(at, frames[at], recv, out)
            self._reached(len(frames), done)
        out.batches = self._rows.batches(recv)
        return out

    def _decode_at(self, at: int, frame: bytes, recv: int | Times, out: Decoded) -> None:
        self._place = at << PLACES
        self._rows.at_frame(self._place)
        self._decode_one(frame, recv if isinstance(recv, int) else int(recv[at]), out)

    def _together(self, frames: Sequence[bytes], recv: int | Times, done: Done) -> None:
        """Decode together what fits of the frames of a read, and leave the others."""
        self._typed = self._typed or self._make_typed()
        if self._typed:
            self._typed.take(frames, np.arange(len(frames)), recv, done)
        else:
            done.left[:] = True

    def _make_typed(self) -> Typed | None:
        """How messages of a read are decoded together. Made when it is needed first, since that takes time."""
        return None

    def _reached(self, frame: int, done: Done) -> None:
        """Bring up to date what the general way remembers: all frames before `frame` of this read have been taken."""

    def _decode_one(self, frame: bytes, recv: int, out: Decoded) -> None:
        try:
            outcome = self._frame(frame, recv, out)
        except Malformed as error:
            if frame in self.texts:
                out.control += 1
            else:
                self._refuse(frame, str(error), out)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            self._refuse(frame, f"no {self.name} message: {type(error).__name__} {printable(str(error))}", out)
        else:
            if outcome is Outcome.DATA:
                out.data += 1
            elif outcome is Outcome.CONTROL:
                out.control += 1
            else:
                out.other += 1

    def _frame(self, frame: bytes, recv: int, out: Decoded) -> Outcome:
        """Take one frame; a decoder with a faster way for its commonest messages overrides this."""
        outcome = self._message(loads(frame), recv, out)
        for number, (rows, t, values, tick_id) in enumerate(self._staged):
            if number:
                self._rows.at_frame(self._place + number)
            rows.add(t, values, tick_id)
        ticks = len(self._staged)
        self._staged.clear()
        out.bad_times += self._bad_times
        self._bad_times = 0
        return Outcome.DATA if ticks else outcome

    def _let_in(self, out: Decoded) -> None:
        """The venue has accepted the login: say what was to be said then, once a connection."""
        if not self._is_in:
            self._is_in = True
            out.replies.extend(self._after_login)

    def _message(self, message: object, recv: int, out: Decoded) -> Outcome:
        """Stage the ticks of a message; what it is where it has none."""
        raise NotImplementedError

    def _is_ours(self, message: object) -> bool:
        raise NotImplementedError

    def _refuse(self, frame: bytes, why: str, out: Decoded) -> None:
        self._staged.clear()
        self._bad_times = 0
        out.malformed.append((frame, why))

    def _stage(self, kind: Kind, name: str, message: Message, recv: int, t: int | None = None) -> StreamRows | None:
        """Stage one tick of `kind` with the values in `message`; the stream that it is of, None where it is none.

        t: its time, where the message has none itself.
        """
        rows = self._stream(kind, name, message, timed=bool(kind.time) or t is not None)
        if rows is None:
            return None
        values = [to_float(message.get(key)) for key in rows.layout.fields]
        if values[0] != values[0] and all(value != value for value in values):
            self._no_number(rows, message)
            return None
        if kind.time:
            t = to_ns(message.get(kind.time), recv)
        if t is None:
            t = recv
            self._bad_times += rows.stream.timed
        self._staged.append((rows, t, values, to_id(message.get(kind.id)) if kind.id else None))
        return rows

    def _stage_trade(self, kind: Kind, name: str, trade: Message, recv: int) -> StreamRows | None:
        """As `_stage`, of a trade, which is malformed without a finite price."""
        price = to_float(trade[kind.keys["price"]])
        if price != price:
            raise Malformed("a trade without a finite price")
        return self._stage(kind, name, trade, recv)

    def _no_number(self, rows: StreamRows, message: Message) -> None:
        if any(is_not_finite(message.get(key)) for key in rows.layout.fields):
            raise Malformed("no finite number in it")

    def _stream(self, kind: Kind, name: str, message: Message, timed: bool) -> StreamRows | None:
        """The stream of a tick with room for its fields; None where there are too many streams."""
        if type(name) is not str or not name:
            raise Malformed("a tick without a symbol")
        stream_name = label(name)
        rows = self._rows.streams.get((stream_name, kind.kind))
        if rows is None:
            fields = {**kind.keys, **{name: key for name, key in kind.optional.items() if key in message}}
            layout = Layout(
                kind.time if timed else "",
                unit_of(message.get(kind.time)),
                kind.id,
                self.name_key,
                tuple(fields.values()),
            )
            return self._rows.new(stream_name, kind.kind, tuple(fields), kind.ids, timed, self.name, layout)
        if kind.optional and rows.width < len(kind.keys) + len(kind.optional):
            later = {name: key for name, key in kind.optional.items() if key in message}
            rows.grow(tuple(later), tuple(later.values()))
        return rows


def notice(out: Decoded, text: object) -> None:
    """Give the human what the producer said, unless it says too much at once."""
    if len(out.notices) < MAX_NOTICES:
        out.notices.append(printable(str(text), 300))
