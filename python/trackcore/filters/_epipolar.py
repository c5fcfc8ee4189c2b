"""Epipolar geometry of two frames, found among outliers: a batch of hypotheses, then the best.

All arrays hold homogeneous points in normalised coordinates (about -1 .. 1), so that plain normal
equations are well conditioned. Source: Hartley & Zisserman, Multiple View Geometry, 2nd ed.,
sec. 11.2 (eight points), 13.3 (plane and parallax), 11.4.3 (Sampson distance).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EIGHT_POINT_SAMPLES = 100  # per answer wanted, up to _MOST_SAMPLES
_PARALLAX_SAMPLES = 40
_MOST_SAMPLES = 300
_HOMOGRAPHY_SAMPLES = 60
_REFINED = 4  # hypotheses polished on all points, per answer wanted
_ALIKE = 0.9  # share of points two hypotheses have in common, above which one is enough
_POLISH_STEPS = 4
_SCORED_POINTS = 250  # hypotheses are ranked on at most so many points


def homogeneous(xy: Floats) -> Floats:
    """Return (..., 2) positions with a third coordinate 1."""
    return np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)


def smallest_eigenvectors(normal: Floats) -> Floats:
    """Return the eigenvector of the smallest eigenvalue of symmetric matrices (..., n, n)."""
    return np.asarray(np.linalg.eigh(normal)[1][..., 0])


def sampson(F: Floats, a: Floats, b: Floats) -> Floats:
    """Return the Sampson distances (..., n) of points a -> b, (n, 3), to `F` (..., 3, 3)."""
    Fa, Fb = F @ a.T, np.swapaxes(F, -1, -2) @ b.T
    error = Fa[..., 0, :] * b[:, 0] + Fa[..., 1, :] * b[:, 1] + Fa[..., 2, :] * b[:, 2]
    slope = Fa[..., 0, :] ** 2 + Fa[..., 1, :] ** 2 + Fb[..., 0, :] ** 2 + Fb[..., 1, :] ** 2
    return np.asarray(np.abs(error) / np.sqrt(np.maximum(slope, 1e-30)))


def fundamentals(
    a: Floats, b: Floats, weight: Floats, limit: float, rng: np.random.Generator, *, count: int
) -> list[Floats]:
    """Return up to `count` fundamental matrices that most points a -> b, (n, 3), agree with.

    Best first, each with its own set of points: between two frames, one object and one wall may
    agree with each other better than all that stands still.

    Hypotheses from eight points serve scenes with depth; those from a homography and two points
    off its plane serve scenes that are nearly flat, where eight points determine nothing.

    Parameters
    ----------
    weight : (n,) float
        How much each point counts.
    limit : float
        Distance beyond which a point is an outlier [normalised].
    """
    rows = np.einsum("ni,nj->nij", b, a).reshape(len(a), 9)
    some = (
        rng.choice(len(a), _SCORED_POINTS, replace=False)
        if len(a) > _SCORED_POINTS
        else np.arange(len(a))
    )
    F = np.concatenate(
        [_eight_point_hypotheses(rows, count, rng), _parallax_hypotheses(a, b, limit, count, rng)]
    )
    order = np.argsort(cost(sampson(F, a[some], b[some]), weight[some], limit), kind="stable")
    agree = sampson(F[order], a[some], b[some]) < limit
    starts = [int(order[i]) for i in _different(agree, _REFINED * count)]
    polished = np.concatenate([F[order[:1]], _polished(F[starts], rows, a, b, limit)])
    distance = sampson(polished, a, b)
    best = np.argsort(cost(distance, weight, limit), kind="stable")
    return [polished[best[i]] for i in _different(distance[best] < limit, count)]


def _different(agree: NDArray[np.bool_], count: int) -> list[int]:
    """Return the first `count` rows of `agree`, leaving out those much like an earlier one."""
    rows = agree.astype(np.float32)  # whole numbers, exact: far faster than of truth values
    size = rows.sum(axis=1)
    chosen, new = [0], np.ones(len(agree), bool)
    while len(chosen) < count:
        shared = rows @ rows[chosen[-1]]
        either = size + size[chosen[-1]] - shared
        new &= shared <= _ALIKE * either.astype(np.float64)
        new[: chosen[-1] + 1] = False
        if not new.any():
            break
        chosen.append(int(new.argmax()))
    return chosen


def draw(n: int, size: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `count` samples of `size` different numbers below n."""
    return np.argpartition(rng.random((count, n)), size, axis=1)[:, :size]


def homographies(rows: Floats) -> Floats:
    """Return homographies (..., 3, 3) from equations (..., n, 9)."""
    h = smallest_eigenvectors(np.swapaxes(rows, -1, -2) @ rows)
    return h.reshape(*h.shape[:-1], 3, 3)


