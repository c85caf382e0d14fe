"""How the user wants the screen to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import tzinfo

import msgspec

from tuistream.sources.media.rules import Rules
from tuistream.ui.replaying import Playback


class PanelOptions(msgspec.Struct, frozen=True):
    """How the user wants the panel of a stream, named as in the watch list; empty or None where nothing was said.

    range: a name of `view.RANGES`. averages, scale: as in `chart.Choices`. chart: a kind, or a study as
    `study.parse_study` takes it.
    """

    stream: str
    title: str = ""
    range: str = ""
    averages: str = ""
    chart: str = ""
    scale: str = ""
    log: bool = False


class ViewOptions(msgspec.Struct, frozen=True):
    """fps: drawings a second, at most, 1 to 60. budget: bytes a second to the terminal, 0 for no ceiling. glyphs:
    "braille", "blocks", "ascii", or "" for what the terminal can show. theme: a name, or "" for our own dark one.
    averages: lengths of the moving averages, in ticks. clock: ns since 1970 UTC. timezone: of the times shown, None
    for the machine's own. waiting: lines for who has yet to send something: where to, and how; shown while there is
    nothing else, and with the keys. keys: the user's own, by the name of their command. panels: what the user wants
    of some streams, which come first, in this order. media: what of what messages name is opened unasked. playback:
    the recording that is shown, where it is one. pictures: how they are shown, one of `terminal_answers.WISHES`.
    """

    fps: int = 10
    budget: int = 0
    glyphs: str = ""
    theme: str = ""
    averages: tuple[int, ...] = (15,)
    clock: Callable[[], int] = time.time_ns
    timezone: tzinfo | None = None
    waiting: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    panels: tuple[PanelOptions, ...] = ()
    media: Rules = msgspec.field(default_factory=Rules)
    playback: Playback | None = None
    pictures: str = "cells"
