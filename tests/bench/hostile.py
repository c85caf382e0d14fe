"""What a hostile sender can do to a `tuistream listen` in a terminal: what was counted, and what was shown."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.listening import Listening
from tests.bench.table import Row
from tests.cli.terminal import Terminal

HEADS = ("what was sent", "wanted", "counted", "the screen showed")
GOOD = b'{"id":"good","value":1}'
SHORT = 3  # cases of the short form
NEVER = (b"\x1b]0;owned", b"owned\x07", b"\x1b[31mred", *(char.encode() for char in "\u202e\u2066\u200b\ufeff\u2028"))


@dataclass(frozen=True, slots=True)
class Case:
    """Several messages to one way in, over HTTP each as a request. counted: of it, in the end. shown: what is found
    on the screen, each a pattern. silent: senders before, which have begun with `begun` and stay.
    """

    what: str
    way: str
    wire: tuple[bytes, ...]
    counted: dict[str, int]
    shown: tuple[str, ...]
    options: tuple[str, ...] = ()
    begun: bytes = b""
    silent: int = 0


def message(**fields: object) -> bytes:
    return json.dumps({"id": 1, "value": 1, **fields}).encode()


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


class Bomb:
    """A pickle of it would make a folder if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def texts() -> Iterator[Case]:
    escapes = "\x1b]0;owned\x07\x1b[2J\x1b[31mred"
    everywhere = (
        message(id=escapes), message(id="b", label=[escapes], name=escapes), message(id="c", legend=[escapes]),
        message(id="d", type="text", value=escapes), message(id="e", borderColor=escapes), message(type=escapes),
    )  # fmt: skip
    yield Case(
        "escape sequences: id, titles, legend, text, colour, type",
        "tcp",
        everywhere,
        {"accepted": 4, "field": 2},
        (r"·\]0;owned··\[2J·\[31mred(?!:)", r"refused +127.*borderColor", r"refused +127.*type"),
    )
    markup = "[bold red]x[/] [@click=app.quit]z[/]"
    yield Case(
        "markup: id, name, text",
        "http",
        (message(id=markup), message(id="b", type="text", value=markup)),
        {"accepted": 2},
        (r"\[bold red\]x\[/\] \[@click=app.quit\]z\[/\]",),
    )
    bidi = "\u202eabc\u2066\u200b\ufeff\u2028z"
    yield Case(
        "bidi and zero width: id, text",
        "tcp",
        (message(id=bidi), message(id="b", type="text", value=bidi)),
        {"accepted": 2},
        ("·abc····z",),
    )
    yield Case(
        "SQL: id, legend",
        "tcp",
        (message(id="'; DROP TABLE ticks; --", legend=["x); DELETE FROM ticks; --"]),),
        {"accepted": 1},
        ("'; DROP TABLE ticks; --",),
    )
    yield Case(
        "paths and addresses: id, picture, video",
        "tcp",
        (
            message(id="../../../../etc/passwd"),
            message(id=2, type="image", value="file:///etc/passwd"),
            message(id=3, type="video_stream", value="http://127.0.0.1:9/x"),
        ),
        {"accepted": 3},
        (r"\.\./\.\./\.\./", "file:///etc/passwd", "http://127.0.0.1:9/x"),
    )


def numbers() -> Iterator[Case]:
    none = tuple(
        b'{"id":1,"value":[%b]}' % each for each in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5_000)
    )
    yield Case(
        "NaN, Infinity, -Infinity, 1e999, 5,000 digits",
        "tcp",
        (*none, GOOD),
        {"accepted": 1, "no_number": 5},
        ("refused +127.*no finite number", "good"),
    )
    yield Case(
        "1e308 and -1e308", "http", (message(value=1e308), message(value=-1e308)), {"accepted": 2}, ("-1e.?308",)
    )
    yield Case(
        "duplicate keys: id 1 and 2",
        "tcp",
        (b'{"id":"first","value":1,"id":"second","value":2}',),
        {"accepted": 1},
        ("second",),
    )


