"""Least squares of a path's pixels in both cameras, and of the clocks between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.pitch._views import View
from trackcore.pitch.paths import N_SIMPLE, Model, Path

Floats = NDArray[np.float64]

_FEW = 0.1
_SETTLED = 1e-6  # in units of one sigma, squared
_FIRST_DAMPING, _HIGHEST_DAMPING = 1e-6, 1e12
_LINEAR_ROUNDS, _MOST_PASSES = 3, 8


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known beforehand: `mean` and `information` (1 / variance) of each unknown."""

    mean: Floats
    information: Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """Where the least squares ended.

    `q` unknowns, the clock offset last, `H` the normal matrix with the prior; of the sightings,
    view by view, `residual` (n, 2) [px], `distance` (n,) [sigma] and `inlier`; `chi2` and `dof` of
    the inliers.
    """

    q: Floats
    path: Path
    H: Floats
    residual: Floats
    distance: Floats
    inlier: NDArray[np.bool_]
    chi2: float
    dof: int
    converged: bool
    iterations: int


@dataclass(frozen=True, slots=True)
class _Look:
    """A place in parameter space: whitened residuals `r` (n, 2) and their slopes `J` (n, 2, k)."""

    q: Floats
    path: Path
    J: Floats
    r: Floats
    residual: Floats
    distance: Floats


@dataclass(frozen=True, slots=True)
class _Step:
    """What a place costs: `bend` is the matrix of the step, `H` that of the covariance."""

    look: _Look
    cost: float
    H: Floats
    bend: Floats
    g: Floats


class Problem:
    """The views of a flight, a model, a prior and how robust to be."""

    def __init__(
        self, views: Sequence[View], model: Model, prior: Prior, robust_sigma: float
    ) -> None:
        self.views, self.model, self.prior = views, model, prior
        self.robust_sigma, self.noise = robust_sigma, 1.0
        self._tau = np.concatenate([v.tau for v in views])
        self._uv = np.concatenate([v.uv for v in views])
        self._whiten = np.concatenate([v.whiten for v in views])
        self._P = np.concatenate([np.broadcast_to(v.P, (len(v), 3, 4)) for v in views])
        self._late = np.concatenate([np.full(len(v), float(v.follows_clock)) for v in views])
        self.inlier = np.ones(len(self._tau), np.bool_)
        self.lo, self.hi = min(float(self._tau.min()), -1e-3), max(float(self._tau.max()), 1e-3)

    def look(self, q: Floats) -> _Look | None:
        """Return residuals and slopes at `q`; None where there is no path or picture."""
        late = abs(float(q[-1])) + 1e-4
        path = self.model.path(q[:-1], self.lo - late, self.hi + late)
        if path is None:
            return None
        motion = path.at(self._tau + q[-1] * self._late)
        h = (self._P[:, :, :3] @ motion.X[:, :, None])[:, :, 0] + self._P[:, :, 3]
        if not (h[:, 2] > 0).all():
            return None
        uv = h[:, :2] / h[:, 2:]
        by_X = self._whiten @ (
            (self._P[:, :2, :3] - uv[:, :, None] * self._P[:, 2:, :3]) / h[:, 2, None, None]
        )
        J = np.empty((len(uv), 2, len(q)))
        np.matmul(by_X, motion.X_by_q, out=J[:, :, :-1])
        J[:, :, -1] = (by_X @ motion.V[:, :, None])[:, :, 0] * self._late[:, None]
        residual = uv - self._uv
        r = (self._whiten @ residual[:, :, None])[:, :, 0]
        distance = np.sqrt(np.einsum("ij,ij->i", r, r))
        return _Look(q, path, J, r, residual, distance)

    def weigh(self, look: _Look) -> _Step:
        """Return the robust cost of residuals, with its gradient and matrices."""
        q, J, r, distance = look.q, look.J, look.r, look.distance
        off = q - self.prior.mean
        k = self.robust_sigma * self.noise
        far = distance > k
        loss = np.where(far, k * (distance - 0.5 * k), 0.5 * distance**2)[self.inlier].sum()
        weight = self.inlier * np.where(far, k / np.maximum(distance, k), 1.0)
        weighed = (J * weight[:, None, None]).reshape(-1, len(q))
        H = weighed.T @ J.reshape(-1, len(q)) + np.diag(self.prior.information)
        g = weighed.T @ r.ravel() + self.prior.information * off
        bend = H
        if 0 < far.mean() < _FEW:  # the cost of what is far does not bend along the distance
            radial = np.einsum("ij,ijk->ik", r[far] / distance[far, None], J[far])
            bend = H - (radial * weight[far, None]).T @ radial
        cost = float(loss + 0.5 * off @ (self.prior.information * off))
        return _Step(look, cost, H, bend, g)

    def minimise(self, start: _Look, most: int) -> tuple[_Step, bool, int]:
        """Return the least cost near a place (Levenberg-Marquardt), and whether it settled."""
        best, damping = self.weigh(start), _FIRST_DAMPING
        for i in range(most):
            scale = 1 / np.sqrt(np.maximum(np.diag(best.H), 1e-300))
            scaled = best.bend * scale[:, None] * scale
            scaled[np.diag_indices(len(scale))] += damping
            try:
                step = -scale * np.linalg.solve(scaled, scale * best.g)
            except np.linalg.LinAlgError:
                damping = max(10 * damping, 1e-9)
                continue
            promise = -float(best.g @ step)
            if promise < _SETTLED and damping < 1e-2:
                return best, True, i
            look = self.look(best.look.q + step)
            to = None if look is None else self.weigh(look)
            if to is not None and to.cost <= best.cost + 1e-12 * abs(best.cost):
                best, damping = to, 0.01 * damping if damping > 1e-9 else 0.0
            else:
                damping = max(10 * damping, 1e-6)
                if damping > _HIGHEST_DAMPING:
                    return best, promise < 1e-3, i
        return best, False, most

    def solve(self, q: Floats, most: int, outlier_sigma: float) -> Solution | None:
        """Minimise, drop outliers, minimise again until the set of outliers stays.

        What counts as far is in proportion to the typical distance: at first the clocks may put all
        sightings far off, and a robust cost of them all has no slope to speak of. None where `q` is
        no start: the path is behind a camera.
        """
        total = 0
        at = self.look(q)
        if at is None:
            return None
        self.noise = max(1.0, _spread(at.distance))
        for _ in range(_MOST_PASSES):
            best, converged, iterations = self.minimise(at, most)
            total, at = total + iterations, best.look
            noise = max(1.0, _spread(at.distance))
            kept = at.distance <= outlier_sigma * noise
            if np.array_equal(kept, self.inlier) and self.noise <= 1.2 * noise:
                break
            self.inlier, self.noise = kept, noise
        chi2 = float((at.distance[self.inlier] ** 2).sum())
        dof = 2 * int(self.inlier.sum()) - len(q)
        return Solution(
            at.q, at.path, best.H, at.residual, at.distance, self.inlier, chi2, dof, converged,
            total,
        )  # fmt: skip


