"""Stretches of bytes that tell apart the streams of messages that are alike else, found for many messages at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

NEW: Final = -1  # the number of a label that has none
_WORD: Final = 8  # bytes
_FACTOR: Final = 0x9E3779B97F4A7C15  # odd, 2^64 over the golden ratio: spreads codes of labels that differ little

Cells = NDArray[np.uint8]
Positions = NDArray[np.int64]


class Labels:
    """Numbers labels of `width` bytes from 0 on, in the order in which they were added."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._words = -(-width // _WORD)  # of a label
        weights = [pow(_FACTOR, power, 1 << 64) for power in range(self._words)]
        self._weights = np.array(weights, np.uint64).view(np.int64)
        self._known = np.empty((0, self._words), np.int64)
        self._codes = np.empty(0, np.int64)  # rising
        self._numbers = np.empty(0, np.int64)  # of the labels with these codes

    def __len__(self) -> int:
        return len(self._known)

    def add(self, label: Cells) -> bool:
        """Number uint8[width]; False where it has one, or would never be found, as another has the same code."""
        words = self._as_words(label[None])
        if (words @ self._weights)[0] in self._codes:
            return False
        self._known = np.vstack((self._known, words))
        codes = self._known @ self._weights
        self._numbers = np.argsort(codes, kind="stable")
        self._codes = codes[self._numbers]
        return True

    def find(self, labels: Cells) -> Positions:
        """The number of each of uint8[n, width], or NEW."""
        if not len(self._known):
            return np.full(len(labels), NEW, np.int64)
        words = self._as_words(labels)
        codes = words[:, 0] if self._words == 1 else words @ self._weights
        places = np.searchsorted(self._codes, codes)
        numbers = self._numbers[np.minimum(places, len(self._codes) - 1)]
        # Codes of long labels may be alike where these are not.
        alike = (self._known[numbers] == words) if self._words > 1 else (self._known[numbers, 0] == codes)
        if alike.all():
            return numbers
        return np.where(alike.all(axis=1) if self._words > 1 else alike, numbers, NEW)

    def _as_words(self, labels: Cells) -> NDArray[np.int64]:
        padded = np.zeros((len(labels), self._words * _WORD), np.uint8)
        padded[:, : self.width] = labels
        return padded.view(np.int64)
