"""What an empty panel says: what it waits for, and what to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.core.text import printable
from tuistream.ui.line import wrapped
from tuistream.ui.status_line import feed_word

if TYPE_CHECKING:
    from tuistream.ui.items import Row

SAMPLE_LENGTH = 70
FEEDS_LISTED = 6
URL_LENGTH = 70
LINE_LENGTH = 1_000


def waiting_for(session: Session, now: int) -> str:
    """Lines about the feeds that have given nothing yet. now: ns."""
    feeds = list(session.feeds.values())
    if not feeds:
        return "no feed\nto watch one:  tuistream URL"
    texts = [about_feed(feed, now) for feed in feeds[:FEEDS_LISTED]]
    if len(feeds) > FEEDS_LISTED:
        texts.append(f"and {len(feeds) - FEEDS_LISTED} more feeds")
    return "\n\n".join(texts)


def rows_for_waiting(session: Session, now: int, lines: Sequence[str], width: int, height: int) -> list[Row]:
    """What is waited for, and `lines` that say how something may come: as many as there is room for. now: ns."""
    well = (FeedState.WAITING, FeedState.LIVE)
    troubled = [about_feed(feed, now) for feed in session.feeds.values() if feed.state not in well][:FEEDS_LISTED]
    told = "\n\n".join(troubled) or "waiting for the first message"
    above: list[Row] = [(), *_indented(told.split("\n"), width)]
    each = [_indented([printable_line(line)], width) for line in lines]
    rows = [*above, *(row for block in each for row in ((), *block))]
    if len(rows) > height:
        rows = [*above, (), *(row for block in each for row in block)]
    if len(rows) > height:
        rows = [*rows[: max(0, height - 1)], (("  …  ? shows all", "dim"),)]
    return rows


def _indented(lines: Sequence[str], width: int) -> list[Row]:
    return [((f"  {part}", "plain"),) for line in lines for part in wrapped(line, max(1, width - 2))]


def printable_line(line: str) -> str:
    return printable(line, LINE_LENGTH)


def about_feed(feed: FeedStatus, now: int) -> str:
    """Why this feed has shown no tick yet, and what can be done."""
    target = printable(feed.url or feed.name, URL_LENGTH)
    reason = printable(feed.reason, URL_LENGTH)
    word, _ink = feed_word(feed, now)
    if feed.listens and feed.state in (FeedState.WAITING, FeedState.LIVE):
        return f"listening: {target}\nnothing has come yet"
    match feed.state:
        case FeedState.CONNECTING:
            return f"connecting to {target}"
        case FeedState.FAILED:
            lines = [f"{printable(feed.name)} failed: {reason or 'no reason given'}", target]
            return "\n".join([*lines, "e shows the events, q quits"])
        case FeedState.RETRYING:
            return f"no connection to {target}\n{reason or 'no reason given'}\n{word}"
        case FeedState.SUSPENDED:
            return f"suspended: not connected to {target}"
        case FeedState.CLOSED:
            return f"{printable(feed.name)} has closed{f': {reason}' if reason else ''}\nno tick came"
    if feed.unread:
        return (
            f"{printable(feed.name)}: no numeric field found in\n{printable(feed.unread, SAMPLE_LENGTH)}\n"
            "name them:  --fields NAME,…    look closer:  tuistream probe URL"
        )
    if feed.malformed and not feed.ticks:
        _frame, why = feed.samples[-1] if feed.samples else ("", "")
        text = f"{printable(feed.name)}: {feed.malformed:,} messages could not be read"
        return f"{text}\n{printable(why, SAMPLE_LENGTH)}" if why else text
    heard = f", {feed.frames:,} messages without a tick so far" if feed.frames else ""
    return f"connected to {target}\nwaiting for the first tick{heard}"
