"""The command line, its verbs and flags. Flags come from the options classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import trackcore
from trackcore import (
    cli_demo,
    cli_heal,
    cli_pitch,
    cli_sessions,
    cli_solve,
    cli_stats,
    cli_track,
)
from trackcore.cli_options import formats, frame_range, with_camera_prior, with_options
from trackcore.cli_output import Output, interruptible
from trackcore.cli_solve import SolveJob
from trackcore.cli_solve_files import EXPORTS
from trackcore.cli_track import Job
from trackcore.options import HealOptions, SolveOptions, TrackerOptions
from trackcore.pipeline import SmartTrackerOptions
from trackcore.solver import CameraPrior

app = typer.Typer(
    name="trackcore",
    help="Sub-pixel point tracking and camera solving: footage in, tracks and a camera out.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 good, 1 error, 2 wrong usage, 3 done but weak, 4 could not (nothing"
    " trackable, no camera), 130 cancelled.",
)

app.add_typer(cli_pitch.app)
app.add_typer(cli_sessions.app)

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]
Threads = Annotated[int, typer.Option(min=0, metavar="N", help="worker threads; 0: one per CPU")]
Session = Annotated[
    bool, typer.Option("--session/--no-session", help="keep a record of the run (numbers only)")
]
Overlay = Annotated[bool, typer.Option("--overlay/--no-overlay", help="draw the tracks")]
Frames = Annotated[
    str | None, typer.Option(metavar="A:B", help="clip frame numbers, both included")
]
Step = Annotated[int, typer.Option(min=1, metavar="N", help="take every n-th frame")]
Mask = Annotated[
    Path | None, typer.Option(metavar="FILE", help="image: track only where it is white")
]
ClipPath = Annotated[
    str, typer.Argument(metavar="CLIP", help="video, image folder or pattern (shot.####.png)")
]

_OUT_HELP = "folder to write; without it, CLIP's name with -tracks, right here"
_TRACK_EXAMPLES = """
Examples:\n
  trackcore track shot.mp4\n
  trackcore track plates/shot.####.png --frames 1001:1080 -o out\n
  trackcore track shot.mp4 --mask matte.png --format blender,nuke\n
  trackcore track shot.mp4 --model Perspective --window 31\n
Writes tracks.npz, tracks.csv, summary.json, statistics.png, overlay.mp4 (or .png), and keeps
a session record (see `trackcore sessions`). Ctrl-C stops and keeps what was done.
"""
_STATS_EXAMPLES = """
Examples:\n
  trackcore stats shot-tracks/tracks.npz\n
  trackcore stats shot-tracks/tracks.npz --clip shot.mp4 -o report\n
Writes statistics.json and statistics.png. Changes no track.
"""
_HEAL_EXAMPLES = """
Examples:\n
  trackcore heal shot-tracks/tracks.npz shot.mp4\n
  trackcore heal shot-tracks/tracks.npz shot.mp4 -o healed --max-gap 25\n
Writes tracks.npz, tracks.csv, healing.json and overlay.mp4; TRACKS itself stays as it is.
"""
_INFO_EXAMPLES = """
Examples:\n
  trackcore info shot.mp4\n
  trackcore info plates/ --json
"""
_SOLVE_HELP = "folder to write; default: CLIP's name with -solve; for tracks, `solved` beside them"
_SOLVE_EXAMPLES = """
Examples:\n
  trackcore solve shot.mp4\n
  trackcore solve shot.mp4 -o out --focal-mm 35 --sensor-mm 36 --export blender,nuke\n
  trackcore solve plates/shot.####.exr --frames 1001:1080 --footage-type handheld --robust\n
  trackcore solve shot-solve/tracks.npz --clip shot.mp4 --shot-type tripod\n
Writes tracks.npz, solved.npz, tracks.csv, solve.json, report.html, summary.json, statistics.png and
overlay.mp4. Exit code: 0 solved (grade A to C), 3 weak (D), 4 no camera (F). Ctrl-C keeps what was
done; the same command goes on from there.
"""
_DEMO_EXAMPLES = """
Examples:\n
  trackcore demo\n
  trackcore demo -o /tmp/demo --seed 3 --quality fast
"""


@app.callback(invoke_without_command=True)
def root(
    *,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Sub-pixel point tracking and camera solving: footage in, tracks and a camera out."""
    if version:
        typer.echo(f"trackcore {cli_track.version()}")
        raise typer.Exit


