"""Moving averages, incremental: of `length` values, whatever came before them has no part in the result."""

from __future__ import annotations

from itertools import accumulate
from math import isfinite, nan
from typing import Final

import numpy as np

from tuistream.core.batch import Values

EMA_BLOCK: Final = 32
FEW: Final = 32  # values up to which a plain loop is faster than arrays
PASS: Final = 1 << 16  # values handled at a time, so that what is computed on the way stays in the processor's cache


class _Average:
    """What both have in common: values that are none are left out, long inputs are taken in passes."""

    def __init__(self, length: int) -> None:
        if length < 1:
            raise ValueError(f"an average of {length} values")
        self.length = length

    def extend(self, values: Values) -> Values:
        """The averages that belong to the next `values`, float64[n] each."""
        if len(values) <= FEW:
            return np.array([self._next(value) for value in values.tolist()], dtype=np.float64)
        out = np.full(len(values), np.nan)
        for start in range(0, len(values), PASS):
            part = values[start : start + PASS]
            known = np.isfinite(part)
            # An average of values too large to be added is no value either.
            with np.errstate(over="ignore", invalid="ignore"):
                if known.all():
                    out[start : start + PASS] = self._of_known(part)
                else:
                    out[start : start + PASS][known] = self._of_known(part[known])
        out[~np.isfinite(out)] = np.nan
        return out

    def _next(self, value: float) -> float:
        """The average that belongs to the next value; NaN where that is none."""
        average = self._of_next(value) if isfinite(value) else nan
        return average if isfinite(average) else nan

    def _of_known(self, values: Values) -> Values:
        raise NotImplementedError

    def _of_next(self, value: float) -> float:
        raise NotImplementedError


class Sma(_Average):
    """The simple moving average: the mean of the last `length` values; NaN before there are so many.

    Values are cut into blocks of `length`, as M. van Herk does for minima (Pattern Recognition Letters 13, 1992): a
    window is the end of one block and the beginning of the next, so its sum is a sum from the right plus one from
    the left. Nothing is ever subtracted, so nothing that has left the window stays as an error.
    """

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self._block = np.empty(self.length)  # the values of the block that is not full yet
        self._filled = 0
        self._sum = 0.0
        # Sums of the block before, from each place to its end; unknown before there is one, but for that of nothing.
        self._ends = np.append(np.full(self.length, np.nan), 0.0)

    def _of_known(self, values: Values) -> Values:
        out = np.empty(len(values))
        head = min(len(values), (self.length - self._filled) % self.length)
        blocks = (len(values) - head) // self.length
        tail = head + blocks * self.length
        self._partial(values[:head], out[:head])
        if blocks:
            self._whole(values[head:tail], out[head:tail])
        self._partial(values[tail:], out[tail:])
        return out

    def _partial(self, values: Values, out: Values) -> None:
        """Values that at most fill the block."""
        count = len(values)
        if not count:
            return
        begin, end = self._filled, self._filled + count
        self._block[begin:end] = values
        sums = np.cumsum(np.concatenate(([self._sum], values)))[1:]
        out[:] = (self._ends[begin + 1 : end + 1] + sums) / self.length
        self._sum, self._filled = float(sums[-1]), end
        if end == self.length:
            self._end_block()

    def _of_next(self, value: float) -> float:
        filled = self._filled
        self._block[filled] = value
        self._sum += value
        self._filled = filled + 1
        average: float = (self._ends.item(filled + 1) + self._sum) / self.length
        if self._filled == self.length:
            self._end_block()
        return average

    def _end_block(self) -> None:
        if self.length <= FEW:
            sums = [*accumulate(reversed(self._block.tolist()), initial=0.0)]
            self._ends = np.array(sums[::-1])
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                self._ends = _sums_to_end(self._block[None, :])[0]
        self._sum, self._filled = 0.0, 0

    def _whole(self, values: Values, out: Values) -> None:
        """Values that are whole blocks, at the beginning of one."""
        blocks = values.reshape(-1, self.length)
        # numpy adds fast along rows that are long: many short blocks are laid on their side.
        if len(blocks) > self.length:
            blocks = np.asfortranarray(blocks)
        ends = _sums_to_end(blocks)
        sums = np.cumsum(blocks, axis=1)
        sums[0] += self._ends[1:]
        sums[1:] += ends[:-1, 1:]
        np.divide(sums, self.length, out=out.reshape(blocks.shape))
        self._ends = ends[-1].copy()


def _sums_to_end(blocks: Values) -> Values:
    """Sums from each place of each block to its end, and a 0 after them: float64[k, n] -> float64[k, n + 1]."""
    sums = np.zeros((blocks.shape[0], blocks.shape[1] + 1), order="F" if blocks.flags.f_contiguous else "C")
    np.cumsum(blocks[:, ::-1], axis=1, out=sums[:, -2::-1])
    return sums


class Ema(_Average):
    """The exponential moving average: each value moves it by 2 / (length + 1) of the way; it begins at the first one.

    The same as pandas' `ewm(span=length, adjust=False).mean()`. Computed block by block as a product with the powers
    of 1 - alpha, none of which is ever divided by.
    """

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._alpha = alpha = 2 / (length + 1)
        powers = (1 - alpha) ** np.arange(EMA_BLOCK + 1)
        age = np.arange(EMA_BLOCK)[None, :] - np.arange(EMA_BLOCK)[:, None]
        # weights[i, j]: how much value i of a block counts in the average after value j.
        self._weights = np.where(age >= 0, alpha * powers[np.maximum(age, 0)], 0.0)
        self._decay = powers[1:]
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self._last: float | None = None

    def _of_next(self, value: float) -> float:
        last = value if self._last is None else self._last
        self._last = last * (1 - self._alpha) + value * self._alpha
        return self._last

    def _of_known(self, values: Values) -> Values:
        if self._last is None:
            self._last = float(values[0])
        whole = len(values) // EMA_BLOCK * EMA_BLOCK
        out = np.empty(len(values))
        if whole:
            self._blocks(values[:whole].reshape(-1, EMA_BLOCK), out[:whole].reshape(-1, EMA_BLOCK))
        rest = len(values) - whole
        if rest:
            self._blocks(values[None, whole:], out[None, whole:])
        return out

    def _blocks(self, blocks: Values, out: Values) -> None:
        size = blocks.shape[1]
        np.matmul(blocks, self._weights[:size, :size], out=out)
        last = float("nan") if self._last is None else self._last
        before = np.empty(len(blocks))
        decay = float(self._decay[size - 1])
        for index, end in enumerate(out[:, -1].tolist()):
            before[index] = last
            last = last * decay + end
        out += before[:, None] * self._decay[:size]
        self._last = last


def sma(values: Values, length: int) -> Values:
    """The simple moving average of all of `values`, float64[n]; see Sma."""
    return Sma(length).extend(values)


def ema(values: Values, length: int) -> Values:
    """The exponential moving average of all of `values`, float64[n]; see Ema."""
    return Ema(length).extend(values)
