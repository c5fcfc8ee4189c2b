"""`nuke_chan` and `nuke`: a camera as text, and as a script with its lens.

Nuke's world is y up and its cameras look along -z; rotations are in its default order ZXY (about
z first). A camera's picture is `haperture` wide whatever its height, so pixel aspect is the
format's. Where a point at (X, Y, Z) of the camera appears, origin bottom-left::

    x = w / 2 (1 + 2 focal / haperture X / -Z - win_translate.u)
    y = h / 2 + w / 2 aspect (2 focal / haperture Y / -Z - win_translate.v)

Source: Foundry's own `nukescripts.snap3d` and expressions that artists use in its place. A `.chan`
line is `frame tx ty tz rx ry rz vfov`, angles in degrees. LensDistortion's `centre` is taken to be
in the unit of its radii, half of the longer side; nobody here could open it in Nuke.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from trackcore._files import write_text
from trackcore.errors import InputError
from trackcore.exports.shot import (
    SENSOR_MM,
    Y_UP,
    Floats,
    Shot,
    camera_poses,
    euler_zxy_deg,
    focal_mm,
    number,
    offset_px,
    sensor_height_mm,
    zooms,
)
from trackcore.frames._sequence import from_folder
from trackcore.solver import LensModel, Solve

TOLERANCE_PX = 0.5
"""Most by which Nuke's lens model may differ from the solve's before it is left out."""


def write_chan(shot: Shot, path: Path) -> None:
    """Write a line for each solved frame."""
    solve = shot.solve
    frames, translate, rotate = _motion(solve)
    fy = solve.focal_px_per_frame[solve.solved] * solve.pixel_aspect
    vfov = np.degrees(2 * np.arctan(solve.frame_size[1] / 2 / fy))
    rows = np.column_stack([translate, rotate, vfov])
    lines = (
        f"{frame} {' '.join(map(number, row))}\n" for frame, row in zip(frames, rows, strict=True)
    )
    write_text(path, "".join(lines))


def chan_lost(solve: Solve) -> list[str]:
    """Say what a `.chan` cannot hold of this solve."""
    told = ["points", "frame rate", "the grade and its reasons"]
    if solve.lens.bends:
        told.append("lens distortion")
    if any(np.abs(offset_px(solve)) > 1e-9):
        told.append("the principal point, which is taken as the frame's centre")
    return told


def write_nk(shot: Shot, path: Path) -> None:
    """Write a script: format and range, the clip if there is one, its lens, the camera."""
    try:
        lens = _lens(shot.solve)
    except InputError as error:
        note = _quoted(f"The lens distortion is not in here. {error}")
        lens = [_node("StickyNote", {"inputs": "0", "label": note, "name": "NoLens"})]
    nodes = [_root(shot), *_clip(shot), *lens, _camera(shot.solve)]
    write_text(path, "".join(nodes))


def nk_lost(solve: Solve) -> list[str]:
    """Say what the script cannot hold of this solve."""
    told = ["points (take usd, alembic or ply)", "the grade and its reasons"]
    try:
        _lens(solve)
    except InputError as error:
        told.append(f"lens distortion ({error})")
    return told


def _motion(solve: Solve) -> tuple[list[int], Floats, Floats]:
    """Numbers, positions and angles of the solved frames."""
    poses = camera_poses(solve, Y_UP)[solve.solved]
    frames: list[int] = solve.frame_numbers[solve.solved].tolist()
    return frames, poses[:, :3, 3], euler_zxy_deg(poses[:, :3, :3])


def _root(shot: Shot) -> str:
    solve = shot.solve
    (w, h), frames = solve.frame_size, solve.frame_numbers
    knobs = {
        "inputs": "0",
        "first_frame": str(frames[0]),
        "last_frame": str(frames[-1]),
        "lock_range": "true",
        "frame": str(frames[0]),
        "fps": number(solve.fps),
        "format": f'"{w} {h} 0 0 {w} {h} {number(solve.pixel_aspect)} trackcore"',
    }
    if shot.clip is not None and not Path(shot.clip).is_absolute():
        knobs["project_directory"] = r'"\[python \{nuke.script_directory()\}]"'
    return _node("Root", knobs)


def _clip(shot: Shot) -> list[str]:
    if shot.clip is None:
        return []
    frames, file = shot.solve.frame_numbers, shot.clip
    if Path(file).is_dir():
        file = str(Path(file) / Path(from_folder(Path(file)).pattern).name)
    knobs = {
        "inputs": "0",
        "file": _quoted(file.replace("\\", "/")),
        "first": str(frames[0]),
        "last": str(frames[-1]),
        "origfirst": str(frames[0]),
        "origlast": str(frames[-1]),
        "name": "Clip",
    }
    return [_node("Read", knobs)]


def _lens(solve: Solve) -> list[str]:
    """Return the node that takes the distortion away; none if there is no distortion.

    Raises InputError if Nuke's model is too far from the solve's.
    """
    if not solve.lens.bends:
        return []
    w, h = solve.frame_size
    half = max(w, h / solve.pixel_aspect) / 2
    right, below = offset_px(solve)
    frames = np.flatnonzero(solve.solved) if zooms(solve) else np.flatnonzero(solve.solved)[:1]
    coefficients = np.array(
        [
            solve.lens.convert(
                LensModel.NUKE, focal_px=float(solve.focal_px_per_frame[i]),
                frame_size=solve.frame_size, principal_point_px=solve.principal_point_px,
                pixel_aspect=solve.pixel_aspect, tolerance_px=TOLERANCE_PX,
            ).lens.coefficients
            for i in frames
        ]
    )  # fmt: skip
    numbers = solve.frame_numbers[frames].tolist()
    centre = (right / half, -below / solve.pixel_aspect / half)
    knobs = {
        "distortionModelPreset": '"NukeX Classic"',
        "distortionDenominator0": _curve(numbers, coefficients[:, 0], alone=True),
        "distortionDenominator1": _curve(numbers, coefficients[:, 1], alone=True),
        "centre": f"{{{number(centre[0])} {number(centre[1])}}}",
        "output": "Undistort",
        "name": "Lens",
    }
    return [_node("LensDistortion2", knobs)]


def _camera(solve: Solve) -> str:
    w, aspect = solve.frame_size[0], solve.pixel_aspect
    right, below = offset_px(solve)
    frames, translate, rotate = _motion(solve)
    window = (-2 * right / w, 2 * below / (w * aspect))
    knobs = {
        "inputs": "0",
        "rot_order": "ZXY",
        "translate": f"{{{' '.join(_curve(frames, values) for values in translate.T)}}}",
        "rotate": f"{{{' '.join(_curve(frames, values) for values in rotate.T)}}}",
        "focal": _curve(frames, focal_mm(solve)[solve.solved], alone=True),
        "haperture": number(SENSOR_MM),
        "vaperture": number(sensor_height_mm(solve)),
        "win_translate": f"{{{number(window[0])} {number(window[1])}}}",
        "name": "Camera",
    }
    return _node("Camera2", knobs)


def _curve(frames: Iterable[int], values: Floats, *, alone: bool = False) -> str:
    """Return keys on every frame; one number if it never changes and stands alone."""
    if len(values) == 1 or (alone and np.ptp(values) == 0):
        return number(values[0])
    keys = " ".join(f"x{f} {number(v)}" for f, v in zip(frames, values, strict=True))
    return f"{{{{curve {keys}}}}}" if alone else f"{{curve {keys}}}"


def _quoted(text: str) -> str:
    """Return text that Tcl takes as it is."""
    for special in '\\"[]{}$':
        text = text.replace(special, "\\" + special)
    return f'"{text}"'


def _node(kind: str, knobs: dict[str, str]) -> str:
    return f"{kind} {{\n" + "".join(f" {name} {value}\n" for name, value in knobs.items()) + "}\n"
