"""Recording: what is called is written, what is wrong is refused, nothing is invented."""

import json
import math
import subprocess
import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import trackcore as tc
from tests.unit.session_makers import session
from trackcore.errors import InputError, RecordError, StoreError
from trackcore.options import MotionModel
from trackcore.session import framed, journal, sections
from trackcore.session.models import Record


@pytest.fixture
def recorder(tmp_path):
    return tc.SessionRecorder(tmp_path)


def start(recorder, **fields):
    return recorder.start_session(**{"resolution": (1920, 1080), "fps": 30, **fields})


@dataclass
class Result:
    """A stage's result, as far as the recorder knows."""

    fields: dict

    def to_dict(self):
        return self.fields


def full(*_):
    """Stand for a write to a full disk."""
    raise OSError(28, "No space left on device")


def journals(recorder):
    folder = recorder.store.home.journals
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_the_documented_flow_makes_the_documented_file(recorder):
    name = start(recorder, frame_count=240, settings={"pattern_size": 15}, codec="h264")
    recorder.record_frame_sample(1, 27, 0, 0.012)
    recorder.record_frame_sample(frame=11, active_tracks=25, tracks_lost=2)
    recorder.record_adaptation(iteration=1, survival_rate=0.4, changes=["search_size 71 -> 93"])
    recorder.record_failure("track_00001", 87, (0.12, 0.85), "DRIFT")
    recorder.record_tracks(session(0)["tracks"])
    ended = recorder.end_session(success=True, solve_error=0.42)
    path = recorder.store.root / "sessions" / f"{name}.json"
    assert recorder.path == path
    written = json.loads(path.read_text())
    assert written == ended.to_dict() == recorder.store.load(name).to_dict()
    assert (written["schema_version"], written["success"], written["solve_error"]) == (
        1,
        True,
        0.42,
    )
    assert [s["frame"] for s in written["frame_samples"]] == [1, 11]
    assert written["track_failures"] == [
        {"track_name": "track_00001", "frame": 87, "position": [0.12, 0.85], "reason": "DRIFT"}
    ]
    assert written["adaptation_history"][0]["survival_rate"] == 0.4
    assert written["failure_type"] == "NONE"
    assert written["frame_of_failure"] is None
    assert written["clip_duration_seconds"] == 8
    assert written["codec"] == "h264"
    assert "interrupted" not in written
    assert journals(recorder) == []
    assert recorder.store.home.aggregate_stats.exists()


def test_the_name_is_the_documented_one_and_says_nothing_of_the_clip(recorder):
    name = start(recorder)
    timestamp, code = name[:19], name[20:]
    ended = recorder.end_session(success=False)
    assert ended.timestamp == timestamp[:10] + timestamp[10:].replace("-", ":")
    assert (len(code), int(code, 16) >= 0) == (8, True)
    assert ended.clip_name == f"clip_{code}"


def test_a_clip_or_tracks_tell_size_rate_and_length(recorder):
    clip = tc.open_clip(np.zeros((7, 20, 30), np.uint8), fps=25)
    recorder.start_session(clip)
    ended = recorder.end_session(success=False)
    assert (ended.resolution, ended.fps, ended.frame_count) == ((30, 20), 25, 7)
    tracks = tc.Tracks(
        ids=np.arange(2), xy_px=np.zeros((2, 5, 2)), status=np.zeros((2, 5), np.uint8),
        ncc=np.ones((2, 5)), t_ns=np.arange(5), frame_size=(64, 48), fps=12.5, first_frame=1,
    )  # fmt: skip
    recorder.start_session(tracks)
    ended = recorder.end_session(success=False)
    assert (ended.resolution, ended.fps, ended.frame_count) == ((64, 48), 12.5, 5)
    assert ended.clip_duration_seconds == 0.4


def test_nothing_to_tell_the_size_by_is_an_error(recorder):
    with pytest.raises(InputError, match="resolution: expected"):
        recorder.start_session()
    assert journals(recorder) == []


def moving_tracks():
    """Return tracks that pan, as a tracker would have made them."""
    random = np.random.default_rng(5)
    start = random.uniform((20, 20), (280, 180), (40, 1, 2))
    xy_px = start + np.arange(30)[None, :, None] * (1.5, 0.0) + random.normal(0, 0.02, (40, 30, 2))
    xy_px[5:9, 20:] = np.nan
    return tc.Tracks.from_positions(xy_px, frame_size=(320, 200), fps=25)


