"""A function's last result, kept for as long as it is asked the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The result of a pure function for the arguments that it had last."""

    def __init__(self) -> None:
        self._arguments: tuple[object, ...] | None = None
        self._result: T

    def of(self, function: Callable[..., T], *arguments: object) -> T:
        """function(*arguments), computed only if the arguments are others than the last time."""
        if arguments != self._arguments:
            self._result = function(*arguments)
            self._arguments = arguments
        return self._result
