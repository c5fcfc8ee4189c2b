"""Sightings of a ball in files: our table, JSON, or the documented detections and observations."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.cameras import StereoRig
from trackcore.errors import InputError
from trackcore.pitch import PitchFit, Sightings, StereoObservation
from trackcore.recording import SIDES

Floats = NDArray[np.float64]
Row = Mapping[str, Any]

_SIDE = ("camera", "side", "camera_id")
_TIME = ("t_ns", "timestamp_ns", "t_capture_monotonic_ns")
_U, _V = ("u_px", "u", "x_px", "x"), ("v_px", "v", "y_px", "y")
_SIGMA = ("sigma_px",)
_RIGHT_TIME = ("right_timestamp_ns", "right_t_ns")


def read_sightings(paths: Sequence[Path]) -> tuple[Sightings, Sightings]:
    """Return what both cameras saw of one ball.

    Parameters
    ----------
    paths : sequence of path
        One CSV with the columns `camera` (left or right), `t_ns`, `u_px`, `v_px` and, if known,
        `sigma_px`; or one JSON with lists `left` and `right` of such rows, or with the documented
        `observations`; or the documented detections of the left and of the right camera. Of
        several detections with one stamp the surest counts.

    Raises
    ------
    InputError
        If the files are none of these.
    """
    if len(paths) == 2:
        sides = [_detections(path) for path in paths]
    elif len(paths) == 1:
        sides = _of_one(paths[0])
    else:
        raise InputError(f"SIGHTINGS: expected one file or two, got {len(paths)}")
    left, right = (_sightings(rows) for rows in sides)
    return left, right


def _of_one(path: Path) -> list[list[Row]]:
    if path.suffix.lower() == ".csv":
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows: list[Row] = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"SIGHTINGS: expected a CSV file at {path}: {error}") from error
        return [[row for row in rows if _of_side(row, side)] for side in SIDES]
    record = _json(path)
    if "observations" in record:
        return _observations(record["observations"])
    if all(side in record for side in SIDES):
        return [list(record[side]) for side in SIDES]
    raise InputError(
        f"SIGHTINGS: expected 'left' and 'right', or 'observations', in {path.name!r}, found"
        f" {', '.join(record) or 'nothing'}"
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"SIGHTINGS: expected JSON or CSV at {path}: {error}") from error
    if not isinstance(record, dict):
        raise InputError(f"SIGHTINGS: expected a JSON object in {path.name!r}")
    return record


def _detections(path: Path) -> list[Row]:
    record = _json(path)
    if "detections" not in record:
        raise InputError(f"SIGHTINGS: expected 'detections' in {path.name!r}")
    return list(record["detections"])


def _observations(rows: Iterable[Row]) -> list[list[Row]]:
    """Return both sides of the documented observations; a right without stamp has the left's."""
    left: list[Row] = []
    right: list[Row] = []
    for row in rows:
        t_left = _value(row, _TIME)
        t_right = next((row[n] for n in _RIGHT_TIME if row.get(n) is not None), t_left)
        for side, t, key in ((left, t_left, "left_px"), (right, t_right, "right_px")):
            u, v = row[key]
            side.append({"t_ns": t, "u_px": u, "v_px": v})
    return [left, right]


def _of_side(row: Row, side: str) -> bool:
    said = str(_value(row, _SIDE)).strip().lower()
    if said not in SIDES:
        raise InputError(f"SIGHTINGS: expected left or right in the column camera, got {said!r}")
    return said == side


def _value(row: Row, names: Sequence[str]) -> Any:
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    raise InputError(f"SIGHTINGS: expected {names[0]} in every row, found {', '.join(row)}")


def _sightings(rows: list[Row]) -> Sightings:
    best: dict[int, tuple[float, float, float, float]] = {}
    for row in rows:
        try:
            t = int(_value(row, _TIME))
            u, v = float(_value(row, _U)), float(_value(row, _V))
            sure = float(row.get("confidence") or 1.0)
            sigma = float(row.get(_SIGMA[0]) or "nan")
        except (TypeError, ValueError) as error:
            raise InputError(f"SIGHTINGS: expected numbers in every row: {error}") from error
        if t not in best or sure > best[t][3]:
            best[t] = u, v, sigma, sure
    times = sorted(best)
    table = np.array([best[t] for t in times], np.float64).reshape(-1, 4)
    covariance = None
    if len(table) and np.isfinite(table[:, 2]).all():
        covariance = table[:, 2, None, None] ** 2 * np.eye(2)
    return Sightings(np.array(times, np.int64), table[:, :2], covariance)


def observe(
    rig: StereoRig, left: Sightings, right: Sightings, fit: PitchFit
) -> tuple[StereoObservation, ...]:
    """Return where both cameras saw the ball: right positions are moved to the left stamps.

    Between two right sightings, by a straight line; outside of them there is none.
    """
    if len(left) == 0 or len(right) < 2:
        return ()
    clock = 0.0 if not np.isfinite(fit.clock_offset_s) else fit.clock_offset_s
    here = rig.left.common_time_ns(left.t_ns)
    there = rig.right.common_time_ns(right.t_ns) + round(1e9 * clock)
    order = np.argsort(there)
    moved = np.stack([
        np.interp(here, there[order], right.xy_px[order, k], left=np.nan, right=np.nan)
        for k in (0, 1)
    ], axis=1)  # fmt: skip
    points = rig.triangulate(np.stack([left.xy_px, moved], axis=1), sigma_px=1.0)
    off = rig.sampson_px(left.xy_px, moved)
    _, V = fit.at_times(here)
    nearest = np.abs(here[:, None] - there).argmin(axis=1)
    assert points.covariance is not None
    return tuple(
        StereoObservation(
            t_ns=int(left.t_ns[i]), right_t_ns=int(right.t_ns[nearest[i]]),
            left_px=left.xy_px[i], right_px=right.xy_px[nearest[i]], X_world=points.X_world[i],
            V_world=V[i], covariance=points.covariance[i], epipolar_px=float(off[i]),
            quality=float(np.exp(-0.5 * off[i] ** 2)), confidence=1.0, left_number=0,
            right_number=0,
        )
        for i in np.flatnonzero(np.isfinite(points.X_world).all(axis=1)).tolist()
    )  # fmt: skip
