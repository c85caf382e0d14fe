"""A composed panel whose lines grow at their right end, cell by cell, also while its window slides."""

from __future__ import annotations

from collections.abc import Sequence

from tuistream.charts.live_end import LiveEnd, Place, Points
from tuistream.charts.panel import Axes, Frame, Gap, Layout, Signs, Tag, aligned, draw_tag, signs_of, surroundings
from tuistream.charts.polyline import Line
from tuistream.charts.raster import Viewport


class LivePanel:
    """Changes `frame`, which `compose` made of the other arguments, as if it had been made of longer lines."""

    def __init__(
        self,
        frame: Frame,
        layout: Layout,
        glyphs: str,
        lines: Sequence[Line],
        viewport: Viewport,
        value_ticks: Sequence[tuple[float, str]],
        tag: Tag | None,
        gaps: Sequence[Gap],
    ) -> None:
        self.frame = frame
        self._layout = layout
        self._glyphs = glyphs
        self._signs: Signs = signs_of(glyphs)
        self._tag = tag
        self._lead = _lead(value_ticks, tag)
        self._whole = not gaps
        self._end: LiveEnd | None = None
        if frame.bits is not None and not viewport.log:
            end = LiveEnd(lines, viewport, frame.bits, glyphs, layout.columns, layout.rows)
            first = end.first_cell
            if first >= 0 and not any(
                to >= end.time_of(first) and to > viewport.t0 and since < viewport.t1 for since, to in gaps
            ):
                self._end = end

    def grow(self, grown: Sequence[Points], tag: Tag | None) -> list[Place] | None:
        """Add points to each line, and move the tag; the cells that changed.

        None, and nothing done, where the panel is to be composed anew.
        """
        end = self._end
        if end is None or not self._fits(tag):
            return None
        cells = end.grow(grown)
        if cells is None:
            return None
        self._set(cells)
        places = [place for place, _code, _ink in cells]
        if tag is not None and tag != self._tag:
            places += self._move_tag(tag, end)
        return places

    def slide(
        self,
        layout: Layout,
        axes: Axes,
        grown: Sequence[Points],
        viewport: Viewport,
        value_ticks: Sequence[tuple[float, str]],
        time_ticks: Sequence[tuple[int, str]],
        tag: Tag | None,
    ) -> bool:
        """Go on in a later window without gaps, with points added to each line: `frame` is another one then.

        The other arguments as of `compose`. False where the panel is to be composed anew, and this one is of no use.
        """
        end, before = self._end, self.frame
        by = end.slide(viewport) if end is not None and self._whole and layout == self._layout else None
        cells = end.grow(grown) if end is not None and by is not None else None
        if by is None or cells is None:
            return False
        self.frame = frame = surroundings(
            layout, axes, self._glyphs, viewport, value_ticks, time_ticks, tag, before.bits
        )
        rows, columns = layout.rows, layout.columns
        frame.chars[:rows, : columns - by] = before.chars[:rows, by:columns]
        frame.ink[:rows, : columns - by] = before.ink[:rows, by:columns]
        self._set(cells)
        self._tag, self._lead = tag, _lead(value_ticks, tag)
        return True

    def _set(self, cells: Sequence[tuple[Place, int, int]]) -> None:
        for (y, x), code, ink in cells:
            self.frame.chars[y, x] = code
            self.frame.ink[y, x] = ink

    def _fits(self, tag: Tag | None) -> bool:
        """Whether the tag takes the cells that the last one took, so that no label is moved by it."""
        before = self._tag
        if tag is None or before is None:
            return tag is before
        same = len(tag.text) == len(before.text) and tag.text.find(".") == before.text.find(".")
        return same and tag.value == tag.value and before.value == before.value

    def _move_tag(self, tag: Tag, end: LiveEnd) -> list[Place]:
        before, self._tag = self._tag, tag
        layout, frame, margins = self._layout, self.frame, self.frame.margins
        if not layout.labels or before is None or margins is None:
            return []
        row = min(max(end.cell_row(before.value, layout.rows), 0), layout.rows - 1)
        frame.chars[row, layout.columns :] = margins.chars[row, layout.columns :]
        frame.ink[row, layout.columns :] = margins.ink[row, layout.columns :]
        text = " " * self._lead + tag.text
        rows = {
            row,
            draw_tag(frame, layout, end.cell_row(tag.value, layout.rows), tag._replace(text=text), self._signs),
        }
        return [(y, x) for y in rows for x in range(layout.columns, layout.width)]


def _lead(value_ticks: Sequence[tuple[float, str]], tag: Tag | None) -> int:
    """How many blanks stand before the tag's text, so that its decimal point is under those of the labels."""
    if tag is None:
        return 0
    return len(aligned([*(label for _value, label in value_ticks), tag.text])[-1]) - len(tag.text)
