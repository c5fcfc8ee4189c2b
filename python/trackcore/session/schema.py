"""The published form of the models: JSON Schema files, and a guide for people.

`.ci/schema.py` writes both to `docs/schema`; a test holds them to the models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from trackcore.frame_regions import REGIONS
from trackcore.session import models
from trackcore.session.models import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS: dict[str, type[Record]] = {
    "session": models.Session,
    "behavior": models.Behavior,
    "model": models.LearnedModel,
    "aggregate_stats": models.AggregateStats,
}
"""What is a file of its own, by the name of its schema."""

PARTS: dict[str, type[Record]] = {
    "adaptation": models.Adaptation,
    "anchor_track": models.AnchorTrack,
    "camera_intrinsics": models.CameraIntrinsics,
    "diagnosis": models.Diagnosis,
    "frame_sample": models.FrameSample,
    "healing_attempt": models.HealingAttempt,
    "healing_stats": models.HealingStats,
    "motion_probe": models.MotionProbe,
    "track": models.TrackRecord,
    "track_failure": models.TrackFailure,
    "zoom_analysis": models.ZoomAnalysis,
}
"""Parts of a session that others may want to check by themselves."""

_ANYTHING = "JsonValue"
_HEAD = """\
# The records

Generated from the models in `trackcore.session.models` by `python .ci/schema.py`; do not edit.

