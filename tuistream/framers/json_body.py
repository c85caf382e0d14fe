"""Cut the body of a request into messages: an object, an array of objects, objects one after another. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
# What counts when objects are told from what stands between them: strings, so that braces in them do not, and braces.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}]', re.DOTALL)


def cut(body: bytes) -> list[bytes]:
    """The messages in `body`, in order; what is no object is one too, so that it can be refused with its position.

    An array whose first element is an object is one message an element; another array is one message. Lines that are
    an object each are a message each. What is none of these is cut where objects begin and end: an array with a
    malformed element, objects with nothing between them.
    """
    body = body.removeprefix(_BOM).strip(_SPACE)
    if not body:
        return []
    if not _valid(body):
        return _lines(body) or _objects(body)
    if not body.startswith(b"["):
        return [body]
    elements = [bytes(element) for element in msgspec.json.decode(body, type=list[msgspec.Raw])]
    return elements if elements and elements[0].startswith(b"{") else [body]


def position(body: bytes, messages: Sequence[bytes], at: int) -> int:
    """Where in `body` message `at` of those that `cut` gave begins: bytes from 0."""
    start = 0
    for message in messages[:at]:
        start = body.index(message, start) + len(message)
    return body.index(messages[at], start)


def _valid(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _lines(body: bytes) -> list[bytes]:
    """The objects of the lines, where each is one by its looks; else none. A malformed line spoils no other."""
    lines = [line for part in body.split(b"\n") if (line := part.strip(_SPACE))]
    if not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return []
    return [each for line in lines for each in ([line] if _valid(line) else _objects(line))]


def _objects(body: bytes) -> list[bytes]:
    """The outermost objects, the last one as far as it goes, and what else stands before, between and after them."""
    array = body.startswith(b"[")
    found: list[bytes] = []
    depth = start = end = 0
    for token in _TOKEN.finditer(body, int(array)):
        if token[0] == b"{":
            if not depth:
                _between(found, body[max(end, int(array)) : token.start()])
                start = token.start()
            depth += 1
        elif token[0] == b"}" and depth:
            depth -= 1
            if not depth:
                end = token.end()
                found.append(body[start:end])
    if depth:
        found.append(body[start:])
    else:
        rest = body[max(end, int(array)) :]
        _between(found, rest.rstrip(_SPACE).removesuffix(b"]") if array else rest)
    return found


def _between(found: list[bytes], stretch: bytes) -> None:
    """Add what is neither space nor a comma."""
    if left := stretch.strip(_SPACE + b","):
        found.append(left)
