"""Python's garbage collector, which has nothing to find while a program starts: it is off until that is done."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SETTLED_SECONDS: Final = 1.0  # after the start: what lives then stays to the end


@contextmanager
def held_off() -> Iterator[None]:
    """No garbage is looked for in the block, or until `collect_from_now_on`."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def collect_from_now_on() -> None:
    """Look for garbage again, but never among what the start made: hundreds of modules that stay."""
    gc.freeze()
    gc.enable()
