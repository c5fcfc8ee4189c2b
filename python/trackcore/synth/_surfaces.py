"""Textured rectangles in space and how a camera sees them: the renderer behind `ParallaxScene`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore.synth._formulas import MEAN, Floats, Footprint
from trackcore.synth.images import over_blocks

_SUBPIXELS = (np.arange(16) % 4 / 4 - 0.375, np.arange(16) // 4 / 4 - 0.375)
_NONE = -1
_NEAR_M = 0.02  # nothing comes nearer to the camera


class SurfaceTexture(Protocol):
    """A texture that knows its own average over a pixel's footprint."""

    def average(self, x: Floats, y: Floats, footprint: Footprint, /) -> Floats:
        """Return the average grey level over each footprint."""
        ...


@dataclass(frozen=True, slots=True)
class Rings:
    """Concentric rings about a centre with a soft profile."""

    center_px: tuple[float, float]
    period_px: float
    contrast: float

    def average(self, x: Floats, y: Floats, footprint: Footprint, /) -> Floats:
        """Return the average grey level: rings are plane waves along the radius."""
        xu, xv, yu, yv = footprint
        x, y = x - self.center_px[0], y - self.center_px[1]
        # a little more than the radius: keeps the middle smooth
        radius = np.sqrt(x * x + y * y + (0.3 * self.period_px) ** 2)
        along_u, along_v = (x * xu + y * yu) / radius, (x * xv + y * yv) / radius
        f = 1 / self.period_px
        fade = np.exp(-((2 * np.pi * f) ** 2) / 24 * (along_u * along_u + along_v * along_v))
        return MEAN + self.contrast * fade * np.cos(2 * np.pi * f * radius)


@dataclass(frozen=True, slots=True)
class Layers:
    """One texture with the variations of another, `weight` times, on top."""

    base: SurfaceTexture
    detail: SurfaceTexture
    weight: float
    detail_mean: float

    def average(self, x: Floats, y: Floats, footprint: Footprint, /) -> Floats:
        """Return the average grey level of the sum."""
        detail = self.detail.average(x, y, footprint) - self.detail_mean
        return self.base.average(x, y, footprint) + self.weight * detail


