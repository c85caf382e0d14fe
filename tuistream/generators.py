"""The user's own generator, plain or async: found by its name, run, and what it yields made into messages."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from tuistream.core.errors import SettingsError, SourceDown
from tuistream.core.inbox import Inbox
from tuistream.core.text import printable

BEGINS: Final = "python:"
FORM: Final = "python:MODULE:FUNCTION or python:FILE.py:FUNCTION"
PENDING_BYTES: Final = 4 << 20  # of messages that wait; meanwhile the generator does
PENDING: Final = 10_000
BREATH: Final = 100  # items of an async generator after which others have their turn, whether it waits or not

Function = Callable[[], object]


def split(target: str) -> tuple[str, str]:
    """Module or file, and function. Raises SettingsError."""
    where, _, name = target[len(BEGINS) :].rpartition(":")
    parts = where.split(".")
    if not name.isidentifier() or not where or not (where.endswith(".py") or all(map(str.isidentifier, parts))):
        raise SettingsError(f"{printable(target)}: {FORM} is wanted")
    return where, name


def load(target: str) -> Function:
    """The function that a target names. Runs its module; raises SettingsError where that fails."""
    where, name = split(target)
    try:
        module = _from_file(Path(where)) if where.endswith(".py") else _from_name(where)
        found = getattr(module, name, None)
    except (Exception, SystemExit) as error:
        raise SettingsError(f"{printable(where)}: {reason(error)}") from error
    if not callable(found):
        names = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        there = f"; there are {', '.join(map(printable, names[:10]))}" if names else ""
        raise SettingsError(f"{printable(where)}: no function {name}{there}")
    return cast(Function, found)


def _from_name(name: str) -> Any:
    with _importable(Path.cwd()):
        return importlib.import_module(name)


def _from_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise ImportError("no Python file")
    module = importlib.util.module_from_spec(spec)
    with _importable(path.resolve().parent):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _importable(folder: Path) -> Any:
    """As `python FILE` has it: what lies beside the file can be imported, then and later."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    yield


def reason(error: BaseException) -> str:
    """What went wrong in the user's code, and where, in a line."""
    if isinstance(error, SyntaxError):  # it says so itself
        return printable(f"{type(error).__name__}: {error}")
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen ")
    ]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return printable(f"{type(error).__name__}: {error}{where}")


def message(item: object) -> bytes:
    """What a generator yields, as a message: JSON, or text as it is. Raises TypeError for what is no data.

    A number; a tuple or list of numbers, with a time first if there is one; a dict; a tuple of a name and numbers.
    """
    if isinstance(item, bytes | bytearray):
        return bytes(item)
    if isinstance(item, str):
        return item.encode("utf-8", "surrogatepass")
    if isinstance(item, tuple):
        if hasattr(item, "_asdict"):
            item = item._asdict()
        elif len(item) > 1 and isinstance(item[0], str):
            names = ["value"] if len(item) == 2 else [f"v{at}" for at in range(1, len(item))]
            item = {"name": item[0], **dict(zip(names, item[1:], strict=True))}
    if item is None or isinstance(item, bool):
        raise TypeError(f"{item} was yielded: a number, a tuple, a dict or a string is wanted")
    return msgspec.json.encode(item, enc_hook=_other)


def _other(value: Any) -> object:
    """Of a type that msgspec does not know: numpy's, above all."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"a {type(value).__name__} was yielded: a number, a tuple, a dict or a string is wanted")


@asynccontextmanager
async def running(function: Function) -> AsyncIterator[Inbox]:
    """The messages of a generator that runs as long as the block lasts; what fails in it is raised by `Inbox.take`.

    A plain one runs in a thread, and may block; when the block ends, it is closed at its next item.
    """
    inbox = Inbox(PENDING_BYTES, PENDING)
    try:
        made = await asyncio.to_thread(function)
        if inspect.iscoroutine(made):
            made = await made
    except (Exception, SystemExit) as error:
        raise SourceDown(reason(error)) from error
    if hasattr(made, "__aiter__"):
        task = asyncio.ensure_future(_drain(cast(AsyncIterator[object], made), inbox))
        try:
            yield inbox
        finally:
            inbox.end()
            task.cancel()
            await asyncio.wait([task])
        return
    if not isinstance(made, Iterable) or isinstance(made, str | bytes | dict):
        raise SourceDown(f"it returned a {type(made).__name__}: a generator is wanted (yield)", final=True)
    threading.Thread(target=_drain_in_thread, args=(made, inbox), name="generator", daemon=True).start()
    try:
        yield inbox
    finally:
        inbox.end()


def _drain_in_thread(made: Iterable[object], inbox: Inbox) -> None:
    try:
        for item in made:
            if not inbox.put_when_room(message(item)):
                break
        else:
            inbox.end()
        if hasattr(made, "close"):
            made.close()
    except BaseException as error:  # noqa: BLE001  told to who reads
        inbox.end(error)


async def _drain(made: AsyncIterator[object], inbox: Inbox) -> None:
    count = 0
    try:
        async for item in made:
            inbox.put(message(item))
            count += 1
            if inbox.full:
                await inbox.room()
            elif count % BREATH == 0:
                await asyncio.sleep(0)
        inbox.end()
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  told to who reads
        inbox.end(error)
    finally:
        if hasattr(made, "aclose"):
            await made.aclose()