def objects() -> Iterator[Case]:
    yield Case(
        "an object of 2 MB", "tcp", (b'{"id":1,"value":"' + b"x" * (2 << 20) + b'"}', GOOD),
        {"accepted": 1, "too_big": 1}, (r"over the limit of 1,048,576 bytes \(--max-frame\)", "good"),
    )  # fmt: skip
    yield Case(
        "a body of 2 MB", "http", (b'{"id":1,"value":"' + b"x" * (2 << 20) + b'"}', GOOD),
        {"accepted": 1, "too_big": 1}, (r"over the limit of 1,048,576 bytes \(--max-frame\)", "good"),
    )  # fmt: skip
    deep = (
        b'{"id":1,"value":' + b'{"a":' * 300 + b"1" + b"}" * 301,
        b'{"id":1,"value":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
    )
    yield Case(
        "objects 300 deep, lists 9,000 deep",
        "tcp",
        (*deep, GOOD),
        {"accepted": 1, "malformed": 2},
        ("refused +127.*deep|nest", "good"),
    )
    yield Case(
        "one character of UTF-8 too few, half a surrogate",
        "tcp",
        (b'{"id":"\xff\xfe","value":1}', b'{"id":"\\udfff","value":1}'),
        {"malformed": 2},
        ("refused +127",),
    )
    yield Case(
        "2,000 streams",
        "tcp",
        tuple(b'{"id":"s%d","value":1}' % n for n in range(2_000)),
        {"accepted": 1_000, "streams": 1_000},
        (r"there are 1,000 already \(--max-streams\)",),
    )
    yield Case(
        "an id of 1,000 characters",
        "tcp",
        (message(id="n" * 1_000),),
        {"name": 1},
        (r"over the limit of 80 \(--max-name\)",),
    )
    yield Case(
        "TLS and noise on the port of objects",
        "tcp",
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(50), bytes(range(256)) * 50, GOOD),
        {"accepted": 1, "malformed": 1},
        ("refused +127", "good"),
    )
    yield Case(
        "a length of 4 GB", "frames", (b"\xff\xff\xff\xff" + b"x" * 100_000,), {"too_big": 1}, (r"\(--max-large\)",)
    )


def pickles(folder: Path) -> Case:
    bombs = tuple(framed(pickle.dumps(Bomb(folder / "made"), protocol)) for protocol in range(6))
    return Case(
        "pickles that would run code, protocols 0 to 5",
        "frames",
        (*bombs, framed(GOOD)),
        {"accepted": 1, "pickle": 6},
        ("refused +127.*GLOBAL", "good"),
    )


def silence() -> Iterator[Case]:
    half = {
        "tcp": b'{"id":1,"val',
        "http": b"POST / HTTP/1.1\r\nContent-Le",
        "ws": b"GET / HTTP/1.1\r\nUpgr",
        "frames": b"\x01",
    }
    for way in ("tcp", "http"):
        counted = {"accepted": 1, "connected": 100}
        yield Case(
            f"slow-loris: 100 senders that stop half way, {way}", way, (GOOD,), counted, ("good",), (), half[way], 100
        )
    yield Case(
        "half-open connections: as many as may be, gone silent",
        "tcp", (GOOD,), {"accepted": 1, "malformed": 1, "connected": 19, "evicted": 1}, ("good",),
        ("--max-connections", "20", "--idle", "0s"), half["tcp"], 20,
    )  # fmt: skip


def tried(case: Case, also_wrong: Callable[[], str] = str) -> Row:
    """As `sent`, where what does not come about is told in the row, and the screen as it is on standard error."""
    try:
        return sent(case, also_wrong)
    except AssertionError as error:
        print(error, file=sys.stderr)
        wanted = "counted; shown as text"
        return Row(case.what, wanted, "", "", f"not so: {case.counted}, {', '.join(case.shown)}")


def sent(case: Case, also_wrong: Callable[[], str] = str) -> Row:
    """Send a case. also_wrong: what else went wrong, asked at the end."""
    with Listening(*case.options) as listening, ExitStack() as silent:
        for _ in range(case.silent):
            silent.enter_context(listening.connect(case.way)).sendall(case.begun)
        listening.look(lambda: listening.counted(case.way).get("connected", 0) == case.silent)
        listening.type("e")
        for wire in case.wire if case.way == "http" else [b"".join(case.wire)]:
            listening.send(case.way, wire)
        listening.look(lambda: listening.counted(case.way) == case.counted)
        shown = listening.shown(*case.shown)
        listening.type("q")
        code = listening.end()
        wrong = [f"{each!r} reached the terminal" for each in NEVER if each in listening.raw]
    wrong += [f"exit code {code}"] * (code != 0) + [also_wrong()]
    counted = ", ".join(f"{count:,} {name}" for name, count in case.counted.items())
    return Row(case.what, "counted; shown as text", counted, "   ".join(shown), "; ".join(filter(None, wrong)))


def port_taken() -> Row:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Terminal(
            "listen", "--no-record", "--tcp", str(port), "--frames", "0", "--http", "0", "--ws", "0"
        ) as terminal:
            code = terminal.end()
            last = next(line for line in reversed(terminal.text.splitlines()) if line)
    wrong = "" if code == 1 and f"port {port}: address already in use" in last else "no clear line"
    return Row("nothing: the port is taken", "one clear line", f"exit code {code}", last, wrong)


def rows(short: bool = False) -> list[Row]:
    folder = Path(tempfile.mkdtemp())
    try:
        cases = [*texts(), *numbers(), *objects(), *silence()]
        table = [tried(pickles(folder), lambda: "code was run" * (folder / "made").exists())]
        return [*table, *map(tried, cases[:SHORT] if short else cases), port_taken()]
    finally:
        shutil.rmtree(folder)
