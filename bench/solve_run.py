"""What the suite runs: one function, clip in, camera out. trackcore's is the one that counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench.solve_corrupt import corrupt, keep
from bench.solve_truth import Scene
from numpy.typing import NDArray

import trackcore as tc

F64 = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A solved clip, or why it was not.

    `focal_px` is (n_frames,) or one number. `survival`: share of the tracks that were given to the
    solver which have a bundle. `grade` is A .. F, or "-" from an engine that gives none.
    """

    T_cam_world: F64
    focal_px: F64 | float
    grade: str
    reasons: tuple[str, ...] = ()
    mean_error_px: float = NAN
    held_out_error_px: float = NAN
    survival: float = NAN
    attempts: int = 1


Run = Callable[[Path, Scene], Outcome]


def trackcore(clip: Path, scene: Scene) -> Outcome:
    """Run the whole pipeline; solve once more where the scene wants other tracks or a prior."""
    result = tc.SmartTracker().run(str(clip))
    if not (scene.corrupt or scene.keep_tracks or scene.told_kind or scene.told_focal):
        if result.solve is None:
            nowhere = np.full((scene.n_frames, 4, 4), NAN)
            return Outcome(T_cam_world=nowhere, focal_px=NAN, grade="F", reasons=result.notes)
        return _outcome(result.solve, len(result.attempts))
    tracks = _as_wanted(result.tracks, scene)
    told: dict[str, Any] = {}
    if scene.told_focal:
        focal_px = scene.told_focal * scene.focal[0] * scene.size[0]
        told["camera_prior"] = tc.CameraPrior(focal_px=focal_px)
    if scene.told_kind:
        told["shot_type"] = tc.ShotType(tc.ShotKind[scene.told_kind], 1.0)
    return _outcome(tc.solve(tracks, **told), 1)


def _as_wanted(tracks: tc.Tracks, scene: Scene) -> tc.Tracks:
    """Spoil or drop tracks as the scene says."""
    if scene.corrupt:
        tracks = corrupt(tracks, scene.corrupt, scene.seed)
    return keep(tracks, scene.keep_tracks) if scene.keep_tracks else tracks


def _outcome(solve: Any, attempts: int) -> Outcome:
    n_tracks = len(solve.ids)
    return Outcome(
        T_cam_world=solve.T_cam_world, focal_px=solve.focal_px_per_frame, grade=str(solve.grade),
        reasons=tuple(solve.reasons), mean_error_px=solve.mean_error_px,
        held_out_error_px=solve.held_out_error_px,
        survival=float(np.isfinite(solve.points[:, 0]).sum() / n_tracks) if n_tracks else NAN,
        attempts=attempts,
    )  # fmt: skip


def blender(clip: Path, scene: Scene) -> Outcome:
    """Blender's own automatic detection, tracking and solve, told when it is a tripod."""
    from bench.peers.blender_solve import solve

    if scene.corrupt or scene.keep_tracks or scene.told_kind or scene.told_focal:
        raise NotImplementedError("Blender runs on clips as they are")
    tripod = scene.kind in ("tripod", "tripod_zoom")
    found = solve(clip, options=["--tripod"] if tripod else [])
    if not found["solved"]:
        raise RuntimeError(str(found["message"]))
    return Outcome(
        T_cam_world=found["T_cam_world"], focal_px=float(found["focal_px"]), grade="-",
        mean_error_px=float(found["average_error_px"]),
        survival=float(np.isfinite(found["X_world"][:, 0]).mean()),
    )  # fmt: skip


def reference(clip: Path, scene: Scene) -> Outcome:
    """`track_clip` as it comes, then the best camera its tracks allow: it is told the truth."""
    from bench.solve_reference import best_camera
    from bench.solve_scenes import load

    tracks = _as_wanted(tc.track_clip(str(clip)), scene)
    T, focal_px, X, mean_px = best_camera(load(scene.name)[1], tracks.xy_px)
    return Outcome(
        T_cam_world=T, focal_px=focal_px, grade="-", mean_error_px=mean_px,
        survival=float(np.isfinite(X[:, 0]).mean()),
    )  # fmt: skip


ENGINES: dict[str, Run] = {"trackcore": trackcore, "blender": blender, "reference": reference}
