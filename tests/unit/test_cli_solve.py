"""`trackcore solve` and `demo`: what they write, say and return."""

import dataclasses
import io
import json
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import trackcore
from tests.cli import only_json, run
from tests.solve_makers import no_solve, small_scene, true_solve, true_tracks
from trackcore import cli_solve, plots
from trackcore.cli_output import Output
from trackcore.errors import DependencyError
from trackcore.exports import FORMATS, load_solve
from trackcore.frames import open_clip
from trackcore.options import SolveOptions, TrackerOptions
from trackcore.pipeline import Attempt, PipelineResult, Plan, SmartTrackerOptions, Stage, Step
from trackcore.settings import Settings, settings_used
from trackcore.solver import CameraPrior, Grade, Zoom
from trackcore.tracks import Tracks

pytest.importorskip("cv2")

GOOD_FILES = {
    "tracks.npz", "solved.npz", "tracks.csv", "solve.json", "report.html", "summary.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def scene():
    return small_scene()


@pytest.fixture(scope="module")
def images(scene):
    return list(scene.frames())


class Pretender:
    """A stand-in for `SmartTracker` that finds what it is told to."""

    def __init__(self, scene):
        self.tracks = true_tracks(scene)
        self.solve = true_solve(scene, self.tracks, grade=Grade.A)
        self.made, self.at_step, self.attempts = [], None, None

    def __call__(self, options, **given):
        self.made.append({"options": options, **given})
        return self

    def run(self, _clip, *, progress=None, cancel=None):
        for done in range(1, 4):
            if progress is not None:
                progress(Step(Stage.TRACK, 1, done, 3, "a word" if done == 2 else ""))
            if self.at_step is not None:
                self.at_step(done)
        if cancel is not None and cancel():
            part = self.tracks.between(0, 5)
            return PipelineResult(attempts=(self._attempt(1, part, None),), cancelled=True)
        attempts = self.attempts or (self._attempt(1, self.tracks, self.solve),)
        return PipelineResult(attempts=attempts, notes=("a note",))

    @staticmethod
    def _attempt(number, tracks, solve, **plan):
        options = TrackerOptions()
        plan = Plan(**{"settings": Settings(), "tracker": options, "why": ("preset",), **plan})
        return Attempt(
            number=number, plan=plan, settings=settings_used(options), adaptation_history=(),
            raw_tracks=tracks, tracks=tracks, solve=solve,
        )  # fmt: skip


@pytest.fixture
def smart(monkeypatch, tmp_path, scene, images):
    """A pretending `SmartTracker` and clip, in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    pretender = Pretender(scene)
    pretender.opened = []

    def opened(_source, **given):
        pretender.opened.append(given)
        return open_clip(np.stack(images), fps=25.0)

    def drawn(path, *_, **__):
        path.write_bytes(b"a picture takes a second")
        return path

    monkeypatch.setattr(trackcore, "SmartTracker", pretender, raising=False)
    monkeypatch.setattr(trackcore, "open_clip", opened)
    monkeypatch.setattr("trackcore.cli_solve_files.open_clip", opened)
    monkeypatch.setattr("trackcore.cli_track.write_overlay", drawn)
    monkeypatch.setattr(plots, "write_statistics", drawn)
    return pretender


def written(folder):
    return {path.name for path in Path(folder).iterdir()}


def test_solve_writes_what_track_writes_and_the_camera(smart):
    result = run("solve", "shots/shot_010.mp4")
    assert written("shot_010-solve") == {*GOOD_FILES, "overlay.mp4"}
    solve = load_solve("shot_010-solve/solve.json")
    np.testing.assert_array_equal(solve.T_cam_world, smart.solve.T_cam_world)
    assert Tracks.load("shot_010-solve/solved.npz").ids.tolist() == solve.ids.tolist()
    report = Path("shot_010-solve/report.html").read_text("utf-8")
    assert "shot_010.mp4" in report
    assert re.search(r'What to know</h3><ul class="notes"><li>A note</li>', report)
    assert "held-out error" in result.stdout
    assert "report.html" in result.stdout


def test_json_is_one_object_that_sums_it_up(smart):
    result = run("solve", "shot.mp4", "-o", "d", "--json", "--export", "csv,nuke")
    told = only_json(result)
    assert (told["command"], told["outcome"]) == ("solve", "solved")
    assert set(told) == {
        "command", "outcome", "trackcore", "clip", "options", "camera_prior", "summary",
        "statistics", "solve", "pipeline", "session", "files", "problems",
    }  # fmt: skip
    assert told["solve"]["grade"] == "A"
    assert told["solve"]["frames_solved"] == told["solve"]["frames"] == 12
    assert told["solve"]["bundles"] == int(smart.solve.bundled.sum())
    assert told["solve"]["held_out_error_px"] == pytest.approx(smart.solve.held_out_error_px)
    assert len(told["pipeline"]["attempts"]) == 1
    assert set(told["files"]) == {
        "tracks", "csv", "solved", "solve", "report", "summary", "overlay", "nuke",
    }  # fmt: skip
    assert all(os.path.exists(path) for path in told["files"].values())  # noqa: PTH110
    summary = json.loads(Path("d/summary.json").read_text())
    assert (summary["outcome"], summary["solve"]) == ("solved", told["solve"])


@pytest.mark.parametrize(
    ("grade", "code", "word"),
    [
        (Grade.A, 0, "solved"), (Grade.B, 0, "solved"), (Grade.C, 0, "solved"),
        (Grade.D, 3, "weak"), (Grade.F, 4, "failed"),
    ],
)  # fmt: skip
def test_the_exit_code_tells_how_good_the_camera_is(smart, grade, code, word):
    smart.solve = dataclasses.replace(smart.solve, grade=grade, reasons=("few points",))
    result = run("solve", "shot.mp4", "-o", "d", "--json", "--no-overlay", code=code)
    assert only_json(result)["outcome"] == word
    assert ("few points" in result.stderr) == (code > 0)
    assert written("d") == GOOD_FILES


def test_no_camera_is_written_down_and_nothing_is_exported(smart):
    smart.solve = no_solve(smart.tracks)
    result = run("solve", "x.mp4", "-o", "d", "--json", "--export", "nuke", code=4)
    assert "nothing is exported" in result.stderr
    assert only_json(result)["solve"]["frames_solved"] == 0
    assert load_solve("d/solve.json").grade is Grade.F
    assert "No camera" in Path("d/report.html").read_text("utf-8")


def test_nothing_trackable_is_exit_4(smart):
    smart.tracks = smart.tracks.select([])
    smart.solve = no_solve(smart.tracks)
    result = run("solve", "sky.mp4", "-o", "d", "--json", code=4)
    assert only_json(result)["outcome"] == "nothing_trackable"
    assert "nothing trackable in sky.mp4" in result.stderr


def test_ctrl_c_keeps_what_was_done_and_exits_130(smart):
    smart.at_step = lambda done: os.kill(os.getpid(), signal.SIGINT) if done == 2 else None
    result = run("solve", "shot.mp4", "-o", "d", "--json", code=130)
    told = only_json(result)
    assert (told["outcome"], told["summary"]["frames"]) == ("cancelled", 5)
    assert told["solve"] is None
    assert Tracks.load("d/tracks.npz").n_frames == 5
    assert "stopped after 5 frames" in result.stderr


def test_files_of_an_earlier_camera_do_not_stay(smart):
    run("solve", "shot.mp4", "-o", "d", "-q")
    smart.at_step = lambda done: os.kill(os.getpid(), signal.SIGINT) if done == 2 else None
    run("solve", "shot.mp4", "-o", "d", "-q", code=130)
    assert written("d") == {"tracks.npz", "tracks.csv", "summary.json"}


def test_every_option_is_a_flag_and_reaches_the_pipeline(smart):
    run("solve", "shot.mp4", "-o", "d", "-q")
    assert smart.made[-1]["options"] == SmartTrackerOptions()
    assert smart.made[-1]["camera_prior"] == CameraPrior()
    run(
        "solve", "shot.mp4", "-o", "d", "-q", "--quality", "fast", "--robust", "--tripod",
        "--footage-type", "DRONE", "--max-retries", "0", "--no-adapt", "--heal", "on",
        "--target-count", "50", "--threads", "3", "--seed", "7", "--mask", "m.png", "--frames",
        "1001:1080", "--step", "2", "--no-session", "--focal-mm", "35", "--sensor-mm", "36",
        "--refine-focal", "--zoom", "varying", "--pixel-aspect", "2",
    )  # fmt: skip
    made = smart.made[-1]
    assert made["options"] == SmartTrackerOptions(
        quality="fast", robust=True, tripod=True, footage_type="drone", max_retries=0, adapt=False,
        heal="on", target_count=50, threads=3, seed=7,
    )  # fmt: skip
    assert made["camera_prior"] == CameraPrior(
        focal_mm=35.0, sensor_mm=36.0, refine_focal=True, zoom=Zoom.VARYING, pixel_aspect=2.0
    )
    assert (made["session"], str(made["mask"])) == (False, "m.png")
    first = smart.opened[0]
    assert first["frames"] is None
    assert any((o.get("frames"), o.get("step")) == ((1001, 1080), 2) for o in smart.opened)


def test_the_shot_type_reaches_the_solver(smart):
    run("solve", "shot.mp4", "-o", "d", "-q", "--shot-type", "FREE", "--max-error-px", "3")
    assert smart.made[-1]["solve_options"] == SolveOptions(kind="free", max_error_px=3.0)
    run("solve", "shot.mp4", "-o", "d", "-q", "--shot-type", "tripod")
    assert smart.made[-1]["options"].tripod  # filters hear it too


@pytest.mark.parametrize(
    "words",
    [
        ["--focal-mm", "35"],
        ["--focal-px", "-3"],
        ["--zoom", "sometimes"],
        ["--export", "word"],
        ["--export", "json,word"],
        ["--max-retries", "99"],
        ["--quality", "superb"],
        ["--shot-type", "crane"],
        ["--clip", "other.mp4"],
        ["--frames", "9:5"],
    ],
)
def test_wrong_usage_is_exit_2_before_anything_is_done(smart, words):
    result = run("solve", "shot.mp4", *words, code=2)
    assert "Error" in result.stderr
    assert smart.made == []
    assert written(".") == set()


def test_a_clips_flags_do_not_go_with_tracks():
    run("solve", "tracks.npz", "--frames", "1:5", code=2)


def test_help_tells_each_flags_meaning_and_default(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    text = run("solve", "--help").stdout
    for knob in (*SmartTrackerOptions.knobs(), *SolveOptions.knobs()):
        if knob not in SolveOptions.knobs() or knob.name != "seed":  # one seed for both
            assert knob.doc[:30] in text
    for name in FORMATS:
        assert name in text
    assert "trackcore solve shot.mp4" in text
    assert re.search(r"--seed .*0\.\.", text)


@pytest.mark.usefixtures("smart")
def test_an_export_that_fails_is_exit_1_and_the_rest_is_there(monkeypatch):
    def missing(_shot, _path):
        raise DependencyError("bpy: pip install 'trackcore[blend]'")

    broken = dataclasses.replace(FORMATS["blend"], write=missing)
    monkeypatch.setitem(FORMATS, "blend", broken)
    result = run("solve", "s.mp4", "-o", "d", "--json", "--export", "blend,nuke", code=1)
    told = only_json(result)
    assert "bpy" in told["problems"]["blend"]
    assert "bpy" in result.stderr
    assert told["outcome"] == "error"
    assert {"nuke", "report", "solve"} <= set(told["files"])


def test_the_report_tells_of_every_attempt(smart):
    bad = dataclasses.replace(smart.solve, grade=Grade.D, held_out_error_px=3.25)
    better = Settings.clamped(search_size=141)
    smart.attempts = (
        smart._attempt(1, smart.tracks, bad),
        smart._attempt(
            2, smart.tracks, smart.solve, settings=better, why=("RAPID_MOTION: search_size 141",)
        ),
    )
    run("solve", "shot.mp4", "-o", "d", "-q")
    page = Path("d/report.html").read_text("utf-8")
    assert "search size 71 to 141" in page
    assert "RAPID_MOTION: search_size 141" in page
    assert "held-out error 3.25 px" in page


def test_a_terminal_shows_one_bar_that_names_the_stage():
    output = Output("solve", as_json=False, quiet=False)
    shown = io.StringIO()
    output._stderr = Console(file=shown, force_terminal=True, width=100)
    with output.stages() as show:
        show("probe", 1, 1, "probe: LOW motion")
        for done in range(40):
            show("track", done, 40, "")
    assert "probe: LOW motion" in shown.getvalue()
    assert "track" in shown.getvalue()
    assert "frames/s" in shown.getvalue()


@pytest.mark.usefixtures("smart")
def test_progress_says_the_stages():
    assert "a word" in run("solve", "shot.mp4", "-o", "d").stderr
    assert run("solve", "shot.mp4", "-o", "d", "-q").output == ""


def test_a_solve_of_tracks_goes_beside_them_and_leaves_them_alone():
    assert cli_solve.folder_for("a/b/tracks.npz") == Path("a/b/solved")
    assert cli_solve.folder_for("a/shot.mp4") == Path("shot-solve")


def test_the_command_line_does_not_load_the_solver_to_say_its_version():
    import subprocess

    script = "import sys, trackcore.cli; print({'pycolmap', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
