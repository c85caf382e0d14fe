"""`serve sawtooth`: from -1 up to 1, then back at once."""

from __future__ import annotations

from tuistream.feeds.periodic import Periodic
from tuistream.feeds.walk import WalkOptions


def create(options: WalkOptions) -> Periodic:
    return Periodic("sawtooth", options, lambda phase: 2 * phase - 1)