def test_what_the_stages_say_is_all_declared_and_comes_back(recorder):
    tracks = moving_tracks()
    clip = tc.open_clip(np.random.default_rng(1).integers(0, 255, (30, 200, 320)).astype(np.uint8))
    zoom, shot = tc.zoom_analysis(tracks), tc.classify_shot(tracks)
    motion, stats, probe = tc.clip_motion(tracks), tc.track_stats(tracks), tc.motion_probe(clip)
    recorder.start_session(tracks)
    recorder.record_tracks(stats)
    recorder.record(**motion.to_dict())
    recorder.record(zoom_analysis=zoom, shot_type=shot, motion_probe_results=probe)
    recorder.record(visual_features=tc.pixel_features(clip, tracks=tracks))
    ended = recorder.end_session(success=True)
    written = ended.to_dict()
    assert written["tracks"] == stats.to_dict()["tracks"]
    assert written["optical_flow"] == motion.to_dict()["optical_flow"]
    assert written["visual_features"]["motion_magnitude"] == motion.to_dict()["motion_magnitude"]
    assert written["footage_features"]["dominant_region"] == motion.regions.dominant_region
    assert written["zoom_analysis"] == zoom.to_dict()
    assert written["shot_type"]["kind"] == str(shot.kind)
    assert written["motion_probe_results"] == probe.to_dict()
    assert list(undeclared(ended)) == []


def undeclared(record, place=""):
    """Yield the places of all fields that the models do not name."""
    for name in record.model_extra:
        yield f"{place}.{name}"
    for name in type(record).model_fields:
        value = getattr(record, name)
        parts = value if isinstance(value, list) else [value]
        for part in list(value.values()) if isinstance(value, dict) else parts:
            if isinstance(part, Record):
                yield from undeclared(part, f"{place}.{name}")


def test_results_of_the_stages_find_their_places(recorder):
    start(recorder)
    motion = Result({
        "velocity_mean": 0.02, "parallax_score": 0.3, "global_motion_vector": [0.01, 0.0],
        "motion_consistency": 0.9, "flow_direction_histogram": [0.125] * 8,
        "temporal_motion_profile": [0.01, None], "ours": 3,
    })  # fmt: skip
    recorder.record(optical_flow=motion, zoom_analysis=Result({"confidence": 0.5, "mine": [1]}))
    recorder.record(visual_features={"edge_density_mean": 0.4, "contrast_estimate": 120.0})
    recorder.record(motion_probe_results={"motion_class": "LOW", "texture_class": "HIGH"})
    recorder.record(**Result({"anchor_tracks": [], "healing_stats": {"heals_attempted": 1}}).fields)
    ended = recorder.end_session(success=True).to_dict()
    assert ended["optical_flow"] == {"velocity_mean": 0.02, "parallax_score": 0.3, "ours": 3}
    assert ended["global_motion_vector"] == [0.01, 0.0]
    assert ended["flow_direction_histogram"] == [0.125] * 8
    assert ended["visual_features"] == {
        "temporal_motion_profile": [0.01, None], "edge_density_mean": 0.4,
    }  # fmt: skip
    assert ended["zoom_analysis"] == {"confidence": 0.5, "mine": [1]}
    assert ended["footage_features"]["contrast_estimate"] == 120
    assert ended["motion_class"] == "LOW"
    assert ended["healing_stats"] == {"heals_attempted": 1}


def test_every_section_of_the_record_is_known_by_name():
    assert {"settings", "optical_flow", "camera_intrinsics", "diagnosis", "shot_type"} <= set(
        sections.sections()
    )


