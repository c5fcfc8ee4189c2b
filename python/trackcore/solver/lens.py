"""How a lens bends the picture: the models that matchmovers exchange."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore._compat import StrEnum
from trackcore.errors import InputError

Floats = NDArray[np.float64]
MOST_STEPS, DONE = 50, 1e-13


class LensModel(StrEnum):
    """Formula of a distortion, on image positions in units of the focal length."""

    NONE = "NONE"
    POLYNOMIAL = "POLYNOMIAL"
    BROWN = "BROWN"


_COEFFICIENTS = {LensModel.NONE: 0, LensModel.POLYNOMIAL: 3, LensModel.BROWN: 5}


@dataclass(frozen=True, slots=True)
class Lens:
    """A distortion: which formula, and its coefficients.

    Attributes
    ----------
    model : LensModel
        `POLYNOMIAL` (Blender's): distorted = u (1 + k1 r^2 + k2 r^4 + k3 r^6).
        `BROWN` (OpenCV's k1, k2, p1, p2, k3).
    coefficients : tuple of float
        As many as the model has; missing ones are 0.

    Raises
    ------
    InputError
        If there are more coefficients than the model has, or one is not finite.
    """

    model: LensModel = LensModel.NONE
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Fill up the coefficients."""
        model, n = LensModel(self.model), _COEFFICIENTS[LensModel(self.model)]
        given = tuple(float(c) for c in self.coefficients)
        if len(given) > n or not np.isfinite(given).all():
            raise InputError(
                f"Lens.coefficients: expected at most {n} finite numbers for {model}, got {given}"
            )
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "coefficients", given + (0.0,) * (n - len(given)))

    @property
    def bends(self) -> bool:
        """Whether anything is distorted."""
        return any(self.coefficients)

    def distort(self, xy: ArrayLike) -> Floats:
        """Return where the lens puts ideal positions.

        Parameters
        ----------
        xy : (n, 2) float
            Ideal positions from the principal point, in focal lengths.

        Returns
        -------
        (n, 2) float64
        """
        ideal = Dims().array("xy", xy, ("n", 2))
        return np.asarray(ideal * self._radial(ideal) + self._tangential(ideal))

    def undistort(self, xy: ArrayLike) -> Floats:
        """Return the ideal positions of what the lens put at `xy`; NaN where there is none.

        Newton's method on the radius-wise and tangential terms, started at `xy`.
        """
        seen = Dims().array("xy", xy, ("n", 2))
        if not self.bends:
            return np.array(seen)
        ideal: Floats = seen.copy()
        step_x, step_y = np.array([1e-6, 0.0]), np.array([0.0, 1e-6])
        for _ in range(MOST_STEPS):
            error = self.distort(ideal) - seen
            dx = (self.distort(ideal + step_x) - self.distort(ideal - step_x)) / 2e-6
            dy = (self.distort(ideal + step_y) - self.distort(ideal - step_y)) / 2e-6
            with np.errstate(divide="ignore", invalid="ignore"):
                det = dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]
                change = (
                    np.column_stack(
                        [
                            dy[:, 1] * error[:, 0] - dy[:, 0] * error[:, 1],
                            dx[:, 0] * error[:, 1] - dx[:, 1] * error[:, 0],
                        ]
                    )
                    / det[:, None]
                )
            ideal = ideal - change
            if not (np.abs(change) > DONE).any():
                break
        with np.errstate(invalid="ignore", over="ignore"):
            lost = ~(np.abs(self.distort(ideal) - seen).max(axis=1) < 1e-9)
        ideal[lost] = np.nan
        return np.asarray(ideal)

    def to_dict(self) -> dict[str, object]:
        """Return the same as plain JSON types."""
        return {"model": self.model.value, "coefficients": list(self.coefficients)}

    def _radial(self, xy: Floats) -> Floats:
        r2 = (xy**2).sum(axis=1, keepdims=True)
        if self.model is LensModel.POLYNOMIAL:
            k1, k2, k3 = self.coefficients
        elif self.model is LensModel.BROWN:
            k1, k2, _, _, k3 = self.coefficients
        else:
            return np.ones_like(r2)
        return np.asarray(1 + r2 * (k1 + r2 * (k2 + r2 * k3)))

    def _tangential(self, xy: Floats) -> Floats:
        if self.model is not LensModel.BROWN:
            return np.zeros_like(xy)
        p1, p2 = self.coefficients[2:4]
        x, y = xy.T
        r2 = x * x + y * y
        return np.column_stack(
            [2 * p1 * x * y + p2 * (r2 + 2 * x * x), p1 * (r2 + 2 * y * y) + 2 * p2 * x * y]
        )
