"""A camera: a server of RTSP 1.0 (RFC 2326) that sends H.264 over RTP (RFC 6184) on the connection itself."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from fractions import Fraction

import numpy as np
import pytest

from tests.sources.media.videos import RATE, SIZE, grey

av = pytest.importorskip("av")

CLOCK = 90_000  # of RTP timestamps, Hz
MOST = 1_200  # bytes of a NAL unit in one packet
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


class Camera:
    """status: what it answers to DESCRIBE. frames: of one connection, then it hangs up; None for no end.

    pause: seconds between frames. asked: the methods and URLs that it was asked for. sent: frames, in all.
    """

    def __init__(self) -> None:
        self.status = "200 OK"
        self.location = ""
        self.sdp = SDP
        self.frames: int | None = None
        self.pause = 1 / RATE
        self.asked: list[tuple[str, str]] = []
        self.sent = 0
        self.connections = 0
        self.size = SIZE
        self.mute = False  # it takes what it is asked, and answers nothing

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        sending: asyncio.Task[None] | None = None
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head[:1] == b"$":  # a report of the receiver
                    head = head[4 + int.from_bytes(head[2:4], "big") :]
                    if not head:
                        continue
                method, url = head.decode("latin-1").split(" ", 2)[:2]
                self.asked.append((method, url))
                found = re.search(rb"CSeq: *(\d+)", head, re.IGNORECASE)
                if self.mute:
                    continue
                writer.write(self.answer(method, found[1].decode() if found else "0"))
                if method == "PLAY":
                    sending = asyncio.create_task(self.send(writer))
                if method == "TEARDOWN":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if sending is not None:
                sending.cancel()
            writer.close()

    def answer(self, method: str, number: str) -> bytes:
        status, more, body = "200 OK", "", ""
        if method == "DESCRIBE":
            status, body = self.status, self.sdp if self.status.startswith("200") else ""
            more = "Content-Type: application/sdp\r\n" if body else f"Location: {self.location}\r\n"
        elif method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{more}{length}\r\n{body}".encode()

    async def send(self, writer: asyncio.StreamWriter) -> None:
        sequence = 0
        try:
            for number, units in enumerate(encoded(self.size)):
                if number == self.frames:
                    break
                packets = [packet for unit in units for packet in pieces(unit)]
                for place, packet in enumerate(packets):
                    last = 0x80 if place == len(packets) - 1 else 0
                    rtp = (
                        struct.pack(">BBHII", 0x80, last | 96, sequence & 0xFFFF, number * CLOCK // RATE, 7) + packet
                    )
                    writer.write(b"$\0" + len(rtp).to_bytes(2, "big") + rtp)
                    sequence += 1
                await writer.drain()
                self.sent += 1
                await asyncio.sleep(self.pause)
        except ConnectionError:
            pass
        finally:
            writer.close()


def encoded(size: tuple[int, int]) -> Iterator[list[bytes]]:
    """Frames without end, each as its NAL units."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = size
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(RATE), Fraction(1, RATE)
    codec.options = {"g": "10", "preset": "ultrafast", "tune": "zerolatency"}
    number = 0
    while True:
        frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), grey(number), np.uint8), format="rgb24")
        frame.pts = number
        for packet in codec.encode(frame):
            yield [unit for unit in re.split(rb"\x00\x00\x00?\x01", bytes(packet)) if unit]
        number += 1


def pieces(unit: bytes) -> Iterator[bytes]:
    """A NAL unit in RTP payloads: itself, or fragments (FU-A)."""
    if len(unit) <= MOST:
        yield unit
        return
    head, body = unit[0], unit[1:]
    for at in range(0, len(body), MOST):
        flags = (0x80 if at == 0 else 0) | (0x40 if at + MOST >= len(body) else 0)
        yield bytes([head & 0xE0 | 28, flags | head & 0x1F]) + body[at : at + MOST]


@asynccontextmanager
async def camera() -> AsyncIterator[tuple[Camera, str]]:
    """A camera, and its URL."""
    made = Camera()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live"
    finally:
        server.close()
        await asyncio.sleep(0)
