"""Where the stages' results go in a session, and what follows from what was recorded."""

from dataclasses import dataclass

import numpy as np
import pytest

import trackcore as tc
from trackcore.options import MotionModel
from trackcore.session import sections
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
    diagnosis = tc.diagnose(tracks)
    recorder.record(diagnosis=diagnosis)
    ended = recorder.end_session(success=True)
    written = ended.to_dict()
    assert written["tracks"] == stats.to_dict()["tracks"]
    assert written["optical_flow"] == motion.to_dict()["optical_flow"]
    assert written["visual_features"]["motion_magnitude"] == motion.to_dict()["motion_magnitude"]
    assert written["footage_features"]["dominant_region"] == motion.regions.dominant_region
    assert written["zoom_analysis"] == zoom.to_dict()
    assert written["shot_type"]["kind"] == str(shot.kind)
    assert written["motion_probe_results"] == probe.to_dict()
    assert written["diagnosis"]["causes"] == diagnosis.to_dict()["causes"]
    assert written["failure_type"] == str(diagnosis.failure_type)
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