def homography_rows(a: Floats, b: Floats) -> Floats:
    """Return the equations (n, 2, 9) of a -> b, (n, 3)."""
    zero = np.zeros_like(a)
    return np.stack(
        [
            np.concatenate([a, zero, -b[:, :1] * a], axis=1),
            np.concatenate([zero, a, -b[:, 1:2] * a], axis=1),
        ],
        axis=1,
    )


def dominant_homography(a: Floats, b: Floats, limit: float, rng: np.random.Generator) -> Floats:
    """Return the homography that most points a -> b, (n, 3), agree with."""
    rows = homography_rows(a, b)
    sample = draw(len(a), 4, _HOMOGRAPHY_SAMPLES, rng)
    H = homographies(rows[sample].reshape(len(sample), 8, 9))
    H = H[np.argmin(cost(_transfer(H, a, b), np.ones(len(a)), limit))]
    for _ in range(_POLISH_STEPS):
        depth = np.abs(a @ H[2]) + 1e-12
        weight = _weight(_transfer(H, a, b), limit) / depth**2 * np.linalg.norm(H) ** 2
        weighted = rows * np.sqrt(weight)[:, None, None]
        H = homographies(weighted.reshape(-1, 9))
    return H


def _transfer(H: Floats, a: Floats, b: Floats) -> Floats:
    return projected_distance(H, a.T, b)


def projected_distance(P: Floats, X: Floats, xy: Floats) -> Floats:
    """Return the distances (..., n) of points `X` (d, n), mapped by `P` (..., 3, d), from `xy`."""
    p = P @ X
    w = np.where(np.abs(p[..., 2, :]) < 1e-12, 1e-12, p[..., 2, :])
    return np.asarray(np.hypot(p[..., 0, :] / w - xy[:, 0], p[..., 1, :] / w - xy[:, 1]))


def _eight_point_hypotheses(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    sample = rows[draw(len(rows), 8, min(_EIGHT_POINT_SAMPLES * count, _MOST_SAMPLES), rng)]
    return _of_rank_two(homographies(sample))


def _parallax_hypotheses(
    a: Floats, b: Floats, limit: float, count: int, rng: np.random.Generator
) -> Floats:
    """Return [e]x H for epipoles e where the parallax lines of two points meet."""
    H = dominant_homography(a, b, limit, rng)
    lines = np.cross(b, a @ H.T)
    pairs = draw(len(a), 2, min(_PARALLAX_SAMPLES * count, _MOST_SAMPLES), rng)
    epipole = np.cross(lines[pairs[:, 0]], lines[pairs[:, 1]])
    epipole /= np.linalg.norm(epipole, axis=1, keepdims=True) + 1e-30
    return np.asarray(cross_matrices(epipole) @ H)


def cross_matrices(v: Floats) -> Floats:
    """Return [v]x, (..., 3, 3), of vectors (..., 3)."""
    x, y, z = np.moveaxis(v, -1, 0)
    o = np.zeros_like(x)
    return np.moveaxis(np.array([[o, -z, y], [z, o, -x], [-y, x, o]]), (0, 1), (-2, -1))


def _of_rank_two(F: Floats) -> Floats:
    u, s, vt = np.linalg.svd(F)
    s[..., 2] = 0.0
    return np.asarray((u * s[..., None, :]) @ vt)


def _polished(F: Floats, rows: Floats, a: Floats, b: Floats, limit: float) -> Floats:
    """Return fundamental matrices (m, 3, 3), each fitted to the points that agree with it."""
    for _ in range(_POLISH_STEPS):
        Fa, Fb = F @ a.T, np.swapaxes(F, -1, -2) @ b.T
        slope = (Fa[:, :2] ** 2).sum(axis=1) + (Fb[:, :2] ** 2).sum(axis=1)
        weight = _weight(sampson(F, a, b), limit) / np.maximum(slope, 1e-30)
        weight /= weight.sum(axis=1, keepdims=True) + 1e-30
        normal = (rows.T * weight[:, None]) @ rows
        F = _of_rank_two(smallest_eigenvectors(normal).reshape(-1, 3, 3))
    return F


def _weight(distance: Floats, limit: float) -> Floats:
    """Return Tukey's weights: 1 at 0, 0 from twice the limit on."""
    return np.asarray(np.clip(1 - (distance / (2 * limit)) ** 2, 0, None) ** 2)


def cost(distance: Floats, weight: Floats, limit: float) -> Floats:
    """Return the truncated squared distances (..., n), summed (MSAC)."""
    return np.asarray((np.minimum((distance / limit) ** 2, 1.0) * weight).sum(-1))
