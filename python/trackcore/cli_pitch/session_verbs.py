"""The verbs of `trackcore pitch` that run the whole chain: demo, replay, record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trackcore.cli_output import Output, interruptible
from trackcore.cli_pitch import demo as _demo
from trackcore.cli_pitch import record as _record
from trackcore.cli_pitch import replay as _replay
from trackcore.cli_pitch.common import (
    Json,
    Quiet,
    Rig,
    Size,
    Unit,
    WriteSession,
    app,
    out_folder,
    picture_size,
    read_rig,
)
from trackcore.cli_pitch.record import RecordJob
from trackcore.cli_pitch.render import render
from trackcore.cli_pitch.replay import ReplayJob
from trackcore.cli_pitch.settings import (
    EVERYTHING,
    Ball,
    Batter,
    Given,
    Settings,
    with_settings,
)
from trackcore.cli_track import default_folder
from trackcore.recording import PitchSetup

_REPLAY_EXAMPLES = """
Examples:\n
  trackcore pitch replay left.avi right.avi --rig rig.json -o replayed\n
  trackcore pitch replay left/ right/ --rig stereo.yml --unit mm --fps 120\n
  trackcore pitch replay left.mp4 right.mp4 --rig rig.npz --unit ft --left-stamps left.csv
--right-stamps right.csv\n
Stamps: the CSV that is given, else file numbers over --fps, else <video>_timestamps.csv beside a
video, else the video's own. Numbers that are missing are frames that were lost. Writes a picture of
each pitch, report.html and summary.json. The same footage gives the same answer. Exit code: 0 good,
3 a pitch with a warning or footage that ends early, 4 no pitch. Ctrl-C keeps what was done.
"""
_RECORD_EXAMPLES = """
Examples:\n
  trackcore pitch record 0 1 --rig rig.json -o recordings --session night\n
  trackcore pitch record 0 1 --rig rig.json --config pitch.yaml --no-view --duration 600\n
  trackcore pitch record left.avi right.avi --rig rig.json     (footage, at its own pace)\n
Ctrl-C ends the session, and so does Q in the window of the live view. Writes the session's folder
and in it a picture of each pitch, report.html and summary.json. A recording that was killed is
mended when it is opened by verify, package or fit. Exit code: 0 good, 3 a pitch with a warning, 4
no pitch.
"""
_DEMO_EXAMPLES = """
Examples:\n
  trackcore pitch demo\n
  trackcore pitch demo -o /tmp/demo --pitches 1 --seed 5\n
Renders footage, replays its pixels, and writes a picture of each pitch, report.html, summary.json
and truth.json, which is read last of all and only to report the error; about 200 MB a pitch. Exit
codes as of replay.
"""


@app.command(epilog=_DEMO_EXAMPLES)
def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="folder to write")] = Path(
        "trackcore-pitch-demo"
    ),
    pitches: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="to throw")] = 2,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="of throws, textures and noise")
    ] = 0,
    size: Annotated[str, typer.Option(metavar="WxH", help="of the pictures")] = "1280x720",
    fps: Annotated[float, typer.Option(min=20, max=1000, metavar="FPS", help="of cameras")] = 120.0,
    batter_in: Batter = None,
    ball: Ball = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Render pitches with known truth, find them in the pixels alone, and report the error."""
    from trackcore import synth

    output = Output("pitch demo", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        out_folder(out)
        rig = _demo.demo_rig(picture_size(size) or (1280, 720))
        given = Given(config=None, batter_in=batter_in, ball=ball, changes={})
        setup = given.changed(PitchSetup(recording=EVERYTHING))
        scene = synth.PitchScene(rig, seed, n_pitches=pitches, fps=fps, physics=setup.ball)
        footage = render(scene, rig, setup.zone, out, output, cancelled)
        if footage is None:
            raise KeyboardInterrupt
        job = ReplayJob(
            left=str(footage.videos["left"]), right=str(footage.videos["right"]),
            rig=read_rig([footage.rig], None, None), folder=out, session="demo", fps=None,
            settings=Settings(setup=setup),
            stamps=(footage.stamps["left"], footage.stamps["right"]),
        )  # fmt: skip
        done = _replay.run(job, output, cancelled, lambda found: _demo.compare(found, out))
        shown = _replay.report(done, output, *_demo.error_table(done.record["error"]))
        output.result(done.record, *shown)
        raise typer.Exit(done.exit)


@app.command(epilog=_REPLAY_EXAMPLES)
@with_settings
def replay(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="video, image folder or pattern")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="the same of the right camera")],
    *,
    rig: Rig,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="folder to write; default: LEFT-pitches"),
    ] = None,
    session: Annotated[str, typer.Option(metavar="NAME", help="of the session")] = "session",
    fps: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="FPS", help="frames per second, in place of stamps"),
    ] = None,
    left_stamps: Annotated[
        Path | None, typer.Option(metavar="CSV", help="frame_index, t_capture_monotonic_ns")
    ] = None,
    right_stamps: Annotated[
        Path | None, typer.Option(metavar="CSV", help="the same of the right camera")
    ] = None,
    write_session: WriteSession = True,
    unit: Unit = None,
    size: Size = None,
    as_json: Json = False,
    quiet: Quiet = False,
    given: Given,
) -> None:
    """Find the pitches in recorded footage of two cameras."""
    output = Output("pitch replay", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        job = ReplayJob(
            left=left, right=right, rig=read_rig(rig, unit, size), settings=given.settings(),
            folder=out_folder(out or default_folder(left, "pitches")), session=session, fps=fps,
            stamps=(left_stamps, right_stamps), write_session=write_session,
        )  # fmt: skip
        done = _replay.run(job, output, cancelled)
        output.result(done.record, *_replay.report(done, output))
        raise typer.Exit(done.exit)


@app.command(epilog=_RECORD_EXAMPLES)
@with_settings
def record(
    left: Annotated[
        str, typer.Argument(metavar="LEFT", help="number of a camera; or a video, images")
    ],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="the same of the right camera")],
    *,
    rig: Rig,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="folder for the session's folder; default: the configuration's, or recordings",
        ),
    ] = None,
    session: Annotated[str, typer.Option(metavar="NAME", help="of the session")] = "session",
    fps: Annotated[
        float | None, typer.Option(min=0.01, metavar="FPS", help="asked of the cameras")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.01, metavar="S", help="end after so many seconds")
    ] = None,
    view: Annotated[bool, typer.Option("--view/--no-view", help="show the cameras")] = True,
    unit: Unit = None,
    size: Size = None,
    as_json: Json = False,
    quiet: Quiet = False,
    given: Given,
) -> None:
    """Record the pitches of two cameras, and show them while it runs."""
    output = Output("pitch record", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        settings = given.settings()
        job = RecordJob(
            left=left, right=right, rig=read_rig(rig, unit, size), settings=settings,
            folder=out_folder(out or Path(settings.output_dir or "recordings")), session=session,
            fps=fps, duration_s=duration, view=view and not quiet,
        )  # fmt: skip
        code, told, shown = _record.run(job, output, cancelled)
        output.result(told, *shown)
        raise typer.Exit(code)
