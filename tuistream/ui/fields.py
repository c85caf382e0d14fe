"""Which fields of a stream its panel draws together."""

from __future__ import annotations

import numpy as np

from tuistream.core.series import Series

LINES_AT_MOST = 4
SAMPLE = 1_000  # the newest ticks that are looked at
# Names, whole or as a word in them, of what is no price and is not drawn beside one.
_OTHER_QUANTITIES = frozenset(
    ("qty", "quantity", "size", "side", "volume", "vol", "amount", "count", "trades", "n", "flags")
) | frozenset(("sequence", "seq", "id", "change", "percent", "pct", "ratio", "time", "timestamp", "ts"))
_PRICES = frozenset(("price", "last", "close", "open", "high", "low", "mid", "bid", "ask", "vwap", "mark", "index"))


def has_price(fields: tuple[str, ...]) -> bool:
    return any(_words(name) & _PRICES for name in fields)


def drawn_together(series: Series, main: str) -> tuple[str, ...]:
    """`main` and the fields that share its scale: bid and ask, and those of like magnitude beside no price.

    Fields are of like magnitude where the middles of their newest values are within a factor of two and their
    spreads within a hundred.
    """
    fields = series.fields
    if main in ("bid", "ask") or (has_price((main,)) and {"bid", "ask"} <= set(fields)):
        beside = [name for name in ("bid", "ask") if name in fields and name != main]
        return (main, *beside)
    if _is_other(main):
        return (main,)
    chosen = [main]
    priced = has_price((main,))
    for name in fields:
        if name == main or _is_other(name) or (priced and not has_price((name,))):
            continue
        if len(chosen) < LINES_AT_MOST and _alike(_newest(series, main), _newest(series, name)):
            chosen.append(name)
    return tuple(chosen)


def switchable(series: Series, main: str, axis: str = "", grouped: bool = False) -> tuple[tuple[str, ...], ...]:
    """What the panel can be switched through: those drawn together first, then each field alone.

    axis: the field that the others are drawn against, if any. grouped: its sender made one chart of them, so that all
    are drawn together, a few at a time.
    """
    names = (main, *(name for name in series.fields if name not in (main, axis)))
    alone = [(name,) for name in names]
    if grouped:
        together = [names[at : at + LINES_AT_MOST] for at in range(0, len(names), LINES_AT_MOST)]
    else:
        together = [tuple(name for name in drawn_together(series, main) if name != axis) or (main,)]
    return (*together, *(one for one in alone if one not in together))


def _words(name: str) -> set[str]:
    last = name.rpartition(".")[2]
    return set(last.lower().replace("-", "_").split("_"))


def _is_other(name: str) -> bool:
    return bool(_words(name) & _OTHER_QUANTITIES)


def _newest(series: Series, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = series.column(name)[-SAMPLE:]
    return values[np.isfinite(values)]


def _alike(
    one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> bool:
    if not len(one) or not len(other):
        return False
    a, b = float(np.median(one)), float(np.median(other))
    if a == b == 0:
        return True
    if a * b <= 0 or not 0.5 <= a / b <= 2:
        return False
    spread, spread_other = float(np.ptp(one)), float(np.ptp(other))
    return spread_other <= 100 * spread + abs(a) * 1e-9 and spread <= 100 * spread_other + abs(a) * 1e-9