def _spread(distance: Floats) -> float:
    """Return the noise [sigma] that the median distance tells of; 1 as expected."""
    return float(np.median(distance) / 1.1774)  # Rayleigh's median


def first_guess(views: Sequence[View]) -> Floats:
    """Return the parabola (9,) that satisfies u P[2] X = P[0] X, v P[2] X = P[1] X best.

    Linear in the nine numbers. Rows are weighed as distances in pixels are, which takes the depth
    of the last round, and less the further off they were (Huber), so that a few strays do little.
    """
    rows, rights, owners = [], [], []
    for seen in views:
        t = seen.tau[:, None, None]
        lines = seen.uv[:, :, None] * seen.P[2] - seen.P[:2]
        lines = seen.whiten @ lines
        n = lines[:, :, :3]
        rows.append(np.concatenate([n, t * n, 0.5 * t * t * n], axis=2))
        rights.append(-lines[:, :, 3])
        owners.append(np.broadcast_to(seen.P[2], (len(seen), 4)))
    J, b, third = (np.concatenate(part) for part in (rows, rights, owners))
    tau = np.concatenate([seen.tau for seen in views])
    weight: Floats = np.ones(len(J))
    q: Floats = np.zeros(N_SIMPLE)
    for _ in range(_LINEAR_ROUNDS):
        A, y = (J * weight[:, None, None]).reshape(-1, N_SIMPLE), (b * weight[:, None]).ravel()
        size = np.sqrt((A * A).sum(axis=0)) + 1e-300
        A = A / size  # normal equations do for a start, once columns are alike
        q = np.asarray(np.linalg.lstsq(A.T @ A, A.T @ y, rcond=None)[0] / size, np.float64)
        t = tau[:, None]
        X = q[:3] + t * (q[3:6] + 0.5 * t * q[6:])
        depth = np.maximum(np.abs((X * third[:, :3]).sum(axis=1) + third[:, 3]), 1e-3)
        miss = J @ q - b
        off = np.sqrt((miss * miss).sum(axis=1)) / depth
        typical = max(float(np.median(off)), 1e-9)
        weight = np.asarray(
            np.sqrt(np.minimum(1.0, 2 * typical / np.maximum(off, 1e-300))) / depth, np.float64
        )
    return q
