"""`tuistream listen`, as it is called."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LISTEN = (sys.executable, "-m", "tuistream", "listen")
FREE = ("--tcp", "0", "--frames", "0", "--http", "off", "--ws", "0")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LISTEN, *arguments], capture_output=True, text=True, timeout=50)


@contextmanager
def headless(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A hub without a screen, and its ports by their ways, once it tells them."""
    command = [*LISTEN, "--headless", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        ports: dict[str, int] = {}
        assert program.stdout is not None
        try:
            wanted = sum(arguments[at + 1] == "0" for at, each in enumerate(arguments) if each in FREE[::2])
            while len(ports) < wanted:
                told = json.loads(program.stdout.readline())
                if match := re.fullmatch(r"listening on .*:(\d+)", told.get("text", "")):
                    ports[told["feed"].removeprefix("hub-")] = int(match[1])
            yield program, ports
        finally:
            program.kill()


def test_what_is_sent_is_recorded_and_a_signal_ends_it_in_good_order(tmp_path: Path) -> None:
    db = tmp_path / "hub.db"
    with headless(*FREE, "--db", str(db)) as (program, ports):
        assert set(ports) == {"tcp", "frames", "ws"}
        with socket.create_connection(("127.0.0.1", ports["tcp"])) as sender:
            sender.sendall(b'{"id":"cpu","value":42}{"id":"cpu","value":43}{"id":[],"value":1}')
        assert program.stdout is not None
        counted: dict[str, int] = {}
        while counted.get("ticks", 0) < 2 or not counted.get("malformed"):
            told = json.loads(program.stdout.readline())
            counted = told if told["event"] == "progress" else counted
        program.send_signal(signal.SIGTERM)
        last = json.loads(program.stdout.read().splitlines()[-1])
        assert program.wait(20) == 0
    assert (last["event"], last["ticks"], last["rows"], last["malformed"]) == ("end", 2, 2, 1)
    with sqlite3.connect(db) as connection:
        assert connection.execute("SELECT data FROM cpu_line").fetchall() == [(42.0,), (43.0,)]
        (text,) = connection.execute("SELECT text FROM events WHERE kind = 'refused'").fetchone()
    connection.close()
    assert "id (a list of 0): a number or a name is wanted" in text


def test_it_tells_where_to_send() -> None:
    done = run("--headless", "--no-record", "--for", "200ms", *FREE)
    assert done.returncode == 0, done.stderr
    for way in ("tcp", "frames", "ws"):
        assert re.search(rf"hub-{way}  open: listening on 127\.0\.0\.1:\d+", done.stderr)
    first, *commands = done.stdout.splitlines()
    assert re.fullmatch(r"anyone may send:  tcp 127.0.0.1:\d+   frames 127.0.0.1:\d+   ws 127.0.0.1:\d+", first)
    assert [command.split()[0] for command in commands] == ["python3", "node", "echo"]


def test_ports_that_are_taken_are_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--headless", "--no-record", "--tcp", str(port), "--frames", "off", "--http", "off", "--ws", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"tuistream: cannot listen on 127.0.0.1 port {port}: address already in use; port 0 takes a free one"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--headless", "--no-record", "--host", "0.0.0.0", *FREE), "--no-auth says who may"),
        (("--headless", "--no-record", "--allow", "everybody", *FREE), "--allow 'everybody'"),
        (("--headless", "--no-record", "--tls-cert", "/none.pem", *FREE), "--tls-cert /none.pem"),
        (("--headless", "--no-record", "--password", "@/none", *FREE), "--password @/none"),
        (("--headless", "--host", "a/b", *FREE), "--host"),
        (("--tcp", "off", "--frames", "off", "--http", "off", "--ws", "off"), "one of them must be on"),
        (("--tcp", "70000"), "a port from 0"),
        (("ws://127.0.0.1:1",), "is no listener"),
        (("--for", "1s"), "--for: with --headless only"),
        (("--max-frame", "huge"), "--max-frame 'huge'"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_password_from_the_environment_and_a_single_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = tmp_path / "x.db"
    monkeypatch.setenv("TUISTREAM_PASSWORD", "s3cret")
    with headless("listen+tcp://127.0.0.1:0", "--tcp", "0", "--db", str(db)) as (program, ports):
        with socket.create_connection(("127.0.0.1", ports["tcp"])) as sender:
            sender.sendall(b'{"id":1,"value":1}{"id":1,"value":2,"api_crypt":"s3cret"}')
        assert program.stdout is not None
        refused = ""
        while "no password" not in refused:
            refused = program.stdout.readline()
        program.terminate()
        assert json.loads(program.stdout.read().splitlines()[-1])["ticks"] == 1
    assert b"s3cret" not in db.read_bytes()
