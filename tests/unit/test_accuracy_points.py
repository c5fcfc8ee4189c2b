"""Point tracking against OpenCV's, the Cramer-Rao bound and the truth: the promises made.

The seeds were not used while the tracker was being built.
"""

import numpy as np
import pytest

from tests.contest import contest, contest_on, joined, middlebury, opencv_points, share_wrong
from trackcore import TrackOptions, synth, track_points
from trackcore.options import MotionModel

FAST = TrackOptions()
PRECISE = TrackOptions(precise=True)
TEXTURED = ["medium", "fine", "pink", "gabor", "corners"]


def pairs(texture, n_pairs, **kwargs):
    seeds = range(9000, 9000 + n_pairs)
    return [synth.pair(texture, seed=seed, **kwargs) for seed in seeds]


@pytest.mark.parametrize("noise", [0.0, 2.0])
@pytest.mark.parametrize("texture", ["smooth", *TEXTURED])
def test_errors_are_no_larger_than_opencvs_and_far_smaller_on_texture(texture, noise):
    slow_to_render = texture in ("gabor", "corners")
    scenes = pairs(texture, 2 if slow_to_render else 6, noise=noise, n_points=200)
    fast = joined([contest_on(scene, FAST) for scene in scenes])
    assert fast.common.mean() > 0.98
    assert fast.ratio(0.5) <= 1
    assert fast.ratio(0.95) <= 1
    assert share_wrong(fast.ours_px) <= max(share_wrong(fast.theirs_px), 0.002)
    if texture in TEXTURED:
        precise = joined([contest_on(scene, PRECISE) for scene in scenes])
        assert precise.ratio(0.5) <= 0.7


@pytest.mark.parametrize("options", [FAST, PRECISE], ids=["fast", "precise"])
@pytest.mark.parametrize("texture", ["smooth", "medium", "fine", "pink"])
def test_errors_are_as_small_as_noise_allows(texture, options):
    scenes = pairs(texture, 6, noise=2.0)
    found = joined([contest_on(scene, options, bound=True) for scene in scenes])
    assert found.over_bound(found.ours_px) <= 1.15
    assert 0.8 < found.chi_square() < 1.3


@pytest.mark.parametrize("model", MotionModel)
@pytest.mark.parametrize(
    ("gain", "bias", "photometric"),
    [(1.0, 0.0, "none"), (1.15, -8.0, "gain_bias"), (0.85, 12.0, "gain_bias")],
)
def test_warped_patches_are_followed_no_worse_than_by_opencv(model, gain, bias, photometric):
    options = TrackOptions(photometric=photometric)
    found = joined(
        [
            contest_on(scene, options)
            for texture in ("medium", "pink")
            for scene in pairs(texture, 3, model=model, amount=0.3, gain=gain, bias=bias)
        ]
    )
    assert found.common.mean() > 0.98
    assert found.ratio(0.5) <= 1
    assert found.ratio(0.95) <= 1


@pytest.mark.parametrize(
    ("texture", "amount"),
    [
        ("edge_only", 1.0),
        ("white_noise", 1.5),
        # less than half a period: beyond it, a wrong one is nearer and matches as well
        ("repetitive", 0.6),
    ],
)
def test_far_fewer_wrong_positions_than_opencv_where_there_is_little_to_go_by(texture, amount):
    scenes = [
        scene for noise in (0.0, 2.0) for scene in pairs(texture, 3, noise=noise, amount=amount)
    ]
    found = joined([contest_on(scene, FAST) for scene in scenes])
    assert share_wrong(found.ours_px) <= 0.1 * share_wrong(found.theirs_px)
    both_ways = TrackOptions(forward_backward=True)
    checked = joined([contest_on(scene, both_ways) for scene in scenes])
    assert share_wrong(checked.ours_px) <= share_wrong(found.ours_px)


def test_the_position_has_no_favourite_part_of_a_pixel():
    phases = (np.arange(16) + 0.5) / 16
    texture = synth.plane_waves(9010, std_rad_per_px=0.6)
    xy = np.random.default_rng(9010).uniform(24, [295, 215], (120, 2))
    prev = synth.render(texture, noise=1.0, rng=np.random.default_rng(1))
    mean_error = []
    for i, phase in enumerate(phases):
        warp = np.array([[1, 0, phase], [0, 1, 0.5 - phase], [0, 0, 1]])
        next_ = synth.render(texture, warp=warp, noise=1.0, rng=np.random.default_rng([2, i]))
        found = track_points(prev, next_, xy)
        assert found.ok.all()
        mean_error.append((found.xy_px - synth.apply_warp(warp, xy)).mean(axis=0))
        theirs = opencv_points(prev, next_, xy, FAST) - synth.apply_warp(warp, xy)
        assert np.isfinite(theirs).all()
    # 120 windows overlap: their mean error is about 0.001 px by noise alone
    assert np.abs(mean_error).max() < 0.003


@pytest.mark.parametrize("window", [16, 21])
@pytest.mark.parametrize("name", ["RubberWhale", "Dimetrodon", "Grove2"])
def test_real_pictures_with_measured_flow_are_followed_no_worse_than_by_opencv(
    shared_data, name, window
):
    data = middlebury(shared_data("middlebury_flow_open") / name)
    found = contest(*data, TrackOptions(window=window))
    assert found.common.mean() > 0.98
    assert found.ratio(0.5) <= 0.85
    assert share_wrong(found.ours_px) <= share_wrong(found.theirs_px)
