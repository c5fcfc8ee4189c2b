"""Checking a data directory, and emptying it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from trackcore.errors import RecordError, StoreError
from trackcore.session import moving
from trackcore.session.home import explained
from trackcore.session.identity import reset_contributor
from trackcore.session.privacy import find_private
from trackcore.session.store import SessionStore

Progress: TypeAlias = Callable[[int, "int | None"], object]


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found.

    Attributes
    ----------
    session_count, behavior_count : int
        Files looked at.
    problems : tuple of (str, str)
        File, and what is wrong with it.
    """

    session_count: int
    behavior_count: int
    problems: tuple[tuple[str, str], ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(store: SessionStore, *, progress: Progress | None = None) -> Verified:
    """Read every record, and say which is not as the schema says, not private, or listed wrongly.

    Parameters
    ----------
    store : SessionStore
    progress : callable, optional
        Called as `progress(records_done, records_total)`.

    Returns
    -------
    Verified

    Raises
    ------
    StoreError
        If a folder cannot be read.
    """
    folders = (("sessions", store.sessions), ("behavior", store.behavior))
    listed = {(label, e.name): e for label, folder in folders for e in folder.list()}
    problems: list[tuple[str, str]] = []
    counts = {"sessions": 0, "behavior": 0}
    for done, ((label, name), entry) in enumerate(listed.items(), start=1):
        counts[label] += 1
        file = f"{label}/{name}.json"
        folder = store.sessions if label == "sessions" else store.behavior
        try:
            record = folder.load(name)
        except (RecordError, StoreError) as error:
            problems.append((file, str(error)))
        else:
            problems += [(file, str(found)) for found in find_private(record.to_dict())]
            if type(entry).of(name, record) != entry:
                problems.append((file, "the listing says something else: remove the index"))
        if progress is not None:
            progress(done, len(listed))
    problems += _single_files(store)
    return Verified(counts["sessions"], counts["behavior"], tuple(problems))


def reset(store: SessionStore) -> int:
    """Remove every record and all that was learned; return how many records there were.

    What the user agreed to stays, and so does the key by which clips are recognised; the
    contributor's name is a new one. There is no way back: export first.

    Raises
    ------
    StoreError
        If something cannot be removed.
    """
    count = 0
    home = store.home
    with home.lock("store"), explained(store.root):
        moving.recover_locked(home)
        for folder in (store.sessions, store.behavior):
            count += len(folder.names())
            if folder.path.exists():
                shutil.rmtree(folder.path)
        if home.models.exists():
            shutil.rmtree(home.models)
        for file in (home.model, home.aggregate_stats):
            file.unlink(missing_ok=True)
        for name in ("sessions", "behavior"):
            home.index(name).unlink(missing_ok=True)
    reset_contributor(store)
    return count


def _single_files(store: SessionStore) -> list[tuple[str, str]]:
    from trackcore.session import text
    from trackcore.session.models import AggregateStats, LearnedModel

    found: list[tuple[str, str]] = []
    files = ((store.home.model, LearnedModel), (store.home.aggregate_stats, AggregateStats))
    for path, kind in files:
        if not path.exists():
            continue
        try:
            text.parse(kind, path.read_bytes())
        except (RecordError, OSError) as error:
            found.append((path.name, str(error)))
    return found
