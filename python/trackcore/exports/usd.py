"""`usd`: an OpenUSD layer with the camera and the points. Needs `usd-core`.

The stage is y up, a unit is the solve's; time codes are clip frame numbers. Focal length and
apertures are in mm of a sensor 36 mm wide: only their ratio counts. Where the principal point is
not in the middle, the apertures are offset. USD has no lens distortion; it stands in attributes
of our own, `trackcore:lens:*`, and whether a frame was solved in `trackcore:solved`.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from trackcore._files import replacing
from trackcore.errors import DependencyError
from trackcore.exports.shot import (
    SENSOR_MM,
    Y_UP,
    Shot,
    camera_poses,
    focal_mm,
    offset_px,
    sensor_height_mm,
)
from trackcore.solver import Solve

POINT_WIDTH = 0.005  # of a point's distance from the first camera


def write(shot: Shot, path: Path) -> None:
    """Write `/Shot/Camera` and `/Shot/Points` as text (.usda)."""
    pxr = load()
    solve = shot.solve
    with replacing(path) as beside:
        stage = pxr.Usd.Stage.CreateNew(os.fspath(beside))
        _set_stage(pxr, stage, solve)
        _camera(pxr, stage, solve)
        _points(pxr, stage, solve)
        stage.GetRootLayer().Save()
        del stage  # closes the file


def lost(solve: Solve) -> list[str]:
    """Say what the layer cannot hold of this solve."""
    told = ["the grade and its reasons", "the clip and 2-D tracks"]
    if solve.lens.bends:
        told.append("lens distortion, but for attributes that only we read (trackcore:lens:*)")
    return told


def load() -> Any:
    """Import USD, or say which package to install."""
    try:
        from pxr import Gf, Sdf, Usd, UsdGeom, Vt
    except ImportError as error:
        raise DependencyError(
            f"OpenUSD cannot be imported ({error}): pip install 'trackcore[usd]' (usd-core)"
        ) from error
    pxr: Any = ModuleType("pxr parts")
    pxr.Gf, pxr.Sdf, pxr.Usd, pxr.UsdGeom, pxr.Vt = Gf, Sdf, Usd, UsdGeom, Vt
    return pxr


def _set_stage(pxr: Any, stage: Any, solve: Solve) -> None:
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.y)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(solve.fps)
    stage.SetFramesPerSecond(solve.fps)
    stage.SetStartTimeCode(float(solve.frame_numbers[0]))
    stage.SetEndTimeCode(float(solve.frame_numbers[-1]))
    stage.SetDefaultPrim(pxr.UsdGeom.Xform.Define(stage, "/Shot").GetPrim())


def _camera(pxr: Any, stage: Any, solve: Solve) -> None:
    w = solve.frame_size[0]
    right, below = offset_px(solve)
    camera = pxr.UsdGeom.Camera.Define(stage, "/Shot/Camera")
    camera.CreateHorizontalApertureAttr(SENSOR_MM)
    camera.CreateVerticalApertureAttr(sensor_height_mm(solve))
    camera.CreateHorizontalApertureOffsetAttr(-right / w * SENSOR_MM)
    camera.CreateVerticalApertureOffsetAttr(below / (w * solve.pixel_aspect) * SENSOR_MM)
    poses, focal = camera_poses(solve, Y_UP), focal_mm(solve)
    placed, length = camera.MakeMatrixXform(), camera.CreateFocalLengthAttr()
    prim, types = camera.GetPrim(), pxr.Sdf.ValueTypeNames
    solved = prim.CreateAttribute("trackcore:solved", types.Bool)
    for i, is_solved in enumerate(solve.solved.tolist()):
        time = float(solve.frame_numbers[i])
        solved.Set(is_solved, time)
        if is_solved:  # USD multiplies rows by matrices: ours turned over
            placed.Set(pxr.Gf.Matrix4d(poses[i].T.tolist()), time)
            length.Set(float(focal[i]), time)
    if solve.lens.bends:
        prim.CreateAttribute("trackcore:lens:model", types.String).Set(solve.lens.model.value)
        prim.CreateAttribute("trackcore:lens:coefficients", types.DoubleArray).Set(
            list(solve.lens.coefficients)
        )
        prim.CreateAttribute("trackcore:lens:unit", types.Double).Set(solve.lens.unit)


def _points(pxr: Any, stage: Any, solve: Solve) -> None:
    points = pxr.UsdGeom.Points.Define(stage, "/Shot/Points")
    places = (solve.points[solve.bundled] @ Y_UP.T).astype(np.float32)
    widths = POINT_WIDTH * np.linalg.norm(
        solve.points[solve.bundled] - solve.centres[solve.solved][0], axis=1
    )
    points.CreatePointsAttr(pxr.Vt.Vec3fArray.FromNumpy(places))
    points.CreateWidthsAttr(pxr.Vt.FloatArray.FromNumpy(widths.astype(np.float32)))
    points.CreateIdsAttr(pxr.Vt.Int64Array.FromNumpy(solve.ids[solve.bundled].astype(np.int64)))
