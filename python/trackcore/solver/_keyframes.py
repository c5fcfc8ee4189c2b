"""Which frames a solve starts from: far apart, seen by the same tracks, not a mere turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._colmap import colmap
from trackcore.solver._problem import Floats, Problem

MOST_CANDIDATES, MOST_KEYFRAMES = 12, 16
LEAST_COMMON = 10
CLEAR_PX = 20.0
"""Parallax beyond this makes no pair better."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two frames, and how well a pose between them can be found.

    `parallax_px`: median distance of the common tracks from one homography; `moved_px`: their
    median displacement; `H`: that homography, first to second frame.
    """

    a: int
    b: int
    common: int
    parallax_px: float
    moved_px: float
    H: Floats


def keyframes(problem: Problem, anchors: tuple[int, int]) -> NDArray[np.int64]:
    """Return array indices of frames, evenly spread and with the anchors among them."""
    seen = problem.seen.sum(axis=0)
    usable = np.flatnonzero(seen >= 6)
    if len(usable) <= MOST_KEYFRAMES:
        return np.union1d(usable, anchors)
    even = usable[np.linspace(0, len(usable) - 1, MOST_KEYFRAMES).round().astype(int)]
    return np.union1d(even, anchors)


def best_pairs(problem: Problem, seed: int, count: int = 3) -> list[Pair]:
    """Return the pairs of frames to start from, the best first."""
    seen = problem.seen
    usable = np.flatnonzero(seen.sum(axis=0) >= LEAST_COMMON)
    if len(usable) < 2:
        return []
    some = np.unique(usable[np.linspace(0, len(usable) - 1, MOST_CANDIDATES).round().astype(int)])
    most = max(int((seen[:, i] & seen[:, j]).sum()) for i, j in combinations(some.tolist(), 2))
    least = max(LEAST_COMMON, most // 4)
    pairs = []
    for i, j in combinations(some.tolist(), 2):
        both = seen[:, i] & seen[:, j]
        if both.sum() >= min(least, most):
            pair = _judged(problem, i, j, both, seed)
            if pair is not None:
                pairs.append(pair)
    pairs.sort(key=lambda pair: -_merit(pair, problem.unit_px))
    return _apart(pairs, count)


def _merit(pair: Pair, unit_px: float) -> float:
    parallax = min(pair.parallax_px / unit_px, CLEAR_PX)
    # displacement only decides where there is no parallax: a plane
    return float(np.sqrt(pair.common) * (parallax + 0.01 * min(pair.moved_px / unit_px, 100.0)))


def _apart(pairs: list[Pair], count: int) -> list[Pair]:
    """Return the first pairs that are not nearly the same."""
    chosen: list[Pair] = []
    for pair in pairs:
        if all({pair.a, pair.b} - {other.a, other.b} for other in chosen):
            chosen.append(pair)
        if len(chosen) == count:
            break
    return chosen


def _judged(problem: Problem, i: int, j: int, both: NDArray[np.bool_], seed: int) -> Pair | None:
    pc = colmap()
    a, b = problem.uv[both, i], problem.uv[both, j]
    ransac = pc.RANSACOptions(max_error=2.0 * problem.unit_px, random_seed=seed,
                              min_num_trials=50, max_num_trials=300)  # fmt: skip
    found = pc.estimate_homography_matrix(a, b, ransac)
    if found is None:
        return None
    H = np.asarray(found["H"])
    there = np.column_stack([a, np.ones(len(a))]) @ H.T
    with np.errstate(all="ignore"):
        residual = np.linalg.norm(there[:, :2] / there[:, 2:] - b, axis=1)
    moved = float(np.median(np.linalg.norm(b - a, axis=1)))
    return Pair(i, j, len(a), float(np.nanmedian(residual)), moved, H)
