"""Sources by their URL schemes: a file here is one, imported when it is used.

Such a file has `parse(target)`, which makes a `contract.Target` of what the user typed or raises SettingsError, and
one of `source(settings)`, whose connections a `Feed` reads, `runner(session, status, settings)`, which runs by
itself, and `listener(intake, status, settings)`, which anyone sends to; a run has one `hub.intake.Intake` for all.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, cast

from tuistream.core.errors import SettingsError
from tuistream.core.text import redact_url

if TYPE_CHECKING:
    from tuistream.sources.contract import Target

# What a target begins with, and the file here that serves it.
_FILES = {
    "ws://": "ws",
    "wss://": "ws",
    "socketio+http://": "socketio",
    "socketio+https://": "socketio",
    "http://": "http",
    "https://": "http",
    "tcp://": "tcp",
    "udp://": "udp",
    "unix://": "unix",
    "exec:": "exec",
    "tail:": "tail",
    "video:": "video",
    "video+http://": "video",
    "video+https://": "video",
    "rtsp://": "video",
    "python:": "python",
    "replay:": "recording",
    "follow:": "follow",
    "listen+tcp://": "listen_tcp",
    "listen+frames://": "listen_frames",
    "listen+http://": "listen_http",
    "listen+ws://": "listen_ws",
}
STANDARD_INPUT = "-"


def forms() -> list[str]:
    """What targets begin with."""
    there = {module.name for module in pkgutil.iter_modules(__path__)}
    begins = [begin for begin, file in _FILES.items() if file in there]
    return [*begins, *([STANDARD_INPUT] if "stdin" in there else [])]


def parse(target: str) -> Target:
    """What a target means. Raises SettingsError where it has no known form, or not a right one."""
    return cast("Target", module(target).parse(target))


def module(target: str) -> Any:
    """The file that serves a target."""
    begin = next((begin for begin in forms() if _begins(target, begin)), "")
    if not begin:
        raise SettingsError(f"{redact_url(target)!r} is no source; known are {', '.join(forms())}")
    return importlib.import_module(f"{__name__}.{_FILES.get(begin, 'stdin')}")


def _begins(target: str, begin: str) -> bool:
    return target == begin if begin == STANDARD_INPUT else target[: len(begin)].lower() == begin
