"""Finds in a record what would say more than numbers: paths, names, people, machines, pixels."""

from __future__ import annotations

import getpass
import re
import socket
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_MEDIA = (
    "3gp|ari|arri|avi|blend|bmp|braw|cin|dng|dpx|exr|gif|hdr|heic|jpe?g|m2ts|m4v|mjpe?g|mkv|mov|mp4|"
    "mpe?g|mts|mxf|nk|npy|npz|png|r3d|tiff?|tga|webm|webp|wmv"
)
_SHAPES = (
    (re.compile(r"[\\/]"), "looks like a path"),
    (re.compile(r"(?i)^[a-z]:"), "looks like a path"),
    (re.compile(r"^~"), "looks like a path"),
    (re.compile(rf"(?i)\.(?:{_MEDIA})\b"), "looks like the name of a file"),
    (re.compile(r"[^\s@]+@[^\s@]+\.\w"), "looks like an e-mail address"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "looks like a network address"),
    (re.compile(r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"), "looks like a network address"),
    (
        re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
        "looks like a hardware id",
    ),
    (re.compile(r"[A-Za-z0-9+=_-]{65,}"), "looks like encoded binary data"),
)
_TELLING_KEYS = re.compile(
    r"(?i)(?:file|folder|dir|clip|image|video)?_?(?:path|dir|folder|directory)s?|file_?names?|"
    r"file_?(?:size|hash|ext(?:ension)?)|user(?:_?names?)?|login|author|artist|owner|e_?mail|"
    r"(?:host|machine|computer|device)(?:_?(?:name|id))?|ip|ip_?address|mac|mac_?address|gps|"
    r"latitude|longitude|location|serial(?:_?number)?|thumbnail|pixels?|image|frame_?data"
)
_GENERIC_CLIP = re.compile(r"(?i)(?:(?:clip|footage|session|shot)[_-]?)?[0-9a-f]{0,16}")
_GENERIC_TRACK = re.compile(r"(?i)track[._ -]?\d*|[0-9a-f]{8,64}")
_TRACK_KEYS = ("track_name", "track_a", "track_b", "other")
_TOKEN = re.compile(r"[\w.+-]{0,40}")
_COMMON_NAMES = {"admin", "home", "localhost", "none", "root", "test", "user", "users"}
_SHORTEST_NAME = 3
_MOST_UNKNOWN_NUMBERS = 256  # in one list of a field that no schema knows


@dataclass(frozen=True, slots=True)
class PrivateField:
    """A field that may not leave the machine: where, and why."""

    field: str
    why: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.field} {self.why}"


def find_private(record: dict[str, Any]) -> list[PrivateField]:
    """Return every field of a record (plain JSON types) that may give something away.

    Fields the schema knows may hold words and numbers; strings are searched for paths, file names,
    addresses, ids, this machine's user and host, and encoded data. Fields it does not know may
    hold numbers and single words only, and not as many numbers as a picture has.
    """
    return list(_walk(record, "", "", known=True))


def scrubbed(record: dict[str, Any]) -> tuple[dict[str, Any], list[PrivateField]]:
    """Return a copy without the fields that `find_private` names, and those.

    An item of a list is replaced by null, so that the others keep their places.
    """
    found = find_private(record)
    fields = {one.field for one in found}

    def clean(value: Any, place: str) -> Any:
        if isinstance(value, dict):
            parts = {key: (one, _at(place, key)) for key, one in value.items()}
            return {k: clean(v, at) for k, (v, at) in parts.items() if at not in fields}
        if isinstance(value, list):
            return [
                None if _at(place, i) in fields else clean(v, _at(place, i))
                for i, v in enumerate(value)
            ]
        return value

    return clean(record, ""), found


def _walk(value: Any, place: str, key: str, *, known: bool) -> Iterator[PrivateField]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _field(name, one, place, key)
    elif isinstance(value, list):
        if not known and _count(value) > _MOST_UNKNOWN_NUMBERS:
            yield PrivateField(place, "is unknown and holds as much as a picture would")
            return
        for i, one in enumerate(value):
            if isinstance(one, (str, list, dict)):  # a number tells nothing
                yield from _walk(one, _at(place, i), key, known=known)
    elif isinstance(value, str):
        why = _word(value, place, key, known=known)
        if why is not None:
            yield PrivateField(place, why)


def _field(name: str, value: Any, place: str, parent: str) -> Iterator[PrivateField]:
    known = name in _schema_fields()
    why = None
    if not known:  # a key of a mapping by region, class or setting is a value as well
        why = _telling(name)
        if why is None and value not in (None, "", [], {}) and _TELLING_KEYS.fullmatch(name):
            why = "has a telling name"
    if why is not None:
        yield PrivateField(_at(place, name), why)
    elif isinstance(value, (str, list, dict)):
        yield from _walk(value, _at(place, name), name, known=known or _is_key(parent))


def _word(value: str, place: str, key: str, *, known: bool) -> str | None:
    if key == "clip_name" and not _GENERIC_CLIP.fullmatch(value):
        return "is not a generic name"
    if _names_a_track(place, key) and not _GENERIC_TRACK.fullmatch(value):
        return "is a name of the user's"
    why = _telling(value)
    if why is None and not known and not _TOKEN.fullmatch(value):
        return "is unknown and holds free text"
    return why


def _telling(text: str) -> str | None:
    for shape, why in _SHAPES:
        if shape.search(text):
            return why
    words = re.findall(r"[^\W_]+", text.casefold())
    return "names this user or machine" if not _names_here().isdisjoint(words) else None


def _names_a_track(place: str, key: str) -> bool:
    in_tracks = re.search(r"(?:^|\.)(?:tracks|anchor_tracks)\.\d+\.name$", place)
    return key in _TRACK_KEYS or in_tracks is not None


def _is_key(key: str) -> bool:
    """Whether a field is a mapping whose keys are data, such as regions or classes."""
    return key in _mapping_fields()


def _at(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _count(value: Any) -> int:
    return sum(map(_count, value)) if isinstance(value, list) else 1


@cache
def _names_here() -> frozenset[str]:
    """Return the words by which this user and machine go."""
    names = [Path.home().name]
    for ask in (getpass.getuser, socket.gethostname):
        try:
            names.append(ask())
        except (OSError, KeyError, ImportError):
            continue
    words = {word for name in names for word in re.findall(r"[^\W_]+", name.casefold())}
    return frozenset(w for w in words - _COMMON_NAMES if len(w) >= _SHORTEST_NAME)


@cache
def _models() -> tuple[Any, ...]:
    from trackcore.session import models

    return tuple(
        one
        for one in vars(models).values()
        if isinstance(one, type) and issubclass(one, models.Record)
    )


@cache
def _schema_fields() -> frozenset[str]:
    return frozenset(name for model in _models() for name in model.model_fields)


@cache
def _mapping_fields() -> frozenset[str]:
    return frozenset(
        name
        for model in _models()
        for name, hint in typing.get_type_hints(model).items()
        if "dict[" in str(hint).lower()
    )
