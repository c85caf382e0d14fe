"""All values of one message and of the objects around it, as far as they may play a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.shapes import MAX_DEPTH, Object, is_list_row, is_short_list
from tuistream.decoders.wire.numbers import is_number

MAX_LEAVES = 512  # values of one message that are looked at
MAX_CONTAINERS = 64  # objects of one message that are looked at
MAX_ROW_LISTS = 16
MAX_KEY = 200  # characters of a key in a path

Path = tuple[int, str, int]  # container, key, and the position in a list or -1


class Container(msgspec.Struct, frozen=True):
    """An object in a message. path: from the message's top; prefix: of the names of its fields."""

    path: str
    prefix: str
    depth: int
    envelope: bool  # it and all above it only wrap the data
    listed: bool = False  # a row that was a list: its keys say nothing


class Leaf(msgspec.Struct, frozen=True):
    """A value that is neither object nor list, as it stood in the message that the plan was made from."""

    at: Path
    key: str
    name: str
    path: str
    value: Any
    own: bool  # not an enclosing object's
    order: int  # of its container, by how close it is to the data
    listed: bool


class Survey:
    """The containers of a message, the lists in it whose elements are messages too, and the leaves.

    leaves: its own values first, those in the containers nearest to the data before others; then the enclosing
    ones', the nearest first.
    """

    def __init__(
        self, objects: Sequence[Object], enclosing: Sequence[Container], path: str = "", listed: bool = False
    ) -> None:
        """objects: the enclosing ones, as `enclosing` describes them, and the message. path: its list's, a prefix."""
        self.base = len(enclosing)
        self.containers = [*enclosing, Container(path, "", 0, envelope=True, listed=listed)]
        self.objects = list(objects)
        self.opens: list[tuple[int, str]] = []
        self.lists: list[tuple[int, str, str]] = []  # container, key, path as a prefix
        self.raw: list[tuple[Path, str, Any]] = []
        self._walk()
        self.leaves = self._ordered()

    def _walk(self) -> None:
        at = self.base
        while at < len(self.objects):
            for key, value in self.objects[at].items():
                if len(self.raw) >= MAX_LEAVES:
                    return
                if type(value) is dict:
                    self._open(at, key, value)
                elif type(value) is list:
                    self._look_into(at, key, value)
                else:
                    self.raw.append(((at, key, -1), key, value))
            at += 1

    def _open(self, at: int, key: str, value: Object) -> None:
        outer = self.containers[at]
        if outer.depth >= MAX_DEPTH or len(self.containers) - self.base >= MAX_CONTAINERS:
            return
        wraps = key in words.ENVELOPES
        prefix = outer.prefix if wraps else f"{outer.prefix}{key[:MAX_KEY]}."
        self.containers.append(
            Container(f"{outer.path}{key[:MAX_KEY]}.", prefix, outer.depth + 1, outer.envelope and wraps)
        )
        self.objects.append(value)
        self.opens.append((at, key))

    def _look_into(self, at: int, key: str, values: list[Any]) -> None:
        if not values or key in words.BOOK_SIDES:
            return
        if type(values[0]) is dict or is_list_row(values[0]):
            if len(self.lists) < MAX_ROW_LISTS:
                self.lists.append((at, key, f"{self.containers[at].path}{key[:MAX_KEY]}."))
        elif is_short_list(values) and any(map(is_number, values)):
            self.raw.extend(((at, key, position), key, value) for position, value in enumerate(values))

    def _ordered(self) -> list[Leaf]:
        """Own values first, from the containers nearest to the data; then the enclosing ones', the nearest first."""
        holds = {at for (at, _, _), key, value in self.raw if is_number(value) and not is_of_the_message(key)}
        own = sorted(range(self.base, len(self.containers)), key=lambda at: self._distance(at, holds))
        order = {at: rank for rank, at in enumerate([*own, *reversed(range(self.base))])}
        raw = list(self.raw)
        for at in range(self.base):
            scalars = ((key, value) for key, value in self.objects[at].items() if type(value) not in (dict, list))
            raw.extend(((at, key, -1), key, value) for key, value in list(scalars)[:MAX_LEAVES])
        return sorted((self._leaf(path, key, value, order) for path, key, value in raw), key=lambda leaf: leaf.order)

    def _distance(self, at: int, holds: set[int]) -> tuple[bool, int]:
        container = self.containers[at]
        return at not in holds, -container.depth if container.envelope else 100 + container.depth

    def _leaf(self, at: Path, key: str, value: Any, order: dict[int, int]) -> Leaf:
        index, _, position = at
        container = self.containers[index]
        full = key[:MAX_KEY] if position < 0 else f"{key[:MAX_KEY]}.{position}"
        own = index >= self.base
        return Leaf(
            at, key, container.prefix + full, container.path + full, value, own, order[index], container.listed
        )


def is_of_the_message(key: str) -> bool:
    """Whether a number under `key` is the message's own (a time, an id, a version) and no value."""
    return key in words.TIMES or key in words.OF_THE_MESSAGE or words.LIKE_AN_ID.search(key) is not None
