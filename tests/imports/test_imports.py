from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from tests.decoders.recorded import DATA
from tests.imports.importing import imported, ticks_of
from tests.store.recorded import query
from tuistream.cli import run as command_line
from tuistream.core.errors import RecordingError, SettingsError
from tuistream.exports.contract import Done
from tuistream.exports.run import export
from tuistream.store.playback import Selection

SECOND = 10**9
NOON = 1_386_000_000 * SECOND  # 2013-12-02 16:00:00 UTC


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file_with_a_header_is_understood_without_options(tmp_path: Path) -> None:
    file = written(tmp_path / "oven.csv", "timestamp,value\n2013-12-02 16:00:00,73.5\n2013-12-02 16:00:00,74.0\n")
    done = imported(tmp_path / "a.db", file)
    assert ticks_of(tmp_path / "a.db") == [
        (("oven.csv", "", ""), NOON, NOON, None, {"value": 73.5}),
        (("oven.csv", "", ""), NOON, NOON, None, {"value": 74.0}),
    ]
    assert (done.rows, done.streams, done.first, done.last, done.progress.refused) == (2, 1, NOON, NOON, 0)
    assert done.own_times == ["oven.csv"]


@pytest.mark.parametrize(
    "text",
    [
        "Date;Time;x\n02.12.2013;16:00:00;1,5\n02.12.2013;16:00:01;2\n",
        "date time x\n2013-12-02 16:00:00 1.5\n2013-12-02 16:00:01 2\n",
        "when,x\n02.12.2013 16:00:00,1.5\n2.12.2013 16:00:01,2\n",
    ],
)
def test_a_date_and_a_time_side_by_side_are_one_and_days_may_come_first(tmp_path: Path, text: str) -> None:
    done = imported(tmp_path / "a.db", written(tmp_path / "a.csv", text))
    found = [(tick[1], tick[4]) for tick in ticks_of(tmp_path / "a.db")]
    assert found == [(NOON, {"x": 1.5}), (NOON + SECOND, {"x": 2})]
    assert done.progress.refused == 0


