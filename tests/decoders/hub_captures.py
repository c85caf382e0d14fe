"""What the chart hub's example senders sent, from the excerpts in tests/data/hub."""

from __future__ import annotations

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "hub"
_LINE = re.compile(r"\s*\S+ \S+ C>S len=(\d+) (b'.*?')(\.\.\.)?$")
PNG_TAIL = b'", "type":"image", "active_points": 20, "name":"Picture Example"}\np0\n.'


def sent(name: str) -> list[bytes]:
    """The payloads of a file, in order; one that was cut there is filled up to its length as it would end."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        match = _LINE.match(line)
        assert match is not None, line
        size, payload = int(match[1]), ast.literal_eval(match[2])
        if match[3]:
            payload += b"A" * (size - len(payload) - len(PNG_TAIL)) + PNG_TAIL
        assert len(payload) == size
        found.append(payload)
    return found


def tcp() -> list[bytes]:
    return sent("tcp_senders")


def http_bodies() -> list[bytes]:
    return [request.partition(b"\r\n\r\n")[2] for request in sent("http_senders")]


def pictures() -> list[bytes]:
    """Each with its length before it."""
    return sent("image_senders")
