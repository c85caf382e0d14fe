from datetime import UTC

import numpy as np
import pytest
from msgspec.structs import replace

from tuistream.charts.kinds import spectrum
from tuistream.charts.kinds.contract import DrawStyle, Points, Size, Ticks
from tuistream.charts.panel import FILL, Frame
from tuistream.charts.spectrum import Transform

SECOND = 1_000_000_000
START = 1_795_172_400 * SECOND
STYLE = DrawStyle(timezone=UTC)


def sine(frequency: float, amplitude: float = 3.0, axis: str = "") -> Ticks:
    seconds = np.arange(2_000) / 100
    v = 10 + amplitude * np.sin(2 * np.pi * frequency * seconds)
    t = START + np.rint(seconds * SECOND).astype(np.int64)
    return Ticks(t, {"y": v}, ("y",), START, START + 20 * SECOND, (), axis)


def text(frame: Frame) -> list[str]:
    return ["".join(part for part, _ink in frame.runs(y)) for y in range(frame.height)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (30, 8)])
def test_a_sine_peaks_where_it_must(width: int, height: int) -> None:
    frame = spectrum.draw(sine(12.5), Size(width, height), STYLE)
    high = np.flatnonzero(frame.chars[height // 2, : width * 2 // 3] != 0x20)
    assert len(high) in (1, 2)
    size = Size(width, height)
    assert "12.5 Hz  y 3.00000" in [spectrum.read_out(sine(12.5), size, STYLE, int(x), height // 2) for x in high]


def test_it_says_what_was_done() -> None:
    assert text(spectrum.draw(sine(12.5), Size(80, 24), STYLE))[0].startswith(" " * 10)
    assert "peak 12.5 Hz  Hann  2,000 ticks" in text(spectrum.draw(sine(12.5), Size(80, 24), STYLE))[0]
    assert text(spectrum.draw(sine(12.5), Size(80, 24), STYLE))[23].rstrip().endswith("Hz")
    assert "1/x" in text(spectrum.draw(sine(12.5, axis="x"), Size(80, 24), STYLE))[0]
    few = Ticks(np.arange(9), {"y": np.full(9, np.nan)}, ("y",), 0, 10)
    assert "too few ticks" in " ".join(text(spectrum.draw(few, Size(80, 7), STYLE)))


def test_arrays_that_are_one_are_a_line_over_their_x() -> None:
    content = Points(np.array([1.0, 2.0, 3.0]), {"y": np.array([10.0, np.nan, 30.0])}, "Hz")
    frame = spectrum.draw(content, Size(60, 12), STYLE)
    assert not (frame.ink == FILL).any()
    assert next(word for word in text(frame)[11].split() if word[0].isdigit()) in ("1", "1.0", "1.5")
    assert spectrum.read_out(content, Size(60, 12), STYLE, 0, 3) == "1 Hz  y 10"
    assert spectrum.read_out(content, Size(60, 12), STYLE, 59, 3) == ""


def test_decades_on_a_logarithmic_scale() -> None:
    labels = " ".join(row[-8:] for row in text(spectrum.draw(sine(12.5), Size(80, 24), DrawStyle(log=True))))
    assert "0.01" in labels
    assert "0.0000000001" not in labels


def test_the_scale_stands_still_while_the_peak_is_of_one_size() -> None:
    labels = {text(spectrum.draw(sine(12.5, size), Size(80, 24), STYLE))[23] for size in (2.1, 2.5, 2.9)}
    assert len(labels) == 1


def test_decibels_stand_on_round_ends() -> None:
    style = DrawStyle(timezone=UTC, transform=Transform(unit="dB"), unit="V")
    rows = text(spectrum.draw(sine(12.5), Size(80, 24), style))
    assert [row.split()[-1] for row in rows[:22] if row.split()[-1] != "│"] == ["0", "-25", "-50", "-75", "-100"]
    assert "peak 12.5 Hz  Hann  dB  2,000 ticks" in rows[0]
    told = [spectrum.read_out(sine(12.5), Size(80, 24), style, x, 5) for x in range(72)]
    assert "12.5 Hz  y 9.5 dB" in told


def test_points_that_stand_for_ticks_have_no_spectrum() -> None:
    content = replace(sine(12.5), every=False)
    assert "too many ticks for a spectrum" in " ".join(text(spectrum.draw(content, Size(80, 7), STYLE)))
    assert spectrum.read_out(content, Size(80, 7), STYLE, 3, 3) == ""
