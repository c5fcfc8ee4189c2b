"""detect_blobs: spots of stills, rendered and real."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.cpu_levels import outputs
from tests.oracle import blobs as oracle
from trackcore import InputError, _core, synth


def spots(level, seed=0, radius=(3.0, 9.0), noise=1.0, size=(320, 240), background=110.0):
    """Return an image of 24 discs on a jittered grid, their centres and radii."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(30, 320, 52), np.arange(30, 240, 58))
    xy = np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-5, 5, (x.size, 2))
    radii = rng.uniform(*radius, len(xy))
    balls = [
        synth.Ball(xy_px=tuple(p), radius_px=r, level=level) for p, r in zip(xy, radii, strict=True)
    ]
    grey = synth.draw_balls(np.full(size[::-1], background), balls)
    noisy = grey + noise * rng.normal(size=grey.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), xy, radii


def matched(blobs, xy):
    apart = np.linalg.norm(blobs.xy_px[None] - xy[:, None], axis=2)
    nearest = apart.argmin(axis=1)
    assert apart.min(axis=1).max() < 1
    return nearest


@pytest.mark.parametrize("level", [190.0, 40.0])
def test_discs_are_found_once_each_and_exactly(level):
    image, xy, radii = spots(level)
    blobs = tc.detect_blobs(image)
    assert len(blobs) == len(xy)
    k = matched(blobs, xy)
    error = blobs.xy_px[k] - xy
    assert np.sqrt((error**2).mean()) < 0.03
    assert np.abs(blobs.radius_px[k] - radii).max() < 0.15
    assert_allclose(blobs.contrast, level - 110, atol=4)
    assert not blobs.ring.any()
    assert (np.diff(blobs.score) <= 0).all()


def test_every_cpu_level_starts_from_the_same_maxima():
    printed = outputs("""
import hashlib
import numpy as np
from trackcore import _core
print(_core.cpu_level())
rng = np.random.default_rng(0)
for h, w in ((3, 3), (5, 70), (61, 33), (200, 301)):
    image = rng.normal(0, 20, (h, w)).astype(np.float32)
    starts = _core.find_blobs(image, 1.5, 30.0, 1.0, 1.0, 4.0, 1.0, True, True)
    print(len(starts), hashlib.sha256(starts.tobytes()).hexdigest())
""")
    assert len(set(printed.values())) == 1
    assert int(next(iter(printed.values())).splitlines()[-1].split()[0]) > 100


def test_maxima_are_those_of_plain_differences_of_gaussians():
    image, xy, _ = spots(190.0)
    grey = image.astype(np.float32)
    found = _core.find_blobs(grey, 2.0, 20.0, 8.0, 12.0, 2.0, 1.0, bright=True, dark=True)
    expected = oracle.maxima(grey, 2.0, 8, 8.0 / 2)
    assert len(expected) >= len(xy)
    for x, y, radius, contrast in expected:
        k = np.hypot(found[:, 0] - x, found[:, 1] - y).argmin()
        # the oracle's are whole pixels; octaves have pixels of their own
        assert np.hypot(found[k, 0] - x, found[k, 1] - y) < 0.4 * radius
        assert_allclose(found[k, 2], radius, rtol=1e-6)
        assert_allclose(found[k, 3], contrast, rtol=0.1)


def test_overlaps_leave_the_strongest():
    rng = np.random.default_rng(3)
    discs = np.c_[rng.uniform(-3, 200, (400, 2)), rng.uniform(1, 9, 400), np.ones(400)]
    kept = []
    for k, (x, y, r, _) in enumerate(discs):
        others = discs[kept].reshape(-1, 4)
        apart = np.hypot(others[:, 0] - x, others[:, 1] - y)
        if (apart >= 0.75 * np.maximum(others[:, 2], r)).all():
            kept.append(k)
    assert 50 < len(kept) < 350
    assert_array_equal(_core.without_overlaps(discs), kept)
    assert len(_core.without_overlaps(np.zeros((0, 4)))) == 0


def test_polarity_is_symmetric_and_selects():
    image, xy, _ = spots(190.0)
    bright = tc.detect_blobs(image, options=tc.BlobOptions(polarity="bright"))
    dark = tc.detect_blobs(255 - image, options=tc.BlobOptions(polarity="dark"))
    assert_allclose(bright.xy_px, dark.xy_px, atol=1e-3)
    assert len(bright) == len(xy)
    assert len(tc.detect_blobs(image, options=tc.BlobOptions(polarity="dark"))) == 0


def test_rings_are_found_when_asked_for_and_say_so():
    grey = np.full((120, 160), 80.0)
    outer = synth.Ball(xy_px=(80.3, 60.6), radius_px=9.0, level=180.0)
    inner = synth.Ball(xy_px=(80.3, 60.6), radius_px=5.5, level=80.0)
    image = np.rint(synth.draw_balls(grey, [outer, inner])).astype(np.uint8)
    options = tc.BlobOptions(polarity="bright", rings=True, min_radius_px=5.0)
    blobs = tc.detect_blobs(image, options=options)
    assert blobs.ring[0]
    assert_allclose(blobs.xy_px[0], (80.3, 60.6), atol=0.1)


