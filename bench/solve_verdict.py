"""What became of each scene of the solve suite, and what all of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from bench.solve_metrics import CameraError
from bench.solve_run import Outcome
from bench.solve_truth import Scene

GOOD_PCT, FAIR_PCT, BAD_PCT = 0.5, 2.0, 5.0
BANDS = (f"<= {GOOD_PCT} %", f"<= {FAIR_PCT} %", f"<= {BAD_PCT} %", f"> {BAD_PCT} %", "no camera")
GRADES = ("A", "B", "C", "D", "F", "-", "exception")
SOLVED = ("A", "B", "C")  # "-" counts as solved: an engine without grades means every camera
FROM_ONE_PLACE = ("tripod", "tripod_zoom")
LEAST_REGISTERED = 0.5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scene: what came out, how far it is off, how long it took.

    `failure` is the exception where there was one; `refused` tells one that speaks to the user
    (a TrackcoreError) from a crash.
    """

    scene: Scene
    outcome: Outcome | None
    error: CameraError
    wall_s: float
    cpu_s: float
    failure: str = ""
    refused: bool = False

    @property
    def grade(self) -> str:
        """The grade given, or "exception"."""
        return self.outcome.grade if self.outcome else "exception"

    @property
    def error_pct(self) -> float:
        """What the shot is judged by [%]: path, or from a tripod rotation and focal length."""
        return self.error.of_kind(self.scene.kind)

    @property
    def band(self) -> int:
        """Index into `BANDS`: by the error, or no camera in half of the frames."""
        if self.error.registered < LEAST_REGISTERED:
            return len(BANDS) - 1
        # An error that is undefined is not small.
        pct = self.error_pct if np.isfinite(self.error_pct) else np.inf
        return int(np.searchsorted((GOOD_PCT, FAIR_PCT, BAD_PCT), pct))

    @property
    def solved(self) -> bool:
        """Whether it was handed out as a camera to use."""
        return self.grade in (*SOLVED, "-")

    @property
    def right_about_bad_input(self) -> bool:
        """Refused with a reason, or given a low grade, or right after all."""
        if not self.outcome:
            return self.refused
        focal_is_right = self.error.focal_pct <= BAD_PCT or self.grade not in SOLVED
        return not self.solved or (self.band <= 2 and focal_is_right)

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN as None."""
        found = self.outcome
        values = {
            "scene": self.scene.name, "kind": self.scene.kind, "tags": list(self.scene.tags),
            "expect": self.scene.expect, "grade": self.grade, "failure": self.failure,
            "refused": self.refused, "error_pct": self.error_pct, **asdict(self.error),
            "wall_s": self.wall_s, "cpu_s": self.cpu_s,
        }  # fmt: skip
        if found:
            values |= {
                "reasons": list(found.reasons), "mean_error_px": found.mean_error_px,
                "held_out_error_px": found.held_out_error_px, "survival": found.survival,
                "attempts": found.attempts,
            }  # fmt: skip
        return plain(values)


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: they are null."""
    no_number = {k for k, v in values.items() if isinstance(v, float) and not np.isfinite(v)}
    return {k: None if k in no_number else v for k, v in values.items()}


@dataclass(frozen=True)
class Total:
    """One figure of the suite against what was asked."""

    name: str
    value: float
    asked: str
    met: bool
    of: str


def totals(rows: Sequence[Row]) -> list[Total]:
    """The issue's targets, over the scenes that can be solved; a failure counts as the worst."""
    good = [r for r in rows if r.scene.expect == "solve"]
    if not good:
        return []
    path = [_or_inf(r) for r in good if r.scene.kind not in FROM_ONE_PLACE]
    turn = [_or_inf(r) for r in good if r.scene.kind in FROM_ONE_PLACE]
    exact = [r for r in good if r.band == 0]
    best = [r for r in good if r.grade == "A"]
    first = np.mean([r.solved and bool(r.outcome) and r.outcome.attempts == 1 for r in good])
    done = [r.outcome for r in good if r.outcome]
    wrong = sum(r.band > 2 for r in best)
    far = sum(r.error.path_max_pct > BAD_PCT for r in best)
    with_grade = np.mean([r.grade in "AB" for r in exact]) if exact else np.nan
    n = f"{len(good)} scenes"
    return [
        _total("first-try success (A-C at once)", float(first), ">= 0.9", n),
        _total("mean attempts", _mean([o.attempts for o in done]), "<= 1.2", f"{len(done)} runs"),
        _total("survival into bundles",
               _mean([r.outcome.survival if r.outcome else 0.0 for r in good]), ">= 0.7", n),
        _total("mean reprojection px", _mean([o.mean_error_px for o in done]), "<= 0.5",
               f"{len(done)} runs"),
        _total("median camera position error %", _median(path), "<= 0.5", f"{len(path)} moving"),
        _total("median tripod error % (rotation, focal)", _median(turn), "<= 0.5",
               f"{len(turn)} from one place"),
        _total("A with an error > 5 %", wrong, "<= 0", f"{len(best)} As"),
        _total("A with any camera > 5 % off", far, "<= 0", f"{len(best)} As"),
        _total("A or B where the error is <= 0.5 %", float(with_grade), ">= 0.7",
               f"{len(exact)} exact"),
    ]  # fmt: skip


def confusion(rows: Sequence[Row]) -> list[list[Any]]:
    """Scenes per grade (rows) and true error (columns); grades nobody got are left out."""
    table = [
        [g, *(sum(r.grade == g and r.band == b for r in rows) for b in range(5))] for g in GRADES
    ]
    return [row for row in table if any(row[1:])]


def _total(name: str, value: float, asked: str, of: str) -> Total:
    relation, limit = asked.split()
    met = value >= float(limit) if relation == ">=" else value <= float(limit)
    return Total(name, float(value), asked, bool(met), of)


def _or_inf(row: Row) -> float:
    no_camera = row.band == len(BANDS) - 1 or not np.isfinite(row.error_pct)
    return np.inf if no_camera else row.error_pct


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")
