"""Everything that the user can do: one table, from which keys, help, footer and palette derive."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec
from textual.binding import Binding


class Pane(StrEnum):
    """Which pane a command acts on; where it has not the focus, the current one is meant."""

    APP = "app"
    GRID = "grid"
    PANEL = "panel"
    BOARD = "board"  # a panel of texts, pictures and the like
    CURSOR = "cursor"  # the one in a panel, while there is one
    LIST = "list"
    EVENTS = "events"


class Command(msgspec.Struct, frozen=True):
    """One thing that the user can do.

    keys: as Textual names them. shown: the keys as people write them. action: of the pane, where `{key}` stands for
    the key pressed. words: what it does. footer: the same in a word, where the footer shows it. replayed: what it
    does while a recording is replayed, where that is something else. replay_only: it is offered only then.
    """

    name: str
    keys: tuple[str, ...]
    shown: str
    action: str
    words: str
    group: str
    pane: Pane = Pane.APP
    footer: str = ""
    replayed: str = ""
    replay_only: bool = False

    def offered(self, replaying: bool) -> bool:
        return replaying or not self.replay_only

    def words_in(self, replaying: bool) -> str:
        return self.replayed if replaying and self.replayed else self.words

    @property
    def one_action(self) -> bool:
        """Whether every key does the same, so that the palette can offer it."""
        return "{key}" not in self.action

    def actions(self) -> Iterator[tuple[str, str]]:
        for key in self.keys:
            yield key, self.action.replace("{key}", key)


COMMANDS: tuple[Command, ...] = (
    # Panes
    Command("next pane", ("tab",), "Tab", "focus_next", "next pane", "Panes", footer="pane"),
    Command("previous pane", ("shift+tab",), "Shift+Tab", "focus_previous", "previous pane", "Panes"),
    Command("panel", tuple("123456789"), "1 … 9", "go('{key}')", "panel of that number", "Panes", Pane.GRID),
    Command("move", tuple("hjkl"), "h j k l", "move('{key}')", "pane to the left, below, above, right", "Panes"),
    Command("open", ("enter",), "Enter", "open", "list: show the selected stream", "Panes", Pane.LIST, "open"),
    Command(
        "maximise", ("enter", "m"), "Enter m", "maximise", "maximise the panel, and back", "Panes", Pane.GRID, "max"
    ),
    Command("page up", ("pageup",), "PgUp", "turn(-1)", "scroll, or previous page of panels", "Panes", Pane.GRID),
    Command("page down", ("pagedown",), "PgDn", "turn(1)", "scroll, or next page of panels", "Panes", Pane.GRID),
    Command("clear", ("x",), "x", "clear", "clear the panel: what came is seen no more", "Panes", Pane.GRID, "clear"),
    Command("clear all", ("X",), "X", "clear_all", "clear all panels", "Panes", Pane.GRID),
    Command("hide", ("H",), "H", "hide", "hide the panel; the list keeps it", "Panes", Pane.GRID),
    Command("show hidden", ("U",), "U", "unhide", "show all hidden panels again", "Panes", Pane.GRID),
    Command("tour", ("A",), "A", "tour", "tour the panels, 5 s each, and end that", "Panes", Pane.GRID),
    Command("leave", ("escape",), "Esc", "leave", "leave what is open", "Panes"),
    # Time
    Command(
        *("pause", ("space",), "Space", "pause", "pause the view; recording goes on", "Time"),
        footer="pause",
        replayed="play and pause the recording",
    ),
    Command("step back", ("comma",), ",", "step(-1)", "a tick back", "Time", footer="tick", replay_only=True),
    Command("step", ("full_stop",), ".", "step(1)", "a tick on", "Time", replay_only=True),
    Command("slower", ("less_than_sign",), "<", "speed(-1)", "slower", "Time", footer="speed", replay_only=True),
    Command(
        "faster", ("greater_than_sign",), ">", "speed(1)", "faster, up to as fast as can be", "Time", replay_only=True
    ),
    Command("go to", ("g",), "g", "go_to", "go to a time: 14:30, -10m, ISO …", "Time", footer="go to"),
    Command(
        "zoom in",
        ("plus", "equals_sign"),
        "+",
        "zoom(1)",
        "zoom in: time, picture, map",
        "Time",
        Pane.PANEL,
        "zoom",
    ),
    Command("zoom out", ("minus", "underscore"), "-", "zoom(-1)", "zoom out", "Time", Pane.PANEL),
    Command("reset", ("0",), "0", "reset", "range auto, no zoom, live, scale sticky", "Time", Pane.PANEL),
    Command("pan left", ("left",), "←", "pan(-1)", "back in time", "Time", Pane.PANEL, "pan"),
    Command("pan right", ("right",), "→", "pan(1)", "forward in time", "Time", Pane.PANEL),
    Command("oldest", ("home",), "Home", "oldest", "the oldest that is recorded", "Time", Pane.PANEL),
    Command("follow", ("f", "end"), "f End", "follow", "follow the newest again", "Time", Pane.PANEL, "follow"),
    Command("shorter", ("left_square_bracket",), "[", "range(-1)", "shorter range", "Time", Pane.PANEL, "range"),
    Command("longer", ("right_square_bracket",), "]", "range(1)", "longer range", "Time", Pane.PANEL),
    # Chart
    Command(
        "averages", ("a",), "a", "averages", "moving averages: off, SMA, EMA, both", "Chart", Pane.PANEL, "averages"
    ),
    Command(
        "chart", ("c",), "c", "chart(1)", "next kind that fits: line, area, bars …", "Chart", Pane.PANEL, "chart"
    ),
    Command("chart back", ("C",), "C", "chart(-1)", "previous kind that fits", "Chart", Pane.PANEL),
    Command("direction", ("d",), "d", "direction", "colour by the last move, and back", "Chart", Pane.PANEL),
    Command("interval", ("i",), "i", "interval(1)", "candles: longer; spectrum: next window", "Chart", Pane.PANEL),
    Command("interval back", ("I",), "I", "interval(-1)", "candles: shorter; spectrum: back", "Chart", Pane.PANEL),
    Command("scale", ("y",), "y", "scale", "scale: auto, sticky, fixed; FFT: unit", "Chart", Pane.PANEL, "scale"),
    Command("log", ("L",), "L", "log", "logarithmic scale", "Chart", Pane.PANEL, "log"),
    Command("field", ("n",), "n", "field", "next field of the stream", "Chart", Pane.PANEL),
    Command("cursor", ("v",), "v", "cursor", "cursor: reads out values; Esc ends it", "Chart", Pane.PANEL),
    # The cursor in a panel
    Command("cursor left", ("left",), "←", "move_cursor(-1, 0)", "cursor: left", "", Pane.CURSOR),
    Command("cursor right", ("right",), "→", "move_cursor(1, 0)", "cursor: right", "", Pane.CURSOR),
    Command("cursor up", ("up",), "↑", "move_cursor(0, -1)", "cursor: up", "", Pane.CURSOR),
    Command("cursor down", ("down",), "↓", "move_cursor(0, 1)", "cursor: down", "", Pane.CURSOR),
    Command(
        "cursor far left", ("shift+left",), "Shift+←", "move_cursor(-10, 0)", "cursor: far left", "", Pane.CURSOR
    ),
    Command(
        "cursor far right", ("shift+right",), "Shift+→", "move_cursor(10, 0)", "cursor: far right", "", Pane.CURSOR
    ),
    Command("leave cursor", ("escape",), "Esc", "leave_cursor", "cursor: end", "", Pane.CURSOR),
    # Lists
    Command(
        "select up", ("up",), "↑", "select(-1)", "select the one above; scroll texts", "Lists", Pane.LIST, "select"
    ),
    Command("select down", ("down",), "↓", "select(1)", "select the one below; scroll texts", "Lists", Pane.LIST),
    Command("list page up", ("pageup",), "PgUp", "scroll_by(-1)", "list: a page up", "", Pane.LIST),
    Command("list page down", ("pagedown",), "PgDn", "scroll_by(1)", "list: a page down", "", Pane.LIST),
    Command("sort", ("o",), "o", "sort", "sort by appearance, name, change %, rate, age", "Lists", Pane.LIST, "sort"),
    Command("filter", ("slash",), "/", "filter", "filter the list by a part of the name", "Lists", footer="filter"),
    Command("watch list", ("w",), "w", "watch_list", "watch list: with all columns, off, on", "Lists", footer="list"),
    Command("events", ("e",), "e", "events", "show or hide the log of events", "Lists", footer="events"),
    Command("events up", ("up",), "↑", "move(-1)", "events: a line up", "", Pane.EVENTS, "scroll"),
    Command("events down", ("down",), "↓", "move(1)", "events: a line down", "", Pane.EVENTS),
    Command("events page up", ("pageup",), "PgUp", "turn(-1)", "events: a page up", "", Pane.EVENTS),
    Command("events page down", ("pagedown",), "PgDn", "turn(1)", "events: a page down", "", Pane.EVENTS),
    Command("events newest", ("end",), "End", "newest", "events: the newest", "", Pane.EVENTS, "newest"),
    # A panel of texts, pictures and the like
    Command("open named", ("enter",), "Enter", "open_named", "open what is named", "", Pane.BOARD, "open"),
    Command("back", ("up",), "↑", "scroll_items(-1)", "texts: a line up", "", Pane.BOARD, "scroll"),
    Command("forward", ("down",), "↓", "scroll_items(1)", "texts: a line down", "", Pane.BOARD),
    Command("page back", ("pageup",), "PgUp", "scroll_items(0, -1)", "texts: a page up", "", Pane.BOARD),
    Command("page forward", ("pagedown",), "PgDn", "scroll_items(0, 1)", "texts: a page down", "", Pane.BOARD),
    # Program
    Command("screenshot", ("s",), "s", "screenshot", "the screen into an SVG file", "Program"),
    Command("sent", ("b",), "b", "sent", "bytes a second to the terminal: show, hide", "Program"),
    Command("theme", ("t",), "t", "theme", "next theme", "Program"),
    Command("palette", ("ctrl+p",), "Ctrl+P", "command_palette", "palette: find a command", "Program"),
    Command("help", ("question_mark",), "?", "help", "all keys", "Program", footer="help"),
    Command("suspend", ("ctrl+z",), "Ctrl+Z", "suspend_process", "suspend: stops recording; fg goes on", "Program"),
    Command("quit", ("q", "ctrl+c"), "q", "leave_program", "quit (so does Ctrl+C)", "Program", footer="quit"),
)
BOARDS_TOO = ("zoom in", "follow", "chart")  # commands of charts that boards have, too
GROUPS = ("Panes", "Time", "Chart", "Lists", "Program")


def bindings(pane: Pane) -> list[Binding]:
    """The keys that `pane` itself answers."""
    return [
        Binding(key, action, command.words, show=False, priority=key in ("ctrl+c", "ctrl+z"))
        for command in COMMANDS
        if command.pane is pane
        for key, action in command.actions()
    ]


def app_bindings() -> list[Binding]:
    """The keys that work wherever the focus is: the app's own, then those of panes, sent to the current one.

    Where two panes share a key, the one that comes first in the table gets it; scrolling keys of the lists stay
    theirs, as the grid's mean turning the page.
    """
    found = {binding.key: binding for binding in bindings(Pane.APP)}
    for pane in (Pane.GRID, Pane.PANEL, Pane.LIST):
        for command in COMMANDS:
            if command.pane is pane:
                for key, action in command.actions():
                    sent = f"send({pane.value!r}, {action!r})"
                    found.setdefault(key, Binding(key, sent, command.words, show=False))
    return list(found.values())


def footer(pane: Pane, replaying: bool = False) -> list[Command]:
    """What the footer shows while `pane` has the focus: its own commands first, before which a replay's come."""
    beside = {
        Pane.PANEL: (Pane.PANEL, Pane.GRID),
        Pane.GRID: (Pane.PANEL, Pane.GRID),
        Pane.BOARD: (Pane.BOARD, Pane.GRID),
    }.get(pane, (pane,))
    own = [c for c in COMMANDS if c.footer and (c.pane in beside or (pane is Pane.BOARD and c.name in BOARDS_TOO))]
    own.sort(key=lambda command: command.name == "clear")  # no key to try first
    every = [c for c in COMMANDS if c.footer and c.pane is Pane.APP and c.offered(replaying)]
    first = [c for c in every if replaying and (c.replayed or c.replay_only or c.name == "go to")]
    return first + own + [c for c in every if c not in first]
