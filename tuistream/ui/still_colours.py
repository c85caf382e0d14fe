"""The colours of a theme for a picture: what each ink has, blended with the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tuistream.core.errors import SettingsError
from tuistream.ui.ink_colours import PLOT, WORDS, Paint, colour_of
from tuistream.ui.themes import DARK, THEMES, checked, variable_defaults


class Ink(NamedTuple):
    """colour: "#rrggbb"."""

    colour: str
    bold: bool


class Colours(NamedTuple):
    """background: "#rrggbb". plot: by the names of `charts.panel.INKS`. words: by those of `ui.ink_colours.WORDS`."""

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

    def inks(paints: Mapping[str, Paint]) -> dict[str, Ink]:
        return {
            name: Ink((background + colour_of(variables, paint.variable, paint.percent)).hex6.lower(), paint.bold)
            for name, paint in paints.items()
        }

    return Colours(background.hex6.lower(), inks(PLOT), inks(WORDS))
