"""Feeds to try things on. A name is a file: `serve gbm` is `feeds/gbm.py`, which is imported only then."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuistream.core.errors import SettingsError
from tuistream.core.text import printable

if TYPE_CHECKING:
    from tuistream.feeds.walk import Walk, WalkOptions

NAMES = ("gbm", "sine", "square", "sawtooth", "noise")


def create(name: str, options: WalkOptions) -> Walk:
    """The walk that a known name means. Raises SettingsError for options that cannot be."""
    if name not in NAMES:
        raise SettingsError(_unknown(name))
    walk: Walk = importlib.import_module(f"tuistream.feeds.{name}").create(options)
    return walk


def resolve(words: Sequence[str]) -> str | tuple[Path, ...]:
    """What the words after `serve` mean: the name of a walk, or files to replay. Raises SettingsError.

    A file that is called like a walk is meant by its path, ./gbm.
    """
    if any(word in NAMES for word in words):
        if len(words) > 1:
            raise SettingsError(
                f"one feed at a time: {', '.join(NAMES)} stand alone; several files follow one another"
            )
        return words[0]
    paths = tuple(Path(word) for word in words)
    for path in paths:
        if not path.exists():
            raise SettingsError(_unknown(str(path)))
        if path.is_dir():
            raise SettingsError(f"{printable(str(path))}: a folder; the files in it are wanted")
    return paths


def _unknown(word: str) -> str:
    return f"{printable(word)!r} is neither a feed ({', '.join(NAMES)}) nor a file"
