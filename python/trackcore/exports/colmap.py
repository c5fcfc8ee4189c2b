"""`colmap`: a text model as `colmap` and pycolmap read it.

Their camera has our axes; their pixels have the origin on the picture's corner, so that both of
ours grow by a half. Images are called `frame_NUMBER.png` with six digits, as in `tracks_text`.
Source: COLMAP documentation, "Output Format"; camera models in its `sensor/models.h`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trackcore._files import write_text
from trackcore.exports.shot import Floats, Shot, number, quaternions, zooms
from trackcore.solver import Lens, LensModel, Solve

GREY = "128 128 128"
"""Colour of points: a solve has none, the model needs one."""
TOLERANCE_PX = 0.1


def write(shot: Shot, folder: Path) -> None:
    """Write `cameras.txt`, `images.txt` and `points3D.txt`.

    One camera, or one a frame where the focal length changes. Without tracks, images and points
    do not refer to each other.
    """
    folder.mkdir(exist_ok=True)
    seen, image = _observations(shot), _image_ids(shot.solve)
    write_text(folder / "cameras.txt", "".join(_cameras(shot.solve, image)))
    write_text(folder / "images.txt", "".join(_images(shot.solve, image, seen)))
    write_text(folder / "points3D.txt", "".join(_points(shot.solve, image, seen)))


def lost(solve: Solve) -> list[str]:
    """Say what a COLMAP model cannot hold of this solve."""
    told = ["frame rate", "the grade and its reasons"]
    if solve.lens.bends and solve.lens.model in (LensModel.DIVISION, LensModel.NUKE):
        told.append(f"the {solve.lens.model} lens, but for a BROWN fit within {TOLERANCE_PX} px")
    return told


def _observations(shot: Shot) -> Floats:
    """Positions of tracks that are points, in frames that are images; NaN elsewhere [px]."""
    seen = shot.observations()
    seen[~shot.solve.bundled] = np.nan
    seen[:, ~shot.solve.solved] = np.nan
    return seen


def _image_ids(solve: Solve) -> dict[int, int]:
    """Array index of each solved frame to its image, from 1."""
    return {int(i): n for n, i in enumerate(np.flatnonzero(solve.solved), start=1)}


def _cameras(solve: Solve, image: dict[int, int]) -> Iterator[str]:
    w, h = solve.frame_size
    cx, cy = (c + 0.5 for c in solve.principal_point_px)
    yield "# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
    for i, camera in image.items() if zooms(solve) else [(min(image), 1)]:
        f = float(solve.focal_px_per_frame[i])
        params = [f, f * solve.pixel_aspect, cx, cy]
        model = "PINHOLE"
        if solve.lens.bends:
            model = "FULL_OPENCV"
            k1, k2, p1, p2, k3 = _as_brown(solve, f).coefficients
            params += [k1, k2, p1, p2, k3, 0, 0, 0]
        yield f"{camera} {model} {w} {h} {' '.join(map(number, params))}\n"


def _as_brown(solve: Solve, focal_px: float) -> Lens:
    lens = solve.lens
    if lens.model is LensModel.BROWN:
        return lens
    if lens.model is LensModel.POLYNOMIAL:
        k1, k2, k3 = lens.coefficients
        return Lens(LensModel.BROWN, (k1, k2, 0, 0, k3))
    return lens.convert(
        LensModel.BROWN, focal_px=focal_px, frame_size=solve.frame_size,
        principal_point_px=solve.principal_point_px, pixel_aspect=solve.pixel_aspect,
        tolerance_px=TOLERANCE_PX,
    ).lens  # fmt: skip


def _images(solve: Solve, image: dict[int, int], seen: Floats) -> Iterator[str]:
    yield "# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n"
    yield "# POINTS2D[] as (X, Y, POINT3D_ID)\n"
    frames = list(image)
    turned = quaternions(solve.T_cam_world[frames, :3, :3])
    each_its_own = zooms(solve)
    for q, i in zip(turned, frames, strict=True):
        pose = " ".join(map(number, [*q, *solve.T_cam_world[i, :3, 3]]))
        name = f"frame_{solve.frame_numbers[i]:06d}.png"
        yield f"{image[i]} {pose} {image[i] if each_its_own else 1} {name}\n"
        tracks = np.flatnonzero(np.isfinite(seen[:, i, 0])).tolist()
        places = [(*(seen[t, i] + 0.5).tolist(), t + 1) for t in tracks]
        yield " ".join(f"{number(x)} {number(y)} {point}" for x, y, point in places) + "\n"


def _points(solve: Solve, image: dict[int, int], seen: Floats) -> Iterator[str]:
    yield "# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n"
    there = np.isfinite(seen[..., 0])
    index = np.cumsum(there, axis=0) - 1  # of each track in each image's list
    for t in np.flatnonzero(solve.bundled).tolist():
        X = " ".join(map(number, solve.points[t]))
        error = number(solve.track_error_px[t]) or "-1"  # COLMAP's own word for unknown
        track = "".join(f" {image[i]} {index[t, i]}" for i in np.flatnonzero(there[t]).tolist())
        yield f"{t + 1} {X} {GREY} {error}{track}\n"
