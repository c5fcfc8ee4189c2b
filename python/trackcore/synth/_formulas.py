"""Textures as formulas: grey level at any real position, smooth, unbounded, seeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Footprint: TypeAlias = tuple[Floats, Floats, Floats, Floats]
"""How texture coordinates change over one image pixel: dx/du, dx/dv, dy/du, dy/dv."""

MEAN = 127.0
"""Mean grey level of every texture."""

PERIOD = 64
"""Cells after which cell-based textures repeat; a power of two."""


class Texture(Protocol):
    """Grey level at positions (x, y) in px; `x` and `y` are arrays of one shape."""

    def __call__(self, x: Floats, y: Floats, /) -> Floats:
        """Return the grey level at each position."""
        ...


@dataclass(frozen=True, slots=True)
class PlaneWaves:
    """Sum of plane waves: the one texture whose average over a pixel is a closed formula.

    Attributes
    ----------
    cycles_per_px : (n, 2) float
        Wave vectors along x and y [cycles/px].
    phase : (n,) float
        Phase at the origin [cycles].
    amplitude : (n,) float
        Grey levels.
    mean : float
        Grey level the waves are added to.
    """

    cycles_per_px: Floats
    phase: Floats
    amplitude: Floats
    mean: float = MEAN

    def __call__(self, x: Floats, y: Floats, /) -> Floats:
        """Return the grey level at each position, in full precision."""
        grey = np.full(np.shape(x), self.mean)
        for (fx, fy), phase, amplitude in self._waves():
            grey += amplitude * np.cos(2 * np.pi * (fx * x + fy * y + phase))
        return grey

    def average(self, x: Floats, y: Floats, footprint: Footprint) -> Floats:
        """Return the average over a pixel whose corners fall at (x, y) + `footprint` * (+-1/2).

        Exact where the footprint is a parallelogram (any affine map). The phase is reduced in
        double precision; only the last cosine is single (1e-5 grey levels).
        """
        xu, xv, yu, yv = (np.asarray(d, np.float32) for d in footprint)
        grey = np.full(np.shape(x), self.mean)
        for (fx, fy), phase, amplitude in self._waves():
            turns = fx * x + fy * y + phase
            turns -= np.rint(turns)
            wave = np.cos(turns.astype(np.float32) * np.float32(2 * np.pi))
            wave *= _sinc(np.float32(fx) * xu + np.float32(fy) * yu)
            wave *= _sinc(np.float32(fx) * xv + np.float32(fy) * yv)
            grey += amplitude * wave
        return grey

    def grid(self, to_texture: Floats, size: tuple[int, int]) -> Floats:
        """Return the exact pixel averages of a whole picture under an affine map.

        A wave stays a wave under an affine map and separates into x and y, so the picture is
        one matrix product: sum over waves of cos(a u) cos(b v + c) - sin(a u) sin(b v + c).

        Parameters
        ----------
        to_texture : (2, 3) float
            Maps image pixels (u, v, 1) to texture positions.
        size : (w, h)

        Returns
        -------
        (h, w) float64
        """
        w, h = size
        a, b, c = (self.cycles_per_px @ to_texture).T
        weight = self.amplitude * np.sinc(a) * np.sinc(b)
        along_u = 2 * np.pi * np.outer(np.arange(w), a)
        along_v = 2 * np.pi * (np.outer(np.arange(h), b) + c + self.phase)
        left = np.concatenate([np.cos(along_v) * weight, -np.sin(along_v) * weight], axis=1)
        right = np.concatenate([np.cos(along_u), np.sin(along_u)], axis=1)
        # not `@`: a BLAS may add in another order when it has more threads
        product: Floats = np.einsum("vk,uk->vu", left, right, optimize=False)
        return product + self.mean

    def _waves(self) -> zip[tuple[Floats, np.float64, np.float64]]:
        return zip(self.cycles_per_px, self.phase, self.amplitude, strict=True)


def _sinc(cycles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sin(pi c) / (pi c): a wave of c cycles per pixel averaged over the pixel."""
    angle = np.maximum(np.abs(cycles), np.float32(1e-6)) * np.float32(np.pi)
    wave: NDArray[np.float32] = np.sin(angle) / angle
    return wave


