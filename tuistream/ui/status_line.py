"""The top line: what every feed does, what is recorded where, and for a few seconds what a key has done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from tuistream.charts.numbers import NO_VALUE, compact
from tuistream.core.durations import format_duration
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus, Rate, RecordingStatus
from tuistream.core.text import printable
from tuistream.ui.glyphs import Signs
from tuistream.ui.line import Group, Line, cut, spread
from tuistream.ui.replaying import Playback, playback_word

MESSAGE_NS = 4_000_000_000
LAG_SHOWN_BELOW = 86_400_000_000_000
FEEDS_NAMED = 3
NAME_WIDTH = 24
REASON_WIDTH = 60
SECOND = 1_000_000_000


def local_time(t: int, timezone: tzinfo | None) -> datetime:
    """`t`, ns since 1970 UTC, on the local clock."""
    return datetime.fromtimestamp(t / SECOND, UTC).astimezone(timezone)


def feed_word(feed: FeedStatus, now: int) -> tuple[str, str]:
    """What the feed does, in words, and the ink for it."""
    match feed.state:
        case FeedState.LIVE:
            return "following" if feed.follows else "live", "up"
        case FeedState.CONNECTING:
            return "connecting", "warning"
        case FeedState.WAITING:
            which = "next" if feed.ticks else "first"
            return ("listening", "up") if feed.listens else (f"waiting for the {which} tick", "warning")
        case FeedState.STALE:
            return f"stale {format_duration(max(0, now - (feed.last_recv or feed.since)))}", "stale"
        case FeedState.RETRYING:
            wait = max(0, feed.retry_at - now)
            return ("retry now" if wait < SECOND else f"retry in {-(-wait // SECOND)} s"), "warning"
        case FeedState.SUSPENDED:
            return "suspended", "dim"
        case FeedState.CLOSED:
            return "not being written" if feed.follows else "closed", "dim"
        case FeedState.FAILED:
            return "failed", "error"


def feed_sign(feed: FeedStatus, signs: Signs) -> str:
    return {
        FeedState.LIVE: signs.live,
        FeedState.CONNECTING: signs.waiting,
        FeedState.WAITING: signs.waiting,
        FeedState.STALE: signs.stale,
        FeedState.RETRYING: signs.retry,
        FeedState.SUSPENDED: signs.closed,
        FeedState.CLOSED: signs.closed,
        FeedState.FAILED: signs.failed,
    }[feed.state]


def lag_text(lag: int) -> str:
    """A lag in ns: "34 ms", "-1.3 s", "2.1 s", "4 m 10 s"."""
    size, sign = abs(lag), "-" if lag < 0 else ""
    if size < SECOND:
        return f"{sign}{size // 1_000_000} ms"
    if size < 60 * SECOND:
        return f"{sign}{size / SECOND:.1f} s"
    return sign + format_duration(size)


def feeds_groups(feeds: Sequence[FeedStatus], now: int, signs: Signs) -> list[Group]:
    """Each feed's sign, name and word; beyond a few, those that are well are one number. Listeners are one hub."""
    listening = [feed for feed in feeds if feed.listens and feed.state in (FeedState.WAITING, FeedState.LIVE)]
    shown = [feed for feed in feeds if feed not in listening]
    groups = [hub_group([feed for feed in feeds if feed.listens], signs)] if listening else []
    if len(shown) > FEEDS_NAMED:
        count = len(shown)
        live = [feed for feed in shown if feed.state is FeedState.LIVE]
        shown = [feed for feed in shown if feed.state is not FeedState.LIVE]
        if live:
            groups.append(Group(((f"{signs.live} ", "up"), (f"{len(live)} of {count} feeds live", "plain"))))
    for index, feed in enumerate(shown):
        word, ink = feed_word(feed, now)
        name = cut(printable(feed.name), NAME_WIDTH, signs.ellipsis)
        rank = 3 + index if groups else 0
        groups.append(Group(((f"{feed_sign(feed, signs)} ", ink), (f"{name} ", "plain"), (word, ink)), rank))
        if feed.reason and (feed.state is not FeedState.LIVE or feed.follows):
            groups.append(Group(((cut(printable(feed.reason), REASON_WIDTH, signs.ellipsis), "dim"),), 6))
    return groups


def hub_group(listeners: Sequence[FeedStatus], signs: Signs) -> Group:
    """What the listeners have taken, and what they have not."""
    accepted, refused = sum(feed.accepted for feed in listeners), sum(feed.malformed for feed in listeners)
    word = f"{compact(accepted)} accepted" if accepted or refused else "listening"
    parts = [(f"{signs.live} ", "up"), ("hub ", "plain"), (word, "up")]
    if refused:
        parts.append((f"  {compact(refused)} refused", "warning"))
    return Group(tuple(parts))


