"""`video:FILE`, `video+http://…` and `rtsp://…`: a video to be watched, through PyAV (the extra `video`).

It is decoded for a panel that shows it, and never recorded.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tuistream.core.batch import Stream
from tuistream.core.board import Item
from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.frames import Read
from tuistream.core.text import printable, redact_url, secrets_of, without
from tuistream.sources import http
from tuistream.sources.contract import FeedSettings, Target
from tuistream.sources.media.player import (
    NEEDED,
    Player,
    Source,
    VideoEnded,
    playing,
    playing_bytes,
    playing_file,
    there_is_a_decoder,
)
from tuistream.sources.urls import checked

FILE: Final = "video:"
OVER: Final = "video+"
NOT_RECORDED: Final = "a video is watched, and not recorded"
MOVING: Final = "multipart/x-mixed-replace"


def parse(target: str) -> Target:
    """A path, or a URL. Raises SettingsError."""
    begin = target.partition(":")[0].lower() + ":"
    if begin == FILE:
        path = target[len(FILE) :]
        if not path or "\0" in path:
            raise SettingsError("video: a file is missing, as in video:garden.mp4")
        return Target(FILE + path, printable(Path(path).name or path, 60))
    url, address, path = checked(target.partition("+")[2] if begin.startswith(OVER) else target)
    if "#" in url:
        raise SettingsError(f"{redact_url(url)}: what is behind a # is never sent")
    name = printable(address + path.rstrip("/"), 60)
    over = OVER if begin.startswith(OVER) else ""
    return Target(over + url, name, secrets=tuple(secrets_of(url)))


def source(settings: FeedSettings) -> VideoSource:
    if not there_is_a_decoder():
        raise SettingsError(f"{settings.shown_url}: {NEEDED}")
    if settings.send:
        raise SettingsError("--send: nothing is sent to a video")
    if settings.url.startswith(OVER):
        http.source(replace(settings, url=settings.url.removeprefix(OVER)))
    return VideoSource(settings)


class VideoSource:
    """One video. A file is played once; what comes over a network is connected to again."""

    def __init__(self, settings: FeedSettings) -> None:
        self.settings = settings

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Playing]:
        """Raises SourceDown where there is none."""
        url = self.settings.url
        try:
            if url.startswith(FILE):
                async with playing_file(url.removeprefix(FILE)) as player:
                    yield Playing(self, player)
            elif url.startswith(OVER):
                over = http.HttpSource(replace(self.settings, url=url.removeprefix(OVER)))
                async with over.answer() as response:
                    kind = "mpjpeg" if response.content_type == MOVING else ""
                    async with playing_bytes(response.content, await response.content.readany(), kind) as player:
                        yield Playing(self, player)
            else:
                async with playing(Source(url, live=True)) as player:
                    yield Playing(self, player)
        except VideoEnded as ended:
            raise self.down(ended) from ended

    def down(self, ended: VideoEnded) -> SourceDown:
        file = self.settings.url.startswith(FILE)
        words = without(str(ended), list(self.settings.secrets))
        return SourceDown(words, normal=ended.normal, final=ended.final, over=file)


class Playing:
    """A video that plays: its frames, each once the one before was drawn."""

    def __init__(self, source: VideoSource, player: Player) -> None:
        self._source = source
        self._player = player
        self._said = False

    async def reads(self) -> list[Read]:
        """A frame; now and then, while nobody looks, a read without one. SourceDown at the end."""
        try:
            frame = await self._player.next()
        except VideoEnded as ended:
            raise self._source.down(ended) from ended
        now = time.time_ns()
        if frame is None:
            return [Read(now, ())]
        stream = Stream(self._source.settings.name, "", "video", (), timed=False, found="video")
        item = Item(stream, now, now, "video", frame, frame.pixels.nbytes, replaces=True)
        notices = () if self._said else (f"{frame.video.words}; {NOT_RECORDED}",)
        self._said = True
        return [Read(now, (), notices=notices, items=(item,))]

    def rest_reads(self) -> list[Read]:
        return []

    async def read(self) -> Sequence[bytes]:
        await self.reads()
        return ()

    def rest(self) -> Sequence[bytes]:
        return ()

    async def send(self, message: str) -> None:
        """Nothing can be sent."""
