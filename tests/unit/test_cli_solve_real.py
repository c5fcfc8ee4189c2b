"""`trackcore solve` and `demo` on a small scene, with nothing pretended."""

import dataclasses
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import trackcore
from tests.solve_makers import no_solve, small_scene, true_solve, true_tracks
from trackcore import cli_demo, synth
from trackcore.cli import app
from trackcore.cli_output import Output
from trackcore.exports import load_solve
from trackcore.pipeline import Stage

pytest.importorskip("cv2")

SMALL = synth.ParallaxScene


def run(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A real demo of a small scene, once: its folder and what it told."""
    folder = tmp_path_factory.mktemp("demo")
    patch = pytest.MonkeyPatch()
    patch.setenv("TRACKCORE_HOME", str(folder / "home"))
    patch.setattr(
        synth, "ParallaxScene",
        lambda seed, n_frames: SMALL(seed, size=(320, 180), n_frames=n_frames),
    )  # fmt: skip
    words = ["demo", "-o", str(folder / "d"), "--n-frames", "24", "--json", "--no-overlay"]
    result = CliRunner().invoke(app, words)
    patch.undo()
    return folder / "d", result


def test_the_demo_ends_with_a_camera_and_its_error(real):
    folder, result = real
    told = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert (told["command"], told["outcome"]) == ("demo", "solved")
    files = {path.name for path in folder.iterdir()}
    assert files >= {"tracks.npz", "solve.json", "report.html", "truth.json", "clip"}
    assert len(list((folder / "clip").iterdir())) == 24
    assert told["files"]["truth"] == str(folder / "truth.json")
    error = told["error"]
    assert error["camera"]["path_median_percent"] < 1
    assert error["camera"]["focal_percent"] < 2
    assert error["median_px"] < 0.2
    truth = json.loads((folder / "truth.json").read_text())
    assert np.shape(truth["T_cam_world"]) == (24, 4, 4)


def test_the_truth_changes_nothing_but_the_reported_error(real, monkeypatch, tmp_path):
    folder, _ = real
    monkeypatch.setenv("TRACKCORE_HOME", str(tmp_path / "home"))
    told = run(
        "solve",
        folder / "clip",
        "-o",
        tmp_path / "again",
        "--json",
        "--no-overlay",
        "--fps",
        25,
    )
    assert told["outcome"] == "solved"
    assert (tmp_path / "again" / "solve.json").read_bytes() == (folder / "solve.json").read_bytes()
    assert cli_demo.error(None, None, None, tmp_path) is None


def test_tracks_are_solved_again_without_the_clip(real, monkeypatch, tmp_path):
    folder, _ = real
    monkeypatch.setattr(trackcore, "SmartTracker", None, raising=False)  # nothing is tracked
    told = run("solve", folder / "tracks.npz", "-o", tmp_path / "s", "--json", "-q")
    assert told["outcome"] == "solved"
    assert told["pipeline"] is None
    assert told["solve"]["frames_solved"] == 24
    before, after = load_solve(folder / "solve.json"), load_solve(tmp_path / "s" / "solve.json")
    np.testing.assert_allclose(after.centres, before.centres, atol=0.05)
    assert (tmp_path / "s" / "report.html").exists()


def test_a_run_that_was_stopped_goes_on(real, monkeypatch, tmp_path):
    folder, _ = real
    monkeypatch.setenv("TRACKCORE_HOME", str(tmp_path / "home"))
    from trackcore.pipeline import SmartTracker

    def stopping(*given, **more):
        it = SmartTracker(*given, **more)
        inner, frames = it.run, []

        def until(clip, *, progress, cancel):
            def told(step):
                progress(step)
                frames.append(step)

            return inner(
                clip, progress=told,
                cancel=lambda: cancel() or sum(s.stage is Stage.TRACK for s in frames) >= 9,
            )  # fmt: skip

        it.run = until
        return it

    words = ["solve", folder / "clip", "-o", tmp_path / "s", "--json", "--no-overlay", "--fps", 25]
    monkeypatch.setattr(trackcore, "SmartTracker", stopping, raising=False)
    told = run(*words, code=130)
    assert 0 < told["summary"]["frames"] < 24
    assert (tmp_path / "s" / ".resume").is_dir()
    monkeypatch.setattr(trackcore, "SmartTracker", SmartTracker, raising=False)
    result = run(*words)
    assert result["outcome"] == "solved"
    assert (tmp_path / "s" / "solve.json").read_bytes() == (folder / "solve.json").read_bytes()
    assert not (tmp_path / "s" / ".resume").exists()


def test_the_cameras_error_does_not_depend_on_world_and_scale():
    scene = small_scene()
    solve = true_solve(scene, true_tracks(scene))  # another world, another scale
    exact = cli_demo.camera_error(solve, scene.T_cam_world, float(scene.K[0, 0]))
    assert exact == {
        "path_median_percent": pytest.approx(0, abs=1e-3),
        "path_max_percent": pytest.approx(0, abs=1e-3),
        "rotation_median_deg": pytest.approx(0, abs=1e-3),
        "focal_percent": 0.0,
    }
    T = solve.T_cam_world.copy()
    centres = solve.centres
    extent = np.linalg.norm(np.ptp(centres, axis=0))
    centres[6] += [0, 0.02 * extent, 0]
    T[:, :3, 3] = -np.einsum("nij,nj->ni", T[:, :3, :3], centres)
    moved = dataclasses.replace(solve, T_cam_world=T, focal_px=solve.focal_px * 1.1)
    wrong = cli_demo.camera_error(moved, scene.T_cam_world, float(scene.K[0, 0]))
    assert 1.0 < wrong["path_max_percent"] < 2.5
    assert wrong["focal_percent"] == pytest.approx(10)
    unsolved = no_solve(true_tracks(scene))
    assert cli_demo.camera_error(unsolved, scene.T_cam_world, 1.0) is None


def test_a_shorter_demo_keeps_no_frame_of_a_longer_one(tmp_path):
    output = Output("demo", as_json=True, quiet=True)
    for n in (4, 2):
        assert cli_demo.render(small_scene(n), tmp_path, output, lambda: False)
    assert len(list((tmp_path / "clip").iterdir())) == 2
    assert np.shape(json.loads((tmp_path / "truth.json").read_text())["T_cam_world"]) == (2, 4, 4)
