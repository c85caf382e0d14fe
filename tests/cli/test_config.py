"""`tuistream config`, and what a file does to other commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import TickServer, finish, rows, start
from tuistream.cli import run


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither the user's own file nor one that lies around is meant."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("TUISTREAM_CONFIG", "TUISTREAM_DB", "TUISTREAM_FPS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_init_writes_what_check_finds_right(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = at_home / "own.toml"
    assert run(["config", "init", str(path)]) == 0
    assert run(["config", "check", "--config", str(path)]) == 0
    # All that is commented out is right, too.
    plain = [line.removeprefix("# ") for line in path.read_text(encoding="utf-8").splitlines()[3:]]
    path.write_text("\n".join(plain), encoding="utf-8")
    capsys.readouterr()
    assert run(["config", "check", "--config", str(path)]) == 2
    assert "PRICES_TOKEN: this environment variable is not set" in capsys.readouterr().err


def test_init_writes_over_nothing_unasked(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = at_home / "own.toml"
    path.write_text("mine", encoding="utf-8")
    assert run(["config", "init", str(path)]) == 1
    assert "--force writes over it" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"
    assert run(["config", "init", "--force", str(path)]) == 0


def test_flags_beat_environment_beats_file(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (at_home / "tuistream.toml").write_text('[screen]\nfps = 20\ntheme = "nord"\n', encoding="utf-8")
    monkeypatch.setenv("TUISTREAM_FPS", "30")
    assert run(["config", "show"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fps = 30 # environment" in shown
    assert 'theme = "nord" # file' in shown
    assert "record = true # default" in shown


def test_what_is_said_without_a_screen_is_in_it_too(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '[headless]\nstatus_port = 9100\nlog_format = "json"\ndown_after = "5m"\n'
    (at_home / "tuistream.toml").write_text(text, encoding="utf-8")
    assert run(["config", "show"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert 'log_format = "json" # file status_port = "9100" # file down_after = "5m" # file' in shown
    text = '[headless]\nstatus_port = "here:x"\nlog_format = "xml"\ndown_after = "soon"\n'
    (at_home / "tuistream.toml").write_text(text.replace('"xml"', '"text"'), encoding="utf-8")
    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert "headless.status_port 'here:x': PORT or HOST:PORT is wanted" in told
    assert "headless.down_after 'soon'" in told
    (at_home / "tuistream.toml").write_text(text, encoding="utf-8")
    assert run(["config", "check"]) == 2
    assert "headless.log_format" in (told := capsys.readouterr().err)
    assert "allowed are text, json" in told


async def test_a_recorder_takes_its_status_port_and_log_format_from_it(at_home: Path) -> None:
    async with TickServer(rate=0, count=50).running() as server:
        text = '[headless]\nstatus_port = 0\nlog_format = "json"\n[recording]\nretries = 0\n'
        (at_home / "tuistream.toml").write_text(text, encoding="utf-8")
        code, _, told = await finish(await start("record", server.url, "--db", "x.db", cwd=at_home))
    assert code == 0
    events = [json.loads(line) for line in told.splitlines()]
    assert any("/metrics" in json.dumps(event) for event in events)


def test_secrets_are_not_shown(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '[[feeds]]\nurl = "wss://user:hunter2@example.com/?token=hunter3"\nbearer = "hunter4"\n'
    (at_home / "tuistream.toml").write_text(text, encoding="utf-8")
    assert run(["config", "show"]) == 0
    out, err = capsys.readouterr()
    assert "hunter" not in out + err
    assert "with secrets, not shown" in out
    assert "chmod 600" in err


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ('puase = "p"', "keys.puase is no command; did you mean pause?"),
        ('pause = "t"', "t is for 'pause' and for 'theme'"),
        ('panel = "x"', "keys.panel is no command"),
    ],
)
def test_keys_are_those_of_the_table(keys: str, told: str, at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (at_home / "tuistream.toml").write_text(f"[keys]\n{keys}\n", encoding="utf-8")
    assert run(["config", "check"]) == 2
    assert told in capsys.readouterr().err


def test_the_theme_is_one_that_there_is(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (at_home / "tuistream.toml").write_text('[screen]\ntheme = "neon"\n', encoding="utf-8")
    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert "tuistream.toml: screen.theme = 'neon' is not known; known are tuistream-dark, tuistream-light, " in told


async def test_record_takes_feeds_and_file_from_it(at_home: Path) -> None:
    async with TickServer(rate=0, count=200).running() as server:
        text = f'[recording]\ndb = "own.db"\nretries = 0\n[[feeds]]\nname = "mine"\nurl = "{server.url}"\n'
        (at_home / "tuistream.toml").write_text(text, encoding="utf-8")
        code, (end,), _ = await finish(await start("record", "--json", "-q", cwd=at_home))
    assert code == 0
    assert end["rows"] == rows(at_home / "own.db") == 200


async def test_a_url_stands_in_for_the_feeds_of_the_file(at_home: Path) -> None:
    (at_home / "tuistream.toml").write_text('[[feeds]]\nurl = "ws://127.0.0.1:1"\n', encoding="utf-8")
    async with TickServer(rate=0, count=50).running() as server:
        command = ("record", server.url, "--db", "x.db", "--retries", "0", "--json", "-q")
        code, (end,), _ = await finish(await start(*command, cwd=at_home))
    assert (code, end["rows"]) == (0, 50)


def test_an_error_in_the_file_ends_any_command_that_reads_it(at_home: Path) -> None:
    (at_home / "tuistream.toml").write_text("[screen]\nfps = 0\n", encoding="utf-8")
    command = [sys.executable, "-m", "tuistream", "record", "ws://127.0.0.1:1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=at_home)
    assert ended.returncode == 2
    assert ended.stderr == "tuistream: tuistream.toml: screen.fps = 0: Expected `int` >= 1\n"


def test_nothing_to_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["record"]) == 2
    assert "what is to be recorded?" in capsys.readouterr().err
