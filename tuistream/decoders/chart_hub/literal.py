"""JavaScript literals, read and never run: objects, arrays, strings, numbers, true, false, null and undefined.

Source: ECMA-262, sections 12.9 (literals) and 13.2.5 (object initialisers), of which what holds no expression.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 32  # objects and arrays in one another
MAX_NODES: Final = 100_000  # values and keys

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]{1,16}|(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,5})?)", re.ASCII
)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_STRING = re.compile(r"""'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r\n|(.))", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}


class NoLiteral(ValueError):
    """The text is no literal; says what stands where."""


def parse(text: str) -> object:
    """The value of a literal: dict, list, str, int, float, bool or None. Raises NoLiteral.

    A key that comes twice has its last value, as in JavaScript.
    """
    reader = _Reader(text)
    value = reader.value(0)
    reader.end()
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._nodes = 0

    def value(self, depth: int) -> object:
        char = self._next()
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise NoLiteral(f"over {MAX_NODES:,} values")
        if depth > MAX_DEPTH:
            raise NoLiteral(f"nested over {MAX_DEPTH} deep")
        if char == "{":
            return self._object(depth)
        if char == "[":
            return self._array(depth)
        if char in ("'", '"'):
            return self._string()
        if word := _NAME.match(self._text, self._at):
            if word[0] not in _WORDS:
                raise self._wrong("a value")
            self._at = word.end()
            return _WORDS[word[0]]
        return self._number()

    def end(self) -> None:
        if self._next():
            raise self._wrong("the end")

    def _object(self, depth: int) -> dict[str, object]:
        self._at += 1
        members: dict[str, object] = {}
        while self._next() != "}":
            key = self._key()
            self._expect(":")
            members[key] = self.value(depth + 1)
            if self._next() != "}":
                self._expect(",")
        self._at += 1
        return members

    def _array(self, depth: int) -> list[object]:
        self._at += 1
        values: list[object] = []
        while self._next() != "]":
            values.append(self.value(depth + 1))
            if self._next() != "]":
                self._expect(",")
        self._at += 1
        return values

    def _key(self) -> str:
        if self._next() in ("'", '"'):
            return self._string()
        if name := _NAME.match(self._text, self._at):
            self._at = name.end()
            return name[0]
        return str(self._number())

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if not found:
            raise self._wrong("the end of a string")
        self._at = found.end()
        written = found[1] if found[1] is not None else found[2]
        if "\\" not in written:
            return written
        text = _ESCAPE.sub(_unescaped, written)
        # Two escapes may be the halves of one character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        if not found:
            raise self._wrong("a value")
        self._at = found.end()
        text = found[0]
        if "x" in text.lower():
            return int(text, 16)
        return float(text) if any(char in text for char in ".eE") else int(text)

    def _expect(self, char: str) -> None:
        if self._next() != char:
            raise self._wrong(repr(char))
        self._at += 1

    def _next(self) -> str:
        """The next character that is neither space nor comment, which is where we are now; "" at the end."""
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()
        return self._text[self._at : self._at + 1]

    def _wrong(self, wanted: str) -> NoLiteral:
        there = self._text[self._at : self._at + 12]
        return NoLiteral(f"{wanted} is wanted at {self._at}, where {there!r} stands" if there else "it is cut short")


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return _ESCAPES.get(escape[4], escape[4]) if escape[4] else ""
