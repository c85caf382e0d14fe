"""The programs whose users change nothing: every row of the tables of what they send, and what shows that it works.

The rows' names are those of the description of these programs (`programs.md`, beside the folder of recordings). What
they send is taken from their real traffic, in the excerpts of tests/data.
"""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.decoders import hub_captures
from tests.decoders.recorded import DATA
from tests.sources.hub.hubs import hub, until
from tests.ui.conftest import PERIOD, Monitor

ROOT = Path(__file__).parent.parent

TCP = "sources/hub/test_listeners.py::test_real_senders_over_tcp_cut_anywhere"
FRAMES = "sources/hub/test_listeners.py::test_real_pictures_over_frames_and_every_way_to_write_one"
HTTP = "sources/hub/test_http.py::test_every_captured_request_of_the_old_hubs_senders"
DRAWN = "test_programs.py::test_each_type_is_drawn"

# By the first cell of a row of a table there; further ones, in words, are of the programs that have no table.
ROWS: dict[str, tuple[str, ...]] = {
    "TCP 8010": (TCP,),
    '"large file" TCP 8020': (FRAMES, "decoders/test_hub.py::test_real_pictures_as_they_were_pickled"),
    "HTTP 8030": (HTTP, "sources/hub/test_http.py::test_as_the_old_hub_answered"),
    "line, bar, horizontalBar": (
        DRAWN,
        "decoders/test_hub.py::test_real_senders_of_one_id_are_told_apart_by_their_types",
    ),
    "pie, doughnut, radar, polarArea": (DRAWN, "decoders/test_hub.py::test_a_number_for_each_name_of_the_legend"),
    "bubble": (DRAWN, "decoders/test_hub.py::test_bubbles_are_ticks_with_x_y_and_r"),
    "heatmap": (DRAWN, "decoders/test_hub.py::test_real_senders_of_one_id_are_told_apart_by_their_types"),
    "text": (DRAWN, "ui/test_boards.py::test_texts_are_a_log_with_the_newest_at_the_bottom"),
    "image": (DRAWN, "decoders/test_hub.py::test_real_pictures_as_they_were_pickled"),
    "map": (DRAWN, "decoders/test_hub.py::test_real_messages_over_http"),
    "video_stream": (DRAWN, "decoders/test_hub.py::test_real_messages_over_http"),
    "streaming-plot: its frames, with no option": ("decoders/test_auto.py::test_streaming_plot",),
    "streaming-plot: its plots on our recording": ("store/test_views.py::test_trades_as_streaming_plot_reads_them",),
    "the sine server: its events": (
        "decoders/test_socketio.py::test_the_sine_server",
        "sources/test_socketio.py::test_every_event_comes_in_order",
    ),
    "the sine server: x steps back": ("decoders/test_socketio.py::test_a_step_back_of_x_is_a_gap",),
    "the sine server: clock times, equal x twice": ("decoders/test_socketio.py::test_clock_times_in_utc",),
    "the sine server: a spectrum that replaces": (
        "decoders/test_socketio.py::test_a_spectrum_replaces_the_one_before",
        "ui/test_items.py::test_a_spectrum_is_a_curve_over_its_x",
    ),
    "the sine server: your own data_generation": (
        "sources/test_python.py::test_it_is_served_to_everybody_and_its_end_is_theirs",
    ),
    "real-time-plot: emit on each connect": ("sources/test_socketio.py::test_what_is_emitted_on_each_connect",),
    "real-time-plot: figures of Plotly 5 and later": (
        "decoders/test_plotly.py::test_real_figures",
        "decoders/test_socketio.py::test_a_real_figure_is_recorded_once",
    ),
    "the chart hub: its Socket.IO, Engine.IO 3": ("sources/test_socketio_engine3.py::test_the_captured_chart_hub",),
    "the chart hub: its Socket.IO, Engine.IO 4": ("decoders/test_socketio.py::test_the_hub_of_charts",),
    "the chart hub: a function as a stream": (
        "test_readme_python.py::test_a_program_sends_to_another_that_is_a_hub",
    ),
}


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


@pytest.mark.parametrize("test", sorted({test for tests in ROWS.values() for test in tests}))
def test_each_that_is_named_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert name in functions(ROOT / "tests" / file)


WIRE = DATA.parent / "wire" if DATA is not None else Path()
with_wire = pytest.mark.skipif(not (WIRE / "programs.md").exists(), reason="TUISTREAM_DATA has no wire beside it")


@with_wire
def test_every_row_of_every_table_has_one() -> None:
    text = (WIRE / "programs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?) \|.*\n(?!\| ---)", text, re.MULTILINE)
    found = [row for row in rows if not row.startswith("---")]
    assert len(found) == 11
    assert set(found) <= set(ROWS)


@with_wire
def test_the_excerpts_are_of_the_captures() -> None:
    captured = {line for path in WIRE.glob("captures/chart-hub.*.txt") for line in path.read_text().splitlines()}
    for path in hub_captures.FOLDER.glob("*.txt"):
        assert set(path.read_text().splitlines()) <= captured


class Sent(NamedTuple):
    """wire: as it came, but for what was put in place of something else. shown: on the screen, each."""

    way: str
    wire: bytes
    shown: tuple[str, ...]


LINE, TEXT, HEATMAP, SHARES = hub_captures.tcp()[:4]
MAP, VIDEO, _ = hub_captures.sent("http_senders")
LINE_TYPE = b'"type":"line"'


def sent(kind: str) -> Sent:
    """What a real sender of this type sent; where there is none, a message of one that is written alike."""
    as_kind = f'"type":"{kind}"'.encode()
    of_its_own = {
        "heatmap": Sent("tcp", HEATMAP, ("Random Pos Heatmap", "192 x 108  1 counted", "hub  heatmap")),
        "text": Sent("tcp", TEXT, ("Random Text Example", "hbaauxnobnrgjrmdeyhdhalzppmqohx")),
        "image": Sent("frames", hub_captures.pictures()[0], ("Picture Example", "PNG", "640 x 480")),
        "map": Sent("http", MAP, ("Geo Marker Map Example", "2 markers", "hub  map")),
        "video_stream": Sent("http", VIDEO, ("udp://127.0.0.1:1337",)),
        "bubble": Sent(
            "tcp",
            LINE.replace(LINE_TYPE, as_kind).replace(b"[37.1]", b'[{"x":1,"y":37.1,"r":5}]'),
            ("Random Number Example", "37.10", "hub  bubble"),
        ),
    }
    if kind in of_its_own:
        return of_its_own[kind]
    if kind in ("line", "bar", "horizontalBar"):
        shown = "Random Number Example", "37.1", f"hub  {kind}"
        return Sent("tcp", LINE.replace(LINE_TYPE, as_kind), shown)
    shown = "Stock Share Prices Example", "170.99", f"hub  {kind}"
    return Sent("tcp", SHARES.replace(LINE_TYPE, as_kind), shown)


KINDS = [kind.strip() for row in list(ROWS)[3:11] for kind in row.split(",")]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_type_is_drawn(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", PERIOD)
    way, wire, shown = sent(kind)
    monitor = Monitor()
    monitor.options = {"clock": time.time_ns}
    async with hub(way) as running:
        await running.send(wire, way)
        await until(lambda: running.counters(way).accepted == 1)
        assert running.counters(way).refused.total() == 0
        monitor.session = running.session
        async with monitor.running(160, 40):
            for text in shown:
                assert text in monitor.screen, monitor.screen
