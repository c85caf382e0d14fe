"""The upper and the lower edge of a panel, as rows of parts. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tuistream.charts.numbers import format_change, format_percent, format_value
from tuistream.core.text import printable
from tuistream.ui.glyphs import Signs
from tuistream.ui.line import Part, cut, width_of
from tuistream.ui.watch_rows import Row, move_ink

NAME_AT_LEAST = 12
LEGEND_NAME = 20
EDGES_KEPT: Final = 128  # upper edges of which it is known what has room


def top_edge(
    width: int,
    signs: Signs,
    focused: bool,
    number: int,
    row: Row | None,
    legend: Sequence[tuple[str, str]],
    range_name: str,
) -> list[Part]:
    """Number, name, last value and its change; at the right legend and range. Numbers fall whole, names are cut."""
    name = f"{number} {row.label}" if row else f"{number}"
    values = _values(row, signs, (signs.focused if focused else signs.border)[1])
    widths = tuple((what, width_of(parts)) for what, parts in values.items())
    before, shown, after = _arranged(width, signs, focused, name, widths, tuple(legend), range_name)
    return [*before, *(part for what in shown for part in values[what]), *after]


def _values(row: Row | None, signs: Signs, line: str) -> dict[str, list[Part]]:
    """What is said of the last value, by what it is."""
    if row is None or row.last != row.last:
        return {}
    sign, ink = (signs.stale, "stale") if row.silent else signs.move(row.last, row.first)
    change = row.last - row.first
    changed = move_ink(change, row.silent)
    last = f" {format_value(row.last, row.digits)} ", "stale" if row.silent else "value"
    known = change == change
    values: dict[str, list[Part]] = {
        "last": [(line, "edge"), last, *([(f"{sign} ", ink)] if known or row.silent else [])],
        "unit": [(f"{row.unit} ", "dim")] if row.unit else [],
        "moved": [(f"{format_change(change, row.digits)} ", changed)] if known else [],
    }
    percent = row.percent
    values["percent"] = [(f"{format_percent(percent)} ", changed)] if percent == percent else []
    return values


@lru_cache(maxsize=EDGES_KEPT)
def _arranged(
    width: int,
    signs: Signs,
    focused: bool,
    name: str,
    widths: tuple[tuple[str, int], ...],
    legend: tuple[tuple[str, str], ...],
    range_name: str,
) -> tuple[tuple[Part, ...], tuple[str, ...], tuple[Part, ...]]:
    """What stands before the values, which of these have room, and what stands after them.

    widths: of the values; they change with every tick, and their widths hardly ever.
    """
    border = signs.focused if focused else signs.border
    ink = "accent" if focused else "edge"
    line = border[1]
    inner = max(0, width - 4)
    known = dict(widths)
    for shown, right in _candidates(known, legend, range_name, line):
        room = inner - sum(known[what] for what in shown) - width_of(right)
        if room >= min(len(name), NAME_AT_LEAST) + 3 or (not right and room >= 0):
            break
    else:
        shown, right, room = (), [], inner
    name = cut(name, max(0, room - 3), signs.ellipsis)
    title: list[Part] = [(f" {name} ", "strong" if focused else "plain")] if name else []
    free = room - width_of(title)
    if width < 4:
        return ((line * width, ink),), (), ()
    return (
        ((border[0] + line, ink), *title),
        shown,
        ((line * max(0, free), ink), *right, (line + border[2], ink)),
    )


def bottom_edge(
    width: int, signs: Signs, focused: bool, about: Sequence[str], state: str, state_ink: str, told: str = ""
) -> list[Part]:
    """What the stream is and how it is drawn; at the right the state of the view.

    told: what is under the cursor, instead of what the stream is; where there is no room for both, of the state, too.
    """
    border = signs.focused if focused else signs.border
    ink = "accent" if focused else "edge"
    line = border[1]
    inner = max(0, width - 4)
    if told:
        told = cut(told, max(0, inner - 2), signs.ellipsis)
        states = (state, state.partition(" ")[0])  # what matters most is its first word
        state = next((each for each in states if len(told) + len(each) + 5 <= inner), "")
    right: list[Part] = [(f" {cut(state, max(0, inner - 2), signs.ellipsis)} ", state_ink)] if state else []
    if told:
        free = inner - len(told) - 2 - width_of(right)
        filled = [(f" {told} ", "value"), (line * max(0, free), ink), *right]
        return _closed(width, border[3], border[4], ink, line, filled)
    words = [word for word in about if word]
    while words and sum(len(word) + 2 for word in words) + 2 + width_of(right) > inner:
        words.pop(0)
    left: list[Part] = [(f" {'  '.join(words)} ", "dim")] if words else []
    free = inner - width_of(left) - width_of(right)
    return _closed(width, border[3], border[4], ink, line, [*left, (line * max(0, free), ink), *right])


def _candidates(
    widths: Mapping[str, int], legend: Sequence[tuple[str, str]], range_name: str, line: str
) -> Iterator[tuple[tuple[str, ...], list[Part]]]:
    """Values and right end, from the most to the least."""
    ranged: list[Part] = [(f" {range_name} ", "plain")] if range_name else []
    named: list[Part] = [(f" {printable(name, LEGEND_NAME)} ", ink) for name, ink in legend]

    def rights(most: int) -> Iterator[list[Part]]:
        for count in range(most, 0, -1):
            yield [*named[:count], (line, "edge"), *ranged]
        yield ranged

    if not widths:
        yield from (((), right) for right in rights(len(named)))
        yield (), []
        return
    if widths["unit"]:
        yield ("last", "unit", "moved", "percent"), next(rights(len(named)))
        yield ("last", "unit"), next(rights(len(named)))
    yield ("last", "moved", "percent"), next(rights(len(named)))
    fields = sum(not ink.startswith("average") for _name, ink in legend)
    if fields > 1:  # which line is which matters more than how the first has moved
        fewer: tuple[tuple[str, ...], ...] = (("last", "percent"), ("last",), ())
        yield from ((values, next(rights(fields))) for values in fewer)
    if named:
        yield from ((("last", "percent"), right) for right in rights(len(named)) if right is not ranged)
    yield ("last", "moved", "percent"), ranged
    yield ("last", "percent"), ranged
    yield ("last",), ranged
    yield ("last",), []
    yield (), []


def _closed(width: int, left: str, right: str, ink: str, line: str, inside: list[Part]) -> list[Part]:
    if width < 4:
        return [(line * width, ink)]
    return [(left + line, ink), *inside, (line + right, ink)]
