"""Makes coasts.npy and borders.npy out of countries-110m.json, a file of npm's package world-atlas 2.0.2.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m tuistream.charts.world.make package/countries-110m.json

That file is Natural Earth's 1:110m countries as TopoJSON: lines ("arcs") that countries share, as steps between whole
numbers. A line of one country alone is a coast, one of two a border.
Format: https://github.com/topojson/topojson-specification.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tuistream.charts.world import BREAK, PARTS


def rings(arcs: Any) -> Iterator[int]:
    """The numbers of the arcs of a geometry, ~n for those that run backwards."""
    for each in arcs:
        if isinstance(each, int):
            yield each
        else:
            yield from rings(each)


def main(path: str) -> None:
    """Write both files beside this one."""
    topology = json.loads(Path(path).read_text("utf-8"))
    scale, start = topology["transform"]["scale"], topology["transform"]["translate"]
    uses = Counter(
        arc if arc >= 0 else ~arc
        for country in topology["objects"]["countries"]["geometries"]
        for arc in rings(country.get("arcs", ()))
    )
    lines: dict[bool, list[Any]] = {True: [], False: []}
    for number, arc in enumerate(topology["arcs"]):
        places = np.cumsum(np.array(arc, np.int64), axis=0) * scale + start
        lines[uses[number] > 1] += [np.rint(places * PARTS).astype(np.int16), [[BREAK, BREAK]]]
    for shared, name in ((False, "coasts"), (True, "borders")):
        np.save(Path(__file__).with_name(f"{name}.npy"), np.concatenate(lines[shared]).astype("<i2"))


if __name__ == "__main__":
    main(sys.argv[1])
