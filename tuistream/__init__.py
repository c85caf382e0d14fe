"""Watch and record live streams of numbers in a terminal.

From a program: `send` numbers to a hub, be a `Hub`, or iterate over the batches of a `Feed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuistream.sending import send as send
    from tuistream.sending import sender as sender

__version__ = "0.1.0"
__all__ = ["__version__", "send", "sender"]

_HOMES: Final = {
    "send": "sending",
    "sender": "sending",
}  # a name here, and the module that it is imported from when asked for


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
