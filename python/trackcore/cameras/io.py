"""Rigs in files: our own, whole; OpenCV's YAML and XML, and npz, with the names people use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2, quiet
from trackcore._files import write_text
from trackcore.cameras._names import Named, find_cameras
from trackcore.cameras.camera import Camera
from trackcore.cameras.frame import WorldFrame, metres_per
from trackcore.cameras.rig import StereoRig
from trackcore.errors import InputError, RecordError

Floats = NDArray[np.float64]
Path_ = str | PathLike[str]

SCHEMA = "trackcore.stereo_rig"
SCHEMA_VERSION = "1.0.0"
UNITS = {"length": "m", "image": "px", "time": "ns"}

_OPENCV = {".yml", ".yaml", ".xml"}


def rig_to_dict(rig: StereoRig) -> dict[str, Any]:
    """Return a rig as JSON can hold it: nothing is left out, numbers are exact."""
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "units": dict(UNITS),
        "frame": {
            "name": rig.frame.name,
            "unit": rig.frame.unit,
            "axes": rig.frame.axes.tolist(),
            "handedness": rig.frame.handedness,
            "description": rig.frame.description,
        },
        "baseline_m": rig.baseline_m,
        "left": _camera_to_dict(rig.left),
        "right": _camera_to_dict(rig.right),
    }


def rig_from_dict(record: Mapping[str, Any]) -> StereoRig:
    """Return the rig of `rig_to_dict`.

    Raises
    ------
    RecordError
        If the record is of another kind, of a newer major version, or lacks something.
    """
    if record.get("schema") != SCHEMA:
        raise RecordError(f"schema: expected {SCHEMA!r}, got {record.get('schema')!r}")
    version = str(record.get("schema_version"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise RecordError(f"schema_version: expected {SCHEMA_VERSION} or like it, got {version!r}")
    if record.get("units") != UNITS:
        raise RecordError(f"units: expected {UNITS}, got {record.get('units')!r}")
    try:
        frame = record["frame"]
        return StereoRig(
            left=_camera_from_dict(record["left"]),
            right=_camera_from_dict(record["right"]),
            frame=WorldFrame(
                frame["name"], frame["unit"], np.array(frame["axes"]), frame["description"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise RecordError(
            f"{SCHEMA}: expected every field, something is missing: {error}"
        ) from error


def save_rig(path: Path_, rig: StereoRig) -> None:
    """Write a rig to a JSON file, whole: cameras, poses, clocks, frame, units, version."""
    write_text(Path(path), json.dumps(rig_to_dict(rig), indent=2) + "\n")


def load_rig(
    path: Path_ | Sequence[Path_], *, unit: str | None = None, size: tuple[int, int] | None = None
) -> StereoRig:
    """Read a rig.

    Parameters
    ----------
    path : path, or sequence of paths
        Our JSON; or OpenCV's .yml, .yaml or .xml, or .npz, with the usual names: K, M or mtx, dist
        or D, with 1 and 2, L and R, left and right, or in a group per camera; R and T from the left
        camera to the right one. Of several files that are each of one camera, the first is the
        left, and R and T, if each has its own, are its pose. Other files are taken together
        (OpenCV's intrinsics.yml and extrinsics.yml).
    unit : str, optional
        Of the lengths in files that are not ours, which do not say it: m, mm, in, ft, ... Needed
        for those.
    size : (w, h), optional
        Of the pictures [px], if the files do not say it.

    Returns
    -------
    StereoRig
        Of files that are not ours: in the frame of the left camera, unless each has a pose.

    Raises
    ------
    InputError
        If a file cannot be read, the names of a rig are not there, or `unit` or `size` is missing.
    """
    paths = [Path(p) for p in ([path] if isinstance(path, (str, PathLike)) else path)]
    if not paths:
        raise InputError("path: expected a file or several, got none")
    for p in paths:
        if not p.is_file():
            raise InputError(f"path: expected a file, there is none at {p.name!r}")
    if paths[0].suffix.lower() == ".json":
        record = _json(paths[0])
        if record.get("schema") == SCHEMA and len(paths) == 1:
            return rig_from_dict(record)
    if unit is None:
        raise InputError(
            "unit: expected the unit of lengths (m, mm, in, ft, ...): other programs' files do not"
            " say it"
        )
    metres = metres_per(unit)
    named = find_cameras([_entries(p) for p in paths], [p.name for p in paths])
    return _rig(named, metres, size)


def _rig(named: tuple[Named, Named], metres: float, size: tuple[int, int] | None) -> StereoRig:
    cameras = []
    for side, one in zip(("left", "right"), named, strict=True):
        picture = one.size if one.size is not None else size
        if picture is None:
            raise InputError(
                f"size: expected (w, h) of the {side} picture: the files do not say it"
            )
        pose = np.eye(4)
        if one.R is not None and one.T is not None:
            pose[:3, :3], pose[:3, 3] = one.R, one.T * metres
        cameras.append(Camera(
            K=one.K, distortion=tuple(one.distortion), size=picture, T_cam_world=pose, name=side
        ))  # fmt: skip
    return StereoRig(left=cameras[0], right=cameras[1])


def _camera_to_dict(camera: Camera) -> dict[str, Any]:
    return {
        "name": camera.name,
        "size_px": list(camera.size),
        "K": camera.K.tolist(),
        "distortion_model": "opencv: k1 k2 p1 p2 k3 k4 k5 k6",
        "distortion": list(camera.distortion),
        "T_cam_world": camera.T_cam_world.tolist(),
        "line_time_ns": camera.line_time_ns,
        "clock_offset_ns": camera.clock_offset_ns,
        "clock_drift": camera.clock_drift,
        "clock_reference_ns": camera.clock_reference_ns,
    }


def _camera_from_dict(record: Mapping[str, Any]) -> Camera:
    return Camera(
        name=record["name"],
        size=tuple(record["size_px"]),
        K=record["K"],
        distortion=tuple(record["distortion"]),
        T_cam_world=record["T_cam_world"],
        line_time_ns=record["line_time_ns"],
        clock_offset_ns=record["clock_offset_ns"],
        clock_drift=record["clock_drift"],
        clock_reference_ns=record["clock_reference_ns"],
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"path: expected JSON in {path.name!r}: {error}") from error
    if not isinstance(record, dict):
        raise InputError(f"path: expected a JSON object in {path.name!r}")
    return record


def _entries(path: Path) -> dict[str, Floats]:
    """Return every numeric array of a file by its name; groups are joined with underscores."""
    kind = path.suffix.lower()
    if kind == ".npz":
        return _npz(path)
    if kind in _OPENCV:
        return _opencv(path)
    if kind == ".json":
        return _flat(_json(path))
    raise InputError(f"path: expected .json, .npz, {', '.join(sorted(_OPENCV))}, got {path.name!r}")


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Floats]:
    entries: dict[str, Floats] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            entries |= _flat(value, f"{prefix}{name}_")
        elif isinstance(value, (list, int, float)):
            try:
                entries[prefix + name] = np.asarray(value, np.float64)
            except (TypeError, ValueError):
                continue
    return entries


def _npz(path: Path) -> dict[str, Floats]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {}
            for name in archive.files:
                try:
                    arrays[name] = archive[name]
                except ValueError:  # pickled objects: not read
                    continue
    except (OSError, ValueError) as error:
        raise InputError(f"path: expected an npz archive in {path.name!r}: {error}") from error
    return {n: np.asarray(a, np.float64) for n, a in arrays.items() if a.dtype.kind in "fiu"}


def _opencv(path: Path) -> dict[str, Floats]:
    cv2 = load_cv2()
    try:
        with quiet(cv2):
            storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    except (cv2.error, SystemError) as error:
        raise InputError(f"path: expected OpenCV's YAML or XML in {path.name!r}") from error
    try:
        if not storage.isOpened():
            raise InputError(f"path: expected OpenCV's YAML or XML in {path.name!r}")
        return _nodes(storage.root(), "")
    finally:
        storage.release()


def _nodes(node: Any, prefix: str) -> dict[str, Floats]:
    entries: dict[str, Floats] = {}
    for name in map(str, node.keys()):
        child = node.getNode(name)
        matrix = child.mat() if child.isMap() else None
        if matrix is not None:
            entries[prefix + name] = np.asarray(matrix, np.float64)
        elif child.isMap():
            entries |= _nodes(child, f"{prefix}{name}_")
        elif child.isReal() or child.isInt():
            entries[prefix + name] = np.asarray(child.real())
        elif child.isSeq():
            items = [child.at(i) for i in range(child.size())]
            if items and all(item.isReal() or item.isInt() for item in items):
                entries[prefix + name] = np.array([item.real() for item in items])
    return entries
