"""What settings a clip begins with, and that they mean the same everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

import trackcore as tc
from trackcore.footage import MotionClass, TextureClass
from trackcore.pixels import MotionProbe, ProbeStatus
from trackcore.settings import searched_px, settings_used, tracker_options
from trackcore.settings_policy import (
    FOOTAGE,
    TIERS,
    ClipFacts,
    ColdStart,
    Fixed,
    FootageType,
    Quality,
    Tier,
    Wishes,
    tier_for,
)


def probe(speed: float | None, texture: TextureClass = TextureClass.HIGH) -> MotionProbe:
    return MotionProbe(
        motion_class=None if speed is None else tc.footage.motion_class(speed),
        texture_class=texture, best_regions=(), motion_magnitude=speed, motion_variance=0.0,
        region_success={"center": 0.9, "top-left": 0.1, "mid-left": None}, textured_share=0.9,
        n_points=50, first_frame=1, n_frames=20, cuts=(), seed=0, status=ProbeStatus.OK,
    )  # fmt: skip


def chosen(
    width: int = 1280, *, fps: float = 30.0, n_frames: int = 200,
    speed: float | None = 0.002, texture: TextureClass = TextureClass.HIGH, **wishes: object,
) -> tc.Settings:  # fmt: skip
    seen = None if speed is None else probe(speed, texture)
    facts = ClipFacts(frame_size=(width, width * 9 // 16), fps=fps, n_frames=n_frames, probe=seen)
    return ColdStart().choose(facts, Wishes(**wishes)).settings


def test_a_quiet_clip_gets_the_documented_defaults_but_for_the_model() -> None:
    assert chosen() == tc.Settings(motion_model="Affine")


@pytest.mark.parametrize("tier", list(Tier))
def test_presets_are_within_the_documented_ranges_once_clamped(tier: Tier) -> None:
    tc.Settings.clamped(**TIERS[tier])


def test_tiers_get_stricter_with_success() -> None:
    rates = (0.1, 0.2, 0.4, 0.6, 0.9)
    assert [tier_for(rate) for rate in rates] == list(Tier)
    settings = [tc.Settings.clamped(**TIERS[tier_for(rate)]) for rate in rates]
    for name in ("pattern_size", "search_size"):
        sizes = [getattr(s, name) for s in settings]
        assert sizes == sorted(sizes, reverse=True)
    assert [s.correlation for s in settings] == sorted(s.correlation for s in settings)


def test_faster_motion_is_searched_for_further() -> None:
    sizes = [chosen(speed=speed).search_size for speed in (0.002, 0.015, 0.04)]
    assert sizes == [71, 105, 151]  # twice 22 px; twice 59 px is beyond the range
    assert chosen(speed=0.04).correlation == 0.55


def test_the_search_follows_the_speed_that_was_measured() -> None:
    quick, slow = (chosen(1920, speed=v).search_size for v in (0.0095, 0.001))
    assert quick > slow
    assert quick >= 15 + 2 * 2 * 0.0095 * 2203 - 2


def test_larger_frames_get_larger_patterns() -> None:
    assert [chosen(w).pattern_size for w in (640, 1280, 1920, 3840)] == [15, 15, 19, 23]
    assert chosen(3840).search_size > chosen(1920).search_size


def test_a_camera_that_stands_gets_a_larger_pattern() -> None:
    sizes = [chosen(speed=px / 1469).pattern_size for px in (0.1, 0.4, 0.6, 3.0)]
    assert sizes == [27, 27, 15, 15]


def test_faint_texture_is_looked_for_more_sensitively() -> None:
    faint = chosen(texture=TextureClass.LOW)
    assert faint.threshold == pytest.approx(0.18)
    assert faint.correlation == pytest.approx(0.6)


@pytest.mark.parametrize("kind", [k for k in FootageType if k in FOOTAGE])
def test_footage_types_do_what_the_table_says(kind: FootageType) -> None:
    pattern, search, correlation, threshold = FOOTAGE[kind]
    plain = chosen()
    expected = tc.Settings.clamped(
        pattern_size=plain.pattern_size * pattern, search_size=plain.search_size * search,
        correlation=plain.correlation + correlation, threshold=plain.threshold * threshold,
        motion_model="Affine",
    )  # fmt: skip
    found = chosen(footage_type=kind).to_dict()
    assert found.pop("motion_model") == "Affine"
    assert found == pytest.approx({k: v for k, v in expected.to_dict().items() if k in found})


def test_robust_is_more_tolerant_and_a_tripod_stricter() -> None:
    robust, tripod = chosen(robust=True), chosen(tripod=True)
    assert (robust.pattern_size, robust.search_size) == (21, 101)
    assert robust.correlation == pytest.approx(0.55)
    assert robust.threshold == pytest.approx(0.18)
    assert tripod.correlation == pytest.approx(0.78)
    everything = chosen(robust=True, tripod=True, footage_type=FootageType.DRONE, speed=0.05)
    assert everything.correlation == 0.5, "clamped last"


def test_quality_buys_tracks_and_pattern() -> None:
    facts = ClipFacts(frame_size=(1280, 720), fps=30.0, n_frames=200, probe=probe(0.002))
    choices = [ColdStart().choose(facts, Wishes(quality=q)) for q in Quality]
    counts = [c.target_count for c in choices]
    assert counts == sorted(counts)
    assert [c.settings.pattern_size for c in choices] == [13, 15, 19]


@pytest.mark.parametrize(("fps", "n_frames"), [(24.0, 50), (30.0, 200), (60.0, 600)])
def test_without_a_probe_frame_rate_and_length_must_do(fps: float, n_frames: int) -> None:
    guess = {24.0: 151, 30.0: 71, 60.0: 29}
    got = chosen(speed=None, fps=fps, n_frames=n_frames).search_size
    assert got == guess[fps]


def test_every_choice_says_why_and_where_tracks_hold() -> None:
    facts = ClipFacts(frame_size=(1920, 1080), fps=30.0, n_frames=200, probe=probe(0.02))
    choice = ColdStart().choose(facts, Wishes(robust=True))
    said = " ".join(choice.why)
    for word in ("MEDIUM motion", "44 px", "HD", "robust"):
        assert word in said
    assert choice.region_confidence == {"center": 0.62, "top-left": 0.38}
    assert choice.to_dict()["settings"] == choice.settings.to_dict()


def test_a_user_may_fix_the_settings() -> None:
    mine = tc.Settings(pattern_size=11)
    facts = ClipFacts(frame_size=(640, 360), fps=25.0)
    assert Fixed(mine, 77).choose(facts, Wishes()).settings == mine
    assert Fixed(mine, 77).choose(facts, Wishes()).target_count == 77


@pytest.mark.parametrize("pattern", [5, 15, 21, 31])
@pytest.mark.parametrize("search", [25, 51, 71, 101, 151])
def test_the_settings_used_mean_the_options_they_came_from(pattern: int, search: int) -> None:
    asked = tc.Settings(pattern_size=pattern, search_size=search, threshold=0.2, correlation=0.6)
    options = tracker_options(asked)
    used = settings_used(options)
    assert used["search_size"] >= search
    assert {k: used[k] for k in used if k != "search_size"} == {
        k: v for k, v in asked.to_dict().items() if k != "search_size"
    }
    assert tracker_options(tc.Settings.from_dict(used), options) == options


def test_what_the_documents_do_not_speak_of_is_left_alone() -> None:
    base = tc.TrackerOptions(target_count=7, min_distance=33.0, anchor="keyframe")
    options = tracker_options(tc.Settings(), base)
    assert replace(options, model=base.model, window=base.window, min_ncc=base.min_ncc) == base


def test_the_reach_is_what_a_tracker_really_follows() -> None:
    """Nine in ten points that move by the reach of so many levels are still found."""
    import numpy as np

    scene = tc.synth.ParallaxScene(1, size=(640, 400), n_frames=2)
    frame = scene.frame(0)
    for levels in (3, 4):
        reach = (searched_px(15, levels) - 15) // 2
        prev, moved = frame[:, reach:], frame[:, :-reach]
        xy = tc.detect_features(
            prev, options=tc.FeatureOptions(max_features=200, cells=8, min_distance=12)
        ).xy_px
        xy = xy[(xy[:, 0] < prev.shape[1] - reach - 20) & (xy[:, 0] > 20)]
        found = tc.track_points(
            prev, moved, xy, options=tc.TrackOptions(window=15, levels=levels)
        ).xy_px
        hit = np.linalg.norm(found - xy - [reach, 0], axis=1) < 1
        assert hit.mean() > 0.8


def test_motion_classes_have_a_row_each() -> None:
    from trackcore.settings_policy import BY_MOTION

    assert set(BY_MOTION) == set(MotionClass)
