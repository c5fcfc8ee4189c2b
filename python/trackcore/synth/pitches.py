"""Pitches with a known answer: flights with drag and spin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trackcore.ballistics import FOOT_M, MPH_MPS, BallPhysics, lift_coefficient
from trackcore.synth._args import seed_number
from trackcore.synth._formulas import Floats

_STEP_S = 2e-3
_LONGEST_S = 3.0
_SPIN_DECAY_S = 30.0  # at 100 mph, in inverse proportion to the speed (Nathan)
_AIM_ROUNDS = 4

Vec = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throw:
    """How a ball is thrown, in the right-handed world of pitches.

    The world is in metres: x to the catcher's right, y up from the ground, z to the catcher and 0
    at the front edge of the plate; the rubber is at z = -18.44.

    Attributes
    ----------
    release : (x, y, z)
        Where the ball leaves the hand [m].
    velocity : (vx, vy, vz)
        With which [m/s].
    spin_axis : (x, y, z)
        Of the rotation, right-handed; its length does not matter. (-1, 0, 0) is backspin.
    spin_rpm : float
    drag : float
        Drag coefficient.
    """

    release: Vec
    velocity: Vec
    spin_axis: Vec = (-1.0, 0.0, 0.0)
    spin_rpm: float = 0.0
    drag: float = 0.35


@dataclass(frozen=True, slots=True)
class Flight:
    """The flight of a throw, by small steps of Runge and Kutta's method.

    Attributes
    ----------
    throw : Throw
    t_s : (n,) float64
        Times since the release [s].
    X_world, V_world : (n, 3) float64
        Places [m] and velocities [m/s] at them.
    """

    throw: Throw
    t_s: Floats
    X_world: Floats
    V_world: Floats

    def at(self, t_s: ArrayLike) -> tuple[Floats, Floats]:
        """Return places and velocities (n, 3) at times (n,) [s]; NaN outside the flight."""
        t = np.asarray(t_s, np.float64)
        step = self.t_s[1] - self.t_s[0]
        i = np.clip((t / step).astype(int), 0, len(self.t_s) - 2)
        s = (t / step - i)[:, None]
        X0, X1 = self.X_world[i], self.X_world[i + 1]
        V0, V1 = self.V_world[i] * step, self.V_world[i + 1] * step
        c, d = 3 * (X1 - X0) - 2 * V0 - V1, V0 + V1 - 2 * (X1 - X0)
        X, V = X0 + s * (V0 + s * (c + s * d)), (V0 + s * (2 * c + s * 3 * d)) / step
        outside = (t < 0) | (t > self.t_s[-1])
        X[outside] = V[outside] = np.nan
        return X, V

    def crossing(self, z_world_m: float) -> tuple[float, Floats, Floats]:
        """Return time [s], place and velocity where the ball passes a plane of constant z."""
        past = np.flatnonzero(self.X_world[:, 2] >= z_world_m)
        if len(past) == 0 or past[0] == 0:
            return math.nan, np.full(3, np.nan), np.full(3, np.nan)
        t = self.t_s[past[0] : past[0] + 1].copy()
        for _ in range(4):
            X, V = self.at(np.clip(t, 0, self.t_s[-1]))
            t = t - (X[:, 2] - z_world_m) / V[:, 2]
        X, V = self.at(t)
        return float(t[0]), X[0], V[0]


def fly(
    throw: Throw,
    *,
    physics: BallPhysics | None = None,
    until_z_m: float = 1.0,
    ground_m: float = 0.0,
) -> Flight:
    """Return the flight of a throw until it passes `until_z_m`, hits the ground or 3 s are over.

    Notes
    -----
    Gravity, drag of a constant coefficient and the lift of the spin across the flight, whose
    coefficient follows the spin parameter and whose spin fades: `ballistics.lift_coefficient`.
    """
    air = BallPhysics() if physics is None else physics
    state = [*throw.release, *throw.velocity]
    size = math.hypot(*throw.spin_axis)
    ax, ay, az = (a / size if size > 0 else 0.0 for a in throw.spin_axis)
    axis = (ax, ay, az)
    rate = throw.spin_rpm * 2 * math.pi / 60 if size > 0 else 0.0
    rows, h = [list(state)], _STEP_S
    while len(rows) * h < _LONGEST_S and (
        len(rows) < 3 or (rows[-2][2] < until_z_m and rows[-2][1] > ground_m)
    ):
        s, w = rows[-1], rate
        k1 = _slope(s, axis, w, throw.drag, air)
        k2 = _slope(_moved(s, k1, h / 2), axis, w + k1[6] * h / 2, throw.drag, air)
        k3 = _slope(_moved(s, k2, h / 2), axis, w + k2[6] * h / 2, throw.drag, air)
        k4 = _slope(_moved(s, k3, h), axis, w + k3[6] * h, throw.drag, air)
        mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)]
        rows.append(_moved(s, mean, h))
        rate += mean[6] * h
    table = np.array(rows)
    return Flight(throw, h * np.arange(len(rows), dtype=np.float64), table[:, :3], table[:, 3:])


def _moved(state: list[float], slope: list[float], h: float) -> list[float]:
    return [a + h * b for a, b in zip(state, slope[:6], strict=True)]


def _slope(
    state: list[float], axis: Vec, rate: float, drag: float, air: BallPhysics
) -> list[float]:
    """Return velocity, acceleration and the change of the spin."""
    vx, vy, vz = state[3:]
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    if speed == 0:
        return [0.0, 0.0, 0.0, 0.0, -air.gravity, 0.0, 0.0]
    # of the spin only what is across the flight lifts
    cx, cy, cz = (
        axis[1] * vz - axis[2] * vy,
        axis[2] * vx - axis[0] * vz,
        axis[0] * vy - axis[1] * vx,
    )
    across = math.sqrt(cx * cx + cy * cy + cz * cz) / speed
    lift = 0.0
    if rate > 0 and across > 0:
        lift = lift_coefficient(air.radius_m * rate * across / speed) / across
    k = air.drag_per_m * speed
    fade = -rate * speed / (_SPIN_DECAY_S * 100 * MPH_MPS)
    return [
        vx, vy, vz, k * (lift * cx - drag * vx), k * (lift * cy - drag * vy) - air.gravity,
        k * (lift * cz - drag * vz), fade,
    ]  # fmt: skip


def random_throw(seed: int, *, physics: BallPhysics | None = None) -> Throw:
    """Return a pitch such as are thrown: 70 to 100 mph, any spin, over or near the plate.

    Released 53 to 55 ft before the plate, 5 to 6.5 ft high; it crosses the plate within 1.2 ft of
    the middle and 1 to 4 ft high. Drag coefficients are 0.30 to 0.40, spins 1000 to 2600 rpm about
    any axis within 30 degrees of square to the flight.
    """
    rng = np.random.default_rng(seed_number(seed))
    speed = rng.uniform(70, 100) * MPH_MPS
    release = (
        rng.uniform(-2.5, 2.5) * FOOT_M, rng.uniform(5, 6.5) * FOOT_M, -rng.uniform(53, 55) * FOOT_M
    )  # fmt: skip
    target = np.array([rng.uniform(-1.2, 1.2) * FOOT_M, rng.uniform(1, 4) * FOOT_M])
    angle, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(-np.pi / 6, np.pi / 6)
    axis = (math.cos(angle) * math.cos(tilt), math.sin(angle) * math.cos(tilt), math.sin(tilt))
    spin, drag = rng.uniform(1000, 2600), rng.uniform(0.30, 0.40)
    aim = target.copy()
    throw = Throw(release=release, velocity=(0, 0, speed), spin_axis=axis, spin_rpm=spin, drag=drag)
    for _ in range(_AIM_ROUNDS):
        way = np.array([aim[0] - release[0], aim[1] - release[1], -release[2]])
        vx, vy, vz = (speed * way / np.linalg.norm(way)).tolist()
        throw = Throw(
            release=release, velocity=(vx, vy, vz), spin_axis=axis, spin_rpm=spin, drag=drag
        )
        aim = aim + target - fly(throw, physics=physics, ground_m=-math.inf).crossing(0.0)[1][:2]
    return throw