| file | holds |
|---|---|
| `sessions/*.json` | a [session](#session) each: one run of tracking, and solving |
| `behavior/*.json` | what a user changed between two solves: [behavior](#behavior) |
| `model.json` | what was learned: [model](#learnedmodel) |
| `aggregate_stats.json` | all sessions in numbers, can be made again: [stats](#aggregatestats) |

Parts of a session have a schema of their own as well: `motion_probe.schema.json` and so on.

- **Coordinates.** Positions are shares of the frame, x / w and y / h, origin bottom-left, y up.
  Velocities are displacements per frame divided by the frame's diagonal. `top-*` is the top of the
  picture. Frames are clip frame numbers: a movie starts at 1, an image sequence uses the numbers
  of its files. Fields whose names end in `_px` are pixels.
- **Missing.** A field that is absent was not recorded. Fields may be null, except those marked *,
  which are required: it could not be determined. So may numbers in lists. There is no NaN and no
  infinity in any file: they are refused when a record is made, and read as null in files of others.
- **Unknown fields** are kept, at every level, when a record is read and written again.
- **Words and ranges** are held to when trackcore writes. When it reads, others are kept as they
  are, but for `GOOD` as a texture class, which is read as `HIGH`. A wrong type is an error.
- **Regions** are thirds of the frame: `top-left`, `top-center`, `top-right`, `mid-left`, `center`,
  `mid-right`, `bottom-left`, `bottom-center`, `bottom-right`.
- **Versions.** `schema_version` is 1. A file of another version is refused with that reason, never
  guessed at.
"""


def files() -> dict[str, str]:
    """Return the text of each file of `docs/schema`, by name."""
    return published(KINDS, _HEAD, PARTS)


def published(
    kinds: Mapping[str, type[Record]], head: str, parts: Mapping[str, type[Record]] | None = None
) -> dict[str, str]:
    """Return schema files of `kinds` and `parts`, and the guide to `kinds` under `head`."""
    texts = {
        f"{name}.schema.json": json.dumps(schema(kind), indent=2) + "\n"
        for name, kind in {**kinds, **(parts or {})}.items()
    }
    return {**texts, "README.md": guide(kinds, head)}


def schema(kind: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file; it describes what trackcore writes."""
    made = _tidy(kind.model_json_schema())
    defs = made.pop("$defs", {})
    defs.pop(_ANYTHING, None)
    return {"$schema": DIALECT, "title": kind.__name__, **made, **({"$defs": defs} if defs else {})}


def _tidy(node: Any) -> Any:
    """Leave out what only says it again: titles, null defaults, `anyOf` for "or null"."""
    if isinstance(node, list):
        return [_tidy(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "properties" in node:
        return {
            "type": "object",
            "description": node["description"],
            "properties": {name: _tidy(one) for name, one in node["properties"].items()},
            **({"required": node["required"]} if "required" in node else {}),
            **({"$defs": _tidy_each(node["$defs"])} if "$defs" in node else {}),
        }
    left_out = {"title", "default"}
    if node.get("additionalProperties") == {"$ref": f"#/$defs/{_ANYTHING}"}:
        left_out.add("additionalProperties")
    tidy = {key: _tidy(one) for key, one in node.items() if key not in left_out}
    if tidy.get("$ref") == f"#/$defs/{_ANYTHING}":
        del tidy["$ref"]
    kinds = tidy.get("anyOf", [])
    if {} in kinds:  # anything at all
        del tidy["anyOf"]
    elif len(kinds) == 2 and kinds[1] == {"type": "null"} and isinstance(kinds[0].get("type"), str):
        del tidy["anyOf"]
        found = {**kinds[0], "type": [kinds[0]["type"], "null"]}
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
        tidy = {**found, **tidy}
    return tidy


def _tidy_each(nodes: dict[str, Any]) -> dict[str, Any]:
    return {name: _tidy(one) for name, one in nodes.items() if name != _ANYTHING}


def guide(kinds: Mapping[str, type[Record]], head: str) -> str:
    """Return the guide to all fields."""
    parts = [head]
    told: set[str] = set()
    for name, kind in kinds.items():
        made = schema(kind)
        parts.append(f"\n## {kind.__name__}\n\nSchema: [{name}.schema.json]({name}.schema.json)\n")
        parts.append(_table(made))
        for title, one in sorted(made.get("$defs", {}).items()):
            if title not in told:
                told.add(title)
                parts.append(f"\n### {title}\n")
                parts.append(_table(one))
    return "".join(parts)


def _table(node: dict[str, Any]) -> str:
    needed = node.get("required", [])
    rows = [f"\n{node['description']}\n\n| field | type | unit | meaning |\n|---|---|---|---|\n"]
    for name, one in node["properties"].items():
        star = "*" if name in needed else ""
        meaning = one["description"].replace("|", "\\|")
        rows.append(f"| `{name}`{star} | {_type(one)} | {one.get('x-unit', '')} | {meaning} |\n")
    return "".join(rows)


def _type(node: dict[str, Any]) -> str:
    """Return a type in words."""
    if "$ref" in node:
        title = node["$ref"].rsplit("/", 1)[1]
        return f"[{title}](#{title.lower()})"
    if "anyOf" in node:
        return " or ".join(_type(one) for one in node["anyOf"] if one != {"type": "null"})
    if "enum" in node:
        words = [word for word in node["enum"] if word is not None]
        return "region" if words == list(REGIONS) else ", ".join(f"`{word}`" for word in words)
    kinds = node.get("type", [])
    words = [_simple(node, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(filter(None, words)) or "anything"


def _simple(node: dict[str, Any], kind: str) -> str:
    if kind == "array":
        if "prefixItems" in node:
            return "[" + ", ".join(_type(one) for one in node["prefixItems"]) + "]"
        return f"list of {_type(node['items'])}"
    if kind == "object":
        of = node.get("additionalProperties")
        keys = node.get("propertyNames", {})
        by = "region" if keys.get("enum") else "name"
        return f"by {by}: {_type(of)}" if isinstance(of, dict) else "object"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "yes/no"}
    return " ".join([words[kind], *_range(node)]) if kind in words else ""


def _range(node: dict[str, Any]) -> Iterator[str]:
    lo, hi = node.get("minimum"), node.get("maximum")
    if "const" in node:
        yield f"= {node['const']}"
    elif lo is not None and hi is not None:
        yield f"{lo:g} .. {hi:g}"
    elif lo is not None:
        yield f">= {lo:g}"
