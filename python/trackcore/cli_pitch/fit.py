"""`trackcore pitch fit`: sightings and a rig in; the flight, its numbers and a picture out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from trackcore._files import write_text
from trackcore.cameras import StereoRig
from trackcore.cli_output import Exit, Output
from trackcore.cli_pitch.sightings import observe, read_sightings
from trackcore.errors import DependencyError
from trackcore.pitch import (
    PitchFit,
    Sightings,
    StrikeZone,
    TrackedPitch,
)
from trackcore.pitch_report import write_pitch_picture
from trackcore.pitch_report.numbers import (
    call_words,
    evidence,
    pitch_numbers,
    status_words,
)
from trackcore.recording import SIDES, PitchSetup, PitchWindow

RECORD, PICTURE = "fit.json", "fit.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitJob:
    """What to fit, and where to write it."""

    sources: tuple[Path, ...]
    rig: StereoRig
    folder: Path
    setup: PitchSetup
    radar_mph: float | None


def run(job: FitJob, output: Output) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Fit, write `fit.json` and `fit.png`, and say what was found.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    left, right = read_sightings(job.sources)
    fit = job.setup.fitted(job.rig, left, right, radar_mph=job.radar_mph)
    window = window_of(job.sources[0].stem, job.rig, left, right, fit)
    code, outcome = judged(fit, plate=job.rig.has_plate)
    job.folder.mkdir(parents=True, exist_ok=True)
    files = {"fit": job.folder / RECORD}
    record = {
        "outcome": outcome,
        "source": [str(path) for path in job.sources],
        "sightings": {"left": len(left), "right": len(right)},
        **fit_options(job.setup),
        **fit_record(fit, job.rig),
    }
    write_text(files["fit"], json.dumps(record, indent=2, allow_nan=False) + "\n")
    picture = draw(job.folder / PICTURE, window, job.rig, job.setup.zone, output)
    if picture is not None:
        files["picture"] = picture
    if code is not Exit.GOOD:
        output.error(status_words(fit, plate=job.rig.has_plate))
    shown = [numbers_table(window, job.rig), *(Text(f"wrote {p}") for p in files.values())]
    return code, {**record, "files": {k: str(p) for k, p in files.items()}}, shown


def fit_options(setup: PitchSetup) -> dict[str, Any]:
    """Return what a fit was told, as records have it."""
    said = setup.to_dict()
    return {"options": said["fit"], "ball": said["ball"], "zone": said["zone"]}


def judged(fit: PitchFit, *, plate: bool) -> tuple[Exit, str]:
    """Return the exit code of a fit and the word for it: no flight, one with warnings, a good one.

    Without a plate it is no fault that none is crossed.
    """
    if fit.flight is None:
        return Exit.NOTHING_TRACKABLE, "no_fit"
    warnings = [f.value for f in fit.failures if plate or f.value != "NO_PLATE_CROSSING"]
    return (Exit.WEAK, "weak") if warnings else (Exit.GOOD, "done")


def window_of(
    name: str, rig: StereoRig, left: Sightings, right: Sightings, fit: PitchFit
) -> PitchWindow:
    """Return sightings without footage as a pitch that can be drawn."""
    times = np.concatenate([
        camera.common_time_ns(seen.t_ns)
        for camera, seen in zip(rig.cameras, (left, right), strict=True)
    ])  # fmt: skip
    ends = (int(times.min()), int(times.max())) if len(times) else (0, 0)
    pitch = TrackedPitch(1, *ends, left, right, observe(rig, left, right, fit), ())
    nothing: dict[str, tuple[()]] = {side: () for side in SIDES}
    return PitchWindow(
        pitch_id=name, index=1, pitch=pitch, fit=fit, frames=nothing, detections=nothing
    )


def fit_record(fit: PitchFit, rig: StereoRig) -> dict[str, Any]:
    """Return a fit as plain values: the documented fields, and places in metres with deviations."""
    flight, table = fit.flight, fit.residuals
    X, V = fit.at_times(np.array([fit.reference_ns], np.int64))
    return {
        "frame": {"name": rig.frame.name, "unit": rig.frame.unit,
                  "handedness": rig.frame.handedness},
        "documented": fit.documented(),
        "flight": None if flight is None else {
            "model": flight.model.value, "reference_ns": fit.reference_ns,
            "X_world_m": _numbers(X[0]), "V_world_mps": _numbers(V[0]),
            "acceleration_world_mps2": _numbers(fit.acceleration_world),
            "rms_px": flight.rms_px, "chi2": flight.chi2, "dof": flight.dof,
            "parameters": _numbers(flight.q),
            "sigma": _numbers(np.sqrt(np.diag(flight.covariance))),
        },
        "numbers": [
            {"name": n.name, "value": _number(n.value), "sigma": _number(n.sigma), "unit": n.unit}
            for n in pitch_numbers(fit, plate=rig.has_plate)
        ],
        "residuals": None if table is None else {
            "side": [SIDES[s] for s in table.side.tolist()], "index": table.index.tolist(),
            "tau_s": _numbers(table.tau_s),
            "residual_px": [_numbers(row) for row in table.residual_px],
            "inlier": table.inlier.tolist(),
        },
    }  # fmt: skip


def draw(
    path: Path, window: PitchWindow, rig: StereoRig, zone: StrikeZone, output: Output
) -> Path | None:
    """Draw a pitch; without matplotlib say so and go on."""
    try:
        return write_pitch_picture(path, window, rig, zone=zone)
    except DependencyError as error:
        output.log(f"note: no picture: {error}")
        return None


def numbers_table(window: PitchWindow, rig: StereoRig) -> Table:
    """Return all numbers of a pitch for people."""
    plate = rig.has_plate
    said = call_words(window.fit) if plate else status_words(window.fit, plate=False)
    rows = Table(show_header=False, title=Text(f"{window.pitch_id}: {said}"))
    rows.add_column(style="dim")
    rows.add_column(justify="right")
    rows.add_column(style="dim")
    for number in (*pitch_numbers(window.fit, plate=plate), *evidence(window)):
        rows.add_row(number.name, number.text, number.spread)
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _numbers(values: Any) -> list[float | None]:
    return [_number(v) for v in np.asarray(values, np.float64).tolist()]
