"""The strike zone: home plate's pentagon between two heights, touched by a sphere or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.ballistics import FOOT_M, INCH_M
from trackcore.cameras import PITCH_FRAME, home_plate_ft
from trackcore.errors import InputError
from trackcore.pitch.paths import Path

Floats = NDArray[np.float64]

_GRID, _ROUNDS = 33, 3
_FRONT_HALF_M = 8.5 * INCH_M


# the plate's corners: x and z of the world [m], round it once; its sides, and their normals
_CORNERS: Floats = PITCH_FRAME.to_world(home_plate_ft())[:, [0, 2]]
_EDGES: Floats = np.roll(_CORNERS, -1, axis=0) - _CORNERS
_OUTWARD: Floats = np.stack([-_EDGES[:, 1], _EDGES[:, 0]], axis=1)
_OUTWARD *= np.sign((_OUTWARD * (_CORNERS - _CORNERS.mean(axis=0))).sum(axis=1))[:, None]
_OUTWARD /= np.linalg.norm(_OUTWARD, axis=1, keepdims=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeZone:
    """The solid over home plate, in the world of pitches (y up, z 0 at the front edge).

    Attributes
    ----------
    bottom_m, top_m : float
        Heights above the ground [m].

    Raises
    ------
    InputError
        If it has no height.

    Examples
    --------
    >>> import trackcore as tc
    >>> zone = tc.StrikeZone.of_batter(66)
    >>> round(zone.bottom_m / 0.0254, 2), round(zone.top_m / 0.0254, 2)
    (17.82, 33.0)
    >>> zone.margin_m([[0.0, 0.7, 0.2]]).round(3).tolist()  # inside: negative
    [-0.138]
    """

    bottom_m: float
    top_m: float

    def __post_init__(self) -> None:
        """Check the heights."""
        if not (math.isfinite(self.bottom_m) and self.bottom_m < self.top_m < math.inf):
            raise InputError(
                f"bottom_m, top_m: expected bottom below top, got {self.bottom_m}, {self.top_m}"
            )

    @classmethod
    def of_batter(
        cls, batter_height_in: float = 66.0, *, top_ratio: float = 0.5, bottom_ratio: float = 0.27
    ) -> StrikeZone:
        """Return the zone from the documented keys: shares of the batter's height [in]."""
        for name, value in (("batter_height_in", batter_height_in), ("top_ratio", top_ratio),
                            ("bottom_ratio", bottom_ratio)):  # fmt: skip
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not 0 < value < 1e3
            ):
                raise InputError(f"{name}: expected a number above 0, got {value!r}")
        height = batter_height_in * INCH_M
        return cls(bottom_m=bottom_ratio * height, top_m=top_ratio * height)

    def margin_m(self, X_world: ArrayLike) -> Floats:
        """Return the signed distances (n,) of points (n, 3) from the solid [m]; inside negative."""
        return self.distances(np.asarray(X_world, np.float64))[0]

    def distances(self, X: Floats) -> tuple[Floats, Floats]:
        """Return signed distances (n,) [m] and their slopes (n, 3), of points (n, 3)."""
        plan, by_plan = _plan_distances(X[:, [0, 2]])
        over, under = X[:, 1] - self.top_m, self.bottom_m - X[:, 1]
        tall, by_tall = np.maximum(over, under), np.where(over >= under, 1.0, -1.0)
        p, t = np.maximum(plan, 0), np.maximum(tall, 0)
        outside = np.hypot(p, t)
        inside = np.minimum(np.maximum(plan, tall), 0)
        out = outside > 0
        size = np.where(out, outside, 1.0)
        sideways = np.where(out, p / size, plan >= tall)
        upward = np.where(out, t / size, plan < tall)
        slope = np.empty((len(X), 3))
        slope[:, 0], slope[:, 2] = sideways * by_plan[:, 0], sideways * by_plan[:, 1]
        slope[:, 1] = upward * by_tall
        return outside + inside, slope

    def cell(self, x_m: float, y_m: float) -> tuple[int, int]:
        """Return (row, column) 1 .. 3 of the ninth of the zone's front nearest to a place.

        Counted from the bottom and from the catcher's left, as the documented code does.
        """
        across = (x_m + _FRONT_HALF_M) / (2 * _FRONT_HALF_M)
        up = (y_m - self.bottom_m) / (self.top_m - self.bottom_m)
        row, column = (min(max(math.floor(3 * share), 0), 2) + 1 for share in (up, across))
        return row, column


