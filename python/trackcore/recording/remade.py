"""Documents turned back into what they were made from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M
from trackcore.balls import Candidates
from trackcore.cameras import WorldFrame
from trackcore.pitch import Sightings, StereoObservation
from trackcore.recording.documents import from_feet
from trackcore.recording.models.pitch import Detection, Lost, Observation, SeenBall
from trackcore.recording.window import LostFrame

Floats = NDArray[np.float64]

_UNKNOWN = float("nan")


def lost_from(records: Sequence[Lost] | None) -> tuple[LostFrame, ...]:
    """Return the lost frames that a document names."""
    return tuple(
        LostFrame(side=f.side, frame_index=f.frame_index, reason=f.reason) for f in records or ()
    )


def sightings_from(seen: Sequence[SeenBall]) -> Sightings:
    """Return the sightings of a camera."""
    known = bool(seen) and all(s.covariance_px2 is not None for s in seen)
    return Sightings(
        np.array([s.timestamp_ns for s in seen], np.int64),
        np.array([(s.u_px, s.v_px) for s in seen], np.float64).reshape(-1, 2),
        np.array([s.covariance_px2 for s in seen], np.float64) if known else None,
    )


def observation_from(seen: Observation, frame: WorldFrame) -> StereoObservation:
    """Return an observation in metres of the rig's world; NaN for what other programs leave out."""
    A = frame.axes.T * FOOT_M
    C = np.full((3, 3), _UNKNOWN) if seen.covariance_ft2 is None else np.array(seen.covariance_ft2)
    V = (_UNKNOWN,) * 3 if seen.velocity_ftps is None else seen.velocity_ftps
    right = seen.right_timestamp_ns
    return StereoObservation(
        seen.timestamp_ns, seen.timestamp_ns if right is None else right,
        np.array(seen.left_px, np.float64), np.array(seen.right_px, np.float64),
        from_feet(frame, np.array([seen.X_ft, seen.Y_ft, seen.Z_ft])),
        from_feet(frame, np.array(V, np.float64)), A @ C @ A.T,
        _UNKNOWN if seen.epipolar_px is None else seen.epipolar_px, seen.quality,
        seen.confidence, -1, -1,
    )  # fmt: skip


def remade_balls(t_ns: int, found: Sequence[Detection]) -> Candidates:
    """Return the candidates of a frame; NaN for what other programs leave out."""

    def column(name: str) -> Floats:
        values = [getattr(d, name) for d in found]
        return np.array([_UNKNOWN if v is None else v for v in values], np.float64)

    def block(name: str, *shape: int) -> Floats:
        blank = np.full(shape, _UNKNOWN).tolist()
        values = [getattr(d, name) for d in found]
        filled = [blank if v is None else v for v in values]
        return np.array(filled, np.float64).reshape(-1, *shape)

    return Candidates(
        u=column("u_px"), v=column("v_px"), radius_px=column("radius_px"), area=column("area_px"),
        contrast=column("contrast"), circularity=column("circularity"),
        elongation=column("elongation"), streak_px=block("streak_px", 2), score=column("score"),
        confidence=column("confidence"), covariance=block("covariance_px2", 2, 2),
        rule=np.zeros(len(found), np.uint8),
        refined=np.array([bool(d.refined) for d in found], np.bool_), t_ns=t_ns,
        overloaded=False,
    )  # fmt: skip
