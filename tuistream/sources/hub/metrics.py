"""The counters of a run as Prometheus reads them, text format 0.0.4.

Format and names: https://prometheus.io/docs/instrumenting/exposition_formats/ and …/practices/naming/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from tuistream import __version__
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.hub import Cause
from tuistream.sources.hub.intake import Listener

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]

# Fields of FeedStatus, what they are called here, and what they count.
_FEED: Final = (
    ("connections", "connections", "Times that the feed connected, or the listener began to listen."),
    ("frames", "frames", "Messages received."),
    ("bytes", "received_bytes", "Bytes of the messages received."),
    ("ticks", "ticks", "Ticks decoded that had not been seen before."),
    ("repeats", "repeats", "Ticks dropped because their id had come before."),
    ("malformed", "malformed", "Messages and connections refused."),
    ("control", "control_frames", "Acks, heartbeats and greetings."),
    ("other", "other_frames", "Well formed messages that held no tick."),
    ("bad_times", "bad_times", "Ticks whose event time cannot be."),
    ("refused_ticks", "refused_ticks", "Ticks of streams beyond the limit on streams."),
    ("items", "items", "Texts, pictures and the like."),
    ("refused_items", "refused_items", "Texts, pictures and the like of streams beyond the limit."),
    ("gaps", "gaps", "Stretches in which ticks are missing or feared to be."),
)


def render(session: Session, listeners: Sequence[Listener]) -> str:
    """All counters of a run, a line each."""
    families = (*_run(session), *_feeds([*session.feeds.values()]), *_sinks(session), *_listeners(listeners))
    return "".join(families)


def _run(session: Session) -> Iterable[str]:
    yield _family("build_info", "gauge", "The version that runs.", [((("version", __version__),), 1)])
    yield _family("streams", "gauge", "Streams of numbers.", [((), len(session.streams))])
    yield _family("boards", "gauge", "Streams of texts, pictures and the like.", [((), len(session.boards))])
    yield _family("series_bytes", "gauge", "Bytes of all series in memory.", [((), session.nbytes)])
    yield _family("events_total", "counter", "Lines of the event log.", [((), session.event_count)])


def _feeds(feeds: Sequence[FeedStatus]) -> Iterable[str]:
    for field, name, words in _FEED:
        yield _family(f"feed_{name}_total", "counter", words, [(_feed(feed), getattr(feed, field)) for feed in feeds])
    states = [
        ((*_feed(feed), ("state", each.value)), float(feed.state is each)) for feed in feeds for each in FeedState
    ]
    yield _family("feed_state", "gauge", "1 for the state that the feed is in.", states)
    times = [(_feed(feed), feed.last_recv / 1e9) for feed in feeds if feed.last_recv]
    yield _family("feed_last_receive_timestamp_seconds", "gauge", "When the newest message came.", times)
    lags = [(_feed(feed), feed.lag / 1e9) for feed in feeds if feed.lag is not None]
    yield _family("feed_lag_seconds", "gauge", "From event to receipt of the newest tick.", lags)


def _sinks(session: Session) -> Iterable[str]:
    # Not where the file lies: that is nobody's business who reads counters.
    boxes = [((("sink", PurePath(box.name).name),), box) for box in session.outboxes]
    pending = [(labels, float(box.rows)) for labels, box in boxes]
    yield _family("sink_pending_rows", "gauge", "Ticks that wait to be written.", pending)
    lost = [(labels, float(box.lost_rows)) for labels, box in boxes]
    yield _family("sink_lost_rows_total", "counter", "Ticks that found no room while writing failed.", lost)
    failing = [(labels, float(bool(box.failing))) for labels, box in boxes]
    yield _family("sink_failing", "gauge", "1 while the sink cannot write.", failing)


def _listeners(listeners: Sequence[Listener]) -> Iterable[str]:
    each = [((("listener", listener.status.name),), listener) for listener in listeners]
    accepted = [(labels, float(one.counters.accepted)) for labels, one in each]
    yield _family("hub_accepted_total", "counter", "Messages taken.", accepted)
    refused = [
        ((*labels, ("cause", cause.value)), float(one.counters.refused[cause]))
        for labels, one in each
        for cause in Cause
    ]
    yield _family("hub_refused_total", "counter", "Messages and connections refused, by the cause.", refused)
    now = [(labels, float(one.senders)) for labels, one in each]
    yield _family("hub_connections", "gauge", "Senders that are connected.", now)
    connected = [(labels, float(one.counters.connected)) for labels, one in each]
    yield _family("hub_connections_total", "counter", "Senders that have connected.", connected)
    slowed = [(labels, float(one.counters.slowed)) for labels, one in each]
    yield _family("hub_slowed_total", "counter", "Times that a sender was over its rate.", slowed)
    evicted = [(labels, float(one.counters.evicted)) for labels, one in each]
    yield _family("hub_evicted_total", "counter", "Silent connections that gave way to new ones.", evicted)
    pending = [(labels, float(one.counters.pending)) for labels, one in each]
    yield _family("hub_pending_bytes", "gauge", "Bytes of messages that have begun and not ended.", pending)


def _feed(feed: FeedStatus) -> Labels:
    return (("feed", feed.name),)


def _family(name: str, kind: str, words: str, samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    lines = "".join(f"tuistream_{name}{_labels(labels)} {_value(value)}\n" for labels, value in samples)
    return f"# HELP tuistream_{name} {words}\n# TYPE tuistream_{name} {kind}\n{lines}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value.encode("utf-8", "replace").decode()


def _value(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
