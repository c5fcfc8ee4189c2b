"""Motions with a known answer: warps of the six models, pairs of pictures, looping clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.options import MotionModel
from trackcore.synth._args import (
    generator,
    image_dtype,
    image_size,
    non_negative,
    positive,
    seed_number,
    whole,
)
from trackcore.synth._formulas import Floats, Texture
from trackcore.synth.images import crlb_px, gradient, inverse_warp, render
from trackcore.synth.textures import TEXTURES


@dataclass(frozen=True, slots=True)
class ImagePair:
    """Two pictures of a moving texture and where points of the first are in the second.

    Attributes
    ----------
    prev, next : (h, w) uint8, uint16 or float32
    xy_px, true_xy_px : (n, 2) float64
        Points in `prev`, at random sub-pixel positions, and the same points in `next` [px].
    warp : (3, 3) float64
        Homography from pixels of `prev` to pixels of `next`.
    texture : Texture
        What the pictures show.
    noise : (float, float)
        Standard deviation of each picture's noise, rounding included, relative to the texture's
        grey levels.
    """

    prev: NDArray[np.generic]
    next: NDArray[np.generic]
    xy_px: Floats
    true_xy_px: Floats
    warp: Floats
    texture: Texture
    noise: tuple[float, float]

    def crlb_px(self, window: int = 21) -> Floats:
        """Return each point's Cramer-Rao bound [px]: see `trackcore.synth.crlb_px`."""
        h, w = self.prev.shape
        grad = gradient(self.texture, (w, h))
        return crlb_px(grad, self.xy_px, noise=self.noise, window=window)


@dataclass(frozen=True, slots=True)
class LoopClip:
    """A clip of a texture that drifts, turns and zooms, and ends exactly where it began.

    Attributes
    ----------
    size : (w, h)
        Of the frames [px].
    warps : (n_frames, 3, 3) float64
        From pixels of frame 0 to pixels of each frame; the first and last are the identity.
    texture, dtype, noise, seed
        As given to `loop_clip`.
    """

    size: tuple[int, int]
    warps: Floats
    texture: Texture
    dtype: np.dtype[np.generic] = field(default=np.dtype(np.uint8))
    noise: float = 0.0
    seed: int = 0
    fps: float = 25.0

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.warps)

    def frame(self, index: int) -> NDArray[np.generic]:
        """Return one frame (h, w); the same bytes whatever was rendered before."""
        i = frame_index(index, len(self))
        return render(
            self.texture, self.size, warp=self.warps[i], dtype=self.dtype, noise=self.noise,
            rng=np.random.default_rng([self.seed, i]),
        )  # fmt: skip

    def frames(self) -> Iterator[NDArray[np.generic]]:
        """Yield all frames in order."""
        return map(self.frame, range(len(self)))

    def track_truth(self, xy_px: ArrayLike, frame: int = 0) -> Floats:
        """Return where points of one frame are in every frame.

        Parameters
        ----------
        xy_px : (n, 2) float
            Points in `frame` [px].
        frame : int

        Returns
        -------
        (n, n_frames, 2) float64
            Positions [px]; NaN where outside the picture.
        """
        back = inverse_warp("warp", self.warps[frame_index(frame, len(self))])
        start = apply_warp(back, xy_px)
        truth = np.stack([apply_warp(warp, start) for warp in self.warps], axis=1)
        return nan_outside(truth, self.size)


def apply_warp(warp: ArrayLike, xy_px: ArrayLike) -> Floats:
    """Return points moved by a homography.

    Parameters
    ----------
    warp : (3, 3) float
        From pixels of the previous picture to pixels of the next.
    xy_px : (n, 2) float
        Points [px]; NaN stays NaN.

    Returns
    -------
    (n, 2) float64
        NaN where a point goes to infinity.
    """
    m = Dims().array("warp", warp, (3, 3))
    points = Dims().array("xy_px", xy_px, ("n_points", 2))
    moved = points @ m[:, :2].T + m[:, 2]
    scale = np.where(moved[:, 2:] * m[2, 2] > 0, moved[:, 2:], np.nan)
    return np.asarray(moved[:, :2] / scale)


