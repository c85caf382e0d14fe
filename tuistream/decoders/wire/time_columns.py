"""Event times of many ticks at once, to the same ns as `to_ns` gives one by one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tuistream.core.batch import Times, Values
from tuistream.decoders.wire.timestamps import AHEAD, EARLIEST, to_ns

# In this range (2004 to 2106, in s) doubles lie 2^-22 or 2^-21 apart: less than a µs, more than 0.1 µs.
_LEAST, _BEYOND = float(1 << 30), float(1 << 32)
_MS, _BEYOND_MS = 10**11, 10**14


def from_floats(values: Values, recv: int) -> Times | None:
    """ns since 1970 UTC of s, ms, µs or ns as floats, None if one of them cannot be. values: float64[n].

    A float means the shortest decimal that gives it, as `repr` writes it. Of 2^30 to 2^32 s this has seven decimals
    at most, for these lie closer than doubles do; and where six give the float, no other six and no fewer do.
    """
    if not bool(((values >= _LEAST) & (values < _BEYOND)).all()):
        return _each(values.tolist(), recv)
    whole = np.floor(values)
    fraction = values - whole  # exact, and so are its products: 22 bits times 17 (10^7 is 5^7 times a power of two)
    micros = np.rint(fraction * 1e6)
    tenths = fraction * 1e7
    sevenths = np.rint(tenths)
    six_do = (whole * 1e6 + micros) / 1e6 == values  # below 2^53, so that the quotient is the nearest double
    if bool((~six_do & (np.abs(tenths - sevenths) == 0.5)).any()):
        return _each(values.tolist(), recv)
    below = np.where(six_do, micros * 1e3, sevenths * 1e2)
    return _possible(whole.astype(np.int64) * 10**9 + below.astype(np.int64), recv)


def from_integers(values: Times, recv: int) -> Times | None:
    """ns since 1970 UTC of s, ms, µs or ns as integers, None if one of them cannot be. values: int64[n]."""
    if bool(((values >= _MS) & (values < _BEYOND_MS)).all()):
        return _possible(values * 10**6, recv)
    return _each(values.tolist(), recv)


def from_texts(values: list[str], recv: int) -> Times | None:
    """ns since 1970 UTC of times as strings, None if one of them cannot be."""
    return _each(values, recv)


def _each(values: Iterable[object], recv: int) -> Times | None:
    times = [to_ns(value, recv) for value in values]
    return None if None in times else np.array(times, dtype=np.int64)


def _possible(t: Times, recv: int) -> Times | None:
    return t if int(t.min()) >= EARLIEST and int(t.max()) <= recv + AHEAD else None
