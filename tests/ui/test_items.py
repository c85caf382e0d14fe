"""What a board's items say, as text."""

from __future__ import annotations

import base64
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.conftest import START
from tuistream.core.batch import Stream
from tuistream.core.board import Board, Item
from tuistream.core.pictures import picture_of
from tuistream.sources.media.names import named
from tuistream.ui.board_view import Log
from tuistream.ui.curve import curve_of
from tuistream.ui.items import Row, address_of, rows_of, summary
from tuistream.ui.line import wrapped
from tuistream.ui.naming import where

STREAM = Stream("hub", "1", "", ())
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little")
BMP = b"BM" + bytes(16) + (24).to_bytes(4, "little") + (-12).to_bytes(4, "little", signed=True)
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x11\x08" + (90).to_bytes(2, "big") + (160).to_bytes(2, "big")
WEBP = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (99).to_bytes(3, "little") + (49).to_bytes(3, "little")
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + (70).to_bytes(2, "little") + (30).to_bytes(2, "little")
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + (6 | 8 << 14).to_bytes(4, "little") + bytes(8)


def item(kind: str, value: object, size: int = 10) -> Item:
    return Item(STREAM, START, START, kind, value, size)


def text_of(rows: list[Row]) -> str:
    return "\n".join("".join(text for text, _ink in row) for row in rows)


@pytest.mark.parametrize(
    ("data", "format_", "width", "height"),
    [
        (PNG, "PNG", 640, 480),
        (GIF, "GIF", 320, 200),
        (BMP, "BMP", 24, 12),
        (JPEG + bytes(3), "JPEG", 160, 90),
        (WEBP + bytes(2), "WebP", 100, 50),
        (LOSSY, "WebP", 70, 30),
        (LOSSLESS, "WebP", 7, 9),
    ],
)
def test_a_pictures_format_and_pixels_are_in_its_header(data: bytes, format_: str, width: int, height: int) -> None:
    assert picture_of(data) == (format_, width, height, len(data))
    uri = f"data:image/x;base64,{base64.b64encode(data).decode()}"
    assert picture_of(uri) == (format_, width, height, len(data))
    assert summary(item("image", uri)).startswith(f"{format_}  {width:,} x {height:,}  ")


@given(st.binary(max_size=64) | st.sampled_from([PNG, GIF, BMP, JPEG, WEBP, LOSSY]).map(lambda data: data[:-1]))
def test_any_bytes_are_some_picture(data: bytes) -> None:
    found = picture_of(data)
    assert found is not None
    assert found.nbytes == len(data)
    assert summary(item("image", data)).isprintable()


@pytest.mark.parametrize(
    "value", ["data:image/png;base64,%%%", "data:image/svg+xml,<svg>", "data:,x", "data:;base64,"]
)
def test_broken_and_other_data_uris_are_no_addresses(value: str) -> None:
    assert picture_of(value) is not None
    assert address_of(item("image", value)) == ""


@pytest.mark.parametrize(
    ("address", "opens", "touches"),
    [
        ("/etc/passwd", "/etc/passwd", "A file on this machine"),
        ("/etc/../x.png", "/x.png", "A file on this machine"),
        ("file:///x%20y", "/x y", "A file on this machine"),
        (
            "HTTP://cam.example:8080/a b",
            "http://cam.example:8080/a%20b",
            "This machine would connect to cam.example:8080",
        ),
    ],
)
def test_what_a_picture_names_is_told_and_not_opened(address: str, opens: str, touches: str) -> None:
    shown = item("image", address)
    assert address_of(shown) == address
    assert text_of(rows_of(shown, 80, UTC)).endswith(f"Enter: open {opens}")
    assert address_of(item("text", address)) == ""
    assert where(named(address)) == touches


def test_how_a_video_is_opened_is_said() -> None:
    told = text_of(rows_of(item("video", "http://cam.example/x"), 120, UTC))
    assert "Enter: open http://cam.example/x  (a video, or a picture)" in told


def test_what_cannot_be_opened_is_said() -> None:
    told = text_of(rows_of(item("video", "mms://camera/1"), 120, UTC))
    assert "video  at mms://camera/1" in told
    assert "cannot be opened: mms: only files, http://, https:// and rtsp:// can be opened" in told


