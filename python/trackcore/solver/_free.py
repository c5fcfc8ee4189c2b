"""A camera that moves: two keyframes, then more, then all frames, each step by COLMAP.

COLMAP's own mappers start from matched pictures; tracks need none of that. What is ours is the
order: which frames first, which focal lengths to try. See docs/decisions/0012.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

import numpy as np
from numpy.typing import NDArray

from trackcore.solver import _colmap as engine
from trackcore.solver._colmap import Freedom, State
from trackcore.solver._keyframes import best_pairs, keyframes
from trackcore.solver._poses import largest_angle, rays, triangulate
from trackcore.solver._problem import Flags, Problem
from trackcore.solver._thinned import thinned

FOCALS = (1.0, 0.65, 1.6, 2.6, 4.2)
"""Focal lengths tried, in frame widths, in this order: 53, 75, 35, 22 and 14 degrees across."""
FOCAL_RANGE = (0.25, 12.0)
"""Anything else is no lens [frame widths]."""
LEAST_POINTS = 8
LEAST_ANGLE = np.radians(0.5)
"""A point seen under less has no depth to speak of; a degree where cameras are found by it."""
GOOD_SCORE = 0.85
"""A start that explains this share of its observations needs no competitor."""
FAIR_SCORE, SAME = 0.5, 0.02
"""Nor do two starts that both explain so much and are alike in that and in their focal length,
reached from a shorter and from a longer one: that tracks agree no better is left."""
ENOUGH_ALIKE, APART = 4, 2.0
"""So many starts that explain the same with focal lengths a factor apart say that the tracks do
not determine it: more starts would say so again."""


@dataclass(frozen=True, slots=True, eq=False)
class FreeSolution:
    """Cameras of all frames that could be solved.

    `use` (n_tracks, n_frames): observations that agree. `pair`: the frames it started from.
    `score`: share of the keyframes' observations that the start explained.
    """

    state: State
    use: Flags
    pair: tuple[int, int]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Cameras of the keyframes (array indices), and the share of observations they explain.

    `guess`: the focal length it began with [px].
    """

    state: State
    pair: tuple[int, int]
    guess: float
    frames: NDArray[np.int64]
    score: float

    def like(self, other: Start) -> bool:
        """Whether both have ended in the same camera."""
        if min(self.score, other.score) < FAIR_SCORE:
            return False
        ratio = float(np.median(self.state.focal) / np.median(other.state.focal))
        return abs(self.score - other.score) < SAME and abs(np.log(ratio)) < SAME

    def across(self, other: Start) -> bool:
        """Whether one began with a shorter focal length than was found, the other with a longer."""
        low, high = sorted([self.guess, other.guess])
        return low < float(np.median(self.state.focal)) < high


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
    pairs = [(pair.a, pair.b) for pair in best_pairs(problem, seed)]
    guesses = [focal] if focal is not None else [f * problem.width for f in FOCALS]
    tried: list[Start] = []
    for pair, guess in _starts(pairs, guesses):
        found = keyframe_solution(problem, pair, guess, k, freedom, tolerance_px, seed)
        if found is None:
            continue
        known = any(
            found.like(other) and (len(guesses) == 1 or found.across(other)) for other in tried
        )
        tried.append(found)
        if found.score >= GOOD_SCORE or known or _undetermined(tried):
            break
    best = max(tried, key=lambda start: start.score, default=None)
    return None if best is None else _finished(problem, best, freedom, tolerance_px, seed)


def keyframe_solution(
    problem: Problem, pair: tuple[int, int], focal: float, k: tuple[float, float],
    freedom: Freedom, tolerance_px: float, seed: int,
) -> Start | None:  # fmt: skip
    """Return the cameras of the keyframes, found from two of them on."""
    frames = keyframes(problem, pair)
    few = replace(problem, uv=problem.uv[:, frames])
    a, b = np.searchsorted(frames, pair).tolist()
    start = _start(few, (a, b), focal, k, tolerance_px, seed)
    if start is None:
        return None
    found = _grown(few, start, freedom, tolerance_px, seed)
    score = score_of(few, found, tolerance_px)
    T = np.full((problem.uv.shape[1], 4, 4), np.nan)
    T[frames] = found.T
    state = replace(found, T=T, focal=np.full(len(T), found.focal[0]))
    return Start(state, pair, focal, frames, score)


