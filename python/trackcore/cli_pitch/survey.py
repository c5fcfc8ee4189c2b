"""Survey points of a lane: a table of known places and where both cameras see them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from trackcore.ballistics import INCH_M
from trackcore.cameras import PITCH_FRAME, StereoRig, WorldFit, home_plate_ft, solve_world
from trackcore.errors import InputError

Floats = NDArray[np.float64]

PLACES = ("X_ft", "Y_ft", "Z_ft")
SEEN = ("left_u_px", "left_v_px", "right_u_px", "right_v_px")
_NAME = "name"


@dataclass(frozen=True, slots=True)
class SurveyFit:
    """The world as survey points say it.

    Attributes
    ----------
    names : tuple of str
    X_ft : (n, 3) float64
        In the documented frame of pitches.
    fit : WorldFit
    """

    names: tuple[str, ...]
    X_ft: Floats
    fit: WorldFit

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        return {
            "points": len(self.names),
            "rms_px": self.fit.rms_px,
            "scale": _number(self.fit.scale),
            "errors": [
                {"name": name, "left_px": _number(px[0]), "right_px": _number(px[1]),
                 "distance_in": _number(m / INCH_M)}
                for name, px, m in zip(self.names, self.fit.error_px, self.fit.error_m, strict=True)
            ],
        }  # fmt: skip

    def table(self) -> Table:
        """Return the errors of the points for people."""
        rows = Table(
            "point", "X, Y, Z, ft", "left, px", "right, px", "off by, in",
            title=f"survey points, {self.fit.rms_px:.2f} px rms",
        )  # fmt: skip
        for name, X, px, m in zip(
            self.names, self.X_ft.tolist(), self.fit.error_px.tolist(), self.fit.error_m.tolist(),
            strict=True,
        ):  # fmt: skip
            rows.add_row(
                name, ", ".join(f"{v:.2f}" for v in X), *(f"{v:.2f}" for v in px),
                f"{m / INCH_M:.2f}",
            )  # fmt: skip
        return rows


def solve_survey(rig: StereoRig, path: Path) -> SurveyFit:
    """Put a rig into the world of pitches by a CSV of survey points.

    Columns: `name` (optional), `X_ft, Y_ft, Z_ft` of the documented frame, `left_u_px, left_v_px,
    right_u_px, right_v_px`, of which a point not seen leaves its own empty. Without the places the
    five rows are home plate's corners: the front edge's left and right, the end of the right side,
    the tip, the end of the left side, all from the catcher.

    Raises
    ------
    InputError
        If the file is no such table, or its points do not determine a world.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = tuple(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"survey: expected a CSV file at {path.name!r}: {error}") from error
    missing = [name for name in SEEN if name not in names]
    if missing:
        raise InputError(
            f"survey: expected columns {', '.join((*PLACES, *SEEN))} in {path.name!r}, missing"
            f" {', '.join(missing)}"
        )
    uv = np.array([[_cell(row, name) for name in SEEN] for row in rows]).reshape(-1, 2, 2)
    if all(name in names for name in PLACES):
        X = np.array([[_cell(row, name) for name in PLACES] for row in rows]).reshape(-1, 3)
        said = tuple(row.get(_NAME) or str(i) for i, row in enumerate(rows, start=1))
    else:
        X, said = home_plate_ft(), tuple(f"plate {i}" for i in range(1, 6))
        if len(rows) != len(X):
            raise InputError(
                f"survey: expected {', '.join(PLACES)}, or five rows that are the corners of the"
                f" plate, got {len(rows)} rows in {path.name!r}"
            )
    return SurveyFit(said, X, solve_world(rig, X, uv, frame=PITCH_FRAME))


def _cell(row: dict[str, str], name: str) -> float:
    text = (row.get(name) or "").strip()
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise InputError(f"survey: expected a number in column {name}, got {text!r}") from None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
