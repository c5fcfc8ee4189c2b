"""Balls as a camera sees them: discs that move while the shutter is open, their truth exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.synth._args import (
    image_dtype,
    image_size,
    non_negative,
    positive,
    seed_number,
    whole,
)
from trackcore.synth._formulas import Floats
from trackcore.synth.images import develop

_MARGIN_PX = 2.0
_STEP_PX = 0.05  # of numerical derivatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """One ball in one frame.

    Attributes
    ----------
    xy_px : (x, y)
        Centre at mid-exposure [px].
    radius_px : float
    level : float
        Its grey level where it is lit evenly.
    streak_px : (dx, dy)
        Way of its centre during the exposure [px].
    shade : (gx, gy)
        Change of its grey level per radius, to the right and down: light from one side.
    """

    xy_px: tuple[float, float]
    radius_px: float
    level: float = 200.0
    streak_px: tuple[float, float] = (0.0, 0.0)
    shade: tuple[float, float] = (0.0, 0.0)


def ball_coverage(
    size: tuple[int, int], ball: Ball, *, supersample: int = 16, blur_px: float = 0.0
) -> tuple[Floats, tuple[slice, slice]]:
    """Return how much of each pixel's light comes from a ball, and where.

    Parameters
    ----------
    size : (w, h)
        Of the picture [px].
    ball : Ball
    supersample : int
        Points per pixel and axis. At each the share of the exposure during which the ball covers
        it is exact: the chord of the way inside a disc around the point.
    blur_px : float
        Standard deviation of a Gaussian lens blur [px].

    Returns
    -------
    share : (h', w') float64
        0 .. 1, of the part of the picture that the ball can reach.
    where : (slice, slice)
        That part: rows, columns.
    """
    w, h = image_size(size)
    per_axis = whole("supersample", supersample, 1)
    blur = non_negative("blur_px", blur_px)
    radius = positive("radius_px", ball.radius_px)
    way = np.asarray(ball.streak_px, dtype=np.float64)
    centre = np.asarray(ball.xy_px, dtype=np.float64)
    reach = radius + np.abs(way) / 2 + _MARGIN_PX + 4 * blur
    pad = int(np.ceil(4 * blur))  # blur needs what lies outside the picture as well
    lo = np.maximum(np.floor(centre - reach), -pad).astype(int)
    hi = np.minimum(np.ceil(centre + reach) + 1, np.array([w, h]) + pad).astype(int)
    if (lo >= hi).any():
        return np.zeros((0, 0)), (slice(0, 0), slice(0, 0))
    offsets = (np.arange(per_axis) + 0.5) / per_axis - 0.5
    x = (np.arange(lo[0], hi[0])[:, None] + offsets).ravel() - centre[0]
    y = (np.arange(lo[1], hi[1])[:, None] + offsets).ravel() - centre[1]
    fine = _covered(x[None, :], y[:, None], radius, way)
    share = fine.reshape(hi[1] - lo[1], per_axis, hi[0] - lo[0], per_axis).mean(axis=(1, 3))
    if blur > 0:
        share = _blurred(_blurred(share, blur).T, blur).T
    a, b = np.clip(lo, 0, [w, h]), np.clip(hi, 0, [w, h])
    inside = share[a[1] - lo[1] : b[1] - lo[1], a[0] - lo[0] : b[0] - lo[0]]
    return inside, (slice(a[1], b[1]), slice(a[0], b[0]))


def _covered(x: Floats, y: Floats, radius: float, way: Floats) -> Floats:
    """Return the share of the exposure during which a disc on its way covers a point."""
    length = float(np.hypot(*way))
    if length < 1e-9:
        return (x**2 + y**2 <= radius**2).astype(np.float64)
    along = (x * way[0] + y * way[1]) / length
    across = (y * way[0] - x * way[1]) / length
    chord = np.sqrt(np.maximum(radius**2 - across**2, 0))
    ends = np.clip(along + length / 2, -chord, chord) - np.clip(along - length / 2, -chord, chord)
    return np.asarray(ends / length)


def _blurred(rows: Floats, sigma: float) -> Floats:
    reach = int(np.ceil(4 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    padded = np.pad(rows, ((reach, reach), (0, 0)))
    return np.asarray(sum(t * padded[i : i + len(rows)] for i, t in enumerate(taps)))


def draw_balls(
    background: ArrayLike, balls: list[Ball], *, supersample: int = 16, blur_px: float = 0.0
) -> Floats:
    """Return a picture with balls before it, later ones nearer; noise-free, not rounded.

    Parameters
    ----------
    background : (h, w) float
        Grey levels.
    balls : list of Ball
    supersample, blur_px
        See `ball_coverage`.

    Returns
    -------
    (h, w) float64
    """
    picture = Dims().array("background", background, ("h", "w")).copy()
    h, w = picture.shape
    for ball in balls:
        share, where = ball_coverage((w, h), ball, supersample=supersample, blur_px=blur_px)
        y, x = np.mgrid[where]
        dx, dy = (x - ball.xy_px[0]) / ball.radius_px, (y - ball.xy_px[1]) / ball.radius_px
        level = ball.level + ball.shade[0] * dx + ball.shade[1] * dy
        picture[where] += share * (level - picture[where])
    return np.asarray(picture)


def ball_crlb_px(
    ball: Ball, *, contrast: float, noise: float, supersample: int = 32, blur_px: float = 0.0
) -> Floats:
    """Return the best standard deviation of u and v that any estimator can have [px].

    The Cramer-Rao bound with the ball's shape, level and background known and Gaussian noise of
    this standard deviation in one picture; rounding to integers adds 1/12 to its variance.
    """
    reach = int(np.ceil(ball.radius_px + np.abs(ball.streak_px).max() / 2 + 4 + 4 * blur_px))
    side = 2 * reach + 1
    phase = np.asarray(ball.xy_px) % 1.0

    def share(dx: float, dy: float) -> Floats:
        x, y = reach + phase[0] + dx, reach + phase[1] + dy
        grey = np.zeros((side, side))
        moved = replace(ball, xy_px=(x, y), level=1.0, shade=(0.0, 0.0))
        return draw_balls(grey, [moved], supersample=supersample, blur_px=blur_px)

    h = _STEP_PX
    gx = contrast * (share(h, 0) - share(-h, 0)) / (2 * h)
    gy = contrast * (share(0, h) - share(0, -h)) / (2 * h)
    information = np.array([[(gx * gx).sum(), (gx * gy).sum()], [(gx * gy).sum(), (gy * gy).sum()]])
    covariance = positive("noise", noise) ** 2 * np.linalg.inv(information)
    return np.asarray(np.sqrt(np.diag(covariance)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BallClip:
    """A fixed camera's frames of moving balls, and where the balls are.

    Attributes
    ----------
    background : (h, w) float64
    balls : tuple of tuple of Ball
        By frame.
    xy_px : (n_frames, n_balls, 2) float64
        Centres at mid-exposure [px]; also of balls that have left the picture.
    t_ns : (n_frames,) int64
        Middle of each exposure.
    noise : float
        Standard deviation of Gaussian noise [grey levels].
    seed : int
        Of the noise.
    """

    background: Floats
    balls: tuple[tuple[Ball, ...], ...]
    xy_px: NDArray[np.float64]
    t_ns: NDArray[np.int64]
    noise: float
    seed: int
    supersample: int = 16
    blur_px: float = 0.0

    def __len__(self) -> int:
        return len(self.balls)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Return one frame; the same bytes whenever it is asked for."""
        rng = np.random.default_rng([self.seed, index])
        grey = draw_balls(
            self.background, list(self.balls[index]), supersample=self.supersample,
            blur_px=self.blur_px,
        )  # fmt: skip
        dtype = image_dtype(np.uint8)
        return develop(grey, dtype, noise=self.noise, shot_noise=0.0, rng=rng).astype(np.uint8)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all frames."""
        return (self.frame(i) for i in range(len(self)))


def ball_clip(
    *,
    seed: int = 0,
    n_frames: int = 60,
    size: tuple[int, int] = (320, 240),
    n_balls: int = 1,
    radius_px: float = 5.0,
    contrast: float = 80.0,
    speed_px: float = 4.0,
    exposure: float = 0.0,
    noise: float = 1.0,
    first: int = 4,
    background: ArrayLike | float = 60.0,
    fps: float = 120.0,
    blur_px: float = 0.0,
    supersample: int = 16,
) -> BallClip:
    """Return a clip of balls that fly straight through the picture.

    Parameters
    ----------
    seed : int
        Of directions, sub-pixel phases and noise.
    n_frames, size, n_balls
    radius_px : float
    contrast : float
        Grey level of the balls less 60, or less the median of the background.
    speed_px : float
        Way per frame [px].
    exposure : float
        Share of the frame time during which the shutter is open: streaks are that long.
    noise : float
        Standard deviation [grey levels].
    first : int
        Frames before the balls appear.
    background : (h, w) array or one grey level
    fps : float
    blur_px, supersample
        See `ball_coverage`.
    """
    w, h = image_size(size)
    rng = np.random.default_rng(seed_number(seed))
    n = whole("n_frames", n_frames, 1)
    grey = np.broadcast_to(np.asarray(background, dtype=np.float64), (h, w)).copy()
    if not 0 <= exposure <= 1:
        raise InputError(f"exposure: expected 0 .. 1 of the frame time, got {exposure!r}")
    level = float(np.median(grey)) + contrast
    angle = rng.uniform(0, 2 * np.pi, n_balls)
    step = positive("speed_px", speed_px) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    # they pass the middle of the picture half-way through the clip, each somewhere else
    middle = np.array([w, h]) * rng.uniform(0.3, 0.7, (n_balls, 2))
    at = (np.arange(n) - (first + n) / 2)[:, None, None]
    xy = middle + at * step
    way = exposure * step

    def ball(x: float, y: float, dx: float, dy: float) -> Ball:
        return Ball(xy_px=(x, y), radius_px=radius_px, level=level, streak_px=(dx, dy))

    shown = [
        tuple(
            ball(*map(float, (*p, *d))) for p, d in zip(positions, way, strict=True) if i >= first
        )
        for i, positions in enumerate(xy)
    ]
    return BallClip(
        background=grey, balls=tuple(shown), xy_px=xy,
        t_ns=np.rint(np.arange(n) * 1e9 / fps).astype(np.int64), noise=noise, seed=seed,
        blur_px=blur_px, supersample=supersample,
    )  # fmt: skip
