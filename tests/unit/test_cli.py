"""The command line: what it writes, says and returns."""

import json
import os
import signal
from dataclasses import asdict

import numpy as np
import pytest

import trackcore
from tests.cli import only_json, run
from tests.unit.fake_clip import FakeClip, fake_tracking
from tests.unit.made_clips import noise_video
from trackcore import cli_demo, cli_track, plots
from trackcore.errors import SourceError
from trackcore.frames import open_clip
from trackcore.options import MotionModel, TrackerOptions
from trackcore.session.privacy import find_private
from trackcore.tracks import Tracks

pytest.importorskip("cv2")

NOISE = list(np.random.default_rng(0).integers(0, 255, (12, 240, 320), np.uint8))


@pytest.fixture(autouse=True)
def tracker(monkeypatch, tmp_path):
    """A stand-in for `track_clip` and `open_clip`, in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    track_clip = fake_tracking()
    track_clip.opened = []

    def opened(_source, **given):
        track_clip.opened.append(given)
        return open_clip(NOISE, fps=25.0)

    def drawn(path, *_, **__):
        path.write_bytes(b"a picture takes a second")
        return path

    monkeypatch.setattr(trackcore, "track_clip", track_clip, raising=False)
    monkeypatch.setattr(trackcore, "open_clip", opened, raising=False)
    monkeypatch.setattr(plots, "write_statistics", drawn)
    return track_clip


def test_track_writes_tracks_csv_summary_and_overlay(tmp_path):
    result = run("track", "shots/shot_010.mp4")
    folder = tmp_path / "shot_010-tracks"
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "overlay.mp4", "statistics.png", "summary.json", "tracks.csv", "tracks.npz",
    ]  # fmt: skip
    assert len(Tracks.load(folder / "tracks.npz")) == 30
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["summary"]["tracks"] == 30
    assert summary["outcome"] == "done"
    assert "1.50 px/frame" in result.stdout
    assert "overlay.mp4" in result.stdout


def test_json_is_one_object_and_names_the_files():
    told = only_json(run("track", "shot.mp4", "-o", "out", "--json"))
    assert (told["command"], told["outcome"]) == ("track", "done")
    assert told["clip"] == {
        "source": "shot.mp4", "width_px": 320, "height_px": 240, "fps": 25.0,
        "first_frame": 1, "last_frame": 12,
    }  # fmt: skip
    assert all(os.path.exists(path) for path in told["files"].values())  # noqa: PTH110
    assert set(told["files"]) == {"tracks", "csv", "summary", "statistics", "overlay"}


def test_every_knob_is_a_flag_with_the_options_default(tracker):
    run("track", "shot.mp4", "-q")
    assert tracker.calls[-1]["options"] == TrackerOptions()
    changed = {}
    words = []
    for knob in TrackerOptions.knobs():
        flag = "--" + knob.name.replace("_", "-")
        if knob.kind is bool:
            changed[knob.name] = not knob.default
            words.append(flag.replace("--", "--no-") if knob.default else flag)
        elif knob.lo is None:
            value = next(m for m in knob.kind if m != knob.default)
            changed[knob.name] = value
            words += [flag, value.value.upper()]  # any case
        else:
            changed[knob.name] = knob.kind(knob.lo)
            words += [flag, knob.lo]
    run("track", "shot.mp4", "-q", *words)
    assert asdict(tracker.calls[-1]["options"]) == changed


def test_help_tells_each_knobs_meaning_default_range_and_unit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    text = run("track", "--help").stdout
    for knob in TrackerOptions.knobs():
        assert "--" + knob.name.replace("_", "-") in text
        assert knob.doc[:30] in text
    window = next(line for line in text.splitlines() if "--window" in line)
    assert "5..63 px" in window
    assert "[default: 21]" in window
    assert "trackcore track shot.mp4" in text


def test_the_clips_own_flags_reach_the_tracker(tracker):
    run(
        "track", "shot.mp4", "-q", "--frames", "1001:1080", "--step", "2", "--mask", "m.png",
        "--threads", "3", "--backwards-from", "1050", "--model", "perspective",
    )  # fmt: skip
    call = tracker.calls[-1]
    assert (tracker.opened[0]["frames"], tracker.opened[0]["step"]) == ((1001, 1080), 2)
    assert str(call["mask"]) == "m.png"
    assert (call["threads"], call["backwards_from"]) == (3, 1050)
    assert call["options"].model is MotionModel.PERSPECTIVE


@pytest.mark.parametrize(
    ("text", "frames"),
    [("5:9", (5, 9)), ("5:", (5, None)), (":9", (None, 9)), ("7", (7, 7)), (":", (None, None))],
)
def test_frames_are_read_as_written(tracker, text, frames):
    run("track", "shot.mp4", "-q", "--no-overlay", "--frames", text)
    assert tracker.opened[0]["frames"] == frames


@pytest.mark.parametrize(
    "words",
    [
        ["--frames", "9:5"],
        ["--frames", "1:2:3"],
        ["--frames", "a:b"],
        ["--window", "3"],
        ["--window", "21.5"],
        ["--epsilon", "nan"],
        ["--model", "Bendy"],
        ["--format", "csv,boujou"],
        ["--step", "0"],
        ["--threads", "-1"],
        ["--no-such-flag"],
    ],
)
def test_wrong_usage_is_exit_2_before_any_work(tracker, tmp_path, words):
    result = run("track", "shot.mp4", *words, code=2)
    assert not tracker.calls
    assert not list(tmp_path.iterdir())
    assert result.stdout == ""


def test_formats_add_files(tmp_path):
    told = only_json(
        run("track", "s.mp4", "-o", "d", "--json", "--format", "json,blender,nuke,COLMAP")
    )
    names = sorted(p.name for p in (tmp_path / "d").iterdir())
    assert names == [
        "colmap", "nuke", "overlay.mp4", "statistics.png", "summary.json", "tracks.blender.txt",
        "tracks.csv", "tracks.json", "tracks.npz",
    ]  # fmt: skip
    assert {"json", "blender", "nuke", "colmap"} <= set(told["files"])


def test_quiet_says_nothing():
    result = run("track", "shot.mp4", "-q")
    assert result.stdout == result.stderr == ""


def test_an_overlay_of_an_earlier_run_does_not_stay(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "overlay.png").write_bytes(b"old")
    run("track", "shot.mp4", "-q", "-o", "d")
    assert not (tmp_path / "d" / "overlay.png").exists()
    run("track", "shot.mp4", "-q", "-o", "d", "--no-overlay")
    assert not (tmp_path / "d" / "overlay.mp4").exists()


def test_an_unreadable_clip_is_one_line_and_exit_1(monkeypatch):
    def fails(*_, **__):
        raise SourceError("source: no such file: x.mp4")

    monkeypatch.setattr(trackcore, "open_clip", fails)
    result = run("track", "x.mp4", code=1)
    assert result.stdout == ""
    assert result.stderr == "trackcore track: source: no such file: x.mp4\n"
    told = only_json(run("track", "x.mp4", "--json", "-q", code=1))
    assert told["outcome"] == "error"
    assert told["error"] == {"type": "SourceError", "message": "source: no such file: x.mp4"}


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_1(tmp_path):
    (tmp_path / "taken").write_text("a file")
    result = run("track", "shot.mp4", "-o", "taken", code=1)
    assert result.stderr == "trackcore track: File exists: taken\n"


@pytest.mark.parametrize("kind", ["no tracks", "one frame each"])
def test_nothing_trackable_is_exit_4_and_still_written(monkeypatch, tmp_path, kind):
    empty = fake_tracking(0) if kind == "no tracks" else fake_tracking(lost_after=1)
    monkeypatch.setattr(trackcore, "track_clip", empty)
    result = run("track", "sky.mp4", "--json", code=4)
    assert only_json(result)["outcome"] == "nothing_trackable"
    assert "nothing trackable in sky.mp4" in result.stderr
    assert (tmp_path / "sky-tracks" / "summary.json").exists()


def test_ctrl_c_stops_keeps_what_was_done_and_exits_130(tracker, tmp_path):
    def press(frame):
        if frame == 5:
            os.kill(os.getpid(), signal.SIGINT)

    tracker.at_frame = press
    before = signal.getsignal(signal.SIGINT)
    result = run("track", "shot.mp4", "-o", "d", "--json", code=130)
    told = only_json(result)
    assert (told["outcome"], told["summary"]["frames"]) == ("cancelled", 5)
    assert Tracks.load(tmp_path / "d" / "tracks.npz").n_frames == 5
    assert (tmp_path / "d" / "overlay.mp4").exists()
    assert "stopping" in result.stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_quits_at_once(tracker, tmp_path):
    def press_twice(frame):
        if frame == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    tracker.at_frame = press_twice
    told = only_json(run("track", "shot.mp4", "-o", "d", "--json", code=130))
    assert told == {"command": "track", "outcome": "cancelled"}
    assert not list((tmp_path / "d").iterdir())


@pytest.mark.parametrize(
    ("clip", "folder"),
    [
        ("a/shot.mp4", "shot-tracks"),
        ("a/shot.####.exr", "shot-tracks"),
        ("shot_%04d.png", "shot-tracks"),
        ("plates/take2", "take2-tracks"),
        ("plates/take2/", "take2-tracks"),
        ("v1.2/%06d.png", "v1.2-tracks"),
    ],
)
def test_the_default_folder_is_named_after_the_clip(clip, folder):
    assert str(cli_track.default_folder(clip)) == folder


def test_info_shows_what_the_clip_holds(monkeypatch):
    monkeypatch.setattr(trackcore, "open_clip", lambda *_, **__: FakeClip(12, (320, 240)))
    result = run("info", "shot.mp4")
    assert "320 x 240" in result.stdout
    assert "reported count" not in result.stdout  # not known
    assert "container says 9 frames" in result.stderr
    assert only_json(run("info", "shot.mp4", "--json"))["size"] == [320, 240]


def test_info_and_track_work_on_a_real_file(monkeypatch, tmp_path):
    noise_video(tmp_path / "shot.mkv", 9)
    monkeypatch.setattr(trackcore, "open_clip", open_clip)
    monkeypatch.setattr(trackcore, "track_clip", fake_tracking(n_frames=9, size=(64, 48)))
    told = only_json(run("info", "shot.mkv", "--json"))
    assert (told["decoded_count"], told["size"], told["kind"]) == (9, [64, 48], "video")
    assert "64 x 48" in run("info", "shot.mkv").stdout
    assert "overlay" in only_json(run("track", "shot.mkv", "--json"))["files"]
    assert "source: no such file" in run("info", "other.mkv", code=1).stderr


def test_version_and_bare_call(monkeypatch):
    monkeypatch.setattr(cli_track, "version", lambda: "1.2.3")
    assert run("--version").stdout == "trackcore 1.2.3\n"
    assert "track" in run(code=2).output


class FakeScene:
    """A scene whose points all move by (2, 1) px a frame; those right of 150 px are hidden."""

    fps = 25.0

    def __init__(self, _seed=0, *, n_frames=12):
        self.n_frames = n_frames

    def __len__(self):
        return self.n_frames

    def frames(self):
        return (np.full((240, 320), 10 * i, np.uint8) for i in range(self.n_frames))

    def truth(self):
        return {"fps": self.fps}

    def track_truth(self, xy_px, frame=0):
        steps = np.arange(self.n_frames) - frame
        truth = np.asarray(xy_px)[:, None] + steps[:, None] * (2.0, 1.0)
        return np.where(truth[..., :1] > 150, np.nan, truth)


def test_the_error_is_the_distance_from_the_scenes_points():
    scene = FakeScene(n_frames=5)
    xy = np.full((3, 5, 2), np.nan)
    xy[0] = scene.track_truth([[10, 10]])[0] + [[0, 0], [0.3, 0.4], [0.3, 0.4], [3, 4], [0, 0.1]]
    xy[1, 2:] = scene.track_truth([[50, 20]], 2)[0, 2:]  # born later, no error
    xy[2] = [[148, 5], [150, 6], [152, 7], [154, 8], [np.nan, np.nan]]  # hidden from index 2
    tracks = Tracks.from_positions(xy, frame_size=(320, 240))
    error = cli_demo.truth_error(tracks, scene)
    assert error["positions"] == 4 + 2 + 1
    assert error["median_px"] == pytest.approx(0.1)  # of 0 0 0 .1 .5 .5 5
    assert error["last_frame_median_px"] == 0.0  # of .1 0 0
    assert error["survival"] == 1.0  # track 0; track 2's point does not stay visible
    assert error["hidden_share"] == pytest.approx(2 / 9, abs=1e-5)


def test_a_demo_stopped_while_rendering_exits_130(monkeypatch):
    from trackcore import synth

    class Interrupted(FakeScene):
        def frames(self):
            os.kill(os.getpid(), signal.SIGINT)
            return super().frames()

    monkeypatch.setattr(synth, "ParallaxScene", Interrupted)
    told = only_json(run("demo", "--json", code=130))
    assert told == {"command": "demo", "outcome": "cancelled"}


def test_a_run_leaves_a_session_that_says_what_was_found():
    told = only_json(run("track", "plates/shot_010.mp4", "-o", "out", "--json"))
    session = trackcore.SessionStore().load(told["session"])
    assert session.success
    assert session.total_tracks == 30
    assert session.settings.pattern_size == TrackerOptions().window
    assert session.frame_samples[0].frame == 1
    assert session.optical_flow.dominant_direction[0] > 0.99
    assert session.motion_probe_results.texture_class is not None
    assert "shot_010" not in session.model_dump_json()
    assert told["statistics"]["shots"][0]["kind"] in ("PAN_TILT", "PLANAR")
    assert find_private(session.to_dict()) == []


def test_a_run_without_a_session_leaves_none():
    assert only_json(run("track", "shot.mp4", "--no-session", "--json"))["session"] is None
    assert trackcore.SessionStore().list() == []


def test_a_session_that_cannot_be_recorded_is_no_reason_to_fail(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRACKCORE_HOME", str(tmp_path / "file" / "below"))
    result = run("track", "shot.mp4", "--json")
    assert "no session was recorded" in result.stderr
    assert only_json(result)["session"] is None


def test_a_stopped_run_leaves_a_session_marked_as_interrupted(tracker):
    tracker.at_frame = lambda done: os.kill(os.getpid(), signal.SIGINT) if done == 5 else None
    run("track", "shot.mp4", code=130)
    (entry,) = trackcore.SessionStore().list()
    assert entry.interrupted
    assert not entry.success
