"""A camera that only turns: rotations chained from frame to frame, then adjusted together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._adjust import Estimate, Model, adjust
from trackcore.solver._colmap import State
from trackcore.solver._free import GOOD_SCORE
from trackcore.solver._poses import directions
from trackcore.solver._problem import Flags, Floats, Problem
from trackcore.solver._thinned import spacing, thinned

FOCALS = (1.0, 0.5, 2.2)
"""Focal lengths tried, in frame widths."""
HOPELESS_SCORE = 0.2
"""A camera that explains less after a first look does not turn."""
FIRST_LOOK_FRAMES, FIRST_LOOK_TRACKS = 24, 150
LEAST_COMMON = 4
LOOKBACK = 5
"""A frame is turned against so many before it, if need be."""
SPHERE = 10.0
"""Distance of all points: a camera that turns sees none."""


def solve_tripod(
    problem: Problem,
    focal: float | None,
    scale: Floats,
    model: Model,
    tolerance_px: float,
    *,
    whatever: bool,
) -> tuple[State, Flags] | None:
    """Return a turning camera and the observations that agree with it; None if there is none.

    Parameters
    ----------
    problem : Problem
    focal : float, optional
        [px] of the first frame.
    scale : (n_frames,) float64
        Focal length of each frame over that of the first, as far as it is known; all 1 for a
        fixed lens.
    model : Model
        What may change.
    tolerance_px : float
        Observations further from their prediction do not count.
    whatever : bool
        Return also a camera that hardly explains what is seen.
    """
    guesses = [focal] if focal is not None else [f * problem.width for f in FOCALS]
    some = _some(problem)
    few = replace(problem, uv=problem.uv[np.ix_(*some)], protected=problem.protected[some[0]])
    quick = replace(model, iterations=15)
    best: tuple[float, float] | None = None
    for guess in guesses:  # on few frames and tracks: most shots are no turn, and soon known
        state = _chained(few, guess * scale[some[1]], tolerance_px)
        if state is None:
            continue
        state = _adjusted(few, state, _countable(few, state), quick)
        score = _score(few, state, tolerance_px)
        if best is None or score > best[0] + 1e-4:
            best = score, float(state.focal[0] / scale[some[1]][0])
        if score >= GOOD_SCORE:
            break
    if best is None or (best[0] < HOPELESS_SCORE and not whatever):
        return None
    full = _chained(problem, best[1] * scale, tolerance_px)
    if full is None:
        return None
    full = _adjusted(problem, full, _countable(problem, full), model)
    error = full.errors(problem.uv)
    with np.errstate(invalid="ignore"):
        near = error < 2 * tolerance_px
    return full, near | (problem.protected[:, None] & np.isfinite(error))


def _some(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tracks and frames for a first look: evenly spread, the longest lived."""
    n_frames = problem.uv.shape[1]
    step = -(-n_frames // FIRST_LOOK_FRAMES)
    frames = np.arange(0, n_frames, max(step, 1))
    life = problem.seen[:, frames].sum(axis=1)
    tracks = np.sort(np.argsort(-life, kind="stable")[:FIRST_LOOK_TRACKS])
    return tracks, frames


def _score(problem: Problem, state: State, tolerance_px: float) -> float:
    """Return the share of observations explained, each the less the worse."""
    error = state.errors(problem.uv)
    counts = np.isfinite(error) | (problem.seen & state.solved)
    share = np.where(np.isfinite(error), np.maximum(0, 1 - (error / tolerance_px) ** 2), 0.0)
    return float(share[counts].sum() / max(int(counts.sum()), 1))


def _chained(problem: Problem, focal: Floats, tolerance_px: float) -> State | None:
    """Return rotations from each frame to the one before, multiplied up, and mean directions."""
    n_tracks, n_frames = problem.seen.shape
    d = np.concatenate([problem.uv / focal[None, :, None], np.ones((n_tracks, n_frames, 1))], -1)
    d /= np.linalg.norm(d, axis=-1, keepdims=True)
    T = np.full((n_frames, 4, 4), np.nan)
    first = int(problem.seen.any(axis=0).argmax())
    T[first] = np.eye(4)
    for j in range(first + 1, n_frames):
        for i in range(j - 1, max(first, j - LOOKBACK) - 1, -1):
            both = problem.seen[:, i] & problem.seen[:, j]
            if np.isfinite(T[i, 0, 0]) and both.sum() >= LEAST_COMMON:
                T[j] = np.eye(4)
                T[j, :3, :3] = _turn(d[both, i], d[both, j], tolerance_px / focal[j]) @ T[i, :3, :3]
                break
    solved = np.isfinite(T[:, 0, 0])
    if solved.sum() < 2:
        return None
    T[:, :3, 3] = np.where(solved[:, None], 0.0, np.nan)
    return State(T, directions(T, d[..., :2] / d[..., 2:]), focal.copy())


def _turn(a: Floats, b: Floats, tolerance: float) -> Floats:
    """Return the rotation that takes directions a to b; Kabsch's, with fading weights."""
    w = np.ones(len(a))
    R = np.eye(3)
    for _ in range(10):
        U, _, V = np.linalg.svd((b * w[:, None]).T @ a)
        R = U @ np.diag([1.0, 1.0, np.linalg.det(U @ V)]) @ V
        error = np.linalg.norm(a @ R.T - b, axis=1)
        fade = max(tolerance, 1.5 * float(np.median(error)))
        w = 1 / (1 + (error / fade) ** 2) ** 2
    return np.asarray(R)


def _countable(problem: Problem, state: State) -> Flags:
    return np.asarray(np.isfinite(state.errors(problem.uv)))


def _adjusted(problem: Problem, state: State, use: Flags, model: Model) -> State:
    """Return the state adjusted; of a long clip some frames are, and the others turned to fit."""
    usable = np.flatnonzero(state.solved & (use.sum(axis=0) >= 3))
    frames = np.zeros(len(state.T), bool)
    chosen = thinned(use, usable, model.most_frames)
    frames[chosen] = True
    tracks = use[:, frames].sum(axis=1) >= 2
    if frames.sum() < 2 or tracks.sum() < LEAST_COMMON:
        return state
    at = np.ix_(tracks, frames)
    found = adjust(
        Estimate(state.T[frames], state.X[tracks], state.focal[frames]), problem.uv[at], use[at],
        model.apart(spacing(chosen)),
    )  # fmt: skip
    T, X = np.full_like(state.T, np.nan), np.full_like(state.X, np.nan)
    T[frames], X[tracks] = found.T, found.X
    whole = np.arange(len(T))
    focal = np.exp(np.interp(whole, whole[frames], np.log(found.focal)))
    for frame in np.setdiff1d(usable, whole[frames]):
        there = use[:, frame] & tracks
        d = np.column_stack([problem.uv[there, frame] / focal[frame], np.ones(there.sum())])
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        T[frame] = np.eye(4)
        T[frame, :3, :3] = _turn(X[there], d, model.loss_px / focal[frame])
    return State(T, X, focal, state.k)
