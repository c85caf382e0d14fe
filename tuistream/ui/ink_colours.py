"""What colour each ink has: one of the theme's.

Component classes of the stylesheet would be Textual's own way to the same. It costs a tenth of a millisecond for each
when a widget is mounted and whenever it gets the focus, and there are forty of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from textual.color import Color


class Paint(NamedTuple):
    """variable: of the theme. percent: how opaque. behind: the variable of the background, where it has its own."""

    variable: str
    percent: int = 100
    bold: bool = False
    behind: str = ""


_PRICES: Final = {name: Paint(name) for name in ("price", "price-2", "price-3", "price-4")}
_AVERAGES: Final = {name: Paint(name) for name in ("average-1", "average-2", "average-3", "average-4")}

# What a text means.
WORDS: Final = {
    "plain": Paint("foreground"),
    "dim": Paint("dim"),
    "strong": Paint("foreground", bold=True),
    "value": Paint("foreground", bold=True),
    "accent": Paint("accent"),
    "up": Paint("success"),
    "down": Paint("error"),
    "flat": Paint("dim"),
    "warning": Paint("warning"),
    "error": Paint("error", bold=True),
    "key": Paint("accent"),
    "edge": Paint("edge"),
    "selected": Paint("accent", bold=True),
    "stale": Paint("dim"),
    "badge": Paint("background", bold=True, behind="accent"),
    "spark": Paint("secondary"),
    **_PRICES,
    **_AVERAGES,
}
# What a cell of a plot means, by the names of `charts.panel.INKS`.
PLOT: Final = {
    **_PRICES,
    **_AVERAGES,
    "fill": Paint("primary", 35),
    "gap": Paint("gap"),
    "gap-label": Paint("dim"),
    "axis": Paint("edge"),
    "label": Paint("dim"),
    "up": Paint("success", bold=True),
    "down": Paint("error", bold=True),
    "flat": Paint("foreground", bold=True),
    "message": Paint("foreground"),
}


def colour_of(variables: Mapping[str, str], name: str, percent: int = 100) -> Color:
    """A theme's colour by the name of its variable; a percentage of its own ("ansi_default 50%") is left out."""
    colour = Color.parse(variables[name].partition(" ")[0])
    return colour if percent == 100 else colour.multiply_alpha(percent / 100)
