"""`tuistream plot`: what is in the picture, in each of its forms."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.store.recorded import record
from tuistream.charts.png import CELL
from tuistream.charts.still import Run, Still, text_of
from tuistream.charts.svg import svg_of
from tuistream.cli import run
from tuistream.core.batch import Batch, Stream
from tuistream.core.status import Event
from tuistream.store.history import History
from tuistream.ui.still import SAMPLE, UNITS_A_COLUMN, Span, StillOptions, columns_for, ranked, still_of
from tuistream.ui.themes import DARK, LIGHT

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
HOUR = 3_600 * SECOND
HOSTILE = '<script>\x1b[31m&"]]>'
DOTS = re.compile("[\u2801-\u28ff]")
SVG = "{http://www.w3.org/2000/svg}"


def walk(name: str, count: int = 2_000, seed: int = 1) -> Batch:
    rng = np.random.default_rng(seed)
    t = START + np.sort(rng.integers(0, HOUR, count))
    t = t[(t < START + HOUR // 3) | (t > START + HOUR // 2)]
    return Batch(Stream("walk", name, "trade", ("price",)), t, t, 100 + rng.normal(0, 0.1, (len(t), 1)).cumsum(0))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plot") / "x.db"
    details: dict[str, int | float | str | None] = {
        "from": START + HOUR // 3,
        "to": START + HOUR // 2,
        "reason": "outage",
    }
    gap = Event(START + HOUR // 2, "walk", "gap", "gap", ("walk", "A", "trade"), details)
    asyncio.run(record(path, [walk("A"), walk(HOSTILE, seed=2), gap]))
    return path


def plotted(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["plot", *arguments]) == 0
    return capsys.readouterr().out


def still(db: Path, options: StillOptions, ticks_raw: int, names: tuple[str, ...] = ("A",)) -> Still:
    with History(lambda: [db], ticks_raw) as history:
        streams = [each for each in ranked(history.newest(SAMPLE, lambda _key: True)) if each.stream.name in names]
        return still_of(history, streams, Span(START, START + HOUR), options)


@pytest.mark.parametrize("size", [(120, 30), (40, 12), (200, 9), (10, 4)])
@pytest.mark.parametrize("glyphs", ["braille", "blocks", "ascii"])
def test_text_has_the_size_and_the_glyphs_that_were_asked_for(
    db: Path, capsys: pytest.CaptureFixture[str], size: tuple[int, int], glyphs: str
) -> None:
    text = plotted(capsys, str(db), "--streams", "A", "--size", f"{size[0]}x{size[1]}", "--glyphs", glyphs)
    lines = text.split("\n")[:-1]
    assert len(lines) == size[1]
    assert max(map(len, lines)) == size[0]
    assert bool(DOTS.search(text)) == (glyphs == "braille")
    assert glyphs != "ascii" or text.isascii()


def test_many_ticks_give_the_same_picture_as_all_of_them(db: Path) -> None:
    for glyphs in ("braille", "blocks", "ascii"):
        for size in ((120, 30), (61, 17)):
            options = StillOptions(*size, averages=(), glyphs=glyphs)
            assert still(db, options, 10) == still(db, options, 1_000_000)


def test_averages_of_many_ticks_are_of_columns_and_say_so(db: Path) -> None:
    exact, near = (text_of(still(db, StillOptions(averages=(15,)), ticks_raw)) for ticks_raw in (1_000_000, 10))
    assert " sma 15 " in exact
    assert "≈" not in exact
    assert " ≈ sma 15 " in near
    assert text_of(still(db, StillOptions(averages=(15,), glyphs="ascii"), 10, (HOSTILE,))).isascii()


def test_what_a_picture_says(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = plotted(capsys, str(db), "--streams", "A", "--averages", "15,50")
    assert "sma 15" in text
    assert "sma 50" in text
    assert "10 m 00 s" in text
    assert "1 A" in text
    last = walk("A").v[-1, 0]
    assert text.count(f"{last:.5f}"[:6]) >= 2  # in the title, and beside the axis
    assert "\x1b" not in text
    assert "\x1b[38;2;" in plotted(capsys, str(db), "--colours")
    both = plotted(capsys, str(db), "--size", "120x40")
    assert "1 A" in both
    assert "2 <script>" in both


def test_an_axis_that_is_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.db"
    t = START + np.arange(300) * SECOND
    x = np.arange(300) % 200 * 0.5
    sweep = Batch(Stream("rig", "", "wave", ("x", "y"), axis="x"), t, t, np.column_stack((x, 1_000 - x)))
    asyncio.run(record(path, [sweep]))
    text = plotted(capsys, str(path), "--glyphs", "ascii")
    assert "along x" in text
    assert text.count("950.5") == 2  # the last of the second sweep, in the title and at its place
    axis = text.split("\n")[-3]
    assert axis.split()[1:-1] == ["0", "10", "20", "30", "40"] or "40" in axis
    assert "sma" not in text


def test_a_window(db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = plotted(capsys, str(db), "--streams", "A", "--since", "-10m")
    assert "10m" in text
    assert " 1d2h " in plotted(capsys, str(db), "--streams", "A", "--since", "-26h")
    assert "no data" not in text
    nothing = plotted(capsys, str(db), "--streams", "A", "--since", "2001-01-01", "--until", "2001-01-02")
    assert "no ticks" in nothing


def test_svg_has_every_dot_and_every_word_as_text(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = plotted(capsys, str(db))
    assert run(["plot", str(db), "-o", str(tmp_path / "x.svg")]) == 0
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "path",
        "text",
        "polygon",
    }
    dots = sum((path.get("d") or "").count("h.01") for path in root.iter(f"{SVG}path"))
    assert dots == sum((ord(char) - 0x2800).bit_count() for char in DOTS.findall(text))
    words = "".join(each.text or "" for each in root.iter(f"{SVG}text"))
    assert sorted(words) == sorted(char for char in text if char not in " \n" and not shaped(char))
    assert "<script>·[" in words


def shaped(char: str) -> bool:
    return bool(DOTS.match(char)) or char in "│─├┬┘╭╮╰╯░◂▴▾▲▼"


def test_png_has_every_dot(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = plotted(capsys, str(db), "--streams", "A").split("\n")
    assert run(["plot", str(db), "--streams", "A", "-o", str(tmp_path / "x.png")]) == 0
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (120 * CELL[0], 30 * CELL[1])
        background = picture.getpixel((0, 0))
        for y, line in enumerate(text):
            for x, char in enumerate(line):
                if DOTS.match(char):
                    corner = picture.getpixel((x * CELL[0] + CELL[0] // 4, y * CELL[1] + CELL[1] // 8))
                    assert (corner != background) == bool(ord(char) & 1)


@pytest.mark.parametrize("theme", [DARK, LIGHT, "nord", "textual-light"])
def test_every_ink_has_a_colour_that_differs_from_the_background(db: Path, theme: str) -> None:
    drawn = still(db, StillOptions(theme=theme), 10_000, ("A", HOSTILE))
    assert all(re.fullmatch("#[0-9a-f]{6}", run.colour) and run.colour != drawn.background for run in drawn.runs)
    assert len({run.colour for run in drawn.runs}) > 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "x.gif"), ".svg, .png, .txt"),
        (("--size", "120"), "--size"),
        (("--size", "9999x10"), "--size"),
        (("--size", "9x4"), "--size"),
        (("--streams", "B"), "in it are"),
        (("--since", "soon"), "--since"),
        (("--since", "2030-01-01"), "--until"),
        (("--theme", "ansi-dark"), "--theme"),
        (("--averages", "x"), "--averages"),
        (("-o", "/nowhere/x.svg"), "/nowhere/x.svg"),
    ],
)
def test_mistakes_are_said(
    db: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plot", str(db), *arguments]) == (1 if "/nowhere/x.svg" in arguments else 2)
    assert words in capsys.readouterr().err


def test_without_pillow_a_png_is_refused_with_the_way_to_get_it(db: Path, tmp_path: Path) -> None:
    script = "import sys; sys.modules['PIL'] = None; from tuistream.cli import run; sys.exit(run(sys.argv[1:]))"
    words = [sys.executable, "-c", script, "plot", str(db), "-o", str(tmp_path / "x.png")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=50)
    assert (done.returncode, "pip install 'tuistream[picture]'" in done.stderr) == (2, True)


@given(st.integers(0, 2**61), st.integers(1, 2**61), st.integers(1, 500))
def test_columns_hold_the_span_and_little_more(since: int, length: int, columns: int) -> None:
    t0, width = columns_for(Span(since, since + length), columns)
    assert width % 2 == 0
    assert t0 <= since
    assert t0 + columns * width >= since + length
    if length > 1_000 * columns * UNITS_A_COLUMN:
        assert columns * width <= length * 1.08


@given(st.text(max_size=20))
def test_no_text_breaks_an_svg(text: str) -> None:
    drawn = Still(30, 2, "#000000", [Run(0, 0, text, len(text), "#ffffff")], text)
    root = ElementTree.fromstring(svg_of(drawn))
    assert root.find(f"{SVG}title") is not None
    assert not list(root.iter(f"{SVG}script"))


def test_text_keeps_the_columns_beside_wide_characters() -> None:
    drawn = Still(8, 1, "#000000", [Run(4, 0, "ab", 2, "#ffffff"), Run(0, 0, "日", 2, "#ffffff")])
    assert text_of(drawn) == "日  ab\n"