def test_texts_are_wrapped_beside_their_local_time() -> None:
    rows = rows_of(item("text", "one two three four five\nsix\x1b[2J"), 32, UTC)
    assert text_of(rows) == "11:00:00 one two three four five\n         six·[2J"
    assert text_of(rows_of(item("text", "one two"), 10, UTC)) == "one two"
    long = rows_of(item("text", "x" * 5_000), 100, UTC)
    assert len(long) <= 100
    assert "5,000 characters in all" in text_of(long)


def test_a_map_is_a_table_of_its_markers() -> None:
    value = {"center": {"lat": 41.40338, "lng": 2.17403}, "zoom": 4, "data": [{"lat": 41.4, "lng": -2.1}] * 500}
    shown = text_of(rows_of(item("map", value), 60, UTC))
    assert "map  500 markers  centre 41.40338, 2.17403  zoom 4" in shown
    assert "1      41.40000, -2.10000" in shown
    assert "and 402 more" in shown


def test_a_figure_says_its_traces_and_its_title() -> None:
    figure = {"data": [{"type": "scatter"}, {"type": "pie"}], "layout": {"title": {"text": "RIL\x1b"}}}
    assert summary(item("figure", figure)) == "2 traces  scatter, pie  RIL·"


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(["text", "image", "video", "map", "figure", "spectrum", "\x1b[m"]), values, st.integers(1, 90))
def test_whatever_comes_is_shown_in_printable_rows_that_fit(kind: str, value: object, width: int) -> None:
    rows = rows_of(item(kind, value), width, UTC)
    assert rows
    for line in text_of(rows).split("\n"):
        assert line.isprintable()
        assert cell_len(line) <= max(width, 2)
    assert summary(item(kind, value)).isprintable()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" ")), st.integers(2, 20))
def test_wrapping_keeps_all_but_blanks(text: str, width: int) -> None:
    lines = list(wrapped(text, width))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= width for line in lines)


def test_a_spectrum_is_a_curve_over_its_x() -> None:
    curve = curve_of(item("spectrum", {"x": [3, "1", 2.0], "y": [30.0, 10.0, float("nan")]}))
    assert curve is not None
    assert curve.x.tolist() == [1.0, 2.0, 3.0]
    assert np.array_equal(curve.y, [10.0, np.nan, 30.0], equal_nan=True)


@pytest.mark.parametrize(
    "value",
    [
        {"x": [1, 2], "y": [1]},
        {"x": [1, 1], "y": [1, 2]},
        {"y": ["a", "b"]},
        {"x": [1e400, 2], "y": [1, 2]},
        {"x": "ab", "y": "cd"},
        [1, 2, 3],
        {},
    ],
)
def test_what_is_no_curve_is_a_line_of_text(value: object) -> None:
    assert curve_of(item("spectrum", value)) is None


def one_row(shown: Item) -> list[Row]:
    return [((f"{shown.value} {part}", ""),) for part in range(int(str(shown.value)) % 3 + 1)]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.integers(1, 9),
    st.lists(st.integers(-12, 12) | st.none(), max_size=12),
)
def test_a_log_shows_a_stretch_of_its_rows_full_of_them(
    numbers: list[int], height: int, steps: list[int | None]
) -> None:
    board = Board(STREAM, 0)
    log = Log(one_row)
    log.resize(20, height)
    numbers = list(numbers)
    for number in numbers:
        board.add(item("text", number))
    log.take(board)
    every = [row for each in board.items for row in one_row(each)]
    end = len(every)
    following = True
    for step in steps:
        if step is None:  # something new comes
            board.add(item("text", 2))
            log.take(board)
            added = one_row(board.items[-1])
            every += added
            end = len(every) if following else end
        else:
            log.move(step)
            end = min(max(end + step, min(height, len(every))), len(every))
            following = end == len(every)
        assert log.visible() == every[max(0, end - height) : end]
        assert (log.newer == 0) or not following


def test_a_log_that_stands_still_keeps_its_place_until_that_is_gone() -> None:
    board = Board(STREAM, 0)
    log = Log(one_row)
    log.resize(20, 3)
    for number in range(10):
        board.add(item("text", 3 * number))
    log.take(board)
    log.move(-2)
    before = log.visible()
    for number in range(900):
        board.add(item("text", 3 * number))
    log.take(board)
    assert log.visible() == before
    assert log.newer == 902
    for number in range(900):
        board.add(item("text", 3 * number))
    log.take(board)
    assert log.visible() == [row for each in list(board.items)[:3] for row in one_row(each)]
