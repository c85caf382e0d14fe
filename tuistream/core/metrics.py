"""The counters of a run as Prometheus reads them, text format 0.0.4.

Format and names: https://prometheus.io/docs/instrumenting/exposition_formats/ and …/practices/naming/.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Final

from tuistream import __version__
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus, RecordingStatus

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

STATES: Final = ("recording", "failing", "locked", "off")  # of a RecordingStatus

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


def of_session(session: Session) -> str:
    """The counters of a run, of its feeds and of the queues to its sinks, a line each."""
    return "".join((*_run(session), *_feeds([*session.feeds.values()]), *_sinks(session)))


def of_recording(status: RecordingStatus) -> str:
    """What is recorded, a line each."""
    states = [((("state", state),), float(status.state == state)) for state in STATES]
    families = (
        family("recording_state", "gauge", "1 for the state that the recording is in.", states),
        family("recording_rows_total", "counter", "Ticks written by this run.", [((), status.rows)]),
        family("recording_gaps_total", "counter", "Gaps written by this run.", [((), status.gaps)]),
        family("recording_items_total", "counter", "Texts and pictures written by this run.", [((), status.items)]),
        family("recording_pending_rows", "gauge", "Ticks that wait to be written.", [((), status.pending)]),
        family(
            "recording_lost_items_total", "counter", "Texts and pictures without room.", [((), status.lost_items)]
        ),
        family("recording_file_bytes", "gauge", "Size of the file with its WAL.", [((), status.bytes)]),
    )
    return "".join(families)


def _run(session: Session) -> Iterable[str]:
    yield family("build_info", "gauge", "The version that runs.", [((("version", __version__),), 1)])
    yield family("streams", "gauge", "Streams of numbers.", [((), len(session.streams))])
    yield family("boards", "gauge", "Streams of texts, pictures and the like.", [((), len(session.boards))])
    yield family("series_bytes", "gauge", "Bytes of all series in memory.", [((), session.nbytes)])
    yield family("events_total", "counter", "Lines of the event log.", [((), session.event_count)])


def _feeds(feeds: Sequence[FeedStatus]) -> Iterable[str]:
    for field, name, words in _FEED:
        yield family(f"feed_{name}_total", "counter", words, [(_feed(feed), getattr(feed, field)) for feed in feeds])
    states = [
        ((*_feed(feed), ("state", each.value)), float(feed.state is each)) for feed in feeds for each in FeedState
    ]
    yield family("feed_state", "gauge", "1 for the state that the feed is in.", states)
    times = [(_feed(feed), feed.last_recv / 1e9) for feed in feeds if feed.last_recv]
    yield family("feed_last_receive_timestamp_seconds", "gauge", "When the newest message came.", times)
    lags = [(_feed(feed), feed.lag / 1e9) for feed in feeds if feed.lag is not None]
    yield family("feed_lag_seconds", "gauge", "From event to receipt of the newest tick.", lags)


def _sinks(session: Session) -> Iterable[str]:
    # Not where the file lies: that is nobody's business who reads counters.
    boxes = [((("sink", PurePath(box.name).name),), box) for box in session.outboxes]
    pending = [(labels, float(box.rows)) for labels, box in boxes]
    yield family("sink_pending_rows", "gauge", "Ticks that wait to be written.", pending)
    lost = [(labels, float(box.lost_rows)) for labels, box in boxes]
    yield family("sink_lost_rows_total", "counter", "Ticks that found no room while writing failed.", lost)
    failing = [(labels, float(bool(box.failing))) for labels, box in boxes]
    yield family("sink_failing", "gauge", "1 while the sink cannot write.", failing)


def _feed(feed: FeedStatus) -> Labels:
    return (("feed", feed.name),)


def family(name: str, kind: str, words: str, samples: Sequence[Sample], prefix: str = "tuistream_") -> str:
    """One metric with its samples; nothing where it has none. kind: "gauge" or "counter"."""
    if not samples:
        return ""
    lines = "".join(f"{prefix}{name}{_labels(labels)} {_value(value)}\n" for labels, value in samples)
    return f"# HELP {prefix}{name} {words}\n# TYPE {prefix}{name} {kind}\n{lines}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value.encode("utf-8", "replace").decode()


def _value(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
