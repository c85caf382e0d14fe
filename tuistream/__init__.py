"""Watch and record live streams of numbers in a terminal.

From a program: `send` numbers to a hub, be a `Hub`, or iterate over the batches of a `Feed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuistream.api import Feed as Feed
    from tuistream.api import Hub as Hub
    from tuistream.core.batch import Batch as Batch
    from tuistream.core.errors import HubUnreachable as HubUnreachable
    from tuistream.core.errors import TuistreamError as TuistreamError
    from tuistream.sending import send as send
    from tuistream.sending import sender as sender

__version__ = "0.1.0"
__all__ = ["Batch", "Feed", "Hub", "HubUnreachable", "TuistreamError", "__version__", "send", "sender"]

# Where each name lives; imported when it is first asked for, so that a program that only sends imports little.
_HOMES: Final = {
    "Batch": "core.batch",
    "Feed": "api",
    "Hub": "api",
    "HubUnreachable": "core.errors",
    "TuistreamError": "core.errors",
    "send": "sending",
    "sender": "sending",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
