"""`tuistream deploy`: files with which a recorder is kept running by systemd or in a container."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import click

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable

STATUS_PORT: Final = "9110"
EXECUTABLE: Final = "/usr/local/bin/tuistream"  # in the unit as it is shipped
HIDDEN: Final = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 by ProtectHome, PrivateTmp
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@/.:,=+-]+")
_ESCAPED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%", "$": "$$"}


@click.command(
    epilog="\b\nExamples:\n"
    "  tuistream deploy systemd > /etc/systemd/system/tuistream.service\n"
    "  tuistream deploy systemd -- record kraken:BTC/USD --db btc.db\n"
    "  tuistream deploy docker > Dockerfile"
)
@click.argument("what", type=click.Choice(["systemd", "docker"]))
@click.argument("words", nargs=-1, metavar="[-- record …]")
def command(what: str, words: tuple[str, ...]) -> None:
    """Print a systemd unit, or a Dockerfile, for a recorder that runs for months.

    It runs `record` with a configuration file, or what stands behind `--`. What else there is to know stands in the
    file itself.
    """
    _check(words)
    if what == "docker":
        click.echo(dockerfile(words), nl=False)
        return
    executable = _executable()
    click.echo(unit(words, executable), nl=False)
    if executable.startswith(HIDDEN):
        told = f"the unit does not let a program see {executable}: install tuistream outside of {', '.join(HIDDEN)}"
        click.echo(f"tuistream: {printable(told, 500)}", err=True)


def _check(words: Sequence[str]) -> None:
    if not words:
        return
    if words[0] != "record" and not (words[0] == "listen" and "--headless" in words):
        raise SettingsError(f"{printable(words[0])!r}: after -- stands record …, or listen --headless …")
    if any(word.encode(errors="replace") != word.encode(errors="surrogatepass") for word in words):
        raise SettingsError("after -- stands text, in UTF-8")


def unit(words: Sequence[str] = (), executable: str = EXECUTABLE) -> str:
    """The unit, its ExecStart with the executable and, where there are some, with `words`."""
    text = _shipped("tuistream.service").replace(EXECUTABLE, quoted(executable), 1)
    if not words:
        return text
    line = " ".join(map(quoted, words))
    text = _replaced(text, r"(?m)^(ExecStart=.*) record --config %d/.*$", lambda found: f"{found[1]} {line}")
    return _replaced(text, r"(?m)^LoadCredential=.*\n", lambda _: "")


def dockerfile(words: Sequence[str] = ()) -> str:
    """The Dockerfile, where there are `words` with these; the health check needs a --status-port among them."""
    text = _shipped("Dockerfile")
    if not words:
        return text
    own = any(word == "--status-port" or word.startswith("--status-port=") for word in words)
    line = json.dumps([*words, *(() if own else ("--status-port", STATUS_PORT))])
    return _replaced(text, r"(?m)^CMD .*$", lambda _: f"CMD {line}")


def quoted(word: str) -> str:
    """`word` as an argument in a unit: systemd.service(5), "Command lines", and systemd.syntax(7), "Quoting"."""
    if _PLAIN.fullmatch(word):
        return word
    return '"' + "".join(_ESCAPED.get(c) or (c if c.isprintable() else _bytes(c)) for c in word) + '"'


def _bytes(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode())


def _executable() -> str:
    """The script that runs now, or the one beside the interpreter, as an absolute path."""
    for place in (Path(sys.argv[0]), Path(sys.executable).with_name("tuistream")):
        if place.name == "tuistream" and place.is_file():
            return str(place.absolute())
    return EXECUTABLE


def _shipped(name: str) -> str:
    return (resources.files("tuistream") / "deploy" / name).read_text(encoding="utf-8")


def _replaced(text: str, pattern: str, new: Callable[[re.Match[str]], str]) -> str:
    text, count = re.subn(pattern, new, text, count=1)
    assert count == 1, pattern
    return text
