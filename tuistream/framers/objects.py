"""JSON objects that follow one another in a byte stream, with anything or nothing between them.

What is in an object is not looked at (RFC 8259 says what may be), but for what tells where it ends: strings, their
escapes, and braces. An object begins with a `{` that a `"` or a `}` follows. It is broken where a string has a
control character in it, which JSON does not allow, or where a `{` comes after something else than `:`, `,` or `[`:
there it was cut short, and another one may begin.
"""

from __future__ import annotations

import re
from typing import Final

from tuistream.framers.contract import SAMPLE, Refused

LIMIT: Final = 1 << 20  # bytes of an object
DEPTH: Final = 256  # braces within braces
_QUICK_DEPTH = 4  # found by one regular expression; deeper ones brace by brace

_SEPARATORS = b" \t\r\n,\x00\x1e"  # RFC 7464 has \x1e before each; some senders a NUL after it
_STRING = rb'"[^"\\\x00-\x1f]*(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*)*"'


def _objects(depth: int) -> bytes:
    """A regular expression for objects that hold objects so deep. Its parts exclude each other: it is linear."""
    inner = rb"|" + _objects(depth - 1) if depth else b""
    return rb'\{[^{}"]*(?:(?:' + _STRING + inner + rb')[^{}"]*)*\}'


# The commonest, which one look tells: no object within, no escape, and a brace in no string if quotes are even.
_FLAT = re.compile(b"[" + _SEPARATORS + rb']*(\{\s*"[^{}\\\x00-\x1f]*\})')
_NEXT = re.compile(b"[" + _SEPARATORS + rb']*((?=\{\s*["}])' + _objects(_QUICK_DEPTH) + rb")")
_START = re.compile(rb'\{(?=\s*(?:["}]|\Z))')  # at the end of a read what follows is not known yet
_CUT_SHORT = re.compile(rb"[^:,\[\s]\s*\{")  # or it stands in a string
_SIGNIFICANT = re.compile(rb"\S")
_BEFORE_INNER = b":,["
_OUTSIDE = re.compile(rb'["{}]')
_INSIDE = re.compile(rb'["\\\x00-\x1f]')


