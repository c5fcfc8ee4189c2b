"""Ways of a ball through space, with their slopes by every parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import MPH_MPS, BallPhysics
from trackcore.pitch._chebyshev import Span

Floats = NDArray[np.float64]

N_SIMPLE = 9
_FIT_NODES, _LONG_NODES, _LONG_S = 9, 16, 0.7
_MOST_ROUNDS, _RUNAWAY = 60, 1e5  # [m/s]
_SETTLED = 1e-10  # of the speed; what is left is a tenth of the last change


@dataclass(frozen=True, slots=True)
class Motion:
    """A path at n times: positions [m], velocities [m/s], accelerations [m/s2], and slopes.

    `X_by_q`, `V_by_q` are (n, 3, k): by the k parameters of the model.
    """

    X: Floats
    V: Floats
    A: Floats
    X_by_q: Floats
    V_by_q: Floats


class Path(Protocol):
    """A solved path; times `tau` are seconds from its reference."""

    @property
    def q(self) -> Floats:
        """The parameters."""

    def at(self, tau: Floats) -> Motion:
        """Return the motion at times (n,) [s]."""

    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        """Return positions and velocities (n, 3) alone."""


class Model(Protocol):
    """A family of paths: position and velocity at the reference, and what else it has."""

    @property
    def n(self) -> int:
        """How many parameters a path has."""

    def path(self, q: Floats, lo: float, hi: float) -> Path | None:
        """Return the path over lo .. hi [s]; None where there is none."""


@dataclass(frozen=True, slots=True)
class ConstantAcceleration:
    """X = X0 + V0 tau + A tau^2 / 2; q = X0 [m], V0 [m/s], A [m/s2]."""

    @property
    def n(self) -> int:
        """Nine."""
        return N_SIMPLE

    def path(self, q: Floats, lo: float, hi: float) -> Path | None:
        """Return the parabola, which has no ends."""
        del lo, hi
        return _Parabola(q)


@dataclass(frozen=True, slots=True)
class _Parabola:
    q: Floats

    def at(self, tau: Floats) -> Motion:
        t = tau[:, None]
        X0, V0, A = self.q[:3], self.q[3:6], self.q[6:]
        X_by_q, V_by_q = np.zeros((2, len(tau), 3, N_SIMPLE))
        for i in range(3):
            X_by_q[:, i, i] = V_by_q[:, i, 3 + i] = 1.0
            X_by_q[:, i, 3 + i] = V_by_q[:, i, 6 + i] = tau
            X_by_q[:, i, 6 + i] = 0.5 * tau * tau
        return Motion(
            X0 + t * (V0 + 0.5 * t * A),
            V0 + t * A,
            np.broadcast_to(A, (len(tau), 3)),
            X_by_q,
            V_by_q,
        )

    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        t = tau[:, None]
        X0, V0, A = self.q[:3], self.q[3:6], self.q[6:]
        return X0 + t * (V0 + 0.5 * t * A), V0 + t * A


@dataclass(frozen=True, slots=True)
class BallFlight:
    """Gravity, drag and lift: V' = g - K |V| (Cd V - (|V| / |V0|)^-m w x V).

    q = X0 [m], V0 [m/s] at the reference time, Cd, and w along the three unit vectors of
    `lift_basis` (3, 3), two across the flight and one along it: w points along the spin's axis, and
    its part across the flight is as long as the lift coefficient is at the reference. The part
    along the flight (a gyroball's) does nothing until the flight turns. K = rho A / 2 m.

    As the ball slows, its spin parameter and with it the lift coefficient grow, less what the spin
    itself loses: `growth` is m, from `lift_growth`.

    Source: A. M. Nathan, The effect of spin on the flight of a baseball, Am. J. Phys. 76 (2008).
    The equation is solved by collocation at Chebyshev nodes, to rounding for flights of a pitch's
    length; slopes are the exact ones of the solution.
    """

    gravity: Floats
    drag_per_m: float
    lift_basis: Floats
    growth: float

    @property
    def n(self) -> int:
        """Ten."""
        return 10

    @classmethod
    def along(cls, V: Floats, up: Floats, physics: BallPhysics, growth: float) -> BallFlight:
        """Return the model of a flight along velocity `V`, where `up` is away from the earth."""
        forward = V / np.linalg.norm(V)
        side = np.cross(forward, np.eye(3)[np.argmin(np.abs(forward))])
        side /= np.linalg.norm(side)
        basis = np.stack([side, np.cross(forward, side), forward], axis=1)
        return cls(-physics.gravity * up, physics.drag_per_m, basis, growth)

    def path(self, q: Floats, lo: float, hi: float) -> Path | None:
        """Return the solution, or None where it does not settle."""
        span = Span(lo, hi, _LONG_NODES if hi - lo > _LONG_S else _FIT_NODES)
        turn = _cross(self.lift_basis @ q[7:])
        first = max(float(np.linalg.norm(q[3:6])), 1e-300)
        draw = self.drag_per_m * first * (q[6] * q[3:6] - turn @ q[3:6])
        V = q[3:6] + span.nodes[:, None] * (self.gravity - draw)
        settled = _SETTLED * (1 + first)
        for _ in range(_MOST_ROUNDS):
            speed = np.sqrt((V * V).sum(axis=1))[:, None] + 1e-9
            lift = (speed / first) ** -self.growth
            A = self.gravity - self.drag_per_m * speed * (q[6] * V - lift * (V @ turn.T))
            to = q[3:6] + span.integrate @ A
            change = np.abs(to - V).max()
            V = to
            if change < settled:
                return self._solved(q, span, V, turn)
            if not change < _RUNAWAY:
                return None
        return None

    def _solved(self, q: Floats, span: Span, V: Floats, turn: Floats) -> Path:
        n, K, m = len(V), self.drag_per_m, self.growth
        speed = np.maximum(np.sqrt((V * V).sum(axis=1)), 1e-9)[:, None]
        first = max(float(np.linalg.norm(q[3:6])), 1e-300)
        lift, along = (speed / first) ** -m, V / speed
        lifted = lift * (V @ turn.T)
        drawn = q[6] * V - (1 - m) * lifted  # the slope of speed^(1 - m) brings the 1 - m
        A = self.gravity - K * speed * (q[6] * V - lifted)
        linear = q[6] * np.eye(3) - lift[:, :, None] * turn
        by_V = -K * (drawn[:, :, None] * along[:, None, :] + speed[:, :, None] * linear)
        by_q = np.zeros((n, 3, self.n))
        by_q[:, :, 3:6] = K * m * (speed * lifted)[:, :, None] * (q[3:6] / first**2)
        by_q[:, :, 6] = -K * speed * V
        for i in range(3):
            by_q[:, :, 7 + i] = K * speed * lift * (V @ _cross(self.lift_basis[:, i]).T)
        # slopes S of V at the nodes: S = S0 + integral of (by_V S + by_q)
        system = -np.einsum("ij,jab->iajb", span.integrate, by_V).reshape(3 * n, 3 * n)
        system[np.diag_indices(3 * n)] += 1
        right = np.tensordot(span.integrate, by_q, 1)
        right[:, :, 3:6] += np.eye(3)
        S = np.linalg.solve(system, right.reshape(3 * n, -1)).reshape(n, 3, -1)
        by_q += by_V @ S
        values = np.concatenate([A[:, :, None], by_q], axis=2).reshape(n, -1)
        return _Flight(q, span, *span.series(values))


@dataclass(frozen=True, slots=True)
class _Flight:
    q: Floats
    span: Span
    acceleration: Floats
    velocity: Floats
    place: Floats

    def at(self, tau: Floats) -> Motion:
        n, m = len(tau), self.span.n
        basis = self.span.basis(tau)
        A = (basis[:, :m] @ self.acceleration).reshape(n, 3, -1)[:, :, 0]
        V = (basis[:, : m + 1] @ self.velocity).reshape(n, 3, -1)
        X = (basis @ self.place).reshape(n, 3, -1)
        V_by_q, X_by_q = V[:, :, 1:], X[:, :, 1:]
        for i in range(3):
            V_by_q[:, i, 3 + i] += 1
            X_by_q[:, i, i] += 1
            X_by_q[:, i, 3 + i] += tau
        X0, V0 = self.q[:3], self.q[3:6]
        return Motion(X[:, :, 0] + X0 + tau[:, None] * V0, V[:, :, 0] + V0, A, X_by_q, V_by_q)

    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        basis = self.span.basis(tau)
        k = slice(None, None, 1 + len(self.q))
        X = basis @ self.place[:, k] + self.q[:3] + tau[:, None] * self.q[3:6]
        return X, basis[:, : self.span.n + 1] @ self.velocity[:, k] + self.q[3:6]


def lift_growth(lift: float, drag: float, drag_per_m: float) -> float:
    """Return m of lift coefficient ~ speed^-m, near a lift and a drag coefficient.

    From C_L = 1.120 S / (0.583 + 2.333 S), d ln C_L / d ln S = 1 - 2.083 C_L. S is the spin over
    the speed, and while drag takes a share K Cd of the speed per metre, air takes 1 / (30 s x 100
    mph) of the spin (both Nathan).
    """
    fade = 1 / (30 * 100 * MPH_MPS * max(drag_per_m * drag, 1e-6))
    slope = 1 - 2.333 / 1.120 * lift
    return float(np.clip(slope * (1 - fade), 0.0, 1.0))


def _cross(w: Floats) -> Floats:
    x, y, z = w
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
