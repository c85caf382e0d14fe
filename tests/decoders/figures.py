"""The two real Plotly figures."""

from __future__ import annotations

import gzip
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "socketio"


def figure_text(version: int) -> bytes:
    """The JSON text of the figure that Plotly 5, or 7, gave."""
    return gzip.decompress((FOLDER / f"real-time-plot.plotly{version}.json.gz").read_bytes())
