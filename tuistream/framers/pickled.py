"""Pickles that hold one string or bytes, read by their opcodes; nothing is ever made or called for one.

Source: Python's Lib/pickletools.py, protocols 0 to 5.
"""

from __future__ import annotations

import codecs
from typing import Final

PROTOCOLS: Final = 5
MAX_LINE: Final = 20  # characters of a number in a line

# Strings and bytes behind their length: opcode, bytes of the length.
_TEXTS: Final = {b"X": 4, b"\x8c": 1, b"\x8d": 8}
_BYTES: Final = {b"B": 4, b"C": 1, b"\x8e": 8, b"\x96": 8, b"T": 4, b"U": 1}
_MEMO: Final = {b"\x94": 0, b"q": 1, b"r": 4}  # what is kept for later use: opcode, bytes of its argument
_REFUSED: Final = {
    b"(": "MARK", b"0": "POP", b"1": "POP_MARK", b"2": "DUP", b"F": "FLOAT", b"I": "INT", b"J": "BININT",
    b"K": "BININT1", b"L": "LONG", b"M": "BININT2", b"N": "NONE", b"P": "PERSID", b"Q": "BINPERSID", b"R": "REDUCE",
    b"a": "APPEND", b"b": "BUILD", b"c": "GLOBAL", b"d": "DICT", b"}": "EMPTY_DICT", b"e": "APPENDS", b"g": "GET",
    b"h": "BINGET", b"i": "INST", b"j": "LONG_BINGET", b"l": "LIST", b"]": "EMPTY_LIST", b"o": "OBJ", b"s": "SETITEM",
    b"t": "TUPLE", b")": "EMPTY_TUPLE", b"u": "SETITEMS", b"G": "BINFLOAT", b"\x81": "NEWOBJ", b"\x82": "EXT1",
    b"\x83": "EXT2", b"\x84": "EXT4", b"\x85": "TUPLE1", b"\x86": "TUPLE2", b"\x87": "TUPLE3", b"\x88": "NEWTRUE",
    b"\x89": "NEWFALSE", b"\x8a": "LONG1", b"\x8b": "LONG4", b"\x8f": "EMPTY_SET", b"\x90": "ADDITEMS",
    b"\x91": "FROZENSET", b"\x92": "NEWOBJ_EX", b"\x93": "STACK_GLOBAL", b"\x97": "NEXT_BUFFER",
    b"\x98": "READONLY_BUFFER",
}  # fmt: skip


class NoString(ValueError):
    """The pickle holds something else than one string, or is none; says what."""


def string_of(pickle: bytes) -> bytes:
    """The string that a pickle holds, as UTF-8, or its bytes. Raises NoString."""
    return _Reader(pickle).string()


class _Reader:
    def __init__(self, pickle: bytes) -> None:
        self._pickle = pickle
        self._at = 0
        self._values: list[bytes] = []

    def string(self) -> bytes:
        while (opcode := self._take(1)) != b".":
            if opcode == b"\x80":
                self._protocol()
            elif opcode == b"\x95":
                self._take(8)  # how long a stretch of opcodes is, which we see
            elif opcode in _MEMO:
                self._take(_MEMO[opcode])
            elif opcode == b"p":
                self._memo_line()
            else:
                self._values.append(self._string(opcode))
        if len(self._values) != 1:
            raise NoString(f"a pickle of {len(self._values):,} strings")
        if self._at < len(self._pickle):
            raise NoString(f"a pickle with {len(self._pickle) - self._at:,} bytes behind its end")
        return self._values[0]

    def _string(self, opcode: bytes) -> bytes:
        if opcode in _TEXTS:
            return self._take(int.from_bytes(self._take(_TEXTS[opcode]), "little"))
        if opcode in _BYTES:
            return self._take(int.from_bytes(self._take(_BYTES[opcode]), "little"))
        if opcode == b"V":
            return self._unicode(self._line())
        if opcode == b"S":
            return self._quoted(self._line())
        if opcode in _REFUSED:
            raise NoString(f"a pickle with {_REFUSED[opcode]} in it, which holds more than a string")
        raise NoString(f"no pickle: no opcode is 0x{opcode.hex()}")

    def _protocol(self) -> None:
        protocol = self._take(1)[0]
        if protocol > PROTOCOLS:
            raise NoString(f"a pickle of protocol {protocol}; up to {PROTOCOLS} are known")

    def _memo_line(self) -> None:
        line = self._line()
        if not line.isdigit() or len(line) > MAX_LINE:
            raise NoString("a pickle with a PUT that is no number")

    def _unicode(self, line: bytes) -> bytes:
        try:
            return line.decode("raw-unicode-escape").encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise NoString(f"a pickle with a broken string: {error.reason}") from None

    def _quoted(self, line: bytes) -> bytes:
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise NoString("a pickle with a string without quotes")
        try:
            return codecs.escape_decode(line[1:-1])[0]
        except ValueError as error:
            raise NoString(f"a pickle with a broken string: {error}") from None

    def _line(self) -> bytes:
        end = self._pickle.find(b"\n", self._at)
        if end < 0:
            raise NoString("a pickle that is cut short")
        line, self._at = self._pickle[self._at : end], end + 1
        return line

    def _take(self, size: int) -> bytes:
        if size > len(self._pickle) - self._at:
            raise NoString("a pickle that is cut short")
        self._at += size
        return self._pickle[self._at - size : self._at]
