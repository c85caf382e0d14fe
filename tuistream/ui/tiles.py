"""How panels share the grid's space, and which pane lies beside which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement

if TYPE_CHECKING:
    from textual.widget import Widget

LEAST_WIDTH, LEAST_HEIGHT = 46, 9  # of a panel, where there are several
BEST_RATIO = 3.6  # of a panel's width to its height, in cells
ONE_COLUMN_BELOW = 80
MOST_PANELS = 12


def capacity(width: int, height: int, screen_width: int) -> int:
    """How many panels have room: 1, 2, 3, 4, 6, 8, 9 or 12."""
    columns = 1 if screen_width < ONE_COLUMN_BELOW else max(1, width // LEAST_WIDTH)
    return max(1, min(MOST_PANELS, columns * max(1, height // LEAST_HEIGHT)))


def tiles(count: int, width: int, height: int, one_column: bool = False) -> list[Region]:
    """`count` regions that fill the space row by row, each row filled whole, in the shape that suits charts best."""

    def badness(columns: int) -> float:
        rows = -(-count // columns)
        ratio = (width / columns) / max(1, height // rows)
        return max(ratio / BEST_RATIO, BEST_RATIO / ratio) + (0.3 if count % columns else 0)

    most = 1 if one_column else max(1, min(count, width // LEAST_WIDTH))
    columns = min(range(1, most + 1), key=badness) if width and height else 1
    rows = -(-count // columns)
    regions: list[Region] = []
    for row in range(rows):
        top, bottom = height * row // rows, height * (row + 1) // rows
        here = min(columns, count - len(regions))
        for column in range(here):
            left, right = width * column // here, width * (column + 1) // here
            regions.append(Region(left, top, right - left, bottom - top))
    return regions


def neighbour(regions: Sequence[Region], current: int, direction: str) -> int | None:
    """The index of the region beside `regions[current]`; direction: h, j, k or l (left, down, up, right)."""
    here = regions[current]
    best: tuple[float, int] | None = None
    for index, region in enumerate(regions):
        if index == current:
            continue
        away, aside = {
            "h": (here.x - region.right, region.center[1] - here.center[1]),
            "l": (region.x - here.right, region.center[1] - here.center[1]),
            "k": (here.y - region.bottom, region.center[0] - here.center[0]),
            "j": (region.y - here.bottom, region.center[0] - here.center[0]),
        }[direction]
        if away >= 0 and (best is None or (away + abs(aside) / 4, index) < best):
            best = (away + abs(aside) / 4, index)
    return None if best is None else best[1]


class TileLayout(Layout):
    """Lays the displayed children out as tiles."""

    name = "tiles"
    one_column = False

    def arrange(
        self,
        parent: Widget,  # noqa: ARG002
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: ARG002
    ) -> ArrangeResult:
        regions = tiles(len(children), size.width, size.height, self.one_column) if children else []
        return [
            WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, child)
            for region, child in zip(regions, children, strict=True)
        ]
