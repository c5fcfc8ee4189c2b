"""How the surface around a point moves, from the tracks beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NEAREST = 40  # neighbours used at most
_STRANGER = 0.1  # weight of a track of which it is not known whether it lies on the surface
_FLOOR_PX = 0.2  # no tracker is better: least spread assumed of the neighbours
_INLIER_PX = 1.0  # of a hypothesis
_TURN_PRIOR_PX2 = 1.0  # keeps a fit to neighbours on one line from inventing a deformation
_TUKEY = 4.0
_STEPS = 4
_HYPOTHESES = 30
_HOP = 6  # frames between re-countings of who is there
_KEYS = np.random.default_rng(0).exponential(size=(_HYPOTHESES, _NEAREST))


@dataclass(frozen=True, slots=True)
class Carried:
    """Where a point goes with its surface.

    Attributes
    ----------
    xy_px : (2,) float64
    linear : (2, 2) float64
        How offsets from the point deform on the way.
    sigma_px : float
        Of the position, per axis: spread of the neighbours and uncertainty of the fits [px].
    trust : (n_tracks,) float64
        How well each track moves with the surface, 0 .. 1; NaN unknown.
    used : (n,) int64
        Tracks that told.
    """

    xy_px: Floats
    linear: Floats
    sigma_px: float
    trust: Floats
    used: NDArray[np.int64]


class Walk:
    """A point carried from frame to frame by its neighbours, as far as there are enough."""

    def __init__(self, neighbours: Neighbours, xy: Floats, at: int, end: int, trust: Floats):
        self._neighbours = neighbours
        self._step = 1 if end >= at else -1
        self._known: dict[int, Carried | None] = {}
        start = Carried(xy, np.eye(2), 0.0, trust, np.zeros(0, np.int64))
        self.knots: list[tuple[int, Carried]] = [(at, start)]
        while self.knots[-1][0] != end:
            here, carried = self.knots[-1]
            hop = min(_HOP, abs(end - here)) * self._step
            onwards = neighbours.carry(carried, here, here + hop)
            if onwards is None:
                break
            self.knots.append((here + hop, onwards))

    def at(self, index: int) -> Carried | None:
        """Return the point in one frame; None where too few neighbours lead there."""
        if index not in self._known:
            before = [k for k in self.knots if (index - k[0]) * self._step >= 0]
            here, carried = before[-1] if before else (index, None)
            if carried is not None and here != index:
                carried = self._neighbours.carry(carried, here, index)
            self._known[index] = carried
        return self._known[index]

    def roughly(self, indices: NDArray[np.int64]) -> Floats:
        """Return (n, 2) positions between the frames that were counted, at no cost; NaN beyond."""
        frames = np.array([index for index, _ in self.knots])[:: self._step]
        xy = np.stack([carried.xy_px for _, carried in self.knots])[:: self._step]
        return np.stack(
            [np.interp(indices, frames, xy[:, k], left=np.nan, right=np.nan) for k in (0, 1)],
            axis=1,
        )


class Neighbours:
    """All tracks of a clip as witnesses of local motion."""

    def __init__(self, xy_px: Floats, frame_numbers: NDArray[np.int64], min_anchors: int) -> None:
        self._xy = xy_px
        self._seen = np.isfinite(xy_px[..., 0])
        self._numbers = frame_numbers
        self._min = min_anchors

    def companions(self, row: int, one: int, other: int) -> Floats:
        """Return how well each track moved as `row` did between two frames; NaN unknown."""
        trust = np.full(len(self._xy), np.nan)
        rows = np.flatnonzero(self._seen[:, one] & self._seen[:, other])
        rows = rows[rows != row]
        trust[row] = 0.0
        if one == other or not len(rows):
            return trust
        away = self._xy[rows, one] - self._xy[row, one]
        drift = self._xy[rows, other] - self._xy[rows, one]
        drift -= self._xy[row, other] - self._xy[row, one]
        # whoever moves as the track does, give or take a turn or growth of a few per cent
        tolerance = 0.5 + 0.03 * np.hypot(*away.T)
        weights = 1 / (1 + (np.hypot(*drift.T) / tolerance) ** 2) ** 2
        trust[rows] = _fit(away, drift, _near(away), weights, free=False)[2]
        return trust

    def carry(self, point: Carried, source: int, target: int) -> Carried | None:
        """Carry a point of frame `source` into frame `target`; None without enough witnesses."""
        prior = np.where(np.isnan(point.trust), _STRANGER, point.trust)
        rows = np.flatnonzero((prior > 0.05) & self._seen[:, source] & self._seen[:, target])
        away = self._xy[rows, source] - point.xy_px
        if len(rows) > _NEAREST:
            order = np.argsort(np.hypot(*away.T), kind="stable")[:_NEAREST]
            rows, away = rows[order], away[order]
        if len(rows) < self._min:
            return None
        moved = self._xy[rows, target] - self._xy[rows, source]
        weights = _near(away) * prior[rows]
        fitted, sigma, robust = _fit(away, moved, weights, _consensus(away, moved, weights))
        known = ~np.isnan(point.trust[rows])
        if (known & (robust > 0.1)).sum() < self._min:
            return None
        trust = point.trust.copy()
        trust[rows] = robust
        linear = np.eye(2) + fitted[1:].T
        return Carried(
            point.xy_px + fitted[0], linear @ point.linear,
            float(np.hypot(sigma, point.sigma_px)), trust, rows[robust > 0.1],
        )  # fmt: skip

    def extrapolate(self, row: int, at: int, target: int) -> Carried:
        """Carry a track's own position on at constant velocity, forwards or backwards in time.

        The uncertainty is what the same rule got wrong earlier in this track, grown with the
        square of the horizon.
        """
        step = 1 if target > at else -1
        own = self._seen[row]
        frames = [at]
        while 0 <= frames[-1] - step < len(own) and own[frames[-1] - step] and len(frames) < 24:
            frames.append(frames[-1] - step)
        xy = self._xy[row, frames]
        t = np.abs(self._numbers[frames] - self._numbers[at]).astype(np.float64)
        horizon = float(abs(self._numbers[target] - self._numbers[at]))
        n = len(frames)
        nobody = np.full(len(self._xy), np.nan), np.zeros(0, np.int64)
        if n < 4:
            return Carried(xy[0], np.eye(2), np.inf, *nobody)
        known = max(3, min(8, n // 2))
        back = n - known
        velocity = (xy[0] - xy[known - 1]) / t[known - 1]
        then = (xy[back] - xy[n - 1]) / (t[n - 1] - t[back])
        error = float(np.hypot(*(xy[0] - xy[back] - then * t[back])))
        grown = error * max(horizon / t[back], 1.0) ** 2
        sigma = 0.5 + 0.02 * float(np.hypot(*velocity)) * horizon + grown
        return Carried(xy[0] + velocity * horizon, np.eye(2), sigma, *nobody)


def _near(away: Floats) -> Floats:
    """Return weights that fall with distance, by the crowd's own scale."""
    distance = np.hypot(*away.T)
    reach = max(float(np.sort(distance)[min(7, len(distance) - 1)]), 10.0)
    return np.asarray(1 / (1 + (distance / reach) ** 2))


