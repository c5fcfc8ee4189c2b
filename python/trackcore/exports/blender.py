"""`blender`, `blend`, `alembic`: a scene by Blender's own means.

The script is `blender_scene.py` and its data. The other two run it in Blender: the `bpy` package
of this Python, else `blender` on the PATH. TRACKCORE_BLENDER names another: Blender's executable,
or a Python that has bpy. World: x right, y forward, z up; Alembic is y up, as everywhere.

Where Blender's lens differs from ours (verified with bpy, tests/unit/test_exports_blender.py):
BROWN's p1 and p2 are in the other order and y is up, which turns a sign; NUKE's radius unit follows
from the frame.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from trackcore._files import replacing, write_text
from trackcore.errors import DependencyError, InputError
from trackcore.exports.shot import (
    SENSOR_MM,
    Z_UP,
    Shot,
    camera_poses,
    focal_mm,
    offset_px,
    quaternions,
    sensor_height_mm,
    zooms,
)
from trackcore.frames._sequence import (
    IMAGE_SUFFIXES,
    from_file,
    from_folder,
    from_pattern,
    has_placeholder,
)
from trackcore.normalised import normalised
from trackcore.solver import LensModel, Solve
from trackcore.solver.lens import nuke_unit

BLENDER = "TRACKCORE_BLENDER"
LONGEST_S = 600
EMPTY_SHARE, NEAREST_SHARE, FURTHEST = 0.01, 1e-3, 100.0  # of the median distance of points


def write_script(shot: Shot, path: Path) -> None:
    """Write a Python script that builds the scene (tested with Blender 4.5 and 5.0)."""
    write_text(path, script(shot, path.parent))


def write_blend(shot: Shot, path: Path) -> None:
    """Have Blender build the scene and save it."""
    _run(shot, path, "--save")


def write_alembic(shot: Shot, path: Path) -> None:
    """Have Blender build the scene and write it as Alembic."""
    _run(shot, path, "--alembic")


def lost(solve: Solve) -> list[str]:
    """Say what a Blender scene cannot hold of this solve."""
    told = ["the grade and its reasons"]
    if solve.lens.bends and zooms(solve):
        told.append("a lens that changes: the clip has that of the median focal length")
    return told


def alembic_lost(solve: Solve) -> list[str]:
    """Say what an Alembic file cannot hold of this solve."""
    told = ["the grade and its reasons", "the clip and 2-D tracks"]
    return [*told, "lens distortion"] if solve.lens.bends else told


def script(shot: Shot, folder: Path) -> str:
    """Return the script's text; `folder` is where a relative clip is seen from."""
    text = (Path(__file__).parent / "blender_scene.py").read_text(encoding="utf-8")
    data = json.dumps(scene_data(shot, folder), allow_nan=False)
    return f"{text}\n\nimport json  # noqa: E402\n\nmain(json.loads({data!r}))\n"


def scene_data(shot: Shot, folder: Path) -> dict[str, Any]:
    """Return what `blender_scene.build` takes, as plain JSON types."""
    solve = shot.solve
    (w, h), aspect = solve.frame_size, solve.pixel_aspect
    right, below = offset_px(solve)
    cx, cy = solve.principal_point_px
    clip, start = _clip(shot, folder)
    points = solve.points[solve.bundled] @ Z_UP.T
    distance = _distance(solve)
    return {
        "name": "trackcore",
        "frame_size": [w, h],
        "fps": solve.fps,
        "pixel_aspect": aspect,
        "first_frame": int(solve.frame_numbers[0]),
        "last_frame": int(solve.frame_numbers[-1]),
        "unsolved": _spans(solve),
        "sensor_mm": [SENSOR_MM, sensor_height_mm(solve)],
        "focal_mm": solve.focal_px / w * SENSOR_MM,
        "zooms": zooms(solve),
        "shift": [-right / w, below / (w * aspect)],
        "clip_range": [NEAREST_SHARE * distance, FURTHEST * distance],
        "cameras": _cameras(solve),
        "points": points.tolist(),
        "point_names": [f"track_{number:05d}" for number in solve.ids[solve.bundled].tolist()],
        "empty_size": EMPTY_SHARE * distance,
        "clip": clip,
        "clip_start": start,
        "principal_point": [cx + 0.5, h - (cy + 0.5)],
        "lens_model": solve.lens.model.value,
        "lens": _lens(solve),
        "tracks": _tracks(shot, start) if clip is not None else [],
    }


