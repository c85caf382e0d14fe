"""What the user's configuration says of some panels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tuistream.charts import kinds
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.ui.chart import Chart
from tuistream.ui.options import PanelOptions
from tuistream.ui.view import RANGES


def checked(panels: Iterable[PanelOptions], where: str) -> tuple[PanelOptions, ...]:
    """The same. Raises SettingsError for a range, or a kind of chart, that is none."""
    found = tuple(panels)
    known = {"range": tuple(each.name for each in RANGES), "chart": kinds.there()}
    for index, panel in enumerate(found):
        for key, wanted in ("range", panel.range), ("chart", panel.chart):
            if wanted and wanted not in known[key]:
                told = f'{where}: panels[{index}].{key} = "{printable(wanted, 40)}"'
                raise SettingsError(f"{told} is none; there are {', '.join(known[key])}")
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
