"""Statistics of tracks, slow and obvious: what the core must agree with."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def direction_bin(dx: float, dy_down: float) -> int:
    """Return the documented bin: 45 degrees each from -180 degrees, counter-clockwise, y up."""
    angle = math.atan2(-dy_down, dx)
    return int((angle + math.pi) / (math.pi / 4)) % 8


def track(xy: NDArray, ncc: NDArray, frames: NDArray) -> dict[str, float]:
    """Return what one track did, sample by sample, in pixels and clip frames."""
    seen = [i for i in range(len(xy)) if not math.isnan(xy[i, 0])]
    nan = math.nan
    speeds, middles, path = [], [], 0.0
    for a, b in pairwise(seen):
        length = math.hypot(*(xy[b] - xy[a]))
        path += length
        speeds.append(length / (frames[b] - frames[a]))
        middles.append((frames[b] + frames[a]) / 2)
    thirds = []
    for i in range(len(xy) - 3):
        spaces = set(np.diff(frames[i : i + 4]).tolist())
        if all(k in seen for k in range(i, i + 4)) and len(spaces) == 1:
            thirds += np.diff(xy[i : i + 4], n=3, axis=0)[0].tolist()
    known = [float(ncc[i]) for i in seen if not math.isnan(ncc[i])]
    slope, weight = nan, 0.0
    if len(speeds) >= 2:
        slope = float(np.polyfit(np.array(middles) - middles[0], speeds, 1)[0])
        weight = float(np.var(middles) * len(middles))
    return {
        "first": seen[0] if seen else -1,
        "last": seen[-1] if seen else -1,
        "n_samples": len(seen),
        "mean_x": float(np.mean(xy[seen, 0])) if seen else nan,
        "mean_y": float(np.mean(xy[seen, 1])) if seen else nan,
        "path_px": path if seen else nan,
        "speed_mean": float(np.mean(speeds)) if speeds else nan,
        "speed_std": float(np.std(speeds)) if speeds else nan,
        "jitter_px": math.sqrt(np.mean(np.square(thirds)) / 20) if thirds else nan,
        "speed_slope": slope,
        "slope_weight": weight,
        "ncc_mean": float(np.mean(known)) if known else nan,
    }


def frame(xy: NDArray, frames: NDArray, i: int, still_px: float) -> dict[str, float]:
    """Return what all tracks did on the way to the frame at index i."""
    rows = {"active": float(np.isfinite(xy[:, i, 0]).sum())}
    steps = [
        (xy[k, i] - xy[k, i - 1]) / (frames[i] - frames[i - 1])
        for k in range(len(xy))
        if i and np.isfinite(xy[k, i - 1 : i + 1]).all()
    ]
    lengths = [math.hypot(*step) for step in steps]
    units = [s / n for s, n in zip(steps, lengths, strict=True) if n >= still_px]
    rows |= {"steps": len(steps), "speed": sum(lengths), "moving": len(units)}
    rows["sum_x"], rows["sum_y"] = np.sum(steps, axis=0) if steps else (0.0, 0.0)
    rows["unit_x"], rows["unit_y"] = np.sum(units, axis=0) if units else (0.0, 0.0)
    return rows


def steps(xy: NDArray, frames: NDArray) -> list[NDArray]:
    """Return every step between neighbouring frames [px/frame]."""
    return [
        (xy[k, i] - xy[k, i - 1]) / (frames[i] - frames[i - 1])
        for k in range(len(xy))
        for i in range(1, len(frames))
        if np.isfinite(xy[k, i - 1 : i + 1]).all()
    ]


def _mapped(H: NDArray, p: NDArray) -> NDArray:
    q = np.column_stack([p, np.ones(len(p))]) @ H.T
    return q[:, :2] / q[:, 2:]


def _rows(model: str, p: NDArray, q: NDArray, start: NDArray) -> tuple[NDArray, NDArray]:
    """Return the linear equations of a model, two of each point."""
    (x, y), (u, v), one, zero = p.T, q.T, np.ones(len(p)), np.zeros(len(p))
    if model == "similarity":
        A = [[x, -y, one, zero], [y, x, zero, one]]
    elif model == "affine":
        A = [[x, y, one, zero, zero, zero], [zero, zero, zero, x, y, one]]
    else:
        A = [
            [x, y, one, zero, zero, zero, -u * x, -u * y],
            [zero, zero, zero, x, y, one, -v * x, -v * y],
        ]
    d = np.column_stack([p, one]) @ start[2]
    equations = np.stack([np.stack(rows, axis=-1) for rows in A]) / d[:, None]
    return equations, np.stack([u, v]) / d


def _matrix(model: str, h: NDArray) -> NDArray:
    if model == "similarity":
        a, b, tx, ty = h
        return np.array([[a, -b, tx], [b, a, ty], [0, 0, 1]])
    if model == "affine":
        return np.array([h[:3], h[3:], [0, 0, 1]])
    return np.append(h, 1.0).reshape(3, 3)


def _solve(model: str, p: NDArray, q: NDArray, weight: NDArray, start: NDArray) -> NDArray:
    A, b = _rows(model, p, q, start)
    root = np.sqrt(weight)
    h = np.linalg.lstsq(
        (A * root[:, None]).reshape(-1, A.shape[-1]), (b * root).ravel(), rcond=None
    )[0]
    return _matrix(model, h)


def _scale(r: NDArray, freedom: int, least: float) -> float:
    middle = np.sort(r)[len(r) // 2]
    n2 = 2 * len(r)
    return max(least, middle / math.sqrt(2 * math.log(2)) * math.sqrt(n2 / max(1, n2 - freedom)))


def motion(p: NDArray, q: NDArray, least: float) -> dict[str, tuple[NDArray, float, int]]:
    """Fit the three models robustly; return matrix, rms per axis and number of inliers of each."""
    weight, H, found = np.ones(len(p)), np.eye(3), {}
    for _ in range(5):
        H = _solve("similarity", p, q, weight, np.eye(3))
        r = np.linalg.norm(_mapped(H, p) - q, axis=1)
        weight = least / np.maximum(r, least)
    for model, freedom in (("similarity", 4), ("affine", 6), ("homography", 8)):
        for step in range(4):
            H = _solve(model, p, q, weight, H)
            r = np.linalg.norm(_mapped(H, p) - q, axis=1)
            if step < 3:
                weight = np.maximum(0, 1 - (r / (5 * _scale(r, freedom, least))) ** 2) ** 2
        inlier = r <= 3.5 * _scale(r, freedom, least)
        rms = math.sqrt((r[inlier] ** 2).sum() / (2 * inlier.sum() - freedom))
        found[model] = (H, rms, int(inlier.sum()))
        floor = _scale(r, 0, least)
        weight = floor / np.maximum(r, floor)
    return found
