"""Tracks that a camera is judged by, because it was solved without them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._colmap import State
from trackcore.solver._poses import directions, rays, triangulate
from trackcore.solver._problem import Flags, Floats, Problem

LEAST_FRAMES = 8
"""A track is held out if it is long enough to be halved."""
LEAST_REMAINING = 8
BLOCKS = 4
"""Quarters of a track's life: the first and third fix the point, the others test it."""
LEAST_TESTED = 2


def held_out(problem: Problem, share: float, seed: int) -> Flags:
    """Return which tracks (n_tracks,) to solve without: `share` of those that are long enough.

    Drawn from every region of the picture and from short and long lives alike.
    """
    seen = problem.seen
    life = seen.sum(axis=1)
    eligible = np.flatnonzero((life >= LEAST_FRAMES) & ~problem.protected)
    count = min(round(share * len(eligible)), max(len(life) - LEAST_REMAINING, 0))
    chosen = np.zeros(len(life), bool)
    if count < 1:
        return chosen
    strata = _strata(problem, eligible, life)
    order = np.random.default_rng(seed).permutation(len(eligible))
    # every stratum gives its n-th track before any gives its next, the larger ones first
    rank = np.empty(len(eligible), np.int64)
    size = np.bincount(strata)
    for stratum in np.unique(strata):
        members = order[strata[order] == stratum]
        rank[members] = np.arange(len(members)) * (len(eligible) / size[stratum])
    first = np.lexsort((order.argsort(), rank))[:count]
    chosen[eligible[first]] = True
    return chosen


def _strata(
    problem: Problem, eligible: NDArray[np.int64], life: NDArray[np.int64]
) -> NDArray[np.int64]:
    mean = np.nanmean(problem.uv[eligible], axis=1) / [problem.width, problem.height] + 0.5
    cell = np.clip((mean * 3).astype(np.int64), 0, 2)
    long = life[eligible] > np.median(life[eligible])
    return np.asarray((cell[:, 0] + 3 * cell[:, 1]) * 2 + long)


def held_out_errors(problem: Problem, state: State, tracks: Flags, tolerance_px: float) -> Floats:
    """Return the rms error of held-out tracks in the frames that did not fix them (n_held_out,).

    NaN where a track has too few solved frames, infinite where it has no point.
    """
    if not state.solved.any():
        return np.full(int(tracks.sum()), np.nan)
    part = problem.select(tracks)
    seen = part.seen & state.solved
    order = np.cumsum(seen, axis=1) - 1
    count = seen.sum(axis=1, keepdims=True)
    block = (order * BLOCKS) // np.maximum(count, 1)
    fixing, testing = seen & (block % 2 == 0), seen & (block % 2 == 1)
    judged = (fixing.sum(axis=1) >= LEAST_TESTED) & (testing.sum(axis=1) >= LEAST_TESTED)
    ideal = rays(part.uv, state.focal, state.k)
    known = np.where(fixing[..., None], ideal, np.nan)
    if np.nanmax(np.abs(state.T[state.solved, :3, 3])) > 0:
        X = triangulate(state.T, known, tolerance_px / float(np.median(state.focal)))
    else:
        X = directions(state.T, known)
    error = State(state.T, X, state.focal, state.k).errors(part.uv)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.where(testing, error**2, 0.0).sum(axis=1) / testing.sum(axis=1)
    rms = np.where(np.isnan(squared), np.inf, np.sqrt(squared))
    return np.asarray(np.where(judged, rms, np.nan))
