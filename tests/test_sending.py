"""`tuistream.send` to real listeners: what arrives, what is counted, what never holds the caller up."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.errors import HubUnreachable, SettingsError
from tuistream.sending import QUEUE_BYTES, Address, Sender, Senders, message_of, parse_address
from tuistream.sending import sender as shared_sender

PATIENCE = 30.0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


class Listener:
    """Takes connections and keeps what comes on each, JSON lines."""

    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None, *, reads: bool = True) -> None:
        self.received: list[bytes] = []
        self.taken: list[socket.socket] = []
        self._reads = reads
        self._context = context
        self._server = socket.create_server(("127.0.0.1", port))
        self.port: int = self._server.getsockname()[1]
        self.address = Address("127.0.0.1", self.port)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            if self._context is not None:
                try:
                    connection = self._context.wrap_socket(connection, server_side=True)
                except ssl.SSLError:
                    continue
            self.received.append(b"")
            self.taken.append(connection)
            if self._reads:
                threading.Thread(target=self._read, args=(connection, len(self.taken) - 1), daemon=True).start()

    def _read(self, connection: socket.socket, number: int) -> None:
        try:
            while data := connection.recv(1 << 16):
                self.received[number] += data
        except OSError:
            pass

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for data in self.received for line in data.splitlines()]

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._accepting.join(PATIENCE)
        for connection in self.taken:
            with suppress(OSError):  # the other side may have gone
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@pytest.fixture
def hub() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def senders() -> Iterator[Senders]:
    made = Senders()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (42.0, {"value": [42.0], "legend": ["value"]}),
        (7, {"value": [7], "legend": ["value"]}),
        (True, {"value": [1.0], "legend": ["value"]}),
        ({"user": 1.5, "system": 2}, {"value": [1.5, 2], "legend": ["user", "system"]}),
        ([1.0, 2.0], {"value": [1.0, 2.0], "legend": ["1", "2"]}),
        (np.float64(0.5), {"value": [0.5], "legend": ["value"]}),
        (np.arange(3), {"value": [0, 1, 2], "legend": ["1", "2", "3"]}),
        ({"a": np.float32(0.25)}, {"value": [0.25], "legend": ["a"]}),
        (float("nan"), {"value": [None], "legend": ["value"]}),
        ([1, float("inf")], {"value": [1, None], "legend": ["1", "2"]}),
        ("it\nworks", {"value": "it\nworks", "type": "text"}),
    ],
)
def test_a_value_as_the_hub_has_it(value: Any, expected: dict[str, Any]) -> None:
    assert message_of("cpu", value, {}) == {"id": "cpu"} | expected


@pytest.mark.parametrize("value", [None, b"12", object(), {"a": None}, [[1.0]], {"a": "x"}])
def test_what_is_no_value(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        message_of("cpu", value, {})


def test_what_the_caller_says_goes_before_what_follows_from_the_value() -> None:
    message = message_of("cpu", [1.0], {"legend": ["load"], "type": "bar", "time": 7})
    assert message == {"id": "cpu", "value": [1.0], "legend": ["load"], "type": "bar", "time": 7}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 8010)),
        ("10.0.0.7:99", Address("10.0.0.7", 99)),
        ("[::1]", Address("::1", 8010)),
        ("tcp://[::1]:5", Address("::1", 5)),
        ("tls://hub.example.com", Address("hub.example.com", 8010, tls=True)),
        ("tcp://:secret@hub:1", Address("hub", 1, password="secret")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "http://x", "x:0", "x:99999", "x:y", "tcp://x/path", "tcp://", "[::1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(SettingsError, match="a hub's address is"):
        parse_address(text)


def test_a_password_is_in_no_text() -> None:
    address = parse_address("tcp://:hunter2@hub:1")
    assert "hunter2" not in f"{address} {address!r}"
    with pytest.raises(SettingsError) as refused:
        parse_address("ftp://:hunter2@hub:1")
    assert "hunter2" not in str(refused.value)


@given(st.lists(st.one_of(st.floats(), st.integers()), max_size=5))
def test_whatever_the_numbers_it_is_json(numbers: list[float]) -> None:
    try:
        text = json.dumps(message_of("x", numbers, {}), allow_nan=False)
    except OverflowError:  # an integer that no double can hold
        assert any(abs(number) > sys.float_info.max for number in numbers)
    else:
        assert len(json.loads(text)["value"]) == len(numbers)


def test_many_threads_one_connection_nothing_lost_or_torn(hub: Listener, senders: Senders) -> None:
    sender = senders.to(hub.address)

    def send(thread: int) -> None:
        for at in range(200):
            sender.send(f"thread{thread}", at)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(PATIENCE)
    until(lambda: len(hub.messages()) == 1600)
    assert len(hub.taken) == 1
    for number in range(8):
        mine = [message["value"] for message in hub.messages() if message["id"] == f"thread{number}"]
        assert mine == [[at] for at in range(200)]
    assert (sender.sent, sender.dropped) == (1600, 0)


def test_a_hub_that_is_not_there_costs_nothing_and_is_counted(senders: Senders) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
    sender = senders.to(address)
    for at in range(50):
        sender.send("cpu", at)
    assert sender.flush(PATIENCE)
    assert (sender.sent, sender.dropped) == (0, 50)
    assert sender.reason == "Connection refused"
    with pytest.raises(HubUnreachable, match=rf"127\.0\.0\.1:{address.port}: Connection refused"):
        sender.send("cpu", 1.0, wait=True)


def test_a_hub_that_comes_back_gets_what_is_sent_then(senders: Senders) -> None:
    first = Listener()
    sender = senders.to(first.address)
    sender.send("cpu", 1, wait=True)
    until(lambda: len(first.messages()) == 1)
    first.close()
    with pytest.raises(HubUnreachable):
        sender.send("cpu", 2, wait=True)
    second = Listener(first.port)
    try:
        sender.send("cpu", 3, wait=True)  # hurries: no need to wait for the pause to end
        until(lambda: [message["value"] for message in second.messages()] == [[3]])
    finally:
        second.close()
    assert (sender.sent, sender.dropped) == (2, 1)


def test_a_hub_that_restarts_between_two_messages_loses_neither(senders: Senders) -> None:
    first = Listener()
    sender = senders.to(first.address)
    sender.send("cpu", 1, wait=True)
    until(lambda: len(first.messages()) == 1)
    first.close()
    second = Listener(first.port)
    try:
        sender.send("cpu", 2, wait=True)
        until(lambda: len(second.messages()) == 1)
    finally:
        second.close()
    assert sender.dropped == 0


def test_a_hub_that_does_not_read_holds_nobody_up(senders: Senders) -> None:
    deaf = Listener(reads=False)
    sender = senders.to(deaf.address)
    text = "x" * 50_000
    for _ in range(2 * QUEUE_BYTES // len(text) + 500):
        sender.send("log", text)
    assert sender.dropped > 0
    assert sender.reason == "the hub takes less than is sent"
    with pytest.raises(HubUnreachable, match=r"not sent within 0\.01 s"):
        sender.send("log", text, wait=True, timeout=0.01)
    assert not sender.flush(0.01)
    deaf.close()
    assert sender.flush(PATIENCE)


def test_a_hub_that_wants_a_password_gets_it(senders: Senders, hub: Listener) -> None:
    sender = senders.to(Address("127.0.0.1", hub.port, password="hunter2"))
    sender.send("cpu", 1, wait=True)
    until(lambda: len(hub.messages()) == 1)
    assert hub.messages()[0]["api_crypt"] == "hunter2"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, senders: Senders) -> None:
    certificate, key = tmp_path / "hub.crt", tmp_path / "hub.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    made = subprocess.run([*command.split(), *files], capture_output=True)
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    hub = Listener(context=context)
    sender = senders.to(Address("localhost", hub.port, tls=True))
    try:
        with pytest.raises(HubUnreachable, match="certificate"):
            sender.send("cpu", 1, wait=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sender.send("cpu", 2, wait=True)
        sender.send("cpu", 3, wait=True)
        until(lambda: [message["value"] for message in hub.messages()] == [[2], [3]])
    finally:
        hub.close()


def test_a_forked_child_has_a_connection_of_its_own(hub: Listener) -> None:
    program = f"""
