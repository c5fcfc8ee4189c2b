"""The same statistics in vectorised numpy on (n_tracks, n_frames, 2), and the robust fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGES = (0.003, 0.01, 0.025, 0.05)
Floats = NDArray[np.float64]


def statistics(xy: Floats, ncc: NDArray[np.float32], diagonal: float) -> dict[str, Any]:
    """Return per-track and clip numbers; every frame follows the one before it by one."""
    n_tracks, n_frames = xy.shape[:2]
    seen = ~np.isnan(xy[..., 0])
    each, index = np.arange(n_tracks), np.arange(n_frames)
    first, last = seen.argmax(axis=1), n_frames - 1 - seen[:, ::-1].argmax(axis=1)
    n = seen.sum(axis=1)
    d = np.diff(xy, axis=1)
    speed = np.hypot(d[..., 0], d[..., 1])
    steps = n - 1
    mean = np.nansum(speed, axis=1) / steps
    spread = np.sqrt(np.maximum(np.nansum(speed**2, axis=1) / steps - mean**2, 0))
    third = np.diff(xy, n=3, axis=1)
    jitter_px = np.sqrt(np.nanmean(third**2, axis=(1, 2)) / 20)
    t = np.where(np.isnan(speed), np.nan, index[1:] - 0.5)
    t_sum, tt = np.nansum(t, axis=1), np.nansum(t**2, axis=1)
    slope = (np.nansum(t * speed, axis=1) - t_sum * mean) / (tt - t_sum**2 / steps)
    elapsed = last - first
    flow = np.nansum(d, axis=0)
    moved = speed >= 0.1
    unit = d[moved] / speed[moved][:, None]
    angle = np.arctan2(-d[moved][:, 1], d[moved][:, 0])
    bins = np.floor((angle + np.pi) / (np.pi / 4)).astype(int) % 8
    known = speed[~np.isnan(speed)]
    speed_sum, count = np.nansum(speed, axis=0), (~np.isnan(speed)).sum(axis=0)
    net = xy[each, last] - xy[each, first]
    return {
        "tracks": {
            "start_frame": first, "end_frame": last, "n_samples": n, "lifespan": elapsed + 1,
            "mean": np.nanmean(xy, axis=1), "confidence": np.nanmean(ncc, axis=1),
            "avg_velocity": np.hypot(*net.T) / elapsed / diagonal,
            "path_velocity": mean * steps / elapsed / diagonal,
            "jitter_score": np.minimum(spread / mean, 1), "jitter_px": jitter_px,
            "acceleration": slope / diagonal,
        },
        "frame_velocity": speed_sum / count / diagonal,
        "active": seen.sum(axis=0), "lost": np.bincount(last, minlength=n_frames),
        "global_motion_vector": flow.sum(axis=0) / len(known) / diagonal * (1, -1),
        "motion_consistency": np.hypot(*flow.T).sum() / known.sum(),
        "motion_magnitude": known.mean() / diagonal,
        "direction_entropy": 1 - np.hypot(*unit.sum(axis=0)) / len(unit),
        "directions": np.bincount(bins, minlength=8),
        "magnitudes": np.bincount(
            np.searchsorted(np.array(EDGES) * diagonal, known), minlength=5
        ),
    }  # fmt: skip


def motions(xy: Floats, center: tuple[float, float], length: float) -> dict[str, Floats]:
    """Fit a similarity, an affine motion and a homography to each step, all steps at once."""
    p = np.swapaxes((xy[:, :-1] - center) / length, 0, 1)
    q = np.swapaxes((xy[:, 1:] - center) / length, 0, 1)
    common = ~np.isnan(p[..., 0] + q[..., 0])
    p, q = np.where(common[..., None], p, 0.0), np.where(common[..., None], q, 0.0)
    least = 1e-3 / length
    weight, H, found = common.astype(float), np.tile(np.eye(3), (len(p), 1, 1)), {}
    for _ in range(5):
        H = _similarity(p, q, weight, H)
        r2 = _residual2(H, p, q)
        weight = common * least / np.sqrt(np.maximum(r2, least**2))
    models = (("similarity", _similarity, 4), ("affine", _affine, 6), ("homography", _plane, 8))
    for name, solve, freedom in models:
        for step in range(4):
            H = solve(p, q, weight, H)
            r2 = _residual2(H, p, q)
            scale2 = _scale2(r2, common, freedom, least)
            if step < 3:
                weight = common * np.maximum(0, 1 - r2 / (25 * scale2)[:, None]) ** 2
        inlier = common & (r2 <= (3.5**2 * scale2)[:, None])
        found[name] = H
        found[f"{name}_rms_px"] = length * np.sqrt(
            (r2 * inlier).sum(axis=1) / (2 * inlier.sum(axis=1) - freedom)
        )
        floor2 = _scale2(r2, common, 0, least)[:, None]
        weight = common * np.sqrt(floor2 / np.maximum(r2, floor2))
    return found


def _scale2(r2: Floats, common: NDArray[np.bool_], freedom: int, least: float) -> Floats:
    n = common.sum(axis=1)
    ordered = np.sort(np.where(common, r2, np.inf), axis=1)  # faster than nanmedian here
    middle = ordered[np.arange(len(n)), n // 2]
    return np.maximum(least**2, middle / (2 * math.log(2)) * 2 * n / np.maximum(1, 2 * n - freedom))


def _residual2(H: Floats, p: Floats, q: Floats) -> Floats:
    to = p @ np.swapaxes(H[:, :2, :2], 1, 2) + H[:, None, :2, 2]
    depth = p @ H[:, 2, :2, None] + 1
    off = to / depth - q
    return np.einsum("fki,fki->fk", off, off)


def _similarity(p: Floats, q: Floats, w: Floats, H: Floats) -> Floats:
    total = w.sum(axis=1)[:, None]
    mp, mq = (np.einsum("fk,fki->fi", w, a) / total for a in (p, q))
    cross = np.einsum("fk,fki,fkj->fij", w, p, q, optimize=True)
    cross -= total[..., None] * mp[:, :, None] * mq[:, None]
    spread = np.einsum("fk,fki,fki->f", w, p, p) - total[:, 0] * (mp**2).sum(axis=1)
    a = (cross[:, 0, 0] + cross[:, 1, 1]) / spread
    b = (cross[:, 0, 1] - cross[:, 1, 0]) / spread
    out = np.zeros_like(H)
    out[:, 0, 0] = out[:, 1, 1] = a
    out[:, 1, 0], out[:, 0, 1] = b, -b
    out[:, :2, 2] = mq - np.einsum("fij,fj->fi", out[:, :2, :2], mp)
    out[:, 2, 2] = 1
    return out


def _affine(p: Floats, q: Floats, w: Floats, H: Floats) -> Floats:
    one = np.concatenate([p, np.ones((*p.shape[:2], 1))], axis=-1)
    weighted = np.swapaxes(one * w[..., None], 1, 2)
    out = np.zeros_like(H)
    out[:, :2] = np.swapaxes(np.linalg.solve(weighted @ one, weighted @ q), 1, 2)
    out[:, 2, 2] = 1
    return out


def _plane(p: Floats, q: Floats, w: Floats, H: Floats) -> Floats:
    depth = (p @ H[:, 2, :2, None])[..., 0] + 1
    one = np.concatenate([p, np.ones((*p.shape[:2], 1))], axis=-1)
    v = np.swapaxes(one * (w / depth**2)[..., None], 1, 2)
    square = (q**2).sum(axis=-1)[..., None]
    A, U, V, Q = v @ one, v @ (one * q[..., :1]), v @ (one * q[..., 1:]), v @ (one * square)
    N, rhs = np.zeros((len(p), 8, 8)), np.empty((len(p), 8, 1))
    N[:, :3, :3] = N[:, 3:6, 3:6] = A
    N[:, :3, 6:], N[:, 3:6, 6:] = -U[:, :, :2], -V[:, :, :2]
    N[:, 6:, :3], N[:, 6:, 3:6] = -U[:, :2], -V[:, :2]
    N[:, 6:, 6:] = Q[:, :2, :2]
    rhs[:, :3, 0], rhs[:, 3:6, 0], rhs[:, 6:, 0] = U[:, :, 2], V[:, :, 2], -Q[:, :2, 2]
    h = np.linalg.solve(N, rhs)[..., 0]
    return np.concatenate([h, np.ones((len(p), 1))], axis=1).reshape(-1, 3, 3)