def _plan_distances(xz: Floats) -> tuple[Floats, Floats]:
    """Return signed distances (n,) of places from the pentagon and their slopes (n, 2)."""
    edge, outward = _EDGES, _OUTWARD
    off = xz[:, None, :] - _CORNERS
    height = np.einsum("nij,ij->ni", off, outward)
    nearest = height.argmax(axis=1)
    rows = np.arange(len(xz))
    inside = height[rows, nearest] <= 0
    share = np.clip(np.einsum("nij,ij->ni", off, edge) / (edge**2).sum(axis=1), 0, 1)
    gap = off - share[:, :, None] * edge
    length = np.linalg.norm(gap, axis=2)
    closest = length.argmin(axis=1)
    far = np.maximum(length[rows, closest], 1e-300)
    distance = np.where(inside, height[rows, nearest], length[rows, closest])
    away = gap[rows, closest] / far[:, None]
    slope = np.where(inside[:, None] | (far < 1e-12)[:, None], outward[nearest], away)
    return distance, slope


@dataclass(frozen=True, slots=True)
class StrikeCall:
    """Whether a ball touched the zone.

    Attributes
    ----------
    is_strike : bool or None
        None: unknown.
    probability : float
        That it did, from the covariance of the flight. NaN: unknown.
    margin_m, sigma_m : float
        How far its surface went into the zone [m], negative: missed by; and the deviation of that.
    radius_m : float
        Of the ball that was called [m]; NaN: there was no plate.
    row, column : int or None
        Of a strike: the ninth of the front, 1 .. 3 from the bottom and the catcher's left, nearest
        to where the centre came past the front edge.
    """

    is_strike: bool | None
    probability: float
    margin_m: float
    sigma_m: float
    radius_m: float
    row: int | None
    column: int | None


NO_CALL = StrikeCall(None, math.nan, math.nan, math.nan, math.nan, None, None)


def call(
    zone: StrikeZone, path: Path, covariance: Floats, radius_m: float, lo: float, hi: float
) -> StrikeCall:
    """Return the call of a path between two times around the plate [s]."""
    a, b = lo, hi
    for _ in range(_ROUNDS):
        grid = np.linspace(a, b, _GRID)
        margin = zone.margin_m(path.places(grid)[0])
        i = int(margin.argmin())
        a, b = grid[max(i - 1, 0)], grid[min(i + 1, _GRID - 1)]
    at = path.at(grid[i : i + 1])
    distance, slope = zone.distances(at.X)
    by_q = slope[0] @ at.X_by_q[0]
    depth, sigma = radius_m - float(distance[0]), float(np.sqrt(by_q @ covariance @ by_q))
    probability = (
        0.5 * math.erfc(-depth / (math.sqrt(2) * sigma)) if sigma > 0 else float(depth > 0)
    )
    return StrikeCall(depth > 0, probability, depth, sigma, radius_m, None, None)


def batter_zone_ft(zone: StrikeZone) -> Floats:
    """Return the front corners (4, 3) in `PITCH_FRAME` [ft]: top left, top right, bottom ones."""
    half = _FRONT_HALF_M
    corners = [(x, y, 0.0) for y in (zone.top_m, zone.bottom_m) for x in (-half, half)]
    return np.array(corners) / FOOT_M
