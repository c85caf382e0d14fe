"""`--rotate` and `--retention`, from the command line to the files."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.cli.running import TickServer, finish, query, rows, start, until
from tests.store.recorded import record, ticks
from tuistream.cli import run
from tuistream.config import parse_keep_rollups, parse_retention, parse_rotation
from tuistream.core.errors import SettingsError
from tuistream.store.rotation import FOREVER, Retention, Rotation
from tuistream.store.segments import files_of, segments_of


async def test_a_recorder_begins_a_new_file_each_second_and_says_so(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--rotate", "1s", "--json")
        await until(lambda: len(segments_of(db)) >= 3)
        process.send_signal(signal.SIGTERM)
        code, lines, err = await finish(process)
    assert (code, err) == (0, "")
    files = segments_of(db)
    told = [line["details"]["file"] for line in lines if line["event"] == "rotate"]
    assert told == [path.name for path in files[1:]]
    assert sum(query(path, "SELECT count(*) FROM ticks")[0][0] for path in files) == lines[-1]["rows"]
    assert sorted(tmp_path.iterdir()) == files
    assert sum(query(path, "SELECT count(*) FROM gaps")[0][0] for path in files) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="SIGUSR1")
async def test_sigusr1_begins_a_new_file_also_without_rotate(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        process = await start("record", server.url, "--db", str(db), "--json")
        await until(lambda: rows(db) > 0)
        process.send_signal(signal.SIGUSR1)
        await until(lambda: segments_of(db) and rows(segments_of(db)[0]))
        process.send_signal(signal.SIGUSR1)
        await until(lambda: len(segments_of(db)) == 2 and rows(segments_of(db)[1]))
        process.terminate()
        code, lines, _ = await finish(process)
    assert code == 0
    assert [line["details"]["reason"] for line in lines if line["event"] == "rotate"] == ["asked for"] * 2
    assert sum(map(rows, files_of([db]))) == lines[-1]["rows"]


async def test_a_second_recorder_is_refused_by_all_names_of_the_recording(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    async with TickServer().running() as server:
        first = await start("record", server.url, "--db", str(db), "--rotate", "1d", "-q")
        await until(lambda: segments_of(db))
        await until(lambda: query(segments_of(db)[0], "SELECT n FROM ticks LIMIT 1"))
        for name, words in (
            (db, f"is recorded by pid {first.pid} since 2"),
            (segments_of(db)[0], "is called a file of"),
        ):
            code, _, err = await finish(await start("record", server.url, "--db", str(name), "-q"))
            assert code == 1
            assert words in err
            assert err.count("\n") == 1
        first.terminate()
        assert (await finish(first))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rotate", "soon"), "--rotate 'soon': a time or a size such as 1d, 1h or 1GB is wanted"),
        (("--rotate", "4096"), "--rotate '4096': a time or a size"),
        (("--rotate", "0d"), "--rotate '0d'"),
        (("--rotate", "5ms"), "at least 1s or 1MB is wanted"),
        (("--rotate", "5kB"), "at least 1s or 1MB is wanted"),
        (
            ("--rotate", "1d", "--retention", "-1d"),
            "--retention '-1d': a time or a size such as 30d or 50GB is wanted",
        ),
        (("--retention", "30d"), "--rotate is needed"),
        (("--rotate", "1d", "--keep-rollups", "1y"), "--keep-rollups keeps those of files that --retention removes"),
        (
            ("--rotate", "1d", "--retention", "30d", "--keep-rollups", "30d"),
            "--keep-rollups 30d: longer than --retention 30d is wanted",
        ),
        (("--rotate", "1d", "--retention", "1GB", "--keep-rollups", "5GB"), "a time such as 1y or 90d, or forever"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["record", "ws://localhost:1", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_times_and_sizes() -> None:
    hour = 3_600_000_000_000
    assert parse_rotation("1d", "") == Rotation(every=24 * hour)
    assert parse_rotation("1h30m", "") == Rotation(every=hour * 3 // 2)
    assert parse_rotation(" 1.5 GB", "") == Rotation(size=1_500_000_000)
    assert parse_retention("16MiB", "") == Retention(size=16 << 20)
    assert parse_retention("30d", "") == Retention(age=720 * hour)
    assert parse_keep_rollups("1y", "") == 365 * 24 * hour
    assert parse_keep_rollups("90d", "") == 90 * 24 * hour
    assert parse_keep_rollups("forever", "") == FOREVER
    for text in ("", "0y", "90", "y", "always"):
        with pytest.raises(SettingsError):
            parse_keep_rollups(text, "--keep-rollups")
    for text in ("", "b", "1.1.1GB", "1", "GB", "nan d"):
        with pytest.raises(SettingsError):
            parse_retention(text, "--retention")


def test_the_configuration_file_says_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "tuistream.toml"
    file.write_text('[recording]\nrotate = "1h"\nretention = "30d"\nkeep_rollups = "1y"\n')
    assert run(["config", "show"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert 'rotate = "1h" # file retention = "30d" # file keep_rollups = "1y" # file' in shown
    file.write_text('[recording]\nrotate = "often"\nretention = "some"\nkeep_rollups = "a"\n')
    assert run(["config", "check"]) == 2
    err = capsys.readouterr().err
    assert "recording.rotate 'often'" in err
    assert "recording.retention 'some'" in err
    assert "recording.keep_rollups 'a'" in err


async def test_a_recording_is_not_replayed_into_itself(tmp_path: Path) -> None:
    base = tmp_path / "x.db"
    await record(base, [ticks(count=3)], rotation=Rotation(every=10**9))
    code, _, err = await finish(await start("record", f"replay:{base}", "--db", str(base)))
    assert code == 2
    assert "that is what is replayed" in err
    assert len(segments_of(base)) == 1
