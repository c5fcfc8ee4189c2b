"""What the documents have in common: units, frame, versions."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from trackcore.session.models._base import Record, says

SCHEMA_VERSION = "1.2.0"
"""The documented version. What we add is additive, so that its readers read ours."""

UNITS = {"length": "ft", "break": "in", "speed": "mph", "time": "ns", "image": "px"}

Feet3 = tuple[float | None, float | None, float | None]


class Document(Record):
    """A file of its own."""

    schema_version: str = Field(SCHEMA_VERSION, description="version of these documents")
    app_version: str | None = says("release of trackcore that wrote it")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, and the version of the schema, as plain JSON types."""
        return {"schema_version": self.schema_version, **Record.to_dict(self)}


class Placed(Record):
    """What holds places in space."""

    units: dict[str, str] | None = says("what numbers without a unit in their name are counted in")
    frame: str | None = says(
        "what X, Y, Z are counted in: `pitch` is X to the catcher's right, Y up from the ground,"
        " Z 0 at the plate and growing to the rubber (left-handed)"
    )
