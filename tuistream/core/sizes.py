"""Sizes in bytes as people write them."""

from __future__ import annotations

import re

from tuistream.core.errors import SettingsError

_SIZES = {"": 1, "b": 1, "kb": 1_000, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def parse_size(text: str, option: str) -> int:
    """Bytes of "4096", "500kB", "1.5GB", "16MiB". Raises SettingsError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b?)\s*", text, re.IGNORECASE)
    unit = match[2].lower() if match else ""
    unit = unit if unit in _SIZES else unit + "b"
    if match is None or unit not in _SIZES:
        raise SettingsError(f"{option} {text!r}: a size such as 500kB, 16MB or 1GB is wanted")
    return int(float(match[1]) * _SIZES[unit])
