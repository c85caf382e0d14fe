"""The unit and the Dockerfile that are shipped, and the words that are put into them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.running import TickServer, finish, rows, start, until
from tuistream.cli.deploy import HIDDEN, dockerfile, quoted, unit

WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4)
ANALYZE = shutil.which("systemd-analyze")
ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "\\": b"\\", '"': b'"'}


def split(line: str) -> list[str]:
    """The arguments that systemd makes of a command line: quotes, escapes, then `%%` and `$$`."""
    words: list[str] = []
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', line):
        quote = match[1]
        word = quote if quote is not None else match[2]
        text = b""
        for part in re.finditer(r"\\x([0-9a-f]{2})|\\(.)|([^\\])", word, re.DOTALL):
            if part[1]:
                text += bytes([int(part[1], 16)])
            else:
                text += ESCAPES[part[2]] if part[2] else part[3].encode()
        assert not re.search(rb"(?<!%)%(?:%%)*(?!%)", text.replace(b"%d", b""))
        words.append(text.decode().replace("%%", "%").replace("$$", "$"))
    return words


def line_of(text: str, name: str) -> str:
    (line,) = re.findall(rf"(?m)^{name}=(.*)$", text)
    return str(line)


@given(WORDS)
def test_words_come_out_of_the_unit_as_they_went_in(words: list[str]) -> None:
    text = unit(["record", *words], executable="/opt/my tools/tuistream")
    assert split(line_of(text, "ExecStart")) == ["/opt/my tools/tuistream", "record", *words]
    assert "LoadCredential" not in text


@given(WORDS)
def test_words_come_out_of_the_dockerfile_as_they_went_in(words: list[str]) -> None:
    *_, last = dockerfile(["record", *words]).strip().split("\n")
    told = json.loads(last.removeprefix("CMD "))
    assert told[: len(words) + 1] == ["record", *words]
    assert [word for word in told if word.startswith("--status-port")]
    assert last.isascii()


def test_plain_words_stay_plain() -> None:
    assert quoted("kraken:BTC/USD") == "kraken:BTC/USD"
    assert quoted("50% of $x; y") == '"50%% of $$x; y"'
    assert quoted("") == '""'


@pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("words", [(), ("record", "kraken:BTC/USD", "--send", '{"a": "50% $x ; \\ \n"}')])
def test_systemd_finds_nothing_to_say_of_the_unit(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "tuistream.service"
    path.write_text(unit(words, executable=sys.executable))
    assert ANALYZE is not None
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", "--generators=no", str(path)], capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_container_runs_as_nobody_special_and_gets_signals_itself() -> None:
    text = dockerfile()
    users = re.findall(r"(?m)^USER (.*)$", text)
    assert users == ["10001:10001"]
    for name in ("ENTRYPOINT", "CMD"):
        (line,) = re.findall(rf"(?m)^{name} (.*)$", text)
        assert all(isinstance(word, str) for word in json.loads(line))
    assert text.index("USER") < text.index("ENTRYPOINT")


def test_a_program_that_the_unit_would_hide_is_said(tmp_path: Path) -> None:
    script = tmp_path / "tuistream"
    script.write_text("import sys\nfrom tuistream.cli import run\nsys.exit(run(['deploy', 'systemd']))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=50)
    assert split(line_of(done.stdout, "ExecStart"))[0] == str(script)
    assert ("install tuistream outside of" in done.stderr) == str(script).startswith(HIDDEN)


@pytest.mark.parametrize("what", ["systemd", "docker"])
async def test_the_command_of_the_file_runs_reloads_and_stops(what: str, tmp_path: Path) -> None:
    text = unit(executable="tuistream") if what == "systemd" else dockerfile()
    words = split(line_of(text, "ExecStart"))[1:] if what == "systemd" else json.loads(text.rpartition("\nCMD ")[2])
    config, db = tmp_path / "tuistream.toml", tmp_path / "x.db"
    async with TickServer().running() as server:
        config.write_text(f'[recording]\ndb = "{db}"\n\n[[feeds]]\nurl = "{server.url}"\n')
        words = [str(config) if word.endswith("tuistream.toml") else word.replace("9110", "0") for word in words]
        process = await start(*words)
        assert process.stderr is not None
        said = ""
        while "/healthz" not in said:
            said = (await process.stderr.readline()).decode()
        (url,) = re.findall(r"http://[\d.:]+/healthz", said)[:1]
        await until(lambda: rows(db))
        with await asyncio.to_thread(urllib.request.urlopen, url, timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGUSR1)
        while "SIGUSR1" not in said:
            said = (await process.stderr.readline()).decode()
        process.terminate()
        assert (await finish(process))[0] == 0
