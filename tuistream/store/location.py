"""Where a recording goes if nobody says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

MAX_FEED_NAME = 80


def default_path(feed: str, start: int | None) -> Path:
    """The recording of a run that starts at `start` (ns since 1970 UTC) and whose first feed is `feed`.

    In the user's data directory, named after the feed and the UTC day: `binance-btcusdt@trade-2026-11-21.db`;
    without a start after the feed alone.
    """
    day = "" if start is None else f"-{datetime.fromtimestamp(start // 1_000_000_000, UTC).date().isoformat()}"
    return Path(platformdirs.user_data_dir("tuistream", appauthor=False)) / f"{file_name(feed)}{day}.db"


def file_name(feed: str) -> str:
    """`feed` as a part of a file's name: ASCII letters, digits and `@ . _ + -`; bounded, not empty, not hidden."""
    return re.sub(r"[^A-Za-z0-9@._+-]+", "-", feed)[:MAX_FEED_NAME].strip(".-") or "feed"