@dataclass(frozen=True, slots=True)
class GaborNoise:
    """Random wave packets, one or more per cell: busy, without long-range repetition.

    Attributes
    ----------
    cell_px : float
        Side of a cell, and radius of a packet [px].
    center, cycles_per_px : (PERIOD, PERIOD, k, 2) float
        Packet centres within their cell (0 .. 1) and wave vectors [cycles/px].
    phase : (PERIOD, PERIOD, k) float
        Phase at the packet's centre [cycles].
    amplitude : float
        Grey levels at a packet's centre.
    """

    cell_px: float
    center: Floats
    cycles_per_px: Floats
    phase: Floats
    amplitude: float

    def __call__(self, x: Floats, y: Floats, /) -> Floats:
        """Return the grey level at each position."""
        u, v = x / self.cell_px, y / self.cell_px
        column, row = np.floor(u), np.floor(v)
        # from here on in cells relative to the own one, where single precision is plenty
        u, v = (u - column).astype(np.float32), (v - row).astype(np.float32)
        packets = np.concatenate(
            [self.center, self.cycles_per_px * self.cell_px, self.phase[..., None]], axis=-1
        ).astype(np.float32)
        packets = np.ascontiguousarray(packets.reshape(PERIOD**2, -1).T)
        grey = np.zeros(np.shape(x), np.float32)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                index = _index(row + dy) * PERIOD + _index(column + dx)
                du, dv = u - np.float32(dx), v - np.float32(dy)
                for k in range(0, len(packets), 5):
                    center_u, center_v, fu, fv, phase = (
                        table[index] for table in packets[k : k + 5]
                    )
                    center_u, center_v = du - center_u, dv - center_v
                    turns = fu * center_u + fv * center_v + phase
                    # zero with two derivatives at the radius: no jump where a packet ends
                    inside = np.maximum(1 - center_u * center_u - center_v * center_v, 0)
                    grey += inside * inside * inside * np.cos(turns * np.float32(2 * np.pi))
        return MEAN + self.amplitude * grey.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Cells of constant grey with soft straight edges: corners, bricks, planks, tiles, stripes.

    Attributes
    ----------
    cell_px : (2,) float
        Mean width and height of a cell [px].
    angle_rad : float
        Direction of the rows.
    grey : (PERIOD, PERIOD) float
        Grey level by row and column.
    jitter : (2, PERIOD) float
        How far each column line and row line is moved, in cells; at most 0.3.
    row_shift : (PERIOD,) float
        How far each row is moved along itself, in cells.
    edge_px : float
        Width of the smooth step between two cells [px].
    line_px, line_grey : float
        Width and grey level of the joints between cells; none where the width is 0.
    """

    cell_px: tuple[float, float]
    angle_rad: float
    grey: Floats
    jitter: Floats
    row_shift: Floats
    edge_px: float = 1.5
    line_px: float = 0.0
    line_grey: float = 40.0

    def __call__(self, x: Floats, y: Floats, /) -> Floats:
        """Return the grey level at each position."""
        zero = np.zeros(1)
        return self.average(x, y, (zero, zero, zero, zero))

    def average(self, x: Floats, y: Floats, footprint: Footprint, splits: int = 3) -> Floats:
        """Return the average over a pixel, each edge widened by the pixel's extent across it.

        The step's variance is that of the true average; its shape is approximate but symmetric,
        so edges stay where they are. Where the pixel covers too much of a cell for that, it is
        split into 2 x 2, at most `splits` times.
        """
        cos, sin = np.cos(self.angle_rad), np.sin(self.angle_rad)
        xu, xv, yu, yv = footprint
        across_u = (cos * xu + sin * yu) ** 2 + (cos * xv + sin * yv) ** 2
        across_v = (cos * yu - sin * xu) ** 2 + (cos * yv - sin * xv) ** 2
        u, v = (cos * x + sin * y) / self.cell_px[0], (cos * y - sin * x) / self.cell_px[1]
        width_u, width_v = self._width(0, across_u), self._width(1, across_v)
        row, from_line = self._nearest(1, v)
        above = self._row(row - 1, u, width_u)
        below = self._row(row, u, width_u)
        grey = above + (below - above) * _step(from_line, width_v)
        grey = self._joint(grey, from_line, width_v, self.line_px / self.cell_px[1])
        large = np.maximum(across_u / self.cell_px[0] ** 2, across_v / self.cell_px[1] ** 2) > 0.096
        if splits and large.any():
            half = tuple(d[large] / 2 for d in footprint)
            parts = [
                self.average(
                    x[large] + i * half[0] + j * half[1],
                    y[large] + i * half[2] + j * half[3],
                    half,
                    splits - 1,
                )
                for i in (-0.5, 0.5)
                for j in (-0.5, 0.5)
            ]
            grey[large] = np.mean(parts, axis=0)
        return grey

    def _row(self, row: Floats, u: Floats, width: Floats) -> Floats:
        index = _index(row)
        column, from_line = self._nearest(0, u + self.row_shift[index])
        left = self.grey[index, _index(column - 1)]
        right = self.grey[index, _index(column)]
        grey = left + (right - left) * _step(from_line, width)
        return self._joint(grey, from_line, width, self.line_px / self.cell_px[0])

    def _nearest(self, axis: int, position: Floats) -> tuple[Floats, Floats]:
        """Return the nearest line's number and the signed distance from it, in cells."""
        line = np.rint(position)
        return line, position - line - self.jitter[axis, _index(line)]

    def _width(self, axis: int, squared_extent: Floats) -> Floats:
        # variance: a smooth step of width W has W^2 / 20, a box of length L has L^2 / 12
        width = np.sqrt(self.edge_px**2 + (20 / 12) * squared_extent)
        # wider than this, a step would reach the next line
        return np.minimum(width / self.cell_px[axis], 0.4)

    def _joint(self, grey: Floats, from_line: Floats, width: Floats, line: float) -> Floats:
        if line == 0:
            return grey
        cover = _step(from_line + line / 2, width) - _step(from_line - line / 2, width)
        return grey + (self.line_grey - grey) * cover


def _index(cell: Floats) -> NDArray[np.int64]:
    """Return the table index of a cell number."""
    return cell.astype(np.int64) & (PERIOD - 1)


def _step(distance: Floats, width: Floats) -> Floats:
    """Return a smooth step from 0 to 1, `width` wide, centred on distance 0."""
    t = np.clip(distance / width + 0.5, 0, 1)
    return t * t * (3 - 2 * t)
