"""The colours of a theme for a picture: what the stylesheets say of each ink, blended with the background."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final, NamedTuple

from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tuistream.core.errors import SettingsError
from tuistream.ui.stream_plot import StreamPlot
from tuistream.ui.themes import DARK, THEMES, checked, variable_defaults

_RULE: Final = re.compile(
    r"\.(stream-plot|ink)--([\w-]+)\s*\{\s*color:\s*\$([\w-]+)(?:\s+(\d+)%)?;(\s*text-style:\s*bold;)?"
)


class Ink(NamedTuple):
    """colour: "#rrggbb"."""

    colour: str
    bold: bool


class Colours(NamedTuple):
    """background: "#rrggbb". plot: by the names of `charts.panel.INKS`. words: by those of `ui.line.INKS`."""

    background: str
    plot: dict[str, Ink]
    words: dict[str, Ink]


def colours_of(theme: str) -> Colours:
    """Raises SettingsError for a theme that is not known, or whose colours are the terminal's."""
    name = checked(theme or DARK, "--theme")
    found = next((each for each in THEMES if each.name == name), None) or BUILTIN_THEMES[name]
    generated = found.to_color_system().generate()
    variables = variable_defaults(generated) | generated | dict(found.variables)
    if variables["background"].startswith("ansi_"):
        raise SettingsError(f"--theme {name}: its colours are the terminal's, and a picture has none")
    background = Color.parse(variables["background"])
    inks: dict[str, dict[str, Ink]] = {"stream-plot": {}, "ink": {}}
    sheet = resources.files("tuistream.ui").joinpath("tuistream.tcss").read_text(encoding="utf-8")
    for group, ink, variable, percent, bold in _RULE.findall(StreamPlot.DEFAULT_CSS + sheet):
        colour = Color.parse(variables[variable])
        if percent:
            colour = colour.multiply_alpha(int(percent) / 100)
        # What is said later stands; it keeps what it does not say.
        before = inks[group].get(ink)
        inks[group][ink] = Ink((background + colour).hex6.lower(), bool(bold) or (before is not None and before.bold))
    return Colours(background.hex6.lower(), inks["stream-plot"], inks["ink"])
