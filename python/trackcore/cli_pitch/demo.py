"""`trackcore pitch demo`: pitches are rendered, replayed from their pixels, and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS
from trackcore.cameras import StereoRig
from trackcore.cli_pitch.outcome import PitchOutcome, SessionOutcome
from trackcore.cli_pitch.render import TRUTH
from trackcore.pitch import lane_rig

_COLUMNS = (
    ("across_in", "across, in", 3), ("up_in", "up, in", 3), ("speed_mph", "speed, mph", 3),
    ("clock_ms", "clock, ms", 4),
)  # fmt: skip
_HEIGHT, _BEHIND, _LOOK = 9 * FOOT_M, 16 * FOOT_M, (0.0, -0.1, -5.0)
_FOCAL_PER_WIDTH = 1200 / 1280


def demo_rig(size: tuple[int, int] = (1280, 720)) -> StereoRig:
    """Return two cameras behind the plate that see the whole flight, and the plate."""
    return lane_rig(
        focal_px=_FOCAL_PER_WIDTH * size[0], size=size, height_m=_HEIGHT, behind_m=_BEHIND,
        look_at_m=_LOOK,
    )  # fmt: skip


def compare(outcome: SessionOutcome, folder: Path) -> dict[str, Any]:
    """Return the errors against `truth.json`: `error`, None where it is gone, and `comparison`."""
    path = folder / TRUTH
    if not path.exists():
        return {"error": None}
    truth = json.loads(path.read_text(encoding="utf-8"))
    thrown = truth["pitches"]
    matched = [(p, _thrown(p, thrown)) for p in outcome.pitches]
    rows = [
        {"pitch_id": p.pitch_id, **_error(p, true, truth["clock_offset_s"])}
        for p, true in matched if true is not None
    ]  # fmt: skip
    rms = {name: _rms([row[name] for row in rows]) for name, _, _ in _COLUMNS}
    error = {
        "thrown": len(thrown),
        "found": len({id(true) for _, true in matched if true is not None}),
        "false": sum(true is None for _, true in matched),
        "calls_right": sum(row["call_right"] is True for row in rows),
        "rms": rms,
        "pitches": rows,
    }
    return {"error": error, "comparison": _rows(error)}


def _thrown(pitch: PitchOutcome, thrown: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the pitch that was thrown meanwhile."""
    middle = (pitch.start_ns + pitch.end_ns) // 2
    for true in thrown:
        if true["plate_t_ns"] is not None and true["release_t_ns"] < middle < true["plate_t_ns"]:
            return true
    return None


def _error(pitch: PitchOutcome, true: dict[str, Any], clock_s: float) -> dict[str, Any]:
    fit = pitch.fit
    if fit is None:
        return {**{name: None for name, _, _ in _COLUMNS}, "call_right": None}
    across, up = (fit.plate.X_world[:2] / INCH_M).tolist()
    call = fit.strike.is_strike
    return {
        "across_in": _number(across - true["plate_x_in"]),
        "up_in": _number(up - true["plate_y_in"]),
        "speed_mph": _number(fit.at_50ft.speed / MPH_MPS - true["speed_50ft_mph"]),
        "clock_ms": _number(1e3 * (fit.clock_offset_s - clock_s)),
        "call_right": None if call is None else call == true["is_strike"],
    }


def _rows(error: dict[str, Any]) -> list[list[str]]:
    """Return the errors as rows of text, the first of headings."""
    head = ["pitch", *(title for _, title, _ in _COLUMNS), "call"]
    words = {True: "right", False: "wrong", None: "-"}
    body = [
        [row["pitch_id"], *(_signed(row[name], n) for name, _, n in _COLUMNS),
         words[row["call_right"]]] for row in error["pitches"]
    ]  # fmt: skip
    rms = [_signed(error["rms"][name], n).lstrip("+") for name, _, n in _COLUMNS]
    found = f"{error['found']} of {error['thrown']} found"
    return [head, *body, ["rms", *rms, found]]


def error_table(error: dict[str, Any] | None) -> list[Table]:
    """Return the errors for people; nothing where there is no truth."""
    if error is None:
        return []
    head, *body = _rows(error)
    table = Table(*head, title="against the truth")
    for column in table.columns[1:-1]:
        column.justify = "right"
    for row in body[:-1]:
        table.add_row(*row)
    table.add_section()
    table.add_row(*body[-1])
    return [table]


def _signed(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:+.{digits}f}"


def _rms(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
