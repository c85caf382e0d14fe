"""`python -m tests.bench.gallery [--dir D] [--size 200x50]… [NAME…]`: pictures of the screen with each kind of panel.

Runs `tuistream listen` in a terminal, sends it messages of each kind (`samples`), and writes what is on the screen
then as NAME-WIDTHxHEIGHT.png and .txt. NAME is a kind, or several with + between them, or `nine` (kinds at once), or
`captures`: the recorded traffic of real senders in the folder $TUISTREAM_WIRE, or --wire, or tests/data/hub, all at
once, as fast as it was.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.captures import Sent, captured
from tests.bench.listening import Listening
from tests.bench.photograph import photograph
from tests.bench.samples import Sample, samples, wire

NINE = ("area", "candles", "heat-map", "pie", "radar", "figure", "picture", "map", "text")
SIZES = ("200x50", "80x24")
NAME_MOST = 60  # characters of a file's name
SETTLED = 0.6  # seconds without a byte, after which nothing is to come any more
SETTLED_AT_LAST = 4.0
COLOURS = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color", "COLORTERM": ""},
    "16": {"TERM": "xterm", "COLORTERM": ""},
    "none": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}


@dataclass(frozen=True, slots=True)
class Looks:
    """How the program is started. colours: one of `COLOURS`. options: more of `listen`."""

    columns: int
    lines: int
    colours: str = "truecolor"
    light: bool = False
    options: tuple[str, ...] = ()


def panels(shown: Sequence[Sample]) -> str:
    """A configuration file in which streams are shown as what they are to be."""
    chosen = [sample for sample in shown if sample.chart]
    return "".join(f'[[panels]]\nstream = "{sample.stream}"\nchart = "{sample.chart}"\n\n' for sample in chosen)


def settle(listening: Listening) -> None:
    """Wait until the terminal gets nothing new, or as good as nothing: ages and axes go on for ever."""
    quiet, before, began = 0.0, "", time.monotonic()
    while quiet < SETTLED and time.monotonic() - began < SETTLED_AT_LAST:
        assert listening.pump(0.1)
        now = "\n".join(listening.text.splitlines()[2:-1])
        quiet = quiet + 0.1 if now == before else 0.0
        before = now


def send(listening: Listening, sent: Sequence[Sent]) -> None:
    """Each message when it came, over as many connections as there were senders."""
    with ExitStack() as stack:
        connections: dict[str, socket.socket] = {}
        began = time.monotonic()
        for at, sender, body in sent:
            listening.look(lambda at=at: time.monotonic() - began >= at)  # type: ignore[misc]
            if sender not in connections:
                connections[sender] = stack.enter_context(listening.connect("tcp"))
            connections[sender].sendall(body)


def shot(name: str, shown: Sequence[Sample], sent: Sequence[Sent], looks: Looks, given: argparse.Namespace) -> Path:
    """Show something, type keys, and write its picture; the picture's path."""
    with tempfile.TemporaryDirectory() as empty:
        config = Path(empty, "gallery.toml")
        config.write_text(panels(shown))
        with Listening(
            *("--config", str(config), *looks.options),
            columns=looks.columns,
            lines=looks.lines,
            **COLOURS[looks.colours],
        ) as listening:
            send(listening, sent)
            settle(listening)
            for key in given.key:
                listening.type(key)
                settle(listening)
            path = Path(given.dir, f"{name[:NAME_MOST]}-{looks.columns}x{looks.lines}.png")
            photograph(listening.screen, path, light=looks.light)
            path.with_suffix(".txt").write_text(f"{listening.text}\n")
            listening.type("q")
            listening.end()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gallery", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("gallery"))
    parser.add_argument("--size", action="append", help=f"columns x lines, repeatable; {' and '.join(SIZES)}")
    parser.add_argument("--colours", choices=COLOURS, default="truecolor", help="that the terminal has")
    parser.add_argument("--light", action="store_true", help="the terminal is dark on light")
    parser.add_argument("--wire", type=Path, default=os.environ.get("TUISTREAM_WIRE"), help="folder of captures")
    parser.add_argument("--option", action="append", default=[], help="of tuistream listen, repeatable")
    parser.add_argument("--key", action="append", default=[], help="to be typed, repeatable")
    parser.add_argument("name", nargs="*")
    given = parser.parse_args()
    known = samples()
    names = given.name or [*known, "nine", "captures"]
    unknown = ", ".join(name for name in names if not {*name.split("+")} <= {*known, "nine", "captures"})
    if unknown:
        print(f"{unknown}: there are {', '.join(known)}, nine and captures", file=sys.stderr)
        return 2
    given.dir.mkdir(parents=True, exist_ok=True)
    for size in given.size or SIZES:
        columns, lines = map(int, size.split("x"))
        looks = Looks(columns, lines, given.colours, given.light, tuple(given.option))
        for name in names:
            kinds = NINE if name == "nine" else name.split("+")
            shown = [known[each] for each in kinds if each in known]
            sent = [Sent(0.0, sample.kind, wire(sample.first())) for sample in shown] or captured(given.wire)
            print(shot(name, shown, sent, looks, given), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
