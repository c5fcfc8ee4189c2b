"""What all records have in common: unknown fields kept, finite numbers, fields that explain.

Reading is tolerant: whatever an older release, a newer one or the AutoSolve add-on wrote is kept,
also words and ranges the documents do not know. Writing is strict: `Record.checked` refuses a
word or a number that the published schema (`docs/schema`) does not allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, JsonValue, Strict
from pydantic import GetCoreSchemaHandler as CoreHandler
from pydantic import ValidationInfo as Info
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import Self

SCHEMA_VERSION = 1

STRICT = "strict"
"""Validation context in which words and ranges are held to what is documented."""

Number: TypeAlias = Annotated[float, Strict()]
Whole: TypeAlias = Annotated[int, Strict()]
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
    """The documented range of a number; others are kept when read and refused when written."""

    lo: float
    hi: float = float("inf")

    def __get_pydantic_core_schema__(self, source: Any, handler: CoreHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        above = {} if self.hi == float("inf") else {"maximum": self.hi}
        return {**handler(schema), "minimum": self.lo, **above}

    def _read(self, value: float, info: Info) -> float:
        if info.context == STRICT and not self.lo <= value <= self.hi:
            raise PydanticCustomError(
                "range", "expected {lo:g} .. {hi:g}", {"lo": self.lo, "hi": self.hi}
            )
        return value


Share: TypeAlias = Annotated[Number, Within(0, 1)]
Positive: TypeAlias = Annotated[Number, Within(0)]
Count: TypeAlias = Annotated[Whole, Within(0)]


class Record(BaseModel):
    """Base of all records: immutable, unknown fields kept, no NaN, no infinity."""

    model_config = ConfigDict(
        extra="allow", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    __pydantic_extra__: dict[str, JsonValue]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, as plain JSON types."""
        return self.model_dump(mode="json", exclude_unset=True)

    def checked(self) -> Self:
        """Return the same record, held to the published schema.

        Raises
        ------
        pydantic.ValidationError
            Naming each field that has an undocumented word, a number out of range, NaN or
            infinity.
        """
        return self.model_validate(self.to_dict(), context=STRICT)


class File(Record):
    """A record that is a file of its own."""

    schema_version: Annotated[Whole, Within(SCHEMA_VERSION, SCHEMA_VERSION)] = Field(
        SCHEMA_VERSION, description="version of this schema"
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
