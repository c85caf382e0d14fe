"""The streams of the session, of numbers and of other things, in the order of their panels, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuistream.core.batch import StreamKey
from tuistream.core.board import Board
from tuistream.core.look import Look
from tuistream.core.session import Session, StreamState
from tuistream.core.status import FeedState
from tuistream.core.text import printable
from tuistream.ui.fields import has_price
from tuistream.ui.options import PanelOptions

SETTLING_NS = 3_000_000_000
NAME_LENGTH = 60
INTERVALS_SEEN = 9
SILENT_INTERVALS = 5

Entry = StreamState | Board
EntryKey = (
    StreamKey | tuple[str, str, str, str]
)  # a stream's; for a board with one word more, as a stream may have both


def key_of(entry: Entry) -> EntryKey:
    return entry.stream.key if isinstance(entry, StreamState) else (*entry.stream.key, "items")


class Streams:
    """Streams with a price come first. After the first seconds a new one goes last, so that no panel moves."""

    def __init__(self, session: Session, panels: Sequence[PanelOptions] = ()) -> None:
        """panels: what the user wants of some streams; these come first."""
        self._session = session
        self._panels = panels
        self._first_seen = 0
        self.order: list[Entry] = []
        self.shown: list[Entry] = []  # those of them that are not hidden
        self._hidden: set[EntryKey] = set()
        self.board_kinds: dict[EntryKey, str] = {}  # what the user chose to see boards as
        self.looks_seen = 0  # of the session's changes of looks
        self._counted = 0  # streams and boards of the session
        self._labels: dict[EntryKey, str] = {}
        self._index: dict[EntryKey, int] = {}

    def update(self, now: int) -> bool:
        """Take in new streams, and titles that changed; whether there were new ones. now: ns."""
        session = self._session
        count = len(session.streams) + len(session.boards)
        grown = count != self._counted
        self._counted = count
        if not grown and self.looks_seen == session.look_changes:
            return False
        self.looks_seen = session.look_changes
        if grown:
            self._take_new(now)
        keys = [key_of(entry) for entry in self.order]
        titles = {key: look.title for key in keys if (look := self.look(key)) is not None and look.title}
        wanted = ((key_of(entry), self.wanted(entry)) for entry in self.order)
        titles |= {key: panel.title for key, panel in wanted if panel is not None and panel.title}
        self._labels = labels(keys, titles)
        return grown

    def _take_new(self, now: int) -> None:
        if not self.order:
            self._first_seen = now
        streams, boards = self._session.streams.values(), self._session.boards.values()
        drawn = {(state.stream.feed, state.stream.kind) for state in streams}
        entries: list[Entry] = [*streams, *(board for board in boards if not _drawn_by_ticks(board, drawn))]
        new = [entry for entry in entries if key_of(entry) not in self._labels]
        self.order.extend(sorted(new, key=self._rank))
        if now - self._first_seen <= SETTLING_NS:
            self.order.sort(key=self._rank)
        self._arrange()

    def _arrange(self) -> None:
        self.shown = [entry for entry in self.order if key_of(entry) not in self._hidden]
        self._index = {key_of(entry): index for index, entry in enumerate(self.shown)}

    def hide(self, key: EntryKey) -> None:
        """Have no panel for it."""
        self._hidden.add(key)
        self._arrange()

    def unhide(self, key: EntryKey | None = None) -> int:
        """Have a panel for it again, or for all; for how many."""
        back = self._hidden if key is None else self._hidden & {key}
        count = len(back)
        self._hidden = self._hidden - back
        self._arrange()
        return count

    def wanted(self, entry: Entry) -> PanelOptions | None:
        """What the user's configuration says of its panel."""
        place = self._place(entry)
        return self._panels[place] if place < len(self._panels) else None

    def _place(self, entry: Entry) -> int:
        """The place among the panels of the configuration, or after them."""
        stream = entry.stream
        names = (stream.name, f"{stream.name} {stream.kind}", stream.kind, stream.feed)
        return next((i for i, panel in enumerate(self._panels) if panel.stream in names), len(self._panels))

    def _rank(self, entry: Entry) -> tuple[int, int, int]:
        return self._place(entry), *_rank(entry)

    def label(self, key: EntryKey) -> str:
        return self._labels[key]

    def index(self, key: EntryKey) -> int:
        """The number, from 0, of its panel; -1 where it is hidden."""
        return self._index.get(key, -1)

    def look(self, key: EntryKey) -> Look | None:
        """How its sender wants it to be shown."""
        feed, name, kind = key[0], key[1], key[2]
        return self._session.looks.get((feed, name, kind))

    def ended(self, entry: Entry) -> bool:
        """Whether the stream's feed has ended and no tick will come."""
        feed = self._session.feed_of(entry.stream)
        return feed is not None and feed.ended

    def silent(self, entry: Entry, now: int) -> bool:
        """Whether the stream says nothing for longer than is usual for it, or its feed is not connected."""
        feed = self._session.feed_of(entry.stream)
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
        if isinstance(entry, Board):
            return False  # a text or a picture need not be followed by another one
        recent = entry.series.t[-INTERVALS_SEEN:]
        timed = len(recent) > 1 and not entry.stream.axis
        usual = int(recent[-1] - recent[0]) // (len(recent) - 1) if timed else 0
        return now - entry.last_recv > max(feed.stale_after * 1e9, SILENT_INTERVALS * usual)


def labels(keys: Sequence[EntryKey], titles: Mapping[EntryKey, str] | None = None) -> dict[EntryKey, str]:
    """A name for each, in the order given, as short as tells it from the others. titles: as senders want them.

    The first stream of a feed with a title, else a name, else a kind has that; further ones have their name and
    kind after it as far as that makes a difference, and all of them the feed where several feeds have the name.
    """
    known = titles or {}
    heads = {key: known.get(key) or key[1] or key[2] or key[0] for key in keys}
    feeds: dict[str, set[str]] = {}
    for key in keys:
        feeds.setdefault(heads[key], set()).add(key[0])
    found: dict[EntryKey, str] = {}
    seen: set[tuple[str, str]] = set()
    for key in keys:
        feed, name, kind = key[0], key[1], key[2]
        head = heads[key]
        named = head if name in (head, "") else f"{head} {name}"
        candidates = (head, named, f"{head} {kind or 'other'}", f"{named} {kind or 'other'}")
        words = next((words for words in candidates if (feed, words) not in seen), candidates[-1])
        seen.add((feed, words))
        if len(feeds[head]) > 1 and head != feed:
            words = f"{words} {feed}"
        found[key] = printable(words.strip(), NAME_LENGTH) or "(no name)"
    return found


def _drawn_by_ticks(board: Board, drawn: set[tuple[str, str]]) -> bool:
    """Whether a board holds figures whose points are ticks of streams, so that their panels show it."""
    figures = bool(board.items) and board.items[-1].kind == "figure"
    return figures and (board.stream.feed, board.stream.kind) in drawn


def _rank(entry: Entry) -> tuple[int, int]:
    """Streams with a traded price, then those with quotes, then the rest, each in the order of appearance."""
    if isinstance(entry, StreamState):
        if has_price((entry.main,)) and entry.main not in ("bid", "ask"):
            return 0, entry.number
        if has_price(entry.stream.fields):
            return 1, entry.number
    return 2, entry.number
