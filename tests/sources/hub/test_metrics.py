"""The counters as Prometheus takes them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tuistream.core.outbox import Outbox
from tuistream.core.session import Session
from tuistream.core.status import FeedState, FeedStatus
from tuistream.decoders.hub import Cause
from tuistream.sources.hub.intake import Intake
from tuistream.sources.hub.limits import HubLimits
from tuistream.sources.hub.metrics import render
from tuistream.sources.hub.options import HubOptions

# Of the text format: a name, labels whose values escape \, " and newlines, and a value.
SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (-?[0-9.e+-]+)')


def samples(text: str) -> dict[str, float]:
    """By name and labels; fails for text that is not of the format."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    declared: dict[str, str] = {}
    for line in text[:-1].split("\n"):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in declared
            assert (kind == "counter") == name.endswith("_total")
            declared[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in declared
            assert match[1] + (match[2] or "") not in found
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


@given(st.lists(st.text(), min_size=1, max_size=3, unique=True))
def test_whatever_a_feed_is_called(names: list[str]) -> None:
    session = Session()
    for name in names:
        session.add_feed(FeedStatus(name, ticks=7, lag=1_500_000_000, last_recv=2 * 10**18))
    found = samples(render(session, []))
    assert [value for key, value in found.items() if key.startswith("tuistream_feed_ticks_total")] == [7] * len(names)
    assert [value for key, value in found.items() if key.startswith("tuistream_feed_lag")] == [1.5] * len(names)


def test_all_of_a_run() -> None:
    session = Session()
    outbox = Outbox("/home/me/secret place/hub.db")
    outbox.fail("disk full")
    session.outboxes.append(outbox)
    status = session.add_feed(FeedStatus("hub-http", state=FeedState.LIVE))
    intake = Intake(session, HubLimits())
    listener = intake.listener("http", status, HubOptions())
    listener.refuse("x", Cause.RATE, "too fast", count=3)
    text = render(session, intake.listeners)
    found = samples(text)
    assert "secret place" not in text
    assert found['tuistream_sink_failing{sink="hub.db"}'] == 1
    assert found['tuistream_feed_state{feed="hub-http",state="live"}'] == 1
    assert found['tuistream_feed_state{feed="hub-http",state="stale"}'] == 0
    assert found['tuistream_hub_refused_total{listener="hub-http",cause="rate"}'] == 3
    for cause in Cause:
        assert f'tuistream_hub_refused_total{{listener="hub-http",cause="{cause}"}}' in found
