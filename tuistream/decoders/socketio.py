"""Socket.IO events: each frame is the JSON text of a list, the event's name and then its arguments.

The event names the stream's kind. Numbers in its arguments are found as `auto` finds them; what the hub of charts
sends is decoded as the hub's own messages are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from msgspec.structs import replace

from tuistream.core.batch import Batch, Stream
from tuistream.core.board import Item
from tuistream.decoders.auto import Decoder as AutoDecoder
from tuistream.decoders.contract import Decoded, DecoderOptions
from tuistream.decoders.contract import Decoder as AnyDecoder
from tuistream.decoders.events import arguments as argument_forms
from tuistream.decoders.events.figures import Figures
from tuistream.decoders.events.streams import EventStreams
from tuistream.decoders.wire.report import StreamReport
from tuistream.decoders.wire.rows import label

MAX_EVENTS = 1_000  # names of events; what comes under further ones is counted as `other`
STALE_AFTER = 10.0
STALE_AFTER_FIGURES = 150.0  # whole figures come about once a minute
HUB_EVENT = "server"


@dataclass(slots=True)
class _Event:
    """One name. `decoder` reads the messages among its arguments; `waiting` are those of this read."""

    kind: str
    decoder: AnyDecoder
    streams: EventStreams | None  # None where the decoder names streams by itself
    item_stream: Stream
    first: int = 0
    waiting: list[bytes] = field(default_factory=list)


class Decoder:
    name: ClassVar[str] = "socketio"

    def __init__(self, feed: str, options: DecoderOptions) -> None:
        self._feed = feed
        self._options = options
        self._events: dict[str, _Event] = {}
        self._figures = Figures(feed)
        self._only_figures = True
        self._found: list[tuple[int, Batch]] = []  # of this read, with the frame that each began with

    @property
    def chosen(self) -> str:
        return self.name

    @property
    def stale_after(self) -> float:
        return STALE_AFTER_FIGURES if self._figures.reports and self._only_figures else STALE_AFTER

    def opened(self) -> None:
        for event in self._events.values():
            event.decoder.opened()

    def heartbeat(self) -> tuple[float, str] | None:
        return None

    def describe(self) -> list[StreamReport]:
        found = []
        for event in self._events.values():
            reports = event.decoder.describe()
            found += [event.streams.named(report) for report in reports] if event.streams else reports
        return [*found, *self._figures.reports.values()]

    def decode(self, frames: Sequence[bytes], recv: int) -> Decoded:
        out = Decoded()
        waiting: list[_Event] = []
        for at, frame in enumerate(frames):
            event = self._take(frame, at, recv, out)
            if event is not None and len(event.waiting) == 1:
                event.first = at
                waiting.append(event)
        for event in waiting:
            messages, event.waiting = event.waiting, []
            self._join(event, event.decoder.decode(messages, recv), recv, out)
        self._found.sort(key=lambda found: found[0])
        out.batches = [batch for _, batch in self._found]
        self._found.clear()
        return out

    def _take(self, frame: bytes, at: int, recv: int, out: Decoded) -> _Event | None:
        """Take one event. The event in question, if its message waits for its decoder."""
        try:
            name, form = argument_forms.form_of(frame)
        except argument_forms.NoEvent as error:
            out.malformed.append((frame, str(error)))
            return None
        event = self._events.get(name)
        if event is None and form is not None:
            event = self._new(name, form, recv)
        if event is None or form is None:
            out.other += 1
            return None
        match form:
            case argument_forms.Message(text):
                self._only_figures = False
                event.waiting.append(text)
                return event
            case argument_forms.Text(text):
                out.items.append(Item(event.item_stream, recv, recv, "text", text, len(frame)))
            case argument_forms.Arrays(arrays):
                out.items.append(Item(event.item_stream, recv, recv, "spectrum", arrays, len(frame), replaces=True))
            case argument_forms.Figure(figure):
                out.items.append(Item(event.item_stream, recv, recv, "figure", figure, len(frame), replaces=True))
                batches = self._figures.take(figure, event.kind, recv, out.looks)
                self._found.extend((at, batch) for batch in batches)
        out.data += 1
        return None

    def _new(self, name: str, form: argument_forms.Form, recv: int) -> _Event | None:
        if len(self._events) >= MAX_EVENTS:
            return None
        kind = label(name)
        item_stream = Stream(self._feed, "", kind, ())
        message = form.text if isinstance(form, argument_forms.Message) else b""
        if name == HUB_EVENT and argument_forms.is_of_hub(message):
            from tuistream.decoders.hub import Decoder as HubDecoder

            event = _Event(kind, HubDecoder(self._feed, self._options, relayed=True), None, item_stream)
        else:
            options = self._options
            if not options.time_field and argument_forms.x_is_now(message, recv):
                options = replace(options, time_field="x")
            reader = AutoDecoder(self._feed, options, look_for_venues=False)
            event = _Event(kind, reader, EventStreams(kind), item_stream)
        self._events[name] = event
        return event

    def _join(self, event: _Event, decoded: Decoded, recv: int, out: Decoded) -> None:
        out.data += decoded.data
        out.control += decoded.control
        out.other += decoded.other
        out.malformed += decoded.malformed
        out.bad_times += decoded.bad_times
        out.notices += decoded.notices
        streams = event.streams
        batches, items, looks = decoded.batches, decoded.items, decoded.looks
        if streams is not None:
            batches = [streams.batch(batch, event.decoder, recv) for batch in batches]
        out.items += items
        out.looks |= looks
        self._found.extend((event.first, batch) for batch in batches)
