"""How an option is declared and checked: its default, unit, range and meaning beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np

from trackcore._compat import StrEnum
from trackcore.errors import InputError


@dataclass(frozen=True, slots=True)
class Knob:
    """One option as flags, properties and search spaces see it."""

    name: str
    default: Any
    kind: type
    unit: str
    lo: float | None
    hi: float | None
    doc: str


def knob(
    default: Any, *, doc: str, unit: str = "", lo: float | None = None, hi: float | None = None
) -> Any:
    """Declare an option field with its unit, range and meaning."""
    return field(default=default, metadata={"unit": unit, "lo": lo, "hi": hi, "doc": doc})


class Options:
    """Base of all options: if an instance exists, its values are valid."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Coerce choices, check types and ranges."""
        for spec in fields(self):  # type: ignore[arg-type]
            value = getattr(self, spec.name)
            checked = self._checked(spec.name, value, spec.default, spec.metadata)
            if checked is not value:
                object.__setattr__(self, spec.name, checked)

    @classmethod
    def knobs(cls) -> Iterator[Knob]:
        """Yield one `Knob` per field, in declaration order."""
        for f in fields(cls):  # type: ignore[arg-type]
            meta = f.metadata
            yield Knob(
                f.name, f.default, type(f.default), meta["unit"], meta["lo"], meta["hi"],
                meta["doc"],
            )  # fmt: skip

    def _checked(self, name: str, value: Any, default: Any, meta: Any) -> Any:
        where = f"{type(self).__name__}.{name} = {value!r}"
        if isinstance(default, StrEnum):
            return _choice(where, value, type(default))
        if isinstance(default, bool):
            if not isinstance(value, (bool, np.bool_)):
                raise InputError(f"{where}: expected True or False ({meta['doc']})")
            return bool(value)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, _NUMBERS[type(default)]):
            raise InputError(f"{where}: expected {_NOUN[type(default)]} ({meta['doc']})")
        lo, hi, unit = meta["lo"], meta["hi"], meta["unit"]
        if not lo <= value <= hi:  # also catches NaN
            raise InputError(
                f"{where}{' ' + unit if unit else ''}: expected {lo} .. {hi} ({meta['doc']})"
            )
        return type(default)(value)


def require_options(options: object, kind: type[Options], name: str = "options") -> None:
    """Raise unless `options`, an argument of this name, are of this kind."""
    if not isinstance(options, kind):
        raise InputError(f"{name}: expected {kind.__name__}, got {type(options).__name__}")


_NUMBERS: dict[type, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
}
_NOUN: dict[type, str] = {int: "an integer", float: "a number"}

Choice = TypeVar("Choice", bound=StrEnum)


def _choice(where: str, value: object, kind: type[Choice]) -> Choice:
    """Find the member of `kind` that `value` names, in any case."""
    for member in kind:
        if isinstance(value, str) and value.lower() == member.value.lower():
            return member
    raise InputError(f"{where}: expected one of {', '.join(m.value for m in kind)}")