@dataclass(frozen=True, slots=True)
class Shadows:
    """A texture darkened by soft-edged blots, (x, y, radius) each [px]: things stand on it."""

    base: SurfaceTexture
    blots_px: tuple[tuple[float, float, float], ...]
    depth: float

    def average(self, x: Floats, y: Floats, footprint: Footprint, /) -> Floats:
        """Return the average grey level; blots are far larger than a pixel."""
        light = np.ones(np.shape(x))
        for cx, cy, radius in self.blots_px:
            light *= 1 - self.depth * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / radius**2)
        return self.base.average(x, y, footprint) * light


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A flat textured surface in the world.

    Attributes
    ----------
    origin_world : (3,) float
        Its first corner [m].
    axes_world : (2, 3) float
        Perpendicular unit vectors along its sides.
    size_m : (float, float)
        Length of the sides [m].
    texture : SurfaceTexture
        Evaluated in texels from the first corner.
    texels_per_m : float
    brightness : float
        Factor of the texture's grey level.
    start_m : float
        Where along its first axis the texture begins, so that walls of one cover differ [m].
    """

    origin_world: Floats
    axes_world: Floats
    size_m: tuple[float, float]
    texture: SurfaceTexture
    texels_per_m: float
    brightness: float = 1.0
    start_m: float = 0.0

    @property
    def corners_world(self) -> Floats:
        """(4, 3) corners [m]."""
        sides = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * self.size_m
        return np.asarray(self.origin_world + sides @ self.axes_world)


class View:
    """Rectangles as one camera sees them. Everything is a closed formula of the pixel position.

    On a plane, position and inverse depth are linear-fractional in the pixel:
    (s, t, 1) / depth = M (x, y, 1), with M the inverse of P (axis_s, axis_t, origin).
    """

    def __init__(self, rectangles: list[Rectangle], P_img_world: Floats) -> None:
        self.rectangles = rectangles
        self._to_plane, self._box = [], []
        for r in rectangles:
            plane = np.zeros((4, 3))
            plane[:3, :2], plane[:3, 2], plane[3, 2] = r.axes_world.T, r.origin_world, 1
            self._to_plane.append(np.linalg.inv(P_img_world @ plane))
            self._box.append(_bounds(r, P_img_world))

    def inverse_depth(self, number: int, x: Floats, y: Floats) -> Floats:
        """Return 1 / depth [1/m] of one rectangle along each pixel's ray; 0 where it misses."""
        m, (width, height) = self._to_plane[number], self.rectangles[number].size_m
        inverse = m[2, 0] * x + m[2, 1] * y + m[2, 2]
        s = m[0, 0] * x + m[0, 1] * y + m[0, 2]
        t = m[1, 0] * x + m[1, 1] * y + m[1, 2]
        hit = (s >= 0) & (t >= 0) & (s <= width * inverse) & (t <= height * inverse)
        return np.where(hit & (inverse > 0), inverse, 0.0)

    def cast(self, x: Floats, y: Floats) -> tuple[NDArray[np.int64], Floats]:
        """Return which rectangle each position shows (-1: none) and its 1 / depth.

        `x` and `y` are (n,) or (n, k): k positions close together, tested as one.
        """
        owner, nearest = np.full(x.shape, _NONE), np.zeros(x.shape)
        across = tuple(range(1, x.ndim))
        lo = np.stack([x.min(axis=across), y.min(axis=across)])
        hi = np.stack([x.max(axis=across), y.max(axis=across)])
        for number, (box_lo, box_hi) in enumerate(self._box):
            meets = (hi >= box_lo[:, None]).all(axis=0) & (lo <= box_hi[:, None]).all(axis=0)
            if not meets.any():
                continue
            i = slice(None) if meets.all() else np.flatnonzero(meets)
            inverse = self.inverse_depth(number, x[i], y[i])
            before = nearest[i]
            owner[i] = np.where(inverse > before, number, owner[i])
            nearest[i] = np.maximum(inverse, before)
        return owner, nearest

    def shade(self, owner: NDArray[np.int64], x: Floats, y: Floats) -> Floats:
        """Return the grey level of a pixel centred at each position, all of it on its owner."""
        grey = np.zeros(x.shape)
        for number in _present(owner):
            mine = owner == number
            grey[mine] = self._texture(number, x[mine], y[mine])
        return grey

    def render(self, size: tuple[int, int]) -> Floats:
        """Return the (h, w) noise-free picture."""
        owner = over_blocks(size, lambda x, y: self.cast(x, y)[0].astype(np.float64))
        owners = owner.astype(np.int64)
        w, h = size
        grey = over_blocks(
            size, lambda x, y: self.shade(owners[int(y[0]) : int(y[-1]) + 1].ravel(), x, y)
        )
        padded = np.pad(owners, 1, mode="edge")
        edge = np.zeros((h, w), bool)
        for dy in range(3):
            for dx in range(3):
                edge |= padded[dy : dy + h, dx : dx + w] != owners
        y, x = np.nonzero(edge)
        grey[edge] = self._mixed(x.astype(np.float64), y.astype(np.float64))
        return grey

    def _mixed(self, x: Floats, y: Floats) -> Floats:
        """Return the grey level of pixels that several rectangles share, by 4 x 4 coverage."""
        if not len(x):
            return x
        du, dv = _SUBPIXELS
        owners, _ = self.cast(x[:, None] + du, y[:, None] + dv)
        grey = np.zeros(x.shape)
        for number in _present(owners):
            covered = owners == number
            count = covered.sum(axis=1)
            i = np.flatnonzero(count)
            share = count[i]
            at_x, at_y = x[i] + covered[i] @ du / share, y[i] + covered[i] @ dv / share
            grey[i] += share / 16 * self._texture(number, at_x, at_y)
        return grey

    def _texture(self, number: int, x: Floats, y: Floats) -> Floats:
        m, r = self._to_plane[number], self.rectangles[number]
        depth = 1 / (m[2, 0] * x + m[2, 1] * y + m[2, 2])
        s = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) * depth
        t = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) * depth
        k = r.texels_per_m
        depth *= k
        footprint = (
            (m[0, 0] - s * m[2, 0]) * depth, (m[0, 1] - s * m[2, 1]) * depth,
            (m[1, 0] - t * m[2, 0]) * depth, (m[1, 1] - t * m[2, 1]) * depth,
        )  # fmt: skip
        return r.brightness * r.texture.average((s + r.start_m) * k, t * k, footprint)


def _present(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the rectangles that occur, in order."""
    return np.flatnonzero(np.bincount(owner.ravel() + 1)[1:])


def _bounds(rectangle: Rectangle, P_img_world: Floats) -> tuple[Floats, Floats]:
    """Return the least and greatest pixel position of what is in front of the camera."""
    corners = np.column_stack([rectangle.corners_world, np.ones(4)]) @ P_img_world.T
    outline = []
    for start, end in zip(corners[[0, 1, 3, 2]], corners[[1, 3, 2, 0]], strict=True):
        if start[2] > _NEAR_M:
            outline.append(start)
        if (start[2] > _NEAR_M) != (end[2] > _NEAR_M):
            outline.append(start + (end - start) * (_NEAR_M - start[2]) / (end[2] - start[2]))
    if not outline:
        return np.full(2, np.inf), np.full(2, -np.inf)
    xy = np.array([p[:2] / p[2] for p in outline])
    return xy.min(axis=0), xy.max(axis=0)
