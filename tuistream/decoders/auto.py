"""Fields found with no configuration; and, where frames are a known venue's, that venue's own decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from tuistream.core.text import printable
from tuistream.decoders import create, venues
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.discovery.arrays import ArrayItems, TooLarge
from tuistream.decoders.discovery.control import text_control
from tuistream.decoders.discovery.known import reading_by
from tuistream.decoders.discovery.reader import Reader
from tuistream.decoders.wire.bulk import WORTH_IT, Bulk
from tuistream.decoders.wire.handing_over import HandingOver
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.marks import may_be
from tuistream.decoders.wire.rows import Rows
from tuistream.decoders.wire.skeleton import Reading
from tuistream.decoders.wire.venue import VenueDecoder, notice

if TYPE_CHECKING:
    from tuistream.core.batch import Times
    from tuistream.decoders.lines import Decoder as LinesDecoder

LOOKED_AT = 8  # frames with ticks after which a feed is nobody's that we know
LOOKED_AT_IN_ALL = 1_000  # frames without one
MAX_REPLIES = 20  # to one read
NESTED = b"[["  # what a matrix begins with
RECORDING = "recording"  # what `tuistream serve FILE.db` sends


class Decoder(HandingOver):
    """Finds what the frames of any feed hold; hands over to a venue's decoder if its first frames are that venue's,
    and to that of lines if they are rows of text.

    What a message holds is decided with the first of its shape, and stays. `chosen`: the name of the decoder that
    serves, "auto", "lines" or a venue's. With options, or where no venue is to be looked for, it serves itself,
    whatever the frames are.
    """

    name: ClassVar[str] = "auto"

    def __init__(self, feed: str, options: DecoderOptions, *, look_for_venues: bool = True) -> None:
        self._feed = feed
        self._rows = Rows(feed)
        self._reader = Reader(self._rows, options)
        self._candidates: dict[str, VenueDecoder] = {}
        self._looking = look_for_venues and options == DecoderOptions()
        self._known = [RECORDING, *venues()] if self._looking else []
        self._with_ticks = self._without = 0  # frames looked at
        self._arrays = ArrayItems(feed)
        self._bulk = Bulk(self._reading_of)
        self._forgotten = 0
        self._header = b""  # what may name the columns of rows of text

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:
        if self._successor:
            return self._successor.decode(frames, recv)
        out = Decoded()
        if len(frames) >= WORTH_IT and not self._looking:
            self._take_bulk(frames, recv, recv, out)
            return out
        for at, frame in enumerate(frames):
            if self._looking:
                self._successor = self._recognised(frame)
                if self._successor:
                    rest = self._successor.decode(frames[at:], recv)
                    return _joined(out, self._rows, rest, recv)
            self._take(frame, recv, out)
        out.batches = self._rows.batches(recv)
        return out

    def decode_many(self, frames: Sequence[bytes], recvs: Times) -> Decoded | None:
        if self._successor:
            many = self._successor if isinstance(self._successor, VenueDecoder) else None
            return many.decode_many(frames, recvs) if many else None
        if self._looking:
            return None
        out = Decoded()
        if len(frames) >= WORTH_IT:
            self._take_bulk(frames, int(recvs.min()), recvs, out)
            return out
        for at, (frame, recv) in enumerate(zip(frames, recvs.tolist(), strict=True)):
            self._rows.at_frame(at)
            self._take(frame, recv, out)
        out.batches = self._rows.batches(recvs)
        return out

    def _take_bulk(self, frames: Sequence[bytes], recv: int, recvs: int | Times, out: Decoded) -> None:
        """Decode frames together as far as they are alike; the result is that of `_take` for each.

        recv: when the first of them came. recvs: when they did, or each of them.
        """
        if self._reader.forgotten != self._forgotten:
            self._forgotten = self._reader.forgotten
            self._bulk.forget()
        left = self._bulk.take(frames, recv)
        out.data = len(frames) - len(left)
        for at in left:
            self._rows.at_frame(at)
            self._take(frames[at], recvs if isinstance(recvs, int) else int(recvs[at]), out)
        self._bulk.learn()
        out.batches = self._rows.batches(recvs)

    def _reading_of(self, frame: bytes) -> Reading | None:
        try:
            message = loads(frame)
        except Malformed:
            return None
        plan = self._reader.plan_of(message)
        return reading_by(plan, message) if plan and type(message) is dict else None

    def _recognised(self, frame: bytes) -> VenueDecoder | LinesDecoder | None:
        try:
            message = loads(frame)
        except Malformed:
            return self._table(frame)
        candidates = (self._candidate(name) for name in self._known if may_be(name, frame))
        return next((venue for venue in candidates if venue.understands(message)), None)

    def _candidate(self, name: str) -> VenueDecoder:
        if name not in self._candidates:
            self._candidates[name] = cast(VenueDecoder, create(name, self._feed, DecoderOptions()))
        return self._candidates[name]

    def _table(self, frame: bytes) -> LinesDecoder | None:
        """The decoder of rows of text, where such a one comes before any tick; with the names of its columns."""
        if self._with_ticks:
            return None
        from tuistream.decoders.table.cells import MAX_LINE
        from tuistream.decoders.table.lines import is_row

        if len(frame) > MAX_LINE or not is_row(frame.decode("utf-8", "replace")):
            return None
        from tuistream.decoders.lines import Decoder as LinesDecoder

        found = LinesDecoder(self._feed, DecoderOptions())
        found.decode([self._header] if self._header else [], 0)
        return found

    def _may_be_header(self, frame: bytes) -> bool:
        if not self._looking or self._with_ticks:
            return False
        from tuistream.decoders.table.cells import MAX_LINE
        from tuistream.decoders.table.lines import is_header

        if len(frame) <= MAX_LINE and is_header(frame.decode("utf-8", "replace")):
            self._header = frame
            return True
        return False

    def _note_looked(self, ticks: int) -> None:
        """A frame was nobody's that we know."""
        self._with_ticks += ticks > 0
        self._without += ticks == 0
        if self._with_ticks >= LOOKED_AT or self._without >= LOOKED_AT_IN_ALL:
            self._looking = False
            self._candidates = {}

    def _take(self, frame: bytes, recv: int, out: Decoded) -> None:
        try:
            message = loads(frame)
        except Malformed as error:
            word = text_control(frame)
            if word:
                out.control += 1
                if word == "ping" and len(out.replies) < MAX_REPLIES:
                    out.replies.append("pong")
            elif self._may_be_header(frame):
                out.other += 1
            else:
                out.malformed.append((frame, str(error)))
            return
        reader = self._reader
        reader.read(message, recv)
        out.bad_times += reader.bad_times
        if reader.ticks:
            out.data += 1
            if NESTED in frame:
                self._take_arrays(message, frame, recv, out, beside_ticks=True)
        elif not reader.control and self._take_arrays(message, frame, recv, out, beside_ticks=False):
            pass
        elif reader.not_finite:
            out.malformed.append((frame, f"no finite number in it, {len(frame):,} bytes"))
        elif reader.control:
            out.control += 1
            for said in reader.complaints:
                notice(out, printable(said))
            out.replies.extend(reader.replies[: MAX_REPLIES - len(out.replies)])
        else:
            out.other += 1
        if self._looking:
            self._note_looked(reader.ticks)

    def _take_arrays(self, message: object, frame: bytes, recv: int, out: Decoded, *, beside_ticks: bool) -> bool:
        """Take a matrix or a curve; whether there was one. One that is too large is counted."""
        try:
            item = self._arrays.take(message, len(frame), recv, beside_ticks=beside_ticks)
        except TooLarge as error:
            if beside_ticks:
                notice(out, str(error))
            else:
                out.malformed.append((frame, str(error)))
            return True
        if item is None:
            return False
        out.items.append(item)
        out.data += not beside_ticks
        return True


def _joined(first: Decoded, rows: Rows, rest: Decoded, recv: int) -> Decoded:
    """What `rest` decoded after `first`, in one."""
    rest.batches = [*rows.batches(recv), *rest.batches]
    rest.data += first.data
    rest.control += first.control
    rest.other += first.other
    rest.malformed = [*first.malformed, *rest.malformed]
    rest.bad_times += first.bad_times
    rest.replies = [*first.replies, *rest.replies]
    rest.items = [*first.items, *rest.items]
    rest.notices = [*first.notices, *rest.notices]
    return rest
