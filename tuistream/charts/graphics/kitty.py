"""Commands of Kitty's terminal graphics protocol: a picture is sent once, and cells of text say where it is seen.

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/. A placement that is virtual (U=1) is seen wherever there
are cells of U+10EEEE: two marks on each say which row and which column of the picture it is, and the colour of the
text is the picture's number. Such a cell can be written, overwritten and moved as any other.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuistream.charts.graphics.reduced import Reduced

PLACEHOLDER: Final = "\U0010eeee"
CHUNK: Final = 4_096  # most characters of base64 in a command
LEAST_CHUNK: Final = 64
NUMBERS: Final = 1 << 24  # of pictures: a colour's bits
COMPRESSION: Final = 3  # of 9: more takes twice the time for a few percent
# No answer is wanted: it would come among the keys.
_QUIET: Final = "q=2"
# The marks for 0, 1, 2 …: combining characters above (class 230) without decompositions, of Unicode 6.0.
_MARKS: Final = (
    "305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1 5a8-5a9 5ab-5ac "
    "5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733 735-736 73a 73d 73f-741 743 745 "
    "747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954 f82-f83 f86-f87 135d-135f 17dd 193a 1a17 "
    "1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1 1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 "
    "20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1 2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 "
    "aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f 10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244"
)


def _marks() -> Iterator[str]:
    for stretch in _MARKS.split():
        first, _, last = stretch.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


MARKS: Final = tuple(_marks())
MOST_CELLS: Final = len(MARKS)  # rows, or columns, of a picture


def payload(reduced: Reduced) -> str:
    """A picture as a PNG in base64, which `chunk` cuts. Raises ImportError without Pillow."""
    out = io.BytesIO()
    reduced.image().save(out, "PNG", compress_level=COMPRESSION)
    return base64.b64encode(out.getvalue()).decode("ascii")


def chunk(number: int, columns: int, rows: int, data: str, start: int, most: int) -> tuple[str, int]:
    """The command that sends `data` from `start` on, about `most` characters of it, and where the next one starts.

    The last one has the picture seen, in cells of its number: columns x rows of them. Between the commands of one
    picture there may be anything but others of the protocol.
    """
    room = max(LEAST_CHUNK, min(CHUNK, most) // 4 * 4)
    stop = min(len(data), start + room)
    more = f"m={int(stop < len(data))}"
    keys = more if start else f"a=T,U=1,f=100,t=d,i={number},c={columns},r={rows},{_QUIET},{more}"
    return f"\x1b_G{keys};{data[start:stop]}\x1b\\", stop


def broken_off() -> str:
    """Ends a picture that was not sent whole."""
    return "\x1b_Gm=0;\x1b\\"


def deletion(number: int) -> str:
    """Has the terminal forget a picture, and free what it takes."""
    return f"\x1b_Ga=d,d=I,i={number},{_QUIET}\x1b\\"


def cell(row: int, column: int) -> str:
    """The text of a cell in which a part of a picture is seen; its colour is the picture's number."""
    return f"{PLACEHOLDER}{MARKS[row]}{MARKS[column]}"
