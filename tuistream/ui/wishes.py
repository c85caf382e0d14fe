"""What the user's configuration says of some panels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.ui.chart import Chart
from tuistream.ui.options import PanelOptions
from tuistream.ui.view import RANGES


def checked(panels: Iterable[PanelOptions], where: str) -> tuple[PanelOptions, ...]:
    """The same. Raises SettingsError for a range that is none."""
    found = tuple(panels)
    names = [known.name for known in RANGES]
    for index, panel in enumerate(found):
        if panel.range and panel.range not in names:
            told = f'{where}: panels[{index}].range = "{printable(panel.range, 40)}"'
            raise SettingsError(f"{told} is none; there are {', '.join(names)}")
    return found


def arrange(chart: Chart, wanted: PanelOptions) -> None:
    """Have a new chart look as the user wants it."""
    known = {each.name: each for each in chart.view.ranges}
    if wanted.range in known:
        chart.view = replace(chart.view, range=known[wanted.range])
    choices = chart.choices
    chart.choices = replace(
        choices,
        averages=wanted.averages or choices.averages,
        kind=wanted.chart or choices.kind,
        scale=wanted.scale or choices.scale,
        log=wanted.log or choices.log,
    )
