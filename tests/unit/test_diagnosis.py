"""Why a clip did not track: a scene per pattern, and a healthy one for each near miss."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import trackcore as tc
from trackcore.diagnosis import FailurePattern as P
from trackcore.diagnosis import FailureType, apply_fix, diagnose
from trackcore.types import PointStatus as S

SIZE = (640, 360)
DIAGONAL = float(np.hypot(*SIZE))
N_FRAMES = 60


def positions(n: int = 60, *, speed_px: float = 1.0, noise: float = 0.05) -> np.ndarray:
    """Points all over the frame that drift to the right."""
    rng = np.random.default_rng(0)
    start = rng.uniform([20, 20], [560, 340], (n, 1, 2))
    xy = start + np.arange(N_FRAMES)[:, None] * [speed_px, 0.0]
    return xy + rng.normal(0, noise, xy.shape)


def tracks_of(xy: np.ndarray, reason: S = S.LOW_CORRELATION) -> tc.Tracks:
    """Tracks; where one ends inside the clip it says why, and that it left where it did."""
    xy = xy.copy()
    outside = ~((xy > -0.5) & (xy < np.array(SIZE) - 0.5)).all(axis=-1)
    left = outside & np.isfinite(xy[..., 0])
    xy[outside] = np.nan
    seen = np.isfinite(xy[..., 0])
    status = np.where(seen, S.TRACKED, S.UNSEEN).astype(np.uint8)
    last = seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    for i, end in enumerate(last.tolist()):
        if end + 1 < seen.shape[1]:
            status[i, end + 1] = S.OUT_OF_FRAME if left[i, end + 1] else reason
    t_ns = np.arange(seen.shape[1]) * 40_000_000
    ncc = np.where(seen, 0.98, np.nan)
    return tc.Tracks(np.arange(len(xy)), xy, status, ncc, t_ns, SIZE, 25.0, 1)


def cut_off(xy: np.ndarray, which: Any, after: Any) -> np.ndarray:
    """End tracks after so many frames."""
    out = xy.copy()
    lives = np.broadcast_to(after, len(out))
    for i in np.flatnonzero(np.broadcast_to(which, len(out))):
        out[i, lives[i] :] = np.nan
    return out


def pixels_of(**series: Any) -> tc.PixelFeatures:
    """What pixels show of a sharp, well lit clip, but for what is given."""
    rng = np.random.default_rng(0)
    frames = list(rng.integers(0, 255, (N_FRAMES, 36, 64), np.uint8))
    found = tc.pixel_features(frames)
    plain = dataclasses.replace(
        found.series, blur_px=np.full(N_FRAMES, 0.8), cuts=np.zeros(0, np.int64)
    )
    top = {k: series.pop(k) for k in ("contrast_estimate",) if k in series}
    return dataclasses.replace(
        found, series=dataclasses.replace(plain, **series), **{"contrast_estimate": 150, **top}
    )


@pytest.fixture(scope="module")
def sharp() -> tc.PixelFeatures:
    return pixels_of()


def test_healthy_tracks_get_no_diagnosis(sharp: tc.PixelFeatures) -> None:
    for pixels in (None, sharp):
        found = diagnose(tracks_of(positions()), pixels=pixels)
        assert (found.pattern, found.failure_type) == (P.NONE, FailureType.NONE)
        assert found.causes == ()
        assert found.fix_adjustments == {}
        assert found.frame_of_failure is None


def test_a_locked_off_shot_is_neither_blurred_nor_fast() -> None:
    assert diagnose(tracks_of(positions(speed_px=0.0, noise=0.2))).pattern == P.NONE


def test_tracks_that_leave_the_frame_in_a_pan_are_no_failure() -> None:
    assert diagnose(tracks_of(positions(speed_px=12.0))).pattern == P.NONE


def test_tracks_lost_in_blurred_frames_are_motion_blur() -> None:
    xy = cut_off(positions(), np.arange(60) % 2 == 0, 20)
    blur = np.full(N_FRAMES, 0.8)
    blur[19:23] = 3.0
    found = diagnose(tracks_of(xy), pixels=pixels_of(blur_px=blur))
    assert found.pattern == P.MOTION_BLUR
    assert found.failure_type == FailureType.BLUR
    assert found.frame_of_failure == 20
    assert found.causes[0].frames == (20, 21, 22, 23)


def test_blur_that_harms_no_track_is_no_failure() -> None:
    blur = np.full(N_FRAMES, 0.8)
    blur[19:23] = 3.0
    assert diagnose(tracks_of(positions()), pixels=pixels_of(blur_px=blur)).pattern == P.NONE


def test_without_pixels_short_restless_tracks_are_motion_blur() -> None:
    xy = positions(noise=0.05)
    rng = np.random.default_rng(1)
    xy[:40] += rng.normal(0, 2.0, xy[:40].shape)
    found = diagnose(tracks_of(cut_off(xy, np.arange(60) < 40, 5 + np.arange(60) % 4)))
    assert found.pattern == P.MOTION_BLUR


def test_shake_in_sharp_frames_is_less_sure_to_be_blur(sharp: tc.PixelFeatures) -> None:
    xy = positions(noise=2.0)
    torn = tracks_of(cut_off(xy, np.arange(60) < 40, 5 + np.arange(60) % 4))
    alone, seen = diagnose(torn), diagnose(torn, pixels=sharp)
    assert alone.pattern == seen.pattern == P.MOTION_BLUR
    assert seen.confidence < alone.confidence
    assert diagnose(tracks_of(xy), pixels=sharp).pattern == P.NONE, "nothing is lost"


def test_tracks_that_race_are_rapid_motion() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(N_FRAMES)
    swing = np.stack([100 * np.sin(t), np.zeros(N_FRAMES)], -1)
    xy = rng.uniform([150, 20], [490, 340], (60, 1, 2)) + swing
    found = diagnose(tracks_of(xy))
    assert found.pattern == P.RAPID_MOTION
    assert found.causes[0].evidence["median_velocity"] > 0.05


def test_few_tracks_on_faint_pixels_are_low_contrast() -> None:
    found = diagnose(tracks_of(positions(12)), pixels=pixels_of(contrast_estimate=9))
    assert found.pattern == P.LOW_CONTRAST
    assert found.failure_type == FailureType.CONTRAST
    assert found.fix_adjustments["threshold"] < tc.Settings().threshold


def test_few_tracks_where_there_is_much_to_see_are_not_low_contrast(
    sharp: tc.PixelFeatures,
) -> None:
    assert diagnose(tracks_of(positions(12)), pixels=sharp).pattern == P.NONE


def test_corners_that_fail_are_edge_distortion() -> None:
    xy = positions(300, speed_px=0.0)
    corner = (np.abs(xy[:, 0, 0] - 320) > 110) & (np.abs(xy[:, 0, 1] - 180) > 65)
    lives = 20 + np.arange(300) % 35
    found = diagnose(tracks_of(cut_off(xy, corner, lives)))
    assert found.pattern == P.EDGE_DISTORTION
    assert set(found.causes[0].regions) == {"top-left", "top-right", "bottom-left", "bottom-right"}
    assert found.fix_adjustments["center_weight"] == 2
    everywhere = diagnose(tracks_of(cut_off(xy, np.arange(300) % 2 == 0, lives)))
    assert P.EDGE_DISTORTION not in [c.pattern for c in everywhere.causes]


@pytest.mark.parametrize("at", [10, 30, 50])
def test_most_tracks_lost_at_once_are_a_cut(at: int) -> None:
    found = diagnose(tracks_of(cut_off(positions(speed_px=0.2), np.arange(60) % 10 > 0, at)))
    assert found.pattern == P.SCENE_CUT
    assert found.frame_of_failure == at + 1
    assert found.fix_adjustments == {"redetect_frames": [at + 1]}


def test_the_end_of_the_clip_is_no_cut() -> None:
    assert diagnose(tracks_of(positions(speed_px=0.2))).pattern == P.NONE


def test_a_cut_that_pixels_show_is_one_even_if_tracks_survive_it(sharp: tc.PixelFeatures) -> None:
    seen = pixels_of(cuts=np.array([31]))
    assert diagnose(tracks_of(positions()), pixels=seen).pattern == P.SCENE_CUT
    lost = tracks_of(cut_off(positions(speed_px=0.2), [True], 30))
    assert P.SCENE_CUT not in [c.pattern for c in diagnose(lost, pixels=sharp).causes]


def test_too_few_bundles_are_insufficient_features() -> None:
    found = diagnose(tracks_of(positions()), bundle_count=5)
    assert found.pattern == P.INSUFFICIENT_FEATURES
    assert found.failure_type == FailureType.INSUFFICIENT
    assert diagnose(tracks_of(positions()), bundle_count=30).pattern == P.NONE
    nothing = tc.Tracks.from_positions(np.zeros((0, 5, 2)), frame_size=SIZE)
    assert diagnose(nothing).pattern == P.INSUFFICIENT_FEATURES


def test_several_causes_are_ranked() -> None:
    xy = cut_off(positions(15, speed_px=0.2), np.arange(15) > 2, 30)
    found = diagnose(tracks_of(xy), bundle_count=3)
    patterns = [cause.pattern for cause in found.causes]
    assert patterns == [P.SCENE_CUT, P.INSUFFICIENT_FEATURES, P.LOW_CONTRAST]
    assert [c["pattern"] for c in found.to_dict()["causes"]] == [str(p) for p in patterns]


def test_anchors_that_disagree_are_drift() -> None:
    tracks = tracks_of(positions())
    assert diagnose(tracks, anchor_disagreement_px=np.full(60, 2.0)).failure_type == "DRIFT"
    assert diagnose(tracks, anchor_disagreement_px=np.full(60, 0.2)).failure_type == "NONE"


@pytest.mark.parametrize("pattern", [p for p in P if p != P.NONE])
def test_a_fix_changes_something_and_stays_in_the_documented_ranges(pattern: P) -> None:
    base = diagnose(tracks_of(positions()))
    for start in (
        tc.Settings(),
        tc.Settings(pattern_size=31, search_size=151, correlation=0.5, threshold=0.1),
    ):
        from trackcore.diagnosis.fixes import adjustments

        changes = adjustments(pattern, start, (31,))
        found = dataclasses.replace(base, pattern=pattern, fix_adjustments=changes)
        fixed = apply_fix(start, found)
        settings = {k: v for k, v in fixed.items() if k in start.to_dict()}
        assert tc.Settings(**settings).to_dict() == settings
        if start == tc.Settings():
            assert fixed != start.to_dict()
    assert apply_fix({"pattern_size": 15, "mine": 3}, found)["mine"] == 3


def test_a_diagnosis_fits_the_record_and_its_documented_name() -> None:
    tracks = tracks_of(cut_off(positions(speed_px=0.2), [True], 30))
    found = tc.FailureDiagnostics.diagnose(tracks)
    assert isinstance(found, tc.DiagnosisResult)
    with tc.SessionRecorder() as recorder:
        recorder.start_session(tracks)
        recorder.record(diagnosis=found)
        session = recorder.end_session(success=False)
    assert session.diagnosis.pattern == "SCENE_CUT"
    assert session.failure_type == "CUT"
    assert session.frame_of_failure == 31


def test_wrong_arguments_are_named() -> None:
    tracks = tracks_of(positions(9))
    with pytest.raises(tc.InputError, match="tracks"):
        diagnose([1])  # type: ignore[arg-type]
    with pytest.raises(tc.InputError, match="pixels"):
        diagnose(tracks, pixels={})  # type: ignore[arg-type]
    with pytest.raises(tc.InputError, match="anchor_disagreement_px"):
        diagnose(tracks, anchor_disagreement_px=[1.0])
