"""Ways of a ball through space, with their slopes by every parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import BallPhysics
from trackcore.pitch._chebyshev import Span

Floats = NDArray[np.float64]

N_PARAMETERS = 9
_FIT_NODES, _LONG_NODES, _LONG_S = 9, 16, 0.7
_MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Motion:
    """A path at n times: positions [m], velocities [m/s], accelerations [m/s2], and slopes.

    `dX`, `dV` are (n, 3, 9): by the nine parameters.
    """

    X: Floats
    V: Floats
    A: Floats
    dX: Floats
    dV: Floats


class Path(Protocol):
    """A solved path; times `tau` are seconds from its reference."""

    q: Floats

    def at(self, tau: Floats) -> Motion:
        """Return the motion at times (n,) [s]."""

    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        """Return positions and velocities (n, 3) alone."""


class Model(Protocol):
    """A family of paths with nine parameters: position, velocity at the reference, three more."""

    def path(self, q: Floats, lo: float, hi: float) -> Path | None:
        """Return the path over lo .. hi [s]; None where there is none."""


@dataclass(frozen=True, slots=True)
class ConstantAcceleration:
    """X = X0 + V0 tau + A tau^2 / 2; q = X0 [m], V0 [m/s], A [m/s2]."""

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
        dX, dV = np.zeros((2, len(tau), 3, N_PARAMETERS))
        for i in range(3):
            dX[:, i, i] = dV[:, i, 3 + i] = 1.0
            dX[:, i, 3 + i] = dV[:, i, 6 + i] = tau
            dX[:, i, 6 + i] = 0.5 * tau * tau
        return Motion(
            X0 + t * (V0 + 0.5 * t * A), V0 + t * A, np.broadcast_to(A, (len(tau), 3)), dX, dV
        )


    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        t = tau[:, None]
        X0, V0, A = self.q[:3], self.q[3:6], self.q[6:]
        return X0 + t * (V0 + 0.5 * t * A), V0 + t * A


@dataclass(frozen=True, slots=True)
class BallFlight:
    """Gravity, drag and lift: V' = g - K |V| (Cd V - w x V).

    q = X0 [m], V0 [m/s] at the reference time, Cd, and w along the two unit vectors of `lift_basis`
    (3, 2), both across the flight: w points along the spin's axis and is as long as the lift
    coefficient. K = rho A / 2 m. Spin along the flight (a gyroball's) does nothing and is not in
    it; neither is the loss of spin, 1.5 % in a pitch's half second.

    Source: A. M. Nathan, The effect of spin on the flight of a baseball, Am. J. Phys. 76 (2008).
    The equation is solved by collocation at Chebyshev nodes, to rounding for flights of a pitch's
    length; slopes are the exact ones of the solution.
    """

    gravity: Floats
    drag_per_m: float
    lift_basis: Floats

    @classmethod
    def across(cls, V: Floats, up: Floats, physics: BallPhysics) -> BallFlight:
        """Return the model whose lift acts across velocity `V`, where `up` is away from the earth."""
        forward = V / np.linalg.norm(V)
        side = np.cross(forward, np.eye(3)[np.argmin(np.abs(forward))])
        side /= np.linalg.norm(side)
        basis = np.stack([side, np.cross(forward, side)], axis=1)
        return cls(-physics.gravity * up, physics.drag_per_m, basis)

    def path(self, q: Floats, lo: float, hi: float) -> Path | None:
        """Return the solution, or None where it does not settle."""
        span = Span(lo, hi, _LONG_NODES if hi - lo > _LONG_S else _FIT_NODES)
        pull = q[6] * np.eye(3) - _cross(self.lift_basis @ q[7:])
        V = q[3:6] + span.nodes[:, None] * self.gravity
        settled = 1e-11 * (1 + np.abs(q[3:6]).max())
        for _ in range(_MOST_ROUNDS):
            speed = np.sqrt((V * V).sum(axis=1))
            A = self.gravity - (self.drag_per_m * speed)[:, None] * (V @ pull.T)
            to = q[3:6] + span.integrate @ A
            change = np.abs(to - V).max()
            V = to
            if not change >= settled:  # NaN as well
                return self._solved(q, span, V, pull) if np.isfinite(change) else None
        return None

    def _solved(self, q: Floats, span: Span, V: Floats, pull: Floats) -> Path:
        n, K = len(V), self.drag_per_m
        speed = np.maximum(np.sqrt((V * V).sum(axis=1)), 1e-300)[:, None]
        turned = V @ pull.T
        A = self.gravity - K * speed * turned
        by_V = -K * (turned[:, :, None] * (V / speed)[:, None, :] + speed[:, :, None] * pull)
        by_q = np.zeros((n, 3, N_PARAMETERS))
        by_q[:, :, 6] = -K * speed * V
        for i in range(2):
            by_q[:, :, 7 + i] = K * speed * (V @ _cross(self.lift_basis[:, i]).T)
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
        dV, dX = V[:, :, 1:], X[:, :, 1:]
        for i in range(3):
            dV[:, i, 3 + i] += 1
            dX[:, i, i] += 1
            dX[:, i, 3 + i] += tau
        X0, V0 = self.q[:3], self.q[3:6]
        return Motion(X[:, :, 0] + X0 + tau[:, None] * V0, V[:, :, 0] + V0, A, dX, dV)

    def places(self, tau: Floats) -> tuple[Floats, Floats]:
        basis = self.span.basis(tau)
        k = slice(None, None, 1 + N_PARAMETERS)
        X = basis @ self.place[:, k] + self.q[:3] + tau[:, None] * self.q[3:6]
        return X, basis[:, : self.span.n + 1] @ self.velocity[:, k] + self.q[3:6]


def _cross(w: Floats) -> Floats:
    x, y, z = w
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
