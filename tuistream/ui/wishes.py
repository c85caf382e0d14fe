"""What the user's configuration, or the command line, says of some panels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tuistream.charts import kinds
from tuistream.charts.ohlc import WIDTHS
from tuistream.core.durations import parse_duration
from tuistream.core.errors import SettingsError
from tuistream.core.text import printable
from tuistream.ui.chart import Chart
from tuistream.ui.content import SPECTRUM
from tuistream.ui.options import PanelOptions
from tuistream.ui.study import PREFIX, parse_study
from tuistream.ui.view import RANGES, short_duration

if TYPE_CHECKING:
    from tuistream.ui.still_kinds import KindWanted

_OF_OPTION: Final = re.compile(rf"(.+?)=\s*({PREFIX}.*|[a-z-]+)", re.DOTALL)


def panel_of(text: str, option: str) -> PanelOptions:
    """What "BTC/USD=candles" or "BTC/USD=study:fft(n=1024)" says of a panel. Raises SettingsError."""
    match = _OF_OPTION.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{option} {printable(text, 80)!r}: STREAM=CHART is wanted, such as BTC/USD=candles")
    panel = PanelOptions(match[1].strip(), chart=match[2])
    _check_chart(panel.chart, f"{option} {printable(text, 80)!r}: {printable(panel.chart, 40)}")
    return panel


def checked(panels: Iterable[PanelOptions], where: str) -> tuple[PanelOptions, ...]:
    """The same. Raises SettingsError for a range, or a kind of chart, that is none."""
    found = tuple(panels)
    ranges = tuple(each.name for each in RANGES)
    for index, panel in enumerate(found):
        at = f"{where}: panels[{index}]"
        if panel.range and panel.range not in ranges:
            raise SettingsError(f'{at}.range = "{printable(panel.range, 40)}" is none; there are {", ".join(ranges)}')
        _check_chart(panel.chart, f'{at}.chart = "{printable(panel.chart, 80)}"')
    return found


def _check_chart(name: str, where: str) -> None:
    if name.startswith(PREFIX):
        parse_study(name, where)
    elif name and name not in kinds.there():
        raise SettingsError(f"{where} is none; there are {', '.join(kinds.there())}, {PREFIX}fft")


def kind_wanted(kind: str, interval: str) -> KindWanted:
    """What `--kind` and `--interval` of a still mean. Raises SettingsError."""
    from tuistream.ui.still_kinds import AS_LINES, CANDLES, NO_TICKS, KindWanted

    if kind.startswith(PREFIX):
        fft = parse_study(kind, f"--kind {printable(kind, 80)!r}")
        wanted = KindWanted(SPECTRUM, 0, fft.field, fft.ticks, fft.transform)
    else:
        _check_chart(kind, f"--kind {printable(kind, 40)!r}")
        if kind in NO_TICKS:
            raise SettingsError(f"--kind {kind}: ticks are none; {', '.join(NO_TICKS)} are for the screen only")
        wanted = KindWanted(kind) if kind else AS_LINES
    if not interval:
        return wanted
    width = parse_duration(interval, "--interval")
    if wanted.name != CANDLES or width not in WIDTHS:
        lengths = ", ".join(short_duration(each) for each in WIDTHS)
        raise SettingsError(f"--interval {printable(interval, 40)!r}: with --kind candles one of {lengths}")
    return wanted._replace(interval=width)


def arrange(chart: Chart, wanted: PanelOptions) -> None:
    """Have a new chart look as the user wants it."""
    known = {each.name: each for each in chart.view.ranges}
    if wanted.range in known:
        chart.view = replace(chart.view, range=known[wanted.range])
    choices = chart.choices
    if wanted.chart.startswith(PREFIX):
        fft = parse_study(wanted.chart, PREFIX)
        choices = replace(choices, kind=SPECTRUM, transform=fft.transform, newest=fft.ticks, only=fft.field)
    elif wanted.chart:
        choices = replace(choices, kind=wanted.chart)
    chart.choices = replace(
        choices,
        averages=wanted.averages or choices.averages,
        scale=wanted.scale or choices.scale,
        log=wanted.log or choices.log,
    )
