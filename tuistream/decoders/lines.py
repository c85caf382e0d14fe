"""Lines of text: numbers, several columns of them, CSV with a header, `a=1 b=2`, StatsD; and JSON, for `auto`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tuistream.decoders import create
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.discovery.reader import Reader
from tuistream.decoders.table.columns import take_columns
from tuistream.decoders.table.lines import NoRow, Table
from tuistream.decoders.wire.handing_over import HandingOver
from tuistream.decoders.wire.rows import Rows

TOGETHER = 8  # rows of a read from which columns are cheaper
MOST_TOGETHER = 256  # of these one odd row makes all be read one by one
_JSON = (b"{", b"[")


class Decoder(HandingOver):
    """Rows become messages, cells by the names of their columns, and these are read as `auto` reads JSON objects.

    Where JSON comes before any row, `auto` takes over.
    """

    name: ClassVar[str] = "lines"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        self._feed = feed
        self._options = options
        self._rows = Rows(feed)
        self._reader = Reader(self._rows, options)
        self._table = Table(options.time_field)
        self._begun = False  # there has been a row

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:
        if self._successor:
            return self._successor.decode(frames, recv)
        out = Decoded()
        if self._begun and len(frames) >= TOGETHER:
            self._take_together(frames, recv, out)
            return out
        for at, frame in enumerate(frames):
            if not self._begun and frame.lstrip().startswith(_JSON):
                self._successor = create("auto", self._feed, self._options)
                rest = self._successor.decode(frames[at:], recv)
                rest.other += out.other
                rest.malformed = [*out.malformed, *rest.malformed]
                return rest
            self._take(frame, recv, out)
        out.batches = self._rows.batches(recv)
        return out

    def _take_together(self, frames: Sequence[bytes], recv: int, out: Decoded) -> None:
        """Take the frames of a read column by column where they are alike; the result is that of `_take` for each."""
        for first in range(0, len(frames), MOST_TOGETHER):
            part = frames[first : first + MOST_TOGETHER]
            if take_columns(part, first, self._table, self._reader, recv):
                out.data += len(part)
                continue
            for at, frame in enumerate(part, first):
                self._rows.at_frame(at)
                self._take(frame, recv, out)
        out.batches = self._rows.batches(recv)

    def _take(self, frame: bytes, recv: int, out: Decoded) -> None:
        try:
            message = self._table.message(frame.decode("utf-8", "replace"), recv)
        except NoRow as no:
            if no.header:
                out.other += 1
            else:
                out.malformed.append((frame, f"{no}, {len(frame):,} bytes"))
            return
        reader = self._reader
        reader.read(message, recv)
        out.bad_times += reader.bad_times
        if reader.ticks:
            out.data += 1
            self._begun = True
        elif reader.not_finite:
            out.malformed.append((frame, f"no finite number in it, {len(frame):,} bytes"))
        elif reader.control:
            out.control += 1
        else:
            out.other += 1
