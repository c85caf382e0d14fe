"""Decodes one video, in a process of its own: what comes from anyone is read by a library in C, which may hang, crash
or want all memory there is. Run by `player`, with PyAV (the extra `video`).

It is told by its standard input: a line of JSON (`Request`), then a line "COLUMNS ROWS" whenever the last frame was
taken. It tells by its standard output: `HEAD` and what belongs to it. A frame that comes before the last one was
taken is skipped, never kept.
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_PIXELS: Final = 7_680 * 4_320  # of a frame, by its header
MAX_MEMORY: Final = 2 << 30  # bytes of this process's address space
MAX_STREAMS: Final = 32  # in a container
PROBED: Final = 2 << 20  # bytes that are looked at to learn what it is
PROBED_US: Final = 2_000_000
BEAT_SECONDS: Final = 1.0  # between words to whoever waits, at most
LATE_SECONDS: Final = 1.0  # behind its own times, after which a video goes on from now
AHEAD_SECONDS: Final = 10.0  # before them: its times have jumped
NICE: Final = 5  # the screen and the recording come first
# Containers that hold a video themselves. Those that name others (playlists, concat, DASH) are not among them.
FORMATS: Final = "mov,matroska,avi,mpeg,mpegts,mpegvideo,flv,ogg,mjpeg,mpjpeg,h264,hevc,m4v,ivf,yuv4mpegpipe"
PROTOCOLS: Final = "tcp,rtp"  # of RTSP, whose packets come on its own connection; without rtsp: no redirects

HEAD: Final = struct.Struct("<cQQII")  # kind, frames decoded, frames broken, and two numbers
INFO, FRAME, BEAT, END = b"i", b"f", b"b", b"e"  # length of JSON; columns, rows; whether it rests; length of JSON

# url, or fd; format, or ""; live: it comes as it is made; room: columns, rows; rest: seconds after which it rests
# where nobody looks; quiet: seconds without anything from a server, after which it ends
Request = dict[str, Any]


class Refused(Exception):
    """What is asked for is not shown. final: nor would it be at another time."""

    def __init__(self, words: str, *, final: bool = True) -> None:
        super().__init__(words)
        self.final = final


class Decoder:
    """One video, from its request to its end."""

    def __init__(self, request: Request, control: int, out: int) -> None:
        """control, out: descriptors."""
        self._request = request
        self._live = bool(request["live"])
        self._rest = float(request["rest"])
        self._room: tuple[int, int] = tuple(request["room"])
        self._control, self._out = control, out
        self._heard = b""
        self._wanted = True
        self._taken_at = self._beat_at = self._came_at = time.monotonic()
        self._anchor: float | None = None  # the moment of the time 0 of the video
        self._decoded = self._broken = 0

    def run(self) -> None:
        """Until the end, of which it tells."""
        import av

        normal = False
        try:
            with self._opened() as container:
                stream = self._stream(container)
                self._play(container, stream)
            words, final = f"the video has ended after {self._decoded:,} frames", False
            if not self._decoded:
                words, final = "no frame of it could be decoded", True
            normal = not final
        except Refused as error:
            words, final = str(error), error.final
        except MemoryError:
            words, final = f"it wants more than {MAX_MEMORY >> 30} GiB of memory", True
        except av.FFmpegError as error:
            words, final = self._words(error)
        except OSError as error:
            words, final = error.strerror or type(error).__name__, False
        except (ValueError, RuntimeError, OverflowError) as error:  # PyAV's, of what no container should say
            words, final = f"broken: {type(error).__name__}: {error}", True
        self._tell_text(END, {"words": words, "final": final, "normal": normal})

    def _opened(self) -> InputContainer:
        import av

        request = self._request
        options = {
            "max_pixels": str(MAX_PIXELS),
            "max_streams": str(MAX_STREAMS),
            "probesize": str(PROBED),
            "analyzeduration": str(PROBED_US),
        }
        if "url" in request:
            options |= {"protocol_whitelist": PROTOCOLS, "rtsp_transport": "tcp", "allowed_media_types": "video"}
            return av.open(
                request["url"], "r", format="rtsp", options=options, timeout=float(request["quiet"]), io_open=_refuse
            )
        options |= {"protocol_whitelist": "none", "format_whitelist": FORMATS}
        file = os.fdopen(request["fd"], "rb", buffering=0)
        kind = request["format"] or None
        return av.open(file, "r", format=kind, options=options, io_open=_refuse, metadata_errors="replace")

    def _stream(self, container: InputContainer) -> VideoStream:
        """The video in it, within bounds. Raises Refused."""
        if not container.streams.video:
            raise Refused("there is no video in it")
        stream = container.streams.video[0]
        codec = stream.codec_context
        if codec is None:
            raise Refused("nothing here decodes it")
        if not codec.width * codec.height:
            raise Refused(f"a video without a size, or over the limit of {MAX_PIXELS:,} pixels")
        if codec.width * codec.height > MAX_PIXELS:
            size = f"{codec.width:,} x {codec.height:,}"
            raise Refused(f"a video of {size} pixels is over the limit of {MAX_PIXELS:,}")
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        rate = float(stream.average_rate or 0)
        self._tell_text(INFO, {"width": codec.width, "height": codec.height, "codec": codec.name, "rate": rate})
        return stream

    def _play(self, container: InputContainer, stream: VideoStream) -> None:
        import av

        waits_for_key = False
        for packet in container.demux(stream):
            self._came_at = time.monotonic()
            self._listen(0.0)
            if self._live and self._rests():
                waits_for_key = True
            if waits_for_key:
                # What builds on frames that were not decoded cannot be.
                if self._rests() or not packet.is_keyframe:
                    continue
                waits_for_key = False
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except (av.FFmpegError, ValueError):
                self._broken += 1
                continue
            for frame in frames:
                self._take(frame)

    def _take(self, frame: av.VideoFrame) -> None:
        self._decoded += 1
        if not self._live:
            self._wait_until_due(frame.time)
        self._listen(0.0)
        if self._wanted:
            self._send(frame)

    def _wait_until_due(self, at: float | None) -> None:
        """Return when a frame is to be seen, by its time in seconds, if it has one."""
        while self._rests():
            self._anchor = None
            self._listen(BEAT_SECONDS)
        if at is None:
            return
        now = time.monotonic()
        if self._anchor is None or not -LATE_SECONDS < self._anchor + at - now < AHEAD_SECONDS:
            self._anchor = now - at
        while (left := self._anchor + at - time.monotonic()) > 0:
            self._listen(left)

    def _rests(self) -> bool:
        return not self._wanted and time.monotonic() - self._taken_at > self._rest

    def _send(self, frame: av.VideoFrame) -> None:
        if frame.width * frame.height > MAX_PIXELS:
            raise Refused(f"a frame of {frame.width:,} x {frame.height:,} pixels")
        columns, rows = _fitting(frame, *self._room)
        small = frame.reformat(width=columns, height=rows, format="rgb24", interpolation="AREA")
        plane = small.planes[0]
        line, data = plane.line_size, memoryview(plane)
        parts = [data[row * line : row * line + 3 * columns] for row in range(rows)]
        self._wanted = False
        self._taken_at = time.monotonic()
        self._tell(FRAME, columns, rows, b"".join(parts))

    def _listen(self, seconds: float) -> None:
        """Take what was said, and say that we live, for so long at most."""
        if time.monotonic() - self._beat_at >= BEAT_SECONDS:
            self._tell(BEAT, self._rests(), 0)
        if not select.select([self._control], [], [], min(seconds, BEAT_SECONDS))[0]:
            return
        told = os.read(self._control, 4_096)
        if not told:
            os._exit(0)  # whoever wanted it has gone
        *lines, self._heard = (self._heard + told).split(b"\n")
        if lines:
            columns, rows = map(int, lines[-1].split())
            self._room = (max(1, columns), max(1, rows)) if columns or rows else self._room
            self._wanted = True
            self._taken_at = time.monotonic()

    def _words(self, error: av.FFmpegError) -> tuple[str, bool]:
        """What went wrong, without the URL, and whether it would at another time."""
        import av

        if "fd" in self._request:
            return "no video that can be shown, or a broken one", True
        # What waits in vain is told as one error or another.
        if time.monotonic() - self._came_at >= self._request["quiet"]:
            return f"nothing came for {self._request['quiet']:g} s", False
        if isinstance(error, av.error.InvalidDataError):
            return "no answer of an RTSP server, or a broken one", False
        if isinstance(error, av.error.ArgumentError):
            return "no RTSP as it is known here, or a server that refers to another", True
        if isinstance(error, av.error.HTTPClientError):
            return f"refused: {error.strerror}", True
        return error.strerror or type(error).__name__, False

    def _tell_text(self, kind: bytes, value: object) -> None:
        data = json.dumps(value).encode()
        self._tell(kind, len(data), 0, data)

    def _tell(self, kind: bytes, first: int, second: int, data: bytes = b"") -> None:
        self._beat_at = time.monotonic()
        rest = memoryview(HEAD.pack(kind, self._decoded, self._broken, first, second) + data)
        try:
            while rest:
                rest = rest[os.write(self._out, rest) :]
        except BrokenPipeError:
            os._exit(0)


def _fitting(frame: av.VideoFrame, columns: int, rows: int) -> tuple[int, int]:
    """The size of a frame with all of it within so many pixels, never larger than it is; its pixels made square."""
    aspect = getattr(frame, "sample_aspect_ratio", None)
    wide = frame.width * (float(aspect) if aspect and 0.1 < aspect < 10 else 1.0)
    scale = min(1.0, columns / wide, rows / frame.height)
    return max(1, round(wide * scale)), max(1, round(frame.height * scale))


def _refuse(url: str, _flags: int, _options: dict[str, str]) -> object:
    raise PermissionError(f"it names another file: {url}")


def main() -> None:
    import resource

    for limit, most in ((resource.RLIMIT_AS, MAX_MEMORY), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):  # macOS has no limit of address space
            continue
    os.nice(NICE)
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        line += byte
    import av

    av.logging.set_level(None)
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no message
    Decoder(json.loads(line), 0, out).run()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
