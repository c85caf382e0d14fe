"""What reads a file of ticks: parts in order, each some batches; and what of it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from tuistream.core.batch import Batch
from tuistream.core.errors import SettingsError
from tuistream.core.status import Event
from tuistream.core.text import printable

PART_ROWS = 20_000
FAR = (1 << 63) - 1 - 86_400 * 10**9  # ns: no time of a file is too late to be one


class Wishes(msgspec.Struct, frozen=True):
    """What the user said of the files; empty where nothing was said.

    time, stream, id: names of columns. fields: of the values. columns: names of all columns, where the file has none.
    unit: of times that are numbers, "s", "ms", "us" or "ns". day: ns since 1970 of the UTC midnight of the date from
    whose midnight times count. zone: IANA name, of times without an offset. feed: instead of the file's name.
    decoder: of captured frames. table: of an SQLite file.
    """

    time: str = ""
    stream: str = ""
    id: str = ""
    fields: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    unit: str = ""
    day: int | None = None
    zone: str = ""
    feed: str = ""
    decoder: str = ""
    table: str = ""

    def refuse_all_but(self, path: Path, what: str, *names: str) -> None:
        """Raise SettingsError where something was said that means nothing for `what`, which the file at `path` is."""
        for name in self.__struct_fields__:
            if name not in names and getattr(self, name) not in ("", (), None):
                raise SettingsError(f"--{name}: means nothing for {printable(path.name)}, which is {what}")


class Progress(msgspec.Struct):
    """How far it is. done and total are bytes of the files, total 0 where it is not known.

    refused: rows, lines or frames that gave no tick and should have; first: where and why, of the first of them.
    skipped: well-formed frames that hold no tick. notes: what the user should know, each once.
    """

    done: int = 0
    total: int = 0
    refused: int = 0
    first: str = ""
    skipped: int = 0
    notes: list[str] = msgspec.field(default_factory=list)

    def refuse(self, where: str, why: str, count: int = 1) -> None:
        if not self.refused:
            self.first = f"{where}: {why}"
        self.refused += count

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class Part(msgspec.Struct):
    """A piece of a file. opens: it is the first of a capture, and ticks may be missing before it. as_is: ids and gaps
    have been looked at when it was recorded.

    events: what a recording holds besides ticks.
    """

    batches: list[Batch]
    opens: bool = False
    as_is: bool = False
    events: list[Event] = msgspec.field(default_factory=list)


class Reader(Protocol):
    """Reads one file, in constant memory; blocking. Raises RecordingError where it cannot be read on.

    receive_times: whether the file has them; else ticks get their event time.
    """

    receive_times: bool

    def parts(self) -> Iterator[Part]: ...
