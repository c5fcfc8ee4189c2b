"""What was seen, as the documented files say it: detections, observations, sightings, metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from trackcore import _core
from trackcore._files import write_text
from trackcore.ballistics import FOOT_M
from trackcore.cameras import WorldFrame
from trackcore.errors import RecordError
from trackcore.pitch import Sightings, StereoObservation, TrackedPitch
from trackcore.recording import models
from trackcore.recording.models._base import UNITS
from trackcore.recording.models.pitch import (
    Detection,
    DetectionQuality,
    Lost,
    Observation,
    PerformanceMetrics,
    SeenBall,
    TimingAccuracy,
)
from trackcore.recording.window import SIDES, FrameDetections, LostFrame
from trackcore.session.models._base import Record

Kind = TypeVar("Kind", bound=Record)
Floats = NDArray[np.float64]

DETECTIONS = "detections/{side}_detections.json"
OBSERVATIONS = "observations/stereo_observations.json"
SIGHTINGS = "sightings.json"
MANIFEST = "manifest.json"
TIMESTAMPS = "{side}_timestamps.csv"
VIDEO = "{side}.avi"

APP_VERSION: str = _core.__version__
_MS = 1e-6


def write_document(path: Path, document: Record) -> None:
    """Write a document, whole or not at all, held to its schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document.checked().to_dict(), indent=2, allow_nan=False)
    write_text(path, text + "\n")


