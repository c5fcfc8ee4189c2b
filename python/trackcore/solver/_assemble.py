"""From the chosen candidate to a `Solve`: one more fit, the numbers behind the grade, the world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._candidates import Candidate, Task, free, tripod, with_all_tracks
from trackcore.solver._colmap import State
from trackcore.solver._free import LEAST_ANGLE
from trackcore.solver._grade import graded
from trackcore.solver._poses import centres, largest_angle
from trackcore.solver._problem import Flags, Floats, Problem
from trackcore.solver._tripod import SPHERE
from trackcore.solver._uncertainty import Uncertainty, uncertainty
from trackcore.solver.lens import Lens, LensModel
from trackcore.solver.prior import CameraPrior
from trackcore.solver.result import Grade, Solve, SolveKind, TrackRole
from trackcore.stats import ShotType
from trackcore.tracks import Tracks

LEAST_OBSERVATIONS = 3
"""A bundle has at least so many."""
GRID = (4, 4)
LEAST_SUSPICIOUS_PX, CLEARLY_LESS, AS_GOOD = 0.5, 0.85, 1.02
"""With held-out errors beyond the first a given focal length is doubted; one is better if they
fall to this share."""


def assembled(tracks: Tracks, task: Task, candidate: Candidate, shot: ShotType) -> Solve:
    """Return the solve that a candidate becomes."""
    final = with_all_tracks(task, candidate)
    problem, state = task.problem, final.state
    role = _roles(problem, final, task.tolerance_px)
    state = replace(state, X=np.where((role == TrackRole.BUNDLE)[:, None], state.X, np.nan))
    final = replace(final, state=state, use=final.use & (role == TrackRole.BUNDLE)[:, None])
    doubt = uncertainty(problem, state, final.use, final.model)
    evidence = _evidence(task, candidate, final, doubt, role)
    grade, reasons = graded(evidence)
    judged = candidate.errors[~np.isnan(candidate.errors)]
    T, X = _in_world(state, problem, travels=final.model.travels)
    error = np.where(final.use, state.errors(problem.uv), np.nan)
    focal = np.where(state.solved, state.focal, np.nan)
    taken_out = task.prior.lens.bends and not any(state.k)
    numbers = tracks.frame_numbers
    return Solve(
        T_cam_world=T, points=X, ids=tracks.ids, role=role,
        track_error_px=_rms(error, 1), frame_error_px=_rms(error, 0),
        frame_numbers=numbers, frame_size=tracks.frame_size, fps=tracks.fps,
        focal_px=float(np.nanmedian(focal)), focal_px_per_frame=focal,
        focal_sigma_px=float("nan") if task.focal_is_assumed
        else float(doubt.focal * np.nanmedian(focal)),
        principal_point_px=task.prior.centre_px(tracks.frame_size),
        lens=_taken_out(task, focal) if taken_out else _lens(state.k),
        pixel_aspect=task.prior.pixel_aspect,
        mean_error_px=float(np.nanmean(error)) if np.isfinite(error).any() else float("nan"),
        held_out_error_px=candidate.error_px if len(judged) else float("nan"),
        held_out_ids=tracks.ids[task.aside], centre_sigma=doubt.centre, kind=final.kind, shot=shot,
        keyframes=None if final.pair is None
        else (int(numbers[final.pair[0]]), int(numbers[final.pair[1]])),
        grade=grade, reasons=reasons, evidence=evidence,
    )  # fmt: skip


def refused(tracks: Tracks, prior: CameraPrior, shot: ShotType | None, why: str) -> Solve:
    """Return a solve without a camera, and why."""
    n, f = len(tracks), tracks.n_frames
    return Solve(
        T_cam_world=np.full((f, 4, 4), np.nan), points=np.full((n, 3), np.nan), ids=tracks.ids,
        role=np.full(n, TrackRole.UNUSED, np.uint8), track_error_px=np.full(n, np.nan),
        frame_error_px=np.full(f, np.nan), frame_numbers=tracks.frame_numbers,
        frame_size=tracks.frame_size, fps=tracks.fps, focal_px=float("nan"),
        focal_px_per_frame=np.full(f, np.nan), focal_sigma_px=float("nan"),
        principal_point_px=prior.centre_px(tracks.frame_size), lens=prior.lens,
        pixel_aspect=prior.pixel_aspect, mean_error_px=float("nan"),
        held_out_error_px=float("nan"), held_out_ids=tracks.ids[:0],
        centre_sigma=np.full(f, np.nan), kind=SolveKind.NONE, shot=shot, keyframes=None,
        grade=Grade.F, reasons=(why,),
    )  # fmt: skip


def _taken_out(task: Task, focal: Floats) -> Lens:
    """Return the lens that was taken out of the picture, in units of the focal length found."""
    lens, given = task.prior.lens, task.focal
    if given is None:
        return lens
    ratio = float(np.nanmedian(focal)) / given
    if lens.model is LensModel.NUKE:
        return replace(lens, unit=lens.unit / ratio)
    powers = (2, 4, 1, 1, 6) if lens.model is LensModel.BROWN else (2, 4, 6)
    scaled = zip(lens.coefficients, powers, strict=False)
    return replace(lens, coefficients=tuple(k * ratio**power for k, power in scaled))


def _lens(k: tuple[float, float]) -> Lens:
    return Lens(LensModel.POLYNOMIAL, k) if any(k) else Lens()


def _roles(problem: Problem, final: Candidate, tolerance_px: float) -> NDArray[np.uint8]:
    state, seen = final.state, problem.seen & final.state.solved
    error = state.errors(problem.uv)
    with np.errstate(invalid="ignore"):
        near = (error < tolerance_px).sum(axis=1)
    count = seen.sum(axis=1)
    role = np.full(len(seen), TrackRole.BUNDLE, np.uint8)
    role[(near < 0.5 * count) & ~problem.protected] = TrackRole.OUTLIER
    if final.model.travels:
        narrow = ~(largest_angle(state.T, state.X, seen) > LEAST_ANGLE)
        role[narrow & (role == TrackRole.BUNDLE)] = TrackRole.NO_PARALLAX
    role[~np.isfinite(state.X[:, 0]) & (role == TrackRole.BUNDLE)] = TrackRole.NO_PARALLAX
    role[count < LEAST_OBSERVATIONS] = TrackRole.TOO_FEW_FRAMES
    return role


def _rms(error: Floats, axis: int) -> Floats:
    known = np.isfinite(error)
    total = np.where(known, error, 0.0) ** 2
    count = known.sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, np.sqrt(total.sum(axis=axis) / count), np.nan))


def _in_world(state: State, problem: Problem, *, travels: bool) -> tuple[Floats, Floats]:
    """Return cameras and points in the world of the first camera, the median point 10 away."""
    T, X = state.T.copy(), state.X.copy()
    first = int(state.solved.argmax())
    move = T[first].copy()
    X = X @ move[:3, :3].T + move[:3, 3]
    T = T @ np.linalg.inv(move)
    if travels:
        near = np.isfinite(X[:, 0]) & problem.seen[:, first]
        depth = X[near if near.any() else np.isfinite(X[:, 0]), 2]
        scale = SPHERE / abs(float(np.median(depth))) if len(depth) else 1.0
    else:
        scale = SPHERE
    T[:, :3, 3] *= scale
    return T, X * scale


def _evidence(
    task: Task, candidate: Candidate, final: Candidate, doubt: Uncertainty, role: NDArray[np.uint8]
) -> dict[str, float]:
    """Return the numbers that the grade's criteria name."""
    problem, state, unit = task.problem, final.state, task.problem.unit_px
    bundles = role == TrackRole.BUNDLE
    asked = role != TrackRole.TOO_FEW_FRAMES
    judged = candidate.errors[~np.isnan(candidate.errors)]
    visible = problem.seen[bundles]
    in_frame = visible.sum(axis=0)[state.solved]
    evidence = {
        "frames_solved": float(state.solved.mean()),
        "bundles": float(bundles.sum()),
        "bundles_in_frame": float(np.percentile(in_frame, 5)) if len(in_frame) else 0.0,
        "bundle_share": float(bundles.sum() / max(int(asked.sum()), 1)),
        "coverage": _coverage(problem, bundles, state.solved),
        "held_out_error": candidate.error_px / unit if len(judged) else float("nan"),
        "held_out_share": float((judged < task.tolerance_px).mean()) if len(judged) else 0.0,
        "held_out_tracks": float(len(judged)),
        "motion_px": _motion(problem) / unit,
    }
    if final.hidden_zoom:
        evidence["hidden_zoom"] = 1.0
    if final.model.focal != "free" and not task.focal_is_assumed:
        evidence["focal_sigma"] = doubt.focal
    if task.focal_is_assumed:
        evidence["focal_assumed"] = 1.0
    elif final.model.focal == "fixed":
        evidence["focal_misfit"] = _misfit(task, candidate)
    if not final.model.travels:
        return evidence | {"turn_sigma_deg": _p90(doubt.turn_deg)}
    angle = largest_angle(state.T, state.X, problem.seen)
    return evidence | {
        "centre_sigma": _p90(doubt.centre),
        "angle_deg": float(np.degrees(np.nanmedian(angle))) if bundles.any() else 0.0,
        "leap": _leap(state.T),
    }


