"""One row of text in parts of several inks, and how parts find room in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, cast

import msgspec
from rich import cells
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget

from tuistream.ui.cell_codes import is_narrow
from tuistream.ui.ink_colours import WORDS, colour_of
from tuistream.ui.painting import PaintedApp

Part = tuple[
    str, str
]  # a text and its ink: one of `ink_colours.WORDS`, a colour as "#rrggbb", or "" for the widget's own


class Group(msgspec.Struct, frozen=True):
    """Parts that stand or fall together. rank: the highest falls first where room is short; 0 stays."""

    parts: tuple[Part, ...]
    rank: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        return sum(cell_len(text) for text, _ink in self.parts)


def fitted(groups: Iterable[Group], room: int, gap: int) -> list[Group]:
    """The groups that fit into `room` cells with `gap` cells between any two, in their order, without empty ones."""
    kept = [group for group in groups if group.width]
    while sum(group.width for group in kept) + gap * (len(kept) - 1) > room:
        last = max((group.rank for group in kept), default=0)
        if not last:
            break
        kept.remove(next(group for group in reversed(kept) if group.rank == last))
    return kept


def spread(groups: Iterable[Group], room: int, gap: Part, fill: str, fill_ink: str = "") -> list[Part]:
    """A row of `room` cells: left groups, the `fill` character as often as needed, right groups."""
    kept = fitted(groups, room, cell_len(gap[0]))
    left = joined([group.parts for group in kept if not group.right], gap)
    right = joined([group.parts for group in kept if group.right], gap)
    free = room - width_of(left) - width_of(right)
    return [*left, (fill * max(0, free), fill_ink), *right]


def joined(rows: Sequence[Sequence[Part]], gap: Part) -> list[Part]:
    parts: list[Part] = []
    for index, row in enumerate(rows):
        if index:
            parts.append(gap)
        parts.extend(row)
    return parts


def width_of(parts: Iterable[Part]) -> int:
    return sum(cell_len(text) for text, _ink in parts)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in at most `width` cells, cut with an ellipsis."""
    if cell_len(text) <= width:
        return text
    kept = text[: max(0, width)]
    while kept and cell_len(kept) > width - len(ellipsis):
        kept = kept[:-1]
    return (kept + ellipsis)[: max(0, width)]


def cell_len(text: str) -> int:
    """How many cells a text has."""
    return len(text) if is_narrow(text) else cells.cell_len(text)


def padded(text: str, width: int, right: bool = False) -> str:
    """`text` in exactly `width` cells, cut where it is longer."""
    text = cut(text, width)
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def wrapped(text: str, width: int) -> Iterator[str]:
    """`text` in lines of at most `width` cells, at least 1, broken at blanks where there are any."""
    start = blank = used = 0
    for place, char in enumerate(text):
        size = cell_len(char)
        used += size
        if used > width and place > start:
            end = blank if blank > (start + place) // 2 else place
            yield text[start:end]
            start = end + (text[end] == " ")
            used = sum(map(cell_len, text[start : place + 1]))
        if char == " ":
            blank = place
    yield text[start:]


def in_ascii(text: str) -> str:
    """`text` for a terminal that has nothing else: other characters become ?, an ellipsis and ≈ ~."""
    return text if text.isascii() else text.replace("…", "~").replace("≈", "~").encode("ascii", "replace").decode()


class InkPot:
    """The styles of words in the app's theme."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._variables: dict[str, str] = {}  # of the theme that the styles are of
        self._styles: dict[str, Style] = {}

    def style(self, ink: str) -> Style:
        if ink.startswith("#"):
            return Style(color=ink)
        if self._variables is not self._app.theme_variables:
            self._variables, self._styles = self._app.theme_variables, {}
        style = self._styles.get(ink)
        if style is None:
            variable, _percent, bold, behind = WORDS[ink]
            style = Style(color=self._colour(variable), bgcolor=self._colour(behind), bold=bold or None)
            self._styles[ink] = style
        return style

    def _colour(self, variable: str) -> RichColor | None:
        """None where nothing would be seen of it, too."""
        colour = colour_of(self._variables, variable) if variable else None
        return colour.rich_color if colour is not None and colour.a else None


class InkedApp(Protocol):
    """What an app needs that shows inked widgets. ascii_only: whether the terminal has nothing else."""

    inks: InkPot
    ascii_only: bool


class InkedWidget(Widget):
    """A widget that draws rows of parts. No text is ever read as markup."""

    def strip_of(self, parts: Iterable[Part], width: int) -> Strip:
        """A finished row, cut or filled to `width` cells."""
        app = cast(InkedApp, self.app)
        own = self.visual_style.rich_style
        segments = [
            Segment(in_ascii(text) if app.ascii_only else text, own + app.inks.style(ink) if ink else own)
            for text, ink in parts
            if text
        ]
        return Strip(segments).adjust_cell_length(width, own)


class Line(InkedWidget):
    """One row, sent to the terminal again only if it changed."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.parts: tuple[Part, ...] = ()

    def show(self, parts: Iterable[Part]) -> bool:
        """Show these; whether they are others than before."""
        shown = tuple(parts)
        if shown == self.parts:
            return False
        before, self.parts = self.parts, shown
        app = self.app if self.is_attached else None
        painted = isinstance(app, PaintedApp) and (self._paint_what_differs(app, before) or app.paint_row(self, 0))
        if not painted:
            self.refresh()
        return True

    def _paint_what_differs(self, app: PaintedApp, before: Sequence[Part]) -> bool:
        """Paint the parts from the first that differs to the last, where what follows stays in its place."""
        now = self.parts
        first = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), -1)
        if first < 0 or len(before) != len(now):
            return False
        last = len(now)
        while before[last - 1] == now[last - 1]:
            last -= 1
        x, width = width_of(now[:first]), width_of(now[first:last])
        if width != width_of(before[first:last]):
            return False
        own, inks = self.visual_style.rich_style, cast(InkedApp, app).inks
        ascii_only = cast(InkedApp, app).ascii_only
        texts = [
            (in_ascii(text) if ascii_only else text, own + inks.style(ink) if ink else own)
            for text, ink in now[first:last]
        ]
        return app.paint_texts(self, 0, x, texts)

    @property
    def text(self) -> str:
        return "".join(text for text, _ink in self.parts)

    def render_line(self, y: int) -> Strip:
        return self.strip_of(self.parts if y == 0 else (), self.size.width)
