"""What all records have in common: unknown fields kept, finite numbers, fields that explain.

Reading is tolerant: whatever an older release, a newer one or the AutoSolve add-on wrote is kept,
also words and ranges the documents do not know. Writing is strict: `Record.checked` refuses a
word or a number that the published schema (`docs/schema`) does not allow.
"""

# No `from __future__ import annotations`: older pydantic evaluates that of `__pydantic_extra__` in
# the module of each subclass, where its names are unknown.
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    Strict,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic import GetCoreSchemaHandler as CoreHandler
from pydantic import ValidationInfo as Info
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

if TYPE_CHECKING:
    from typing_extensions import LiteralString, Self

SCHEMA_VERSION = 1

STRICT = "strict"
"""Validation context in which words and ranges are held to what is documented."""

Number: TypeAlias = Annotated[float, Strict()]
Whole: TypeAlias = Annotated[int, Strict()]


def _as_written(value: Any, number: ValidatorFunctionWrapHandler) -> Any:
    checked = number(value)
    return value if type(value) is int else checked


def _as_it_is(value: Any) -> Any:
    return value


Real: TypeAlias = Annotated[Number, WrapValidator(_as_written), PlainSerializer(_as_it_is)]
"""A number that stays whole where it is written whole, as 30 frames per second are."""

Flag: TypeAlias = Annotated[bool, Strict()]
Point: TypeAlias = tuple[Number, Number]


@dataclass(frozen=True, slots=True)
class Words:
    """The documented values of a string; others are kept when read and refused when written."""

    values: tuple[str, ...]
    read_as: tuple[tuple[str, str], ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: CoreHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.values)}

    def _read(self, value: str, info: Info) -> str:
        if value in self.values:
            return value
        value = dict(self.read_as).get(value, value)
        if info.context == STRICT and value not in self.values:
            raise PydanticCustomError(
                "word", "expected one of {words}", {"words": ", ".join(self.values)}
            )
        return value


@dataclass(frozen=True, slots=True)
class Within:
    """The documented range of a number, or of each in a list.

    Others are kept when read and refused when written.
    """

    lo: float
    hi: float = math.inf

    def __get_pydantic_core_schema__(self, source: Any, handler: CoreHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        bounds = {"minimum": self.lo, **({} if self.hi == math.inf else {"maximum": self.hi})}
        json = handler(schema)
        if json.get("type") != "array":
            return {**json, **bounds}
        items = json["items"]
        kinds = [{**kind, **bounds} if kind != _NULL else kind for kind in items["anyOf"]]
        return {**json, "items": {**items, "anyOf": kinds}}

    def _read(self, value: Any, info: Info) -> Any:
        if info.context == STRICT:
            numbers = value if isinstance(value, list) else [value]
            known = [number for number in numbers if number is not None]
            if known and not self.lo <= min(known) <= max(known) <= self.hi:
                raise PydanticCustomError("range", self._expected)
        return value

    @property
    def _expected(self) -> "LiteralString":
        # pydantic's messages are typed as literal; this one is made of the class's own numbers
        if self.hi == math.inf:
            return f"expected at least {self.lo:g}"
        return f"expected {self.lo:g} .. {self.hi:g}"


def _finite(value: JsonValue) -> JsonValue:
    """Refuse what JSON cannot say, at any depth (pydantic lets it pass in free-form values)."""
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite_number", "expected a finite number")
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        _finite(part)
    return value


_NULL = {"type": "null"}
Anything: TypeAlias = Annotated[JsonValue, AfterValidator(_finite)]
Numbers: TypeAlias = list[Number | None]
Shares: TypeAlias = Annotated[Numbers, Within(0, 1)]
Positives: TypeAlias = Annotated[Numbers, Within(0)]
Share: TypeAlias = Annotated[Number, Within(0, 1)]
Positive: TypeAlias = Annotated[Number, Within(0)]
Count: TypeAlias = Annotated[Whole, Within(0)]


class Record(BaseModel):
    """Base of all records: immutable, unknown fields kept, no NaN, no infinity."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,
        ser_json_inf_nan="constants",
        hide_input_in_errors=True,
    )
    __pydantic_extra__: dict[str, Anything]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, as plain JSON types."""
        return self.model_dump(mode="json", exclude_unset=True)

    def checked(self, *, strict: bool = True) -> "Self":
        """Return the same record, validated anew; held to the published schema if `strict`.

        Raises
        ------
        pydantic.ValidationError
            Naming each field that holds NaN, infinity, or, if `strict`, an undocumented word or a
            number out of its range.
        """
        return self.model_validate_json(
            self.model_dump_json(exclude_unset=True), context=STRICT if strict else None
        )


def _known_version(version: int) -> int:
    if version != SCHEMA_VERSION:
        raise PydanticCustomError(
            "schema_version",
            "version {version} is unknown to this release, which reads {known}",
            {"version": version, "known": SCHEMA_VERSION},
        )
    return version


class File(Record):
    """A record that is a file of its own."""

    schema_version: Annotated[Whole, AfterValidator(_known_version)] = Field(
        SCHEMA_VERSION,
        description="version of this schema",
        json_schema_extra={"const": SCHEMA_VERSION},
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, and the version of the schema, as plain JSON types."""
        return {"schema_version": self.schema_version, **Record.to_dict(self)}


def says(doc: str, *, unit: str = "", default: Any = None) -> Any:
    """Declare an optional field with its meaning and unit."""
    return Field(default, description=doc, json_schema_extra={"x-unit": unit} if unit else None)


def needed(doc: str, *, unit: str = "") -> Any:
    """Declare a field without which there is no record."""
    return Field(..., description=doc, json_schema_extra={"x-unit": unit} if unit else None)
