"""The names that others give to the parts of a calibration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError

Floats = NDArray[np.float64]

# Without case and underscores.
_PARTS = {
    "K": ("k", "m", "mtx", "cameramatrix", "cammtx", "cammatrix", "cammat", "matrix", "intrinsic",
          "intrinsics", "intrinsicmatrix", "cameraintrinsics", "kmatrix", "cm"),
    "D": ("d", "dist", "distcoeffs", "distcoeff", "distcoefs", "distcoef", "distortion",
          "distortioncoefficients", "distortioncoeffs", "distortioncoeff", "distortions", "dc"),
    "R": ("r", "rot", "rotation", "rotationmatrix", "rmat", "rotmat", "rotmatrix"),
    "T": ("t", "trans", "translation", "translationvector", "tvec", "tvecs"),
    "size": ("imagesize", "imgsize", "size", "imsize", "resolution", "framesize"),
    "width": ("imagewidth", "width", "imgwidth"),
    "height": ("imageheight", "height", "imgheight"),
}  # fmt: skip
# How the two cameras are told apart; the first pair of words that names two matrices is it.
_SIDES = (
    ("left", "right"), ("l", "r"), ("1", "2"), ("0", "1"), ("cam1", "cam2"), ("cam0", "cam1"),
    ("camera1", "camera2"), ("camera0", "camera1"), ("a", "b"),
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """One camera as a file has it: T in the file's unit, R and T None without a pose."""

    K: Floats
    distortion: Floats
    R: Floats | None
    T: Floats | None
    size: tuple[int, int] | None


def find_cameras(
    files: Sequence[Mapping[str, Floats]], names: Sequence[str]
) -> tuple[Named, Named]:
    """Return the left and the right camera in the entries of one or more files.

    Raises
    ------
    InputError
        If two camera matrices, or a rotation and a translation, are not among them.
    """
    plain = [{_plain(name): value for name, value in entries.items()} for entries in files]
    if len(plain) == 2 and all(_part(entries, "K", "") is not None for entries in plain):
        return _with_poses([_one(entries, "", entries) for entries in plain], {}, names)
    entries = {name: value for one in plain for name, value in one.items()}
    for sides in _SIDES:
        if all(_part(entries, "K", side) is not None for side in sides):
            return _with_poses([_one(entries, side, entries) for side in sides], entries, names)
    known = ", ".join(name for one in files for name in one) or "nothing"
    raise InputError(
        f"path: expected the camera matrices of two cameras (K1 and K2, mtx_left and mtx_right,"
        f" ...) in {' and '.join(names)}, found {known}"
    )


def _with_poses(
    pair: list[Named], entries: Mapping[str, Floats], names: Sequence[str]
) -> tuple[Named, Named]:
    left, right = pair
    R, T = _part(entries, "R", ""), _part(entries, "T", "")
    if R is not None and T is not None:  # from the left camera to the right one
        return _placed(left, None, None), _placed(right, _rotation(R), np.ravel(T))
    if right.R is not None and right.T is not None:
        return left, right
    raise InputError(
        f"path: expected R and T from the left camera to the right one, or a pose of each, in"
        f" {' and '.join(names)}"
    )


def _placed(one: Named, R: Floats | None, T: Floats | None) -> Named:
    return Named(one.K, one.distortion, R, T, one.size)


def _one(entries: Mapping[str, Floats], side: str, shared: Mapping[str, Floats]) -> Named:
    K, D = _part(entries, "K", side), _part(entries, "D", side)
    R, T = _part(entries, "R", side), _part(entries, "T", side)
    pose = R is not None and T is not None  # R1 alone is OpenCV's rectification
    size = _size(entries, side) or _size(shared, "")
    return Named(
        np.asarray(K),
        np.zeros(0) if D is None else np.ravel(D),
        _rotation(R) if pose and R is not None else None,
        np.ravel(T) if pose and T is not None else None,
        size,
    )


def _size(entries: Mapping[str, Floats], side: str) -> tuple[int, int] | None:
    both = _part(entries, "size", side)
    if both is not None:
        w, h = (int(v) for v in np.ravel(both)[:2])
        return w, h
    width, height = (_part(entries, part, side) for part in ("width", "height"))
    return None if width is None or height is None else (int(width), int(height))


def _rotation(R: Floats) -> Floats:
    """Return a rotation matrix; three numbers are a rotation vector [rad]."""
    if R.size == 9:
        return R.reshape(3, 3)
    x, y, z = np.ravel(R)
    angle = float(np.linalg.norm([x, y, z]))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    if angle == 0:
        return np.eye(3)
    return np.asarray(
        np.eye(3) + np.sin(angle) / angle * cross + (1 - np.cos(angle)) / angle**2 * cross @ cross
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _part(entries: Mapping[str, Floats], part: str, side: str) -> Floats | None:
    for word in _PARTS[part]:
        for name in dict.fromkeys((word + side, side + word)):
            if name in entries and _fits(entries[name], part):
                return entries[name]
    return None


def _fits(value: Floats, part: str) -> bool:
    sizes = {"K": (9,), "D": (1, 2, 4, 5, 8, 12, 14), "R": (3, 9), "T": (3,), "size": (2, 3)}
    return value.size in sizes.get(part, (1,))
