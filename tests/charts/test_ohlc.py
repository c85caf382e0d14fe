from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuistream.charts.ohlc import DAY, MINUTE, SECOND, WIDTHS, candles_of, width_for


def by_polars(t: np.ndarray, v: np.ndarray, width: int) -> pl.DataFrame:
    frame = pl.DataFrame({"t": t, "v": v}).filter(pl.col("v").is_finite())
    return (
        frame.with_columns(pl.col("t").cast(pl.Datetime("ns")))
        .group_by_dynamic("t", every=timedelta(microseconds=width // 1_000), start_by="window")
        .agg(
            open=pl.col("v").first(),
            high=pl.col("v").max(),
            low=pl.col("v").min(),
            close=pl.col("v").last(),
            count=pl.len(),
        )
    )


@given(
    st.lists(st.integers(0, 4 * DAY), min_size=1, max_size=200),
    st.sampled_from(WIDTHS),
    st.integers(0, 2**32 - 1),
)
def test_candles_are_those_of_polars(times: list[int], width: int, seed: int) -> None:
    t = np.sort(np.array(times, np.int64)) + 1_795_172_400 * SECOND
    random = np.random.default_rng(seed)
    v = random.normal(100, 10, len(t))
    v[random.random(len(t)) < 0.1] = np.nan
    v[random.random(len(t)) < 0.05] = np.inf
    found, wanted = candles_of(t, v, width), by_polars(t, v, width)
    assert found.t.tolist() == wanted["t"].cast(pl.Int64).to_list()
    assert found.counts.tolist() == wanted["count"].to_list()
    for name in ("open", "high", "low", "close"):
        assert getattr(found, name).tolist() == wanted[name].to_list()


def test_nothing_gives_nothing() -> None:
    assert len(candles_of(np.empty(0, np.int64), np.empty(0), SECOND).t) == 0
    assert len(candles_of(np.arange(3), np.full(3, np.nan), SECOND).t) == 0
    with pytest.raises(ValueError):
        candles_of(np.arange(3), np.ones(3), 0)


def test_times_before_1970_are_in_the_candle_that_holds_them() -> None:
    found = candles_of(np.array([-1, 0, SECOND - 1]), np.array([1.0, 2.0, 3.0]), SECOND)
    assert found.t.tolist() == [-SECOND, 0]
    assert found.close.tolist() == [1.0, 3.0]


def test_a_candle_has_room() -> None:
    assert width_for(15 * MINUTE, 60) == 30 * SECOND
    assert width_for(1, 60) == SECOND
    assert width_for(10_000 * DAY, 60) == DAY
    for span in (MINUTE, 45 * MINUTE, 3 * 60 * MINUTE, 20 * DAY):
        assert width_for(span, 80) * 80 >= 2 * span
