"""The counters of a hub as Prometheus reads them: those of any run, and its listeners'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuistream.core.metrics import CONTENT_TYPE as CONTENT_TYPE
from tuistream.core.metrics import family, of_session
from tuistream.core.session import Session
from tuistream.decoders.hub import Cause
from tuistream.sources.hub.intake import Listener


def render(session: Session, listeners: Sequence[Listener]) -> str:
    """All counters of a run, a line each."""
    return of_session(session) + of_listeners(listeners)


def of_listeners(listeners: Sequence[Listener]) -> str:
    return "".join(_listeners(listeners))


def _listeners(listeners: Sequence[Listener]) -> Iterable[str]:
    each = [((("listener", listener.status.name),), listener) for listener in listeners]
    accepted = [(labels, float(one.counters.accepted)) for labels, one in each]
    yield family("hub_accepted_total", "counter", "Messages taken.", accepted)
    refused = [
        ((*labels, ("cause", cause.value)), float(one.counters.refused[cause]))
        for labels, one in each
        for cause in Cause
    ]
    yield family("hub_refused_total", "counter", "Messages and connections refused, by the cause.", refused)
    now = [(labels, float(one.senders)) for labels, one in each]
    yield family("hub_connections", "gauge", "Senders that are connected.", now)
    connected = [(labels, float(one.counters.connected)) for labels, one in each]
    yield family("hub_connections_total", "counter", "Senders that have connected.", connected)
    slowed = [(labels, float(one.counters.slowed)) for labels, one in each]
    yield family("hub_slowed_total", "counter", "Times that a sender was over its rate.", slowed)
    evicted = [(labels, float(one.counters.evicted)) for labels, one in each]
    yield family("hub_evicted_total", "counter", "Silent connections that gave way to new ones.", evicted)
    pending = [(labels, float(one.counters.pending)) for labels, one in each]
    yield family("hub_pending_bytes", "gauge", "Bytes of messages that have begun and not ended.", pending)
