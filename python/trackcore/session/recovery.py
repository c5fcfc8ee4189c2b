"""Sessions that a killed process left behind become records, marked as interrupted."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from trackcore._files import PART
from trackcore.errors import RecordError, StoreError
from trackcore.session import journal, text
from trackcore.session.derived import derived
from trackcore.session.models import Session

if TYPE_CHECKING:
    from trackcore.session.store import SessionStore

UNREADABLE = ".unreadable"
_OLD_PART_S = 3600.0
_PATIENCE_S = 5.0  # whoever holds the lock is recovering


def recover(store: SessionStore) -> list[str]:
    """Recover what can be, if this process may; see `recover_locked`."""
    try:
        with store.home.lock("journals", timeout_s=_PATIENCE_S):
            return recover_locked(store)
    except StoreError:  # read-only, or others are at it: the journals stay for another day
        return []


def recover_locked(store: SessionStore) -> list[str]:
    """Turn the journals of dead processes into sessions; return the names of these.

    A journal whose process lives is left alone. One that had come to its end becomes the session
    it was; any other one with `interrupted` true and `success` false. What cannot be written now
    is kept for another time. Call with the lock `journals` held; calling it again does no harm,
    also after it was killed half way.
    """
    recovered = []
    for path in sorted(store.home.journals.glob(f"*{journal.SUFFIX}")):
        with contextlib.suppress(OSError):  # a full disk, or a journal of another user
            if _recover(store, path):
                recovered.append(path.stem)
    _sweep(store)
    return recovered


def _recover(store: SessionStore, path: Path) -> bool:
    lock = journal.owner_lock(path)
    try:
        lock.acquire()
    except Timeout:
        return False  # its process lives
    try:
        made = path.exists() and _make_session(store, path)
        journal.discard(path, lock)
    finally:
        lock.release()
    return made


def _make_session(store: SessionStore, path: Path) -> bool:
    if store.sessions.file(path.stem).exists():
        return False  # it was finished; only removing the journal was not
    record, ended = journal.replay(path.read_bytes())
    if not record:
        return False  # killed before the first line
    try:
        store.sessions.save(path.stem, record if ended else interrupted(record), strict=False)
    except RecordError:
        path.replace(path.with_suffix(UNREADABLE))  # kept for a person to look at
        return False
    return True


def interrupted(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a session that did not come to its end.

    Raises
    ------
    RecordError
        If what is left makes no session.
    """
    left = {**record, "success": False, "interrupted": True}
    known = text.checked(Session, left, strict=False).to_dict()
    return {**known, **derived(known)}


def _sweep(store: SessionStore) -> None:
    """Remove what killed processes left that holds nothing."""
    for lock_file in store.home.journals.glob(f"*{journal.LOCK_SUFFIX}"):
        path = lock_file.with_suffix(journal.SUFFIX)
        if not path.exists():
            with contextlib.suppress(OSError):
                lock = journal.owner_lock(path)
                lock.acquire()
                journal.discard(path, lock)
    for folder in (store.home.root, store.home.sessions, store.home.behavior):
        for part in folder.glob(f".*{PART}"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _OLD_PART_S:
                    part.unlink()
