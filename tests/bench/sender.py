"""A raw WebSocket sender in a process of its own: as fast as a socket takes it, or one send() a message at a rate."""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

# 42 bytes on the wire, as in the measurements that the goals come from.
PAYLOAD = b'{"time": 1795172027.061, "price": 144.89}'[:40]
LOOK_FOR_PINGS = 10_000  # ticks
BLOCK = 1_000  # frames sent at once
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def tick(i: int, symbols: int = 1) -> bytes:
    """Tick `i` of 50,000 a second; of `symbols` streams in turn, where there are several."""
    symbol = b', "symbol": "S%d"' % (i % symbols) if symbols > 1 else b""
    return b'{"time": %d.%06d%b, "price": "%d.%02d"}' % (
        1_795_172_027 + i // 50_000,
        i % 50_000 * 20,
        symbol,
        140 + i % 9,
        i % 100,
    )


def frame(payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes((0x81, len(payload))) + payload


def _accept(listener: socket.socket) -> socket.socket:
    connection, _ = listener.accept()
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    lines = [line.split(b": ", 1) for line in request.split(b"\r\n") if b": " in line]
    key = next(value for name, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return connection


def _blocks(count: int) -> list[bytes]:
    """All frames, made before anybody connects: then the sender costs nothing, and the receiver is measured."""
    starts = range(0, count, BLOCK)
    return [b"".join(frame(tick(i)) for i in range(start, min(count, start + BLOCK))) for start in starts]


def _paced(connection: socket.socket, count: int, rate: float, symbols: int) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.perf_counter()
    for i in range(count):
        due = began + i / rate
        while (ahead := due - time.perf_counter()) > 0:
            if ahead > 2e-4:
                time.sleep(1e-4)
        connection.send(frame(tick(i, symbols)))
        if i % LOOK_FOR_PINGS == 0:
            _answer_pings(connection)


def _answer_pings(connection: socket.socket) -> None:
    """A client that gets no pong ends the connection, some 40 s on."""
    try:
        received = connection.recv(4096, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    while len(received) >= 6:  # a masked control frame, RFC 6455, 5.2
        opcode, length = received[0] & 0x0F, received[1] & 0x7F
        mask, payload = received[2:6], received[6 : 6 + length]
        if opcode == 9:
            connection.sendall(bytes((0x8A, length)) + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))
        received = received[6 + length :]


def _serve(listener: socket.socket, count: int, rate: float, symbols: int, ready: Event) -> None:
    blocks = [] if rate else _blocks(count)
    ready.set()
    while True:
        connection = _accept(listener)
        try:
            if rate:
                _paced(connection, count, rate, symbols)
            for block in blocks:
                connection.sendall(block)
            connection.sendall(b"\x88\x02\x03\xe8")
            connection.recv(4096)
        except OSError:
            pass
        connection.close()


@contextmanager
def sender(count: int, rate: float = 0.0, *, symbols: int = 1) -> Iterator[str]:
    """A server that sends `count` ticks to each client in turn, then closes with 1000. Gives its URL.

    rate: ticks/s in all, one send() each; 0 for flat out, in large chunks. symbols: streams, where there is a rate.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        process = context.Process(target=_serve, args=(listener, count, rate, symbols, ready), daemon=True)
        process.start()
        ready.wait()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.kill()
            process.join()
            process.close()
