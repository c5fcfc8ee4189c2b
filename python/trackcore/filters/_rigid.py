"""Tracks that move unlike the rigid scene, judged over spans of several lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.filters._epipolar import Floats, draw, homogeneous
from trackcore.filters._projective import LEAST_POINTS, RigidFit, fit_rigid, judge
from trackcore.filters.report import Evidence
from trackcore.normalised import diagonal_px
from trackcore.options import FilterOptions
from trackcore.tracks import Tracks

_SPANS = (16, 48, 144)  # array frames: short-lived tracks, and slow slips
_VIEWS = 5
_REFERENCE = _VIEWS // 2
_GROUP_SAMPLES = 100
_CELLS = 8  # along the frame's diagonal
LEAST_GROUP = 6
"""Twice the three points that determine an affine motion: below, agreement proves nothing."""


@dataclass(frozen=True, slots=True)
class _Span:
    frames: NDArray[np.int64]  # (n_views,) array indices, the reference in the middle
    tracks: NDArray[np.int64]  # (n,) those judged
    residual_px: Floats  # (n,)
    limit_px: float
    worst_index: NDArray[np.int64]  # (n,) array index


def rigid(
    tracks: Tracks, options: FilterOptions, usable: NDArray[np.bool_]
) -> tuple[Evidence, Evidence]:
    """Judge tracks, `usable` (n_tracks, n_frames) samples only: not rigid, moving objects."""
    spans = [
        span
        for i, frames in enumerate(span_frames(tracks.n_frames))
        if (span := _judge(tracks, options, usable, frames, [options.seed, i])) is not None
    ]
    n = len(tracks)
    judged, outside = np.zeros(n, np.int64), np.zeros(n, np.int64)
    value, limit, frame = np.full(n, np.nan), np.full(n, options.rigid_px), np.zeros(n, np.int64)
    worst_ratio = np.full(n, -1.0)
    for span in spans:
        judged[span.tracks] += 1
        outside[span.tracks] += span.residual_px > span.limit_px
        ratio = span.residual_px / max(span.limit_px, 1e-9)
        worse = ratio > worst_ratio[span.tracks]
        i = span.tracks[worse]
        worst_ratio[i], value[i] = ratio[worse], span.residual_px[worse]
        limit[i] = span.limit_px
        frame[i] = tracks.frame_numbers[span.worst_index[worse]]
    flagged = (outside >= np.minimum(2, judged)) & (outside > 0)
    flagged &= outside >= options.rigid_share * judged
    moving = flagged & _moves_with_others(tracks, usable, spans, flagged, options)
    return (
        Evidence(flagged & ~moving, value, limit, frame),
        Evidence(moving, value, limit, frame),
    )


def span_frames(n_frames: int) -> list[NDArray[np.int64]]:
    """Return the array indices of the views of every span that is judged."""
    lengths = [s for s in _SPANS if s < n_frames]
    if n_frames - 1 > 1.25 * max(lengths, default=0) and n_frames - 1 < 2 * _SPANS[-1]:
        lengths.append(n_frames - 1)
    found = []
    for length in lengths:
        starts = np.arange(0, n_frames - length, max(length // 2, 1))
        starts = np.unique(np.append(starts, n_frames - 1 - length))
        found += [np.unique(np.rint(np.linspace(s, s + length, _VIEWS))) for s in starts]
    return [frames.astype(np.int64) for frames in found if len(frames) == _VIEWS]


def _judge(
    tracks: Tracks, options: FilterOptions, usable: NDArray[np.bool_],
    frames: NDArray[np.int64], seed: list[int],
) -> _Span | None:  # fmt: skip
    who, xy = _positions(tracks, usable, frames)
    half_px = diagonal_px(tracks.frame_size) / 2
    centre = (np.array(tracks.frame_size) - 1) / 2
    xy = (xy - centre) / half_px
    others = np.delete(np.arange(_VIEWS), _REFERENCE)
    fit = _background(
        xy[:, _REFERENCE], np.moveaxis(xy[:, others], 1, 0),
        max(options.rigid_px, 0.05) / half_px, seed, flat=options.tripod,
    )  # fmt: skip
    if fit is None:
        return None
    limit_px = max(options.rigid_px, options.rigid_sigma * fit.scale * half_px)
    known = np.isfinite(fit.residual)
    return _Span(
        frames, who[known], fit.residual[known] * half_px, limit_px,
        frames[others][fit.worst_view[known]],
    )  # fmt: skip


def _background(
    reference: Floats, views: Floats, limit: float, seed: list[int], *, flat: bool
) -> RigidFit | None:
    """Fit the motion of the scene: of all that agrees, what covers the most of the frame.

    A large object whose points all move alike can have more tracks, but not more of the frame,
    than the scene behind it. So what does not agree with the first fit is fitted by itself.
    """
    first = fit_rigid(reference, views, limit, np.random.default_rng(seed), flat=flat)
    if first is None:
        return None
    apart = first.residual > max(limit, 3 * first.scale)
    if apart.sum() < LEAST_POINTS:
        return first
    rng = np.random.default_rng([*seed, 1])
    other = fit_rigid(reference[apart], views[:, apart], limit, rng, flat=flat)
    if other is None:
        return first
    other = judge(other.P, reference, views, flat=flat)
    return max(first, other, key=lambda fit: _cells_covered(reference, fit, limit))


def _cells_covered(reference: Floats, fit: RigidFit, limit: float) -> int:
    """Return how many cells of the frame hold a point that agrees with a fit."""
    inside = fit.residual <= max(limit, 3 * fit.scale)
    cells = np.floor(reference[inside] * (_CELLS / 2)).astype(np.int64)
    return len(np.unique(cells, axis=0))


def _positions(
    tracks: Tracks, usable: NDArray[np.bool_], frames: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats]:
    """Return the tracks seen in the reference and two other views, and where (n, views, 2)."""
    seen = usable[:, frames]
    who = np.flatnonzero(seen[:, _REFERENCE] & (seen.sum(axis=1) >= 3))
    xy = np.where(seen[who, :, None], tracks.xy_px[who][:, frames], np.nan)
    return who, xy


def _moves_with_others(
    tracks: Tracks, usable: NDArray[np.bool_], spans: list[_Span],
    flagged: NDArray[np.bool_], options: FilterOptions,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return the flagged tracks that share an affine motion with others in most spans."""
    together, apart = np.zeros(len(tracks), np.int64), np.zeros(len(tracks), np.int64)
    if flagged.sum() < LEAST_GROUP:
        return np.zeros(len(tracks), bool)
    for i, span in enumerate(spans):
        outside = span.tracks[(span.residual_px > span.limit_px) & flagged[span.tracks]]
        who, xy = _positions(tracks, usable, span.frames)
        member = np.isin(who, outside) & np.isfinite(xy[..., 0]).all(axis=1)
        who, xy = who[member], xy[member]
        rng = np.random.default_rng([options.seed, 1, i])
        free = np.ones(len(who), bool)
        while free.sum() >= LEAST_GROUP:
            group = _affine_group(xy[free], 2 * span.limit_px, rng)
            if group.sum() < LEAST_GROUP:
                break
            members = np.flatnonzero(free)[group]
            together[who[members]] += 1
            free[members] = False
        apart[who[free]] += 1
    return np.asarray(together > apart)


def _affine_group(xy: Floats, limit_px: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the largest set of tracks (n, views, 2) whose views are affine to the reference."""
    x = homogeneous(xy[:, _REFERENCE])
    targets = xy.reshape(len(xy), -1)
    sample = draw(len(xy), 3, _GROUP_SAMPLES, rng) if len(xy) > 3 else np.zeros((0, 3), np.int64)
    flat = np.abs(np.linalg.det(x[sample])) < 25.0  # px^2: three points in a line
    sample = sample[~flat]
    best = np.zeros(len(xy), bool)
    if not len(sample):
        return best
    maps = np.linalg.solve(x[sample], targets[sample])
    error = np.sqrt(((x @ maps - targets) ** 2).mean(axis=-1) * 2)
    inside = error < limit_px
    best = np.asarray(inside[inside.sum(axis=1).argmax()])
    for _ in range(2):
        if best.sum() < LEAST_GROUP:
            break
        fitted = np.linalg.lstsq(x[best], targets[best], rcond=None)[0]
        best = np.asarray(np.sqrt(((x @ fitted - targets) ** 2).mean(axis=-1) * 2) < limit_px)
    return best


__all__ = ["LEAST_GROUP", "LEAST_POINTS", "rigid", "span_frames"]
