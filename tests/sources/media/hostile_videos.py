"""Videos that lie, and what is none: each by its name, with what is said of it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from tests.sources.media.videos import encoded

BROKEN = "no video that can be shown, or a broken one"
NO_SIZE = "a video without a size, or over the limit of 33,177,600 pixels"
MEMORY = "it wants more than 2 GiB of memory"
MANY = 1_000_000_000
WIDE = 100_000


def hostile(secret: str) -> dict[str, tuple[bytes, str, int]]:
    """The bytes, the words, and how many frames can be decoded. secret: the path of a video that some name."""
    mp4, raw = encoded(10), encoded(10, "avi", "rawvideo")
    moving = encoded(10, "mjpeg", "mjpeg")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("clip.mp4", bytes(1 << 24))
    return {
        "empty": (b"", BROKEN, 0),
        "garbage": (bytes((7 * n * n + n // 3) % 251 for n in range(50_000)), BROKEN, 0),
        "zeros": (bytes(100_000), BROKEN, 0),
        "zip of zeros": (archive.getvalue(), BROKEN, 0),
        "a header of 4 GB of zeros": (_compressed_header(), MEMORY, 0),
        "100,000 x 100,000": (_put(raw, b"strf", 8, struct.pack("<II", WIDE, WIDE)), NO_SIZE, 0),
        "16,000 x 16,000": (_put(raw, b"strf", 8, struct.pack("<II", 16_000, 16_000)), NO_SIZE, 0),
        "JPEGs of 65,500 x 65,500": (jpeg_sizes(moving, 65_500, first=0), NO_SIZE, 0),
        "JPEGs that grow": (jpeg_sizes(moving, 16_000, first=5), "the video has ended after 5 frames", 5),
        "1e9 frames": (_put(mp4, b"stts", 4, struct.pack(">I", MANY)), MEMORY, 0),
        "1e9 sizes of frames": (_put(mp4, b"stsz", 8, struct.pack(">I", MANY)), BROKEN, 0),
        "1e9 key frames": (_put(mp4, b"stss", 4, struct.pack(">I", MANY)), MEMORY, 0),
        "1e9 frames by the way": (
            _put(raw, b"avih", 20, struct.pack("<I", MANY)),
            "the video has ended after 10 frames",
            10,
        ),
        "no index": (mp4[: len(mp4) // 2], BROKEN, 0),
        "a playlist": (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode(),
            BROKEN,
            0,
        ),
        "a list of files": (f"ffconcat version 1.0\nfile '{secret}'\n".encode(), BROKEN, 0),
        "a session": (
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 26\r\n",
            BROKEN,
            0,
        ),
        "a program of DASH": (_dash(secret), BROKEN, 0),
    }


def _put(data: bytes, name: bytes, behind: int, value: bytes) -> bytes:
    """A container with other bytes so many behind the first chunk of that name."""
    at = data.index(name) + len(name) + behind
    return data[:at] + value + data[at + len(value) :]


def jpeg_sizes(data: bytes, size: int, first: int) -> bytes:
    """Motion JPEG whose pictures, from the `first` on, say that they are that large."""
    changed, at, number = bytearray(data), data.find(b"\xff\xc0"), 0
    while at >= 0:
        if number >= first:
            changed[at + 5 : at + 9] = struct.pack(">HH", size, size)
        at, number = data.find(b"\xff\xc0", at + 9), number + 1
    return bytes(changed)


def _compressed_header() -> bytes:
    """A QuickTime header that is compressed, and much larger than its file."""
    zeros = zlib.compress(bytes(1 << 26), 9)
    header = _box(b"dcom", b"zlib") + _box(b"cmvd", struct.pack(">I", 0xFFFFFFF0) + zeros)
    return _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov", _box(b"cmov", header)) + _box(b"mdat", bytes(100))


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def _dash(secret: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>file://{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode()