@app.command(epilog=_TRACK_EXAMPLES)
@with_options(TrackerOptions, panel="Tracking")
def track(
    clip: ClipPath,
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help=_OUT_HELP)] = None,
    frames: Frames = None,
    step: Step = 1,
    mask: Mask = None,
    backwards_from: Annotated[
        int | None, typer.Option(metavar="FRAME", help="start at this frame, track to the first")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="LIST",
            help=f"more files to write: {', '.join(cli_track.FORMATS)} (csv always)",
        ),
    ] = "csv",
    overlay: Overlay = True,
    session: Session = True,
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    options: TrackerOptions,
) -> None:
    """Track points through a clip and write tracks, a summary and an overlay."""
    job = Job(
        source=clip, folder=out or cli_track.default_folder(clip), options=options,
        frames=frame_range(frames), step=step, mask=mask, threads=threads,
        backwards_from=backwards_from, overlay=overlay, session=session,
        formats=tuple(formats(form, cli_track.FORMATS)),
    )  # fmt: skip
    output = Output("track", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        outcome, record = cli_track.run(job, output, cancelled)
        output.result(record, *cli_track.report(outcome, job, output))
        raise typer.Exit(outcome.exit)


@app.command(epilog=_STATS_EXAMPLES)
def stats(
    tracks: Annotated[Path, typer.Argument(metavar="TRACKS", help="tracks.npz of an earlier run")],
    *,
    clip: Annotated[
        str | None, typer.Option(metavar="CLIP", help="the footage: adds what only pixels show")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="folder to write; default: that of TRACKS"),
    ] = None,
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure tracks: motion, zoom, kind of shot, regions, suspects, what went wrong."""
    output = Output("stats", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        folder = out or tracks.parent
        code, record, shown = cli_stats.run(tracks, clip, folder, threads, output, cancelled)
        output.result(record, *shown)
        raise typer.Exit(code)


@app.command(epilog=_HEAL_EXAMPLES)
@with_options(HealOptions, panel="Healing")
def heal(
    tracks: Annotated[Path, typer.Argument(metavar="TRACKS", help="tracks.npz of an earlier run")],
    clip: ClipPath,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="folder to write; default: `healed` beside TRACKS"
        ),
    ] = None,
    overlay: Overlay = True,
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
    options: HealOptions,
) -> None:
    """Join tracks that were lost with later ones, where the pixels say they are the same point."""
    output = Output("heal", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        folder = out or tracks.parent / "healed"
        code, record, shown = cli_heal.run(
            tracks, clip, folder, options, output, cancelled, overlay=overlay, threads=threads
        )
        output.result(record, *shown)
        raise typer.Exit(code)


@app.command(epilog=_INFO_EXAMPLES)
def info(clip: ClipPath, *, as_json: Json = False, quiet: Quiet = False) -> None:
    """Say what a clip holds, as found by decoding all of it."""
    output = Output("info", as_json=as_json, quiet=quiet)
    with output.errors():
        found: dict[str, Any] = trackcore.open_clip(clip).info().to_dict()
        warnings = found.get("warnings", [])
        title = Text(str(found.get("source", clip)), style="bold")
        output.result({"outcome": "done", **found}, title, _info_table(found))
        for warning in warnings:
            output.log(f"note: {warning}")


@app.command(epilog=_SOLVE_EXAMPLES)
@with_camera_prior
@with_options(
    SolveOptions, panel="Solving", argument="solving", without=("seed",),
    renamed={"kind": "shot_type"},
)  # fmt: skip
@with_options(SmartTrackerOptions, panel="Tracking")
def solve(
    clip: Annotated[
        str,
        typer.Argument(metavar="CLIP", help="video, image folder or pattern; or a tracks.npz"),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help=_SOLVE_HELP)
    ] = None,
    export: Annotated[
        str,
        typer.Option(metavar="LIST", help=f"for other programs: {', '.join(EXPORTS)}"),
    ] = "",
    frames: Frames = None,
    step: Step = 1,
    mask: Mask = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="FPS", help="frames per second, where CLIP does not say"),
    ] = None,
    footage: Annotated[
        str | None, typer.Option("--clip", metavar="CLIP", help="the footage of a tracks.npz")
    ] = None,
    protected: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="a tracks.npz of your own: never dropped from the solve"),
    ] = None,
    overlay: Overlay = True,
    session: Session = True,
    as_json: Json = False,
    quiet: Quiet = False,
    options: SmartTrackerOptions,
    solving: SolveOptions,
    prior: CameraPrior,
) -> None:
    """Track a clip, find settings that work, solve its camera, and say how good it is."""
    job = SolveJob(
        source=clip, folder=out or cli_solve.folder_for(clip), options=options, solving=solving,
        prior=prior, frames=frame_range(frames), step=step, mask=mask, fps=fps, overlay=overlay,
        session=session, exports=tuple(formats(export, EXPORTS)), clip=footage, protected=protected,
    )  # fmt: skip
    cli_solve.check(job)
    output = Output("solve", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        found, record = cli_solve.run(job, output, cancelled)
        output.result(record, *cli_solve.report(found, job, output))
        raise typer.Exit(found.exit)


@app.command(epilog=_DEMO_EXAMPLES)
@with_options(SmartTrackerOptions, panel="Tracking", without=("seed", "tripod"))
def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="folder to write")] = Path(
        "trackcore-demo"
    ),
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="of textures, furniture and noise")
    ] = 0,
    n_frames: Annotated[
        int, typer.Option(min=2, max=2000, metavar="N", help="frames to render")
    ] = 60,
    overlay: Overlay = True,
    session: Session = True,
    as_json: Json = False,
    quiet: Quiet = False,
    options: SmartTrackerOptions,
) -> None:
    """Render a room with a known camera, track and solve its pixels, and report the error.

    Tracker and solver read the rendered images only; the truth is compared afterwards.
    """
    from trackcore import synth

    output = Output("demo", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        scene = synth.ParallaxScene(seed, n_frames=n_frames)
        if not cli_demo.render(scene, out, output, cancelled):
            raise KeyboardInterrupt
        job = SolveJob(
            source=str(out / "clip"), folder=out, options=options, solving=SolveOptions(),
            prior=CameraPrior(), overlay=overlay, session=session, fps=scene.fps,
        )  # fmt: skip
        found, record = cli_solve.run(
            job, output, cancelled,
            lambda done: {"error": cli_demo.error(done.raw, done.solve, scene, out)},
        )  # fmt: skip
        if record["error"] is not None:
            found.files["truth"] = str(out / "truth.json")
        shown = cli_solve.report(found, job, output, *cli_demo.error_tables(record["error"]))
        output.result(record, *shown)
        raise typer.Exit(found.exit)


def _info_table(found: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in found.items():
        if name not in ("source", "warnings") and value not in ("", None):
            table.add_row(name.replace("_", " "), Text(_shown(value)))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " x ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