def warps(
    model: MotionModel | str,
    rng: np.random.Generator,
    n: int = 1,
    *,
    center_px: tuple[float, float],
    amount: float = 1.0,
    shift_px: float = 8.0,
    rotation_deg: float = 12.0,
    scale: float = 1.15,
    shear: float = 0.1,
    perspective_per_px: float = 3e-4,
) -> Floats:
    """Return random warps of one motion model about a centre.

    Parameters
    ----------
    model : MotionModel or its name
        Decides which of the following vary; the others are neutral.
    rng : numpy.random.Generator
    n : int
        How many.
    center_px : (x, y)
        Point about which the picture turns and scales [px].
    amount : float
        Scales all the following ranges at once.
    shift_px, rotation_deg : float
        Largest shift per axis and largest angle, either sign.
    scale : float
        Largest scale; the smallest is its inverse.
    shear : float
        Largest shear; also the largest relative difference of the axes' scales.
    perspective_per_px : float
        Largest change of scale per px from the centre, per axis.

    Returns
    -------
    (n, 3, 3) float64
        Previous pixels to next pixels.
    """
    kind, draws = _model(model), generator(rng)
    count = whole("n", n, 0)
    positive("scale", scale)
    x, y = Dims().array("center_px", center_px, (2,))

    def draw(limit: float, *, moves: bool) -> Floats:
        size = non_negative("amount", amount) * limit if moves else 0.0
        return draws.uniform(-1, 1, count) * size

    full = kind in (MotionModel.AFFINE, MotionModel.PERSPECTIVE)
    shift = np.stack([draw(shift_px, moves=True), draw(shift_px, moves=True)], axis=1)
    angle = np.deg2rad(draw(rotation_deg, moves=full or "Rot" in kind))
    size = np.exp(draw(np.log(scale), moves=full or "Scale" in kind))
    stretch, slant = np.exp(draw(shear / 2, moves=full)), draw(shear, moves=full)
    tilt = [draw(perspective_per_px, moves=kind is MotionModel.PERSPECTIVE) for _ in range(2)]
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    about_center = np.zeros((count, 3, 3))
    rotation = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    skew = np.array([[stretch, stretch * slant], [0 * slant, 1 / stretch]]).transpose(2, 0, 1)
    about_center[:, :2, :2] = rotation @ skew
    about_center[:, 2] = np.stack([*tilt, np.ones(count)], axis=1)
    to_center = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    back = np.tile(np.eye(3), (count, 1, 1))
    back[:, :2, 2] = shift + np.array([x, y])
    result = back @ about_center @ to_center
    if kind is not MotionModel.PERSPECTIVE:
        result[:, 2] = 0, 0, 1
    return np.asarray(result / result[:, 2:, 2:])


def pair(
    texture_class: str | Texture,
    model: MotionModel | str = MotionModel.LOC,
    seed: int = 0,
    *,
    size: tuple[int, int] = (320, 240),
    n_points: int = 100,
    margin_px: float = 24.0,
    dtype: DTypeLike = np.uint8,
    noise: float = 2.0,
    shot_noise: float = 0.0,
    gain: float = 1.0,
    bias: float = 0.0,
    amount: float = 1.0,
    warp: ArrayLike | None = None,
) -> ImagePair:
    """Return two pictures of a texture with points whose motion is known exactly.

    Parameters
    ----------
    texture_class : str or Texture
        A key of `TEXTURES`, or a texture.
    model : MotionModel or its name
    seed : int
        Of texture, warp, points and noise.
    size : (w, h)
        Of the pictures [px].
    n_points, margin_px : int, float
        How many points, and their least distance from the border in both pictures [px].
    dtype, noise, shot_noise
        Of both pictures, as in `render`.
    gain, bias : float
        Change of brightness from the first picture to the second.
    amount : float
        How far the warp goes, as in `warps` (1: up to 8 px, 12 degrees, 15 %).
    warp : (3, 3) float, optional
        Use this one; `model` and `amount` then do not matter.

    Returns
    -------
    ImagePair
        Points are uniform over the picture, so their sub-pixel phases are too.

    Raises
    ------
    InputError
        Also if the warp leaves too little of the picture in view.
    """
    rng = np.random.default_rng([seed_number(seed), 1])
    texture = _texture(texture_class, seed)
    w, h = image_size(size)
    positive("gain", gain)
    if warp is None:
        center = ((w - 1) / 2, (h - 1) / 2)
        chosen = warps(model, rng, center_px=center, amount=amount)[0]
    else:
        chosen = Dims().array("warp", warp, (3, 3))
    xy, true_xy = _points(rng, chosen, (w, h), whole("n_points", n_points, 0), margin_px)
    before = render(texture, (w, h), dtype=dtype, noise=noise, shot_noise=shot_noise, rng=rng)
    after = render(
        texture, (w, h), warp=chosen, dtype=dtype, noise=noise, shot_noise=shot_noise,
        gain=gain, bias=bias, rng=rng,
    )  # fmt: skip
    step = {"uint8": 1.0, "uint16": 1 / 256}.get(image_dtype(dtype).name, 0.0)
    scale = step or 1.0
    sigmas = [
        float(np.sqrt(noise**2 + shot_noise * image.mean() * scale + step**2 / 12))
        for image in (before, after)
    ]
    return ImagePair(before, after, xy, true_xy, chosen, texture, (sigmas[0], sigmas[1] / gain))


