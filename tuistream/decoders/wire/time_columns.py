"""Event times of many ticks at once, to the same ns as `to_ns` gives one by one."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

import numpy as np

from tuistream.core.batch import Times, Values
from tuistream.decoders.wire.timestamps import AHEAD, EARLIEST, to_ns

# In this range (2004 to 2106, in s) doubles lie 2^-22 or 2^-21 apart: less than a µs, more than 0.1 µs.
_LEAST, _BEYOND = float(1 << 30), float(1 << 32)
# As integers: below so many, and ns of one.
_FACTORS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
_MOST_DIGITS = 18  # that int64 surely holds
_MANY_LENGTHS = 12
EXACT_DECIMALS = 6  # of seconds
_ISO = "0000-00-00T00:00:00Z"
_ZERO = ord("0")
_CLOCK = np.array([[11, 12], [14, 15], [17, 18]])
_CLOCK_TENS = np.array([10, 1])
_CLOCK_NS = np.array([3_600 * 10**9, 60 * 10**9, 10**9])


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


def from_decimals(values: Times, decimals: int, recv: int) -> Times | None:
    """ns since 1970 UTC of seconds that were written with so many decimals, `EXACT_DECIMALS` at most, which here are
    taken for integers; None if one is not of 2^30 to 2^32 s, and so perhaps of another unit, or cannot be.

    The float that is the nearest to such a decimal has none that is shorter: `from_floats` gives the same.
    """
    factor = 10 ** (9 - decimals)
    least, most = int(np.minimum.reduce(values)) * factor, int(np.maximum.reduce(values)) * factor
    if least < max(EARLIEST, 10**9 << 30) or most > min(recv + AHEAD, (10**9 << 32) - 1):
        return None
    t: Times = values * factor
    return t


def from_integers(values: Times, recv: int) -> Times | None:
    """ns since 1970 UTC of s, ms, µs or ns as integers, None if one of them cannot be. values: int64[n]."""
    least, most = int(values.min()), int(values.max())
    factor = next((factor for below, factor in _FACTORS if most < below), 0)
    if not least or most // least > 1:  # perhaps not of one unit
        return _each(values.tolist(), recv)
    return values * factor if least * factor >= EARLIEST and most * factor <= recv + AHEAD else None


def from_texts(values: list[str], recv: int) -> Times | None:
    """ns since 1970 UTC of times as strings, None if one of them cannot be."""
    lengths = set(map(len, values))
    text = "".join(values)
    if text.isascii() and min(lengths) > 0:
        if text.isdigit() and max(lengths) <= _MOST_DIGITS:
            return from_integers(np.fromiter(map(int, values), np.int64, len(values)), recv)
        if len(lengths) == 1:
            t = _from_iso(values, text, recv)
            return _each(values, recv) if t is None else t
        if len(lengths) <= _MANY_LENGTHS:
            return _by_length(values, recv)
    return _each(values, recv)


def _by_length(values: list[str], recv: int) -> Times | None:
    """Of texts whose fractions have not all as many digits."""
    t = np.empty(len(values), dtype=np.int64)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    for length in set(lengths.tolist()):
        at = np.flatnonzero(lengths == length)
        some = from_texts([values[i] for i in at.tolist()], recv)
        if some is None:
            return None
        t[at] = some
    return t


def _from_iso(values: list[str], text: str, recv: int) -> Times | None:
    """Of `2026-11-20T10:00:00.123456Z`, all of one length, with any fraction to 9 digits or none; None if not so.

    text: all of them, one after another.
    """
    length = len(values[0])
    places = length - len(_ISO) - 1
    if length != len(_ISO) and not 1 <= places <= 9:
        return None
    shape = (_ISO[:-1] + "." + "0" * places + "Z").encode() if length != len(_ISO) else _ISO.encode()
    pattern = np.frombuffer(shape, dtype=np.uint8)
    digits = pattern == _ZERO
    chars = np.frombuffer(text.encode(), dtype=np.uint8).reshape(-1, length)
    numbers = chars - _ZERO  # what is below "0" wraps round
    if not (chars[:, ~digits] == pattern[~digits]).all() or (numbers[:, digits] > 9).any():
        return None
    clock = numbers[:, _CLOCK].astype(np.int64) @ _CLOCK_TENS
    if bool((clock[:, 0] > 23).any() or (clock[:, 1] > 59).any() or (clock[:, 2] > 60).any()):
        return None
    days = _days(values, recv)
    if days is None:
        return None
    t = days + clock @ _CLOCK_NS
    if length != len(_ISO):
        t += numbers[:, len(_ISO) : -1].astype(np.int64) @ (10 ** np.arange(8, 8 - places, -1, dtype=np.int64))
    return _possible(t, recv)


def _days(values: list[str], recv: int) -> Times | None:
    """The beginnings of their days, ns since 1970 UTC. Those on which `to_ns` must decide are left to it."""
    dates = list(map(itemgetter(slice(10)), values))
    days = {each: to_ns(each, recv) for each in dict.fromkeys(dates[:1] if len(set(dates)) == 1 else dates)}
    known = {each: day for each, day in days.items() if day is not None}
    if len(known) < len(days):
        return None
    if len(known) == 1:
        return np.full(len(values), next(iter(known.values())), dtype=np.int64)
    return np.fromiter(map(known.__getitem__, dates), np.int64, len(values))


def _each(values: Iterable[object], recv: int) -> Times | None:
    times = [to_ns(value, recv) for value in values]
    return None if None in times else np.array(times, dtype=np.int64)


def _possible(t: Times, recv: int) -> Times | None:
    return t if int(t.min()) >= EARLIEST and int(t.max()) <= recv + AHEAD else None
