"""How much is kept in memory where nobody says otherwise."""

from __future__ import annotations

from typing import Final

WINDOW: Final = 100_000  # ticks of a stream
MEMORY: Final = 512 << 20  # bytes of all series