def test_lines_edges_noise_and_flat_images_have_none():
    rng = np.random.default_rng(4)
    y, x = np.mgrid[0:160, 0:200]
    for grey in (
        np.full((160, 200), 90.0),
        np.where(x > 100, 160.0, 60.0),
        np.where(abs(x - y) < 3, 160.0, 60.0),
        0.5 * x + 0.3 * y,
    ):
        for noise in (0.0, 2.0):
            image = np.clip(np.rint(grey + noise * rng.normal(size=grey.shape)), 0, 255)
            found = tc.detect_blobs(image.astype(np.uint8))
            inside = ((found.xy_px > 15) & (found.xy_px < (184, 144))).all(axis=1)
            assert not inside.any()


def test_kinds_of_images_agree():
    image, _, _ = spots(190.0)
    expected = tc.detect_blobs(image)
    wide = tc.detect_blobs(
        image.astype(np.uint16) * 256, options=tc.BlobOptions(min_contrast=8 * 256)
    )
    assert_allclose(wide.xy_px, expected.xy_px, atol=2e-3)
    for same in (image.astype(np.float32), np.repeat(image[..., None], 3, axis=2)):
        assert_allclose(tc.detect_blobs(same).xy_px, expected.xy_px, atol=5e-3)
    holed = image.astype(np.float32)
    holed[5, 7] = np.nan
    assert np.isfinite(tc.detect_blobs(holed).xy_px).all()


def test_the_strongest_stay_and_unrefined_blobs_have_no_covariance():
    image, _, _ = spots(190.0)
    every = tc.detect_blobs(image)
    few = tc.detect_blobs(image, options=tc.BlobOptions(max_blobs=5))
    assert_array_equal(few.xy_px, every.xy_px[:5])
    coarse = tc.detect_blobs(image, options=tc.BlobOptions(refine=False))
    assert np.isnan(coarse.covariance).all()
    matched(coarse, every.xy_px)


def test_wrong_arguments_are_named():
    with pytest.raises(InputError, match="image: expected"):
        tc.detect_blobs([[1]])
    with pytest.raises(InputError, match="options: expected BlobOptions"):
        tc.detect_blobs(np.zeros((9, 9), np.uint8), options=tc.BallOptions())


def test_a_printed_grid_of_discs(shared_data):
    folder = shared_data("boof_circle_grid_movie")
    truth = np.load(folder / "gt_centres.npz")["centres"]
    clip = tc.open_clip(folder / "movie.mp4")
    options = tc.BlobOptions(polarity="dark", max_radius_px=30.0)
    distances = []
    for i in np.flatnonzero(np.isfinite(truth).all(axis=(1, 2)))[::40]:
        blobs = tc.detect_blobs(clip[int(i)].image, options=options)
        apart = np.linalg.norm(blobs.xy_px[None] - truth[i][:, None], axis=2)
        distances.append(apart.min(axis=1))
    found = np.concatenate(distances)
    assert (found < 1).mean() > 0.9
    assert np.median(found) < 0.1
    assert np.percentile(found[found < 1], 95) < 0.35


def test_four_spheres_on_rods(shared_data):
    clip = tc.open_clip(shared_data("opencv_cube4") / "cube4.avi")
    options = tc.BlobOptions(polarity="dark", min_radius_px=6.0, max_radius_px=40.0)
    blobs = tc.detect_blobs(clip[0].image, options=options)
    # the spheres of the first frame, as seen by eye to a few pixels
    for sphere in ((190, 297), (282, 200), (320, 337), (221, 309)):
        assert np.linalg.norm(blobs.xy_px[:4] - sphere, axis=1).min() < 4


def test_colloids_in_water_are_as_many_as_trackpy_finds_and_diffuse(shared_data):
    clip = tc.open_clip(shared_data("bulk_water") / "bulk-water.mov")
    frames = [tc.detect_blobs(clip[i].image).xy_px for i in range(24)]
    counts = [len(f) for f in frames]
    assert 0.75 * 493 < np.mean(counts) < 1.25 * 493  # trackpy's documented features a frame
    tracks = [[i] for i in range(len(frames[0]))]
    for before, after in pairwise(frames):  # the nearest, both ways
        apart = np.linalg.norm(before[:, None] - after[None], axis=2)
        there, back = apart.argmin(axis=1), apart.argmin(axis=0)
        for track in tracks:
            k = track[-1]
            good = k >= 0 and back[there[k]] == k and apart[k, there[k]] < 5
            track.append(int(there[k]) if good else -1)
    whole = [t for t in tracks if min(t) >= 0]
    assert len(whole) > 50
    xy = np.array([[frames[f][k] for f, k in enumerate(t)] for t in whole])
    xy -= xy.mean(axis=0)  # drift
    lags = np.array([1, 2, 4, 8])
    msd = [((xy[:, lag:] - xy[:, :-lag]) ** 2).sum(axis=2).mean() for lag in lags]
    assert 0.6 < np.polyfit(np.log(lags), np.log(msd), 1)[0] < 1.3


def test_a_tossed_ball_is_where_a_person_marked_it(shared_data):
    folder = shared_data("osp_balltoss")
    marks = np.loadtxt(folder / "marks.csv", delimiter=",", skiprows=2, usecols=(1, 2, 3))
    detector = tc.BallDetector()
    nearest = []
    for i, frame in enumerate(tc.open_clip(folder / "balltoss.mp4")):
        found = detector.process(frame.image, i)
        for _, x, y in marks[marks[:, 0] == i]:
            nearest.append(np.linalg.norm(found.xy_px - (x, y), axis=1).min(initial=np.inf))
    assert np.median(nearest) < 1.6
    assert (np.array(nearest) < 2.5).sum() >= 10  # of 11