import os, tuistream
address = "127.0.0.1:{hub.port}"
tuistream.send("parent", 1, address=address, wait=True)
child = os.fork()
if not child:
    assert tuistream.sender(address).sent == 0
    tuistream.send("child", 2, address=address)
    raise SystemExit(0)
assert os.waitpid(child, 0)[1] == 0
tuistream.send("parent", 3, address=address)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
    until(lambda: len(hub.messages()) == 3)
    assert len(hub.taken) == 2
    by_connection = [[json.loads(line)["value"] for line in data.splitlines()] for data in hub.received]
    assert sorted(by_connection) == [[[1], [3]], [[2]]]


def test_children_of_multiprocessing_lose_nothing(hub: Listener, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import multiprocessing, tuistream
def work(number):
    tuistream.send(number, number, address="127.0.0.1:{hub.port}")
if __name__ == "__main__":
    children = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(3)]
    for child in children: child.start()
    for child in children: child.join()
""")
    subprocess.run([sys.executable, program], check=True, timeout=PATIENCE)
    until(lambda: sorted(message["id"] for message in hub.messages()) == [0, 1, 2])


def test_a_program_that_ends_at_once_has_sent(hub: Listener) -> None:
    program = "import tuistream\nfor n in range(100): tuistream.send('cpu', n)"
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        timeout=PATIENCE,
        env=os.environ | {"TUISTREAM_HUB": f"127.0.0.1:{hub.port}"},
    )
    until(lambda: len(hub.messages()) == 100)


def test_the_same_sender_for_an_address_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUISTREAM_HUB", "127.0.0.1:9")
    monkeypatch.setenv("TUISTREAM_PASSWORD", "hunter2")
    assert shared_sender() is shared_sender("127.0.0.1:9")
    assert shared_sender().address.password == "hunter2"
    senders = Senders()
    for port in range(1, 65):
        assert isinstance(senders.to(Address("127.0.0.1", port)), Sender)
    with pytest.raises(SettingsError, match="more than 64 hubs"):
        senders.to(Address("127.0.0.1", 65))


def test_a_program_that_sends_imports_little() -> None:
    program = "import sys, tuistream; tuistream.sender('127.0.0.1:9'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=PATIENCE, capture_output=True, text=True
    )
    assert not {"numpy", "asyncio", "textual", "ssl", "msgspec", "aiohttp"} & set(done.stdout.split())
