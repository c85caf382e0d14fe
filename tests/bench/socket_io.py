"""Socket.IO from real servers: whether anything is lost at the sine server's rate, and what is shown of trouble.

Engine.IO 4 by the python-socketio that is installed; Engine.IO 3 by python-socketio 4.6.1, for which the first run
makes a virtual environment in the user's cache folder.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import platformdirs

from tests.bench.table import Row
from tests.cli.terminal import Terminal
from tuistream.store.reading import Reader

HEADS = ("what", "wanted", "this run", "figures, or what the screen showed")
RATE, SECONDS, SHORT_SECONDS = 850, 60, 1
MORE_SECONDS = 30  # after which what has not come is lost
SERVER = str(Path(__file__).with_name("socket_io_server.py"))
OLD = ("python-socketio==4.6.1", "python-engineio==3.14.2", "gevent", "gevent-websocket")


@contextmanager
def served(python: str, count: int, *, port: int = 0, transport: str = "") -> Iterator[int]:
    """The port of a server."""
    command = [python, SERVER, str(RATE), str(count), str(port), *filter(None, [transport])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def old_python() -> str:
    """The interpreter beside the old library; "" where that cannot be installed."""
    folder = Path(platformdirs.user_cache_dir("tuistream", appauthor=False), "bench-socketio-4.6.1")
    python = folder / "bin" / "python"
    look = [str(python), "-c", "import socketio, geventwebsocket"]
    if python.exists() and subprocess.run(look, capture_output=True, check=False).returncode == 0:
        return str(python)
    venv.create(folder, with_pip=True, clear=True)
    installing = [str(python), "-m", "pip", "install", "--quiet", *OLD]
    return str(python) if subprocess.run(installing, check=False).returncode == 0 else ""


def carried(what: str, python: str, seconds: int, query: str = "", transport: str = "") -> Row:
    """Record all that a server sends; what is in the file."""
    count = RATE * seconds
    with tempfile.TemporaryDirectory() as folder, served(python, count, transport=transport) as port:
        db = Path(folder, "x.db")
        url = f"socketio+http://127.0.0.1:{port}/{query}"
        limits = ("--limit", str(count), "--for", f"{seconds + MORE_SECONDS}s")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "tuistream", "record", url, "--db", str(db), "-q", *limits], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with Reader(db) as reader:
            batches = [batch for chunk in reader.chunks() for batch in chunk]
            gaps = len(list(reader.gaps()))
    x = np.concatenate([batch.v[:, batch.stream.fields.index("x")] for batch in batches])
    recv = np.concatenate([batch.recv for batch in batches])
    rate = (len(x) - 1) / max(1e-9, (recv[-1] - recv[0]) / 1e9)
    whole = bool(np.array_equal(x, np.arange(count) / 10)) and not gaps
    figures = f"{len(x):,} of {count:,} recorded, in order, at {rate:,.0f}/s, {gaps} gaps, CPU {cpu:.2f} s"
    return Row(
        what,
        f"{RATE}/s for {seconds} s, nothing lost",
        f"{100 * len(x) / count:.1f} %",
        figures,
        "" if whole else figures,
    )


def shown(terminal: Terminal, *patterns: str) -> str:
    text = terminal.until(lambda text: all(re.search(pattern, text) for pattern in patterns))
    found = [match[0] for pattern in patterns if (match := re.search(pattern, text))]
    return "; ".join(" ".join(each.split()) for each in found)


def restarted() -> Row:
    with ExitStack() as first:
        port = first.enter_context(served(sys.executable, 10**6))
        with Terminal(f"socketio+http://127.0.0.1:{port}/", "--no-record") as terminal:
            before = shown(terminal, r"● \S+ live")
            first.close()
            between = shown(terminal, r"↻ \S+ retry[^─]*?Connection refused")
            with served(sys.executable, 10**6, port=port):
                terminal.type("e")
                after = shown(
                    terminal, r"● \S+ live", r"gap +\S+: outage, [^┃\n]*", r"gap +\S+: x stepped back[^┃\n]*"
                )
                terminal.type("q")
                code = terminal.end()
    figures = f"{before} > {between} > {after}"
    return Row("the server is restarted", "a gap, and it goes on", "so", figures, f"exit code {code}" * (code != 0))


def refused(what: str, query: str, pattern: str) -> Row:
    with (
        served(sys.executable, 10**6) as port,
        Terminal(f"socketio+http://127.0.0.1:{port}/{query}", "--no-record") as terminal,
    ):
        told = shown(terminal, pattern)
        terminal.type("q")
        code = terminal.end()
    return Row(what, "said, and not tried again", "refused", told, f"exit code {code}" * (code != 0))


def rows(short: bool = False) -> list[Row]:
    seconds = SHORT_SECONDS if short else SECONDS
    table = [
        carried("Engine.IO 4, polling, then WebSocket", sys.executable, seconds),
        carried("Engine.IO 4, polling only", sys.executable, seconds, transport="polling"),
    ]
    old = "" if short else old_python()
    if old:
        table += [
            carried("Engine.IO 3, polling only", old, seconds, transport="polling"),
            carried("Engine.IO 3, WebSocket", old, seconds, "?transport=websocket"),
        ]
    else:
        why = "only in the long form" if short else f"{OLD[0]} could not be installed"
        table.append(Row("Engine.IO 3", "nothing lost", "not run", why))
    return [
        *table,
        restarted(),
        refused("a namespace that is not there", "?namespace=nobody", r"\S+ failed: refused.*Unable to connect"),
        refused("a wrong login", "?auth=wrong", r"\S+ failed: refused.*no such user"),
    ]
