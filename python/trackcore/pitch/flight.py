"""What follows from a fitted path: where it crosses planes, how sure that is, and its break."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.pitch.paths import BallFlight, Motion, Path

Floats = NDArray[np.float64]

_NEWTON_ROUNDS, _SETTLED_S = 20, 1e-12
_GRID = 33


@dataclass(frozen=True, slots=True)
class Crossing:
    """A ball that passes a plane, in the rig's right-handed world. All NaN where it does not.

    Attributes
    ----------
    t_ns : int
        When, on the rig's common clock [ns]; 0 where it does not.
    sigma_t_s : float
        Standard deviation of that time [s].
    X_world, V_world : (3,) float64
        Place [m] and velocity [m/s].
    covariance : (3, 3) float64
        Of the place [m^2]; nothing along the normal of the plane.
    speed, sigma_speed : float
        [m/s]
    extrapolated_s : float
        How far outside of what was seen [s]; 0 inside.
    """

    t_ns: int
    sigma_t_s: float
    X_world: Floats
    V_world: Floats
    covariance: Floats
    speed: float
    sigma_speed: float
    extrapolated_s: float

    def __bool__(self) -> bool:
        return bool(np.isfinite(self.speed))

    @property
    def sigma_m(self) -> Floats:
        """(3,) standard deviations of the place [m]."""
        return np.sqrt(np.diag(self.covariance))


NO_CROSSING = Crossing(
    0, np.nan, np.full(3, np.nan), np.full(3, np.nan), np.full((3, 3), np.nan), np.nan, np.nan,
    np.nan,
)  # fmt: skip


def crossing_times(path: Path, normal: Floats, distances: Floats, lo: float, hi: float) -> Floats:
    """Return the first times in lo .. hi at which normal . X comes up to each distance; NaN: never.

    The path is sampled, then Newton's method, held between the samples, makes it exact.
    """
    grid = np.linspace(lo, hi, _GRID)
    height = path.places(grid)[0] @ normal
    above = height[:, None] - distances
    change = (above[:-1] <= 0) & (above[1:] > 0)
    found = change.any(axis=0)
    i = change.argmax(axis=0)
    columns = np.arange(len(distances))
    a, b = above[i, columns], above[i + 1, columns]
    low, high = grid[i], grid[i + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = np.where(found, low - a * (high - low) / (b - a), 0.5 * (low + high))
        for _ in range(_NEWTON_ROUNDS):
            X, V = path.places(tau)
            to = tau - (X @ normal - distances) / (V @ normal)
            to = np.minimum(np.maximum(to, low), high)  # np.clip takes ten times as long
            done = np.abs(np.where(found, to - tau, 0.0)).max(initial=0.0) < _SETTLED_S
            tau = np.where(np.isfinite(to), to, tau)
            if done:
                break
    return np.where(found, tau, np.nan)


@dataclass(frozen=True, slots=True)
class Slopes:
    """A path where it crosses a plane: k crossings, slopes (k, 3, n) along it, (k, n) of time."""

    tau: Floats
    X: Floats
    V: Floats
    X_by_q: Floats
    V_by_q: Floats
    dtau: Floats


def slopes_at(path: Path, tau: Floats, normal: Floats) -> Slopes:
    """Return place and velocity at crossings, and how they follow the parameters."""
    m: Motion = path.at(tau)
    dtau = -np.einsum("a,kap->kp", normal, m.X_by_q) / (m.V @ normal)[:, None]
    X_by_q = m.X_by_q + m.V[:, :, None] * dtau[:, None, :]
    V_by_q = m.V_by_q + m.A[:, :, None] * dtau[:, None, :]
    return Slopes(tau, m.X, m.V, X_by_q, V_by_q, dtau)


def crossings(
    s: Slopes, covariance: Floats, reference_ns: int, seen: tuple[float, float]
) -> list[Crossing]:
    """Return a `Crossing` for each of the k; `covariance` is that of the parameters."""
    result = []
    for k, tau in enumerate(s.tau):
        if not np.isfinite(tau):
            result.append(NO_CROSSING)
            continue
        speed = float(np.linalg.norm(s.V[k]))
        by_speed = s.V[k] / speed @ s.V_by_q[k]
        result.append(Crossing(
            reference_ns + round(tau * 1e9), _deviation(s.dtau[k], covariance), s.X[k], s.V[k],
            s.X_by_q[k] @ covariance @ s.X_by_q[k].T, speed, _deviation(by_speed, covariance),
            float(max(seen[0] - tau, tau - seen[1], 0.0)),
        ))  # fmt: skip
    return result


def _deviation(slope: Floats, covariance: Floats) -> float:
    return math.sqrt(max(float(slope @ covariance @ slope), 0.0))


@dataclass(frozen=True, slots=True)
class Break:
    """How far spin moved a pitch from where it would have passed the plate without.

    Attributes
    ----------
    across, up : float
        To the catcher's right and upward [m], along the world's x and y. NaN: unknown.
    sigma_across, sigma_up : float
        Standard deviations [m].
    """

    across: float
    up: float
    sigma_across: float
    sigma_up: float


NO_BREAK = Break(np.nan, np.nan, np.nan, np.nan)


def spin_break(
    model: BallFlight, q: Floats, covariance: Floats, s: Slopes, start: int, end: int, z_end: float
) -> Break:
    """Return the break between crossings `start` and `end` of `s`, whose planes are of constant z.

    The spinless ball has the same place, velocity and drag at the start, and no lift.
    """
    if not np.isfinite(s.tau[[start, end]]).all():
        return NO_BREAK
    spinless_q = np.concatenate([s.X[start], s.V[start], [q[6], 0.0, 0.0, 0.0]])
    took = s.tau[[end]] - s.tau[start]
    path = model.path(spinless_q, -1e-3, 1.5 * took[0] + 1e-3)
    normal = np.array([0.0, 0.0, 1.0])
    if path is None:
        return NO_BREAK
    tau = took  # spin hardly changes when a ball arrives
    for _ in range(_NEWTON_ROUNDS):
        X, V = path.places(np.clip(tau, 0.0, 1.5 * took))
        step = (X[:, 2] - z_end) / V[:, 2]
        tau = tau - step
        if abs(step[0]) < _SETTLED_S:
            break
    else:
        return NO_BREAK
    plain = slopes_at(path, tau, normal)
    by_q = np.zeros((model.n, model.n))
    by_q[:3], by_q[3:6], by_q[6, 6] = s.X_by_q[start], s.V_by_q[start], 1.0
    off = s.X[end] - plain.X[0]
    slope = s.X_by_q[end] - plain.X_by_q[0] @ by_q
    C = slope @ covariance @ slope.T
    return Break(float(off[0]), float(off[1]), float(np.sqrt(C[0, 0])), float(np.sqrt(C[1, 1])))
