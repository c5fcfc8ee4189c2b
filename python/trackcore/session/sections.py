"""Where in a session the results of the stages belong.

A stage knows nothing of records: its `to_dict()` has documented names, some of which live at the
top of the record and some in a section. This is the one place that knows which.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from trackcore.errors import RecordError
from trackcore.session import text
from trackcore.session.models import Record, Session
from trackcore.session.models._base import STRICT
from trackcore.session.plain import plain

_NEEDED = {"timestamp": "", "resolution": [1, 1], "fps": 0.0, "success": False}


@cache
def sections() -> dict[str, type[Record]]:
    """Return the fields of a session that are a record each, with its type."""
    hints = typing.get_type_hints(Session)
    return {
        name: one
        for name in Session.model_fields
        if typing.get_origin(hints[name]) in (typing.Union, types.UnionType)
        for one in typing.get_args(hints[name])
        if isinstance(one, type) and issubclass(one, Record)
    }


@cache
def _owners() -> dict[str, set[str]]:
    owners: dict[str, set[str]] = {}
    for section, model in sections().items():
        for field in model.model_fields:
            owners.setdefault(field, set()).add(section)
    return owners


def routed(name: str, value: object) -> dict[str, Any]:
    """Return `value`, recorded as field `name`, as the fields of the session it is about.

    Of a section, fields that the section does not know go to the session itself, or to the only
    other section that does; all others are additions and stay.

    Raises
    ------
    RecordError
        If there is no such field, or the value has no plain form.
    """
    if name not in Session.model_fields:
        raise RecordError(f"{name}: a session has no such field")
    fields = plain(value, name)
    section = sections().get(name)
    if section is None or not isinstance(fields, Mapping):
        return {name: fields}
    found: dict[str, Any] = {name: {}}
    for key, one in fields.items():
        owners = _owners().get(key, set())
        if key in section.model_fields or (key not in Session.model_fields and len(owners) != 1):
            found[name][key] = one
        elif key in Session.model_fields:
            found[key] = one
        else:
            found.setdefault(next(iter(owners)), {})[key] = one
    return found


def valid(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields of a session as they may be written.

    Raises
    ------
    RecordError
        Naming what is wrong.
    """
    try:
        record = Session.model_validate({**_NEEDED, **fields}, context=STRICT)
    except ValidationError as error:
        raise RecordError(text.problems(error)) from None
    return record.model_dump(mode="json", exclude_unset=True, include=set(fields))