def test_names_ids_and_several_fields_are_found_as_in_a_feed(tmp_path: Path) -> None:
    file = written(
        tmp_path / "trades.csv",
        "time,symbol,trade_id,price,qty,note\n"
        '1386000000.25,A,7,1.5,2,"x, y"\n1386000001,B,8,2.5,,\n1386000002,A,9,1.75,3,z\n',
    )
    imported(tmp_path / "a.db", file, feed="venue")
    assert sorted(ticks_of(tmp_path / "a.db"), key=lambda tick: tick[1]) == [
        (("venue", "A", ""), NOON + SECOND // 4, NOON + SECOND // 4, 7, {"price": 1.5, "qty": 2}),
        (("venue", "B", ""), NOON + SECOND, NOON + SECOND, 8, {"price": 2.5}),
        (("venue", "A", ""), NOON + 2 * SECOND, NOON + 2 * SECOND, 9, {"price": 1.75, "qty": 3}),
    ]


def test_what_is_no_tick_is_counted_and_the_first_is_named(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.csv",
        "time,value\n2013-12-02T16:00:00Z,1\nnever,2\n2013-12-02T16:00:01Z,off\n1,2,3\n\n2013-12-02T16:00:02Z,3\n",
    )
    done = imported(tmp_path / "a.db", file)
    assert (done.rows, done.progress.refused) == (2, 3)
    assert done.progress.first == "line 5: 3 cells, where there are 2 columns"  # in the order of being noticed
    assert [tick[4]["value"] for tick in ticks_of(tmp_path / "a.db")] == [1, 3]


def test_a_quote_that_is_never_closed_costs_no_more_than_what_it_holds(tmp_path: Path) -> None:
    rows = "".join(f"{1386000000 + i},{i}\n" for i in range(40_000))
    file = written(tmp_path / "a.csv", f'time,value\n{rows}"{rows}')
    done = imported(tmp_path / "a.db", file)
    assert done.progress.refused >= 1
    assert "field limit" in done.progress.first
    assert done.rows > 60_000


@pytest.mark.parametrize("between", [",", " "])
def test_a_date_and_a_clock_time_in_columns_of_their_own_are_one(tmp_path: Path, between: str) -> None:
    text = "Date,Time,Open,Close\n2013-12-02,16:00:00,1,2\n2013-12-02,9:00:01,3,4\n".replace(",", between)
    imported(tmp_path / "a.db", written(tmp_path / "a.csv", text))
    found = {tick[1]: tick[4] for tick in ticks_of(tmp_path / "a.db")}
    assert found == {NOON: {"Open": 1, "Close": 2}, NOON - (7 * 3_600 - 1) * SECOND: {"Open": 3, "Close": 4}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "no column is a time; there are a, b (--time names it)"),
        ("", "is empty"),
        ("time,word\n2013-12-02T16:00:00Z,x\n", "no rows of cells"),
        ("just a sentence\nand another one\n", "no rows of cells"),
    ],
)
def test_a_file_that_tells_too_little_is_refused_before_anything_is_written(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        imported(tmp_path / "a.db", written(tmp_path / "a.csv", text))
    assert reason in str(caught.value)
    assert "a.csv" in str(caught.value)
    assert not (tmp_path / "a.db").exists()


def test_columns_can_be_named_and_times_counted_from_a_midnight(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "spy.zip", "w") as archive:
        archive.writestr("spy.csv", "14400464,1674100,100,P,20002000,0\n14400465.5,1674200,1400,P,20002000,0\n")
    imported(
        tmp_path / "a.db",
        tmp_path / "spy.zip",
        columns=("ms", "price", "qty", "exchange", "conditions", "suspicious"),
        time="ms",
        unit="ms",
        day=(date(2013, 10, 7).toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * SECOND,
        zone="America/New_York",
        fields=("price", "qty"),
        feed="SPY",
    )
    first = 1_381_132_800_464 * 10**6  # 2013-10-07T08:00:00.464Z
    assert ticks_of(tmp_path / "a.db") == [
        (("SPY", "", ""), first, first, None, {"price": 1674100, "qty": 100}),
        (("SPY", "", ""), first + 1_500_000, first + 1_500_000, None, {"price": 1674200, "qty": 1400}),
    ]


def test_a_zone_is_that_of_times_without_an_offset_only(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.csv",
        "time,value\n2013-12-02 17:00:00,1\n2013-12-02T16:00:00Z,2\n2013-12-02T18:00:00+02:00,3\n"
        "2013-07-02 18:00:00,4\n",
    )
    imported(tmp_path / "a.db", file, zone="Europe/Berlin")
    times = [tick[1] for tick in ticks_of(tmp_path / "a.db")]
    assert times[:3] == [NOON, NOON, NOON]
    assert times[3] == 1_372_780_800 * SECOND  # summer time


def test_the_table_of_streaming_plot(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "stock.db")) as stock, stock:
        stock.execute("CREATE TABLE trades(time float, price float)")
        stock.executemany(
            "INSERT INTO trades VALUES (?, ?)", [(1795172027.0605018, "144.89"), (1795172027.1105, 144.9), (None, 1)]
        )
    done = imported(tmp_path / "a.db", tmp_path / "stock.db")
    assert (done.rows, done.progress.refused) == (2, 1)
    newest = "SELECT * FROM trades ORDER BY time DESC LIMIT 20"
    assert query(tmp_path / "a.db", newest) == [(1795172027.1105, 144.9), (1795172027.0605018, 144.89)]
    assert [tick[1] for tick in ticks_of(tmp_path / "a.db")] == [1795172027060501800, 1795172027110500000]


def test_parquet_of_another_program(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "when": pyarrow.array([NOON // 10**6, None, NOON // 10**6 + 5], pyarrow.timestamp("ms", "UTC")),
            "sensor": ["a", "b", "a"],
            "temperature": pyarrow.array([1.5, 2.5, 3.5], pyarrow.float32()),
            "count": pyarrow.array([1, 2, None], pyarrow.int16()),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    done = imported(tmp_path / "a.db", tmp_path / "a.parquet")
    assert ticks_of(tmp_path / "a.db") == [
        (("a.parquet", "a", ""), NOON, NOON, None, {"temperature": 1.5, "count": 1}),
        (("a.parquet", "a", ""), NOON + 5_000_000, NOON + 5_000_000, None, {"temperature": 3.5}),
    ]
    assert (done.progress.refused, done.progress.first) == (1, "row 2: no time in it that can be: 'None'")


def test_captured_frames_keep_their_receive_times_and_ids_run_across_files(tmp_path: Path) -> None:
    frame = '{{"e":"trade","E":{0},"s":"BTCUSDT","t":{1},"p":"5","q":"1","T":{0},"m":true}}'
    at = NOON // 10**6
    lines = [f"{NOON + i * 10**6 + 7} {frame.format(at + i, i)}\n" for i in (1, 2, 4)]
    first, second = tmp_path / "day1.gz", written(tmp_path / "day2", lines[2])
    with gzip.open(first, "wt") as file:
        file.writelines([*lines[:2], f'{NOON} {{"result":null,"id":1}}\n', "nonsense\n"])
    done = imported(tmp_path / "a.db", first, second)
    assert [tick[:4] for tick in ticks_of(tmp_path / "a.db")] == [
        (("day1.gz", "BTCUSDT", "trade"), NOON + i * 10**6, NOON + i * 10**6 + 7, i) for i in (1, 2, 4)
    ]
    assert query(tmp_path / "a.db", "SELECT first_id, last_id FROM gaps") == [(3, 3)]
    assert (done.gaps, done.own_times) == (1, [])
    assert any("hold no frame" in note for note in done.progress.notes)


def test_every_gap_is_kept_however_many_there_are(tmp_path: Path) -> None:
    """Each tick comes after a missing id: more gaps than events may wait."""
    frame = '{{"e":"trade","E":{0},"s":"BTCUSDT","t":{1},"p":"5","q":"1","T":{0},"m":true}}\n'
    count = 12_000
    lines = (f"{NOON + i * 10**6} {frame.format(NOON // 10**6 + i, 2 * i)}" for i in range(count))
    done = imported(tmp_path / "a.db", written(tmp_path / "capture", "".join(lines)))
    assert (done.rows, done.gaps) == (count, count - 1)
    assert imported(tmp_path / "b.db", tmp_path / "a.db").gaps == count - 1
    export(Selection((tmp_path / "a.db",)), "sqlite", tmp_path / "c.db", Done())
    for name in ("a.db", "b.db", "c.db"):
        assert query(tmp_path / name, "SELECT count(*), sum(missing) FROM gaps") == [(count - 1, count - 1)]


def test_json_lines_are_read_as_a_feed_is(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.jsonl",
        '{"time":1386000000,"name":"x","v":1}\n{"name":"x","v":2}\n{"time":1386000001,"name":"x","v":3}\n',
    )
    done = imported(tmp_path / "a.db", file)
    assert [tick[4] for tick in ticks_of(tmp_path / "a.db")] == [{"v": 1}, {"v": 3}]
    assert (done.progress.refused, done.progress.first) == (1, "lines 1 to 3: no time in it that can be")


def test_what_means_nothing_for_a_file_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "time,value\n2013-12-02T16:00:00Z,1\n")
    for wish, text in (
        ({"decoder": "binance"}, "--decoder"),
        ({"time": "when"}, "--time 'when': no such column; there are time, value"),
        ({"zone": "Mars/Olympus"}, "--zone"),
        ({"unit": "min"}, "--unit"),
        ({"fields": ("nothing",)}, "--fields 'nothing'"),
        ({"columns": ("a",)}, "1 names, where there are 2 cells"),
    ):
        with pytest.raises(SettingsError) as caught:
            imported(tmp_path / "a.db", file, **wish)
        assert text in str(caught.value)
    assert not (tmp_path / "a.db").exists()


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "a.csv", "time,value\n2013-12-02T16:00:00Z,1\n2013-12-02T16:00:01Z,x\n")
    moment = "2013-12-02T16:00:00.000000000Z"
    assert command_line(["import", str(file), "--db", str(tmp_path / "a.db")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"1 tick of 1 stream in {tmp_path}/a.db, {moment} to {moment}",
        "no receive time in a.csv: it is the event time",
        "1 refused; the first: line 3: no finite number in it: 'x'",
    ]
    assert command_line(["import", str(file), "--db", str(tmp_path / "b.db"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1
    assert command_line(["import", str(tmp_path / "b.db"), "--db", str(tmp_path / "b.db")]) == 1
    assert "cannot be imported into itself" in capsys.readouterr().err


@pytest.mark.skipif(DATA is None, reason="TUISTREAM_DATA names no folder of recordings")
def test_the_sensor_files_have_every_row(tmp_path: Path) -> None:
    assert DATA is not None
    files = sorted((DATA / "sensors").glob("*.csv"))
    done = imported(tmp_path / "a.db", *files)
    assert (done.rows, done.streams, done.progress.refused) == (22_695 + 7_267 + 4_032, 3, 0)


@pytest.mark.parametrize("command", [("import", "a.parquet", "--db", "b.db"), ("export", "a.db", "-o", "b.arrow")])
def test_a_missing_pyarrow_is_named_with_what_installs_it(
    tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(tmp_path / "a.db", written(tmp_path / "a.csv", "time,value\n2013-12-02T16:00:00Z,1\n"))
    parquet.write_table(pyarrow.table({"time": [1.5]}), tmp_path / "a.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert command_line(list(command)) == 2
    assert "this needs pyarrow: pip install 'tuistream[parquet]'" in capsys.readouterr().err


def test_a_rotated_recording_is_imported_by_its_base(tmp_path: Path) -> None:
    for day in (1, 2):
        file = written(tmp_path / f"{day}.csv", f"time,value\n2013-12-0{day}T16:00:00Z,{day}\n")
        imported(tmp_path / f"{day}.db", file, feed="oven")
        (tmp_path / f"{day}.db").rename(tmp_path / f"all.2013120{day}T000000Z.db")
    assert command_line(["import", str(tmp_path / "all.db"), "--db", str(tmp_path / "one.db"), "-q"]) == 0
    assert [tick[4] for tick in ticks_of(tmp_path / "one.db")] == [{"value": 1}, {"value": 2}]
