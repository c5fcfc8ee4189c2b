"""A pitch's fit and its call, slow and obvious: what `trackcore.pitch` must agree with."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

import trackcore as tc

STEP_S = 1e-3


def parabola(q: NDArray, tau: NDArray) -> NDArray:
    t = tau[:, None]
    return q[:3] + t * q[3:6] + 0.5 * t**2 * q[6:9]


def acceleration(q: NDArray, V: NDArray, basis: NDArray, growth: float, air: tc.BallPhysics):
    """Return g - K |V| (Cd V - (|V| / |V0|)^-m w x V)."""
    speed = np.linalg.norm(V)
    lift = (speed / np.linalg.norm(q[3:6])) ** -growth * np.cross(basis @ q[7:10], V)
    return np.array([0, -air.gravity, 0]) - air.drag_per_m * speed * (q[6] * V - lift)


def flight(q: NDArray, tau: NDArray, basis: NDArray, growth: float, air: tc.BallPhysics) -> NDArray:
    """Return places at times, by Runge and Kutta's method from the reference, each on its own."""
    places = np.empty((len(tau), 3))
    for side in (tau >= 0, tau < 0):
        X, V, at = q[:3].copy(), q[3:6].copy(), 0.0
        for k in sorted(np.flatnonzero(side), key=lambda k: abs(tau[k])):
            n = max(int(np.ceil(abs(tau[k] - at) / STEP_S)), 1)
            h = (tau[k] - at) / n
            for _ in range(n):
                a1 = acceleration(q, V, basis, growth, air)
                a2 = acceleration(q, V + h / 2 * a1, basis, growth, air)
                a3 = acceleration(q, V + h / 2 * a2, basis, growth, air)
                a4 = acceleration(q, V + h * a3, basis, growth, air)
                X = X + h * V + h**2 / 6 * (a1 + a2 + a3)
                V = V + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            at = tau[k]
            places[k] = X
    return places


def least_squares(residuals, x: NDArray, scale: NDArray, rounds: int = 8) -> NDArray:
    """Return where the sum of squares is least (Gauss and Newton, numeric slopes)."""
    for _ in range(rounds):
        columns = [
            (residuals(x + step) - residuals(x - step)) / 2 for step in np.diag(1e-4 * scale)
        ]
        J = np.stack(columns, axis=1) / (1e-4 * scale)
        x = x - scale * np.linalg.lstsq(J * scale, residuals(x), rcond=None)[0]
    return x


def distance_to_zone(X: NDArray, zone: tc.StrikeZone) -> float:
    """Return how far a point is from the solid over the plate; 0 inside. Face by face."""
    corners = np.array([(-8.5, 0), (8.5, 0), (8.5, 8.5), (0, 17), (-8.5, 8.5)]) * 0.0254
    p = X[[0, 2]]
    inside, gaps = True, []
    for a, b in itertools.pairwise([*corners, corners[0]]):
        edge = b - a
        inside &= edge[0] * (p - a)[1] - edge[1] * (p - a)[0] >= 0
        share = min(max((p - a) @ edge / (edge @ edge), 0), 1)
        gaps.append(np.linalg.norm(p - a - share * edge))
    flat = 0.0 if inside else min(gaps)
    tall = max(zone.bottom_m - X[1], X[1] - zone.top_m, 0)
    return float(np.hypot(flat, tall))
