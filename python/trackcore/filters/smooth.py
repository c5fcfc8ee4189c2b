"""Smoothing tracks over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.filters.report import track_flags
from trackcore.normalised import diagonal_px
from trackcore.stats import frame_motion
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]

_MOST_HALF_FRAMES = 7  # at strength 1
_LEAST_COMMON = 30  # fewer tracks would take their own noise for the picture's motion
_MOST_UNSURE_PX = 1.0
_LEAST_SAMPLES = 5  # for a parabola and something to average; fewer stay as they are


def smooth_tracks(
    tracks: Tracks,
    *,
    strength: float = 0.5,
    protected: ArrayLike | None = None,
    keyframed: ArrayLike | None = None,
) -> Tracks:
    """Smooth every track by a local parabola over time.

    Parameters
    ----------
    tracks : Tracks
    strength : float
        0 (nothing happens) .. 1 (over 15 frames).
    protected : (n_tracks,) bool, optional
        The user's own tracks: they stay as they are, bit for bit.
    keyframed : (n_tracks, n_frames) bool, optional
        Samples the user placed: they stay as they are, and hold their neighbours to them.

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        If an argument does not fit.

    Notes
    -----
    Savitzky & Golay's filter (1964) with a triangular weight, over clip frame numbers. A parabola
    follows speed and acceleration, so that motion is neither delayed nor cut short; near the ends
    of a track it is fitted to one side. A gap is never bridged: each run of frames is smoothed by
    itself.

    What the whole picture does is no noise, however rough: where at least 30 tracks tell the
    affine motion from frame to frame (`frame_motion`), it is taken out first and put back after,
    so that a hand-held camera's shake stays in the tracks.
    """
    if not 0 <= strength <= 1:
        raise InputError(f"strength: expected 0 .. 1, got {strength!r}")
    fixed = np.repeat(track_flags("protected", protected, len(tracks))[:, None], tracks.n_frames, 1)
    if keyframed is not None:
        placed = np.asarray(keyframed)
        if placed.dtype.kind != "b" or placed.shape != fixed.shape:
            raise InputError(
                f"keyframed: expected {fixed.shape} booleans, got {placed.dtype} of shape"
                f" {placed.shape}"
            )
        fixed = fixed | placed
    half = round(strength * _MOST_HALF_FRAMES)
    if half < 2 or not tracks.xy_px.size:
        return tracks
    steady, motion = _steadied(tracks)
    change = _local_parabolas(steady, tracks.frame_numbers, half)
    change = np.einsum("fij,nfj->nfi", motion, change)
    fixed |= ~tracks.seen
    return replace(tracks, xy_px=np.where(fixed[..., None], tracks.xy_px, tracks.xy_px + change))


def _steadied(tracks: Tracks) -> tuple[Floats, Floats]:
    """Return the positions with the picture's motion taken out, and how to put vectors back.

    The second is (n_frames, 2, 2): the linear part of the affine motion from the steadied picture
    to each frame.
    """
    motion = frame_motion(tracks)
    # tracks that cover little of the frame do not tell how the rest of it moves
    unsure_px = motion.sigma_scale * diagonal_px(tracks.frame_size) / 2
    known = np.isfinite(motion.affine).all(axis=(1, 2)) & (motion.n_common >= _LEAST_COMMON)
    known &= unsure_px < _MOST_UNSURE_PX
    to_frame = np.empty((tracks.n_frames, 3, 3))
    to_frame[0] = np.eye(3)
    for i, step in enumerate(np.where(known[:, None, None], motion.affine, np.eye(3))):
        to_frame[i + 1] = step @ to_frame[i]
    back = np.linalg.inv(to_frame)
    steady = np.einsum("fij,nfj->nfi", back[:, :2, :2], tracks.xy_px) + back[:, :2, 2]
    return steady, to_frame[:, :2, :2]


def _local_parabolas(xy_px: Floats, frame_numbers: NDArray[np.int64], half: int) -> Floats:
    """Return by how much the parabola through each sample's run, within +-half frames, is off it.

    (n_tracks, n_frames, 2); zero where there are too few samples.
    """
    n_tracks, n_frames = xy_px.shape[:2]
    seen = np.isfinite(xy_px[..., 0])
    values = np.where(seen[..., None], xy_px, 0.0)
    run = np.cumsum(~seen, axis=1)  # the same number: nothing unseen between
    powers = np.zeros((n_tracks, n_frames, 5))  # sums of w t^k
    moments = np.zeros((n_tracks, n_frames, 3, 2))  # sums of w t^k (x, y)
    count = np.zeros((n_tracks, n_frames))
    for step in range(-half, half + 1):
        here = slice(max(0, -step), n_frames - max(0, step))
        there = slice(max(0, step), n_frames - max(0, -step))
        t = (frame_numbers[there] - frame_numbers[here]).astype(np.float64)
        weight = np.clip(1 - np.abs(t) / (half + 1), 0, None)
        w = weight * (seen[:, here] & seen[:, there] & (run[:, here] == run[:, there]))
        count[:, here] += w > 0
        for k in range(5):
            powers[:, here, k] += w * t**k
        offset = values[:, there] - values[:, here]  # small numbers keep their digits
        for k in range(3):
            moments[:, here, k] += (w * t**k)[..., None] * offset
    normal = powers[..., np.arange(3)[:, None] + np.arange(3)]
    enough = seen & (count >= _LEAST_SAMPLES)
    normal[~enough] = np.eye(3)
    change = np.linalg.solve(normal, moments)[..., 0, :]
    return np.asarray(np.where(enough[..., None], change, 0.0))
