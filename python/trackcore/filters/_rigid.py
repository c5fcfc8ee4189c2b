"""Tracks that move unlike the rigid scene, judged over spans of several lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.filters._epipolar import Floats, draw, homogeneous
from trackcore.filters._projective import LEAST_POINTS, adapted, fit_rigid, frame_weight
from trackcore.filters.report import Evidence
from trackcore.normalised import diagonal_px
from trackcore.options import FilterOptions
from trackcore.tracks import Tracks

_SPANS = (8, 16, 48, 144)  # array frames: short-lived tracks .. slow slips
_VIEWS = 5
_REFERENCE = _VIEWS // 2
_STARTS = 5  # hypotheses followed on the spans that decide first
_GROUP_SAMPLES = 100
_LENSES = np.arange(-9, 5) * 0.05  # strong barrel .. pincushion
_NO_LENS = 9
_LENS_ANCHORS = (3, 6, 9, 12)  # fitted from nothing; those between, from their neighbours
_LENS_REACH = 3
_LENS_SPANS = 2
_LENS_MISFIT = 0.05  # share of the frame that must not fit before a lens is looked for
_LENS_HINT = 0.97  # what one number must leave of the misfit before a second is looked for
_LENS_GAIN = 0.6  # a lens is believed that leaves at most this share of the misfit
Lens = tuple[float, float]
NO_LENS: Lens = (0.0, 0.0)
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
    """Judge tracks, `usable` (n_tracks, n_frames) samples only: not rigid, moving objects.

    Long spans come first and decide: over time the background agrees with itself, while an object
    and one wall may pass for a rigid scene for a moment. What failed there no longer takes part in
    the fits of shorter spans, which decide about tracks that live no longer.
    """
    n = len(tracks)
    lens = radial_distortion(tracks, options, usable)
    flagged, decided = np.zeros(n, bool), np.zeros(n, bool)
    value, limit, frame = np.full(n, np.nan), np.full(n, options.rigid_px), np.zeros(n, np.int64)
    spans: list[_Span] = []
    for length in span_lengths(tracks.n_frames):
        starts = 1 if decided.any() else _STARTS
        judged, outside, worst = np.zeros(n, int), np.zeros(n, int), np.full(n, -1.0)
        for frames in span_frames(tracks.n_frames, length):
            if decided[_positions(tracks, usable, frames)[0]].all():
                continue
            span = _judge(tracks, options, usable, frames, flagged, lens, starts)
            if span is None:
                continue
            spans.append(span)
            judged[span.tracks] += 1
            outside[span.tracks] += span.residual_px > span.limit_px
            ratio = span.residual_px / max(span.limit_px, 1e-9)
            worse = (ratio > worst[span.tracks]) & ~decided[span.tracks]
            i = span.tracks[worse]
            worst[i], value[i], limit[i] = ratio[worse], span.residual_px[worse], span.limit_px
            frame[i] = tracks.frame_numbers[span.worst_index[worse]]
        bad = (outside > 0) & (outside >= options.rigid_share * judged)
        flagged |= bad & ~decided
        decided |= judged > 0
    moving = flagged & _moves_with_others(tracks, usable, spans, flagged, options)
    return (
        Evidence(flagged & ~moving, value, limit, frame),
        Evidence(moving, value, limit, frame),
    )


def span_lengths(n_frames: int) -> list[int]:
    """Return the lengths of the spans that are judged, the longest first."""
    longest = min(n_frames - 1, _SPANS[-1])
    return [longest, *(s for s in reversed(_SPANS[:-1]) if s <= 0.8 * longest)]


def span_frames(n_frames: int, length: int) -> list[NDArray[np.int64]]:
    """Return the array indices of the views of every span of this length."""
    starts = np.arange(0, n_frames - length, max(length // 2, 1))
    starts = np.unique(np.append(starts, n_frames - 1 - length))
    found = [np.unique(np.rint(np.linspace(s, s + length, _VIEWS))) for s in starts]
    return [frames.astype(np.int64) for frames in found if len(frames) == _VIEWS]


def radial_distortion(tracks: Tracks, options: FilterOptions, usable: NDArray[np.bool_]) -> Lens:
    """Return the lens distortion with which the longest spans fit best; none unless it helps much.

    The division model of Fitzgibbon (CVPR 2001) about the frame's centre, with the distance from
    it in half diagonals: x / (1 + a r^2 + b r^4). The second number is looked for only where the
    first leaves a misfit: lenses that bend as a polynomial of the ideal radius need it.
    """
    spans = span_frames(tracks.n_frames, span_lengths(tracks.n_frames)[0])
    spans = spans[:: max(1, len(spans) // _LENS_SPANS)][:_LENS_SPANS]
    limit, flat = _allowed(tracks, options), options.tripod
    costs, cells, views = np.zeros(len(_LENSES)), 0.0, []
    for frames in spans:
        _, xy = _positions(tracks, usable, frames)
        xy = _normalised(tracks, xy[np.isfinite(xy[..., 0]).all(axis=1)])
        if len(xy) < LEAST_POINTS:
            continue
        views.append(xy)
        span = _lens_costs(xy, limit, options.seed, flat=flat, complete=False)
        weight = float(frame_weight(xy[:, _REFERENCE]).sum())
        without = span[_NO_LENS]
        if without > _LENS_MISFIT * weight:
            span = _lens_costs(xy, limit, options.seed, flat=flat, complete=True)
            span[_NO_LENS] = min(span[_NO_LENS], without)
        costs, cells = costs + span, cells + weight
    none, best = costs[_NO_LENS], int(np.argmin(costs))
    if none <= _LENS_MISFIT * cells:
        return NO_LENS
    shift = 0.0
    if 0 < best < len(_LENSES) - 1:
        left, middle, right = costs[best - 1 : best + 2]
        shift = np.clip((left - right) / max(2 * (left - 2 * middle + right), 1e-12), -0.5, 0.5)
    lens, least = (float(_LENSES[best] + shift * (_LENSES[1] - _LENSES[0])), 0.0), costs[best]
    if _LENS_MISFIT * cells < least < _LENS_HINT * none:
        lens, least = _two_terms(views, lens, limit, options.seed, flat=flat)
    return lens if least <= _LENS_GAIN * none else NO_LENS


def _two_terms(
    views: list[Floats], lens: Lens, limit: float, seed: int, *, flat: bool
) -> tuple[Lens, float]:
    """Return the two numbers near `lens` with which the spans fit best, and how badly they do.

    A pattern search; every step takes the cameras of the best so far along.
    """

    def fitted(lens: Lens, cameras: list[Floats] | None) -> tuple[float, list[Floats]]:
        total, found = 0.0, list[Floats]()
        for i, xy in enumerate(views):
            bent = _straightened(xy, lens)
            if cameras is None:
                fit = fit_rigid(
                    bent[:, _REFERENCE], _others(bent), limit, np.random.default_rng(seed),
                    trusted=np.ones(len(xy), bool), starts=_STARTS, flat=flat,
                )  # fmt: skip
                assert fit is not None
                P, cost = fit.P, fit.cost
            else:
                P, cost = adapted(cameras[i], bent[:, _REFERENCE], _others(bent), limit, flat=flat)
            total, found = total + cost, [*found, P]
        return total, found

    least, cameras = fitted(lens, None)
    step = 0.1
    while step > 0.01:
        around = [
            (lens[0] + i * step / 2, lens[1] + j * step)
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if i or j
        ]
        tried = [(*fitted(one, cameras), one) for one in around if _unfolded(one)]
        cost, its, one = min(tried, key=lambda t: t[0])
        if cost < least:
            least, cameras, lens = cost, its, one
        else:
            step /= 2
    return lens, least


def _unfolded(lens: Lens) -> bool:
    """Return whether every point of the frame has a place of its own without the lens."""
    r2 = np.linspace(0, 1, 20)
    bend = 1 + lens[0] * r2 + lens[1] * r2**2
    slope = 1 - lens[0] * r2 - 3 * lens[1] * r2**2
    return bool(bend.min() > 0.2 and slope.min() > 0)


def _lens_costs(xy: Floats, limit: float, seed: int, *, flat: bool, complete: bool) -> Floats:
    """Return how badly a span fits with each of `_LENSES`; without `complete`, with none alone."""
    costs = np.full(len(_LENSES), np.inf if complete else 0.0)
    everyone = np.ones(len(xy), bool)
    for anchor in _LENS_ANCHORS if complete else (_NO_LENS,):
        bent = _straightened(xy, (_LENSES[anchor], 0.0))
        fit = fit_rigid(
            bent[:, _REFERENCE], _others(bent), limit, np.random.default_rng(seed),
            trusted=everyone, starts=1 if complete else _STARTS, flat=flat,
        )  # fmt: skip
        if fit is None:
            return np.zeros(len(_LENSES))
        if not complete:
            return costs + fit.cost
        for way in (range(anchor, len(_LENSES)), range(anchor, -1, -1)):
            P = fit.P
            for i in way[: _LENS_REACH + 1]:  # each from its neighbour's cameras
                bent = _straightened(xy, (_LENSES[i], 0.0))
                P, cost = adapted(P, bent[:, _REFERENCE], _others(bent), limit, flat=flat)
                costs[i] = min(costs[i], cost)
    return costs


def _judge(
    tracks: Tracks, options: FilterOptions, usable: NDArray[np.bool_],
    frames: NDArray[np.int64], suspect: NDArray[np.bool_], lens: Lens, starts: int,
) -> _Span | None:  # fmt: skip
    who, xy = _positions(tracks, usable, frames)
    xy = _normalised(tracks, xy)
    r2 = (xy[:, _REFERENCE] ** 2).sum(axis=-1)
    xy = _straightened(xy, lens)
    fit = fit_rigid(
        xy[:, _REFERENCE], _others(xy), _allowed(tracks, options),
        np.random.default_rng([options.seed, *frames.tolist()]),
        trusted=~suspect[who], starts=starts, flat=options.tripod,
    )  # fmt: skip
    if fit is None:
        return None
    half_px = diagonal_px(tracks.frame_size) / 2
    limit_px = max(options.rigid_px, options.rigid_sigma * fit.scale * half_px)
    # straightening stretches the corners, and the noise there with them
    a, b = lens
    stretch = np.sqrt((1 - a * r2 - 3 * b * r2**2) / (1 + a * r2 + b * r2**2) ** 3)
    residual_px = fit.residual * half_px / stretch
    known = np.isfinite(residual_px)
    others = np.delete(frames, _REFERENCE)
    return _Span(frames, who[known], residual_px[known], limit_px, others[fit.worst_view[known]])


def _normalised(tracks: Tracks, xy_px: Floats) -> Floats:
    """Return positions in half diagonals about the frame's centre."""
    centre = (np.array(tracks.frame_size) - 1) / 2
    return np.asarray((xy_px - centre) / (diagonal_px(tracks.frame_size) / 2))


def _straightened(xy: Floats, lens: Lens) -> Floats:
    r2 = (xy**2).sum(axis=-1, keepdims=True)
    return np.asarray(xy / (1 + lens[0] * r2 + lens[1] * r2**2))


def _others(xy: Floats) -> Floats:
    """Return the views but the reference, (n_views - 1, n, 2)."""
    return np.moveaxis(np.delete(xy, _REFERENCE, axis=1), 1, 0)


def _allowed(tracks: Tracks, options: FilterOptions) -> float:
    return max(options.rigid_px, 0.05) / (diagonal_px(tracks.frame_size) / 2)


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
    best = inside[inside.sum(axis=1).argmax()]
    for _ in range(2):
        if best.sum() < LEAST_GROUP:
            break
        fitted = np.linalg.lstsq(x[best], targets[best], rcond=None)[0]
        best = np.asarray(np.sqrt(((x @ fitted - targets) ** 2).mean(axis=-1) * 2) < limit_px)
    return best


__all__ = ["LEAST_GROUP", "LEAST_POINTS", "rigid", "span_frames", "span_lengths"]
