"""`tuistream listen` as its user sees it: in a terminal, with free ports, and its counters as /metrics tells them."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from collections.abc import Callable

from tests.cli.running import PATIENCE
from tests.cli.terminal import Terminal

WAYS = ("tcp", "frames", "http", "ws")
_PLACE = re.compile(r"\b(tcp|frames|http|ws)\s+127\.0\.0\.1:(\d+)")
_REFUSED = re.compile(r'^tuistream_hub_refused_total\{listener="hub-(\w+)",cause="(\w+)"\} (\d+)$', re.MULTILINE)
_OTHERS = re.compile(r'^tuistream_hub_(\w+)\{listener="hub-(\w+)"\} (\d+)$', re.MULTILINE)
_END = re.compile(r" {2,}|[\u2500-\u257f\n]")  # blanks and borders


class Listening(Terminal):
    """ports: by the way in."""

    def __init__(self, *options: str, columns: int = 160, lines: int = 36, **environment: str) -> None:
        ports = [word for way in WAYS for word in (f"--{way}", "0")]
        super().__init__("listen", "--no-record", *ports, *options, columns=columns, lines=lines, **environment)
        text = self.until(lambda text: len(_PLACE.findall(text)) >= len(WAYS))
        self.ports = {way: int(port) for way, port in _PLACE.findall(text)}

    def counted(self, way: str) -> dict[str, int]:
        """What is not zero: messages `accepted` and refused by the cause, `connected` senders, `evicted` ones."""
        url = f"http://127.0.0.1:{self.ports['http']}/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            text = answer.read().decode()
        found = {cause: int(count) for of, cause, count in _REFUSED.findall(text) if of == way}
        names = {"accepted_total": "accepted", "connections": "connected", "evicted_total": "evicted"}
        others = {names[name]: int(count) for name, of, count in _OTHERS.findall(text) if of == way and name in names}
        if way == "http":
            others["connected"] -= 1  # this one
        return {name: count for name, count in (others | found).items() if count}

    def look(self, condition: Callable[[], object]) -> None:
        """Wait for something outside, while the terminal is read."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it did not come about:\n{self.text}"
            assert self.pump(), f"the program ended:\n{self.text}"

    def connect(self, way: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[way]), timeout=PATIENCE)

    def send(self, way: str, wire: bytes) -> None:
        """From a sender that then goes away; over HTTP as the body of a request."""
        if way == "http":
            head = f"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(wire)}\r\n\r\n"
            wire = head.encode() + wire
        with self.connect(way) as sender:
            sender.sendall(wire)
            sender.shutdown(socket.SHUT_WR)
            while sender.recv(1 << 16):
                pass

    def shown(self, *wanted: str) -> list[str]:
        """From where each of these is found on the screen to the end of that text, once all are there."""
        text = self.until(lambda text: all(re.search(pattern, text) for pattern in wanted))
        found = [match for pattern in wanted if (match := re.search(pattern, text))]
        return [" ".join((match[0] + _END.split(text[match.end() :], 1)[0]).split()) for match in found]
