"""`tuistream bench`, in its quick form: it measures something, loses nothing, and says it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.running import rows
from tuistream.cli.bench import (
    QUICK_FRAMES,
    QUICK_TICKS,
    Drawn,
    Recorded,
    as_json_text,
    as_text,
    command,
    messages,
    record,
    refuse_loss,
)
from tuistream.core.errors import TuistreamError
from tuistream.decoders import create
from tuistream.decoders.contract import DecoderOptions

START = 1_795_172_027_000_000_000


def test_it_tells_the_machine_and_three_figures() -> None:
    recorded = Recorded(400_000, 400_000, 0.5, 16_000_000)
    head, *lines = as_text(recorded, Drawn(frames=30, cpu=0.15, bytes=90_000)).splitlines()
    assert head.startswith("tuistream ")
    for figures, line in zip(
        (
            ("800,000 ticks/s", "40 bytes each"),
            ("200 frames/s", "5.0 ms", "5 % of a core"),
            ("30.0 kB/s", "3.0 kB a"),
        ),
        lines,
        strict=True,
    ):
        assert all(figure in line for figure in figures), line


def test_without_pseudo_terminals_the_rest_is_told() -> None:
    recorded = Recorded(10, 10, 1.0, 1_000)
    assert "no pseudo-terminals" in as_text(recorded, None)
    assert json.loads(as_json_text(recorded, None))["frames"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")
def test_json_for_scripts() -> None:
    done = CliRunner().invoke(command, ["--quick", "--json"], catch_exceptions=False)
    values = json.loads(done.output)
    assert values["ticks"] == QUICK_TICKS
    assert values["frames"] >= QUICK_FRAMES
    assert values["ticks_per_second"] > 0
    assert values["ms_per_frame"] > 0
    assert values["frames_per_second"] == pytest.approx(1e3 / values["ms_per_frame"], rel=0.05)
    # Four charts that go on cannot be drawn with less, nor in more than all cells with a colour each.
    assert 100 < values["terminal_bytes_per_second"] < 10 * 200 * 50 * 40


async def test_what_it_records_is_all_in_the_file(tmp_path: Path) -> None:
    recorded = await record(tmp_path / "bench.db", 2_345)
    assert recorded.rows == recorded.ticks == 2_345
    assert rows(tmp_path / "bench.db") == 2_345
    assert recorded.seconds > 0


def test_a_loss_is_a_failure() -> None:
    refuse_loss(Recorded(10, 10, 1.0, 100))
    with pytest.raises(TuistreamError, match="9 of 10 ticks are in the file"):
        refuse_loss(Recorded(10, 9, 1.0, 100))


def test_its_messages_are_ticks_a_microsecond_apart() -> None:
    decoded = create("auto", "bench", DecoderOptions()).decode(messages(5, 200, START), START + 10**9)
    (batch,) = decoded.batches
    assert not decoded.malformed
    assert batch.t.tolist() == [START + i * 1_000 for i in range(5, 205)]
    assert batch.stream.fields == ("price",)
