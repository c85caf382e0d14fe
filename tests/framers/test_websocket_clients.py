"""What clients send, cut anywhere, beside the stock parser: the same messages in the same order, and the same end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.utils import apply_mask

from tuistream.framers.websocket_clients import ClientFrameSlicer

LIMIT = 70_000
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"
)
Item = bytes | str


class Stock:
    """The stock parser, with messages put together from its frames, and pings and closes in their places."""

    def __init__(self) -> None:
        self.protocol = ServerProtocol(max_size=LIMIT)
        self._message: bytearray | None = None

    def receive(self, data: bytes) -> list[Item]:
        self.protocol.receive_data(data)
        found: list[Item] = []
        for event in self.protocol.events_received():
            if not isinstance(event, Frame):
                self.protocol.send_response(self.protocol.accept(event))  # type: ignore[arg-type]
                found.append("request")
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._message = (self._message or bytearray()) + event.data
                if event.fin:
                    found.append(bytes(self._message))
                    self._message = None
            else:
                found.append(f"{event.opcode.name} {bytes(event.data)!r}")
        return found

    @property
    def over(self) -> bool:
        return self.protocol.state not in (State.CONNECTING, State.OPEN)


def stock_reading(wire: bytes) -> tuple[list[Item], bool]:
    stock = Stock()
    # As accepting changes what a frame may be, the request is given by itself, as a client would send it.
    end = wire.find(b"\r\n\r\n") + 4
    return stock.receive(wire[:end]) + stock.receive(wire[end:]), stock.over


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    size = len(payload)
    mask = b"\x37\xfa\x21\x3d" if masked else b""
    flag = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 1 << 16:
        head = bytes((first, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, flag | 127)) + size.to_bytes(8, "big")
    return head + mask + (apply_mask(payload, mask) if masked else payload)


payloads = st.binary(max_size=130) | st.sampled_from([125, 126, 127, 65_535, 65_536, LIMIT]).map(
    lambda n: b"\x81a" * (n // 2)
)
plain = st.builds(frame, st.sampled_from([1, 2]), payloads)
control = st.builds(frame, st.sampled_from([9, 10]), st.binary(max_size=125))
fragments = st.lists(st.binary(max_size=300) | payloads, min_size=2, max_size=4).map(
    lambda parts: b"".join(
        frame(1 if not at else 0, part, fin=at == len(parts) - 1) + (frame(9, b"p") if at else b"")
        for at, part in enumerate(parts)
    )
)
rare = st.sampled_from(
    [
        frame(8, b"\x03\xe8bye"),
        frame(1, b"a", masked=False),
        frame(1, b"a", reserved=4),
        frame(0, b"lone"),
        frame(1, b"x" * (LIMIT + 1)),
        frame(1, b"x", fin=False) + frame(2, b"y"),
        frame(3, b"?"),
        b"\xff" * 40,
    ]
)
wires = st.tuples(st.lists(plain | plain | fragments | control, max_size=15), st.lists(rare, max_size=1)).map(
    lambda parts: UPGRADE + b"".join([*parts[0], *parts[1], frame(1, b"after")])
)


@given(wires, st.lists(st.integers(0, 300_000), max_size=8))
@example(UPGRADE + frame(1, b"a") * 3, [5, len(UPGRADE) - 2, len(UPGRADE) + 1])
def test_any_cut_gives_what_the_stock_parser_gives(wire: bytes, cuts: list[int]) -> None:
    slicer, stock = ClientFrameSlicer(LIMIT, apply_mask), Stock()
    found: list[Item] = []
    places = sorted({0, *(cut % len(wire) for cut in cuts), len(wire)})
    for start, end in pairwise(places):
        for part in slicer.feed(wire[start:end]):
            if isinstance(part, bytes):
                found += stock.receive(part)
            elif not stock.over:
                found += part
    assert (found, stock.over) == stock_reading(wire)
    assert stock.over or slicer.held == 0


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_are_taken(data: bytes, size: int) -> None:
    slicer = ClientFrameSlicer(100, apply_mask)
    for at in range(0, len(data), size):
        for part in slicer.feed(data[at : at + size]):
            assert part
        assert slicer.held <= len(data)


def test_what_has_begun_is_counted() -> None:
    slicer = ClientFrameSlicer(LIMIT, apply_mask)
    slicer.feed(UPGRADE)
    whole = frame(1, b"x" * 1_000)
    slicer.feed(whole[:500])
    assert slicer.held == 500
    slicer.feed(whole[500:])
    assert slicer.held == 0
    slicer.feed(frame(1, b"x" * 1_000, fin=False)[:500])
    assert slicer.held == 500
    slicer.feed(frame(1, b"x" * 1_000, fin=False)[500:])
    assert slicer.held == len(whole)
    slicer.feed(frame(9, b"ping"))
    slicer.feed(frame(0, b""))
    assert slicer.held == 0
