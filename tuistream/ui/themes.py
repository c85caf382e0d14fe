"""Our two themes, and the colours that charts need beside Textual's, for every other theme too."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable

DARK, LIGHT = "tuistream-dark", "tuistream-light"

THEMES = (
    Theme(
        name=DARK,
        primary="#6cb6ff",
        secondary="#8a9bb4",
        accent="#f0b83f",
        foreground="#d5dbe3",
        background="#0e1217",
        surface="#141a21",
        panel="#1d252e",
        success="#4cc36e",
        warning="#e8a33d",
        error="#f2736d",
        dark=True,
        variables={
            "price": "#7cc4ff",
            "price-2": "#f29e74",
            "price-3": "#b8a1f5",
            "price-4": "#7fd8be",
            "average-1": "#c9a227",
            "average-2": "#a678c8",
            "average-3": "#5f9e7e",
            "average-4": "#b56b6b",
            "edge": "#3a4552",
            "dim": "#7d8896",
            "gap": "#4a5360",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#0b5cad",
        secondary="#5a6b80",
        accent="#a85a00",
        foreground="#1c2530",
        background="#fbfbf9",
        surface="#f2f3f1",
        panel="#e4e7e8",
        success="#157347",
        warning="#9a6200",
        error="#b3261e",
        dark=False,
        variables={
            "price": "#0b5cad",
            "price-2": "#b0460f",
            "price-3": "#6b3fa0",
            "price-4": "#0f766e",
            "average-1": "#a37500",
            "average-2": "#8a4fb0",
            "average-3": "#3d7f5c",
            "average-4": "#a04848",
            "edge": "#b5bdc6",
            "dim": "#697482",
            "gap": "#c2c8cf",
        },
    ),
)


NAMES = (DARK, LIGHT, *sorted(BUILTIN_THEMES))


def checked(name: str, where: str) -> str:
    """`name`, which `where` gave. Raises SettingsError where no theme is called so."""
    if name not in NAMES:
        raise SettingsError(f"{where} {printable(name, 40)!r} is not known; known are {', '.join(NAMES)}")
    return name


def variable_defaults(variables: dict[str, str]) -> dict[str, str]:
    """Our own variables in terms of the colours, by name, of a theme that does not know them."""
    return {
        "price": variables["primary"],
        "price-2": variables["warning"],
        "price-3": variables["secondary"],
        "price-4": variables["success"],
        "average-1": variables["accent"],
        "average-2": variables["secondary"],
        "average-3": variables["success"],
        "average-4": variables["error"],
        "edge": variables["panel"],
        "dim": variables["foreground-muted"],
        "gap": variables["panel"],
    }
