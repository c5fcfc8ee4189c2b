"""Where a camera goes in the solve suite: splines through a few knots, and a hand that shakes.

Numpy only: the renderer inside Blender imports it. World and camera axes: x right, y down, z
forward [m]; `T_cam_world` maps world to camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bench.walls import F64, pose, tremor
from numpy.typing import ArrayLike

Knots = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Path:
    """A way through the world, as knots at equal times with a natural cubic spline through them.

    `turn` is yaw right, pitch up, roll [deg]; with `look` (points to look at) it is added to that
    direction. A walk bobs `bob_m` up and down at `step_hz`, and half that sideways.
    """

    eye: Knots = ((0.0, 0.0, 0.0),)
    turn: Knots = ((0.0, 0.0, 0.0),)
    look: Knots = ()
    shake_deg: float = 0.0  # hand-held rotation, about one standard deviation
    shake_m: float = 0.0
    bob_m: float = 0.0
    step_hz: float = 1.8
    ease: bool = False  # from rest to rest

    def poses(self, u: ArrayLike, t_s: ArrayLike, seed: int) -> F64:
        """(n, 4, 4) `T_cam_world` at shares 0..1 of the way and the times of it."""
        share, seconds = np.asarray(u, np.float64), np.asarray(t_s, np.float64)
        if self.ease:
            share = share * share * (3 - 2 * share)
        eye, turn = spline(self.eye, share), np.radians(spline(self.turn, share))
        if self.look:
            away = spline(self.look, share) - eye
            turn[:, 0] += np.arctan2(away[:, 0], away[:, 2])
            turn[:, 1] += np.arctan2(-away[:, 1], np.hypot(away[:, 0], away[:, 2]))
        shake = tremor(np.random.default_rng(seed), seconds)
        eye += self.shake_m * shake[3:].T
        turn += np.radians(self.shake_deg) * shake[:3].T
        phase = 2 * np.pi * self.step_hz * seconds
        eye[:, 1] += self.bob_m * np.sin(phase)
        eye[:, 0] += self.bob_m / 2 * np.sin(phase / 2)
        return np.stack([pose(c, *angles) for c, angles in zip(eye, turn, strict=True)])


def spline(knots: ArrayLike, u: F64) -> F64:
    """Natural cubic spline through (k, d) knots at equal steps of 0..1; (n, d) at `u`."""
    y = np.asarray(knots, np.float64)
    y = y[:, None] if y.ndim == 1 else y
    last = len(y) - 1
    if last == 0:
        return np.repeat(y, len(u), axis=0)
    # Second derivatives at the knots, zero at both ends.
    second = np.zeros_like(y)
    if last > 1:
        system = 4 * np.eye(last - 1) + np.eye(last - 1, k=1) + np.eye(last - 1, k=-1)
        second[1:-1] = np.linalg.solve(system, 6 * (y[2:] - 2 * y[1:-1] + y[:-2]))
    # A shutter may open before the first knot: the end pieces go on.
    i = np.clip(np.floor(u * last).astype(int), 0, last - 1)
    b = (u * last - i)[:, None]
    a = 1 - b
    bend = (a**3 - a) * second[i] + (b**3 - b) * second[i + 1]
    return a * y[i] + b * y[i + 1] + bend / 6
