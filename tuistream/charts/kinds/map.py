"""A map: coasts and borders in dots, markers on top, by the spherical Mercator projection that web maps use.

Projection: EPSG:3857; its zoom is as https://wiki.openstreetmap.org/wiki/Zoom_levels has it.
"""

from __future__ import annotations

from math import asinh, atan, cos, degrees, pi, radians, sinh, tan
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuistream.charts.kinds.canvas import Canvas, blank, cut, shown, write
from tuistream.charts.kinds.contract import CLOSER, MARKERS_MOST, Content, DrawStyle, Markers, Size
from tuistream.charts.panel import AXIS, GAP_LABEL, LABEL, Frame
from tuistream.charts.world import Outline, borders, coasts
from tuistream.core.batch import Values

LABEL_SHOWN: Final = 24  # characters
TILE: Final = 256.0  # pixels of the world at zoom 0
BROWSER: Final = 640.0  # pixels that a web map is taken to be wide: what it shows has room here, too
STEPS_MOST: Final = 40
PAN_PART: Final = 8  # of what is seen is one step aside
NORTHERN: Final = degrees(atan(sinh(pi)))  # latitude at which the world is a square
WORLD: Final = (-57.0, 78.0)  # latitudes of a map of the world, which hardly anything lies beyond
AROUND_ONE: Final = 10.0  # degrees around a single marker
ROOM: Final = 1.3  # so much more than the markers take is seen
ZOOM_ALONE: Final = 3.0  # where a centre is given and no zoom
BORDERED: Final = 1.0 / 360  # of the world's width: a degree
EQUATOR_KM: Final = 40_075.0
PLACE_DIGITS: Final = 4
_SIGNS: Final = {"braille": ("●", "◉"), "blocks": ("■", "█"), "ascii": ("o", "O")}


class Sight(NamedTuple):
    """What a canvas shows: its centre, and how wide a cell is, both in parts of the world's width."""

    x: float
    y: float
    cell: float
    columns: int
    rows: int

    def columns_of(self, x: Values) -> Values:
        """Places in cells from the left edge."""
        return (x - self.x) / self.cell + self.columns / 2

    def rows_of(self, y: Values) -> Values:
        """Places in cells from the upper edge; a cell is taken to be twice as high as it is wide."""
        return (y - self.y) / (2 * self.cell) + self.rows / 2


def fits(content: Content) -> bool:
    """Whether the content is places on a map."""
    return isinstance(content, Markers)


def draw(content: Content, size: Size, style: DrawStyle) -> Frame:
    """The map, and below it, where there is room, how wide it is and how many markers it has."""
    frame = blank(size)
    if not isinstance(content, Markers) or size.width < 1 or size.height < 1:
        return frame
    sight = sight_of(content, size, style)
    canvas = Canvas(sight.columns, sight.rows, style.glyphs)
    # Where a cell holds few dots, borders are too many lines until they are near.
    bordered = style.glyphs == "braille" or sight.cell < BORDERED
    for outline, ink in ((borders(), AXIS), (coasts(), GAP_LABEL)) if bordered else ((coasts(), GAP_LABEL),):
        for turn in turns(sight):
            canvas.set(*_dots(outline, turn, sight, canvas), ink)
    canvas.put(frame)
    if sight.rows < size.height:
        write(frame, sight.rows, 0, _caption(content, sight, style), LABEL)
    return _marked(frame, content, sight, style)


def read_out(content: Content, size: Size, style: DrawStyle, column: int, row: int) -> str:
    """The marker in a cell, and how many there are; else the place in its middle."""
    if not isinstance(content, Markers) or size.width < 1 or size.height < 1:
        return ""
    sight = sight_of(content, size, style)
    if not (0 <= column < sight.columns and 0 <= row < sight.rows):
        return ""
    columns, rows, which = _cells(content, sight)
    here = which[(columns == column) & (rows == row)]
    if not len(here):
        lon, lat = place_of(
            sight.x + (column + 0.5 - sight.columns / 2) * sight.cell,
            sight.y + (row + 0.5 - sight.rows / 2) * 2 * sight.cell,
        )
        return f"{lat:.{PLACE_DIGITS}f}, {lon:.{PLACE_DIGITS}f}" if abs(lat) <= 90 else ""
    number = int(here[-1])
    words = [f"{content.lat[number]:.{PLACE_DIGITS}f}, {content.lon[number]:.{PLACE_DIGITS}f}"]
    if number < len(content.labels) and content.labels[number]:
        words.append(shown(content.labels[number], style.glyphs))
    if content.sizes is not None and number < len(content.sizes):
        words.append(f"size {content.sizes[number]:g}")
    if len(here) > 1:
        words.append(f"the last of {len(here):,} here")
    return "  ".join(words)


