"""Studies: values computed from the values of a series, as they come. Found by the name that the user types."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol

from tuistream.core.batch import Values
from tuistream.core.errors import SettingsError


class Study(Protocol):
    """One output value for each input value.

    `extend` takes the next values, float64[n], and gives theirs, float64[n]. It makes no difference how the values
    are cut into calls. NaN and infinities are no values: they give NaN and leave the rest as if they had not been.
    `reset` forgets all that came, as after a gap.
    """

    @property
    def length(self) -> int: ...

    def extend(self, values: Values) -> Values: ...

    def reset(self) -> None: ...


# Name -> module and class; a module is imported when a study of its is wanted.
_STUDIES: Final = MappingProxyType(
    {
        "ema": ("tuistream.studies.average", "Ema"),
        "sma": ("tuistream.studies.average", "Sma"),
    }
)
NAMES: Final = tuple(_STUDIES)


def create(name: str, length: int) -> Study:
    """The study called `name` over `length` values. Raises SettingsError for an unknown name or a length below 1."""
    if name not in _STUDIES:
        raise SettingsError(f"study {name!r} is not known; known are {', '.join(NAMES)}")
    if length < 1:
        raise SettingsError(f"{name} {length}: a length of at least 1 is wanted")
    module, attribute = _STUDIES[name]
    study: Study = getattr(import_module(module), attribute)(length)
    return study
