"""Videos, made by an encoder: each frame is of one grey, a little lighter than the one before."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av")

SIZE = 64, 48
RATE = 25


def encoded(frames: int, container: str = "mp4", codec: str = "libx264", size: tuple[int, int] = SIZE) -> bytes:
    """A video of `frames` frames; a key frame every 10."""
    file = io.BytesIO()
    options = {"g": "10", "bf": "0", "preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {}
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(frames):
            pixels = np.full((size[1], size[0], 3), grey(number), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()


def grey(number: int) -> int:
    """Of the frame with that number, from 0."""
    return 20 + number * 3 % 200


def video(folder: Path, frames: int, container: str = "mp4", codec: str = "libx264") -> Path:
    path = folder / f"clip.{container}"
    path.write_bytes(encoded(frames, container, codec))
    return path
