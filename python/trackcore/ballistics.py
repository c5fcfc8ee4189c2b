"""A ball in the air: its constants, and the units that pitches are counted in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trackcore.options import Options, knob

FOOT_M = 0.3048
INCH_M = 0.0254
MPH_MPS = 0.44704
OUNCE_KG = 0.028349523125
"""Metres in a foot and an inch; metres per second in a mile per hour; kilograms in an ounce. All
exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BallPhysics(Options):
    """A ball and the air it flies through.

    The defaults are a baseball's as A. M. Nathan gives them for trajectory calculations: 5.125 oz,
    radius 1.45 in, air of 0.0740 lb/ft3, so that rho A / 2 m = 0.00530 per foot.
    """

    mass_kg: float = knob(0.145291, unit="kg", lo=1e-4, hi=100.0, doc="mass of the ball")
    radius_m: float = knob(0.03683, unit="m", lo=1e-3, hi=1.0, doc="radius of the ball")
    air_density: float = knob(1.18537, unit="kg/m3", lo=0.0, hi=10.0, doc="density of the air")
    gravity: float = knob(9.80665, unit="m/s2", lo=0.0, hi=30.0, doc="standard gravity")

    @property
    def drag_per_m(self) -> float:
        """K = rho A / 2 m [1/m]: drag decelerates by K Cd v^2."""
        return 0.5 * self.air_density * math.pi * self.radius_m**2 / self.mass_kg


BALLS = {
    "baseball": BallPhysics(),
    "softball": BallPhysics(radius_m=1.88 * INCH_M, mass_kg=6.625 * OUNCE_KG),
}
"""The documented types of ball. A softball's radius is the documented one; its mass is the middle
of what the rules allow, 6.25 to 7 oz."""


def lift_coefficient(spin_parameter: float) -> float:
    """Return the lift coefficient of a baseball from S = radius x spin / speed.

    Source: A. M. Nathan's fit, C_L = 1.120 S / (0.583 + 2.333 S).

    >>> round(lift_coefficient(0.2), 4)
    0.2134
    """
    return 1.120 * spin_parameter / (0.583 + 2.333 * spin_parameter)
