"""The arguments of an event: a message, a text, arrays that replace those before, or a figure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tuistream.decoders import plotly
from tuistream.decoders.discovery.shapes import MAX_LIST_ROW, MAX_NUMBERS
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.numbers import is_number
from tuistream.decoders.wire.timestamps import to_ns, unit_of

NEAR: Final = 3_600 * 10**9  # ns: an x in seconds this near to its receipt is a time
MAX_NAME: Final = 1_000  # characters of an event's name
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_PLACEHOLDER = b'"_placeholder"'


class NoEvent(Exception):
    """A frame that is no event; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Message:
    """JSON text in which numbers may be."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Arrays:
    """Lists of numbers, all of one length."""

    arrays: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    figure: dict[str, Any]


Form = Message | Text | Arrays | Figure


def form_of(frame: bytes) -> tuple[str, Form | None]:
    """The event's name and what its arguments are; None where there is none. Raises NoEvent."""
    try:
        parts: list[Any] = _split(frame)
        name = msgspec.json.decode(parts[0]) if parts else None
        arguments = [bytes(part) for part in parts[1:]]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        name, arguments = _leniently(frame)
    if not isinstance(name, str) or len(name) > MAX_NAME:
        raise NoEvent(f"an event without a name, {len(frame):,} bytes")
    if not arguments:
        return name, None
    if any(_PLACEHOLDER in argument for argument in arguments):
        arguments = [argument for argument in map(_without_binary, arguments) if argument != b"null"]
        if not arguments:
            return name, None
    if len(arguments) > 1:
        return name, _form(_together(arguments))
    return name, _form(arguments[0])


def is_of_hub(message: bytes) -> bool:
    """Whether a message has what each message of the hub of charts has."""
    value = _value(message)
    return isinstance(value, dict) and {"id", "value", "type"} <= value.keys()


def x_is_now(message: bytes, recv: int) -> bool:
    """Whether a message's x is the time of its receipt in seconds, which as a bare number could be anything."""
    value = _value(message)
    x = value.get("x") if isinstance(value, dict) and "y" in value else None
    if type(x) not in (int, float) or unit_of(x) != "s":
        return False
    t = to_ns(x, recv)
    return t is not None and abs(t - recv) < NEAR


def _form(argument: bytes) -> Form:
    if argument.startswith(b'"'):
        text = _value(argument)
        if not isinstance(text, str) or is_number(text):
            return Message(argument)
        if text.lstrip()[:1] not in ("{", "["):
            return Text(text)
        argument = text.encode("utf-8", "surrogatepass")  # some senders encode twice
    if b'"layout"' in argument and b'"data"' in argument:
        figure = _value(argument)
        if isinstance(figure, dict) and plotly.is_figure(figure):
            return Figure(figure)
    if b"[" in argument and (arrays := _arrays(_value(argument))):
        return Arrays(arrays)
    return Message(argument)


def _arrays(value: object) -> dict[str, list[Any]]:
    """Lists of numbers that are no tick: x and y, or lists longer than any tick's, all of one length; else {}."""
    if isinstance(value, list):
        return {"y": value} if len(value) > MAX_LIST_ROW and all(map(is_number, value)) else {}
    if not isinstance(value, dict):
        return {}
    lists = {key: each for key, each in value.items() if isinstance(each, list)}
    sizes = {len(each) for each in lists.values()}
    if len(sizes) != 1 or any(is_number(each) for key, each in value.items() if key not in lists):
        return {}
    if not {"x", "y"} <= lists.keys() and max(sizes) <= MAX_NUMBERS:
        return {}
    return lists if min(sizes) and all(is_number(each) for values in lists.values() for each in values) else {}


def _together(arguments: list[bytes]) -> bytes:
    """Several arguments as one object: words name it, numbers are v0, v1 … by their place, objects are joined."""
    message: dict[str, Any] = {}
    names = []
    for place, argument in enumerate(arguments):
        value = _value(argument)
        if isinstance(value, dict):
            message |= value
        elif isinstance(value, str) and not is_number(value):
            names.append(value)
        else:
            message[f"v{place}"] = value
    if names and not message:
        return json.dumps(" ".join(names)).encode()
    if names:
        message.setdefault("name", "/".join(names))
    return json.dumps(message).encode()


def _without_binary(argument: bytes) -> bytes:
    """An argument with null where binary data stood."""
    return json.dumps(_no_placeholders(_value(argument))).encode()


def _no_placeholders(value: object) -> object:
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            return None
        return {key: _no_placeholders(each) for key, each in value.items()}
    return [_no_placeholders(each) for each in value] if isinstance(value, list) else value


def _leniently(frame: bytes) -> tuple[object, list[bytes]]:
    """The name and the arguments of a frame that is not quite JSON (NaN, Infinity). Raises NoEvent."""
    try:
        value = loads(frame)
    except Malformed as error:
        raise NoEvent(str(error)) from error
    if not isinstance(value, list) or not value:
        raise NoEvent(f"no list of an event's name and its arguments, {len(frame):,} bytes")
    return value[0], [json.dumps(argument).encode() for argument in value[1:]]


def _value(argument: bytes) -> object:
    try:
        return loads(argument) if argument else None
    except Malformed:
        return None
