"""A decoder that looks at the first frames of a feed, and may leave all others to another decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from tuistream.decoders.wire.report import StreamReport, reports

if TYPE_CHECKING:
    from tuistream.decoders.contract import Decoder
    from tuistream.decoders.wire.rows import Rows

STALE_AFTER: Final = 10.0  # seconds, of a feed of which nothing is known


class HandingOver:
    """What such a decoder answers until then, and what `_successor` answers after. `_rows`: of its own ticks."""

    name: ClassVar[str]
    _rows: Rows
    _successor: Decoder | None = None

    @property
    def chosen(self) -> str:
        """The name of the decoder that serves."""
        return self._successor.chosen if self._successor else self.name

    @property
    def stale_after(self) -> float:
        return self._successor.stale_after if self._successor else STALE_AFTER

    def opened(self) -> None:
        if self._successor:
            self._successor.opened()

    def heartbeat(self) -> tuple[float, str] | None:
        return self._successor.heartbeat() if self._successor else None

    def describe(self) -> list[StreamReport]:
        """What was found so far, a report for each stream."""
        return [*reports(self._rows), *(self._successor.describe() if self._successor else ())]
