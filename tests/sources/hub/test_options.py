"""What a listener's URL may say: limits, and who may send."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.sources.hub.hubs import Hub, until
from tuistream.cli.listen import command
from tuistream.config import FeedOptions, Settings, feed_settings
from tuistream.config_file import ListenSection
from tuistream.core.errors import SettingsError
from tuistream.decoders.hub import Cause
from tuistream.sources.hub.limits import LIMITS, HubLimits
from tuistream.sources.hub.options import HubOptions, with_query
from tuistream.wiring import running


def test_every_limit_can_be_said_everywhere() -> None:
    assert {limit.field for limit in LIMITS} == {*HubLimits.__struct_fields__}
    options = {option for parameter in command.params for option in parameter.opts}
    keys = {each.name for each in fields(ListenSection)}
    for limit in LIMITS:
        assert limit.option in options
        assert limit.key in keys
        default = getattr(HubLimits(), limit.field)
        assert limit.parse(limit.default, "") == default
        assert with_query(HubOptions(), f"{limit.key}={limit.default}") == HubOptions()


def test_a_query_goes_before_what_was_said_elsewhere() -> None:
    before = HubOptions(password="secret", allow=("10.0.0.0/8",), limits=HubLimits(rate=5, frame=7))
    who = "allow=192.168.0.0/16&allow=::1&no-auth&compat_200=no&tls_cert=a.pem"
    said = f"max-frame=2kB&max_connections=10&idle=1m30s&{who}"
    after = with_query(before, said)
    assert after == HubOptions(
        password="secret",
        allow=("192.168.0.0/16", "::1"),
        no_auth=True,
        tls_cert="a.pem",
        limits=HubLimits(rate=5, frame=2_000, connections=10, idle=90.0),
    )
    assert with_query(before, "") == before


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("max_rate=0", "max_rate= '0': a whole number from 1 up is wanted"),
        ("max_name=81", "max_name= '81': a whole number from 1 to 80 is wanted"),
        ("max_rate=٣", "a whole number"),
        ("max_frame=0", "a size from 1 byte up is wanted"),
        ("max_frame=big", "a size such as"),
        ("idle=soon", "idle= 'soon': a duration"),
        ("no-auth=perhaps", "no_auth=perhaps: true or false is wanted"),
        ("max_conections=1", "max_conections= is not known of a listener; known are max_frame"),
        ("password=x", "is not known"),
        ("%1b[2J=1", "·[2J="),
    ],
)
def test_what_cannot_be_is_refused_before_anything_listens(query: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        feed_settings([f"listen+tcp://127.0.0.1:0?{query}"], FeedOptions())
    assert told in str(caught.value)


async def test_limits_of_a_url_hold() -> None:
    feeds = feed_settings(["listen+tcp://127.0.0.1:0?max_streams=2&max-connections=1"], FeedOptions())
    async with running(Settings(feeds=feeds), recording_needed=False) as run:
        hub = Hub(run)
        await hub.intake.until_up()
        _, writer = await hub.connect()
        writer.write(b'{"id":1,"value":1}{"id":2,"value":1}{"id":3,"value":1}')
        await until(lambda: hub.counters().refused[Cause.STREAMS] == 1)
        await hub.connect()
        await until(lambda: hub.counters().refused[Cause.CONNECTIONS] == 1)
        await hub.hang_up()
