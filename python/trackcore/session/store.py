"""The store of all records, as the documents lay it out on the disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackcore._files import write_durably
from trackcore.errors import RecordError, StoreError
from trackcore.session import moving
from trackcore.session.entries import BehaviorEntry, SessionEntry
from trackcore.session.folder import RecordFolder
from trackcore.session.home import Home, explained

if TYPE_CHECKING:
    from trackcore.session.models import AggregateStats, Behavior, Session

Root = str | os.PathLike[str] | None


class SessionStore:
    """Sessions and behaviour records of one data directory.

    Any number of processes may use a store at once: a record appears whole or not at all, and a
    listing shows what is there. Sessions that a killed process left unfinished are recovered when
    a store is opened, and an import that was killed while it moved its records is ended.

    Parameters
    ----------
    root : path, optional
        The data directory; else `TRACKCORE_HOME`, else the platform's own. It is created when
        something is saved.

    Attributes
    ----------
    home : Home
        Where everything is.
    sessions, behavior : RecordFolder
        The two folders of records.
    """

    def __init__(self, root: Root = None) -> None:
        self.home = Home(root)
        self.sessions: RecordFolder[Session, SessionEntry] = RecordFolder(
            self.home.sessions, self.home.index("sessions"), "Session", SessionEntry
        )
        self.behavior: RecordFolder[Behavior, BehaviorEntry] = RecordFolder(
            self.home.behavior, self.home.index("behavior"), "Behavior", BehaviorEntry
        )
        if moving.interrupted(self.home):
            moving.recover(self.home)
        if _any(self.home.journals):
            self.recover()

    @property
    def root(self) -> Path:
        """The data directory."""
        return self.home.root

    def list(
        self,
        *,
        footage_class: str | None = None,
        success: bool | None = None,
        problems: bool = True,
    ) -> list[SessionEntry]:
        """Return an entry per session, oldest first.

        Parameters
        ----------
        footage_class : str, optional
            Only footage of this class (HD_30fps) or sub-class (HD_30fps_LOW_MOTION).
        success : bool, optional
            Only sessions that did, or did not, reach their aim.
        problems : bool
            Also list files that hold no session, each with its `problem`; they come first and
            pass no other filter.

        Raises
        ------
        StoreError
            If the folder cannot be read.
        """
        entries = self.sessions.list()
        if not problems or footage_class is not None or success is not None:
            entries = [e for e in entries if e.problem is None]
        if footage_class is not None:
            entries = [e for e in entries if e.is_of(footage_class)]
        if success is not None:
            entries = [e for e in entries if e.success is success]
        return sorted(entries, key=lambda e: (e.timestamp or "", e.name))

    def load(self, name: str) -> Session:
        """Read one session by the name of its file, with or without `.json`.

        Raises
        ------
        RecordError
            If the file holds no session, with the reason.
        StoreError
            If there is no such file, or it cannot be read.
        """
        return self.sessions.load(name.removesuffix(".json"))

    def iterate(
        self, *, footage_class: str | None = None, success: bool | None = None
    ) -> Iterator[Session]:
        """Yield sessions, oldest first, reading each when it is asked for.

        Files that hold no session, or vanish meanwhile, are passed over; `list` names them.
        """
        for entry in self.list(footage_class=footage_class, success=success, problems=False):
            try:
                yield self.sessions.load(entry.name)
            except (RecordError, StoreError):
                continue

    def save(self, record: Session | Mapping[str, Any], *, strict: bool = True) -> Path:
        """Write one session, whole and on the disk when this returns.

        Parameters
        ----------
        record
            A session, or a mapping with its fields. One without a `session_id` is given one.
        strict
            Refuse words that are not documented and numbers out of range. Off for records made
            by others.

        Returns
        -------
        Path
            The file. A session of that `session_id` is replaced.

        Raises
        ------
        RecordError
            Naming the fields that are wrong; NaN and infinity are.
        StoreError
            If it cannot be written.
        """
        fields = dict(record) if isinstance(record, Mapping) else record.to_dict()
        name = fields.get("session_id")
        if not name:
            name = fields["session_id"] = record_name(fields.get("timestamp"))
        self.sessions.save(str(name), fields, strict=strict)
        return self.sessions.file(str(name))

    def aggregate_stats(self) -> AggregateStats:
        """Return the statistics of all sessions, from their listing."""
        from trackcore.session.aggregate import aggregate

        return aggregate(self.sessions.list())

    def write_aggregate_stats(self) -> AggregateStats:
        """Write `aggregate_stats.json` anew and return it.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        from trackcore.session import text

        stats = self.aggregate_stats()
        with explained(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            write_durably(self.home.aggregate_stats, text.render(stats.checked()))
        return stats

    def recover(self) -> Sequence[str]:
        """Turn what killed processes left into sessions marked as interrupted; return their names.

        Opening a store does this by itself. What cannot be written now stays for another time.
        """
        from trackcore.session.recovery import recover

        return recover(self)


def save_session(record: Session | Mapping[str, Any], root: Root = None) -> Path:
    """Write one session to the data directory and return its file. See `SessionStore.save`."""
    return SessionStore(root).save(record)


def load_sessions(root: Root = None) -> Iterator[Session]:
    """Yield every session of the data directory, oldest first. See `SessionStore.iterate`."""
    return SessionStore(root).iterate()


def now() -> str:
    """Return the time as records have it: UTC, ISO 8601, to the second, 19 characters."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def record_name(timestamp: object) -> str:
    """Return a new name for a record: the documented `<timestamp>_<8 hex digits>`."""
    stem = str(timestamp or now())[:19].replace(":", "-")
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem)
    return f"{plain.lstrip('-_') or 'session'}_{secrets.token_hex(4)}"


def _any(folder: Path) -> bool:
    try:
        with os.scandir(folder) as files:
            return next(files, None) is not None
    except OSError:
        return False
