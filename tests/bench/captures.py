"""What real senders of charts sent, as messages for a hub with the time at which each came."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.samples import samples, wire
from tests.decoders.hub_captures import FOLDER

FILES = ("chart-hub.tcp-senders.txt", "chart-hub.http-senders.txt", "tcp_senders.txt", "http_senders.txt")
FIGURES = ("real-time-plot.plotly5.json", "real-time-plot.plotly7.json")
_SENT = re.compile(r"\s*(\d+\.\d+) (\w+) C>S len=\d+ (b'.*?'|b\".*?\")(\.\.\.)?$")


class Sent(NamedTuple):
    """at: seconds since the first. sender: those of one came over one connection."""

    at: float
    sender: str
    body: bytes


def captured(folder: Path | None) -> list[Sent]:
    """All whole messages of the captures in a folder, in order: lines, texts, cells, prices, markers, figures.

    Without a folder those of tests/data/hub, with a figure of ours. The pictures of both are cut, so there is ours.
    """
    found = [sent for name in FILES for sent in _sent(Path(folder or FOLDER, name))]
    for name in FIGURES if folder is not None else ():
        figure = json.loads(Path(folder or "", name).read_text())
        found.append(Sent(0.0, name, json.dumps({"id": name.removesuffix(".json"), **figure}).encode()))
    ours = ("picture",) if folder is not None else ("picture", "figure")
    found += [Sent(0.0, name, wire(samples()[name].first())) for name in ours]
    return sorted(found)


def _sent(path: Path) -> Iterator[Sent]:
    for line in path.read_text().splitlines() if path.exists() else ():
        match = _SENT.match(line)
        if match is None or match[4]:
            continue
        payload: bytes = ast.literal_eval(match[3])
        body = payload.partition(b"\r\n\r\n")[2] if payload.startswith(b"POST ") else payload
        if body.startswith(b"{"):
            yield Sent(float(match[1]), f"{path.name} {match[2]}", body)
