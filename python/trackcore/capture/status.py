"""How a capture is doing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trackcore._compat import StrEnum
from trackcore.capture.faults import CaptureCounts
from trackcore.pitch import PitchPhase
from trackcore.recording import LostFrame, RecordingStatus

_KEPT = 1 << 16


class CameraState(StrEnum):
    """What a camera is doing.

    `WAITING`: not begun. `RUNNING`. `DISCONNECTED`: it is gone and is tried again. `ENDED`: there
    are no more frames. `STOPPED`: it was told to.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DISCONNECTED = "disconnected"
    ENDED = "ended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without a camera, on the host's monotonic clock [ns]; `to_ns` None: it is not back."""

    side: str
    from_ns: int
    to_ns: int | None
    reason: str


class Times:
    """The last 65536 durations, to be summed up when asked for. One thread adds."""

    def __init__(self) -> None:
        self._ns = np.zeros(_KEPT, np.int64)
        self._n = 0

    def add(self, ns: int) -> None:
        """Add one [ns]."""
        self._ns[self._n % _KEPT] = ns
        self._n += 1

    def percentiles_ms(self) -> dict[str, float]:
        """Return p50, p95, p99 and the most [ms]; NaN where there are none."""
        seen = self._ns[: min(self._n, _KEPT)]
        if not len(seen):
            return dict.fromkeys(("p50", "p95", "p99", "max"), float("nan"))
        p50, p95, p99, most = (np.percentile(seen, [50, 95, 99, 100]) * 1e-6).tolist()
        return {"p50": p50, "p95": p95, "p99": p99, "max": most}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """How a `CaptureHost` is doing at the moment.

    Attributes
    ----------
    cameras : mapping of side to CameraState
    phase : PitchPhase
        Where the pitch is.
    counts : CaptureCounts
    pitch_ids : tuple of str
        Pitches so far.
    unwritten : tuple of str
        Those that some sink could not take.
    ring_slots, ring_free : int
        Frames there is room for, and that nobody needs.
    crash_safe : bool
        Whether frames outlive a killed process.
    shed : int
        Frames that are in no session video because writing fell behind.
    hooks_skipped : int
        Frames and pairs that a slow hook was not shown. Pitches are never skipped.
    callback_ms, latency_ms : mapping of str to float
        p50, p95, p99 and max of what a capture thread spends on a frame, and of the time from there
        to the tracker's word on it [ms].
    problems : tuple of str
        What goes wrong at the moment, in words.
    """

    cameras: dict[str, CameraState]
    phase: PitchPhase
    counts: CaptureCounts
    pitch_ids: tuple[str, ...]
    unwritten: tuple[str, ...]
    ring_slots: int
    ring_free: int
    crash_safe: bool
    shed: int
    hooks_skipped: int
    callback_ms: dict[str, float]
    latency_ms: dict[str, float]
    problems: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class HostReport:
    """What a capture came to.

    Attributes
    ----------
    status : RecordingStatus
    final : HostStatus
    lost : list of LostFrame
        Of the whole session.
    outages : list of Outage
    recoverable : bool
        Whether `recover_session` has something to do: a sink could not take a pitch.
    """

    status: RecordingStatus
    final: HostStatus
    lost: list[LostFrame] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    recoverable: bool = False

    @property
    def counts(self) -> CaptureCounts:
        """What came and what did not."""
        return self.final.counts

    @property
    def pitch_ids(self) -> tuple[str, ...]:
        """The pitches."""
        return self.final.pitch_ids
