"""Recorded frames, read back."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.feeds import files
from tuistream.feeds.files import FrameFiles, Payload, read_frame

EXCERPTS = Path(__file__).parent.parent / "data" / "feeds"
DATA = os.environ.get("TUISTREAM_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="TUISTREAM_DATA is not set")


def frames_of(*paths: Path) -> tuple[list[tuple[int, Payload]], list[str]]:
    notes: list[str] = []
    blocks = FrameFiles(paths, notes.append).blocks()
    return [frame for block in blocks for frame in zip(block.times, block.payloads, strict=True)], notes


def test_binance_lines() -> None:
    frames, notes = frames_of(EXCERPTS / "binance_spot.txt")
    lines = (EXCERPTS / "binance_spot.txt").read_text().splitlines()
    assert [f"{t} {payload!s}" for t, payload in frames] == lines
    assert not notes


def test_a_gzip_capture_without_what_was_sent() -> None:
    frames, notes = frames_of(EXCERPTS / "kraken_trades.gz")
    lines = gzip.decompress((EXCERPTS / "kraken_trades.gz").read_bytes()).decode().splitlines()
    received = [line.partition(": ")[2] for line in lines if line[:1].isdigit()]
    assert [payload for _, payload in frames] == received
    assert len(received) == 49
    assert frames[0][0] == 1618678132_831468000
    assert not notes


def test_binary_frames() -> None:
    upbit, upbit_notes = frames_of(EXCERPTS / "upbit.txt")
    huobi, huobi_notes = frames_of(EXCERPTS / "huobi.txt")
    assert [type(payload) for _, payload in upbit + huobi] == [bytes] * len(upbit + huobi)
    assert upbit[0][1][:30] == b'{"ty":"trade","cd":"KRW-LAMB",'
    assert all(gzip.decompress(payload)[:1] == b"{" for _, payload in huobi if isinstance(payload, bytes))
    assert not upbit_notes + huobi_notes


def test_lines_that_are_no_frames_are_skipped_counted_and_told_once(tmp_path: Path) -> None:
    path = tmp_path / "a[red].txt"
    path.write_bytes(b"# remarks\n\n1618678132.5: {}\nnonsense\n1618678133.5: \xff\n1618678133.25: b'\\xzz'\n1: 2")
    notes: list[str] = []
    frame_files = FrameFiles([path], notes.append)
    for _ in range(2):
        assert [(b.times, b.payloads) for b in frame_files.blocks()] == [
            ([1618678132_500000000, 1_000_000_000], ["{}", "2"])
        ]
    assert notes == [f"{path}: line 1 holds no frame; such lines are skipped", f"{path}: 4 of 6 lines hold no frame"]


def test_what_cannot_be_read_to_its_end_gives_what_there_is(tmp_path: Path) -> None:
    lines = [f"1723161253937085{i:03} {random.Random(i).random()}" for i in range(500)]
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress("\n".join(lines).encode())[:-900])
    empty, gone = tmp_path / "empty", tmp_path / "gone"
    empty.touch()
    frames, notes = frames_of(cut, gone, empty, EXCERPTS / "upbit.txt")
    got = [f"{t} {payload!s}" for t, payload in frames[:-6]]
    assert 0 < len(got) < 500
    assert got == lines[: len(got)]
    assert [note.split(": ", 1)[1] for note in notes] == [
        "reading ended early: Compressed file ended before the end-of-stream marker was reached",
        "reading ended early: No such file or directory",
        "no frame in it",
        "no frame in it",
    ]


def test_a_line_beyond_all_bounds_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE", 100)
    path = tmp_path / "long"
    for length in (80, 99, 101, 199, 200, 201, 1_000):
        path.write_text(f"1: a\n2: {'x' * (length - 3)}\n3: c\n4: {'y' * (length - 3)}")
        frames, notes = frames_of(path)
        assert [payload[:1] for _, payload in frames] == (["a", "x", "c", "y"] if length <= 100 else ["a", "c"])
        assert bool(notes) == (length > 100)


def test_blocks_are_bounded_and_open_with_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_FRAMES", 10)
    monkeypatch.setattr(files, "BLOCK_BYTES", 50)
    (tmp_path / "small").write_text("\n".join(f"{i}: x" for i in range(25)))
    (tmp_path / "large").write_text("\n".join(f"{i}: {'x' * 30}" for i in range(3)))
    blocks = list(FrameFiles([tmp_path / "small", tmp_path / "large"], print).blocks())
    assert [(block.opens, len(block.times)) for block in blocks] == [
        (True, 10),
        (False, 10),
        (False, 5),
        (True, 2),
        (False, 1),
    ]


@given(st.integers(0, (1 << 63) // 10**9 - 1), st.integers(0, 999_999_999), st.binary(min_size=1))
def test_a_capture_line_gives_back_what_was_received(seconds: int, nanos: int, payload: bytes) -> None:
    line = f"{seconds}.{nanos:09}: {payload!r}".encode()
    assert read_frame(line) == (seconds * 10**9 + nanos, payload)


@given(st.binary(max_size=200), st.sampled_from([b"", b"1618678132.5: ", b"1723161253937085768 ", b"1: b'"]))
def test_no_line_is_fatal(rest: bytes, head: bytes) -> None:
    frame = read_frame(head + rest)
    assert frame is None or isinstance(frame[1], (str, bytes))


@pytest.mark.parametrize(
    "line", [b"1: b'" + b"(" * 100_000 + b"'+'", b"1: b'a'" + b"+b'a'" * 10_000, b"99999999999: x"]
)
def test_hostile_lines_are_no_frames(line: bytes) -> None:
    assert read_frame(line) is None


@needs_data
def test_all_recorded_files_are_read_whole() -> None:
    folder = Path(DATA)
    for path in sorted([*folder.glob("binance/*.gz"), *folder.glob("captures/*.gz")]):
        frames, notes = frames_of(path)
        lines = gzip.decompress(path.read_bytes()).splitlines()
        assert len(frames) == sum(line[:1].isdigit() for line in lines)
        assert not notes
