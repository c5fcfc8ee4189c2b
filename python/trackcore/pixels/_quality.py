"""How well the pixels under each track fix its position."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._check import threads_count
from trackcore.errors import InputError
from trackcore.frames import Clip, open_clip, prefetch
from trackcore.options import TrackOptions
from trackcore.pixels._noise import working_noise
from trackcore.pixels._texture import frame_noise, predicted_sigma_px
from trackcore.pyramid import FramePyramid
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]

_HALF_SCORE_PX = 0.1  # a position known so well is worth half


@dataclass(frozen=True, slots=True)
class TrackQuality:
    """What `track_quality` measured, by track. NaN where the pixels were not seen.

    Attributes
    ----------
    ids : (n,) int64
        Of the tracks.
    feature_quality_score : (n,) float64
        0 .. 1: 1 / (1 + (sigma_px / 0.1 px)^2), so 0.5 where a position can be known to 0.1 px.
    min_eigenvalue : (n,) float64
        Smaller eigenvalue of the mean structure tensor of the track's patch in its first frame,
        without the noise's part [(grey level / px)^2].
    sigma_px : (n,) float64
        Best precision that such a patch allows, along its worse direction [px].
    """

    ids: NDArray[np.int64]
    feature_quality_score: Floats
    min_eigenvalue: Floats
    sigma_px: Floats


def track_quality(
    tracks: Tracks,
    source: str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip,
    *,
    window: int = TrackOptions().window,
    threads: int = 0,
) -> TrackQuality:
    """Measure how well the pixels of each track's first frame fix its position.

    Parameters
    ----------
    tracks : Tracks
        Tracks of this clip.
    source : path, array, sequence of arrays or Clip
        The clip they were tracked in.
    window : int
        Side of the patch [px].
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    TrackQuality
        NaN for tracks without a position, or whose first frame is not in the clip.

    Raises
    ------
    InputError
        If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.

    Notes
    -----
    Structure tensor from central differences, its noise of sigma^2 / 2 per direction taken out;
    Cramer-Rao bound for a match of two such patches (Robinson & Milanfar 2004), with the noise
    measured in that frame (Immerkaer 1996), of 8-bit pictures no less than one grey level. Reads
    the clip up to the last frame in which a track begins.
    """
    if not isinstance(tracks, Tracks):
        raise InputError(f"tracks: expected Tracks, got {type(tracks).__name__}")
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < 3:
        raise InputError(f"window: expected an integer >= 3 [px], got {window!r}")
    workers = threads_count(threads)
    clip = source if isinstance(source, Clip) else open_clip(source)
    if clip.size != tracks.frame_size:
        raise InputError(f"source: expected frames of {tracks.frame_size} px, got {clip.size}")
    meter = QualityMeter(int(window), threads=workers)
    born: dict[int, NDArray[np.int64]] = {}
    for index in np.unique(tracks.first_index[tracks.first_index >= 0]):
        born[int(tracks.frame_numbers[index])] = np.flatnonzero(tracks.first_index == index)
    with closing(prefetch(clip)) as frames:
        for frame in frames:
            if not born:
                break
            rows = born.pop(frame.number, None)
            if rows is None:
                continue
            xy = tracks.xy_px[rows, tracks.first_index[rows]]
            meter.push(frame.image, rows, xy)
    return meter.result(tracks.ids)


class QualityMeter:
    """The same, fed by the pass that tracks: each frame with the tracks that begin in it.

    Parameters
    ----------
    window : int
        Side of the patch [px].
    threads : int
        Worker threads; 0 means all. The result does not depend on it.
    """

    def __init__(self, window: int = TrackOptions().window, *, threads: int = 1) -> None:
        self._window, self._threads = window, threads_count(threads)
        self._rows: list[NDArray[np.int64]] = []
        self._eigenvalue: list[Floats] = []
        self._sigma: list[Floats] = []

    def push(
        self,
        image: NDArray[Any],
        rows: NDArray[np.int64],
        xy_px: Floats,
        *,
        pyramid: FramePyramid | None = None,
    ) -> None:
        """Measure the tracks (by index) that begin in a frame, at these positions [px].

        `pyramid`: of this frame, if there is one already.
        """
        if not len(rows):
            return
        if pyramid is None:
            pyramid = FramePyramid(image, 1, copy=False, threads=self._threads)
        found = _measured(image, pyramid, xy_px, self._window, self._threads)
        self._rows.append(np.array(rows, np.int64))
        self._eigenvalue.append(found[0])
        self._sigma.append(found[1])

    def result(self, ids: NDArray[np.int64]) -> TrackQuality:
        """Return what was measured of these tracks, by index; NaN where nothing was."""
        eigenvalue, sigma = np.full((2, len(ids)), np.nan)
        for rows, e, s in zip(self._rows, self._eigenvalue, self._sigma, strict=True):
            eigenvalue[rows], sigma[rows] = e, s
        score = 1.0 / (1.0 + (sigma / _HALF_SCORE_PX) ** 2)
        return TrackQuality(ids, score, eigenvalue, sigma)

    def state(self) -> list[list[Any]]:
        """Return what was measured so far, as plain lists."""
        parts = zip(self._rows, self._eigenvalue, self._sigma, strict=True)
        return [[r.tolist(), e.tolist(), s.tolist()] for r, e, s in parts]

    def resume(self, state: list[list[Any]]) -> None:
        """Take up what `state` said."""
        self._rows = [np.array(part[0], np.int64) for part in state]
        self._eigenvalue = [np.array(part[1], np.float64) for part in state]
        self._sigma = [np.array(part[2], np.float64) for part in state]


def _measured(
    image: NDArray[Any], pyramid: FramePyramid, xy_px: Floats, window: int, threads: int
) -> tuple[Floats, Floats]:
    noise, _ = working_noise(0, frame_noise(pyramid, threads), pyramid.dtype)
    dx, dy, inside = _slopes(image, xy_px, window)
    count = np.maximum(inside.sum(axis=(1, 2)), 1)
    xx, xy, yy = (
        np.where(inside, p * q, 0.0).sum(axis=(1, 2)) / count
        for p, q in ((dx, dx), (dx, dy), (dy, dy))
    )
    smaller = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    eigenvalue = np.maximum(smaller - noise**2 / 2, 0.0)
    eigenvalue[~inside.any(axis=(1, 2))] = np.nan
    sigma = predicted_sigma_px(eigenvalue, noise, 1) / np.sqrt(count)
    return eigenvalue, np.where(np.isnan(eigenvalue), np.nan, sigma)


def _slopes(
    image: NDArray[Any], xy_px: Floats, window: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return (n, window, window) slopes around the nearest pixels, and which exist."""
    height, width = image.shape[:2]
    offsets = np.arange(window) - (window - 1) // 2
    at = np.floor(np.nan_to_num(xy_px, nan=-1e9) + 0.5).astype(np.int64)
    x, y = at[:, 0, None, None] + offsets, at[:, 1, None, None] + offsets[:, None]
    inside = (x >= 1) & (x < width - 1) & (y >= 1) & (y < height - 1)
    x, y = np.broadcast_arrays(np.clip(x, 1, max(width - 2, 1)), np.clip(y, 1, max(height - 2, 1)))
    if min(width, height) < 3:
        return np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape, np.bool_)
    right, left, below, above = (
        image[v, u].astype(np.float64) for v, u in ((y, x + 1), (y, x - 1), (y + 1, x), (y - 1, x))
    )
    return (right - left) / 2, (below - above) / 2, inside
