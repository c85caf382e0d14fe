"""Messages of any shape into rows of ticks, by a plan for each shape."""

from __future__ import annotations

from typing import Any

from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.control import complaint, degree, is_beat, ping_reply
from tuistream.decoders.discovery.plan import Entry, Plan, RowList, plan_for
from tuistream.decoders.discovery.shapes import MAX_SHAPE, Object, Shape, is_list_row, shape_of, size_of
from tuistream.decoders.discovery.streams import StreamFinder
from tuistream.decoders.discovery.survey import Path
from tuistream.decoders.wire.json_text import Malformed, loads
from tuistream.decoders.wire.numbers import NAN, is_not_finite, is_number, to_float, to_id
from tuistream.decoders.wire.rows import Rows, StreamRows
from tuistream.decoders.wire.timestamps import to_ns

MAX_PLANS = 1_024  # shapes that are remembered; past it all are forgotten
MAX_NEW_SHAPES = 200  # of one message; rows of further ones are not looked at, since a plan takes time to make
MAX_ENTRIES = 20_000  # combinations of names and kinds that are remembered, all plans together
MAX_LABEL = 200  # characters of a name or kind that is remembered
MAX_CHAIN = 64  # objects around a row of a row of a row; what is deeper is not looked at
MAX_LIST_ROW = 16
LIST_KEYS = tuple(f"v{position}" for position in range(MAX_LIST_ROW))