def _consensus(away: Floats, moved: Floats, prior: Floats) -> Floats:
    """Return who agrees with the best affine motion through three of the neighbours."""
    n = len(away)
    # three without replacement, in proportion to the prior (Efraimidis & Spirakis 2006)
    keys = _KEYS[:, :n] / np.maximum(prior, 1e-12)
    chosen = np.argpartition(keys, 2, axis=1)[:, :3] if n > 3 else np.array([[0, 1, 2]])
    design = np.concatenate([np.ones((n, 1)), away], axis=1)
    ridge = np.diag([1e-6, _TURN_PRIOR_PX2, _TURN_PRIOR_PX2])
    some = design[chosen]
    turned = np.swapaxes(some, 1, 2)
    fitted = np.linalg.solve(turned @ some + ridge, turned @ moved[chosen])
    residual2 = ((moved - design @ fitted) ** 2).sum(axis=2)
    cost = (np.minimum(residual2, _INLIER_PX**2) * prior).sum(axis=1)
    return np.asarray(1 / (1 + residual2[cost.argmin()] / _INLIER_PX**2) ** 2)


def _fit(
    away: Floats, moved: Floats, prior: Floats, weights: Floats, *, free: bool = True
) -> tuple[Floats, float, Floats]:
    """Fit moved = t + away G robustly (Tukey's biweight); `free` False holds t at zero.

    Returns the (3, 2) rows t and G, the standard deviation of t, and the robust weights.
    """
    design = np.column_stack([np.full(len(away), float(free)), away])
    ridge = np.diag([0.0 if free else 1.0, _TURN_PRIOR_PX2, _TURN_PRIOR_PX2])
    fitted, spread = np.zeros((3, 2)), np.inf
    inverse = np.eye(3)
    for _ in range(_STEPS):
        w = prior * weights
        if w.sum() < 1e-9:
            return fitted, np.inf, weights
        inverse = np.linalg.inv(design.T @ (w[:, None] * design) + ridge + 1e-9 * np.eye(3))
        fitted = inverse @ design.T @ (w[:, None] * moved)
        residual = np.hypot(*(moved - design @ fitted).T)
        # by those in agreement so far: others move otherwise, however many they are
        spread = max(_weighted_median(residual, w), _FLOOR_PX)
        weights = np.clip(1 - (residual / (_TUKEY * spread)) ** 2, 0, None) ** 2
    return fitted, float(spread * np.sqrt(0.25 + min(inverse[0, 0], 1e6))), weights


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if not len(total) or total[-1] <= 0:
        return np.inf
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
