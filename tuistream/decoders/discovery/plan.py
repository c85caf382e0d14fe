"""How to read the messages of one shape: where the time, the names, the id and the fields stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tuistream.decoders.contract import DecoderOptions
from tuistream.decoders.discovery import vocabulary as words
from tuistream.decoders.discovery.roles import Roles
from tuistream.decoders.discovery.shapes import Object, Shape
from tuistream.decoders.discovery.survey import Container, Leaf, Path, Survey
from tuistream.decoders.wire.rows import Layout, StreamRows, label


class RowList(msgspec.Struct):
    """A list of objects, each a message of its own within this one. path: of the list, from the message's top."""

    container: int
    key: str
    path: str = ""
    plans: dict[Shape, Plan] = msgspec.field(default_factory=dict)


class Entry(msgspec.Struct):
    """What the values of a plan's labels mean: which stream, or that the message is no data.

    control: 2 where it is whatever it holds, 1 where it is unless it holds ticks, else 0. book: its lists are an
    order book's sides. columns: for each field of the plan its place in `rows`, or -1.
    """

    control: int = 0
    book: bool = False
    rows: StreamRows | None = None
    columns: tuple[int, ...] = ()
    direct: bool = False  # the columns are all that there are, in order


class Plan(msgspec.Struct):
    """See the module. Containers are numbered: the enclosing ones, the message's own, those in it as `opens` says."""

    containers: tuple[Container, ...]
    opens: tuple[tuple[int, str], ...]
    lists: tuple[RowList, ...]
    word: str  # what the list is called that this is a row of
    time: Path | None = None
    names: tuple[Path, ...] = ()
    kinds: tuple[Path, ...] = ()
    controls: tuple[Path, ...] = ()
    labels: tuple[Path, ...] = ()  # of names, kinds and controls, in this order
    id: Path | None = None
    fields: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()  # of the fields
    pending: tuple[str, ...] = ()  # keys whose value is a placeholder so far
    serious: bool = False  # has a number that no acknowledgement would have
    counts_only: bool = False  # its fields are integers
    answer: bool = False  # has a key that answers to requests have
    layout: Layout = msgspec.field(default_factory=Layout)
    is_top: bool = True  # nothing encloses it
    flat: bool = False  # and it has neither object nor list in it, and its fields will stay
    entries: dict[tuple[Any, ...], Entry] = msgspec.field(default_factory=dict)


def plan_for(
    objects: Sequence[Object],
    parent: Plan | None,
    within: RowList,
    options: DecoderOptions,
    recv: int,
    *,
    listed: bool = False,
    must_be_timed: bool = False,
) -> Plan:
    """A plan made from one message, the last of `objects`; those before enclose it, as `parent` knows them.

    within: the list that it is a row of. listed: it was a list, not an object. must_be_timed: without a time of its
    own it is no tick. recv: ns since 1970 UTC.
    """
    survey = Survey(objects, parent.containers if parent else (), within.path, listed)
    roles = Roles(survey, options, recv)
    names, kinds, controls = (
        tuple(leaf.at for leaf in leaves) for leaves in (roles.names, roles.kinds, roles.controls)
    )
    no_tick = must_be_timed and not (roles.time and roles.time.own)
    fields = () if no_tick else tuple(_named(roles.fields))
    own = objects[-1]
    all_scalar = all(type(value) not in (dict, list) for value in own.values())
    return Plan(
        containers=tuple(survey.containers),
        opens=tuple(survey.opens),
        lists=tuple(RowList(at, key, path) for at, key, path in survey.lists),
        word=label(within.key) if within.key not in words.PLAIN_LISTS else "",
        time=roles.time.at if roles.time else None,
        names=names,
        kinds=kinds,
        controls=controls,
        labels=names + kinds + controls,
        id=roles.id.at if roles.id else None,
        fields=tuple(name for name, _ in fields),
        paths=tuple(leaf.at for _, leaf in fields),
        pending=roles.pending,
        serious=any(not _of_an_answer(leaf) for leaf in roles.fields),
        counts_only=all(type(leaf.value) is int for _, leaf in fields),
        answer=not words.ANSWER_KEYS.isdisjoint(own) or ("code" in own and ("msg" in own or "message" in own)),
        layout=roles.layout_of([leaf for _, leaf in fields]),
        is_top=parent is None,
        flat=all_scalar and parent is None and not roles.pending and bool(fields),
    )


def _named(leaves: list[Leaf]) -> Iterator[tuple[str, Leaf]]:
    """The fields with their names, none twice."""
    taken: set[str] = set()
    for leaf in leaves:
        name = label(leaf.name) or "field"
        if name in taken:
            name = label(leaf.path)
        if name not in taken:
            taken.add(name)
            yield name, leaf


def _of_an_answer(leaf: Leaf) -> bool:
    return leaf.key in words.OF_AN_ANSWER or leaf.key.lower().endswith("counter")
