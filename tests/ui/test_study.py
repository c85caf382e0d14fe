"""`study:fft`: the spectrum of a stream, as a user writes it for a panel and as keys change it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import SECOND, Monitor
from tuistream.charts.spectrum import Transform
from tuistream.core.errors import SettingsError
from tuistream.ui.options import PanelOptions
from tuistream.ui.study import Fft, parse_study
from tuistream.ui.wishes import checked, panel_of

STEP = SECOND // 100


def waves(count: int) -> list[list[float]]:
    """5 Hz of amplitude 3 for the price, 20 Hz of amplitude 2 for the other, at 100 ticks/s."""
    seconds = np.arange(count) / 100
    price, other = (np.sin(2 * np.pi * hertz * seconds) for hertz in (5, 20))
    return [[100 + 3 * a, 7 + 2 * b] for a, b in zip(price.tolist(), other.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("study:fft", Fft()),
        ("study:fft()", Fft()),
        ("study:fft(price)", Fft("price")),
        (" study:fft( n=1024 , window=none ) ", Fft("", 1024, Transform("none"))),
        (
            "study:fft(pump.temp, n=65536, window=blackman, units=dB, along=ticks)",
            Fft("pump.temp", 65_536, Transform("blackman", "dB", "ticks")),
        ),
    ],
)
def test_what_is_written(text: str, meant: Fft) -> None:
    assert parse_study(text, "here") == meant


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study:rsi", "here is no study; there is study:fft"),
        ("study:fft(", "here is no study"),
        ("study:fft(n=7)", "n is a number of ticks from 8 to 65,536"),
        ("study:fft(n=1e3)", "n is a number of ticks"),
        ("study:fft(window=square)", "window is one of hann, hamming, blackman, none"),
        ("study:fft(units=volt)", "units is one of amplitude, dB, density"),
        ("study:fft(a, b)", "b is none; there are FIELD, n, window, units, along"),
        ("study:fft(x=\x1b[31m)", "x is none"),
    ],
)
def test_what_is_no_study(text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told.replace("(", r"\(")):
        parse_study(text, "here")
    with pytest.raises(SettingsError, match=r"panels\[0\]\.chart = "):
        checked([PanelOptions("ETH", chart=text)], "file")


def test_an_option_names_a_stream_and_its_chart() -> None:
    assert panel_of("BTC/USD=candles", "--panel") == PanelOptions("BTC/USD", chart="candles")
    study = "study:fft(price, n=1024)"
    assert panel_of(f"a=b = {study}", "--panel") == PanelOptions("a=b", chart=study)
    for text in ("BTC", "=line", "BTC=cake", "BTC=study:fft(n=1)"):
        with pytest.raises(SettingsError, match="--panel "):
            panel_of(text, "--panel")


async def test_a_panel_shows_the_spectrum_of_a_fields_newest_ticks(monitor: Monitor) -> None:
    monitor.options = {"panels": (PanelOptions("s", chart="study:fft(other, n=512)"),)}
    monitor.feed_ticks("s", waves(2_000), fields=("price", "other"), step=STEP)
    async with monitor.running(120, 30):
        assert "512 ticks" in monitor.title
        assert "spectrum Hann" in monitor.edge
        assert "peak 19.92 Hz  Hann  512 ticks" in monitor.plot
        await monitor.press("i", "y")
        assert "peak 19.92 Hz  Hamming  dB  512 ticks" in monitor.plot
        assert "unit: dB" in monitor.screen
        await monitor.press("n")
        assert "peak 5.078 Hz" in monitor.plot


async def test_new_ticks_make_a_new_spectrum(monitor: Monitor) -> None:
    monitor.options = {"panels": (PanelOptions("s", chart="study:fft(n=200, window=none)"),)}
    monitor.feed_ticks("s", [row[0] for row in waves(200)], step=STEP)
    async with monitor.running(120, 30):
        assert "peak 5 Hz  no window  200 ticks" in monitor.plot
        monitor.now += 2 * SECOND
        monitor.feed_ticks("s", [row[1] for row in waves(200)], step=STEP)
        await monitor.settle(SECOND)
        assert "peak 20 Hz  no window  200 ticks" in monitor.plot


async def test_a_field_that_is_not_there_is_said(monitor: Monitor) -> None:
    monitor.options = {"panels": (PanelOptions("s", chart="study:fft(nothing)"),)}
    monitor.feed_ticks("s", [1.0, 2.0, 4.0])
    async with monitor.running(120, 30):
        assert "no field nothing" in monitor.edge
        assert "too few ticks for a spectrum: it needs 8 in a row" in monitor.plot
