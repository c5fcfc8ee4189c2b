"""Checks of what `Tracks` is made from: arrays it can keep, or a message worth reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.types import PointStatus

_LAST_STATUS = max(PointStatus)
NCC_SLACK = 1e-5  # float32 rounding of a perfect match


def positions(name: str, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `xy` if pairs are finite or NaN together."""
    if np.isinf(xy).any():
        track, frame = np.argwhere(np.isinf(xy).any(axis=-1))[0]
        raise InputError(
            f"{name}: expected finite numbers, or NaN where unseen, "
            f"got {xy[track, frame]} for track {track} at index {frame}"
        )
    half = np.isnan(xy).sum(axis=-1) == 1
    if half.any():
        track, frame = np.argwhere(half)[0]
        raise InputError(
            f"{name}: expected x and y to be NaN together where unseen, "
            f"got {xy[track, frame]} for track {track} at index {frame}"
        )
    return xy


def whole(name: str, value: ArrayLike, shape: tuple[int, ...], owner: str) -> NDArray[np.int64]:
    """Return `value` as int64 of the given shape, which `owner` set."""
    array = np.asarray(value)
    if array.size == 0 and 0 in shape:
        return np.zeros(shape, np.int64)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name}: expected integers, got dtype {array.dtype}")
    if array.shape != shape:
        raise InputError(f"{name}: expected shape {shape} as in {owner}, got {array.shape}")
    if array.dtype.kind == "u" and array.max() > np.iinfo(np.int64).max:
        raise InputError(f"{name}: expected numbers that fit int64, got {array.max()}")
    return np.ascontiguousarray(array, dtype=np.int64)


def increasing(name: str, array: NDArray[np.int64]) -> NDArray[np.int64]:
    backwards = np.flatnonzero(array[1:] <= array[:-1])
    if len(backwards):
        i = int(backwards[0])
        raise InputError(
            f"{name}: expected increasing numbers, got {array[i]} then {array[i + 1]}"
            f" at index {i + 1}"
        )
    return array


def statuses(value: ArrayLike, xy_px: NDArray[np.float64]) -> NDArray[np.uint8]:
    status = whole("status", value, xy_px.shape[:2], "xy_px")
    if status.size and not 0 <= status.min() <= status.max() <= _LAST_STATUS:
        wrong = status[(status < 0) | (status > _LAST_STATUS)][0]
        raise InputError(f"status: expected PointStatus 0 .. {int(_LAST_STATUS)}, got {wrong}")
    wrong_at = np.argwhere((status == PointStatus.TRACKED) != np.isfinite(xy_px[..., 0]))
    if len(wrong_at):
        track, frame = wrong_at[0]
        name = PointStatus(status[track, frame]).name
        raise InputError(
            "status: expected TRACKED exactly where xy_px has a position, "
            f"got {name} with {xy_px[track, frame]} for track {track} at index {frame}"
        )
    return status.astype(np.uint8)


def ncc_values(value: ArrayLike, xy_px: NDArray[np.float64]) -> NDArray[np.float32]:
    ncc = np.asarray(value)
    if ncc.dtype.kind not in "fiu":
        raise InputError(f"ncc: expected real numbers, got dtype {ncc.dtype}")
    if ncc.shape != xy_px.shape[:2]:
        raise InputError(f"ncc: expected shape {xy_px.shape[:2]} as in xy_px, got {ncc.shape}")
    wrong = np.abs(ncc) > 1 + NCC_SLACK
    if wrong.any():
        raise InputError(f"ncc: expected -1 .. 1, or NaN where unknown, got {ncc[wrong][0]}")
    if (np.isfinite(ncc) & np.isnan(xy_px[..., 0])).any():
        raise InputError("ncc: expected NaN where xy_px has no position, got numbers")
    return np.ascontiguousarray(ncc, dtype=np.float32)


def frame_size(value: tuple[int, int]) -> tuple[int, int]:
    size = np.asarray(value)
    if size.shape != (2,) or size.dtype.kind not in "iu" or (size < 1).any():
        raise InputError(f"frame_size: expected (w, h) in px, both at least 1, got {value!r}")
    return int(size[0]), int(size[1])


def fps(value: float) -> float:
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not 0 < value < np.inf:
        raise InputError(f"fps: expected a number above 0, got {value!r}")
    return float(value)


def frame_number(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{name}: expected an integer, got {value!r}")
    return int(value)
