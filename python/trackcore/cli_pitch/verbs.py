"""The verbs of `trackcore pitch` and their flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trackcore.cli_options import Verb, with_options
from trackcore.cli_output import Output, interruptible
from trackcore.cli_pitch import calibrate as _calibrate
from trackcore.cli_pitch import fit as _fit
from trackcore.cli_pitch import refit as _refit
from trackcore.cli_pitch.calibrate import BoardOptions, CalibrateJob
from trackcore.cli_pitch.common import (
    Json,
    Quiet,
    Size,
    Unit,
    app,
    out_folder,
    picture_size,
    read_rig,
)
from trackcore.cli_pitch.fit import FitJob
from trackcore.cli_pitch.settings import Given, with_settings
from trackcore.errors import InputError
from trackcore.recording import PitchSetup

_CALIBRATE_EXAMPLES = """
Examples:\n
  trackcore pitch calibrate left/ right/ --columns 9 --rows 6 --square 25 --unit mm -o rig\n
  trackcore pitch calibrate 'left##.jpg' 'right##.jpg' --square 1 --unit in --survey plate.csv\n
  trackcore pitch calibrate left.mp4 right.mp4 --step 15 --board charuco --columns 9 --rows 6
--square 30 --unit mm\n
  trackcore pitch calibrate --rig rig.json --survey plate.csv -o placed\n
Writes rig.json, calibration.json and calibration.png. The survey is a CSV with the columns X_ft,
Y_ft, Z_ft, left_u_px, left_v_px, right_u_px, right_v_px; without the first three it is five rows,
the corners of home plate from the catcher: front left, front right, right, tip, left. Exit code: 0
calibrated, 3 rated POOR, 4 no board found.
"""
_FIT_EXAMPLES = """
Examples:\n
  trackcore pitch fit recordings/night_20261127-190000\n
  trackcore pitch fit pitch.csv --rig rig.json -o fitted\n
  trackcore pitch fit left_detections.json right_detections.json --rig rig.json\n
  trackcore pitch fit stereo_observations.json --rig stereo.yml --unit mm --size 1280x720\n
A CSV has the columns camera (left or right), t_ns, u_px, v_px and, if known, sigma_px. Writes
fit.json and fit.png; of a session pictures, report.html and summary.json. Exit code: 0 fitted, 3
with warnings, 4 no flight.
"""


@app.command(epilog=_CALIBRATE_EXAMPLES)
@with_options(BoardOptions, panel="Board")
def calibrate(
    left: Annotated[
        str | None,
        typer.Argument(metavar="LEFT", help="pictures of the board: folder, pattern or video"),
    ] = None,
    right: Annotated[
        str | None, typer.Argument(metavar="RIGHT", help="the same of the right camera")
    ] = None,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="folder to write")] = Path(
        "pitch-rig"
    ),
    unit: Annotated[
        str | None, typer.Option(metavar="UNIT", help="of --square: m, mm, cm, in, ft")
    ] = None,
    dictionary: Annotated[
        str, typer.Option(metavar="NAME", help="of ChArUco markers, as OpenCV calls it")
    ] = "6X6_250",
    step: Annotated[int, typer.Option(min=1, metavar="N", help="take every n-th picture")] = 1,
    survey: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="known places, or the plate's corners, as both see them"),
    ] = None,
    rig: Annotated[
        list[Path] | None,
        typer.Option("--rig", metavar="FILE", help="no pictures: a rig that gets a world"),
    ] = None,
    size: Size = None,
    as_json: Json = False,
    quiet: Quiet = False,
    options: BoardOptions,
) -> None:
    """Calibrate two cameras from pictures of a board, and place them by the plate's corners."""
    output = Output("pitch calibrate", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        _calibrate.check_sources(left, right, rig or [])
        if left is not None and unit is None:
            raise InputError("unit: expected the unit of --square (--unit mm, in, ...), got none")
        job = CalibrateJob(
            left=left, right=right, rig=tuple(rig or ()), unit=unit or "m",
            size=picture_size(size), folder=out_folder(out), options=options,
            dictionary=dictionary, step=step, survey=survey,
        )  # fmt: skip
        code, record, shown = _calibrate.run(job, output, cancelled)
        output.result(record, *shown)
        raise typer.Exit(code)


def _with_fit_settings(verb: Verb) -> Verb:
    return with_settings(verb, only=("fit", "ball"))


@app.command(epilog=_FIT_EXAMPLES)
@_with_fit_settings
def fit(
    sightings: Annotated[
        list[Path],
        typer.Argument(
            metavar="SIGHTINGS", help="folder of a session or pitch; CSV, JSON; two detections"
        ),
    ],
    *,
    rig: Annotated[
        list[Path] | None,
        typer.Option("--rig", metavar="FILE", help="needed, but for sessions that hold theirs"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="folder to write; default: at SIGHTINGS"),
    ] = None,
    unit: Unit = None,
    size: Size = None,
    radar_mph: Annotated[
        float | None, typer.Option(metavar="MPH", help="speed by radar, to compare with")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    given: Given,
) -> None:
    """Fit the flight of a ball to where two cameras saw it; of a session, all flights anew."""
    output = Output("pitch fit", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        cameras = read_rig(rig, unit, size) if rig else None
        if len(sightings) == 1 and sightings[0].is_dir():
            code, record, shown = _refit.run(sightings[0], cameras, out, given, output, cancelled)
        elif cameras is None:
            raise InputError("rig: expected --rig: files of sightings do not hold the cameras")
        else:
            job = FitJob(
                sources=tuple(sightings), rig=cameras,
                folder=out_folder(out or sightings[0].parent),
                setup=given.changed(PitchSetup()), radar_mph=radar_mph,
            )  # fmt: skip
            code, record, shown = _fit.run(job, output)
        output.result(record, *shown)
        raise typer.Exit(code)