class Reader:
    """Reads one message after the other. What the last one held stands in the attributes.

    ticks: rows that it gave. bad_times: those whose time cannot be. not_finite: ticks without a finite number, which
    are none. control: it was a control message, which said `complaints` and is owed `replies`.
    """

    def __init__(self, rows: Rows, options: DecoderOptions) -> None:
        self._options = options
        self._finder = StreamFinder(rows)
        self._top = RowList(-1, "")
        self._remembered: list[dict[Shape, Plan]] = []  # a plan was put into each
        self._entry_count = 0
        self._new_shapes = 0  # in this message
        self._recv = 0
        self.forgotten = 0  # how often all plans were
        self.ticks = self.bad_times = self.not_finite = 0
        self.control = False
        self.complaints: list[str] = []
        self.replies: list[str] = []

    def read(self, value: object, recv: int) -> None:
        """Take one frame's JSON value. recv: ns since 1970 UTC."""
        self.ticks = self.bad_times = self.not_finite = 0
        if self.control:
            self.control, self.complaints, self.replies = False, [], []
        self._recv = recv
        self._new_shapes = 0
        if type(value) is dict:
            if len(value) == 1 and is_beat(value):
                self._take_control(value)
                return
            shape = shape_of(value)
            plan = self._top.plans.get(shape)
            if plan is None or not plan.flat or not self._flat_tick(plan, value):
                self._message([value], None, self._top, shape)
        elif type(value) is list:
            self._list(value)
        elif is_number(value):
            self._row({"value": value})
        elif type(value) is str:
            self._text(value, recv)
        elif type(value) is float:
            self.not_finite += 1

    def plan_of(self, value: object) -> Plan | None:
        """The plan by which a frame's object is read, if such a one has been read."""
        return self._top.plans.get(shape_of(value)) if type(value) is dict else None

    def _text(self, text: str, recv: int) -> None:
        """A string that holds JSON (some senders encode twice), or a control word."""
        if text.lower() in words.TEXT_CONTROL:
            self.control = True
        elif text[:1] in ("{", "["):
            try:
                inner = loads(text.encode("utf-8", "surrogatepass"))
            except Malformed:
                return
            if type(inner) is not str:
                self.read(inner, recv)

    def _list(self, values: list[Any]) -> None:
        """A list of messages, of rows that are lists with a time, or of a few numbers."""
        if not values:
            return
        if type(values[0]) is dict or type(values[0]) is list:
            for row in values:
                if type(row) is dict:
                    self._row(row)
                elif is_list_row(row):
                    self._list_row([], None, self._top, row, must_be_timed=True)
        elif is_list_row(values) or (len(values) == 1 and is_number(values[0])):
            self._list_row([], None, self._top, values, must_be_timed=False)
        elif any(type(value) is str and value.lower() in words.TEXT_CONTROL for value in values[:MAX_LIST_ROW]):
            self.control = True

    def _row(self, message: Object) -> None:
        self._message([message], None, self._top, shape_of(message))

    def _list_row(
        self,
        enclosing: list[Object],
        parent: Plan | None,
        within: RowList,
        row: list[Any],
        must_be_timed: bool,
    ) -> None:
        message = dict(zip(LIST_KEYS, row, strict=False))
        shape = (must_be_timed, *shape_of(message))
        self._message([*enclosing, message], parent, within, shape, listed=True, must_be_timed=must_be_timed)

    def _flat_tick(self, plan: Plan, message: Object) -> bool:
        """Take a message with no object or list in it, of a stream that is known: the commonest, in short.

        False where it is less simple than that; nothing has happened then.
        """
        entry = plan.entries.get(tuple([message[key] for _, key, _ in plan.labels]))
        if entry is None or entry.rows is None or entry.control or not entry.direct:
            return False
        values = [to_float(message[key]) for _, key, _ in plan.paths]
        rows = entry.rows
        if rows.width != len(values) or (values[0] != values[0] and all(value != value for value in values)):
            return False
        t = self._recv
        if plan.time is not None:
            told = to_ns(message[plan.time[1]], t)
            if told is None:
                return False
            t = told
        rows.add(t, values, to_id(message[plan.id[1]]) if plan.id is not None else None)
        self.ticks = 1
        return True

    def _message(
        self,
        objects: list[Object],
        parent: Plan | None,
        within: RowList,
        shape: Shape,
        listed: bool = False,
        must_be_timed: bool = False,
    ) -> None:
        """Take the last of `objects`; those before enclose it, as `parent` knows them. `objects` is used up."""
        message = objects[-1]
        plan = within.plans.get(shape)
        if plan is None or (plan.pending and any(is_number(message[key]) for key in plan.pending)):
            self._new_shapes += 1
            if self._new_shapes > MAX_NEW_SHAPES:
                return
            plan = plan_for(
                objects, parent, within, self._options, self._recv, listed=listed, must_be_timed=must_be_timed
            )
            self._remember(within.plans, shape, plan)
        for at, key in plan.opens:
            objects.append(objects[at][key])
        labels = tuple([_value(objects, path) for path in plan.labels])
        entry = plan.entries.get(labels)
        if entry is None:
            entry = self._new_entry(plan, labels)
        if entry.control == 2:
            self._take_control(message)
            return
        if plan.lists and not entry.book and self._row_lists(plan, objects):
            return
        if entry.control and not plan.serious:
            self._take_control(message)
        elif plan.paths and not (entry.book and plan.counts_only):
            self._tick(plan, entry, labels, objects)

    def _row_lists(self, plan: Plan, objects: list[Object]) -> bool:
        """Take the rows in a message; whether they gave a tick."""
        if len(objects) > MAX_CHAIN:
            return False
        before = self.ticks
        for each in plan.lists:
            for row in objects[each.container][each.key]:
                if type(row) is dict:
                    self._message([*objects, row], plan, each, shape_of(row))
                elif is_list_row(row):
                    self._list_row(objects, plan, each, row, must_be_timed=True)
        return self.ticks > before

    def _tick(self, plan: Plan, entry: Entry, labels: tuple[Any, ...], objects: list[Object]) -> None:
        values = [to_float(_value(objects, path)) for path in plan.paths]
        if values[0] != values[0] and all(value != value for value in values):
            self.not_finite += any(is_not_finite(_value(objects, path)) for path in plan.paths)
            return
        rows = entry.rows
        if rows is None:
            rows = self._resolve(plan, entry, labels)
            if rows is None:
                return
        if not entry.direct or rows.width != len(values):
            padded = [NAN] * rows.width
            for column, value in zip(entry.columns, values, strict=True):
                if column >= 0:
                    padded[column] = value
            values = padded
        t = self._recv
        if plan.time is not None:
            told = to_ns(_value(objects, plan.time), t)
            if told is None:
                self.bad_times += 1
            else:
                t = told
        rows.add(t, values, to_id(_value(objects, plan.id)) if plan.id is not None else None)
        self.ticks += 1

    def _resolve(self, plan: Plan, entry: Entry, labels: tuple[Any, ...]) -> StreamRows | None:
        """Which stream the entry's ticks are of, found with the first of them."""
        names, kinds = len(plan.names), len(plan.names) + len(plan.kinds)
        rows = self._finder.find(labels[:names], labels[names:kinds], plan)
        if rows is None:
            return None
        known = {name: column for column, name in enumerate(rows.stream.fields)}
        columns = tuple(known.get(name, -1) for name in plan.fields)
        if max(columns) < 0:
            return None
        entry.rows, entry.columns = rows, columns
        entry.direct = columns == tuple(range(len(columns)))
        return rows

    def _new_entry(self, plan: Plan, labels: tuple[Any, ...]) -> Entry:
        keyed = [(key, value) for (_, key, _), value in zip(plan.labels, labels, strict=True)]
        controls = len(plan.names) + len(plan.kinds)
        entry = Entry(
            degree(keyed[controls:], plan.answer) if plan.is_top else 0,
            any(key in words.KINDS and words.A_BOOK.search(str(value)) is not None for key, value in keyed),
        )
        if all(type(value) is not str or len(value) <= MAX_LABEL for value in labels):
            self._entry_count += 1
            if self._entry_count > MAX_ENTRIES:
                self._forget()
            plan.entries[labels] = entry
        return entry

    def _remember(self, plans: dict[Shape, Plan], shape: Shape, plan: Plan) -> None:
        if size_of(shape) > MAX_SHAPE:
            return
        if len(self._remembered) >= MAX_PLANS:
            self._forget()
        self._remembered.append(plans)
        plans[shape] = plan

    def _forget(self) -> None:
        for plans in self._remembered:
            for plan in plans.values():
                plan.entries.clear()
            plans.clear()
        self._remembered.clear()
        self._entry_count = 1
        self.forgotten += 1

    def _take_control(self, message: Object) -> None:
        self.control = True
        reply = ping_reply(message)
        if reply:
            self.replies.append(reply)
        said = complaint(message)
        if said:
            self.complaints.append(said)


def _value(objects: list[Object], path: Path) -> Any:
    at, key, position = path
    value = objects[at][key]
    return value if position < 0 else value[position]
