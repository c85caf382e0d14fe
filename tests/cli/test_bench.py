"""`tuistream bench`, in its quick form: it measures something, loses nothing, and says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.running import rows
from tuistream.cli.bench import QUICK_FRAMES, QUICK_TICKS, Recorded, command, messages, record, refuse_loss
from tuistream.core.errors import TuistreamError
from tuistream.decoders import create
from tuistream.decoders.contract import DecoderOptions

START = 1_795_172_027_000_000_000


def told(*options: str) -> str:
    return CliRunner().invoke(command, ["--quick", *options], catch_exceptions=False).output


def test_it_tells_three_figures_and_the_machine() -> None:
    head, *lines = told().splitlines()
    assert head.startswith("tuistream ")
    units = ("ticks/s", "frames/s", "kB/s")
    assert [unit for unit, line in zip(units, lines, strict=True) if f" {unit} " in line] == list(units)


def test_json_for_scripts() -> None:
    values = json.loads(told("--json"))
    assert values["ticks"] == QUICK_TICKS
    assert values["frames"] >= QUICK_FRAMES
    assert values["ticks_per_second"] > 0
    assert values["ms_per_frame"] > 0
    assert values["frames_per_second"] == pytest.approx(1e3 / values["ms_per_frame"], rel=0.05)
    # Four charts that go on cannot be drawn with less, nor in more than all cells with a colour each.
    assert 1_000 < values["terminal_bytes_per_second"] < 10 * 200 * 50 * 40


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
