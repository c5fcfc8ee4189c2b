"""Tracks made wrong on purpose: what a solver must survive, and a grade must notice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trackcore import Tracks
from trackcore.types import PointStatus

F64 = NDArray[np.float64]
FAULTS = ("slide", "jump", "swap")
LEAST_FRAMES = 8  # a track shorter than this is left alone


def corrupt(tracks: Tracks, share: float, seed: int) -> Tracks:
    """Make a share of the tracks wrong, the same ones for the same seed; see `corrupted`.

    From a frame in the middle half of its life on, a track slides away evenly, by 4 to 30 px in
    all; or jumps by 4 to 40 px; or goes on as the nearest sound track does. What the
    tracker said of itself (`status`, `ncc`) stays, so that nothing but geometry tells.
    """
    xy_px = tracks.xy_px.copy()
    chosen = corrupted(tracks, share, seed)
    rng = np.random.default_rng([seed, 1])
    scale = tracks.frame_size[0] / 1280  # the faults above are those of a 720p frame
    centre = np.array(tracks.frame_size) / 2
    for k, i in enumerate(chosen):
        frames = np.flatnonzero(np.isfinite(tracks.xy_px[i, :, 0]))
        begin = int(rng.integers(len(frames) // 4, 3 * len(frames) // 4))
        after = frames[begin:]
        angle = rng.uniform(0, 2 * np.pi)
        away = np.array([np.cos(angle), np.sin(angle)])
        away *= np.sign(away @ (centre - xy_px[i, after[0]])) or 1.0  # not out of the frame
        fault = FAULTS[k % len(FAULTS)]
        if fault == "slide":
            grow = np.arange(1, len(after) + 1)[:, None] / len(after)
            xy_px[i, after] += scale * rng.uniform(4, 30) * grow * away
        elif fault == "jump":
            xy_px[i, after] += scale * rng.uniform(4, 40) * away
        else:
            xy_px[i, after] = _as_another(tracks.xy_px, i, chosen, after, rng)
    w, h = tracks.frame_size
    outside = (xy_px < 0).any(-1) | (xy_px[..., 0] > w - 1) | (xy_px[..., 1] > h - 1)
    return _with_positions(tracks, np.where(outside[..., None], np.nan, xy_px))


def corrupted(tracks: Tracks, share: float, seed: int) -> NDArray[np.intp]:
    """Indices of the tracks that `corrupt` makes wrong: a share of those long enough."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 .. 1, got {share}")
    long = np.flatnonzero(np.isfinite(tracks.xy_px[..., 0]).sum(1) >= LEAST_FRAMES)
    order = np.random.default_rng([seed, 0]).permutation(long)
    return order[: round(share * len(long))]


def keep(tracks: Tracks, n: int) -> Tracks:
    """The `n` tracks seen in most frames."""
    seen = np.isfinite(tracks.xy_px[..., 0]).sum(1)
    best = np.sort(np.argsort(-seen, kind="stable")[:n])
    return replace(
        tracks, ids=tracks.ids[best], xy_px=tracks.xy_px[best], status=tracks.status[best],
        ncc=tracks.ncc[best],
    )  # fmt: skip


def _as_another(
    xy_px: F64, i: int, chosen: NDArray[np.intp], frames: NDArray[np.intp], rng: np.random.Generator
) -> F64:
    """Positions of the nearest other track that lives as long; a jump where there is none."""
    alive = np.isfinite(xy_px[:, frames]).all(axis=(1, 2))
    alive[chosen] = False
    if not alive.any():
        return xy_px[i, frames] + rng.choice((-12.0, 12.0), 2)
    others = np.flatnonzero(alive)
    gap = np.linalg.norm(xy_px[others, frames[0]] - xy_px[i, frames[0]], axis=1)
    return xy_px[others[np.argmin(gap)], frames]


def _with_positions(tracks: Tracks, xy_px: F64) -> Tracks:
    """Put other positions in place; a position that is gone is out of the frame."""
    gone = np.isnan(xy_px[..., 0]) & np.isfinite(tracks.xy_px[..., 0])
    status, ncc = tracks.status.copy(), tracks.ncc.copy()
    status[gone], ncc[gone] = PointStatus.OUT_OF_FRAME, np.nan
    return replace(tracks, xy_px=xy_px, status=status, ncc=ncc)
