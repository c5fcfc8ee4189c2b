"""Recording a session while it happens."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from trackcore.errors import InputError, StoreError
from trackcore.session import journal, recovery
from trackcore.session.derived import derived
from trackcore.session.models import Session
from trackcore.session.models._base import SCHEMA_VERSION
from trackcore.session.plain import plain
from trackcore.session.sections import routed, sections, valid
from trackcore.session.store import SessionStore, now, record_name

if TYPE_CHECKING:
    from typing_extensions import Self

_CLIP_NAME = "clip_{}"


class SessionRecorder:
    """Writes a session as it happens, so that a killed process loses nothing that was recorded.

    Every call appends to a journal on the disk; `end_session` makes a file of `sessions/` of it,
    whole or not at all. What a dead process left behind is recovered, marked as interrupted, the
    next time a recorder or a store is opened. As a context manager, leaving the block without
    `end_session` ends the session as interrupted. One recorder serves one thread; any number of
    recorders, in any number of processes, may serve one store.

    Parameters
    ----------
    store : SessionStore or path, optional
        Where to; as for `SessionStore`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, SessionRecorder(folder) as recorder:
    ...     _ = recorder.start_session(resolution=(1920, 1080), fps=30, frame_count=240)
    ...     recorder.record_frame_sample(frame=1, active_tracks=27, avg_velocity=0.012)
    ...     recorder.record_tracks([{"name": "track_00000", "region": "center", "lifespan": 180}])
    ...     session = recorder.end_session(success=True)
    >>> session.total_tracks, session.successful_tracks, session.footage_features.fps_class
    (1, 1, 1)
    """

    def __init__(self, store: SessionStore | str | os.PathLike[str] | None = None) -> None:
        self.store = store if isinstance(store, SessionStore) else SessionStore(store)
        self._record: dict[str, Any] = {}
        self._journal: journal.Journal | None = None
        self._ended = False

    @property
    def session_id(self) -> str | None:
        """Name of the session, None before the first."""
        return self._record.get("session_id")

    @property
    def path(self) -> Path | None:
        """File of the session, which exists once it has ended."""
        return self.store.sessions.file(self.session_id) if self.session_id else None

    @property
    def problem(self) -> OSError | None:
        """Why the last records are not on the disk yet; they are tried again with the next."""
        return None if self._journal is None else self._journal.problem

    def start_session(
        self,
        clip: Any = None,
        settings: object = None,
        *,
        resolution: tuple[int, int] | None = None,
        fps: float | None = None,
        frame_count: int | None = None,
        iteration: int = 1,
        **fields: object,
    ) -> str:
        """Start a session and return its `session_id`.

        Parameters
        ----------
        clip : Clip or Tracks, optional
            Where resolution, frame rate and length are taken from; its name and path are not.
        settings : mapping, optional
            The settings tracked with.
        resolution, fps, frame_count
            Instead of `clip`; fps 0 if unknown.
        iteration : int
            Which attempt on this clip.
        **fields
            Any other field of the record: `codec`, `clip_fingerprint`, `footage_type`,
            `previous_session_id`, ...

        Raises
        ------
        InputError
            If a session is running already, or nothing tells the resolution.
        RecordError
            Naming a field that is wrong.
        StoreError
            If the data directory cannot be written.
        """
        if self._journal is not None:
            raise InputError("start_session: expected no session to be running; end it first")
        size = resolution if resolution is not None else _size(clip)
        if size is None:
            raise InputError("resolution: expected (width, height), or a clip that has a size")
        count = frame_count if frame_count is not None else _length(clip)
        rate = fps if fps is not None else getattr(clip, "fps", None)
        timestamp = now()
        name = record_name(timestamp)
        start = {
            "timestamp": timestamp, "session_id": name, "clip_name": _CLIP_NAME.format(name[-8:]),
            "iteration": iteration, "resolution": size, "fps": rate or 0, "frame_count": count,
            "settings": settings if settings is not None else {}, "tracks": [], **fields,
        }  # fmt: skip
        given = {name: value for name, value in start.items() if value is not None}
        start = valid({k: one for n, v in given.items() for k, one in routed(n, v).items()})
        self.store.home.make()
        opened = journal.Journal(self.store.home.journals / f"{name}{journal.SUFFIX}")
        with self.store.home.lock("journals"):
            recovery.recover_locked(self.store)
            opened.open()
        self._journal = opened
        self._record = {}
        self._apply(journal.SET, {"schema_version": SCHEMA_VERSION, **start})
        if opened.problem is not None:
            self.abandon()
            raise StoreError(f"cannot write the records in {self.store.root}: {opened.problem}")
        return name

    def record_tracks(self, tracks: object, **fields: object) -> None:
        """Record every track; a later call replaces what an earlier one recorded.

        Parameters
        ----------
        tracks
            Mappings with the documented fields of a track, or an object whose `to_dict()` gives
            them, alone or beside other fields of the session: `track_stats(...)`.
        **fields
            Other fields, as for `record`.

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session is as it was.
        """
        found = plain(tracks, "tracks")
        self.record(**{**(found if isinstance(found, Mapping) else {"tracks": found}), **fields})

    def record(self, **fields: object) -> None:
        """Record fields of the session, or results of the stages under the name of their section.

        `record(optical_flow=clip_motion(tracks), zoom_analysis=zoom_analysis(tracks))`: what a
        result says that belongs elsewhere in the record goes there. Sections are merged, all other
        fields replaced.

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session is as it was.
        """
        everything: dict[str, Any] = {}
        for name, value in fields.items():
            for key, one in routed(name, value).items():
                merge = key in sections() and isinstance(one, dict)
                journal.apply(everything, journal.MERGE if merge else journal.SET, {key: one})
        everything = valid(everything)
        merged = {k: v for k, v in everything.items() if k in sections() and v is not None}
        rest = {k: v for k, v in everything.items() if k not in merged}
        self._running()
        for operation, part in ((journal.MERGE, merged), (journal.SET, rest)):
            if part:
                self._apply(operation, part)

    def record_frame_sample(
        self,
        frame: int,
        active_tracks: int | None = None,
        tracks_lost: int = 0,
        avg_velocity: float | None = None,
        **more: object,
    ) -> None:
        """Record the state of the tracker at one frame (clip frame number).

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session is as it was.
        """
        sample = {
            "frame": frame, "active_tracks": active_tracks, "tracks_lost": tracks_lost,
            "avg_velocity": avg_velocity, **more,
        }  # fmt: skip
        self._add("frame_samples", [sample])

    def record_adaptation(self, adaptation: object = None, **fields: object) -> None:
        """Record one change of settings: a mapping or an object, or its fields as keywords.

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session is as it was.
        """
        given = {} if adaptation is None else plain(adaptation, "adaptation")
        self._add("adaptation_history", [{**given, **fields}])

    def record_failure(
        self,
        track_name: str | None = None,
        frame: int | None = None,
        position: Iterable[float] | None = None,
        reason: str | None = None,
        **more: object,
    ) -> None:
        """Record where and why one track was lost. See also `track_failures`.

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session is as it was.
        """
        failure = {
            "track_name": track_name, "frame": frame,
            "position": None if position is None else list(position), "reason": reason, **more,
        }  # fmt: skip
        self._add("track_failures", [failure])

    def end_session(
        self,
        success: bool,  # noqa: FBT001  (documented order)
        solve_error: float | None = None,
        bundle_count: int | None = None,
        **fields: object,
    ) -> Session:
        """End the session: make a file of it, which is on the disk when this returns.

        Parameters
        ----------
        success : bool
            Whether the session reached its aim.
        solve_error : float, optional
            Mean reprojection error [px].
        bundle_count : int, optional
            Tracks with a 3-D point; else counted from the tracks.
        **fields
            Other fields, as for `record`.

        Raises
        ------
        RecordError
            Naming a field that is wrong; the session still runs.
        StoreError
            If the file cannot be written. The session still runs: free some space and end it again.
        """
        ended: dict[str, Any] = {"success": success, "solve_error": solve_error, **fields}
        if bundle_count is not None:
            ended["bundle_count"] = bundle_count
        self.record(**ended)
        return self._end({})

    def abandon(self) -> None:
        """Forget the session that is running: nothing of it is kept."""
        self._running().remove()
        self._journal = None
        self._record = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End a session that is still running as interrupted."""
        if self._journal is None:
            return
        try:
            self._end({} if self._ended else {"success": False, "interrupted": True})
        except StoreError:
            self._journal.leave()  # for the next recorder to recover
            self._journal = None
            if error is None:
                raise

    def _end(self, fields: dict[str, Any]) -> Session:
        running = self._running()
        elapsed = round(running.elapsed_s, 3)
        last = {"duration_seconds": elapsed, **fields}
        last |= derived({**self._record, **last})
        self._apply(journal.END, last)
        session: Session = self.store.sessions.save(str(self.session_id), self._record)
        running.remove()
        self._journal = None
        with contextlib.suppress(StoreError):  # it can be made again from the sessions
            self.store.write_aggregate_stats()
        return session

    def _add(self, name: str, items: list[object]) -> None:
        self._running()
        self._apply(journal.ADD, valid({name: plain(items, name)}))

    def _apply(self, operation: str, fields: dict[str, Any]) -> None:
        journal.apply(self._record, operation, fields)
        self._ended = operation == journal.END
        self._running().write(operation, fields)

    def _running(self) -> journal.Journal:
        if self._journal is None:
            raise InputError("expected a running session; call start_session first")
        return self._journal


def _size(clip: object) -> Any:
    return getattr(clip, "size", None) or getattr(clip, "frame_size", None)


def _length(clip: object) -> int | None:
    for name in ("n_frames", "__len__"):
        if hasattr(clip, name):
            found = getattr(clip, name)
            return int(found() if callable(found) else found)
    return None