def test_numpy_enums_and_tuples_become_plain(recorder):
    start(recorder, resolution=np.array([1920, 1080]), fps=np.float32(25), frame_count=np.int64(9))
    recorder.record(settings={"motion_model": MotionModel.AFFINE, "pattern_size": np.int32(15)})
    recorder.record(optical_flow={"dominant_direction": np.array([1.0, 0.0]), "ok": np.bool_(1)})
    recorder.record(healing_stats={tc.PointStatus.LOST: 1})
    ended = recorder.end_session(success=True).to_dict()
    assert ended["settings"] == {"motion_model": "Affine", "pattern_size": 15}
    assert ended["optical_flow"] == {"dominant_direction": [1.0, 0.0], "ok": True}
    assert ended["healing_stats"] == {"LOST": 1}
    assert (ended["resolution"], ended["fps"], ended["frame_count"]) == ([1920, 1080], 25, 9)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda r: r.record_frame_sample(1, 5, 0, math.nan), "frame_samples.0.avg_velocity"),
        (lambda r: r.record_frame_sample(1.5), "frame_samples.0.frame"),
        (lambda r: r.record_tracks([{"region": "center", "lifespan": -1}]), "tracks.0.lifespan"),
        (lambda r: r.record_tracks([{"name": "a"}]), "tracks.0.region"),
        (lambda r: r.record_failure(position=(0.1,)), "track_failures.0.position"),
        (lambda r: r.record(motion_class="FAST"), "motion_class: expected one of LOW"),
        (lambda r: r.record(motion_clas="LOW"), "motion_clas: a session has no such field"),
        (lambda r: r.record(optical_flow={"mine": np.inf}), "optical_flow.mine"),
        (lambda r: r.record(optical_flow={"mine": object()}), "optical_flow.mine: expected plain"),
        (lambda r: r.record(optical_flow={1: 2}), "optical_flow: expected names as keys"),
        (lambda r: r.record(optical_flow=3), "optical_flow"),
        (lambda r: r.record_adaptation({"survival_rate": 2}), "adaptation_history.0.survival_rate"),
        (lambda r: r.end_session(success=True, solve_error=math.nan), "solve_error"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_changes_nothing(recorder, call, reason):
    start(recorder)
    recorder.record_frame_sample(1, 5, 0, 0.1)
    with pytest.raises(RecordError, match=reason):
        call(recorder)
    ended = recorder.end_session(success=False).to_dict()
    assert len(ended["frame_samples"]) == 1
    assert ended["tracks"] == []
    assert not {"motion_class", "optical_flow", "track_failures", "adaptation_history"} & set(ended)


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.record_frame_sample(1),
        lambda r: r.record_tracks([]),
        lambda r: r.record_failure("a"),
        lambda r: r.end_session(success=True),
        lambda r: r.abandon(),
    ],
)
def test_without_a_session_nothing_can_be_recorded(recorder, call):
    with pytest.raises(InputError, match="call start_session first"):
        call(recorder)


def test_one_session_at_a_time_and_then_the_next(recorder):
    first = start(recorder)
    with pytest.raises(InputError, match="end it first"):
        start(recorder)
    recorder.end_session(success=True)
    second = start(recorder)
    recorder.end_session(success=True)
    assert recorder.store.sessions.names() == sorted([first, second])


def test_leaving_the_block_ends_the_session_as_interrupted(tmp_path):
    def work(recorder):
        with recorder:
            start(recorder)
            recorder.record_frame_sample(1, 5)
            raise ZeroDivisionError

    recorder = tc.SessionRecorder(tmp_path)
    with pytest.raises(ZeroDivisionError):
        work(recorder)
    left = recorder.store.load(recorder.session_id)
    assert (left.interrupted, left.success, len(left.frame_samples)) == (True, False, 1)
    assert journals(recorder) == []


def test_a_session_that_is_abandoned_leaves_nothing(recorder):
    start(recorder)
    recorder.abandon()
    assert recorder.store.list() == []
    assert journals(recorder) == []


def test_counts_and_zones_follow_from_the_tracks(recorder):
    tracks = [{"region": "center", "lifespan": 50, "contributed_to_solve": True}] * 4
    tracks += [{"region": "top-left", "lifespan": 50, "contributed_to_solve": False}] * 3
    tracks += [{"region": "mid-left", "lifespan": 3, "contributed_to_solve": True}] * 2
    start(recorder)
    recorder.record_tracks(tracks)
    ended = recorder.end_session(success=True).to_dict()
    assert (ended["total_tracks"], ended["successful_tracks"], ended["bundle_count"]) == (9, 7, 6)
    assert ended["region_stats"]["mid-left"] == {
        "total_tracks": 2, "successful_tracks": 0, "avg_lifespan": 3,
    }  # fmt: skip
    assert (ended["dead_zones"], ended["sweet_spots"]) == (["top-left"], ["center"])
    confidence = ended["region_confidence"]
    assert confidence["center"] == pytest.approx(0.7 * 0.5 + 0.3)
    assert confidence["top-left"] == pytest.approx(0.7 * 0.5)
    assert confidence["bottom-right"] == 0.5
    assert ended["footage_features"]["dominant_region"] == 4


def test_without_a_solve_long_tracks_make_a_zone(recorder):
    start(recorder)
    recorder.record_tracks(
        [{"region": "center", "success": True}] * 3 + [{"region": "top-left", "lifespan": 2}] * 3
    )
    ended = recorder.end_session(success=True)
    assert (ended.dead_zones, ended.sweet_spots) == (["top-left"], ["center"])
    assert ended.bundle_count is None


