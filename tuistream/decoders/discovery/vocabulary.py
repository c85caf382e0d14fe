"""The words by which feeds name the parts of a message. Where one list has an order, the first that fits wins."""

from __future__ import annotations

import re


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Objects that only wrap the data: their name is no part of a field's name.
ENVELOPES = frozenset(_words("data tick payload body message msg params result content arg args event"))
# Lists whose name tells no kind.
PLAIN_LISTS = ENVELOPES | frozenset(
    _words(
        "ticks results events updates update rows row records record items item values points readings samples "
        "measurements list array"
    )
)

# A time whatever its value: one that cannot be is a bad time, not a field.
TIMES = _words(
    "trade_time_ms trade_time tradeTime T event_time eventTime transact_time microtimestamp timestamp_ns "
    "timestamp_us timestamp_ms timestamp_e6 timestamp time datetime dateTime date_time ts tms ttms E t date epoch"
)
CERTAIN_TIMES = frozenset(
    _words(
        "trade_time tradeTime event_time eventTime transact_time microtimestamp timestamp_ns timestamp_us "
        "timestamp_ms timestamp time datetime dateTime date_time ts"
    )
)
LIKE_A_TIME = re.compile(
    r"time|date|stamp|epoch|clock|(?:^|[_.])ts(?:$|[_.])|(?:^|_)at$|(?-i:(?<=[a-z])(?:At|Ts)$)", re.IGNORECASE
)

# What the thing is, in full: its own list's first key that there is.
INSTRUMENTS = _words(
    "symbol s S sym pair product_id productId instId inst_id instrument_id instrument_name instrument currency_pair "
    "market contract ticker coin asset code cd"
)
# What stands somewhere: the place, then the thing; both where there are both.
PLACES = _words("device device_id deviceId host hostname node station location room site machine")
THINGS = _words("sensor sensor_id sensorId metric series name label tag")
CHANNELS = _words("channel stream topic ch table feed")
# These may be numbers; the others must be words, or they are values.
NUMBERED_NAMES = frozenset(
    _words(
        "symbol pair product_id productId instId inst_id instrument_id instrument sensor sensor_id sensorId device "
        "device_id deviceId node station channel"
    )
)

KINDS = (*_words("e ev event type ty T kind msg_type msgType message_type"), *CHANNELS, *_words("method op"))
# Words that stand where a kind does and tell no kind.
NO_KINDS = frozenset(
    _words(
        "snapshot update delta partial insert delete new data message msg tick event events subscription "
        "buy sell bid ask b s bought sold long short maker taker limit market up down"
    )
)
SIDES = frozenset(_words("buy sell bid ask b s long short"))

IDS = _words(
    "trade_id tradeId tradeID tid match_id exec_id execId id ID event_id eventId t i seq seqId seq_id seqNum seq_num "
    "seqno sequence sequence_num sequenceNumber sequence_number u sid uid uuid msg_id msgId message_id messageId"
)
LETTER_IDS = frozenset(_words("t u i"))
LETTER_ID_FROM = 100_000  # a single letter below this is a value
LIKE_AN_ID = re.compile(
    r"(?:^|[_.\-])(?:id|ids|uuid|guid|seq|seqno|sequence|nonce|checksum|crc|hash)(?:$|[_.\-])"
    r"|(?<=[a-z])(?:Id|ID|Ids|Seq)$|^(?:tid|sid|uid)$"
)
# A string under "id": one of these is an id of a tick, another names a thing ("sensor-7").
LIKE_A_UNIQUE_ID = re.compile(r"\d{6}|[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-fA-F]{16}|^\d+$|^.{41}")

# Numbers of the message itself, which nobody draws.
OF_THE_MESSAGE = frozenset(_words("version ver api_version protocol schema jsonrpc flags"))
# With a control word, these numbers do not make a message data.
OF_AN_ANSWER = frozenset(
    _words("status code retcode retCode ret_code err errno error_code error-code success len count")
)

# Sides of an order book, whatever the message is called.
BOOK_SIDES = frozenset(_words("bids asks changes levels depth obu orderbook order_book orderbook_units"))
A_BOOK = re.compile(
    r"order_?book|(?<![a-z])books?(?![a-z])|depth|level_?[23]|(?<![a-z0-9])l[23](?![a-z0-9])", re.IGNORECASE
)

CONTROL_KEYS = ("event", "type", "op", "method", "action", "channel", "T", "ev", "e", "cmd", "msg_type", "status")
# Control whatever else the message holds.
ALWAYS_CONTROL = frozenset(
    _words(
        "subscribe subscribed unsubscribe unsubscribed subscriptions subscriptionstatus subscription_succeeded "
        "unsubscription_succeeded subscription_error subscriptions_updated ping pong ack error auth authenticated "
        "login logout conf heartbeat heartbeats hb keepalive keep-alive"
    )
)
# Control where it holds no number but of its own.
OFTEN_CONTROL = frozenset(
    _words(
        "alive info status systemstatus system welcome hello connected "
        "connection open opened ready success notice greeting session subscription command_resp"
    )
)
ANSWER_KEYS = frozenset(
    _words("result success subbed unsubbed ret_msg retMsg error errors err errmsg err-msg pong ping")
)
TEXT_CONTROL = frozenset(_words("ping pong hb heartbeat ok connected welcome hello keepalive alive subscribed"))
PLACEHOLDERS = frozenset(
    ("", "-", "--", "n/a", "na", "nan", "null", "none", "unknown", "unavailable", "inf", "infinity")
)