def _p90(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, 90)) if len(known) else float("nan")


def _coverage(problem: Problem, bundles: Flags, solved: Flags) -> float:
    """Return the share of the picture's cells that hold a point, in all but a quarter of frames."""
    place = problem.uv[bundles][:, solved] / [problem.width, problem.height] + 0.5
    cell = np.clip(np.nan_to_num(place) * GRID, 0, np.array(GRID) - 1).astype(np.int64)
    index = np.where(np.isfinite(place[..., 0]), cell[..., 0] * GRID[1] + cell[..., 1], -1)
    shares = [len(np.unique(column[column >= 0])) / (GRID[0] * GRID[1]) for column in index.T]
    return float(np.percentile(shares, 25)) if shares else 0.0


def _motion(problem: Problem) -> float:
    """Return how far tracks come from where they began: nine tenths of them less [px]."""
    first = problem.seen.argmax(axis=1)
    start = problem.uv[np.arange(len(first)), first]
    far = np.linalg.norm(problem.uv - start[:, None], axis=-1)
    furthest = np.where(np.isfinite(far), far, 0.0).max(axis=1)
    return float(np.percentile(furthest, 90)) if len(furthest) else 0.0


def shaken_px(problem: Problem) -> float:
    """Return how far the picture as a whole comes from where it was, in nine tenths of frames."""
    first = problem.seen.argmax(axis=1)
    start = problem.uv[np.arange(len(first)), first]
    seen = problem.seen.any(axis=0)
    common = np.nanmedian(problem.uv[:, seen] - start[:, None], axis=0)
    return float(np.percentile(np.linalg.norm(common, axis=1), 90)) if seen.any() else 0.0


