"""Columns of times, in every spelling, as ns since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tuistream.core.batch import Times
from tuistream.core.errors import SettingsError
from tuistream.decoders.wire.timestamps import to_ns
from tuistream.imports.contract import FAR, Wishes

Column = Sequence[Any] | NDArray[Any]  # cells: text, Python numbers, None; or an array of one type

BAD: Final = -1 << 63  # stands for a time that cannot be
NOON = 43_200 * 10**9
HOUR = 3_600 * 10**9
SCALES: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_OFFSET = re.compile(r":\d\d(?:[.,]\d+)?\s?(?:[Zz]|UTC|GMT|[+-]\d\d:?(?:\d\d)?)(?: UTC)?(?: m=.*)?$", re.ASCII)
_WRITTEN = re.compile(r"\d[-/:T]\d|\d\.\d+\.\d")  # no number
_DECIMAL = re.compile(r"([+-]?)(\d{1,19})(?:\.(\d*))?", re.ASCII)
_EXACT = len("2026-11-21T15:16:17.123456789Z")


class TimeColumn:
    """Turns the cells of a time column into int64 ns, with `BAD` for what is no time."""

    def __init__(self, wishes: Wishes) -> None:
        """Raises SettingsError for a zone or a unit that there is not."""
        if wishes.unit and wishes.unit not in SCALES:
            raise SettingsError(f"--unit {wishes.unit!r}: one of {', '.join(SCALES)} is wanted")
        self._scale = SCALES.get(wishes.unit, 0)
        self._day = wishes.day
        self._recv = FAR if wishes.day is None else wishes.day + NOON  # a clock time is of the day nearest to it
        self._zone = _zone(wishes.zone) if wishes.zone else None

    def read(self, cells: Column) -> Times:
        if isinstance(cells, np.ndarray):
            if cells.dtype == np.int64 and not self._scale:
                cells = cells.tolist()
            elif cells.dtype.kind == "M":
                return _of_timestamps(cells)
        if self._scale:
            return self._counted(cells)
        if len(cells) and self._zone is None and (exact := read_exact(cells)) is not None:
            return exact
        return np.array([self._one(cell) for cell in cells], dtype=np.int64)

    def _one(self, cell: object) -> int:
        if isinstance(cell, np.generic):
            cell = cell.item()
        t = to_ns(cell, self._recv)
        if t is None:
            return BAD
        if self._zone is None or not isinstance(cell, str) or not _WRITTEN.search(cell) or _OFFSET.search(cell):
            return t
        return t - self._offset(t)

    def _counted(self, cells: Column) -> Times:
        """Numbers in the unit that the user named, from 1970 or from the midnight of the day."""
        begin = 0
        if self._day is not None:
            begin = self._day - (self._offset(self._day) if self._zone is not None else 0)
        found = np.array([self._scaled(cell) for cell in cells], dtype=np.int64)
        return np.where(found == BAD, BAD, found + begin)

    def _scaled(self, cell: object) -> int:
        match = _DECIMAL.fullmatch(str(cell).strip())
        if match is None:
            return BAD
        sign, whole, fraction = match.groups()
        digits = len(str(self._scale)) - 1
        ns = int(whole) * self._scale + int((fraction or "")[:digits].ljust(digits, "0") or 0)
        return (-ns if sign == "-" else ns) if ns < FAR // 2 else BAD

    def _offset(self, local: int) -> int:
        """What the zone is ahead of UTC, ns, at a time on its own clocks. Of a time that comes twice, the first."""
        assert self._zone is not None
        moment = datetime.fromtimestamp(local // 10**9, UTC).replace(tzinfo=self._zone)
        return (moment.utcoffset() or timedelta()) // timedelta(microseconds=1) * 1_000


def read_exact(cells: Column) -> Times | None:
    """Times that are all written as `write_times` writes them, in bulk; None where one is not."""
    if any(type(cell) is not str or len(cell) != _EXACT or cell[-1] != "Z" or cell[10] != "T" for cell in cells):
        return None
    if not all("1970" <= cell[:4] < "2262" for cell in cells):  # numpy wraps round what int64 ns cannot hold
        return None
    try:
        return np.array([cell[:-1] for cell in cells], dtype="datetime64[ns]").astype(np.int64)
    except ValueError:
        return None


def _of_timestamps(cells: NDArray[Any]) -> Times:
    times: Times = cells.astype("datetime64[ns]").astype(np.int64)  # "not a time" is BAD
    return times


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"--zone {name!r}: no such time zone; a name such as America/New_York is wanted"
        ) from error
