"""The calibration of a session on disk: the documented files, and the whole rig beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M
from trackcore.cameras import Camera, StereoRig
from trackcore.cameras.io import load_rig, save_rig
from trackcore.errors import InputError, RecordError
from trackcore.pitch import StrikeZone
from trackcore.pitch.zone import batter_zone_ft
from trackcore.recording import models
from trackcore.recording.documents import APP_VERSION, Kind, to_feet, write_document
from trackcore.recording.models.calibration import CONFIGURED, WHOLE
from trackcore.recording.setup import corners
from trackcore.recording.window import SIDES

Floats = NDArray[np.float64]
Polygons = dict[str, list[tuple[float, float]]]

FOLDER = "calibration"
RIG = "rig.json"
GEOMETRY, ROIS, ZONE = "stereo_geometry", "roi_annotations", "strike_zone_definition"
INTRINSICS = "intrinsics_{side}"


def export_calibration_metadata(
    session_dir: str | Path,
    stereo: StereoRig,
    left_camera_id: str,
    right_camera_id: str,
    lane_gate: Any = None,
    plate_gate: Any = None,
    strike_zone: StrikeZone | None = None,
) -> Path:
    """Write the documented files of a calibration, and the whole rig as `rig.json`.

    Parameters
    ----------
    session_dir : path
        The session's folder.
    stereo : StereoRig
    left_camera_id, right_camera_id : str
        Serials or names of the cameras.
    lane_gate, plate_gate : polygon, mapping of side to polygon, or object with `polygon`, optional
        Where balls are looked for [px]: (n, 2), of the left camera or of both. Without a lane that
        is the whole picture, which is then the lane that is written.
    strike_zone : StrikeZone, optional
        Default: that of a batter of 66 in. Written where the rig's world has a plate.

    Returns
    -------
    Path
        The folder `calibration`.

    Raises
    ------
    InputError
        If an argument is none of these.
    """
    if not isinstance(stereo, StereoRig):
        raise InputError(f"stereo: expected a StereoRig, got {type(stereo).__name__}")
    folder = Path(session_dir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    save_rig(folder / RIG, stereo)
    write_document(folder / f"{GEOMETRY}.json", geometry(stereo))
    for side, camera, name in zip(
        SIDES, stereo.cameras, (left_camera_id, right_camera_id), strict=True
    ):
        write_document(folder / f"{INTRINSICS.format(side=side)}.json", intrinsics(camera, name))
    lanes, plates = _polygons("lane_gate", lane_gate), _polygons("plate_gate", plate_gate)
    write_document(folder / f"{ROIS}.json", _rois(stereo, lanes, plates))
    if stereo.has_plate:
        zone = StrikeZone.of_batter() if strike_zone is None else strike_zone
        write_document(folder / f"{ZONE}.json", _zone(zone))
    return folder


def _rois(rig: StereoRig, lanes: Polygons, plates: Polygons) -> models.RoiAnnotations:
    pictures = {s: _picture(c) for s, c in zip(SIDES, rig.cameras, strict=True)}
    searched = {**pictures, **lanes}
    there = {"plate_gate_polygon": plates.get("left"), "plate_gate_polygons": plates}
    return models.RoiAnnotations(
        app_version=APP_VERSION, lane_gate_polygon=searched["left"], lane_gate_polygons=searched,
        lane_gate_sources={s: CONFIGURED if s in lanes else WHOLE for s in SIDES},
        **{name: value for name, value in there.items() if value},
    )  # fmt: skip


def _picture(camera: Camera) -> list[tuple[float, float]]:
    """Return the corners of a camera's pictures."""
    right, bottom = (float(n - 1) for n in camera.size)
    return [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)]


