"""Which fields share a panel."""

from __future__ import annotations

import numpy as np
import pytest

from tuistream.core.series import Series
from tuistream.ui.fields import drawn_together, switchable


def series(**columns: float) -> Series:
    made = Series(tuple(columns), 100)
    n = np.arange(20)
    values = np.stack([value + value / 1_000 * np.sin(n + value) for value in columns.values()], axis=1)
    made.extend(n.astype(np.int64), values)
    return made


@pytest.mark.parametrize(
    ("columns", "main", "together"),
    [
        ({"price": 100.0, "qty": 101.0, "side": 1.0}, "price", ("price",)),
        ({"bid": 100.0, "bid_qty": 100.0, "ask": 101.0, "ask_qty": 99.0}, "bid", ("bid", "ask")),
        ({"last": 100.0, "bid": 99.0, "ask": 101.0, "volume": 100.0}, "last", ("last", "bid", "ask")),
        (
            {"open": 99.0, "high": 102.0, "low": 98.0, "close": 100.0, "volume": 100.0},
            "close",
            ("close", "open", "high", "low"),
        ),
        ({"temp": 71.0, "flow": 65.0, "pressure": 2.0}, "temp", ("temp", "flow")),
        ({"x": 1.0, "y": -1.0}, "x", ("x",)),
        ({"qty": 5.0, "other": 5.0}, "qty", ("qty",)),
        ({"p1.temp": 70.0, "p2.temp": 80.0}, "p1.temp", ("p1.temp", "p2.temp")),
    ],
)
def test_fields_drawn_together(columns: dict[str, float], main: str, together: tuple[str, ...]) -> None:
    assert drawn_together(series(**columns), main) == together


def test_a_field_without_a_value_is_not_drawn_beside_the_main_one() -> None:
    made = series(a=5.0, b=5.5)
    made.add_fields(("a", "b", "c"))
    assert drawn_together(made, "a") == ("a", "b")


def test_every_field_can_be_switched_to() -> None:
    made = series(price=100.0, qty=2.0, side=1.0)
    assert switchable(made, "price") == (("price",), ("qty",), ("side",))
    quotes = series(bid=100.0, ask=101.0)
    assert switchable(quotes, "bid") == (("bid", "ask"), ("bid",), ("ask",))
