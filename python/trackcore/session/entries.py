"""What a listing says about a record, without reading the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackcore.footage import footage_class

if TYPE_CHECKING:
    from trackcore.session.models import File


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """One file of `sessions/`.

    Attributes
    ----------
    name : str
        Name of the file without `.json`.
    problem : str or None
        Why the file is no session; then everything below is None.
    timestamp, clip_name, resolution, fps, frame_count, iteration, success, solve_error
        As in the record.
    total_tracks, successful_tracks, bundle_count, failure_type, motion_class, interrupted
        As in the record.
    footage_class : str or None
        Such as HD_30fps.
    """

    name: str
    problem: str | None = None
    timestamp: str | None = None
    clip_name: str | None = None
    resolution: tuple[int, int] | None = None
    fps: float | None = None
    frame_count: int | None = None
    iteration: int | None = None
    success: bool | None = None
    solve_error: float | None = None
    total_tracks: int | None = None
    successful_tracks: int | None = None
    bundle_count: int | None = None
    failure_type: str | None = None
    motion_class: str | None = None
    interrupted: bool | None = None

    def __post_init__(self) -> None:
        """Restore what JSON knows as a list."""
        if isinstance(self.resolution, list):
            object.__setattr__(self, "resolution", tuple(self.resolution))

    @classmethod
    def of(cls, name: str, record: File) -> SessionEntry:
        """Return the entry of a session."""
        return cls(name=name, **{field: getattr(record, field) for field in _SESSION_FIELDS})

    @property
    def footage_class(self) -> str | None:
        """The documented class, such as HD_30fps."""
        if self.resolution is None or self.fps is None or min(self.resolution) < 1:
            return None
        return footage_class(self.resolution, known_fps(self.fps))

    def is_of(self, wanted: str) -> bool:
        """Return whether this is footage of a class (HD_30fps) or sub-class (.._LOW_MOTION)."""
        found = self.footage_class
        return found is not None and wanted in (found, f"{found}_{self.motion_class}_MOTION")


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviorEntry:
    """One file of `behavior/`; the fields are as in the record, None if there is a `problem`."""

    name: str
    problem: str | None = None
    timestamp: str | None = None
    session_id: str | None = None
    iteration: int | None = None
    net_track_change: int | None = None

    @classmethod
    def of(cls, name: str, record: File) -> BehaviorEntry:
        """Return the entry of a behaviour record."""
        return cls(name=name, **{field: getattr(record, field) for field in _BEHAVIOR_FIELDS})


def _fields(entry: type) -> tuple[str, ...]:
    return tuple(field for field in entry.__annotations__ if field not in ("name", "problem"))


_SESSION_FIELDS = _fields(SessionEntry)
_BEHAVIOR_FIELDS = _fields(BehaviorEntry)


def known_fps(fps: float) -> float:
    """Return a frame rate [1/s] that has a class: without one, a clip counts as 24."""
    return fps if fps > 0 else 24.0
