"""A still as SVG 1.1: dots and lines as shapes, words as text of whatever monospaced font there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from tuistream.charts.shapes import Point, Shapes, shapes_of
from tuistream.charts.still import Run, Still

CELL: Final = (8.0, 16.0)  # units of a cell
FONT_SIZE: Final = 13
BASELINE: Final = 12  # units below the top of a cell
DOT: Final = 3.0  # diameter
STROKE: Final = 1.2
FONTS: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def svg_of(still: Still) -> str:
    width, height = still.width * CELL[0], still.height * CELL[1]
    size = f'width="{width:g}" height="{height:g}"'
    shapes, words = _parts(still)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" {size} role="img">',
        f"<title>{_text(still.title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="{still.background}"/>',
        *map(_behind, (run for run in still.runs if run.behind)),
        *_areas(shapes),
        *_paths(shapes, "strokes"),
        *_paths(shapes, "dots"),
        f'<g font-family="{FONTS}" font-size="{FONT_SIZE}" xml:space="preserve">',
        *map(_word, words),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


Placed = tuple[str, float, float, Shapes]  # a colour, where the cell begins, its shapes


def _parts(still: Still) -> tuple[list[Placed], list[Run]]:
    """What is drawn, and the words between it."""
    placed: list[Placed] = []
    words: list[Run] = []
    for run in still.runs:
        if len(run.text) != run.width:  # has wide characters, so no cell of a character is known
            words.append(run)
            continue
        x = run.x
        for drawn, chars in groupby(run.text, lambda char: shapes_of(char) is not None):
            text = "".join(chars)
            if drawn:
                for at, char in enumerate(text):
                    shapes = shapes_of(char)
                    assert shapes is not None
                    placed.append((run.colour, (x + at) * CELL[0], run.y * CELL[1], shapes))
            else:
                words += _words(run, x, text)
            x += len(text)
    return placed, words


def _words(run: Run, x: int, text: str) -> Iterator[Run]:
    """The words in a text, each at its place: so a font of another width moves nothing far."""
    at = 0
    for word in text.split(" "):
        if word:
            yield Run(x + at, run.y, word, len(word), run.colour, run.bold)
        at += len(word) + 1


def _behind(run: Run) -> str:
    x, y = run.x * CELL[0], run.y * CELL[1]
    return f'<rect x="{x:g}" y="{y:g}" width="{run.width * CELL[0]:g}" height="{CELL[1]:g}" fill="{run.behind}"/>'


def _areas(placed: Sequence[Placed]) -> Iterator[str]:
    for colour, x, y, shapes in placed:
        for polygon, opacity in shapes.areas:
            points = " ".join(f"{_place(x, y, point)}" for point in polygon)
            faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
            yield f'<polygon points="{points}" fill="{colour}"{faint}/>'


def _paths(placed: Sequence[Placed], kind: str) -> Iterator[str]:
    """One path of each colour. A dot is a line of hardly any length with round ends."""
    width = DOT if kind == "dots" else STROKE
    for colour in dict.fromkeys(each[0] for each in placed):
        steps: list[str] = []
        for _, x, y, shapes in (each for each in placed if each[0] == colour):
            if kind == "dots":
                steps += (f"M{_place(x, y, dot)}h.01" for dot in shapes.dots)
            else:
                steps += ("M" + "L".join(_place(x, y, point) for point in stroke) for stroke in shapes.strokes)
        if steps:
            yield (
                f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
                f'stroke-linecap="round"/>'
            )


def _place(x: float, y: float, point: Point) -> str:
    return f"{x + point[0] * CELL[0]:g},{y + point[1] * CELL[1]:g}"


def _word(run: Run) -> str:
    bold = ' font-weight="bold"' if run.bold else ""
    return (
        f'<text x="{run.x * CELL[0]:g}" y="{run.y * CELL[1] + BASELINE:g}" fill="{run.colour}"{bold} '
        f'textLength="{run.width * CELL[0]:g}" lengthAdjust="spacingAndGlyphs">{_text(run.text)}</text>'
    )


def _text(text: str) -> str:
    return escape("".join(char if char.isprintable() else "·" for char in text))