def recording_groups(recording: RecordingStatus, signs: Signs) -> list[Group]:
    """What is recorded where; the reason where it is not."""
    name = cut(printable(recording.path.replace("\\", "/").rpartition("/")[2]), NAME_WIDTH + 8, signs.ellipsis)
    reason = cut(printable(recording.reason), REASON_WIDTH, signs.ellipsis)
    match recording.state:
        case "recording":
            groups = [
                Group(((f"{signs.live} ", "error"), ("rec", "plain")), 1, True),
                Group(((name, "plain"),), 5, True),
                Group(((f"{compact(recording.rows)} rows", "plain"),), 6, True),
                Group(((f"{compact(recording.bytes)}B", "dim"),), 7, True),
            ]
        case "failing":
            groups = [
                Group(((f"{signs.failed} recording failing", "error"),), 1, True),
                Group(((reason, "error"),), 4, True),
                Group(((f"{compact(recording.pending)} ticks wait", "warning"),), 3, True),
            ]
        case "locked":
            groups = [Group(((reason if "pid" in reason else "recorded elsewhere", "warning"),), 2, True)]
        case _:
            return [Group((("not recording", "dim"),), 4, True)]
    if recording.lost:
        groups.append(Group(((f"{compact(recording.lost)} ticks lost", "error"),), 1, True))
    if recording.lost_items:
        groups.append(Group(((f"{compact(recording.lost_items)} texts or pictures lost", "error"),), 1, True))
    return groups


def trouble_groups(feeds: Sequence[FeedStatus], gaps: int) -> list[Group]:
    """What was skipped, refused or missing, where anything was."""
    counts = (
        (sum(feed.malformed for feed in feeds if not feed.listens), "malformed"),
        (sum(feed.refused_ticks + feed.refused_items for feed in feeds), "refused"),
        (sum(feed.bad_times for feed in feeds), "bad times"),
        (gaps, "gap" if gaps == 1 else "gaps"),
    )
    return [Group(((f"{compact(count)} {word}", "warning"),), 8) for count, word in counts if count]


class StatusLine(Line):
    """Polled, like all that is shown: `update` is called a few times a second."""

    def __init__(
        self, session: Session, signs: Signs, timezone: tzinfo | None, playback: Playback | None = None
    ) -> None:
        super().__init__(id="status")
        self._playback = playback
        self._session = session
        self._signs = signs
        self._timezone = timezone
        self._rate = Rate()
        self._sent_rate = Rate()
        self._sent_text, self._sent_at = "", 0
        self._message = ""
        self._message_until = 0

    def say(self, message: str, now: int) -> None:
        """Show `message` for a few seconds, at once."""
        self._message, self._message_until = printable(message), now + MESSAGE_NS

    def update(self, now: int, recording: RecordingStatus, paused: int | None, sent: int | None = None) -> None:
        """now, and since when the view is paused: ns since 1970 UTC. sent: bytes to the terminal, if shown."""
        session = self._session
        feeds = list(session.feeds.values())
        rate = self._rate.update(now, session.ticks)
        shown = now if self._playback is None else self._playback.moment()
        clock = Group(((f"{local_time(shown, self._timezone):%H:%M:%S} ", "plain"),), 2, True)
        if now < self._message_until:
            room = max(0, self.size.width - clock.width - 3)
            left = [Group((((f" {cut(self._message, room, self._signs.ellipsis)}"), "accent"),))]
            self.show(spread([*left, clock], self.size.width, ("  ", ""), " "))
            return
        groups = [Group(((" tuistream", "strong"),), 9)]
        if paused is not None:
            groups.append(Group(((" paused ", "badge"),), 1))
        if self._playback is None:
            groups += feeds_groups(feeds, now, self._signs)
        else:
            groups += self._replay_groups(self._playback, feeds, now)
        groups.append(Group(((f"{compact_rate(rate)} ticks/s", "plain"),), 4))
        lags = [feed.lag for feed in feeds if feed.lag is not None and feed.state is FeedState.LIVE]
        if lags and abs(lag := max(lags)) < LAG_SHOWN_BELOW:
            groups.append(Group(((f"lag {lag_text(lag)}", "dim"),), 7))
        if sent is not None:
            groups.append(Group(((self._sent(now, sent), "dim"),), 5))
        groups += trouble_groups(feeds, session.gaps)
        if self._playback is None or recording.state != "off":
            groups += recording_groups(recording, self._signs)
        if self._playback is None:
            groups.append(clock)
        self.show(spread(groups, self.size.width, ("   ", ""), " "))

    def _replay_groups(self, playback: Playback, feeds: Sequence[FeedStatus], now: int) -> list[Group]:
        """What the replay does, and where it is; the clock of the machine says nothing of what is shown."""
        if any(feed.state in (FeedState.FAILED, FeedState.SUSPENDED) for feed in feeds):
            return feeds_groups(feeds, now, self._signs)
        name, ink = playback_word(playback)
        at = local_time(playback.moment(), self._timezone)
        same_day = at.date() == local_time(now, self._timezone).date()
        signs = self._signs
        sign = signs.closed if playback.ended else signs.waiting if playback.paused else signs.live
        place = Group(((f"{sign} ", ink), (f"{name} ", ink), (f"{at:%H:%M:%S}", "plain")))
        day = [] if same_day else [Group(((f"{at:%Y-%m-%d}", "dim"),), 3)]
        names = [Group(((cut(printable(feed.name), NAME_WIDTH, signs.ellipsis), "dim"),), 5) for feed in feeds]
        return [place, *day, *names]

    def _sent(self, now: int, sent: int) -> str:
        """What goes to the terminal a second; looked at once a second, so that it stands still between."""
        if not 0 <= now - self._sent_at < SECOND:
            known, rate = self._sent_at > 0, self._sent_rate.update(now, sent)
            self._sent_text = f"{f'{rate / 1_000:.1f}' if known else NO_VALUE} kB/s"
            self._sent_at = now
        return self._sent_text


def compact_rate(rate: float) -> str:
    """Ticks a second: one decimal below 10, none above."""
    return f"{rate:.1f}" if rate < 10 else f"{rate:,.0f}"
