"""The smallest and the largest of what is finite."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tuistream.core.batch import Values


def extremes(columns: Iterable[Values], *, log: bool = False, zero: bool = False) -> tuple[float, float]:
    """Of all finite values in arrays; inf and -inf where there are none.

    log: only of those above zero. zero: as if zero were among them, where it is not log.
    """
    lo, hi = np.inf, -np.inf
    for each in columns:
        known = each[np.isfinite(each)]
        known = known[known > 0] if log else known
        if len(known):
            lo, hi = min(lo, float(known.min())), max(hi, float(known.max()))
    return (min(lo, 0.0), max(hi, 0.0)) if zero and not log and lo <= hi else (lo, hi)