def _undetermined(tried: list[Start]) -> bool:
    """Whether the best starts explain the same, whatever their focal length."""
    top = max(start.score for start in tried)
    alike = [start for start in tried if start.score > top - SAME]
    focals = [float(np.median(start.state.focal)) for start in alike]
    return top >= FAIR_SCORE and len(alike) >= ENOUGH_ALIKE and max(focals) > APART * min(focals)


def _starts(
    pairs: list[tuple[int, int]], guesses: list[float]
) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield every pair with every guess, each as unlike the one before as can be."""
    if gcd(len(pairs), len(guesses)) > 1:
        yield from product(pairs, guesses)
        return
    for i in range(len(pairs) * len(guesses)):
        yield pairs[i % len(pairs)], guesses[i % len(guesses)]


def _start(
    problem: Problem,
    pair: tuple[int, int],
    focal: float,
    k: tuple[float, float],
    tolerance_px: float,
    seed: int,
) -> State | None:
    """Return the cameras of two keyframes and the points both see."""
    n_tracks, n_frames = problem.seen.shape
    focals = np.full(n_frames, focal)
    ideal = rays(problem.uv[:, list(pair)], focals[:2], k) * focal
    both = np.isfinite(ideal[..., 0]).all(axis=1)
    found = engine.relative_pose(
        ideal[both, 0], ideal[both, 1], (focal, focal), tolerance_px / 2, seed
    )
    if found is None or found[1].sum() < LEAST_POINTS:
        return None
    T = np.full((n_frames, 4, 4), np.nan)
    T[pair[0]], T[pair[1]] = np.eye(4), found[0]
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
    problem: Problem, state: State, freedom: Freedom, tolerance_px: float, seed: int
) -> State:
    """Return the state with as many frames as possible, the best seen first."""
    failed: set[int] = set()
    since = 0
    wide = 2 * tolerance_px
    while True:
        todo = [int(f) for f in np.flatnonzero(~state.solved) if int(f) not in failed]
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

    Of a long clip some frames are adjusted; the others' cameras are found from the points.
    """
    frames = np.flatnonzero(state.solved)
    chosen = thinned(use, frames, freedom.most_frames)
    if len(chosen) == len(frames):
        return engine.adjust(state, problem.uv, use, freedom)
    some = np.zeros(len(state.T), bool)
    some[chosen] = True
    state = engine.adjust(state, problem.uv, use & some, freedom)
    return refitted(problem, state, use, np.setdiff1d(frames, chosen), freedom.loss_px)


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


def score_of(problem: Problem, state: State, tolerance_px: float) -> float:
    """Return the share of the observations explained, each the less the worse."""
    error, seen = state.errors(problem.uv), problem.seen
    seen &= (seen.sum(axis=1) >= 3)[:, None]  # two views prove nothing
    good = np.where(np.isfinite(error), np.maximum(0, 1 - (error / tolerance_px) ** 2), 0.0)
    return float(good[seen].sum() / max(int(seen.sum()), 1))


def _finished(
    problem: Problem, start: Start, freedom: Freedom, tolerance_px: float, seed: int
) -> FreeSolution | None:
    """Return all frames and points, adjusted together."""
    state = start.state
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
    return FreeSolution(state, _agreeing(problem, state, wide), start.pair, start.score)


def _all_frames(problem: Problem, state: State, tolerance_px: float, seed: int) -> State:
    """Return the state with every frame that its points determine, from the solved ones on."""
    for frame in np.flatnonzero(~state.solved):
        state = _resected(problem, state, int(frame), tolerance_px, seed) or state
    return state
