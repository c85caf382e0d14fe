"""Maps: the projection, what is in sight, where markers stand."""

from __future__ import annotations

from math import degrees, log, pi, radians, sin, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuistream.charts.kinds import map as kind
from tuistream.charts.kinds.contract import CLOSER, MARKERS_MOST, DrawStyle, Markers, Size
from tuistream.charts.world import borders, coasts

RADIUS = 6_378_137.0  # metres, of the sphere of EPSG:3857
BARCELONA, LONDON, SYDNEY = (2.17403, 41.40338), (-0.1276, 51.5072), (151.2093, -33.8688)
places = st.tuples(st.floats(), st.floats())


def markers(*known: tuple[float, float], **more: object) -> Markers:
    lon, lat = (np.array(each, np.float64) for each in (zip(*known, strict=True) if known else ((), ())))
    return Markers(lon, lat, **more)  # type: ignore[arg-type]


def texts(content: Markers, size: Size, style: DrawStyle | None = None) -> list[str]:
    frame = kind.draw(content, size, style or DrawStyle())
    return [row.astype("<u2").tobytes().decode("utf-16-le") for row in frame.chars]


@pytest.mark.parametrize("place", [BARCELONA, LONDON, SYDNEY, (-179.9, 84.9), (179.9, -84.9)])
def test_the_projection_is_that_of_epsg_3857(place: tuple[float, float]) -> None:
    x, y = kind.projected(np.array([place[0]]), np.array([place[1]]))
    east, north = RADIUS * radians(place[0]), RADIUS * log(tan(pi / 4 + radians(place[1]) / 2))
    assert (float(x[0]) - 0.5) * 2 * pi * RADIUS == pytest.approx(east, abs=0.01)
    assert (0.5 - float(y[0])) * 2 * pi * RADIUS == pytest.approx(north, abs=0.01)
    assert kind.place_of(float(x[0]), float(y[0])) == pytest.approx(place)


@pytest.mark.parametrize("place", [BARCELONA, LONDON, SYDNEY])
def test_a_marker_stands_where_its_tile_is(place: tuple[float, float]) -> None:
    """As OpenStreetMap counts tiles: 2^zoom in each direction, of 256 pixels."""
    size, zoom, centre = Size(80, 25), 5, (place[0] - 2.0, place[1] + 1.0)

    def pixel(lon: float, lat: float) -> tuple[float, float]:
        slope = sin(radians(lat))
        whole = 256 * 2**zoom
        return (lon + 180) / 360 * whole, (0.5 - log((1 + slope) / (1 - slope)) / (4 * pi)) * whole

    (x, y), (x_0, y_0) = pixel(*place), pixel(*centre)
    pixels_a_cell = kind.BROWSER / size.width
    column = int((x - x_0) / pixels_a_cell + size.width / 2)
    row = int((y - y_0) / pixels_a_cell / 2 + (size.height - 1) / 2)
    content = markers(place, centre=centre, zoom=zoom)
    assert texts(content, size)[row][column] == "●"
    assert kind.read_out(content, size, DrawStyle(), column, row) == f"{place[1]:.4f}, {place[0]:.4f}"


def test_a_coast_is_drawn_where_it_is() -> None:
    content = markers(BARCELONA, centre=BARCELONA, zoom=6)
    at_sea = kind.sight_of(content, Size(100, 30), DrawStyle())
    rows = texts(content, Size(100, 30))
    dotted = [(y, x) for y, row in enumerate(rows[:-1]) for x, char in enumerate(row) if 0x2800 < ord(char) < 0x2900]
    assert dotted
    assert at_sea.columns == 100
    assert any(abs(y - 14) <= 3 and abs(x - 50) <= 6 for y, x in dotted)  # Barcelona lies at the sea


def test_markers_on_both_sides_of_the_date_line_are_seen_together() -> None:
    rows = texts(markers((179.0, -17.0), (-179.0, -18.0)), Size(80, 20))
    assert "".join(rows[:-1]).count("●") == 2
    assert "2 markers" in rows[-1]


@pytest.mark.parametrize("size", [Size(76, 9), Size(20, 30), Size(120, 40), Size(20, 5)])
def test_all_markers_are_in_sight(size: Size) -> None:
    rows = texts(markers(BARCELONA, SYDNEY, (-74.0, 40.7), (139.7, 35.7), (-46.6, -23.5)), size)
    assert "5 markers" in rows[-1]
    assert " of " not in rows[-1]


def test_several_in_a_cell_are_counted_and_those_beyond_are_said() -> None:
    content = markers(*[BARCELONA] * 5, SYDNEY, centre=BARCELONA, zoom=4.0, beyond=7)
    rows = texts(content, Size(80, 20))
    assert "5" in "".join(rows[:-1])
    assert "5 of 6 markers" in rows[-1]
    assert "7 more not shown" in rows[-1]
    many = markers(*[LONDON] * (MARKERS_MOST + 3))
    assert "3 more not shown" in texts(many, Size(80, 20))[-1]


def test_a_label_stands_beside_its_marker_and_is_only_text() -> None:
    content = markers(LONDON, SYDNEY, labels=("Lon\x1b[31mdon", "Sydney"))
    drawn = "\n".join(texts(content, Size(120, 30)))
    assert "● Sydney" in drawn
    assert "\x1b" not in drawn


def test_nearer_and_aside() -> None:
    content = markers(LONDON)
    home = kind.sight_of(content, Size(80, 20), DrawStyle())
    near = kind.sight_of(content, Size(80, 20), DrawStyle(zoom=2, pan=(1, 0)))
    assert near.cell == pytest.approx(home.cell / CLOSER**2)
    assert near.x == pytest.approx(home.x + near.cell * 80 / kind.PAN_PART)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(places, max_size=6),
    st.tuples(st.integers(0, 90), st.integers(0, 30)),
    st.sampled_from(("braille", "blocks", "ascii")),
    st.one_of(st.none(), st.floats(0, 30)),
    st.one_of(st.none(), st.tuples(st.floats(-360, 360), st.floats(-90, 90))),
    st.integers(-60, 60),
    st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
)
def test_any_map_is_drawn_at_any_size(
    known: list[tuple[float, float]],
    size: tuple[int, int],
    glyphs: str,
    zoom: float | None,
    centre: tuple[float, float] | None,
    steps: int,
    pan: tuple[int, int],
) -> None:
    content = markers(*known, zoom=zoom, centre=centre, colours=np.full(len(known), 0xFF8800, np.int32))
    style = DrawStyle(glyphs, zoom=steps, pan=pan)
    frame = kind.draw(content, Size(*size), style)
    assert frame.chars.shape == size[::-1]
    for column, row in ((0, 0), (size[0] // 2, size[1] // 2)):
        kind.read_out(content, Size(*size), style, column, row)


def test_the_world_is_whole() -> None:
    for outline, points in ((coasts(), 5_000), (borders(), 3_000)):
        assert len(outline.lon) == len(outline.lat) > points
        assert np.nanmax(np.abs(outline.lon)) <= 180
        assert np.nanmax(np.abs(outline.lat)) <= 90
    assert degrees(radians(float(np.nanmax(coasts().lat)))) == pytest.approx(83.65)  # the north of Greenland
