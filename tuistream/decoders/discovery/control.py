"""Control messages, and what they say to a human."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.shapes import Object

MAX_CONTROL_TEXT = 32  # bytes of a frame such as `pong`
MAX_SAID = 300
PING_FROM = 1_000_000_000  # {"ping": …} with a smaller number is a measurement

_TEXTS = (
    "message",
    "msg",
    "error",
    "errorMessage",
    "err-msg",
    "errmsg",
    "ret_msg",
    "retMsg",
    "reason",
    "description",
)
_SEPARATORS = re.compile(r"[\s@._:/|-]+")


def text_control(frame: bytes) -> str:
    """The word, where a frame that is no JSON is a control word (`pong`), else ""."""
    if len(frame) > MAX_CONTROL_TEXT:
        return ""
    word = frame.strip().decode("ascii", "replace").lower()
    return word if word in words.TEXT_CONTROL else ""


def ping_reply(message: Object) -> str | None:
    """The answer to `{"ping": 1618678073643}` (Huobi), which is owed; None where the message is something else."""
    if len(message) == 1 and type(message.get("ping")) is int and message["ping"] >= PING_FROM:
        ping: int = message["ping"]
        return f'{{"pong": {ping}}}' if ping < 1 << 64 else None
    return None


def is_beat(message: Object) -> bool:
    """Whether a message of one key is a heartbeat: `{"hb": 1}`, or a ping that is owed an answer."""
    return "hb" in message or "heartbeat" in message or ping_reply(message) is not None


def degree(values: Iterable[tuple[str, Any]], answer: bool) -> int:
    """2: control whatever it holds. 1: control unless it holds data. 0: no control. values: keys with their words."""
    found = 1 if answer else 0
    for key, value in values:
        word = str(value).rpartition(":")[2].lower()
        if word in words.ALWAYS_CONTROL and key != "status":
            return 2
        if word in words.OFTEN_CONTROL or (word in words.ALWAYS_CONTROL):
            found = 1
    return found


def complaint(message: Object) -> str:
    """What a control message that tells of an error says, else ""."""
    errors = (message.get(key) for key in ("error", "errors", "err"))
    failed = (
        any(_tail(message.get(key)) in ("error", "subscription_error") for key in words.CONTROL_KEYS)
        or any(error not in (None, False, "", 0, [], {}) for error in errors)
        or message.get("success") is False
        or message.get("event") == "notice"
        or ("code" in message and "result" not in message and message["code"] not in (0, 200, "0", "200", None))
    )
    if not failed:
        return ""
    inner: Object = next((message[key] for key in ("error", "data") if type(message.get(key)) is dict), {})
    source = {**inner, **{key: value for key, value in message.items() if type(value) is not dict}}
    said = next((source[key] for key in _TEXTS if type(source.get(key)) is str and source[key]), "")
    code = source.get("code")
    text = f"{said} (code {code})" if type(code) in (int, str) and said else str(said or code or "")
    if text:
        return text[:MAX_SAID]
    import json

    return json.dumps(message)[:MAX_SAID]


def kind_without(kind: str, name: str) -> str:
    """A kind such as a topic without the stream's name in it: "btcusdt@trade" of BTCUSDT is "trade"."""
    if not name or len(kind) <= len(name):
        return kind
    match = re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", kind, re.IGNORECASE)
    if match is None:
        return kind
    parts = (_SEPARATORS.sub(".", part).strip(".") for part in (kind[: match.start()], kind[match.end() :]))
    return ".".join(part for part in parts if part) or kind


def _tail(value: object) -> str:
    return value.rpartition(":")[2].lower() if type(value) is str else ""
