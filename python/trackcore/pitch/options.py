"""The numbers of pitches that a user may tune."""

from __future__ import annotations

from dataclasses import dataclass

from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.options import Options, knob


class FlightModel(StrEnum):
    """What a ball in flight is taken to do.

    `CONSTANT_ACCELERATION`: nine numbers, the fit of PITCHf/x. `PHYSICS`: gravity, drag and lift.
    """

    CONSTANT_ACCELERATION = "constant_acceleration"
    PHYSICS = "physics"


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchFitOptions(Options):
    """How a flight is fitted to what two cameras saw (`fit_pitch`)."""

    model: FlightModel = knob(
        FlightModel.PHYSICS, doc="whose crossings and speeds are reported, where gravity is known"
    )
    sigma_px: float = knob(
        0.1, unit="px", lo=1e-4, hi=100.0, doc="noise of a coordinate, where no covariance is given"
    )
    robust_sigma: float = knob(
        3.0, lo=0.5, hi=1e6, doc="distances beyond this many sigma count in proportion (Huber)"
    )
    outlier_sigma: float = knob(
        5.0, lo=1.0, hi=1e6, doc="and beyond this many not at all, once the fit has settled"
    )
    clock_sigma_s: float = knob(
        0.02, unit="s", lo=0.0, hi=1.0,
        doc="how far the right clock may be off; 0: the cameras are synchronised",
    )  # fmt: skip
    drag: float = knob(0.35, lo=0.0, hi=2.0, doc="drag coefficient expected of the ball")
    drag_sigma: float = knob(
        0.1, lo=1e-6, hi=100.0, doc="and its spread: what little data cannot tell"
    )
    lift_sigma: float = knob(
        0.25, lo=1e-6, hi=100.0, doc="spread of the lift coefficient about 0, in each direction"
    )
    max_iterations: int = knob(40, lo=1, hi=1000, doc="most steps of each fit")
    max_extrapolation_s: float = knob(
        0.4, unit="s", lo=0.0, hi=5.0, doc="a crossing may lie so far outside what was seen"
    )
    max_rms_sigma: float = knob(
        5.0, lo=1.0, hi=1e6, doc="more noise than this many times the expected: REPROJECTION_FAILED"
    )
    radar_sigma_mph: float = knob(
        1.0, unit="mph", lo=0.01, hi=50.0, doc="uncertainty of the radar's speed"
    )
    release_plane_z_ft: float = knob(
        50.0, unit="ft", lo=5.0, hi=100.0, doc="where a release is looked for, from the plate"
    )
    plate_plane_z_ft: float = knob(
        0.0, unit="ft", lo=-5.0, hi=30.0, doc="where a pitch has arrived; 0: the front edge"
    )
    approach_window_ft: float = knob(
        5.0, unit="ft", lo=0.0, hi=20.0, doc="approach angles are of this last part; 0: at the end"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StereoTrackOptions(Options):
    """How candidates of two cameras become tracks in space (`StereoTracker`)."""

    sigma_px: float = knob(
        0.3, unit="px", lo=1e-3, hi=100.0, doc="noise of a coordinate, where no covariance is given"
    )
    gate_sigma: float = knob(
        4.0, lo=1.0, hi=50.0, doc="a candidate further from the prediction is another's"
    )
    epipolar_px: float = knob(
        3.0, unit="px", lo=0.01, hi=200.0,
        doc="Sampson distance of a new pair beyond what motion and clocks explain",
    )  # fmt: skip
    pairing_s: float = knob(
        0.012, unit="s", lo=0.0, hi=1.0, doc="a new pair's stamps are no further apart than this"
    )
    clock_sigma_s: float = knob(
        0.005, unit="s", lo=0.0, hi=0.1, doc="how far the right clock may be off; 0: synchronised"
    )
    max_gap_s: float = knob(
        0.1, unit="s", lo=0.0, hi=5.0, doc="a track unseen for longer has ended"
    )
    max_jump_m: float = knob(
        0.3048, unit="m", lo=0.01, hi=10.0,
        doc="a candidate whose ray passes the prediction further away is a jump",
    )  # fmt: skip
    speed_sigma: float = knob(
        25.0, unit="m/s", lo=0.1, hi=1000.0, doc="spread of a new track's velocity, on each axis"
    )
    max_speed: float = knob(
        60.0, unit="m/s", lo=0.1, hi=1000.0, doc="a track that is faster is none"
    )
    min_speed: float = knob(
        3.0, unit="m/s", lo=0.0, hi=1000.0, doc="a track that is slower is not a pitch"
    )
    acceleration_sigma: float = knob(
        15.0, unit="m/s2", lo=0.0, hi=1000.0, doc="drag and lift beside gravity, on each axis"
    )
    jerk: float = knob(20.0, unit="m/s2/sqrt(s)", lo=0.0, hi=1e5, doc="drift of the acceleration")
    confirm: int = knob(4, lo=1, hi=100, doc="frames of each camera before a track is believed")
    min_depth_m: float = knob(0.5, unit="m", lo=0.01, hi=1000.0, doc="nearest place of a ball")
    max_depth_m: float = knob(40.0, unit="m", lo=0.1, hi=1e5, doc="farthest place of a ball")
    max_tracks: int = knob(16, lo=1, hi=4096, doc="most hypotheses alive; the best stay")


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchEventOptions(Options):
    """When a pitch begins and ends (`PitchStateMachine`). Times are those of the stamps."""

    min_active_ms: float = knob(
        33.0, unit="ms", lo=0.0, hi=10_000.0, doc="a ball seen for less is no pitch"
    )
    end_gap_ms: float = knob(
        100.0, unit="ms", lo=1.0, hi=60_000.0, doc="a ball unseen for longer: the pitch has ended"
    )
    ending_ms: float = knob(
        25.0, unit="ms", lo=0.0, hi=60_000.0, doc="a ball unseen for longer may have arrived"
    )
    min_observations: int = knob(3, lo=1, hi=10_000, doc="a pitch with fewer is none")
    max_duration_ms: float = knob(
        5000.0, unit="ms", lo=10.0, hi=1e7, doc="a pitch that lasts longer is ended"
    )
    clock_jump_ms: float = knob(
        1000.0, unit="ms", lo=1.0, hi=1e9, doc="stamps that leap so far, either way, begin anew"
    )

    @classmethod
    def from_documented(
        cls, *, session_min_active_frames: int = 5, session_end_gap_frames: int = 10, fps: float
    ) -> PitchEventOptions:
        """Return options from the documented keys, which count frames.

        Parameters
        ----------
        session_min_active_frames : int
            Frames with a ball that make a pitch: n of them span n - 1 periods.
        session_end_gap_frames : int
            Frames without one that end it.
        fps : float
            Of the cameras [1/s].

        Raises
        ------
        InputError
            If a value is none that the options allow.

        Examples
        --------
        >>> options = PitchEventOptions.from_documented(
        ...     session_min_active_frames=5, session_end_gap_frames=12, fps=120)
        >>> round(options.min_active_ms, 1), round(options.end_gap_ms, 1)
        (33.3, 100.0)
        """
        for name, value in (
            ("session_min_active_frames", session_min_active_frames),
            ("session_end_gap_frames", session_end_gap_frames),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name}: expected a whole number of frames >= 1, got {value!r}")
        if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 0 < fps < 1e6:
            raise InputError(f"fps: expected a number above 0, got {fps!r}")
        period = 1000.0 / fps
        gap = max(session_end_gap_frames * period, 1.0)
        return cls(
            min_active_ms=(session_min_active_frames - 1) * period, end_gap_ms=gap,
            ending_ms=min(3 * period, gap),
        )  # fmt: skip
