"""`json`: the whole solve as one object, and back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from trackcore._files import write_text
from trackcore.errors import InputError, SourceError
from trackcore.exports.shot import Shot
from trackcore.solver import Grade, Lens, Solve, SolveKind, TrackRole
from trackcore.stats import ShotKind, ShotType

FORMAT = "trackcore.solve"
VERSION = 1

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
_NO_POSE = [[math.nan] * 4] * 4
_NO_POINT = [math.nan] * 3


def write(shot: Shot, path: Path) -> None:
    """Write `Solve.to_dict()` with a format name and version; NaN is null."""
    plain = {"format": FORMAT, "version": VERSION, **shot.solve.to_dict()}
    write_text(path, json.dumps(plain, allow_nan=False) + "\n")


def load_solve(path: str | os.PathLike[str]) -> Solve:
    """Read a solve that was exported as `json`.

    Parameters
    ----------
    path : path
        A `solve.json`.

    Returns
    -------
    Solve
        Equal to what was written, bit for bit.

    Raises
    ------
    InputError
        If the file is not there (`SourceError`), holds something else, or is newer.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError(f"path: expected a solve (.json), found none at {path}")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:
            raise ValueError
        version = int(plain["version"])
    except _UNREADABLE:
        raise InputError(f"path: expected a solve that trackcore exported, got {path}") from None
    if version > VERSION:
        raise InputError(
            f"path: {path} has version {version}, this trackcore reads up to {VERSION}: update it"
        )
    try:
        return _solve(plain)
    except _UNREADABLE as error:
        raise InputError(f"path: {path} is damaged ({error})") from None


def _solve(plain: dict[str, Any]) -> Solve:
    frames, tracks = plain["frames"], plain["tracks"]
    (w, h), (cx, cy) = plain["frame_size"], plain["principal_point_px"]
    return Solve(
        T_cam_world=np.reshape([f["T_cam_world"] or _NO_POSE for f in frames], (-1, 4, 4)),
        points=np.reshape(np.array([t["point"] or _NO_POINT for t in tracks], float), (-1, 3)),
        ids=np.array([t["id"] for t in tracks], np.int64),
        role=np.array([TrackRole[t["role"]] for t in tracks], np.uint8),
        track_error_px=_numbers(tracks, "error_px"),
        frame_error_px=_numbers(frames, "error_px"),
        frame_numbers=np.array([f["frame"] for f in frames], np.int64),
        frame_size=(int(w), int(h)),
        fps=float(plain["fps"]),
        focal_px=_number(plain["focal_px"]),
        focal_px_per_frame=_numbers(frames, "focal_px"),
        focal_sigma_px=_number(plain["focal_sigma_px"]),
        principal_point_px=(float(cx), float(cy)),
        lens=Lens.from_dict(plain["lens"]),
        pixel_aspect=float(plain["pixel_aspect"]),
        mean_error_px=_number(plain["mean_error_px"]),
        held_out_error_px=_number(plain["held_out_error_px"]),
        held_out_ids=np.array(plain["held_out_ids"], np.int64),
        centre_sigma=_numbers(frames, "centre_sigma"),
        kind=SolveKind(plain["kind"]),
        shot=_shot(plain["shot"]),
        keyframes=None if plain["keyframes"] is None else tuple(plain["keyframes"]),
        grade=Grade(plain["grade"]),
        reasons=tuple(plain["reasons"]),
        evidence={name: _number(value) for name, value in plain["evidence"].items()},
    )


def _shot(plain: dict[str, Any] | None) -> ShotType | None:
    if plain is None:
        return None
    evidence = {name: _number(value) for name, value in plain["evidence"].items()}
    return ShotType(ShotKind(plain["kind"]), _number(plain["confidence"]), evidence)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _numbers(rows: list[dict[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([_number(row[name]) for row in rows], np.float64)