def read_calibration(session_dir: Path) -> tuple[StereoRig | None, StrikeZone | None]:
    """Return rig and zone of a session, None where their files are not there.

    Raises
    ------
    RecordError
        If a file is there and cannot be read.
    """
    folder = session_dir / FOLDER
    rig_file, zone_file = folder / RIG, folder / f"{ZONE}.json"
    try:
        rig = load_rig(rig_file) if rig_file.is_file() else None
        if not zone_file.is_file():
            return rig, None
        text = zone_file.read_text(encoding="utf-8")
        zone = models.ZoneDefinition.model_validate_json(text)
        bottom, top = zone.bottom_left_ft[1] * FOOT_M, zone.top_left_ft[1] * FOOT_M
        return rig, StrikeZone(bottom_m=bottom, top_m=top)
    except (InputError, ValueError, OSError) as error:
        raise RecordError(f"{FOLDER}: expected the files of a calibration: {error}") from error


def read_intrinsics(session_dir: Path) -> dict[str, models.Intrinsics]:
    """Return the documented intrinsics of a session, by camera, where their files are there."""
    names = {side: INTRINSICS.format(side=side) for side in SIDES}
    read = {s: _read(session_dir, n, models.Intrinsics, "intrinsics") for s, n in names.items()}
    return {side: one for side, one in read.items() if one is not None}


def read_geometry(session_dir: Path) -> models.StereoGeometry | None:
    """Return the documented geometry of a session, None where its file is not there."""
    return _read(session_dir, GEOMETRY, models.StereoGeometry, "a geometry")


def read_rois(session_dir: Path) -> models.RoiAnnotations | None:
    """Return where balls were looked for, None where its file is not there."""
    return _read(session_dir, ROIS, models.RoiAnnotations, "polygons")


def _read(session_dir: Path, name: str, kind: type[Kind], what: str) -> Kind | None:
    path = session_dir / FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path.name}: expected {what}: {error}") from error


def geometry(rig: StereoRig) -> models.StereoGeometry:
    """Return the documented figures of a rig."""
    left, right = (camera.T_cam_world[2, :3] for camera in rig.cameras)
    angle = math.degrees(math.acos(float(np.clip(left @ right, -1.0, 1.0))))
    across = rig.right.center_world - rig.left.center_world
    meets = (left - right) @ across >= 0  # each looks to the other one's side
    middle = to_feet(rig.frame, 0.5 * (rig.left.center_world + rig.right.center_world))
    plate = rig.has_plate
    return models.StereoGeometry(
        app_version=APP_VERSION, baseline_ft=rig.baseline_m / FOOT_M,
        convergence_angle_deg=angle if meets else -angle,
        camera_height_ft=float(middle[1]) if plate else None,
        distance_to_plate_ft=float(np.hypot(middle[0], middle[2])) if plate else None,
    )  # fmt: skip


def intrinsics(camera: Camera, camera_id: str) -> models.Intrinsics:
    """Return the documented figures of a camera; distortion terms that it has not are 0."""
    k1, k2, p1, p2, k3 = (tuple(camera.distortion) + (0.0,) * 5)[:5]
    return models.Intrinsics(
        app_version=APP_VERSION, camera_id=camera_id, fx=float(camera.K[0, 0]),
        fy=float(camera.K[1, 1]), cx=float(camera.K[0, 2]), cy=float(camera.K[1, 2]),
        distortion_k1=float(k1), distortion_k2=float(k2), distortion_p1=float(p1),
        distortion_p2=float(p2), distortion_k3=float(k3), image_size_px=camera.size,
    )  # fmt: skip


def _zone(zone: StrikeZone) -> models.ZoneDefinition:
    names = ("top_left_ft", "top_right_ft", "bottom_left_ft", "bottom_right_ft")
    places = dict(zip(names, batter_zone_ft(zone).tolist(), strict=True))
    return models.ZoneDefinition.model_validate({"app_version": APP_VERSION, **places})


def _polygons(name: str, gate: Any) -> Polygons:
    """Return a gate's polygon by camera."""
    if gate is None:
        return {}
    if isinstance(gate, Mapping):
        return {side: corners(f"{name}[{side!r}]", gate[side]) for side in SIDES
                if gate.get(side) is not None}  # fmt: skip
    return dict.fromkeys(SIDES, corners(name, getattr(gate, "polygon", gate)))
