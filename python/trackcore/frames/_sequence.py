"""Which files are the frames of an image sequence, and what their numbers are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from trackcore.errors import SourceError

IMAGE_SUFFIXES = frozenset((
    ".bmp", ".dpx", ".exr", ".hdr", ".jp2", ".jpeg", ".jpg", ".pbm", ".pfm", ".pgm", ".png",
    ".pnm", ".ppm", ".tif", ".tiff", ".webp",
))  # fmt: skip

_DIGITS = re.compile(r"\d+")
_PLACEHOLDER = re.compile(r"#+|%(?:0(\d+))?d")
_SHOWN = 4  # names listed in an error


@dataclass(frozen=True, slots=True)
class FileSequence:
    """Image files in frame order.

    Attributes
    ----------
    pattern : str
        How the user would write it.
    files : tuple of (int, Path)
        Frame number and file, rising.
    numbered : bool
        False if the names hold no frame numbers and the files were counted from 1.
    """

    pattern: str
    files: tuple[tuple[int, Path], ...]
    numbered: bool = True


def has_placeholder(name: str) -> bool:
    """Return whether a file name stands for many: `shot.####.png`, `shot.%04d.png`."""
    return _PLACEHOLDER.search(name) is not None


def from_pattern(pattern: Path) -> FileSequence:
    """Find the files of `shot.####.png` or `shot.%04d.png`.

    A number may have more digits than the pattern, but then no leading zero, as when a
    sequence runs past 9999.
    """
    placeholders = list(_PLACEHOLDER.finditer(pattern.name))
    if len(placeholders) != 1:
        raise SourceError(
            f"source: expected one run of # or one %0Nd in {pattern.name!r}, "
            f"got {len(placeholders)}"
        )
    place = placeholders[0]
    width = len(place[0]) if place[0][0] == "#" else int(place[1] or 1)
    names = re.compile(
        re.escape(pattern.name[: place.start()])
        + rf"(\d{{{width}}}|[1-9]\d{{{width},}})"
        + re.escape(pattern.name[place.end() :])
    )
    if not pattern.parent.is_dir():
        raise SourceError(f"source: no such folder: {pattern.parent}")
    found = [
        (int(match[1]), path)
        for path in pattern.parent.iterdir()
        if (match := names.fullmatch(path.name))
    ]
    if not found:
        near = sorted(p.name for p in _images_in(pattern.parent))
        there = f"; the folder has {_listed(near)}" if near else "; the folder has no images"
        raise SourceError(f"source: no file matches {pattern}{there}")
    return FileSequence(str(pattern), tuple(sorted(found)))


def from_file(path: Path) -> FileSequence:
    """Make a clip of one frame from one image; its number is the last one in its name."""
    digits = _DIGITS.findall(path.stem)
    return FileSequence(str(path), ((int(digits[-1]) if digits else 1, path),), bool(digits))


def from_folder(folder: Path) -> FileSequence:
    """Find the one image sequence in a folder.

    The names must differ in one number only, which is the frame number. Names without any
    number, or with several that differ, are taken in alphabetical order and counted from 1.
    """
    paths = sorted(_images_in(folder), key=_natural)
    if not paths:
        raise SourceError(f"source: expected images in the folder {folder}, found none")
    if len(paths) == 1:
        return from_file(paths[0])
    groups: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for path in paths:
        groups[tuple(_DIGITS.split(path.name))].append(path)
    counted = FileSequence(str(folder), tuple(enumerate(paths, start=1)), numbered=False)
    if len(groups) > 1:
        if not any(_DIGITS.search(path.stem) for path in paths):
            return counted
        kinds = [_as_pattern(members) for members in groups.values()]
        raise SourceError(
            f"source: expected one image sequence in the folder {folder}, got {len(groups)}: "
            f"{_listed(kinds)} (pass the pattern of one)"
        )
    varying = _varying(paths)
    if len(varying) != 1:
        return counted
    files = [(int(_DIGITS.findall(path.name)[varying[0]]), path) for path in paths]
    files.sort()
    for (number, path), (following, other) in pairwise(files):
        if number == following:
            raise SourceError(
                f"source: expected one file per frame number, got {path.name} and {other.name}"
            )
    return FileSequence(str(folder / _as_pattern(paths)), tuple(files))


def _images_in(folder: Path) -> Iterable[Path]:
    """Return the image files, leaving out hidden ones (`._shot.0001.png` of macOS)."""
    return (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "." and path.is_file()
    )


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key: 2 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(p), "") if i % 2 else (-1, p) for i, p in enumerate(parts)]


def _varying(paths: list[Path]) -> list[int]:
    """Return which of the numbers in the names differ."""
    columns = zip(*(_DIGITS.findall(path.name) for path in paths), strict=True)
    return [i for i, column in enumerate(columns) if len(set(column)) > 1]


def _as_pattern(paths: list[Path]) -> str:
    """Write the names of one group as the user would: `shot.####.png`."""
    varying = _varying(paths)
    if len(varying) != 1:
        return paths[0].name
    place = list(_DIGITS.finditer(paths[0].name))[varying[0]]
    name = paths[0].name
    return name[: place.start()] + "#" * len(place[0]) + name[place.end() :]


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
