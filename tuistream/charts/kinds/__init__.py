"""Kinds of panels: a file here is one, a `contract.Kind`, imported when it is used.

A name is what the user types, and its file's, with _ for -. Lines and areas have no file here: they are drawn by
`charts.panel`, so that they can grow cell by cell.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from tuistream.charts.kinds.contract import Content, Kind

LINES: Final = ("line", "area")
SCALED: Final = ("step", "scatter", "bars", "candles")  # those whose value axis is the chart's, and stands still
MOMENTS: Final = ("pie", "doughnut", "radar", "polar-area")  # those that show the newest tick, whatever the window
LEGENDS: Final = (*LINES, "step", "scatter", "bars")  # those that do not say themselves which field is which
# In the order in which the key goes through them.
NAMES: Final = (
    *LINES,
    "step",
    "scatter",
    "bars",
    "horizontal-bars",
    "candles",
    "histogram",
    "spectrum",
    "heat-map",
    "bubble",
    "pie",
    "doughnut",
    "radar",
    "polar-area",
    "number",
    "sparkline",
    "table",
    "figure",
    "picture",
    "map",
)
# What senders call them, where that is not the name here.
_SAID: Final = {
    "bar": "bars",
    "horizontalBar": "horizontal-bars",
    "polarArea": "polar-area",
    "heatmap": "heat-map",
    "image": "picture",
}


def kind(name: str) -> Kind:
    """The kind of that name, one of `NAMES` without `LINES`. Raises ModuleNotFoundError for any other."""
    return cast("Kind", importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


@cache
def there() -> tuple[str, ...]:
    """The names of the kinds that can be drawn."""
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)}
    return tuple(name for name in NAMES if name in LINES or name in files)


def fitting(content: Content) -> tuple[str, ...]:
    """The names of the kinds that the content can be drawn as, in the order of `NAMES`."""
    from tuistream.charts.kinds.contract import Ticks

    drawn = isinstance(content, Ticks)
    return tuple(name for name in there() if (drawn if name in LINES else kind(name).fits(content)))


def said(word: str) -> str:
    """The name of the kind that a sender means by `word`; "" where it means none."""
    name = _SAID.get(word, word)
    return name if name in there() else ""
