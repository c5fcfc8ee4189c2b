"""The filters' measurements, slow and obvious: what `find_bad_tracks` must agree with."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

REACH_FRAMES = 4
ENDS_GAIN = 2.0


def life(xy: NDArray, frames: NDArray) -> float:
    """Return how many clip frames a track lives, holes included."""
    seen = [i for i in range(len(xy)) if not math.isnan(xy[i, 0])]
    return float(frames[seen[-1]] - frames[seen[0]] + 1) if seen else 0.0


def median_ncc(ncc: NDArray) -> float:
    known = ncc[~np.isnan(ncc)].astype(float)
    return float(np.median(known)) if len(known) else math.nan


def innovation(xy: NDArray, frames: NDArray) -> NDArray:
    """Return how far each sample of one track is from the line through its neighbours in time.

    Between two neighbours, else beyond the two before it, else the two after it; the last two
    halved, because an extrapolated point is less certain.
    """
    seen = [i for i in range(len(xy)) if not math.isnan(xy[i, 0])]
    step = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    out = np.full(len(xy), math.nan)
    for k, i in enumerate(seen):
        ways = [(k - 1, k + 1, 1.0), (k - 1, k - 2, ENDS_GAIN), (k + 1, k + 2, ENDS_GAIN)]
        for a, b, gain in ways:
            if not (0 <= a < len(seen) and 0 <= b < len(seen)):
                continue
            ia, ib = seen[a], seen[b]
            if max(abs(frames[i] - frames[ia]), abs(frames[i] - frames[ib])) > REACH_FRAMES * step:
                continue
            share = (frames[i] - frames[ia]) / (frames[ib] - frames[ia])
            out[i] = math.hypot(*(xy[i] - xy[ia] - share * (xy[ib] - xy[ia]))) / gain
            break
    return out


def duplicates(
    xy: NDArray, mine: NDArray, *, near_px: float, share: float, least: int
) -> dict[int, int]:
    """Return which track is dropped for which better one: the user's, else longer, else older."""
    n = len(xy)
    seen = np.isfinite(xy[..., 0])
    same = set()
    for i, j in combinations(range(n), 2):
        common = seen[i] & seen[j]
        near = int((np.hypot(*(xy[i] - xy[j])[common].T) <= near_px).sum())
        if near >= least and near >= share * common.sum():
            same |= {(i, j), (j, i)}
    order = sorted(range(n), key=lambda i: (not mine[i], -int(seen[i].sum()), i))
    gone: dict[int, int] = {}
    for place, i in enumerate(order):
        better = [k for k in order[:place] if (i, k) in same and k not in gone]
        if better and not mine[i]:
            gone[i] = better[0]
    return gone


def rigid_residual(P: NDArray, x: NDArray, views: NDArray) -> float:
    """Return the least rms distance of one point from where views P [H | e] can put it.

    P is (n_views, 3, 4), x the point (2,) in the reference view, views (n_views, 2), NaN unseen.
    """
    known = [k for k in range(len(P)) if not math.isnan(views[k, 0])]

    def total(rho: NDArray) -> NDArray:
        out = np.zeros(len(rho))
        for k in known:
            at = P[k, :, :2] @ x + P[k, :, 2] + rho[:, None] * P[k, :, 3]
            out += ((at[:, :2] / at[:, 2:] - views[k]) ** 2).sum(axis=1)
        return out

    best, reach = 0.0, 8.0
    while reach > 1e-9:  # grids, each as wide as two meshes of the one before
        grid = np.linspace(best - reach, best + reach, 41)
        best = float(grid[int(np.argmin(total(grid)))])
        reach /= 20
    return math.sqrt(total(np.array([best]))[0] / max(2 * len(known) - 1, 1))
