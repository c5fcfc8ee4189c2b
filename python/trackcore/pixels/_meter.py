"""Measuring every frame of a clip as it passes by."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._check import image_array, threads_count
from trackcore.errors import InputError
from trackcore.frames import Clip, Frame
from trackcore.pixels import _blocks
from trackcore.pixels._blocks import BlockStats, block_stats, by_region, mean_of_known
from trackcore.pixels._blur import COARSE_LEVEL, blur_px, sharpness
from trackcore.pixels._cuts import changes
from trackcore.pixels._density import Density, density, positions
from trackcore.pixels._noise import noise_at, noise_sigma, working_noise
from trackcore.pyramid import FramePyramid

Floats = NDArray[np.float64]

_FALSE_EDGES = 1e-3  # share of the pixels of a flat, noisy area that would count as edges
_EDGE_SIGMAS = math.sqrt(-2.0 * math.log(_FALSE_EDGES))  # slopes of noise are Rayleigh distributed
_ROWS = 270  # of its smaller copies
_DARK_OF_WHITE = 0.02  # blocks too dark for the ratio of two exposures


@dataclass(frozen=True, slots=True)
class FrameSeries:
    """What a `FrameMeter` saw: arrays by frame, in the order of their numbers. NaN: not measurable.

    Attributes
    ----------
    frame_numbers : (n,) int64
        Clip frame numbers.
    exposure : (n,) float64
        Mean grey level, as a share of white.
    exposure_change : (n,) float64
        Change of brightness since the frame before, as the pixels are coded [stops, log2]: the
        median over blocks of the frame, so that what moves hardly matters. NaN for the first
        frame and across cuts.
    clipped_dark, clipped_bright : (n,) float64
        Share of pixels in the lowest and the highest 64th of the range.
    blur_px : (n,) float64
        Sigma of the Gaussian blur that the frame's edges have, mean of both directions [px].
    blur_xy_px : (n, 2) float64
        The same along x and along y: motion blur is seen in the direction of the motion.
    sharpness : (n,) float64
        The same as a ratio: how strong the finest slopes are beside coarser ones, 1 for perfectly
        sharp edges, more where texture is finer than edges are (`blur_px` is 0 there). Compare
        frames of one clip by it.
    noise_sigma : (n,) float64
        Standard deviation of the noise [grey levels]; an upper bound where all is textured.
    change : (n,) float64
        How little the frame looks like the one before, 0 .. 1 (2 for a negative), with shifts and
        brightness taken out.
    cuts : (k,) int64
        Clip frame numbers of the first frames of new shots.
    region_exposure, region_contrast, region_edges : (n, 9) float64
        By region, as `REGIONS` orders them: mean grey level as a share of white; rms about the
        local mean without the noise, as a share of the largest possible (half of white); share of
        pixels whose slope is above the noise.
    """

    frame_numbers: NDArray[np.int64]
    exposure: Floats
    exposure_change: Floats
    clipped_dark: Floats
    clipped_bright: Floats
    blur_px: Floats
    blur_xy_px: Floats
    sharpness: Floats
    noise_sigma: Floats
    change: Floats
    cuts: NDArray[np.int64]
    region_exposure: Floats
    region_contrast: Floats
    region_edges: Floats

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays by frame as lists, rounded to 5 digits, None where not measurable."""
        return {
            f.name: _listed(getattr(self, f.name))
            for f in fields(self)
            if getattr(self, f.name).ndim == 1
        }


@dataclass(frozen=True, slots=True)
class _Measured:
    """One frame."""

    picture: NDArray[np.float16]  # block means as shares of white
    clipped: tuple[float, float]
    sharpness_xy: tuple[float, float]
    noise_sigma: float
    region_contrast: Floats
    region_edges: Floats


