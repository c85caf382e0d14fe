"""`socketio+http://` and `socketio+https://`: Socket.IO 2 and later, over Engine.IO 3 and 4."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from tuistream.core.errors import SettingsError
from tuistream.sources.contract import Target
from tuistream.sources.socketio.options import Options

if TYPE_CHECKING:
    from tuistream.sources.contract import FeedSettings
    from tuistream.sources.socketio.client import SocketIoSource

_NEEDED = ("socketio", "aiohttp")


def parse(target: str) -> Target:
    """A Socket.IO URL with our options in its query. Raises SettingsError."""
    options = Options.of(target)
    if any(importlib.util.find_spec(package) is None for package in _NEEDED):
        raise SettingsError(
            "socketio+http:// needs python-socketio and aiohttp; install them with: pip install 'tuistream[socketio]'"
        )
    return Target(options.target, options.name, "socketio", secrets=options.secrets)


def source(settings: FeedSettings) -> SocketIoSource:
    from tuistream.sources.socketio.client import SocketIoSource

    return SocketIoSource(settings, Options.of(settings.url))