def read_document(path: Path, kind: type[Kind]) -> Kind | None:
    """Return a document, None where there is no such file.

    Raises
    ------
    RecordError
        If the file is none, naming it and its first wrong field.
    """
    if not path.is_file():
        return None
    try:
        return kind.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RecordError(f"{path.name}, {where or 'whole'}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"{path.name}: expected JSON: {error}") from error


def write_detections(folder: Path, pitch_id: str, found: Mapping[str, Sequence[Detection]]) -> None:
    """Write the file of each camera that found anything."""
    for side, rows in found.items():
        if rows:
            write_document(folder / DETECTIONS.format(side=side), models.Detections(
                app_version=APP_VERSION, pitch_id=pitch_id, camera=side,
                detection_count=len(rows), detections=list(rows),
            ))  # fmt: skip


def write_observations(
    folder: Path, pitch_id: str, seen: Sequence[Observation], frame: WorldFrame
) -> None:
    """Write the file of observations, if there are any."""
    if seen:
        write_document(folder / OBSERVATIONS, models.Observations(
            app_version=APP_VERSION, pitch_id=pitch_id, observation_count=len(seen),
            observations=list(seen), **placed(frame),
        ))  # fmt: skip


def lost_records(lost: Iterable[LostFrame]) -> list[Lost]:
    """Return lost frames as documents name them."""
    return [Lost(side=f.side, frame_index=f.frame_index, reason=f.reason) for f in lost]


def placed(frame: WorldFrame) -> dict[str, Any]:
    """Return what a document with places says of them."""
    return {"units": dict(UNITS), "frame": frame.name}


def to_feet(frame: WorldFrame, X_world: Floats) -> Floats:
    """Return places (..., 3) [m] along the axes of a rig's frame, in feet whatever its unit is."""
    return np.asarray(np.asarray(X_world, np.float64) @ frame.axes.T / FOOT_M)


def from_feet(frame: WorldFrame, X_ft: Floats) -> Floats:
    """Return the places [m] of `to_feet`."""
    return np.asarray(np.asarray(X_ft, np.float64) @ frame.axes * FOOT_M)


def phase(t_ns: int, start_ns: int, end_ns: int) -> str:
    """Return before, during or after a pitch."""
    return "pre_roll" if t_ns < start_ns else "pitch" if t_ns <= end_ns else "post_roll"


def detections_of(
    found: Iterable[FrameDetections], ball: Sightings, start_ns: int, end_ns: int, common: Any
) -> list[Detection]:
    """Return the balls of a camera's frames; `common` turns its stamps to the common clock."""
    seen = {(int(t), float(u), float(v)) for t, (u, v) in zip(ball.t_ns, ball.xy_px, strict=True)}
    rows = []
    for frame in found:
        balls, t_ns = frame.balls, int(frame.balls.t_ns)
        when = phase(int(common(t_ns)), start_ns, end_ns)
        for k in np.flatnonzero(balls.rule == 0).tolist():
            u, v = float(balls.u[k]), float(balls.v[k])
            rows.append(Detection(
                frame_index=frame.frame_index, timestamp_ns=t_ns, u_px=u, v_px=v,
                radius_px=float(balls.radius_px[k]), confidence=float(balls.confidence[k]),
                phase=when, in_pitch=(t_ns, u, v) in seen,
                covariance_px2=balls.covariance[k].tolist(),
                streak_px=tuple(balls.streak_px[k].tolist()), contrast=float(balls.contrast[k]),
                area_px=float(balls.area[k]), circularity=float(balls.circularity[k]),
                elongation=float(balls.elongation[k]), score=float(balls.score[k]),
                refined=bool(balls.refined[k]),
            ))  # fmt: skip
    return rows


def observation(seen: StereoObservation, frame: WorldFrame) -> Observation:
    """Return an observation in feet of the rig's frame."""
    X = to_feet(frame, seen.X_world).tolist()
    A = frame.axes / FOOT_M
    return Observation(
        timestamp_ns=int(seen.t_ns), left_px=tuple(seen.left_px.tolist()),
        right_px=tuple(seen.right_px.tolist()), X_ft=X[0], Y_ft=X[1], Z_ft=X[2],
        quality=float(seen.quality), confidence=float(seen.confidence),
        right_timestamp_ns=int(seen.right_t_ns),
        velocity_ftps=tuple(to_feet(frame, seen.V_world).tolist()),
        covariance_ft2=(A @ seen.covariance @ A.T).tolist(), epipolar_px=float(seen.epipolar_px),
    )  # fmt: skip


def seen_balls(pitch_id: str, pitch: TrackedPitch) -> models.SeenBalls:
    """Return the sightings that a pitch is fitted to."""
    sides: dict[str, Any] = {}
    for side in SIDES:
        one: Sightings = getattr(pitch, side)
        C = [None] * len(one) if one.covariance is None else one.covariance.tolist()
        sides[side] = [
            SeenBall(timestamp_ns=int(t), u_px=float(u), v_px=float(v), covariance_px2=c)
            for t, (u, v), c in zip(one.t_ns, one.xy_px, C, strict=True)
        ]
    return models.SeenBalls(
        app_version=APP_VERSION, pitch_id=pitch_id, index=pitch.index,
        track_ids=list(pitch.track_ids), **sides,
    )  # fmt: skip


def metrics(
    *,
    start_ns: int,
    end_ns: int,
    frames: Mapping[str, Sequence[tuple[int, int]]],
    detected: Mapping[str, Sequence[int]],
    observations: int,
) -> PerformanceMetrics:
    """Return the documented nine figures.

    Parameters
    ----------
    start_ns, end_ns : int
        Of the pitch, on the common clock [ns].
    frames : by camera, (frame_index, common time [ns]) of each frame of the window
    detected : by camera, frame_index of each detection
    observations : int
    """
    before = sum(t < start_ns for side in SIDES for _, t in frames[side])
    after = sum(t > end_ns for side in SIDES for _, t in frames[side])
    empty = 0
    for side in SIDES:
        found = set(detected[side])
        empty += sum(start_ns <= t <= end_ns and i not in found for i, t in frames[side])
    duration = end_ns - start_ns
    rate = observations / (duration * 1e-9) if duration > 0 else None
    paces = {side: _pace([t for _, t in frames[side]]) for side in SIDES}
    return PerformanceMetrics(
        detection_quality=DetectionQuality(
            left_camera_detections=len(detected["left"]),
            right_camera_detections=len(detected["right"]),
            stereo_observations=observations, detection_rate_hz=rate,
            frames_with_no_detection=empty,
        ),
        timing_accuracy=TimingAccuracy(
            pre_roll_frames_captured=before, post_roll_frames_captured=after,
            duration_ns=duration, start_ns=start_ns, end_ns=end_ns,
            frame_period_ms={side: paces[side][0] for side in SIDES},
            frame_jitter_ms={side: paces[side][1] for side in SIDES},
        ),
    )  # fmt: skip


def _pace(t_ns: list[int]) -> tuple[float | None, float | None]:
    """Return the median period, and within what 95 % of the periods are of it [ms]."""
    periods = np.diff(np.asarray(t_ns, np.int64)).astype(np.float64) * _MS
    if len(periods) == 0:
        return None, None
    middle = float(np.median(periods))
    return middle, float(np.percentile(np.abs(periods - middle), 95))
