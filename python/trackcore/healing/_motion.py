"""How the surface around a point moves between two frames, from the tracks beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HISTORY = 10  # frames over which a neighbour must have moved as the track did
_NEAREST = 40  # neighbours used at most
_FLOOR_PX = 0.2  # no tracker is better: least spread assumed of the neighbours
_TURN_PRIOR_PX2 = 1.0  # keeps a fit to neighbours on one line from inventing a deformation
_TUKEY = 4.0
_STEPS = 6


@dataclass(frozen=True, slots=True)
class Carried:
    """Where a point goes with its surface.

    Attributes
    ----------
    xy_px : (2,) float64
    linear : (2, 2) float64
        How offsets from the point deform on the way.
    sigma_px : float
        Of the position, per axis: spread of the neighbours and uncertainty of the fit [px].
    rows : (n,) int64
        Tracks that told, none if the point's own velocity had to do.
    weights : (n,) float64
        How well each fitted, 0 .. 1.
    """

    xy_px: Floats
    linear: Floats
    sigma_px: float
    rows: NDArray[np.int64]
    weights: Floats


class Neighbours:
    """All tracks of a clip as witnesses of local motion."""

    def __init__(self, xy_px: Floats, frame_numbers: NDArray[np.int64], min_anchors: int) -> None:
        self._xy = xy_px
        self._seen = np.isfinite(xy_px[..., 0])
        self._numbers = frame_numbers
        self._min = min_anchors

    def companions(self, row: int, at: int, step: int) -> tuple[NDArray[np.int64], Floats]:
        """Return tracks that moved with `row` in the frames on one side of `at`, and how well.

        `step` -1 looks at the frames before `at`, +1 at those after. A track too short to tell
        has every track as a companion.
        """
        own = self._seen[row]
        other = at
        while 0 <= other + step < len(own) and own[other + step] and abs(other - at) < _HISTORY:
            other += step
        there = self._seen[:, at].copy()
        there[row] = False
        if other == at:
            rows = np.flatnonzero(there)
            return rows, np.ones(len(rows))
        rows = np.flatnonzero(there & self._seen[:, other])
        away = self._xy[rows, at] - self._xy[row, at]
        drift = self._xy[rows, other] - self._xy[rows, at]
        drift -= self._xy[row, other] - self._xy[row, at]
        near = _near(away)
        # whoever moves as the track does, give or take a turn or growth of a few per cent
        tolerance = 0.5 + 0.03 * np.hypot(*away.T)
        weights = 1 / (1 + (np.hypot(*drift.T) / tolerance) ** 2) ** 2
        _, _, robust = _fit(away, drift, near, weights, free=False)
        return rows, robust

    def carry(
        self,
        xy: Floats,
        source: int,
        target: int,
        companions: tuple[NDArray[np.int64], Floats],
    ) -> Carried | None:
        """Carry a point of frame `source` into frame `target`; None without enough witnesses."""
        rows, trust = companions
        usable = (trust > 0.05) & self._seen[rows, source] & self._seen[rows, target]
        rows, trust = rows[usable], trust[usable]
        if len(rows) < self._min:
            return None
        away = self._xy[rows, source] - xy
        if len(rows) > _NEAREST:
            order = np.argsort(np.hypot(*away.T), kind="stable")[:_NEAREST]
            rows, trust, away = rows[order], trust[order], away[order]
        moved = self._xy[rows, target] - self._xy[rows, source]
        fitted, sigma, robust = _fit(away, moved, _near(away) * trust, np.ones(len(rows)))
        if (robust > 0.1).sum() < self._min:
            return None
        return Carried(xy + fitted[0], np.eye(2) + fitted[1:].T, sigma, rows, robust)

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
        if n < 4:
            return Carried(xy[0], np.eye(2), np.inf, *_NOBODY)
        known = max(3, min(8, n // 2))
        velocity = (xy[0] - xy[known - 1]) / t[known - 1]
        back = n - known
        then = (xy[back] - xy[n - 1]) / (t[n - 1] - t[back]) if known > 1 else velocity
        error = float(np.hypot(*(xy[0] - xy[back] - then * t[back]))) if back else 1.0
        grown = error * (horizon / max(t[back], 1.0)) ** 2 if back else error * horizon
        speed = float(np.hypot(*velocity))
        sigma = 0.5 + 0.02 * speed * horizon + grown
        return Carried(xy[0] + velocity * horizon, np.eye(2), sigma, *_NOBODY)


_NOBODY = (np.zeros(0, np.int64), np.zeros(0))


def _near(away: Floats) -> Floats:
    """Return weights that fall with distance, by the crowd's own scale."""
    distance = np.hypot(*away.T)
    if not len(distance):
        return distance
    reach = max(float(np.sort(distance)[min(7, len(distance) - 1)]), 10.0)
    return np.asarray(1 / (1 + (distance / reach) ** 2))


def _fit(
    away: Floats, moved: Floats, prior: Floats, weights: Floats, *, free: bool = True
) -> tuple[Floats, float, Floats]:
    """Fit moved = t + away G robustly (Tukey's biweight); `free` False holds t at zero.

    Returns the (3, 2) rows t and G, the standard deviation of t, and the robust weights.
    """
    design = np.column_stack([np.ones(len(away)) * free, away])
    ridge = np.diag([0.0 if free else 1.0, _TURN_PRIOR_PX2, _TURN_PRIOR_PX2])
    fitted, spread = np.zeros((3, 2)), np.inf
    inverse = np.eye(3)
    for _ in range(_STEPS):
        w = prior * weights
        if w.sum() < 1e-9:
            return fitted, np.inf, weights
        normal = design.T @ (w[:, None] * design) + ridge + 1e-9 * np.eye(3)
        inverse = np.linalg.inv(normal)
        fitted = inverse @ design.T @ (w[:, None] * moved)
        residual = np.hypot(*(moved - design @ fitted).T)
        spread = max(_weighted_median(residual, prior * (weights > 0)), _FLOOR_PX)
        weights = np.clip(1 - (residual / (_TUKEY * spread)) ** 2, 0, None) ** 2
    return fitted, float(spread * np.sqrt(1 + inverse[0, 0])), weights


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if not len(total) or total[-1] <= 0:
        return np.inf
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