def loop_clip(
    texture: str | Texture = "medium",
    *,
    seed: int = 0,
    n_frames: int = 300,
    size: tuple[int, int] = (320, 240),
    dtype: DTypeLike = np.uint8,
    noise: float = 0.0,
    shift_px: float = 24.0,
    rotation_deg: float = 15.0,
    scale: float = 1.15,
) -> LoopClip:
    """Return a clip whose motion is smooth, drifts, turns and zooms, and closes exactly.

    Parameters
    ----------
    texture : str or Texture
        A key of `TEXTURES`, or a texture. Plane waves render fastest.
    seed : int
        Of texture and noise.
    n_frames : int
        At least 2; the last frame's warp is the identity, as the first's.
    size, dtype, noise
        Of the frames, as in `render`.
    shift_px, rotation_deg, scale : float
        How far the picture gets from where it began.
    """
    w, h = image_size(size)
    n = whole("n_frames", n_frames, 2)
    turn = 2 * np.pi * np.arange(n) / (n - 1)
    x = shift_px * np.sin(turn)
    y = shift_px * (np.cos(2 * turn) - 1) / 2
    angle = np.deg2rad(rotation_deg) * np.sin(2 * turn)
    zoom = positive("scale", scale) ** np.sin(turn)
    cos, sin, zero, one = zoom * np.cos(angle), zoom * np.sin(angle), 0 * turn, 0 * turn + 1
    about_center = np.array([[cos, -sin, x], [sin, cos, y], [zero, zero, one]]).transpose(2, 0, 1)
    center = np.array([[1, 0, (w - 1) / 2], [0, 1, (h - 1) / 2], [0, 0, 1]])
    path = center @ about_center @ inverse_warp("center", center)
    path[:, 2] = 0, 0, 1
    path[[0, -1]] = np.eye(3)  # sin(2 pi) is not quite 0
    return LoopClip(
        (w, h), path, _texture(texture, seed), image_dtype(dtype),
        non_negative("noise", noise), seed_number(seed),
    )  # fmt: skip


def frame_index(index: object, n_frames: int) -> int:
    """Return `index` if it is a frame's array index, 0 .. n_frames - 1."""
    i = whole("frame", index, 0)
    if i >= n_frames:
        raise InputError(f"frame: expected 0 .. {n_frames - 1}, got {i}")
    return i


def nan_outside(xy_px: Floats, size: tuple[int, int]) -> Floats:
    """Return positions with NaN for those off the picture's area."""
    lo, hi = np.array([-0.5, -0.5]), np.array(size) - 0.5
    inside = ((xy_px >= lo) & (xy_px <= hi)).all(axis=-1, keepdims=True)
    return np.where(inside, xy_px, np.nan)


def _points(
    rng: np.random.Generator, warp: Floats, size: tuple[int, int], n: int, margin_px: float
) -> tuple[Floats, Floats]:
    """Return `n` random points that are inside both pictures by a margin, and where they go."""
    lo = np.full(2, non_negative("margin_px", margin_px))
    hi = np.array(size) - 1 - lo
    if (hi <= lo).any():
        raise InputError(f"margin_px = {margin_px}: leaves nothing of a picture of size {size}")
    start = rng.uniform(lo, hi, (max(100 * n, 1000), 2))
    end = apply_warp(warp, start)
    keep = np.flatnonzero(((end >= lo) & (end <= hi)).all(axis=1))[:n]
    if len(keep) < n:
        raise InputError(
            f"warp: expected one that keeps part of the picture (w, h) = {size} in view by"
            f" {margin_px} px, got {warp.tolist()}"
        )
    return start[keep], end[keep]


def _texture(texture: str | Texture, seed: int) -> Texture:
    if callable(texture):
        return texture
    if texture not in TEXTURES:
        raise InputError(f"texture: expected one of {', '.join(TEXTURES)}, got {texture!r}")
    return TEXTURES[texture](seed)


def _model(model: str) -> MotionModel:
    for member in MotionModel:
        if isinstance(model, str) and model.lower() == member.value.lower():
            return member
    raise InputError(f"model: expected one of {', '.join(MotionModel)}, got {model!r}")
