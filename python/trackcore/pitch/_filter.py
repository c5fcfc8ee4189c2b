"""A ball's place, velocity, acceleration and clock, from one sighting after another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from trackcore.pitch.options import StereoTrackOptions

Floats = NDArray[np.float64]

_N = 10
_X, _V, _A = slice(0, 3), slice(3, 6), slice(6, 9)


class BallFilter:
    """Extended Kalman filter of constant acceleration with drift; measurements are pixels.

    The state is place [m], velocity [m/s], acceleration [m/s2] and by how much the right clock is
    late [s]. Gravity is the acceleration's expectation, drag and lift its spread. Source:
    Y. Bar-Shalom, X. R. Li and T. Kirubarajan, Estimation with Applications to Tracking and
    Navigation (2001), sec. 6.2 and 10.3.
    """

    __slots__ = ("P", "_jerk2", "t_ns", "x")

    def __init__(self, x: Floats, P: Floats, t_ns: int, jerk: float) -> None:
        self.x, self.P, self.t_ns, self._jerk2 = x, P, t_ns, jerk**2

    @classmethod
    def start(
        cls, X: Floats, covariance: Floats, t_ns: int, gravity: Floats,
        clock: tuple[float, float], options: StereoTrackOptions,
    ) -> BallFilter:  # fmt: skip
        """Return the filter of a ball of which only a place is known."""
        x, P = np.zeros(_N), np.zeros((_N, _N))
        x[_X], x[_A], x[9] = X, gravity, clock[0]
        P[_X, _X] = covariance
        P[_V, _V] = options.speed_sigma**2 * np.eye(3)
        P[_A, _A] = options.acceleration_sigma**2 * np.eye(3)
        P[9, 9] = clock[1] ** 2
        return cls(x, P, t_ns, options.jerk)

    def copy(self) -> BallFilter:
        """Return another filter in the same state."""
        other = BallFilter(self.x.copy(), self.P.copy(), self.t_ns, 0.0)
        other._jerk2 = self._jerk2
        return other

    def predict(self, t_ns: int) -> None:
        """Go to a time, later or earlier."""
        if t_ns == self.t_ns:
            return
        F, Q = _transition(t_ns - self.t_ns)
        self.x = F @ self.x
        self.P = F @ self.P @ F.T + self._jerk2 * Q
        self.t_ns = t_ns

    def place(self, t_ns: int, late_s: float = 0.0) -> Floats:
        """Return where the ball is at a time [m], without going there."""
        dt = (t_ns - self.t_ns) * 1e-9 + late_s
        return self.x[_X] + dt * (self.x[_V] + 0.5 * dt * self.x[_A])

    def expect(self, P_img_world: Floats, line_s: float, *, right: bool) -> Expected | None:
        """Return where a camera sees the ball now; None where it is behind the camera."""
        delay = self.x[9] if right else 0.0
        X = self.x[_X] + delay * self.x[_V]
        h = P_img_world[:, :3] @ X + P_img_world[:, 3]
        if h[2] <= 0:
            return None
        if line_s:
            delay += line_s * h[1] / h[2]
            X = self.x[_X] + delay * self.x[_V]
            h = P_img_world[:, :3] @ X + P_img_world[:, 3]
        uv = h[:2] / h[2]
        J = (P_img_world[:2, :3] - uv[:, None] * P_img_world[2, :3]) / h[2]
        H = np.zeros((2, _N))
        H[:, _X], H[:, _V] = J, delay * J
        S = np.zeros((2, 2))
        if right:
            H[:, 9] = J @ self.x[_V]
            S = self.P[9, 9] * (J @ self.P[_V, _V] @ J.T)  # of second order, large at first
        PH = self.P @ H.T
        return Expected(uv, H, PH, H @ PH + S, float(h[2]), S)

    def update(self, seen: Expected, uv: Floats, R: Floats) -> None:
        """Take in a sighting (2,) [px] of covariance `R` (2, 2)."""
        S = seen.S + R
        adjugate = np.array([[S[1, 1], -S[0, 1]], [-S[1, 0], S[0, 0]]])
        gain = seen.PH @ (adjugate / (S[0, 0] * S[1, 1] - S[0, 1] * S[1, 0]))
        self.x = self.x + gain @ (uv - seen.uv)
        P = self.P - gain @ S @ gain.T
        self.P = 0.5 * (P + P.T)


class Expected:
    """A predicted sighting: place [px], slopes, covariance and depth [m]."""

    __slots__ = ("H", "PH", "S", "depth", "second", "uv")

    def __init__(
        self, uv: Floats, H: Floats, PH: Floats, S: Floats, depth: float, second: Floats
    ) -> None:
        self.uv, self.H, self.PH, self.S, self.depth, self.second = uv, H, PH, S, depth, second

    def distances(self, uv: Floats, R: Floats) -> Floats:
        """Return squared distances (n,) of sightings (n, 2) in their covariance (n, 2, 2)."""
        off = uv - self.uv
        S = self.S + R
        det = S[:, 0, 0] * S[:, 1, 1] - S[:, 0, 1] ** 2
        u, v = off[:, 0], off[:, 1]
        return np.asarray((S[:, 1, 1] * u * u - 2 * S[:, 0, 1] * u * v + S[:, 0, 0] * v * v) / det)


@lru_cache(maxsize=64)  # the tracks of a frame all make the same step
def _transition(step_ns: int) -> tuple[Floats, Floats]:
    """Return the matrix of a step in time, and the covariance it adds per squared jerk."""
    dt = step_ns * 1e-9
    F = np.eye(_N)
    for i in range(3):
        F[i, 3 + i] = F[3 + i, 6 + i] = dt
        F[i, 6 + i] = 0.5 * dt * dt
    d, Q = abs(dt), np.zeros((_N, _N))
    block = [
        [d**5 / 20, d**4 / 8, d**3 / 6], [d**4 / 8, d**3 / 3, d**2 / 2], [d**3 / 6, d**2 / 2, d],
    ]  # fmt: skip
    Q[:9, :9] = np.kron(block, np.eye(3))
    return F, Q


def first_covariance(
    covariance: Floats, rays: Sequence[Floats], apart_s: float, baseline_m: float,
    options: StereoTrackOptions,
) -> Floats:  # fmt: skip
    """Return the covariance of a place triangulated from two moments `apart_s` apart.

    While the ball moves by speed x time between them, the rays meet elsewhere: by as much across,
    and along the rays by as much times distance over baseline.
    """
    moved = options.speed_sigma * (apart_s + options.clock_sigma_s)
    along = 0.5 * (rays[0] / np.linalg.norm(rays[0]) + rays[1] / np.linalg.norm(rays[1]))
    distance = 0.5 * float(np.linalg.norm(rays[0]) + np.linalg.norm(rays[1]))
    deep = moved * distance / baseline_m
    return np.asarray(covariance + moved**2 * np.eye(3) + deep**2 * np.outer(along, along))
