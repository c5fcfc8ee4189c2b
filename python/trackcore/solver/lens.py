"""How a lens bends the picture: the models that matchmovers exchange."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore._compat import StrEnum
from trackcore.errors import InputError

Floats = NDArray[np.float64]
MOST_STEPS, DONE = 100, 1e-13
EXACT = 1e-9
"""Of an inverse that has been found: its error [focal lengths], which is 1e-6 px or less."""
GRID = (33, 19)
"""Positions over the frame, edges included, at which one model is fitted to another."""


class LensModel(StrEnum):
    """Formula of a distortion, on image positions in units of the focal length."""

    NONE = "NONE"
    POLYNOMIAL = "POLYNOMIAL"
    BROWN = "BROWN"
    DIVISION = "DIVISION"
    NUKE = "NUKE"


_COEFFICIENTS = {
    LensModel.NONE: 0,
    LensModel.POLYNOMIAL: 3,
    LensModel.BROWN: 5,
    LensModel.DIVISION: 2,
    LensModel.NUKE: 2,
}
_DIVIDING = (LensModel.DIVISION, LensModel.NUKE)


def nuke_unit(focal_px: float, frame_size: tuple[int, int], *, pixel_aspect: float = 1.0) -> float:
    """Return what the `NUKE` model counts radii in: half of the longer side, in focal lengths.

    >>> nuke_unit(960.0, (1920, 1080))
    1.0
    """
    w, h = frame_size
    return max(w, h / pixel_aspect) / 2 / focal_px


@dataclass(frozen=True, slots=True)
class Lens:
    """A distortion: which formula, and its coefficients.

    Positions are taken from the principal point, x right and y down, in focal lengths; r is the
    distance from it. With `pixel_aspect` a, a focal length is f px along x and f a px along y.

    Attributes
    ----------
    model : LensModel
        `POLYNOMIAL` (Blender's): distorted = ideal (1 + k1 r^2 + k2 r^4 + k3 r^6), r of ideal.
        `BROWN` (OpenCV's k1, k2, p1, p2, k3): the same and a tangential part.
        `DIVISION` (Blender's): distorted = ideal / (1 + k1 r^2 + k2 r^4), r of ideal.
        `NUKE` (Blender's and Nuke's k1, k2): ideal = distorted / (1 + k1 r^2 + k2 r^4), r of
        distorted, in units of half of the frame's longer side: see `unit`. With unit 1 it is the
        division model of the literature (Fitzgibbon 2001).
    coefficients : tuple of float
        As many as the model has; missing ones are 0.
    unit : float
        Of `NUKE` only: half of the frame's longer side in focal lengths, as `nuke_unit` gives it.
        1 for the other models.

    Raises
    ------
    InputError
        If there are more coefficients than the model has, one is not finite, or the unit does not
        go with the model.
    """

    model: LensModel = LensModel.NONE
    coefficients: tuple[float, ...] = ()
    unit: float = 1.0

    def __post_init__(self) -> None:
        """Fill up the coefficients."""
        model = _known_model(self.model)
        n = _COEFFICIENTS[model]
        given = tuple(float(c) for c in self.coefficients)
        if len(given) > n or not np.isfinite(given).all():
            raise InputError(
                f"Lens.coefficients: expected at most {n} finite numbers for {model}, got {given}"
            )
        unit = float(self.unit)
        if not (math.isfinite(unit) and unit > 0) or (unit != 1 and model is not LensModel.NUKE):
            expected = "a number > 0" if model is LensModel.NUKE else f"1 for {model}"
            raise InputError(f"Lens.unit: expected {expected}, got {self.unit!r}")
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "coefficients", given + (0.0,) * (n - len(given)))
        object.__setattr__(self, "unit", unit)

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
            NaN where `DIVISION` and `NUKE` have no image of a position. The others are
            polynomials: far outside of the picture they fold back into it.
        """
        ideal = Dims().array("xy", xy, ("n", 2))
        if self.model is LensModel.DIVISION:
            return _divide(ideal, *self._division())
        if self.model is LensModel.NUKE:
            return _undivide(ideal, *self._division())
        return np.asarray(ideal * self._radial(ideal) + self._tangential(ideal))

    def undistort(self, xy: ArrayLike) -> Floats:
        """Return the ideal positions of what the lens put at `xy`; NaN where there is none.

        `NUKE` says it directly, up to the radius where it folds. The others are inverted by
        Newton's method; what is found beyond their fold is none.
        """
        seen = Dims().array("xy", xy, ("n", 2))
        if not self.bends:
            return np.array(seen)
        if self.model is LensModel.NUKE:
            return _divide(seen, *self._division())
        if self.model is LensModel.DIVISION:
            return _undivide(seen, *self._division())
        return self._undistort_by_newton(seen)

    def convert(
        self,
        model: LensModel | str,
        *,
        focal_px: float,
        frame_size: tuple[int, int],
        principal_point_px: tuple[float, float] | None = None,
        pixel_aspect: float = 1.0,
        tolerance_px: float = 0.1,
    ) -> LensFit:
        """Say the same distortion in another model, as well as it can.

        Parameters
        ----------
        model : LensModel
            What to convert to.
        focal_px : float
            Focal length [px of the frame's width].
        frame_size : (w, h)
            [px]; the fit is over the whole frame.
        principal_point_px : (x, y), optional
            [px]; the frame's centre unless given.
        pixel_aspect : float
            Width over height of a pixel as shown.
        tolerance_px : float
            Most that the two may differ anywhere in the frame [px].

        Returns
        -------
        LensFit
            The lens and by how much it differs.

        Raises
        ------
        InputError
            If the other model differs by more than the tolerance somewhere in the frame, or this
            lens has no ideal position for a part of the frame.

        Notes
        -----
        Least squares of the difference in distorted pixels over a grid, by Gauss-Newton.
        """
        model = _known_model(model)
        unit = 1.0
        if model is LensModel.NUKE:
            unit = nuke_unit(focal_px, frame_size, pixel_aspect=pixel_aspect)
        px = np.array([focal_px, focal_px * pixel_aspect])
        seen = (_grid(frame_size) - _centre(principal_point_px, frame_size)) / px
        ideal = self.undistort(seen)
        if np.isnan(ideal).any():
            raise InputError(
                f"lens: {self.model} {self.coefficients} has no ideal position for "
                f"{np.isnan(ideal).any(axis=1).mean():.0%} of the frame: nothing to convert"
            )
        lens = Lens(model, _fitted(model, unit, ideal, seen, px), unit)
        distance = np.linalg.norm((lens.distort(ideal) - seen) * px, axis=1)
        rms_px, worst_px = float(np.sqrt((distance**2).mean())), float(distance.max())
        if not worst_px <= tolerance_px:
            raise InputError(
                f"model: {model} follows {self.model} {self.coefficients} to {worst_px:.3g} px at "
                f"worst ({rms_px:.3g} px rms) over {frame_size[0]} x {frame_size[1]} px, expected "
                f"{tolerance_px:g} px (tolerance_px)"
            )
        return LensFit(lens, rms_px, worst_px)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        plain = {"model": self.model.value, "coefficients": list(self.coefficients)}
        return plain if self.model is not LensModel.NUKE else {**plain, "unit": self.unit}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Lens:
        """Return what `to_dict` described."""
        return cls(plain["model"], tuple(plain["coefficients"]), plain.get("unit", 1.0))

    def _division(self) -> tuple[float, float]:
        """k1, k2 of radii in focal lengths."""
        k1, k2 = self.coefficients
        return k1 / self.unit**2, k2 / self.unit**4

    def _undistort_by_newton(self, seen: Floats) -> Floats:
        ideal: Floats = seen.copy()
        step_x, step_y = np.array([1e-6, 0.0]), np.array([0.0, 1e-6])
        det = np.zeros(len(seen))
        for _ in range(MOST_STEPS):
            error = self.distort(ideal) - seen
            dx = (self.distort(ideal + step_x) - self.distort(ideal - step_x)) / 2e-6
            dy = (self.distort(ideal + step_y) - self.distort(ideal - step_y)) / 2e-6
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
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
            lost = ~((np.abs(self.distort(ideal) - seen).max(axis=1) < EXACT) & (det > 0))
        ideal[lost] = np.nan
        return np.asarray(ideal)

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


@dataclass(frozen=True, slots=True)
class LensFit:
    """A lens that stands for another, and how far from it it is anywhere in the frame.

    Attributes
    ----------
    lens : Lens
    rms_px, worst_px : float
        Of the distance between what the two make of the same ideal position [px].
    """

    lens: Lens
    rms_px: float
    worst_px: float


def _known_model(model: object) -> LensModel:
    try:
        return LensModel(str(model).upper())
    except ValueError:
        raise InputError(
            f"Lens.model: expected one of {', '.join(LensModel)}, got {model!r}"
        ) from None


def _divide(xy: Floats, k1: float, k2: float) -> Floats:
    """Return xy / (1 + k1 r^2 + k2 r^4); NaN from the radius on where that no longer rises."""
    s = (xy**2).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(np.sqrt(s) < _fold(k1, k2), xy / (1 + s * (k1 + s * k2)), np.nan)


def _undivide(xy: Floats, k1: float, k2: float) -> Floats:
    """Return what `_divide` takes to `xy`; NaN where nothing is.

    Newton's method on the radius, kept between 0 and the fold by bisection.
    """
    if not (k1 or k2):
        return np.array(xy)
    fold = _fold(k1, k2)
    target = np.sqrt((xy**2).sum(axis=1))
    low, high = np.zeros_like(target), np.full_like(target, fold)
    r = np.minimum(target, 0.999 * fold)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for _ in range(MOST_STEPS):
            s = r * r
            short = target * (1 + s * (k1 + s * k2)) - r
            low, high = np.where(short > 0, r, low), np.where(short > 0, high, r)
            step = r - short / (target * r * (2 * k1 + 4 * s * k2) - 1)
            step = np.where((step > low) & (step < high), step, (low + high) / 2)
            done = np.abs(step - r) <= DONE * r
            r = step
            if (done | np.isnan(target)).all():
                break
        s = r * r
        lost = ~(np.abs(target * (1 + s * (k1 + s * k2)) - r) < EXACT * (1 + target))
        scale = np.where(target > 0, r / target, 1.0)
    scale[lost] = np.nan
    return np.asarray(xy * scale[:, None])


def _fold(k1: float, k2: float) -> float:
    """Radius up to which r / (1 + k1 r^2 + k2 r^4) rises: to its maximum, or to its pole."""
    return math.sqrt(min(_first_root(-3 * k2, -k1), _first_root(k2, k1)))


def _first_root(a: float, b: float) -> float:
    """Smallest positive s with a s^2 + b s + 1 = 0; infinity if there is none."""
    square = b * b - 4 * a
    if square < 0:
        return math.inf
    ends = (-b + math.sqrt(square), -b - math.sqrt(square))
    return min((2 / end for end in ends if end > 0), default=math.inf)


def _grid(frame_size: tuple[int, int]) -> Floats:
    xs, ys = (np.linspace(-0.5, n - 0.5, m) for n, m in zip(frame_size, GRID, strict=True))
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def _centre(given: tuple[float, float] | None, frame_size: tuple[int, int]) -> Floats:
    w, h = frame_size
    return np.array(((w - 1) / 2, (h - 1) / 2) if given is None else given)


def _fitted(
    model: LensModel, unit: float, ideal: Floats, seen: Floats, px: Floats
) -> tuple[float, ...]:
    """Coefficients with which `model` puts `ideal` closest to `seen`."""
    n = _COEFFICIENTS[model]
    k = np.zeros(n)
    if model in _DIVIDING:  # linear when multiplied out: a start inside the fold
        over, under = (ideal, seen) if model is LensModel.DIVISION else (seen, ideal)
        s = (over**2).sum(axis=1)[:, None] / unit**2
        rows = [(under * s**power).ravel() for power in (1, 2)]
        k = np.linalg.lstsq(np.column_stack(rows), (over - under).ravel(), rcond=None)[0]

    def misfit(k: Floats) -> Floats:
        return ((Lens(model, tuple(k), unit).distort(ideal) - seen) * px).ravel()

    step = 1e-6
    for _ in range(10 if n else 0):
        slopes = [(misfit(k + d) - misfit(k - d)) / (2 * step) for d in step * np.eye(n)]
        slope, now = np.column_stack(slopes), misfit(k)
        known = np.isfinite(slope).all(axis=1) & np.isfinite(now)
        change = np.linalg.lstsq(slope[known], now[known], rcond=None)[0]
        k = k - change
        if np.abs(change).max() < 1e-12:
            break
    return tuple(k.tolist())