def test_what_is_recorded_is_not_derived_again(recorder):
    start(recorder)
    recorder.record_tracks([{"region": "center", "lifespan": 9}])
    ended = recorder.end_session(
        success=True, bundle_count=35, total_tracks=45, dead_zones=["top-right"],
        failure_type="DRIFT",
    )  # fmt: skip
    assert (ended.bundle_count, ended.total_tracks, ended.failure_type) == (35, 45, "DRIFT")
    assert ended.dead_zones == ["top-right"]


def test_time_is_measured_by_a_clock_that_does_not_jump(recorder, monkeypatch):
    monkeypatch.setattr("trackcore.session.store.now", lambda: "2030-01-01T00:00:00")
    monkeypatch.setattr("trackcore.session.recorder.now", lambda: "2030-01-01T00:00:00")
    start(recorder)
    monkeypatch.setattr("trackcore.session.recorder.now", lambda: "1999-01-01T00:00:00")
    ended = recorder.end_session(success=True)
    assert 0 <= ended.duration_seconds < 60
    start(recorder)
    recorder.end_session(success=True)
    assert [e.timestamp[:4] for e in recorder.store.list()] == ["1999", "2030"]


def test_each_record_is_on_the_disk_when_its_call_returns(recorder):
    name = start(recorder)
    path = recorder.store.home.journals / f"{name}{journal.SUFFIX}"
    for frame in range(1, 4):
        recorder.record_frame_sample(frame, 5)
        record, ended = journal.replay(path.read_bytes())
        assert (len(record["frame_samples"]), ended) == (frame, False)
    recorder.abandon()


def test_a_full_disk_is_outlived_in_memory_and_told(recorder, monkeypatch):
    start(recorder)
    real = journal.os.write
    torn = []

    def filling(descriptor, data):
        if not torn:
            torn.append(real(descriptor, bytes(data)[:5]))
            return 5
        return full()

    monkeypatch.setattr(journal.os, "write", filling)
    recorder.record_frame_sample(1, 5)
    recorder.record_frame_sample(2, 5)
    assert recorder.problem.errno == 28
    monkeypatch.setattr(journal.os, "write", real)
    recorder.record_frame_sample(3, 5)
    assert recorder.problem is None
    path = recorder.store.home.journals / f"{recorder.session_id}{journal.SUFFIX}"
    assert None not in framed.values(path.read_bytes())
    assert len(journal.replay(path.read_bytes())[0]["frame_samples"]) == 3
    assert len(recorder.end_session(success=True).frame_samples) == 3


def test_a_session_that_cannot_be_written_can_be_ended_again(recorder, monkeypatch):
    name = start(recorder)
    with monkeypatch.context() as patch:
        patch.setattr("trackcore.session.folder.write_durably", full)
        with pytest.raises(StoreError, match="No space left on device"):
            recorder.end_session(success=True)
        assert recorder.store.list() == []
    assert recorder.end_session(success=True, solve_error=0.3).solve_error == 0.3
    assert recorder.store.load(name).solve_error == 0.3


def test_what_could_not_be_written_is_recovered_as_it_ended(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("trackcore.session.folder.write_durably", full)
        recorder = tc.SessionRecorder(tmp_path)
        start(recorder)
        with pytest.raises(StoreError), recorder:
            recorder.end_session(success=True, solve_error=0.3)
    found = tc.SessionStore(tmp_path).load(recorder.session_id)
    assert (found.success, found.interrupted, found.solve_error) == (True, None, 0.3)


LIMITED = """
import resource, signal, sys, trackcore as tc
from trackcore.session.models import Session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = tc.SessionRecorder(sys.argv[1])
recorder.start_session(resolution=(1920, 1080), fps=30)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
for frame in range(1, 101):
    recorder.record_frame_sample(frame, 5)
problem = recorder.problem
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
session = recorder.end_session(success=True)
print(type(problem).__name__, len(session.frame_samples))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file size")
def test_a_file_that_really_cannot_grow_loses_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["OSError", "100"], done.stderr


def test_threads_may_record_sessions_of_their_own_into_one_store(tmp_path):
    def work():
        recorder = tc.SessionRecorder(tmp_path)
        for _ in range(5):
            start(recorder)
            recorder.record_frame_sample(1, 5)
            recorder.end_session(success=True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = tc.SessionStore(tmp_path).list()
    assert [(e.problem, e.success) for e in entries] == [(None, True)] * 20
