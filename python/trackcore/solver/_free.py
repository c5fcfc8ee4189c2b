"""A camera that moves: two keyframes, then more, then all frames, each step by COLMAP.

COLMAP's own mappers start from matched pictures; tracks need none of that. What is ours is the
order: which frames first, which focal lengths to try. See docs/decisions/0012.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trackcore.solver import _colmap as engine
from trackcore.solver._colmap import Freedom, State
from trackcore.solver._keyframes import Pair, best_pairs, keyframes
from trackcore.solver._poses import largest_angle, rays, triangulate
from trackcore.solver._problem import Flags, Problem

FOCALS = (1.0, 0.65, 1.6, 2.6, 4.2)
"""Focal lengths tried, in frame widths, in this order: 53, 75, 35, 22 and 14 degrees across."""
FOCAL_RANGE = (0.25, 12.0)
"""Anything else is no lens [frame widths]."""
LEAST_POINTS = 8
LEAST_ANGLE = np.radians(0.5)
"""A point seen under less has no depth to speak of; a degree where cameras are found by it."""
MOST_ADJUSTED = 120
"""Frames that are adjusted together; more of them are too much work."""
GOOD_SCORE = 0.85
"""A start that explains this share of its observations needs no competitor."""


@dataclass(frozen=True, slots=True, eq=False)
class FreeSolution:
    """Cameras of all frames that could be solved.

    `use` (n_tracks, n_frames): observations that agree. `pair`: the frames it started from.
    """

    state: State
    use: Flags
    pair: Pair


def solve_free(
    problem: Problem,
    focal: float | None,
    k: tuple[float, float],
    freedom: Freedom,
    tolerance_px: float,
    seed: int,
) -> FreeSolution | None:
    """Return a moving camera that explains the tracks; None if there is none.

    Parameters
    ----------
    problem : Problem
    focal : float, optional
        [px] Where to start; `freedom` says whether it is believed.
    k : (k1, k2)
    freedom : Freedom
    tolerance_px : float
        Observations further from their prediction do not count.
    seed : int
    """
    pairs = best_pairs(problem, seed)
    guesses = [focal] if focal is not None else [f * problem.width for f in FOCALS]
    best: tuple[float, State, Pair] | None = None
    for pair in pairs:
        frames = keyframes(problem, (pair.a, pair.b))
        for guess in guesses:
            start = _start(problem, pair, guess, k, tolerance_px, seed)
            if start is None:
                continue
            state = _grown(problem, start, frames, freedom, tolerance_px, seed)
            score = _score(problem, state, frames, tolerance_px)
            if best is None or score > best[0]:
                best = score, state, pair
            if score >= GOOD_SCORE:
                break
        if best is not None and best[0] >= GOOD_SCORE:
            break
    if best is None:
        return None
    return _finished(problem, best[1], best[2], freedom, tolerance_px, seed)


def _start(
    problem: Problem,
    pair: Pair,
    focal: float,
    k: tuple[float, float],
    tolerance_px: float,
    seed: int,
) -> State | None:
    """Return the cameras of two keyframes and the points both see."""
    n_tracks, n_frames = problem.seen.shape
    focals = np.full(n_frames, focal)
    ideal = rays(problem.uv[:, [pair.a, pair.b]], focals[:2], k) * focal
    both = np.isfinite(ideal[..., 0]).all(axis=1)
    found = engine.relative_pose(
        ideal[both, 0], ideal[both, 1], (focal, focal), tolerance_px / 2, seed
    )
    if found is None or found[1].sum() < LEAST_POINTS:
        return None
    T = np.full((n_frames, 4, 4), np.nan)
    T[pair.a], T[pair.b] = np.eye(4), found[0]
    state = State(T, np.full((n_tracks, 3), np.nan), focals, k)
    return _triangulated(problem, state, tolerance_px)


def _triangulated(problem: Problem, state: State, tolerance_px: float) -> State:
    """Return the state with every point that its cameras determine, seen anew."""
    ideal = rays(problem.uv, state.focal, state.k)
    focal = float(np.median(state.focal))
    X = triangulate(state.T, ideal, tolerance_px / focal)
    X[~(largest_angle(state.T, X, problem.seen) > LEAST_ANGLE)] = np.nan
    errors = replace(state, X=X).errors(problem.uv)
    seen = np.isfinite(errors)
    wrong = ((errors > tolerance_px) & seen).sum(axis=1) > 0.5 * seen.sum(axis=1)
    X[wrong & ~problem.protected] = np.nan
    return replace(state, X=X)


def _agreeing(problem: Problem, state: State, tolerance_px: float) -> Flags:
    with np.errstate(invalid="ignore"):
        near = state.errors(problem.uv) < tolerance_px
    return np.asarray(near | (problem.protected[:, None] & np.isfinite(state.errors(problem.uv))))


def _grown(
    problem: Problem,
    state: State,
    frames: NDArray[np.int64],
    freedom: Freedom,
    tolerance_px: float,
    seed: int,
) -> State:
    """Return the state with as many of `frames` as possible, the best seen first."""
    failed: set[int] = set()
    since = 0
    wide = 2 * tolerance_px
    while True:
        todo = [int(f) for f in frames if not state.solved[f] and int(f) not in failed]
        if not todo:
            break
        known = np.isfinite(state.X[:, 0])
        frame = max(todo, key=lambda f: int((known & problem.seen[:, f]).sum()))
        resected = _resected(problem, state, frame, wide, seed)
        if resected is None:
            failed.add(frame)
            continue
        state = _triangulated(problem, resected, wide)
        failed.clear()
        since += 1
        if since % 4 == 0:
            state = _adjusted(problem, state, replace(freedom, iterations=8), wide)
    for _ in range(2):
        state = _triangulated(problem, state, wide)
        state = _adjusted(problem, state, replace(freedom, iterations=25), wide)
    return state


def _adjusted(problem: Problem, state: State, freedom: Freedom, tolerance_px: float) -> State:
    """Return the state after a bundle adjustment of what agrees."""
    use = _agreeing(problem, state, tolerance_px)
    return _sane(adjusted(problem, state, use, freedom), problem)


def adjusted(problem: Problem, state: State, use: Flags, freedom: Freedom) -> State:
    """Return the state after a bundle adjustment.

    Of a long clip some frames are adjusted, evenly spread; the others' cameras are found from the
    points afterwards: the work grows with the cube of the frames, what is learnt does not.
    """
    frames = np.flatnonzero(state.solved)
    step = -(-len(frames) // MOST_ADJUSTED)
    if step <= 1:
        return engine.adjust(state, problem.uv, use, freedom)
    some = np.zeros(len(state.T), bool)
    some[frames[::step]] = some[frames[-1]] = True
    state = engine.adjust(state, problem.uv, use & some, freedom)
    return refitted(problem, state, use, np.flatnonzero(state.solved & ~some), freedom.loss_px)


def refitted(
    problem: Problem, state: State, use: Flags, frames: NDArray[np.int64], loss_px: float
) -> State:
    """Return the state with the cameras of some frames fitted to the points once more."""
    T = state.T.copy()
    for frame in frames:
        there = use[:, frame] & np.isfinite(state.X[:, 0])
        T[frame] = engine.refine(
            T[frame], problem.uv[there, frame], state.X[there], float(state.focal[frame]), state.k,
            loss_px,
        )  # fmt: skip
    return replace(state, T=T)


def _sane(state: State, problem: Problem) -> State:
    """Return the state, without cameras if its focal length is no lens's."""
    widths = float(np.median(state.focal)) / problem.width
    if FOCAL_RANGE[0] <= widths <= FOCAL_RANGE[1]:
        return state
    return replace(state, T=np.full_like(state.T, np.nan), X=np.full_like(state.X, np.nan))