def _cameras(solve: Solve) -> list[list[Any]]:
    poses = camera_poses(solve, Z_UP)[solve.solved]
    rows = zip(
        solve.frame_numbers[solve.solved].tolist(), poses[:, :3, 3].tolist(),
        quaternions(poses[:, :3, :3]).tolist(), focal_mm(solve)[solve.solved].tolist(),
        strict=True,
    )  # fmt: skip
    return [list(row) for row in rows]


def _distance(solve: Solve) -> float:
    """Median distance of the points from the first camera; 10 where there are none."""
    there = solve.points[solve.bundled] - solve.centres[solve.solved][0]
    return float(np.median(np.linalg.norm(there, axis=1))) if len(there) else 10.0


def _spans(solve: Solve) -> list[list[int]]:
    """First and last number of each run of unsolved frames."""
    runs = groupby(zip(solve.frame_numbers.tolist(), solve.solved, strict=True), lambda f: f[1])
    groups = [[number for number, _ in run] for is_solved, run in runs if not is_solved]
    return [[group[0], group[-1]] for group in groups]


def _lens(solve: Solve) -> list[float]:
    """Coefficients in Blender's terms."""
    lens = solve.lens
    if lens.model is LensModel.BROWN:
        k1, k2, p1, p2, k3 = lens.coefficients
        return [k1, k2, p2, -p1, k3]
    if lens.model is LensModel.NUKE:  # counted from this frame's unit, whatever the lens's was
        unit = nuke_unit(solve.focal_px, solve.frame_size, pixel_aspect=solve.pixel_aspect)
        return [k * (unit / lens.unit) ** (2 * i) for i, k in enumerate(lens.coefficients, 1)]
    return list(lens.coefficients)


def _clip(shot: Shot, folder: Path) -> tuple[str | None, int]:
    """File that Blender opens, and the frame number at which it is shown."""
    if shot.clip is None:
        return None, 1
    path = folder / shot.clip
    if not path.is_dir() and path.suffix.lower() not in IMAGE_SUFFIXES:
        return shot.clip, 1  # a movie: its first frame is 1
    if path.is_dir():
        files = from_folder(path).files
    elif has_placeholder(path.name):
        files = from_pattern(path).files
    else:
        files = from_file(path).files
    number, file = files[0]
    beside = path if path.is_dir() else path.parent
    named = Path(shot.clip) if path.is_dir() else Path(shot.clip).parent
    return os.fspath(named / file.relative_to(beside)), number


def _tracks(shot: Shot, start: int) -> list[list[Any]]:
    """Name, frames as Blender's clip counts them (from 1) and positions of each track."""
    if shot.tracks is None:
        return []
    tracks, listed = shot.tracks, []
    places = normalised(tracks.xy_px, tracks.frame_size)
    frames = tracks.frame_numbers - start + 1
    for name, seen, at in zip(tracks.names, tracks.seen, places, strict=True):
        if seen.any():
            listed.append([name, frames[seen].tolist(), at[seen].round(9).tolist()])
    return listed


def command() -> Callable[[Path], list[str]]:
    """Return what runs a script in Blender."""
    given = os.environ.get(BLENDER)
    if given is None and importlib.util.find_spec("bpy") is not None:
        given = sys.executable
    given = given or shutil.which("blender")
    if given is None or shutil.which(given) is None:
        raise DependencyError(
            "Blender is needed for this format: pip install 'trackcore[blend]' (bpy, with the "
            f"Python it is made for), put blender on the PATH, or set {BLENDER} to it; or take "
            "the format blender, a script that any Blender runs"
        )
    program: str = given
    if Path(program).name.lower().startswith("python"):
        return lambda file: [program, os.fspath(file)]
    flags = ["--background", "--factory-startup", "--python-exit-code", "1", "--python"]
    return lambda file: [program, *flags, os.fspath(file)]


def _run(shot: Shot, path: Path, flag: str) -> None:
    """Run the script and let it write `path`."""
    words_for, folder = command(), path.parent.resolve()
    with replacing(path) as beside, tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "scene.py"
        write_text(file, script(shot, folder))
        words = [*words_for(file), "--", "--base", os.fspath(folder), flag, os.fspath(beside)]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DependencyError(f"Blender could not be run ({error})") from error
        if done.returncode or not beside.exists():
            said = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise InputError(f"solve: Blender could not write {path.name} ({' / '.join(said)})")
