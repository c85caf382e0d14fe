"""The slicer beside the stock parser: the same bytes, cut anywhere, are the same messages in the same order."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from tuistream.core.frames import Frames
from tuistream.framers.websocket import FrameSlicer

LIMIT = 70_000
FILLER = b"\x81\x01a" * LIMIT  # payload that looks like frames
Item = bytes | str


class Stock:
    """The stock parser, with messages put together from its frames, and pings and closes in their places."""

    def __init__(self) -> None:
        self.protocol = ClientProtocol(
            parse_uri("ws://h/"), max_size=LIMIT, extensions=[ClientPerMessageDeflateFactory()]
        )
        self.request = self.protocol.connect()
        self.protocol.send_request(self.request)
        self._message: bytearray | None = None

    def receive(self, data: bytes) -> list[Item]:
        self.protocol.receive_data(data)
        found: list[Item] = []
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                found.append("handshake")
                continue
            assert isinstance(event, Frame)
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._message = (self._message or bytearray()) + event.data
                if event.fin:
                    found.append(bytes(self._message))
                    self._message = None
            else:
                found.append(f"{event.opcode.name} {bytes(event.data)!r}")
        if self.protocol.state not in (State.CONNECTING, State.OPEN):
            found.append("over")
        return found


def receive_sliced(slicer: FrameSlicer, stock: Stock, chunk: bytes) -> list[Item]:
    found: list[Item] = []
    for part in slicer.feed(chunk):
        if isinstance(part, bytes):
            found += stock.receive(part)
        elif stock.protocol.state is State.OPEN:
            found += part
    return found


def receive_together(slicer: FrameSlicer, stock: Stock, chunks: list[bytes]) -> list[Item]:
    """What several chunks give, in one run where they may be one."""
    alike = slicer.feed_alike(chunks)
    if alike is None:
        return [item for chunk in chunks for item in receive_sliced(slicer, stock, chunk)]
    frames, begin = alike
    assert frames.data[begin:] == b"".join(chunks)
    return list(frames)


def until_over(items: list[Item]) -> list[Item]:
    return items[: items.index("over") + 1] if "over" in items else items


def handshake(stock: Stock, deflate: bool) -> bytes:
    server = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()] if deflate else None)
    server.receive_data(b"".join(stock.protocol.data_to_send()))
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    return b"".join(server.data_to_send())


payloads = st.one_of(
    st.binary(max_size=130),
    st.integers(0, 70_000),  # so many bytes
    st.sampled_from([124, 125, 126, 127, 65_535, 65_536, 65_537, LIMIT]),
)
messages = st.tuples(st.just("message"), payloads, st.sampled_from([Opcode.TEXT, Opcode.BINARY]), st.booleans())
fragments = st.tuples(st.just("fragments"), st.lists(st.binary(max_size=300), min_size=2, max_size=4), st.booleans())
control = st.tuples(st.just("control"), st.binary(max_size=125), st.sampled_from([Opcode.PING, Opcode.PONG]))
rare = st.sampled_from(
    [("huge",), ("interleaved",), ("close",), ("masked",), ("reserved",), ("lone continuation",), ("garbage",)]
)
wires = st.lists(st.one_of(messages, messages, messages, fragments, control), max_size=25)


# Enough frames of a kind in a chunk that they are found all at once, also where their payload looks like frames.
samples = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\x81\x05", b"\x81\x81\x00", b"\x82", "Á".encode() * 3])),
    min_size=1,
    max_size=4,
)
bulk = st.tuples(
    st.just("run"), samples, st.integers(1, 1_500), st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY])
)
long_bulk = st.tuples(
    st.just("run"), st.lists(st.binary(min_size=120, max_size=130), min_size=1, max_size=3), st.just(700),
    st.just(Opcode.TEXT),
)  # fmt: skip


def serialize(parts: list[tuple[object, ...]], deflate: bool) -> bytes:  # noqa: C901
    extension = PerMessageDeflate(False, False, 15, 15) if deflate else None
    wire = b""

    def frame(opcode: Opcode, data: bytes, fin: bool = True, compressed: bool = False, mask: bool = False) -> bytes:
        extensions = [extension] if extension is not None and compressed else None
        return Frame(opcode, data, fin).serialize(mask=mask, extensions=extensions)

    for part in parts:
        match part:
            case ("message", int(length), Opcode() as opcode, bool(compressed)):
                wire += frame(opcode, FILLER[:length], compressed=compressed)
            case ("message", bytes(data), Opcode() as opcode, bool(compressed)):
                wire += frame(opcode, data, compressed=compressed)
            case ("run", list(few), int(count), Opcode() as opcode):
                wire += b"".join(frame(opcode, few[i % len(few)]) for i in range(count))
            case ("fragments", list(pieces), bool(interrupted)):
                for i, piece in enumerate(pieces):
                    wire += frame(Opcode.CONT if i else Opcode.TEXT, piece, fin=i == len(pieces) - 1)
                    if interrupted:
                        wire += frame(Opcode.PING, b"between")
            case ("control", bytes(data), Opcode() as opcode):
                wire += frame(opcode, data)
            case ("huge",):
                wire += frame(Opcode.BINARY, FILLER[: LIMIT + 1])
            case ("close",):
                wire += frame(Opcode.CLOSE, Close(1000, "done").serialize())
            case ("masked",):
                wire += frame(Opcode.TEXT, b"masked", mask=True)
            case ("reserved",):
                wire += b"\xc3\x01a"
            case ("lone continuation",):
                wire += frame(Opcode.CONT, b"alone")
            case ("interleaved",):
                wire += frame(Opcode.TEXT, b"begun", fin=False) + frame(Opcode.TEXT, b"another")
            case ("garbage",):
                wire += bytes(range(256))
    return wire


@given(
    before=wires,
    odd=st.none() | rare,
    after=wires,
    deflate=st.booleans(),
    cuts=st.lists(st.integers(1, 9_000), min_size=1),
)
@example(before=[], odd=("close",), after=[("message", b"late", Opcode.TEXT, False)], deflate=False, cuts=[1])
def test_same_messages_as_the_stock_parser(
    before: list[tuple[object, ...]],
    odd: tuple[object, ...] | None,
    after: list[tuple[object, ...]],
    deflate: bool,
    cuts: list[int],
) -> None:
    compare(serialize([*before, *([odd] if odd else []), *after], deflate), cuts, deflate, pieces=300)


@given(
    before=st.lists(st.one_of(bulk, bulk, bulk, long_bulk, messages, fragments, control), max_size=8),
    odd=st.none() | rare,
    after=st.lists(st.one_of(bulk, control), max_size=2),
    cuts=st.lists(st.integers(2_000, 60_000), min_size=1, max_size=5),
)
@example(before=[("run", [b"a"], 1_000, Opcode.TEXT)], odd=("huge",), after=[], cuts=[60_000])
@example(before=[("run", [b"a"], 1_000, Opcode.TEXT)], odd=("interleaved",), after=[], cuts=[60_000])
def test_runs_of_frames_are_the_messages_of_the_stock_parser(
    before: list[tuple[object, ...]],
    odd: tuple[object, ...] | None,
    after: list[tuple[object, ...]],
    cuts: list[int],
) -> None:
    compare(serialize([*before, *([odd] if odd else []), *after], False), cuts, deflate=False, pieces=30)


def compare(sent: bytes, cuts: list[int], deflate: bool, pieces: int) -> None:
    """Give both the same bytes in at most `pieces`, whose lengths are those of `cuts` in turn or more."""
    alone = Stock()
    wire = handshake(alone, deflate) + sent
    chunks: list[bytes] = []
    at = 0
    while at < len(wire):
        chunks.append(wire[at : at + max(cuts[len(chunks) % len(cuts)], len(wire) // pieces)])
        at += len(chunks[-1])
    expected = [item for chunk in chunks for item in alone.receive(chunk)]
    for together in (1, 3):
        beside, slicer = Stock(), FrameSlicer(LIMIT)
        beside.protocol.key = alone.protocol.key
        found: list[Item] = []
        for first in range(0, len(chunks), together):
            if together == 1:
                found += receive_sliced(slicer, beside, chunks[first])
            else:
                found += receive_together(slicer, beside, chunks[first : first + together])
        # Not compared whole where they are equal: a difference would be printed, and megabytes of it.
        same = until_over(found) == until_over(expected)
        assert same, [len(item) for item in found]


@given(st.binary(max_size=600), st.lists(st.integers(1, 50), min_size=1))
def test_any_bytes_after_the_handshake(garbage: bytes, cuts: list[int]) -> None:
    alone, beside, slicer = Stock(), Stock(), FrameSlicer(LIMIT)
    beside.protocol.key = alone.protocol.key
    wire = handshake(alone, False) + garbage + bytes(20)  # so that no header is left unfinished
    expected = alone.receive(wire)
    found: list[Item] = []
    at = turn = 0
    while at < len(wire):
        chunk = wire[at : at + cuts[turn % len(cuts)]]
        at, turn = at + len(chunk), turn + 1
        found += receive_sliced(slicer, beside, chunk)
    assert until_over(found) == until_over(expected)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_what_is_no_websocket_is_all_passed_on(chunks: list[bytes]) -> None:
    slicer = FrameSlicer(LIMIT)
    passed = b""
    for chunk in [b"HTTP/1.1 200 OK\r\n\r\n", *chunks]:
        for part in slicer.feed(chunk):
            assert isinstance(part, bytes)
            passed += part
    assert passed == b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(chunks)


def test_a_large_message_is_not_copied_with_every_read() -> None:
    slicer, stock = FrameSlicer(10_000_000), Stock()
    slicer.feed(handshake(stock, False))
    wire = Frame(Opcode.BINARY, b"x" * 5_000_000).serialize(mask=False)
    for at in range(0, len(wire), 1000):
        slicer.feed(wire[at : at + 1000])
        assert len(slicer._tail) <= 1 << 16


def test_chunks_of_like_frames_are_one_run_and_nothing_is_done_where_they_are_not() -> None:
    slicer = FrameSlicer(LIMIT)
    slicer.feed(handshake(Stock(), False))
    wire = b"".join(Frame(Opcode.TEXT, b"%06d" % i).serialize(mask=False) for i in range(3_000))
    ping = Frame(Opcode.PING, b"a").serialize(mask=False)
    assert slicer.feed_alike([wire[:5_000], wire[5_000:10_001]]) is not None
    assert slicer.feed_alike([wire[10_001:15_000], wire[15_000:20_000], ping]) is None
    alike = slicer.feed_alike([wire[10_001:15_000], wire[15_000:]])
    assert alike is not None
    frames, begin = alike
    assert begin == 1  # of the message that was cut
    assert [int(frame) for frame in frames] == list(range(1_250, 3_000))
    assert slicer.feed(ping) == [ping]


def test_a_chunk_of_like_frames_is_one_run_that_makes_no_message_until_it_is_asked() -> None:
    slicer = FrameSlicer(LIMIT)
    slicer.feed(handshake(Stock(), False))
    sent = [b"%d" % (10**i) for i in range(20)] * 50
    wire = b"".join(Frame(Opcode.TEXT, message).serialize(mask=False) for message in sent)
    (run,) = slicer.feed(wire + b"\x81\x05hal")
    assert isinstance(run, Frames)
    assert run.nbytes == sum(map(len, sent))
    assert list(run) == sent
    assert slicer.feed(b"lo") == [[b"hallo"]]


def test_payload_that_looks_like_frames_costs_no_more_than_twice() -> None:
    """After a short run the rest of the chunk is sliced one by one: no pass over the chunk for each frame."""
    slicer = FrameSlicer(LIMIT)
    slicer.feed(handshake(Stock(), False))
    sent = [b"\x81\x01a"] * 50_000
    parts = slicer.feed(b"".join(Frame(Opcode.TEXT, message).serialize(mask=False) for message in sent))
    assert len(parts) == 2
    assert [message for part in parts for message in part] == sent


def test_a_message_over_the_limit_is_in_no_run() -> None:
    slicer = FrameSlicer(300)
    slicer.feed(handshake(Stock(), False))
    huge = Frame(Opcode.TEXT, b"x" * 301).serialize(mask=False)
    small = Frame(Opcode.TEXT, b"x" * 300).serialize(mask=False)
    parts = slicer.feed(b"\x81\x01a" * 1_000 + small + huge + b"\x81\x01a" * 20)
    assert [list(part) if isinstance(part, Frames) else part for part in parts] == [
        [*[b"a"] * 1_000, b"x" * 300],
        huge,
        [b"a"] * 20,
    ]
