"""Round charts: where the disc and the words beside it stand, and what the parts are. True shapes in dots."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, isfinite, pi, sin
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds.canvas import Canvas, blank, cut, shown, write
from tuistream.charts.kinds.contract import Content, DrawStyle, Size, Ticks, Values
from tuistream.charts.kinds.groups import MOST_PARTS, label_of, newest_values, texts_of
from tuistream.charts.kinds.horizontal_bars import Bar, lying, said
from tuistream.charts.kinds.plot import EMPTY, SERIES
from tuistream.charts.panel import LABEL, Frame, message_frame

LEAST_ROWS: Final = 7  # of a disc; in less, bars tell more
LEAST_WORDS: Final = 14  # cells beside it
MOST_WORDS: Final = 40
LEAST_NAME: Final = 3  # cells of a name and the sign before it
ENOUGH_NAME: Final = 8
APART: Final = 0.22  # between slices, cells' heights
Masks = NDArray[np.bool_]
Heights = NDArray[np.float64]


class Part(NamedTuple):
    """A slice, a spoke: its name, value, the text of that, and its part of the whole, from 0 to 1."""

    number: int
    name: str
    value: float
    text: str
    share: float

    @property
    def ink(self) -> int:
        return self.number % SERIES

    @property
    def sign(self) -> str:
        """What stands on it and before its name, so that it needs no colour."""
        return "123456789abcdefghijklmnopqrstuvwxyz"[self.number] if self.number < 35 else "*"


class Dots(NamedTuple):
    """Of each dot: the distance from the centre in heights of a cell, and the turn from the top, 0 to 1.

    down, right: [rows, 1] and [1, columns], how far that is from the centre, in heights of a cell.
    """

    distance: Heights
    turn: Heights
    down: Heights
    right: Heights


class Place(NamedTuple):
    """radius: in heights of a cell, which is two widths. left, top: cells before the disc. columns, rows: its square.

    words: cells that are free beside it.
    """

    radius: float
    left: int
    top: int
    columns: int
    rows: int
    words: int

    @property
    def beside(self) -> int:
        """The first cell of the words."""
        return self.left + self.columns + 1

    def at(self, column: int, row: int) -> tuple[float, float]:
        """The distance and the turn of a cell, as `polar` has them of dots."""
        down, right = row - self.top + 0.5 - self.rows / 2, (column - self.left + 0.5 - self.columns / 2) / 2
        return float(np.hypot(down, right)), float(np.arctan2(right, -down) / (2 * np.pi)) % 1.0

    def polar(self, canvas: Canvas) -> Dots:
        """Where the dots of a canvas lie."""
        y, x = canvas.grid()
        down, right = y - self.rows / 2, (x - self.columns / 2) / 2
        turn = np.arctan2(right, -down) * (0.5 / np.pi)
        return Dots(np.sqrt(down * down + right * right), np.where(turn < 0, turn + 1.0, turn), down, right)

    def cell(self, turn: float, distance: float) -> tuple[int, int]:
        """The row and column of what is so far from the centre."""
        angle = 2 * np.pi * turn
        row, column = self.rows / 2 - distance * np.cos(angle), self.columns / 2 + 2 * distance * np.sin(angle)
        return self.top + int(row), self.left + int(column)


def fits(content: Content, least: int = 2) -> bool:
    """Whether there are so many numbers of one moment."""
    if isinstance(content, Values):
        return len(content.labels) >= least and bool(content.names)
    return isinstance(content, Ticks) and len(content.columns) >= least


def parts_of(content: Content, style: DrawStyle) -> list[Part]:
    """The numbers of the newest moment, at most `MOST_PARTS`; of several series the first."""
    values = newest_values(content)
    if not len(values.names):
        return []
    v = values.v[0, :MOST_PARTS]
    sizes = np.where(np.isfinite(v) & (v > 0), v, 0.0)
    largest = float(sizes.max(initial=0.0))
    sizes = sizes / largest if largest else sizes  # their sum need not be a finite float
    whole = float(sizes.sum()) or 1.0
    texts = texts_of(v, style)
    shares = (sizes / whole).tolist()
    return [
        Part(at, label_of(name, at), float(v[at]), texts[at], shares[at])
        for at, name in enumerate(values.labels[:MOST_PARTS])
    ]


def place_of(size: Size, words: int) -> Place | None:
    """Where the disc goes; None where there is no room for a round one. words: cells that they would like."""
    words = max(min(words, MOST_WORDS, size.width // 2), LEAST_WORDS)
    rows = min(size.height, (size.width - words - 1) // 2)
    if rows < LEAST_ROWS:
        return None
    left = (size.width - 2 * rows - 1 - words) // 2
    return Place(rows / 2 - 0.2, left, (size.height - rows) // 2, 2 * rows, rows, size.width - left - 2 * rows - 1)


def placed(parts: list[Part], size: Size, style: DrawStyle, *, share: bool = False) -> Place | None:
    """As `place_of`, for the words of the parts: their shares too, where half of the width has room for these."""
    lines = (lines_of(parts, style, share=with_share) for with_share in (share, False))
    widths = [max(map(len, each), default=0) for each in lines]
    return place_of(size, next((width for width in widths if width <= size.width // 2), widths[-1]))


def lines_of(parts: list[Part], style: DrawStyle, *, share: bool, room: int = MOST_WORDS) -> list[str]:
    """For each part its sign, name, value, and part of the whole, below each other.

    Where these need more than `room` cells the last is left out, then the unit, and then names are cut.
    """
    names = [shown(f"{part.sign} {part.name}", style.glyphs) for part in parts]
    bare = _aligned([part.text for part in parts])
    unit = shown(f" {style.unit}" if style.unit else "", style.glyphs)
    values = _aligned([part.text + unit * isfinite(part.value) for part in parts])
    shares = _aligned([f"{100 * part.share:.1f} %" for part in parts])
    longest = max(map(len, names), default=0)
    for columns in ((values, shares), (values,), (bare,)) if share else ((values,), (bare,)):
        rest = ["  ".join(row) for row in zip(*columns, strict=True)]
        left = room - 2 - max(map(len, rest), default=0)
        if longest <= left or (len(columns) == 1 and left >= min(longest, ENOUGH_NAME)):
            break
    width = min(longest, max(LEAST_NAME, left))
    return [f"{cut(name, width, style.glyphs):{width}}  {row}" for name, row in zip(names, rest, strict=True)]


def _aligned(texts: list[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def beside(
    frame: Frame, place: Place, parts: list[Part], style: DrawStyle, *, share: bool = False, inked: bool = True
) -> None:
    """The names and values, in the middle of the rows, right of the disc; inked: in the inks of the parts."""
    most = frame.height - (len(parts) > frame.height)
    first = max(0, (frame.height - len(parts)) // 2)
    lines = lines_of(parts, style, share=share, room=place.words)
    for at, (part, line) in enumerate(zip(parts[:most], lines, strict=False)):
        write(frame, first + at, place.beside, cut(line, place.words, style.glyphs), part.ink if inked else LABEL)
    if len(parts) > most:
        text = f"and {len(parts) - most} more"
        write(frame, frame.height - 1, place.beside, cut(text, place.words, style.glyphs), LABEL)


def as_bars(parts: list[Part], size: Size, style: DrawStyle) -> Frame:
    """Bars with names, where there is no room for anything round."""
    return lying([Bar(f"{part.sign} {part.name}", part.value, part.ink) for part in parts], size, style)


def said_of_bar(parts: list[Part], row: int, size: Size, style: DrawStyle) -> str:
    return said([Bar(part.name, part.value, part.ink) for part in parts], row, size, style)


def said_at(
    content: Content,
    size: Size,
    style: DrawStyle,
    column: int,
    row: int,
    which: Callable[[float, int], int],
    beyond: float = 0.0,
) -> str:
    """The part under a cell, by its words or by its place in the disc, which reaches `beyond` its radius.

    which: of a turn from 0 to 1 and of so many parts, whose place that is.
    """
    parts = parts_of(content, style)
    place = placed(parts, size, style)
    if place is None:
        return said_of_bar(parts, row, size, style)
    found = part_of_words(parts, place, size, column, row)
    if found is None and parts:
        distance, turn = place.at(column, row)
        if distance > place.radius + beyond:
            return ""
        found = parts[which(turn, len(parts))]
    return f"{found.name}  {found.text}" if found is not None else ""


def sliced(content: Content, size: Size, style: DrawStyle, hole: float) -> Frame:
    """Slices as large as their shares, clockwise from the top. hole: part of the radius that is left out."""
    parts = parts_of(content, style)
    if not any(part.share for part in parts):
        return message_frame(EMPTY if not parts else "no value above zero", *size, style.glyphs)
    place = placed(parts, size, style, share=True)
    if place is None:
        return as_bars(parts, size, style)
    frame = blank(size)
    canvas = Canvas(place.columns, place.rows, style.glyphs)
    dots = place.polar(canvas)
    ring = (dots.distance <= place.radius) & (dots.distance >= hole * place.radius)
    edge = 0.0
    several = sum(part.share > 0 for part in parts) > 1
    for part in parts:
        inside = ring & (dots.turn >= edge) & (dots.turn < edge + part.share)
        if several:
            inside &= apart(dots, edge) & apart(dots, edge + part.share)
        canvas.fill(inside, part.ink)
        edge += part.share
    canvas.put(frame, place.top, place.left)
    _number(frame, place, parts, (1 + hole) / 2 if hole else 0.65)
    beside(frame, place, parts, style, share=True)
    return frame


def slice_at(content: Content, size: Size, style: DrawStyle, hole: float, column: int, row: int) -> str:
    """The slice at a cell, or at its words."""
    parts = parts_of(content, style)
    place = placed(parts, size, style, share=True)
    if place is None:
        return said_of_bar(parts, row, size, style)
    found = part_of_words(parts, place, size, column, row)
    if found is None:
        distance, turn = place.at(column, row)
        if not hole * place.radius <= distance <= place.radius:
            return ""
        ends = np.cumsum([part.share for part in parts])
        at = int(np.searchsorted(ends, turn, side="right"))
        found = parts[at] if at < len(parts) else None
    return f"{found.name}  {found.text}  {100 * found.share:.1f} %" if found is not None else ""


def part_of_words(parts: list[Part], place: Place, size: Size, column: int, row: int) -> Part | None:
    """The part whose words stand at a cell."""
    at = row - max(0, (size.height - len(parts)) // 2)
    return parts[at] if column >= place.beside and 0 <= at < len(parts) else None


def apart(dots: Dots, edge: float) -> Masks:
    """Dots that are not on the line from the centre at an edge, a turn."""
    sine, cosine = sin(2 * pi * edge), cos(2 * pi * edge)
    across, along = dots.right * cosine + dots.down * sine, dots.right * sine - dots.down * cosine
    far: Masks = (np.abs(across) > APART / 2) | (along < 0)
    return far


def _number(frame: Frame, place: Place, parts: list[Part], out: float) -> None:
    edge = 0.0
    for part in parts:
        if part.share * 2 * np.pi * out * place.radius >= 1.5:
            row, column = place.cell(edge + part.share / 2, out * place.radius)
            write(frame, row, column - 1, f" {part.sign} ", part.ink)
        edge += part.share