def _resected(
    problem: Problem, state: State, frame: int, tolerance_px: float, seed: int
) -> State | None:
    """Return the state with one more camera; None if the points do not determine it."""
    there = np.isfinite(state.X[:, 0]) & problem.seen[:, frame]
    if there.sum() < LEAST_POINTS - 2:
        return None
    focal = float(state.focal[frame])
    found = engine.resect(
        problem.uv[there, frame], state.X[there], focal, state.k, tolerance_px, seed
    )
    if found is None or found[1].sum() < max(LEAST_POINTS - 2, 0.4 * there.sum()):
        return None
    T = state.T.copy()
    T[frame] = found[0]
    return replace(state, T=T)


def _score(problem: Problem, state: State, frames: NDArray[np.int64], tolerance_px: float) -> float:
    """Return the share of the keyframes' observations explained, each the less the worse."""
    error = state.errors(problem.uv)[:, frames]
    seen = problem.seen[:, frames]
    seen &= (seen.sum(axis=1) >= 3)[:, None]  # two views prove nothing
    good = np.where(np.isfinite(error), np.maximum(0, 1 - (error / tolerance_px) ** 2), 0.0)
    return float(good[seen].sum() / max(int(seen.sum()), 1))


def _finished(
    problem: Problem, state: State, pair: Pair, freedom: Freedom, tolerance_px: float, seed: int
) -> FreeSolution | None:
    """Return all frames and points, adjusted together."""
    if not state.solved.any():
        return None
    wide = 2 * tolerance_px
    state = _all_frames(problem, state, wide, seed)
    for iterations in (15, 40):
        state = _triangulated(problem, state, wide)
        state = _adjusted(problem, state, replace(freedom, iterations=iterations), wide)
        state = _all_frames(problem, state, wide, seed)
    if not state.solved.any():  # no lens has the focal length that was found in the end
        return None
    state = _triangulated(problem, state, tolerance_px)
    return FreeSolution(state, _agreeing(problem, state, wide), pair)


def _all_frames(problem: Problem, state: State, tolerance_px: float, seed: int) -> State:
    """Return the state with every frame that its points determine, from the solved ones on."""
    for frame in np.flatnonzero(~state.solved):
        state = _resected(problem, state, int(frame), tolerance_px, seed) or state
    return state
