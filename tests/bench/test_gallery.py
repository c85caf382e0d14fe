"""That the gallery shows what it says: a picture and a text of each panel, at its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.bench.captures import captured
from tests.bench.samples import samples, wire
from tests.bench.test_bench import ROOT
from tuistream.charts import kinds
from tuistream.charts.png import CELL
from tuistream.decoders.chart_hub.values import TYPES
from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.hub import Decoder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")


def gallery(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench.gallery", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_picture_and_a_text_of_a_panel(tmp_path: Path) -> None:
    done = gallery("--dir", str(tmp_path), "--size", "100x20", "pie")
    assert done.returncode == 0, done.stderr
    assert "6 sockets" in (tmp_path / "pie-100x20.txt").read_text()
    picture = Image.open(tmp_path / "pie-100x20.png")
    assert picture.size == (100 * CELL[0], 20 * CELL[1])
    colours = {colour for _count, colour in picture.getcolors(1 << 20) or []}
    assert (0x8E, 0x5E, 0xA2) in colours  # as the sender wants a slice


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    done = gallery("pies")
    assert done.returncode == 2
    assert "there are line, area" in done.stderr


def test_each_kind_has_a_sample_that_a_hub_takes() -> None:
    assert set(samples()) == {*kinds.there(), "text"}
    for sample in samples().values():
        decoder = Decoder("hub", DecoderOptions())
        for message in (*list(sample.first())[-3:], *sample.then(1)):
            decoder.decode([wire([message])], 10**18)
            assert not decoder.refused, (sample.kind, decoder.refused)


def test_what_real_senders_sent_is_whole() -> None:
    decoder = Decoder("hub", DecoderOptions())
    sent = captured(None)
    assert [each.at for each in sent] == sorted(each.at for each in sent)
    found = decoder.decode([each.body for each in sent], 10**18)
    assert not decoder.refused
    assert {look.kind for look in found.looks.values()} >= {"line", "text", "heatmap", "map", "image"} & set(TYPES)
    assert len(found.batches) > 2
