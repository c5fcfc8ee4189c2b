"""The solved camera and its points, laid out for a view with z up."""

from __future__ import annotations

from typing import Any

import numpy as np

from trackcore.report.measures import Floats, Measures, rounded
from trackcore.solver import Solve, SolveKind

MOST_FRUSTA = 12
_PATH_SHARE, _SCENE_SHARE = 0.08, 0.06
"""Depth of a frustum that is drawn, as a share of the path's extent and of the median depth."""
_OUTSIDE = 3.0
"""Points further from the median than this many times the usual distance are left out of view."""


def scene(measures: Measures) -> dict[str, Any]:
    """Return the camera's path, some of its views and the points; x right, y into depth, z up."""
    solve = measures.solve
    shown = solve.bundled
    centres, points = _turned(solve.centres), _turned(solve.points[shown])
    return {
        "tripod": solve.kind is SolveKind.TRIPOD,
        "frames": solve.frame_numbers[solve.solved].tolist(),
        "path": _columns(centres[solve.solved]),
        "sigma": rounded(solve.centre_sigma[solve.solved], 5),
        "frusta": _frusta(solve),
        "points": {"index": np.flatnonzero(shown).tolist(), **_columns(points)},
        **_ranges(centres[solve.solved], points),
    }


def _turned(xyz: Floats) -> Floats:
    """Return positions of a world with y down and z forward in one with z up and y forward."""
    return np.column_stack([xyz[:, 0], xyz[:, 2], -xyz[:, 1]])


def _columns(xyz: Floats) -> dict[str, Any]:
    return {axis: rounded(xyz[:, i], 4) for i, axis in enumerate("xyz")}


def _frusta(solve: Solve) -> dict[str, Any]:
    """Return the views of a few frames as one broken line: None lifts the pen."""
    known = np.flatnonzero(solve.solved)
    if not len(known):
        return {"x": [], "y": [], "z": []}
    chosen = known[np.unique(np.linspace(0, len(known) - 1, MOST_FRUSTA).round().astype(int))]
    depth = _depth(solve)
    w, h = solve.frame_size
    corners_px = np.array([[0, 0, 1], [w - 1, 0, 1], [w - 1, h - 1, 1], [0, h - 1, 1]], float)
    lines: list[Floats] = []
    gap = np.full((1, 3), np.nan)
    for i in chosen.tolist():
        rays = corners_px @ np.linalg.inv(solve.K(i)).T * depth
        pose = solve.T_cam_world[i]
        corners = (rays - pose[:3, 3]) @ pose[:3, :3]
        eye = solve.centres[i : i + 1]
        lines += [corners[[0, 1, 2, 3, 0]], eye, corners[1:2], gap]
        lines += [corners[2:3], eye, corners[3:4], gap]
    return _columns(_turned(np.vstack(lines)))


def _depth(solve: Solve) -> float:
    centres = solve.centres[solve.solved]
    extent = float(np.linalg.norm(np.ptp(centres, axis=0)))
    points = solve.points[solve.bundled]
    far = np.linalg.norm(points - np.median(centres, axis=0), axis=1)
    scene = float(np.median(far)) if len(far) else 10.0
    if solve.kind is SolveKind.TRIPOD:
        return scene * 0.5
    return max(extent * _PATH_SHARE, scene * _SCENE_SHARE)


def _ranges(path: Floats, points: Floats) -> dict[str, Any]:
    """Return cubes (lowest, highest per axis) around path and points, and around the path."""
    if not len(path):
        return {"view": None, "near": None, "outside": 0}
    outside = np.zeros(len(points), bool)
    if len(points):
        middle = np.median(points, axis=0)
        far = np.linalg.norm(points - middle, axis=1)
        outside = far > _OUTSIDE * max(float(np.median(far)), 1e-12)
    everything = np.vstack([path, points[~outside]])
    return {
        "view": _box(everything), "near": _box(path), "outside": int(outside.sum()),
    }  # fmt: skip


def _box(xyz: Floats) -> list[list[float]]:
    lo, hi = xyz.min(axis=0), xyz.max(axis=0)
    # flat boxes cannot be turned: every side is at least a third of the longest
    least = max(float((hi - lo).max()) / 3, 1e-3)
    middle, half = (lo + hi) / 2, np.maximum(hi - lo, least) / 2 * 1.12
    return np.column_stack([middle - half, middle + half]).round(4).tolist()  # type: ignore[no-any-return]
