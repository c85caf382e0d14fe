"""What `tuistream plot --kind` draws, against numpy and polars, from ticks and from rollups."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.store.rolled import write
from tuistream.charts.kinds.contract import DrawStyle, Matrix, Size, Ticks
from tuistream.charts.kinds.histogram import counted
from tuistream.charts.ohlc import WIDTHS, candles_of
from tuistream.charts.spectrum import Transform, spectrum_of
from tuistream.cli import run
from tuistream.core.batch import Batch, Stream
from tuistream.core.errors import SettingsError
from tuistream.store.history import History
from tuistream.ui.still_kinds import Asked, KindWanted, content_of, frame_of
from tuistream.ui.wishes import kind_wanted

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_790_000_000 * SECOND
COLUMNS = 109
BTC = Stream("venue", "BTC", "trade", ("price", "qty"))
CELLS = Stream("hub", "cells", "heatmap", ("row", "col"))
MIC = Stream("lab", "mic", "", ("v",))


def walk() -> Batch:
    """Of four days, the second of which begins with two lively minutes."""
    chance = np.random.default_rng(1)
    t = START + np.sort(np.append(chance.integers(0, 4 * DAY, 3_000), DAY + chance.integers(0, 120 * SECOND, 3_000)))
    return Batch(BTC, t, t, 100 + chance.normal(0, 0.1, (len(t), 2)).cumsum(0))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Batch]:
    path, batch = tmp_path_factory.mktemp("kinds") / "days.db", walk()
    write(path, [[batch.take(slice(start, start + 500))] for start in range(0, 6_000, 500)])
    return path, batch


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kinds") / "others.db"
    t = START + np.arange(2_000) * SECOND // 100
    place = np.arange(2_000)
    cells = np.column_stack((place % 40, place % 7)).astype(np.float64)
    mic = 3 * np.sin(2 * np.pi * 5 * np.arange(2_000) / 100)[:, None]
    write(path, [[Batch(CELLS, t, t, cells)], [Batch(MIC, t, t, mic)]])
    return path


def asked(batch: Batch, since: int = START, until: int | None = None) -> Asked:
    return Asked(batch.stream, ("price",), since, int(batch.t[-1]) + 1 if until is None else until)


def resampled(batch: Batch, width: int, since: int, until: int) -> pl.DataFrame:
    inside = (batch.t >= since) & (batch.t < until)
    frame = pl.DataFrame({"t": batch.t[inside], "v": batch.v[inside, 0]})
    return (
        frame.with_columns(pl.col("t").cast(pl.Datetime("ns")))
        .group_by_dynamic("t", every=timedelta(microseconds=width // 1_000), start_by="window")
        .agg(open=pl.col("v").first(), high=pl.col("v").max(), low=pl.col("v").min(), close=pl.col("v").last())
    )


@pytest.mark.parametrize("raw", [100, 1_000_000])
@pytest.mark.parametrize("width", WIDTHS)
def test_candles_are_those_of_polars(days: tuple[Path, Batch], width: int, raw: int) -> None:
    """Of a hundred candles, from all ticks and, where these are too many to be read, from rollups."""
    path, batch = days
    since = max(START, START + DAY - 8 * width + 123_456_789)
    until = min(since + 100 * width, int(batch.t[-1]) + 1)
    with History(lambda: [path], raw) as history:
        content = content_of(history, asked(batch, since, until), KindWanted("candles", width), COLUMNS)
    assert isinstance(content, Ticks)
    assert content.every == (raw > 100)
    length = max(width, next(each for each in WIDTHS if each >= (until - since) / COLUMNS))
    found = candles_of(content.t, content.columns["price"], length)
    wanted = resampled(batch, length, content.t0, until)
    assert content.t0 == since // length * length
    assert found.t.tolist() == wanted["t"].cast(pl.Int64).to_list()
    for name in ("open", "high", "low", "close"):
        assert getattr(found, name).tolist() == wanted[name].to_list()


def test_a_histogram_is_numpys(days: tuple[Path, Batch]) -> None:
    path, batch = days
    with History(lambda: [path], 1_000_000) as history:
        content = content_of(history, asked(batch), KindWanted("histogram"), COLUMNS)
    found = counted(content, Size(120, 30))
    assert found is not None
    counts, edges = np.histogram(batch.v[:, 0], len(found.counts))
    assert found.counts.tolist() == counts.tolist()
    assert found.edges.tolist() == pytest.approx(edges.tolist())
    with History(lambda: [path], 100) as history:
        content = content_of(history, asked(batch), KindWanted("histogram"), COLUMNS)
    frame = frame_of(content, KindWanted("histogram"), Size(80, 9), DrawStyle())
    assert "too many ticks to be counted" in "".join(text for y in range(9) for text, _ink in frame.runs(y))


def test_a_spectrum_is_of_the_newest_ticks(others: Path) -> None:
    wanted = kind_wanted("study:fft(v, n=512, window=none, units=dB)", "")
    assert wanted == KindWanted("spectrum", 0, "v", 512, Transform("none", "dB"))
    with History(lambda: [others], 1_000_000) as history:
        content = content_of(history, Asked(MIC, ("v",), START, START + DAY), wanted, COLUMNS)
    assert isinstance(content, Ticks)
    assert (len(content.t), content.t0) == (512, START + 1_488 * SECOND // 100)
    found = spectrum_of(content.t, content.columns["v"], wanted.transform)
    assert found is not None
    assert abs(found.frequency[found.size.argmax()] - 5) <= found.frequency[0]


def test_a_heat_map_counts_what_came(others: Path) -> None:
    with History(lambda: [others], 1_000_000) as history:
        content = content_of(history, Asked(CELLS, ("row",), START, START + DAY), KindWanted("heat-map"), COLUMNS)
    assert isinstance(content, Matrix)
    wanted = np.zeros((7, 40))
    np.add.at(wanted, (np.arange(2_000) % 7, np.arange(2_000) % 40), 1)
    assert np.array_equal(content.v, wanted)


@pytest.mark.parametrize("kind", ["area", "step", "scatter", "bars", "number", "table", "sparkline", "candles"])
@pytest.mark.parametrize("ending", ["txt", "svg", "png"])
def test_every_form_of_file(days: tuple[Path, Batch], tmp_path: Path, kind: str, ending: str) -> None:
    out = tmp_path / f"x.{ending}"
    assert run(["plot", str(days[0]), "--kind", kind, "--size", "90x20", "-o", str(out)]) == 0
    data = out.read_bytes()
    if ending == "txt":
        assert kind in data.decode().split("\n")[-2]
    assert data.startswith({"txt": "╭─ 1 BTC".encode(), "svg": b"<svg", "png": b"\x89PNG"}[ending])


def test_cells_with_two_colours(others: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plot", str(others), "--kind", "heat-map", "--size", "60x20"]
    assert run([*arguments, "-o", str(tmp_path / "x.svg")]) == 0
    assert (tmp_path / "x.svg").read_text().count("<rect") > 10
    assert run([*arguments, "--colours"]) == 0
    coloured = capsys.readouterr().out
    assert ";48;2;" in coloured
    assert "40 x 7" in coloured
    assert run([*arguments, "--no-colours"]) == 0
    assert "▓" in (plain := capsys.readouterr().out)
    assert "\x1b" not in plain


@pytest.mark.parametrize(
    ("kind", "interval", "told"),
    [
        ("cake", "", "--kind 'cake' is none; there are line, area, "),
        ("map", "", "--kind map: ticks are none"),
        ("study:fft(n=1)", "", "n is a number of ticks from 8"),
        ("candles", "3m", "--interval '3m': with --kind candles one of 1s, 2s, "),
        ("line", "1m", "--interval '1m': with --kind candles one of 1s, "),
    ],
)
def test_mistakes_are_said(kind: str, interval: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        kind_wanted(kind, interval)
    assert told in str(error.value)


def test_where_nothing_is_a_heat_map(days: tuple[Path, Batch], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plot", str(days[0]), "--kind", "heat-map"]) == 1
    assert "no stream here is a sender's heat map" in capsys.readouterr().err
