"""Whatever the stages hand over, as the plain types that JSON has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from trackcore.errors import RecordError


def plain(value: Any, name: str) -> Any:
    """Return `value` in plain types: objects by their `to_dict`, arrays as lists, enums by name.

    NaN and infinity are left for the schema to refuse.

    Raises
    ------
    RecordError
        If something in it has no plain form; `name` says where.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Enum):  # a StrEnum's value is its word; a number would say nothing
        return value.value if isinstance(value, str) else value.name
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist(), name)
    if isinstance(value, Mapping):
        return {_key(key, name): plain(one, f"{name}.{key}") for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, f"{name}.{i}") for i, one in enumerate(value)]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict(), name)
    raise RecordError(
        f"{name}: expected plain JSON types, numpy values or an object with to_dict(),"
        f" got {type(value).__name__}"
    )


def _key(key: Any, name: str) -> str:
    if isinstance(key, Enum):
        return str(key.value) if isinstance(key, str) else key.name
    if not isinstance(key, str):
        raise RecordError(f"{name}: expected names as keys, got {key!r}")
    return key
