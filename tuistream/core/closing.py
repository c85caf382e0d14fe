"""What is to be closed, as a context manager."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """A `with` block of it ends with `close`."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