class FrameMeter:
    """Measures exposure, blur, noise, texture and cuts, frame by frame, at little cost.

    Made to be fed by the pass that tracks: `track_clip(clip, on_frame=meter.push)`. Frames may
    come in any order. Keeps about 4 kB a frame, and no frame.

    Parameters
    ----------
    clip : Clip, optional
        What will be pushed: in the frames at 25, 50 and 75 % of it features are counted as well,
        for `pixel_features`, if it says how long it is.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> y, x = np.mgrid[0:90, 0:160]
    >>> picture = 100 + 50 * np.sin(x / 5) * np.cos(y / 4)
    >>> meter = tc.FrameMeter()
    >>> for gain in (1.0, 1.0, 1.4):
    ...     meter.push(np.uint8(picture * gain))
    >>> meter.result().exposure_change.round(1).tolist()
    [nan, 0.0, 0.5]
    """

    def __init__(self, clip: Clip | None = None, *, threads: int = 1) -> None:
        if clip is not None and not isinstance(clip, Clip):
            raise InputError(f"clip: expected a Clip, got {type(clip).__name__}")
        self._threads = threads_count(threads)
        self._counting = frozenset[int]() if clip is None else _frames_to_count(clip)
        self._densities: dict[int, Density] = {}
        self._frames: dict[int, _Measured] = {}
        self._size: tuple[int, int] | None = None
        self._dtype: np.dtype[Any] | None = None

    @property
    def n_frames(self) -> int:
        """Frames pushed so far."""
        return len(self._frames)

    def push(
        self, frame: Frame | NDArray[Any] | FramePyramid, *, number: int | None = None
    ) -> None:
        """Measure a frame.

        Parameters
        ----------
        frame : Frame, image array or FramePyramid
            All of one size and dtype; colour in OpenCV's order.
        number : int, optional
            Its clip frame number. Default: what the `Frame` says, or one more than the largest
            so far, from 1.

        Raises
        ------
        InputError
            If it is no image, its size or dtype differs, or the number was there before.
        """
        if isinstance(frame, Frame):
            number = frame.number if number is None else number
            frame = frame.image
        if number is None:
            number = max(self._frames, default=0) + 1
        if number in self._frames:
            raise InputError(f"number: expected one that is new, got {number} again")
        pyramid = self._pyramid(frame)
        measured = self._frames[int(number)] = self._measured(pyramid)
        if number in self._counting:
            sigma = None if math.isnan(measured.noise_sigma) else measured.noise_sigma
            self._densities[int(number)] = density(pyramid, sigma, self._threads)
        self._size, self._dtype = pyramid.size, pyramid.dtype

    def density(self, number: int) -> Density | None:
        """Return the features counted in a frame, None if they were not."""
        return self._densities.get(number)

    def result(self) -> FrameSeries:
        """Return what was measured so far."""
        numbers = sorted(self._frames)
        frames = [self._frames[number] for number in numbers]
        shape = frames[0].picture.shape if frames else (3, 3)
        pictures = _stacked([f.picture for f in frames], shape)
        region_exposure = _stacked([by_region(p) for p in pictures], (9,))
        change, cuts = changes(np.nan_to_num(pictures))
        sharpness_xy = _stacked([f.sharpness_xy for f in frames], (2,))
        blur_xy = blur_px(sharpness_xy)
        clipped = _stacked([f.clipped for f in frames], (2,))
        return FrameSeries(
            frame_numbers=np.array(numbers, np.int64),
            exposure=mean_of_known(region_exposure),
            exposure_change=_exposure_change(pictures, cuts),
            clipped_dark=clipped[:, 0],
            clipped_bright=clipped[:, 1],
            blur_px=mean_of_known(blur_xy),
            blur_xy_px=blur_xy,
            sharpness=mean_of_known(sharpness_xy),
            noise_sigma=_stacked([f.noise_sigma for f in frames], ()),
            change=change,
            cuts=np.array([numbers[k] for k in cuts], np.int64),
            region_exposure=region_exposure,
            region_contrast=_stacked([f.region_contrast for f in frames], (9,)),
            region_edges=_stacked([f.region_edges for f in frames], (9,)),
        )

    def _pyramid(self, image: NDArray[Any] | FramePyramid) -> FramePyramid:
        if not isinstance(image, FramePyramid):
            array = image_array("frame", image)
            levels = 1 + max(COARSE_LEVEL, _blocks.texture_level((array.shape[1], array.shape[0])))
            image = FramePyramid(array, levels, copy=False, threads=self._threads)
        if self._size is not None and (image.size, image.dtype) != (self._size, self._dtype):
            raise InputError(
                f"frame: expected size {self._size} and dtype {self._dtype} as the first frame"
                f" has, got {image.size} and {image.dtype}"
            )
        return image

    def _measured(self, pyramid: FramePyramid) -> _Measured:
        blocks = _blocks.blocks_of(pyramid.size)
        white = _blocks.white_level(pyramid.dtype)
        whole = pyramid.dtype.kind == "u"
        level = min(_blocks.texture_level(pyramid.size), pyramid.levels - 1)
        levels = self._stats(pyramid, level, _blocks.MOMENTS, blocks, _ROWS)
        groups = _blocks.ROUGH | _blocks.SLOPES | _blocks.HISTOGRAM
        fine = self._stats(pyramid, 0, groups, blocks, _blocks.FINE_ROWS)
        sigma = noise_sigma(fine, levels.mean, white)
        known_sigma = 0.0 if math.isnan(sigma) else sigma
        value_noise, _ = noise_at(level, known_sigma, whole=whole)
        _, slope_noise = working_noise(level, known_sigma, pyramid.dtype)
        edge = _EDGE_SIGMAS * slope_noise
        texture = self._stats(pyramid, level, _blocks.SLOPES, blocks, _ROWS, edge)
        n_pixels = max(int(fine.histogram.sum()), 1)
        variance = by_region(levels.variance) - value_noise**2
        return _Measured(
            picture=(levels.mean / white).astype(np.float16),
            clipped=(int(fine.histogram[0]) / n_pixels, int(fine.histogram[-1]) / n_pixels),
            sharpness_xy=self._sharpness(pyramid, fine, known_sigma),
            noise_sigma=sigma,
            region_contrast=np.sqrt(np.maximum(variance, 0.0)) / (white / 2),
            region_edges=by_region(texture.edges),
        )

    def _stats(
        self,
        pyramid: FramePyramid,
        level: int,
        groups: int,
        blocks: tuple[int, int],
        rows: int,
        edge: float = 0.0,
    ) -> BlockStats:
        """Measure about `rows` rows of a level."""
        height = -(-pyramid.size[1] // 2**level)
        step = max(1, height // rows)
        return block_stats(
            pyramid, level, groups, blocks=blocks, row_step=step, edge=edge, threads=self._threads
        )

    def _sharpness(
        self, pyramid: FramePyramid, fine: BlockStats, sigma: float
    ) -> tuple[float, float]:
        if pyramid.levels <= COARSE_LEVEL:
            return math.nan, math.nan
        coarse = self._stats(pyramid, COARSE_LEVEL, _blocks.SLOPES, (3, 3), _ROWS)
        whole = pyramid.dtype.kind == "u"
        fine_noise, coarse_noise = (
            noise_at(level, sigma, whole=whole)[1] ** 2 for level in (0, COARSE_LEVEL)
        )
        along_x, along_y = (
            sharpness(float(mean_of_known(a.ravel())), float(mean_of_known(b.ravel())),
                      fine_noise, coarse_noise)
            for a, b in ((fine.across, coarse.across), (fine.down, coarse.down))
        )  # fmt: skip
        return along_x, along_y


def _frames_to_count(clip: Clip) -> frozenset[int]:
    """Return the numbers of the frames at 25, 50 and 75 % of a clip, as long as it says it is."""
    n = clip.expected_length or 0
    return frozenset(clip.number_at(i) for at in positions(n).values() for i in at)


def _listed(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "i":
        return list(values.tolist())
    return [round(float(v), 5) if math.isfinite(v) else None for v in values]


def _stacked(values: list[Any], shape: tuple[int, ...]) -> Floats:
    return np.array(values, np.float64).reshape(len(values), *shape)


def _exposure_change(pictures: Floats, cuts: NDArray[np.int64]) -> Floats:
    """Return the median over blocks of log2 of a frame's brightness over that of the last."""
    stops = np.full(len(pictures), np.nan)
    for i in range(1, len(pictures)):
        then, now = pictures[i - 1], pictures[i]
        bright = (then > _DARK_OF_WHITE) & (now > _DARK_OF_WHITE)
        if bright.any() and i not in cuts:
            stops[i] = np.median(np.log2(now[bright] / then[bright]))
    return stops
