"""Records to bytes and back: the only place that knows what a file of a record looks like."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from trackcore.errors import RecordError
from trackcore.session.models import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)

_MOST_PROBLEMS_TOLD = 3


def parse(model: type[AnyRecord], data: bytes) -> AnyRecord:
    """Return the record that `data` holds.

    NaN and infinity, which some programs write though JSON does not know them, are read as null;
    a number without a fraction (30.0) may stand where a whole one is expected.

    Raises
    ------
    RecordError
        Saying what is wrong.
    """
    try:
        return model.model_validate_json(data)
    except ValidationError as first:
        try:
            return model.model_validate(_tolerant_json(data))
        except ValidationError as error:
            raise RecordError(problems(error)) from None
        except (ValueError, RecursionError):  # no JSON; the first parser says it better
            raise RecordError(problems(first)) from None


def checked(model: type[AnyRecord], value: object, *, strict: bool = True) -> AnyRecord:
    """Return `value`, a record or a mapping, as a record that may be written.

    Parameters
    ----------
    model
        The kind of record.
    value
        A record of that kind, or a mapping of its fields.
    strict
        Refuse undocumented words and numbers out of the documented range; off for records that
        others made.

    Raises
    ------
    RecordError
        Naming the fields that are wrong.
    """
    try:
        record = value if isinstance(value, model) else model.model_validate(value)
        return record.checked(strict=strict)
    except ValidationError as error:
        raise RecordError(problems(error)) from None


def render(record: Record) -> bytes:
    """Return the text of a file: JSON, one line per field and per member of a list of records."""
    fields = record.to_dict()
    lines = [f"  {json.dumps(name)}: {_value(value)}" for name, value in fields.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def problems(error: ValidationError) -> str:
    """Return what is wrong with a record, in one line."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [_problem(one["loc"], one["msg"]) for one in found[:_MOST_PROBLEMS_TOLD]]
    more = len(found) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _problem(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in place)
    return f"{where}: {message}" if where else message


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(to_json(one).decode() for one in value) + "\n  ]"
    return to_json(value).decode()


def _tolerant_json(data: bytes) -> Any:
    return json.loads(data.decode("utf-8-sig"), parse_float=_float, parse_constant=lambda _: None)


def _float(text: str) -> float | int | None:
    number = float(text)
    if number - number != 0:  # infinite
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
