"""Pictures in pixels in a terminal that answers, as a process of its own: what it is sent, and what is left there."""

from __future__ import annotations

import base64
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

from PIL import Image

from tests.charts.graphics.reading import SIXEL, KittyTerminal, sixels_read
from tests.cli.terminal import Terminal
from tests.sources.test_replay_items import PICTURES, item, recorded
from tests.ui.test_terminal_answers import FOOT, KITTY, XTERM
from tuistream.charts.graphics.kitty import PLACEHOLDER

LAST_QUESTION, NORMAL_SCREEN = b"\x1b[c", b"\x1b[?1049l"


class Answering(Terminal):
    """Answers, a little at a time, when it is asked. asked: how often it was."""

    answers = ""
    asked = 0

    def pump(self, seconds: float = 0.05) -> bool:
        alive = super().pump(seconds)
        if self.raw.count(LAST_QUESTION) > self.asked:
            self.asked += 1
            for start in range(0, len(self.answers), 7):
                self.type(self.answers[start : start + 7])
        return alive

    def until_sent(self, condition: Callable[[str], object]) -> str:
        """Wait until what was sent is so; that."""
        self.until(lambda _text: condition(self.raw.decode(errors="ignore")))
        return self.raw.decode(errors="ignore")


@pytest.fixture
async def recording(tmp_path: Path) -> Path:
    out, path = io.BytesIO(), tmp_path / "pictures.db"
    y, x = np.mgrid[:60, :90]
    pixels = np.stack((x * 2, y * 4, x + y), axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    await recorded(path, [item(PICTURES, 1.0, uri)], [1.0, 2.0])
    return path


def watching(recording: Path, answers: str, *options: str) -> Answering:
    terminal = Answering("replay", str(recording), "--speed", "max", *options)
    terminal.answers = answers
    return terminal


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
async def test_kitty_is_left_without_our_pictures(recording: Path, number: signal.Signals | None) -> None:
    with watching(recording, KITTY) as terminal:
        terminal.until_sent(lambda sent: sent.count(PLACEHOLDER) > 100)
        if number is None:
            terminal.type("q")
        else:
            os.kill(terminal.pid, number)
        assert terminal.end() == 0
        sent = terminal.raw.decode()
    kitty = KittyTerminal()
    rest = kitty.take(sent)
    assert (kitty.sent, kitty.broken) == (1, 0)
    assert not kitty.images
    assert sent.rindex("\x1b_G") < sent.rindex(NORMAL_SCREEN.decode())
    assert "ENOTSUPPORTED" not in rest
    assert "31;OK" not in terminal.text


async def test_a_stop_leaves_kitty_clean_and_what_goes_on_is_sent_again(recording: Path) -> None:
    with watching(recording, KITTY) as terminal:
        terminal.until_sent(lambda sent: sent.count(PLACEHOLDER) > 100)
        os.kill(terminal.pid, signal.SIGTSTP)
        sent = terminal.until_sent(lambda sent: "fg goes on" in sent)
        kitty = KittyTerminal()
        kitty.take(sent)
        assert kitty.sent == 1
        assert not kitty.images
        os.kill(terminal.pid, signal.SIGCONT)
        before = len(terminal.raw)
        terminal.until(lambda _text: terminal.raw[before:].decode(errors="ignore").count(PLACEHOLDER) > 100)
        assert terminal.asked == 2
        terminal.type("q")
        assert terminal.end() == 0


async def test_sixels_are_drawn(recording: Path) -> None:
    with watching(recording, FOOT, "--budget", "1MB/s") as terminal:
        sent = terminal.until_sent(SIXEL.search)
        terminal.type("q")
        assert terminal.end() == 0
    found = SIXEL.search(sent)
    assert found is not None
    assert sixels_read(found[0]).shape[1] % 9 == 0
    assert "\x1b_Ga=T" not in sent


@pytest.mark.parametrize(("answers", "options"), [(XTERM, ()), ("", ()), (KITTY, ("--pictures", "cells"))])
async def test_a_terminal_that_cannot_answers_nothing_or_must_not_has_cells(
    recording: Path, answers: str, options: tuple[str, ...]
) -> None:
    with watching(recording, answers, *options) as terminal:
        terminal.until(lambda text: text.count("▀") > 100)
        terminal.type("\x1b")  # still a key
        terminal.until(lambda text: "nothing to leave" in text)
        terminal.type("q")
        assert terminal.end() == 0
    assert b"\x1b_Ga=T" not in terminal.raw
    assert b"\x1bP0;1q" not in terminal.raw
    assert terminal.asked == (not options)
