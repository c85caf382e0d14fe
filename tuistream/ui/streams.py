"""The streams of the session in the order of their panels, and the names that tell them apart."""

from __future__ import annotations

from tuistream.core.batch import StreamKey
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedState
from tuistream.core.text import printable
from tuistream.ui.fields import has_price

SETTLING_NS = 3_000_000_000
NAME_LENGTH = 60
INTERVALS_SEEN = 9
SILENT_INTERVALS = 5


class Streams:
    """Streams with a price come first. After the first seconds a new one goes last, so that no panel moves."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._first_seen = 0
        self.order: list[StreamState] = []
        self._labels: dict[StreamKey, str] = {}
        self._index: dict[StreamKey, int] = {}

    def update(self, now: int) -> bool:
        """Take in new streams; whether there were any. now: ns."""
        streams = self._session.streams
        if len(streams) == len(self.order):
            return False
        if not self.order:
            self._first_seen = now
        new = [state for state in streams.values() if state.stream.key not in self._index]
        self.order.extend(sorted(new, key=_rank))
        if now - self._first_seen <= SETTLING_NS:
            self.order.sort(key=_rank)
        self._index = {state.stream.key: index for index, state in enumerate(self.order)}
        self._labels = labels([state.stream.key for state in self.order])
        return True

    def label(self, key: StreamKey) -> str:
        return self._labels[key]

    def index(self, key: StreamKey) -> int:
        return self._index[key]

    def ended(self, state: StreamState) -> bool:
        """Whether the stream's feed has ended and no tick will come."""
        feed = self._session.feeds.get(state.stream.feed)
        return feed is not None and feed.ended

    def silent(self, state: StreamState, now: int) -> bool:
        """Whether the stream says nothing for longer than is usual for it, or its feed is not connected."""
        feed = self._session.feeds.get(state.stream.feed)
        if feed is None:
            return False
        if feed.state in (
            FeedState.STALE,
            FeedState.RETRYING,
            FeedState.SUSPENDED,
            FeedState.CLOSED,
            FeedState.FAILED,
        ):
            return True
        recent = state.series.t[-INTERVALS_SEEN:]
        usual = int(recent[-1] - recent[0]) // (len(recent) - 1) if len(recent) > 1 else 0
        return now - state.last_recv > max(feed.stale_after * 1e9, SILENT_INTERVALS * usual)


def labels(keys: list[StreamKey]) -> dict[StreamKey, str]:
    """A name for each, in the order given, as short as tells it from the others.

    The first stream of a feed's name has that name; further ones have their kind after it, and all of them the feed
    where several feeds have the name.
    """
    feeds: dict[str, set[str]] = {}
    for feed, name, _kind in keys:
        feeds.setdefault(name, set()).add(feed)
    found: dict[StreamKey, str] = {}
    seen: set[tuple[str, str]] = set()
    for feed, name, kind in keys:
        words = [name or kind or feed]
        if (feed, name) in seen:
            words.append(kind or "other")
        if len(feeds[name]) > 1:
            words.append(feed)
        seen.add((feed, name))
        found[feed, name, kind] = printable(" ".join(words).strip(), NAME_LENGTH) or "(no name)"
    return found


def _rank(state: StreamState) -> tuple[int, int]:
    """Streams with a traded price, then those with quotes, then the rest, each in the order of appearance."""
    if has_price((state.main,)) and state.main not in ("bid", "ask"):
        return 0, state.number
    return (1 if has_price(state.stream.fields) else 2), state.number