class ObjectFramer:
    """Cuts a byte stream into JSON objects, each at most `limit` bytes long and `depth` braces deep.

    What stands between objects and is no separator (white space, comma, RS, NUL) is refused, a stretch of it once,
    whatever broken objects are in it. So is an object beyond a limit, which is passed over to its end.
    """

    def __init__(self, limit: int = LIMIT, depth: int = DEPTH) -> None:
        self._limit = limit
        self._max_depth = depth
        self._refused: list[Refused] = []
        self._in_refused = False  # what was refused last goes on until the next object
        self._begin_anew()

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their object."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The objects that end in `chunk`, oldest first."""
        frames: list[bytes] = []
        at = self._go_on(chunk, 0, frames) if self._depth else 0
        while at < len(chunk):
            found = self._quick(chunk, at)
            if found is not None:
                frames.append(found[1])
                self._in_refused = False
                at = found.end()
                continue
            begun = _START.search(chunk, at)
            start = begun.start() if begun else -1
            between = chunk[at:start] if start >= 0 else chunk[at:]
            if between.strip(_SEPARATORS):
                self._refuse(between.lstrip(_SEPARATORS), "not a JSON object")
            if start < 0:
                break
            self._begin_anew(depth=1, held=b"{")
            at = self._go_on(chunk, start + 1, frames)
        return frames

    def end(self) -> list[bytes]:
        """No frames: an object that has not ended is refused."""
        if self._depth and not self._passing_over:
            self._refuse(bytes(self._held), "JSON is cut short")
        self._in_refused = False
        self._begin_anew()
        return []

    def take_refused(self) -> list[Refused]:
        refused, self._refused = self._refused, []
        return refused

    def _quick(self, chunk: bytes, at: int) -> re.Match[bytes] | None:
        """What stands at `at`, if one look tells that it is one object that may be taken."""
        found = _FLAT.match(chunk, at)
        if found is None or found[1].count(b'"') % 2:
            found = _NEXT.match(chunk, at) if self._max_depth > _QUICK_DEPTH else None
            if found is None or (found[1].count(b"{") > 1 and _CUT_SHORT.search(found[1])):
                return None
        return found if found.end() - found.start(1) <= self._limit else None

    def _begin_anew(self, depth: int = 0, held: bytes = b"") -> None:
        self._depth = depth  # of the object that has begun
        self._held = bytearray(held)  # its bytes; none of one that is passed over
        self._passing_over = False
        self._in_string = False
        self._escaped = False  # a backslash was the last byte
        self._bare = depth == 1  # nothing but white space has followed its brace
        self._before = 0  # the last byte outside of strings that is no white space

    def _go_on(self, chunk: bytes, at: int, frames: list[bytes]) -> int:
        """Read on in the object that has begun; where it ends, or where what is no object begins or `chunk` ends."""
        start = at
        if self._bare:
            first = _SIGNIFICANT.search(chunk, at)
            self._bare = first is None
            if first is not None and first[0] not in b'"}':
                self._break("not a JSON object")
                return at
        while self._depth:
            if self._in_string:
                at = self._string(chunk, at)
                if at < 0:
                    self._hold(chunk, start, len(chunk))
                    return len(chunk)
                if self._in_string:  # broken: what follows the control character may be anything
                    self._hold(chunk, start, at)
                    self._break("a control character in a string")
                    return at
            found = _OUTSIDE.search(chunk, at)
            if found is None:
                self._note_before(chunk, at, len(chunk))
                self._hold(chunk, start, len(chunk))
                return len(chunk)
            place, byte = found.start(), found[0]
            self._note_before(chunk, at, place)
            if byte == b"{" and self._before not in _BEFORE_INNER:
                self._hold(chunk, start, place)
                self._break("JSON is cut short")
                return place
            at = place + 1
            self._before = byte[0]
            if byte == b'"':
                self._in_string = True
            else:
                self._depth += 1 if byte == b"{" else -1
                if self._depth > self._max_depth and not self._passing_over:
                    self._pass_over(chunk, start, f"nested deeper than {self._max_depth:,} objects")
        self._hold(chunk, start, at)
        if not self._passing_over:
            frames.append(bytes(self._held))
            self._in_refused = False
        self._begin_anew()
        return at

    def _string(self, chunk: bytes, at: int) -> int:
        """Where in `chunk` the string that has begun ends, behind its quote; -1 if not in it.

        `_in_string` stays true where a control character is what ends it.
        """
        if self._escaped and at < len(chunk):
            self._escaped = False
            at += chunk[at] >= 0x20
        while found := _INSIDE.search(chunk, at):
            at = found.end()
            if found[0] == b"\\":
                if at == len(chunk):
                    self._escaped = True
                    return -1
                at += chunk[at] >= 0x20
                continue
            self._in_string = found[0] != b'"'
            return at
        return -1

    def _note_before(self, chunk: bytes, at: int, end: int) -> None:
        if at < end and (seen := chunk[at:end].rstrip()):
            self._before = seen[-1]

    def _hold(self, chunk: bytes, start: int, end: int) -> None:
        """Keep what was read of the object, as far as it may be that long."""
        if self._passing_over:
            return
        if len(self._held) + end - start > self._limit:
            self._pass_over(chunk, start, f"an object is over the limit of {self._limit:,} bytes (--max-frame)")
        else:
            self._held += memoryview(chunk)[start:end]

    def _pass_over(self, chunk: bytes, start: int, why: str) -> None:
        self._in_refused = False  # it is one of its own
        self._refuse(bytes(self._held[:SAMPLE]) + chunk[start : start + SAMPLE], why)
        self._in_refused = False
        self._passing_over = True
        self._held.clear()

    def _break(self, why: str) -> None:
        if not self._passing_over:
            self._refuse(bytes(self._held), why)
        self._begin_anew()

    def _refuse(self, what: bytes, why: str) -> None:
        if not self._in_refused:
            self._refused.append((what[:SAMPLE], why))
            self._in_refused = True
