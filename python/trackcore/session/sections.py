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


HOMES = {
    "motion_magnitude": "visual_features",
    "motion_variance": "visual_features",
    "temporal_motion_profile": "visual_features",
    "contrast_estimate": "footage_features",
    "motion_intensity": "footage_features",
    "dominant_region": "footage_features",
}
"""Documented fields of sections that a stage names without naming the section."""


def routed(name: str, value: object) -> dict[str, Any]:
    """Return `value`, recorded as field `name`, as the fields of the session it is about.

    Of a section, fields that the section does not know and another place does go there; all
    others are additions and stay.

    Raises
    ------
    RecordError
        If there is no such field, or the value has no plain form.
    """
    fields = plain(value, name)
    if name in HOMES:
        return {HOMES[name]: {name: fields}}
    if name not in Session.model_fields:
        raise RecordError(f"{name}: a session has no such field")
    section = sections().get(name)
    if section is None or not isinstance(fields, Mapping):
        return {name: fields}
    found: dict[str, Any] = {name: {}}
    for key, one in fields.items():
        if key not in section.model_fields and key in HOMES:
            found.setdefault(HOMES[key], {})[key] = one
        elif key not in section.model_fields and key in Session.model_fields:
            found[key] = one
        else:
            found[name][key] = one
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
