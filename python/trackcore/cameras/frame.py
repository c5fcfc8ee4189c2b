"""How people count in a world: axes, unit and handedness."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError

Floats = NDArray[np.float64]

METRES = {
    "m": 1.0, "cm": 0.01, "mm": 0.001, "um": 1e-6, "km": 1000.0,
    "in": 0.0254, "ft": 0.3048, "yd": 0.9144,
}  # fmt: skip
"""Metres in one of each unit of length."""

_LONG = {
    "metre": "m", "meter": "m", "centimetre": "cm", "centimeter": "cm", "millimetre": "mm",
    "millimeter": "mm", "micrometre": "um", "micrometer": "um", "kilometre": "km",
    "kilometer": "km", "inch": "in", "inche": "in", "foot": "ft", "feet": "ft", "yard": "yd",
}  # fmt: skip


def metres_per(unit: str) -> float:
    """Return how many metres a unit of length is: m, cm, mm, um, km, in, ft, yd, or their names.

    >>> metres_per("ft"), metres_per("inches")
    (0.3048, 0.0254)
    """
    word = unit.strip().lower() if isinstance(unit, str) else ""
    for name in (word, word.removesuffix("s")):
        if _LONG.get(name, name) in METRES:
            return METRES[_LONG.get(name, name)]
    raise InputError(f"unit: expected a unit of length ({', '.join(METRES)}), got {unit!r}")


@dataclass(frozen=True, eq=False)
class WorldFrame:
    """Coordinates that people use, beside the right-handed metres in which everything is computed.

    Attributes
    ----------
    name : str
    unit : str
        Of lengths: m, cm, mm, in, ft, ...
    axes : (3, 3) array
        Rows: the frame's axes in the world, each one of the world's axes or its opposite. A frame
        whose determinant is negative is left-handed.
    description : str
        What the axes are, for people.

    Examples
    --------
    >>> import trackcore as tc
    >>> tc.PITCH_FRAME.handedness
    'left'
    >>> tc.PITCH_FRAME.to_world([[1.0, 2.0, 60.5]]).round(4).tolist()
    [[0.3048, 0.6096, -18.4404]]
    """

    name: str
    unit: str = "m"
    axes: Floats = field(default_factory=lambda: np.eye(3))
    description: str = ""

    def __post_init__(self) -> None:
        """Check that the axes are axes and the unit is one."""
        metres_per(self.unit)
        axes = np.array(self.axes, np.float64)
        if axes.shape != (3, 3) or not np.array_equal(np.abs(axes @ axes.T), np.eye(3)) or (
            np.abs(axes).max(initial=0.0) != 1
        ):  # fmt: skip
            raise InputError(f"axes: expected three signed axes (3, 3), got {axes.tolist()}")
        axes.setflags(write=False)
        object.__setattr__(self, "axes", axes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorldFrame):
            return NotImplemented
        words = (self.name, self.unit, self.description)
        return words == (other.name, other.unit, other.description) and np.array_equal(
            self.axes, other.axes
        )

    def __hash__(self) -> int:
        return hash((self.name, self.unit, self.axes.tobytes()))

    @property
    def handedness(self) -> str:
        """Whether the frame is "right"- or "left"-handed."""
        return "right" if np.linalg.det(self.axes) > 0 else "left"

    @property
    def metres_per_unit(self) -> float:
        """Metres in one unit of the frame."""
        return metres_per(self.unit)

    def to_world(self, X_frame: ArrayLike) -> Floats:
        """Return points, velocities or accelerations (..., 3) of the frame in the world [m]."""
        return np.asarray(np.asarray(X_frame, np.float64) @ self.axes * self.metres_per_unit)

    def from_world(self, X_world: ArrayLike) -> Floats:
        """Return points, velocities or accelerations (..., 3) [m] as the frame counts them."""
        return np.asarray(np.asarray(X_world, np.float64) @ self.axes.T / self.metres_per_unit)

    def spin_to_world(self, axis_frame: ArrayLike) -> Floats:
        """Return axes of rotation (..., 3), which a mirror reverses, in the world; no lengths."""
        sign = np.sign(np.linalg.det(self.axes))
        return np.asarray(sign * (np.asarray(axis_frame, np.float64) @ self.axes))

    def spin_from_world(self, axis_world: ArrayLike) -> Floats:
        """Return axes of rotation (..., 3) of the world as the frame counts them; no lengths."""
        sign = np.sign(np.linalg.det(self.axes))
        return np.asarray(sign * (np.asarray(axis_world, np.float64) @ self.axes.T))


WORLD = WorldFrame("world", description="right-handed metres")
"""The world as everything is computed in it."""

PITCH_FRAME = WorldFrame(
    "pitch", "ft", np.diag([1.0, 1.0, -1.0]),
    "X to the catcher's right, Y up from the ground, Z 0 at the plate and growing to the rubber:"
    " left-handed. The world is its mirror image: Z to the catcher.",
)  # fmt: skip
"""The documented frame of pitches, in feet."""


def home_plate_ft() -> Floats:
    """Return the corners of home plate (5, 3) in `PITCH_FRAME` [ft].

    Round it: the ends of the front edge (towards the pitcher, at Z = 0) on the left and on the
    right, the end of the right side, the tip, the end of the left side. 17 inches wide and long.
    """
    inches = [(-8.5, 0, 0), (8.5, 0, 0), (8.5, 0, -8.5), (0, 0, -17), (-8.5, 0, -8.5)]
    return np.array(inches) / 12
