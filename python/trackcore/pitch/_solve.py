"""Least squares of a path's pixels in both cameras, and of the clocks between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.pitch._views import View
from trackcore.pitch.paths import N_PARAMETERS, Model, Path

Floats = NDArray[np.float64]

N_UNKNOWN = N_PARAMETERS + 1  # and the offset of the clocks, last
_SETTLED = 1e-8  # in units of one sigma, squared
_HIGHEST_DAMPING = 1e12
_LINEAR_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known beforehand: `mean` and `information` (1 / variance) of each unknown."""

    mean: Floats
    information: Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the least squares ended.

    `q` (10,) unknowns, `H` (10, 10) the normal matrix with the prior, `residuals` [px] and
    `distances` [sigma] per view, `inlier` per view, `chi2` and `dof` of the inliers.
    """

    q: Floats
    path: Path
    H: Floats
    residuals: tuple[Floats, ...]
    distances: tuple[Floats, ...]
    inlier: tuple[NDArray[np.bool_], ...]
    chi2: float
    dof: int
    converged: bool
    iterations: int


@dataclass(frozen=True, slots=True)
class _Step:
    cost: float
    H: Floats
    g: Floats
    path: Path
    residuals: tuple[Floats, ...]
    distances: tuple[Floats, ...]


class Problem:
    """The views of a flight, a model, a prior and how robust to be."""

    def __init__(
        self, views: Sequence[View], model: Model, prior: Prior, robust_sigma: float
    ) -> None:
        self.views, self.model, self.prior = views, model, prior
        self.robust_sigma = robust_sigma
        self.inlier = tuple(np.ones(len(v), np.bool_) for v in views)
        taus = np.concatenate([v.tau for v in views])
        self.lo, self.hi = min(float(taus.min()), -1e-3), max(float(taus.max()), 1e-3)

    def evaluate(self, q: Floats) -> _Step | None:
        """Return cost, gradient and normal matrix at `q`; None where there is no path or picture."""
        late = abs(float(q[-1])) + 1e-4
        path = self.model.path(q[:N_PARAMETERS], self.lo - late, self.hi + late)
        if path is None:
            return None
        off = q - self.prior.mean
        cost = 0.5 * float(off @ (self.prior.information * off))
        H, g = np.diag(self.prior.information), self.prior.information * off
        residuals, distances = [], []
        for seen, inlier in zip(self.views, self.inlier, strict=True):
            motion = path.at(seen.tau + q[-1] if seen.follows_clock else seen.tau)
            h = motion.X @ seen.P[:, :3].T + seen.P[:, 3]
            if not (h[:, 2] > 0).all():
                return None
            uv = h[:, :2] / h[:, 2:]
            by_X = (seen.P[:2, :3] - uv[:, :, None] * seen.P[2, :3]) / h[:, 2, None, None]
            J = np.zeros((len(seen), 2, N_UNKNOWN))
            J[:, :, :N_PARAMETERS] = by_X @ motion.dX
            if seen.follows_clock:
                J[:, :, -1] = (by_X @ motion.V[:, :, None])[:, :, 0]
            r = uv - seen.uv
            white = (seen.whiten @ r[:, :, None])[:, :, 0]
            distance = np.sqrt(np.einsum("ij,ij->i", white, white))
            k = self.robust_sigma
            cost += float(
                np.where(distance <= k, 0.5 * distance**2, k * (distance - 0.5 * k))[inlier].sum()
            )
            root = np.sqrt(inlier * np.minimum(1.0, k / np.maximum(distance, 1e-300)))
            JW = ((seen.whiten * root[:, None, None]) @ J).reshape(-1, N_UNKNOWN)
            H = H + JW.T @ JW
            g = g + JW.T @ (white * root[:, None]).ravel()
            residuals.append(r)
            distances.append(distance)
        return _Step(cost, H, g, path, tuple(residuals), tuple(distances))

    def minimise(self, q: Floats, most: int) -> tuple[Floats, _Step, bool, int] | None:
        """Return the least cost near `q` (Levenberg-Marquardt), or None where `q` is no start."""
        best = self.evaluate(q)
        if best is None:
            return None
        damping = 0.0
        for i in range(most):
            scale = 1 / np.sqrt(np.maximum(np.diag(best.H), 1e-300))
            scaled = best.H * scale[:, None] * scale
            scaled[np.diag_indices(N_UNKNOWN)] += damping
            try:
                step = -scale * np.linalg.solve(scaled, scale * best.g)
            except np.linalg.LinAlgError:
                damping = max(10 * damping, 1e-9)
                continue
            promise = -float(best.g @ step)
            if promise < _SETTLED and damping < 1e-2:
                return q, best, True, i
            to = self.evaluate(q + step)
            if to is not None and to.cost <= best.cost + 1e-12 * abs(best.cost):
                q, best, damping = q + step, to, 0.1 * damping if damping > 1e-9 else 0.0
            else:
                damping = max(10 * damping, 1e-6)
                if damping > _HIGHEST_DAMPING:
                    return q, best, promise < 1e-3, i
        return q, best, False, most

    def solve(self, q: Floats, most: int, outlier_sigma: float) -> Solution | None:
        """Minimise, drop outliers, minimise again until the set of outliers stays."""
        total = 0
        for _ in range(5):
            found = self.minimise(q, most)
            if found is None:
                return None
            q, best, converged, iterations = found
            total += iterations
            scale = max(1.0, _spread(best.distances))
            kept = tuple(d <= outlier_sigma * scale for d in best.distances)
            if all(np.array_equal(a, b) for a, b in zip(kept, self.inlier, strict=True)):
                break
            self.inlier = kept
        inside = [d[k] for d, k in zip(best.distances, self.inlier, strict=True)]
        chi2 = float(sum((d**2).sum() for d in inside))
        dof = 2 * sum(len(d) for d in inside) - N_UNKNOWN
        return Solution(
            q, best.path, best.H, best.residuals, best.distances, self.inlier, chi2, dof,
            converged, total,
        )  # fmt: skip


def _spread(distances: Sequence[Floats]) -> float:
    """Return the noise [sigma] that the median distance tells of; 1 as expected."""
    return float(np.median(np.concatenate(distances)) / 1.1774)  # Rayleigh's median


def first_guess(views: Sequence[View]) -> Floats:
    """Return the parabola (9,) that satisfies u P[2] X = P[0] X, v P[2] X = P[1] X best.

    Linear in the nine numbers. Rows are weighed as distances in pixels are, which takes the depth
    of the last round, and less the further off they were (Huber), so that a few strays do little.
    """
    rows, rights, owners = [], [], []
    for seen in views:
        t = seen.tau[:, None, None]
        lines = seen.uv[:, :, None] * seen.P[2] - seen.P[:2]
        lines = np.einsum("nij,njk->nik", seen.whiten, lines)
        n = lines[:, :, :3]
        rows.append(np.concatenate([n, t * n, 0.5 * t * t * n], axis=2))
        rights.append(-lines[:, :, 3])
        owners.append(np.broadcast_to(seen.P[2], (len(seen), 4)))
    J, b, third = (np.concatenate(part) for part in (rows, rights, owners))
    tau = np.concatenate([seen.tau for seen in views])
    weight = np.ones(len(J))
    q = np.zeros(N_PARAMETERS)
    for _ in range(_LINEAR_ROUNDS):
        A, y = (J * weight[:, None, None]).reshape(-1, N_PARAMETERS), (b * weight[:, None]).ravel()
        q = np.linalg.lstsq(A, y, rcond=None)[0]
        t = tau[:, None]
        X = q[:3] + t * (q[3:6] + 0.5 * t * q[6:])
        depth = np.einsum("ij,ij->i", X, third[:, :3]) + third[:, 3]
        depth = np.maximum(np.abs(depth), 1e-3)
        off = np.linalg.norm(J @ q - b, axis=1) / depth
        typical = max(float(np.median(off)), 1e-9)
        weight = np.sqrt(np.minimum(1.0, 2 * typical / np.maximum(off, 1e-300))) / depth
    return q
