"""The signs of the screen, in three sets: every meaning keeps a sign in each."""

from __future__ import annotations

import msgspec


class Signs(msgspec.Struct, frozen=True):
    """up, down, flat: the last move. dot, ring, warn, cross, stop: states. corners: a border, and a focused one."""

    up: str = "▲"
    down: str = "▼"
    flat: str = "─"
    live: str = "●"
    waiting: str = "◌"
    stale: str = "◐"
    retry: str = "↻"
    closed: str = "■"
    failed: str = "✕"
    cursor: str = "▸"
    hidden: str = "-"
    bar: str = "│"
    ellipsis: str = "…"
    border: str = "╭─╮╰╯"
    focused: str = "┏━┓┗┛"

    def move(self, now: float, before: float) -> tuple[str, str]:
        """Sign and ink of a step from `before` to `now`; flat where either is missing."""
        if now > before:
            return self.up, "up"
        if now < before:
            return self.down, "down"
        return self.flat, "flat"


def signs_for(glyphs: str) -> Signs:
    """The signs beside charts drawn in `glyphs`; a terminal without braille is taken to lack the rarer signs too."""
    if glyphs == "ascii":
        return Signs("^", "v", "-", "*", "o", "~", "r", "#", "x", ">", "-", "|", "~", "+-+++", "+=+++")
    if glyphs == "blocks":
        return Signs(waiting="○", stale="◊", retry="»", failed="×", cursor="►")
    return Signs()
