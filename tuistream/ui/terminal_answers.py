"""What a terminal says that it can do: what it is asked, and its answers, taken from among the keys.

Sources: the query of Kitty's protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol/), and of xterm's control
sequences primary device attributes (DA1, 4: sixels), XTVERSION and the size of a cell in pixels (CSI 16 t). DA1 is
answered by all terminals, and last, as it is asked last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

WISHES: Final = ("auto", "kitty", "sixel", "cells")
NUMBER: Final = 31  # of the picture in the question, which no terminal keeps
CELL_SIZE: Final = "\x1b[16t"
_KITTY: Final = f"\x1b_Gi={NUMBER},s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # a pixel, which it does not keep
_NAME, _ATTRIBUTES = "\x1b[>0q", "\x1b[c"
_SIXELS: Final = "4"
_ANSWER: Final = re.compile(
    r"\x1b_G(?P<kitty>[^\x1b]{0,200})\x1b\\"
    r"|\x1bP>\|(?P<name>[^\x1b]{0,80})\x1b\\"
    r"|\x1b\[\?(?P<attributes>[0-9;]{1,80})c"
    r"|\x1b\[6;(?P<height>\d{1,4});(?P<width>\d{1,4})t"
)
_BEGUN: Final = re.compile(
    r"\x1b(?:_(?:G[^\x1b]{0,200}\x1b?)?|P(?:>(?:\|[^\x1b]{0,80}\x1b?)?)?|\[(?:\?[0-9;]{0,80}|6(?:;\d{0,4}){0,2})?)?\Z"
)
# They show a picture wherever its placeholders are; others say that they have the protocol, and have not these.
_PLACEHOLDERS: Final = re.compile(r"ghostty|kitty\((?:0\.(?:2[89]|[3-9]\d)|[1-9])", re.IGNORECASE)
_LEAST_CELL, _MOST_CELL = 2, 200  # pixels of a side


class Abilities(msgspec.Struct, frozen=True):
    """kitty, sixel: it has them. name: what it calls itself. cell: a cell's width and height, where it said so."""

    kitty: bool = False
    name: str = ""
    sixel: bool = False
    cell: tuple[int, int] | None = None

    def protocol(self, wish: str, cell: tuple[int, int] | None) -> str:
        """How pictures are sent: "kitty", "sixel", or "" as cells. cell: the pixels of one, if anybody knows."""
        if self.kitty and (wish == "kitty" or (wish == "auto" and _PLACEHOLDERS.match(self.name))):
            return "kitty"
        return "sixel" if self.sixel and cell is not None and wish in ("auto", "sixel") else ""


def questions(wish: str, environment: Mapping[str, str]) -> str:
    """What a terminal is asked; "" for one that is not to be asked."""
    term = environment.get("TERM", "")
    if wish == "cells" or term in ("", "dumb", "linux", "unknown"):
        return ""
    if "TMUX" in environment or term.startswith(("tmux", "screen")):
        # Kitty's commands do not pass through it; for sixels it answers itself, where it has them.
        return f"{CELL_SIZE}{_ATTRIBUTES}"
    return f"{_KITTY}{_NAME}{CELL_SIZE}{_ATTRIBUTES}"


class Answers:
    """Takes answers from what a terminal sends. found: what they say so far; complete: the last one has come."""

    def __init__(self) -> None:
        self.found = Abilities()
        self.complete = False
        self.waiting = False  # for an answer: what may be the beginning of one is held back
        self._held = ""

    def ask(self) -> None:
        """Expect answers to all questions."""
        self.found, self.complete, self.waiting = Abilities(), False, True

    def take(self, text: str) -> str:
        """The same without answers."""
        if "\x1b" not in text and not self._held:
            return text
        text, self._held = _ANSWER.sub(self._note, self._held + text), ""
        if self.waiting and (begun := _BEGUN.search(text)):
            text, self._held = text[: begun.start()], begun[0]
        return text

    def release(self) -> str:
        """What was held back, as nothing followed."""
        held, self._held = self._held, ""
        return held

    def _note(self, answer: re.Match[str]) -> str:
        found = self.found
        kitty_there, name, sixel, cell = found.kitty, found.name, found.sixel, found.cell
        if answer["kitty"] is not None:
            kitty_there |= answer["kitty"].startswith(f"i={NUMBER}") and answer["kitty"].endswith(";OK")
        elif answer["name"] is not None:
            name = answer["name"]
        elif answer["attributes"] is not None:
            sixel, self.complete, self.waiting = _SIXELS in answer["attributes"].split(";")[1:], True, False
        else:
            cell = sane_cell(int(answer["width"]), int(answer["height"])) or cell
        self.found = Abilities(kitty_there, name, sixel, cell)
        return ""


def sane_cell(width: int, height: int) -> tuple[int, int] | None:
    """A cell's pixels; None for what no cell has."""
    return (width, height) if _LEAST_CELL <= min(width, height) <= max(width, height) <= _MOST_CELL else None