def projected(lon: Values, lat: Values) -> tuple[Values, Values]:
    """x from 0 at 180° west to 1 at 180° east, y from 0 to 1 from north to south; beyond ±85.05° the edge."""
    bounded = np.radians(np.clip(lat, -NORTHERN, NORTHERN))
    return (lon + 180.0) / 360.0, (1.0 - np.arcsinh(np.tan(bounded)) / pi) / 2.0


def place_of(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude, degrees."""
    steep = min(max(pi * (1 - 2 * y), -50.0), 50.0)
    return (x * 360.0) % 360.0 - 180.0, degrees(atan(sinh(steep)))


def sight_of(content: Markers, size: Size, style: DrawStyle) -> Sight:
    """What a panel of that size shows: as its sender wants it, else all markers, else the world; then as the user."""
    columns, rows = size.width, size.height - (size.height >= 4)
    top, bottom = (_y(lat) for lat in reversed(WORLD))
    widest = min(1.0 / columns, (bottom - top) / (2 * rows)) if columns * rows else 1.0
    lon, lat = _known(content)
    x, y, cell = 0.5, (top + bottom) / 2, widest
    if content.centre is not None or (content.zoom is not None and len(lon)):
        lon_0, lat_0 = content.centre if content.centre is not None else (float(lon.mean()), float(lat.mean()))
        x, y = (lon_0 + 180.0) / 360.0, _y(lat_0)
        zoom = ZOOM_ALONE if content.zoom is None else min(max(0.0, content.zoom), 30.0)
        cell = min(widest, BROWSER / TILE / 2.0**zoom / max(1, columns))
    elif len(lon):
        xs, ys = projected(lon, lat)
        west, wide = _extent(xs)
        # What needs half of the world is better seen on the usual map of it.
        x, y = (west + wide / 2) % 1.0 if wide < 0.5 else 0.5, float(ys.min() + ys.max()) / 2
        wide = wide if wide < 0.5 else 1.0
        wide = max(wide, AROUND_ONE / 360.0) * ROOM
        high = max(float(np.ptp(ys)), AROUND_ONE / 720.0) * ROOM
        whole = max(1.0 / columns, (bottom - top) / (2 * max(1, rows)))
        cell = min(whole, max(wide / columns, high / (2 * max(1, rows))))
    cell = min(max(cell, 1.0 / columns), cell / CLOSER ** min(max(-STEPS_MOST, style.zoom), STEPS_MOST))
    x += style.pan[0] * cell * columns / PAN_PART
    y += style.pan[1] * cell * 2 * rows / PAN_PART
    return Sight(x, min(max(0.0, y), 1.0), cell, columns, rows)


def turns(sight: Sight) -> range:
    """By how many worlds to the right each copy is drawn, so that there is one beyond 180°."""
    half = sight.cell * sight.columns / 2
    if half >= 0.5:  # it has room beside it
        return range(int(np.floor(sight.x)), int(np.floor(sight.x)) + 1)
    return range(int(np.floor(sight.x - half)), int(np.floor(sight.x + half)) + 1)


def _y(lat: float) -> float:
    return (1.0 - asinh(tan(radians(min(max(lat, -NORTHERN), NORTHERN)))) / pi) / 2.0


def _extent(x: Values) -> tuple[float, float]:
    """The western end of the shortest stretch that has all of these, and its length; it may go on beyond 180°."""
    ordered = np.unique(x)
    empty = np.diff(ordered, append=ordered[0] + 1.0)
    widest = int(empty.argmax())
    return float(ordered[(widest + 1) % len(ordered)]), 1.0 - float(empty[widest])


def _known(content: Markers) -> tuple[Values, Values]:
    """The places that are some, their longitudes from -180 to 180."""
    lon, lat = content.lon[:MARKERS_MOST], content.lat[:MARKERS_MOST]
    known = np.isfinite(lon) & np.isfinite(lat)
    return (lon[known] + 180.0) % 360.0 - 180.0, np.clip(lat[known], -90.0, 90.0)


def _cells(content: Markers, sight: Sight) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of each marker that is seen, and its number."""
    lon, lat = content.lon[:MARKERS_MOST], content.lat[:MARKERS_MOST]
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    x, y = projected((lon[known] + 180.0) % 360.0 - 180.0, lat[known])
    found = []
    for turn in turns(sight):
        columns, rows = np.floor(sight.columns_of(x + turn)), np.floor(sight.rows_of(y))
        seen = (columns >= 0) & (columns < sight.columns) & (rows >= 0) & (rows < sight.rows)
        found.append(np.stack((columns[seen].astype(np.int64), rows[seen].astype(np.int64), known[seen])))
    columns, rows, which = np.concatenate(found, axis=1)
    return columns, rows, which


def _dots(outline: Outline, turn: int, sight: Sight, canvas: Canvas) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the dots of an outline that are in sight."""
    x, y = projected(outline.lon, outline.lat)
    across = sight.columns_of(x + turn) * (canvas.columns / max(1, canvas.width))
    down = sight.rows_of(y) * (canvas.rows / max(1, canvas.height))
    begin, end = np.stack((across[:-1], down[:-1])), np.stack((across[1:], down[1:]))
    # A line that goes on at the other edge of the world is not drawn across it.
    joined = np.isfinite(begin + end).all(axis=0) & (np.abs(np.diff(outline.lon)) < 180.0)
    begin, end = clipped(begin[:, joined], end[:, joined], canvas.columns, canvas.rows)
    steps = np.ceil(np.abs(end - begin).max(axis=0, initial=0.0)).astype(np.int64) + 1
    first = np.repeat(np.cumsum(steps) - steps, steps)
    part = (np.arange(len(first)) - first) / np.repeat(np.maximum(steps - 1, 1), steps)
    places = np.repeat(begin, steps, axis=1) + np.repeat(end - begin, steps, axis=1) * part
    columns, rows = np.floor(places).astype(np.int64)
    return rows, columns


def clipped(begin: Values, end: Values, width: float, height: float) -> tuple[Values, Values]:
    """The parts of lines, float64[2, n] each, that lie in a rectangle at the origin; lines without any are left out.

    Source: Y.-D. Liang and B. A. Barsky, "A new concept and method for line clipping", ACM TOG 3 (1984).
    """
    step = end - begin
    low, high = np.zeros(begin.shape[1]), np.ones(begin.shape[1])
    for axis, most in ((0, width), (1, height)):
        still = step[axis] == 0
        divisor = np.where(still, 1.0, step[axis])
        at_0, at_most = (0.0 - begin[axis]) / divisor, (most - begin[axis]) / divisor
        inside = (begin[axis] >= 0) & (begin[axis] <= most)
        low = np.where(still, np.where(inside, low, 2.0), np.maximum(low, np.minimum(at_0, at_most)))
        high = np.where(still, high, np.minimum(high, np.maximum(at_0, at_most)))
    seen = low <= high
    return (begin + step * low)[:, seen], (begin + step * high)[:, seen]


def _caption(content: Markers, sight: Sight, style: DrawStyle) -> str:
    """Where the centre is, how wide the map is there, how many markers are on it and how many are not."""
    lon, lat = place_of(sight.x, sight.y)
    wide = min(1.0, sight.cell * sight.columns) * EQUATOR_KM * cos(radians(lat))
    distance = f"{wide:,.0f} km" if wide >= 10 else f"{wide * 1_000:,.{0 if wide > 0.01 else 3}f} m"
    seen, count = len(_cells(content, sight)[2]), min(len(content.lon), MARKERS_MOST)
    words = [f"{seen:,} of {count:,}" if seen < count else f"{count:,}"]
    words[0] += " marker" if count == 1 else " markers"
    words += [f"{distance} wide", f"centre {lat:.2f}, {lon:.2f}"]
    beyond = content.beyond + max(0, len(content.lon) - MARKERS_MOST)
    if beyond:
        words.insert(1, f"{beyond:,} more not shown")
    while len(words) > 1 and len("  ".join(words)) > sight.columns:
        words.pop()
    return cut(shown("  ".join(words), style.glyphs), sight.columns, style.glyphs)


def _marked(frame: Frame, content: Markers, sight: Sight, style: DrawStyle) -> Frame:
    """The frame with the markers: a dot, or in a cell of several how many; labels where there is room beside them."""
    columns, rows, which = _cells(content, sight)
    if not len(which):
        return frame
    one, many = (ord(sign) for sign in _SIGNS[style.glyphs])
    flat = rows * sight.columns + columns
    counts = np.bincount(flat, minlength=1)[flat]
    frame.chars[rows, columns] = np.where(counts > 9, many, np.where(counts > 1, counts + ord("0"), one))
    frame.ink[rows, columns] = which * 0
    for column, row, number in zip(columns.tolist(), rows.tolist(), which.tolist(), strict=True):
        if number < len(content.labels) and content.labels[number]:
            _label(frame, sight, row, column + 1, shown(content.labels[number][:LABEL_SHOWN], style.glyphs))
    if content.colours is None or not style.colours:
        return frame
    fore = np.full(frame.chars.shape, -1, np.int32)
    fore[rows, columns] = content.colours[:MARKERS_MOST][which]
    return Frame(frame.chars, frame.ink, fg=fore, bg=np.full(frame.chars.shape, -1, np.int32))


def _label(frame: Frame, sight: Sight, row: int, column: int, text: str) -> None:
    """Write a marker's label beside it, unless that would cover another marker or label."""
    cells = frame.ink[row, column : column + len(text) + 1]
    if column + len(text) < sight.columns and not ((cells == 0) | (cells == LABEL)).any():
        write(frame, row, column, f" {text}", LABEL)
