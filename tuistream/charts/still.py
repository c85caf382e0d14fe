"""A still: cells of text with their colours, for files instead of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple


class Run(NamedTuple):
    """`text` in the `width` cells from column `x` of row `y` on. colour, behind: "#rrggbb", or "" for none behind."""

    x: int
    y: int
    text: str
    width: int
    colour: str
    bold: bool = False
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """width x height cells; what no run covers is blank. background: "#rrggbb". title: for whoever cannot see it."""

    width: int
    height: int
    background: str
    runs: Sequence[Run]
    title: str = ""

    def rows(self) -> list[list[Run]]:
        """The runs of each row, from the left."""
        rows: list[list[Run]] = [[] for _ in range(self.height)]
        for y, runs in groupby(sorted(self.runs, key=lambda run: (run.y, run.x)), key=lambda run: run.y):
            rows[y].extend(runs)
        return rows


def text_of(still: Still, *, colours: bool = False) -> str:
    """The rows as lines of text, without blanks at their ends. colours: with SGR sequences (ECMA-48, 8.3.117)."""
    return "".join(f"{_line(row, colours)}\n" for row in still.rows())


def _line(row: Sequence[Run], colours: bool) -> str:
    parts: list[str] = []
    at = 0
    for run in row:
        blank = " " * (run.x - at)
        parts += [
            blank,
            f"\x1b[{_sgr(run)}m{run.text}\x1b[m" if colours and (run.behind or not run.text.isspace()) else run.text,
        ]
        at = run.x + run.width
    return "".join(parts).rstrip()


def _sgr(run: Run) -> str:
    red, green, blue = rgb(run.colour)
    behind = "".join(f";{part}" for part in (48, 2, *rgb(run.behind))) if run.behind else ""
    return f"{'1;' if run.bold else ''}38;2;{red};{green};{blue}{behind}"


def rgb(colour: str) -> tuple[int, int, int]:
    """Of "#rrggbb"."""
    red, green, blue = bytes.fromhex(colour[1:7])
    return red, green, blue
