"""A pie of the newest values: slices as large as their shares."""

from __future__ import annotations

from tuistream.charts.kinds import disc
from tuistream.charts.kinds.contract import Content, DrawStyle, Size
from tuistream.charts.panel import Frame


def fits(content: Content) -> bool:
    return disc.fits(content)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    return disc.sliced(content, size, style, 0.0)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    return disc.slice_at(content, size, style, 0.0, column, row)