def _leap(T: Floats) -> float:
    """Return the largest step of the path out of the middle of its neighbours, over its extent."""
    C = centres(T)
    extent = float(np.linalg.norm(np.nanmax(C, axis=0) - np.nanmin(C, axis=0)))
    off = np.linalg.norm(C[1:-1] - (C[:-2] + C[2:]) / 2, axis=1)
    known = off[np.isfinite(off)]
    return float(known.max() / max(extent, 1e-300)) if len(known) else float("nan")


def _misfit(task: Task, candidate: Candidate) -> float:
    """Return how many times a given focal length is off what the tracks say, if they clearly do.

    1 where another one does not predict held-out tracks better. A lens that was bent to suit the
    focal length is doubted as well: a straight one with another focal length need only be as good.
    """
    freed = replace(candidate, model=replace(candidate.model, focal="shared"))
    others = [with_all_tracks(replace(task, problem=task.problem.without(task.aside)), freed)]
    bent = any(candidate.state.k)
    if bent or candidate.error_px > LEAST_SUSPICIOUS_PX * task.problem.unit_px:
        unknown = replace(task, focal=None)
        found = free(unknown) if candidate.model.travels else tripod(unknown, zoom=False)
        others += [found] if found is not None else []
    best = min((task.rejudged(other) for other in others), key=lambda other: other.error_px)
    simpler = bent and not any(best.state.k)
    if best.error_px > (AS_GOOD if simpler else CLEARLY_LESS) * candidate.error_px:
        return 1.0
    ratio = float(np.median(best.state.focal) / np.median(candidate.state.focal))
    return max(ratio, 1 / ratio)
