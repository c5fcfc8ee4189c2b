"""Archives of records, read as what they are: input that may be hostile.

Nothing is extracted: entries are read one by one, in memory, each no larger than it may be, and
only names of the documented layouts are read at all. Three layouts are known: ours, the AutoSolve
add-on's `autosolve_telemetry_*.zip`, and its older single JSON file.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from trackcore.errors import ArchiveError, SourceError

MOST_FILES = 200_000  # twenty times the largest store we test with
BIGGEST_FILE_BYTES = 64 << 20  # a session of 1000 tracks over 1000 frames has 10 MB
BIGGEST_TOTAL_BYTES = 16 << 30
BIGGEST_RATIO = 200  # our records shrink to a twelfth, zeros to a thousandth
DEEPEST = 32  # our schema is 6 deep
LONGEST_STRING = 100_000
BIGGEST_NUMBER = 1e18

_LEGACY = "autosolve_training_data"
_LAYOUT = re.compile(r"(?:(sessions|behavior|edits)/)?([^/\\:]+)")
_SINGLE = ("manifest.json", "model.json", "contributor_id.txt")
_LOCAL_HEADER_BYTES = 30
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    NotImplementedError, OverflowError, KeyError, IndexError, RecursionError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold at most.

    Attributes
    ----------
    files : int
    file_bytes, total_bytes : int
        Unpacked.
    ratio : int
        Of unpacked and packed size.
    """

    files: int
    file_bytes: int
    total_bytes: int
    ratio: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of an archive: its folder (`sessions`, `behavior`, `model`), name and bytes."""

    folder: str
    name: str
    data: bytes


class Archive:
    """An archive that has passed every check that needs no content.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    manifest : dict
        Empty where there is none.

    Raises
    ------
    ArchiveError
        Saying what is wrong with it.
    SourceError
        If there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.manifest: dict[str, Any] = {}
        self._entries: list[tuple[str, str, zipfile.ZipInfo]] = []
        self._legacy: dict[str, Any] | None = None
        if not path.is_file():
            raise SourceError(f"path: {path} is no file")
        try:
            self._open()
        except DAMAGE as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"path: {path} is damaged or no archive of records ({error})") from (
                None
            )

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._entries) if self._legacy is None else len(list(self._of_legacy()))

    def entries(self) -> Iterator[Entry]:
        """Yield the records, one at a time.

        Raises
        ------
        ArchiveError
            If one is damaged, or not what the manifest says.
        """
        if self._legacy is not None:
            yield from self._of_legacy()
            return
        hashes = self.manifest.get("sha256") or {}
        try:
            with zipfile.ZipFile(self._path) as archive:
                for folder, name, info in self._entries:
                    data = content(archive, info)
                    told = hashes.get(info.filename)
                    if told is not None and told != hashlib.sha256(data).hexdigest():
                        raise ArchiveError(f"{info.filename}: is not what the manifest says")
                    yield Entry(folder, name, data)
        except DAMAGE as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"path: {self._path} is damaged ({error})") from None

    def _open(self) -> None:
        with self._path.open("rb") as file:
            start = file.read(4)
        if not start.startswith(b"PK"):
            self._open_legacy()
            return
        with zipfile.ZipFile(self._path) as archive:
            infos = archive.infolist()
            most = Limits(MOST_FILES, BIGGEST_FILE_BYTES, BIGGEST_TOTAL_BYTES, BIGGEST_RATIO)
            check_entries(infos, most)
            for info in infos:
                placed = _placed(info)
                if placed is not None:
                    self._entries.append((*placed, info))
            self.manifest = self._manifest(archive, infos)
        missing = set(self.manifest.get("sha256") or {}) - {info.filename for info in infos}
        if missing:
            raise ArchiveError(f"{min(missing)}: stands in the manifest, not in the archive")

    def _manifest(self, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> dict[str, Any]:
        found = next((info for info in infos if info.filename == "manifest.json"), None)
        if found is None:
            return {}
        value = plain_json(content(archive, found), "manifest.json")
        hashes = value.get("sha256") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(hashes, (dict, type(None))):
            raise ArchiveError("manifest.json: expected an object")
        return value

    def _open_legacy(self) -> None:
        if self._path.stat().st_size > BIGGEST_FILE_BYTES:
            raise ArchiveError(f"path: {self._path} is no archive of records")
        value = plain_json(self._path.read_bytes(), self._path.name)
        if not isinstance(value, dict) or value.get("export_type") != _LEGACY:
            raise ArchiveError(f"path: {self._path} is no archive of records")
        self._legacy = value

    def _of_legacy(self) -> Iterator[Entry]:
        assert self._legacy is not None
        for folder in ("sessions", "behavior"):
            records = self._legacy.get(folder) or []
            if not isinstance(records, list):
                raise ArchiveError(f"{folder}: expected a list of records")
            for i, record in enumerate(records):
                data = json.dumps(record).encode()
                yield Entry(folder, f"legacy_{hashlib.sha256(data).hexdigest()[:12]}_{i}", data)
        if isinstance(self._legacy.get("model"), dict):
            yield Entry("model", "model", json.dumps(self._legacy["model"]).encode())


def plain_json(data: bytes, name: str, *, biggest: float = BIGGEST_NUMBER) -> Any:
    """Return what JSON text holds, if it is of a sensible size in every respect.

    Parameters
    ----------
    data : bytes
    name : str
        For messages.
    biggest : float
        What numbers may be at most.

    Raises
    ------
    ArchiveError
        If it is no JSON, too deep, or has a number or string no record has.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{name}: is no JSON ({error})") from None
    problem = _unreasonable(value, biggest)
    if problem is not None:
        raise ArchiveError(f"{name}: {problem}")
    return value


def _unreasonable(value: Any, biggest: float) -> str | None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            return f"is nested deeper than {DEEPEST}"
        for one in level:
            if isinstance(one, str) and len(one) > LONGEST_STRING:
                return f"has a string of {len(one)} characters"
            if isinstance(one, (int, float)) and not abs(one) <= biggest:
                return f"has a number beyond {biggest:g}"
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in ([*one.keys(), *one.values()] if isinstance(one, dict) else one)
        ]
    return None


def check_entries(infos: list[zipfile.ZipInfo], most: Limits) -> None:
    """Refuse what no archive of ours has, by its directory alone.

    Parameters
    ----------
    infos : list of ZipInfo
    most : Limits

    Raises
    ------
    ArchiveError
        If there is too much, or entries overlap, stand twice, are links or encrypted.
    """
    if len(infos) > most.files:
        raise ArchiveError(f"path: holds {len(infos)} files, more than {most.files}")
    total = sum(info.file_size for info in infos)
    if total > most.total_bytes:
        raise ArchiveError(f"path: would unpack to {total >> 20} MiB")
    seen: dict[str, str] = {}
    for info in infos:
        _check_entry(info, most)
        folded = unicodedata.normalize("NFKC", info.filename).casefold()
        if folded in seen:
            raise ArchiveError(f"{info.filename!r}: stands twice, as {seen[folded]!r} too")
        seen[folded] = info.filename
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for one, after in pairwise(ordered):
        if one.header_offset + _LOCAL_HEADER_BYTES + one.compress_size > after.header_offset:
            raise ArchiveError(f"{after.filename!r}: overlaps {one.filename!r}")


def _check_entry(info: zipfile.ZipInfo, most: Limits) -> None:
    if info.file_size > most.file_bytes:
        raise ArchiveError(f"{info.filename!r}: would unpack to {info.file_size >> 20} MiB")
    if info.file_size > most.ratio * max(info.compress_size, 1):
        raise ArchiveError(f"{info.filename!r}: unpacks to {most.ratio} times its size")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError(f"{info.filename!r}: is a link or device")
    if info.flag_bits & 0x1:
        raise ArchiveError(f"{info.filename!r}: is encrypted")
    if "\0" in info.orig_filename:
        raise ArchiveError(f"{info.filename!r}: is no name such an archive has")


def _placed(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Return folder and name of a record, None for what is none but may be there."""
    if info.is_dir() and info.filename in ("sessions/", "behavior/", "edits/"):
        return None
    parts = _LAYOUT.fullmatch(info.filename)
    if parts is None or parts[2] in (".", ".."):
        raise ArchiveError(f"{info.filename!r}: is no name such an archive has")
    folder, name = parts[1], parts[2]
    if folder is None:
        if name not in _SINGLE:
            raise ArchiveError(f"{info.filename!r}: does not belong there")
        return ("model", "model") if name == "model.json" else None
    if not name.endswith(".json") or name.startswith("."):
        raise ArchiveError(f"{info.filename!r}: does not belong there")
    # The add-on's `edits` are raw material of its `behavior`, without a documented form.
    return None if folder == "edits" else (folder, name.removesuffix(".json"))


def content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return what an entry holds, no more than it says.

    Raises
    ------
    ArchiveError
        If it is not as large as it says.
    """
    with archive.open(info) as file:
        data = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ArchiveError(f"{info.filename!r}: is not as large as it says")
    return data
