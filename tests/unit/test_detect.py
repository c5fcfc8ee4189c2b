from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from trackcore import _core
from trackcore.detect import core_feature_options


def texture(h=240, w=320, seed=0):
    """Make smooth random texture: corners everywhere, of many strengths."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(h // 4 + 2, w // 4 + 2))
    fine = np.kron(coarse, np.ones((4, 4)))
    for _ in range(3):
        fine = (fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1) + np.roll(fine, -1, 1)) / 4
    return np.clip(128 + 60 * fine[:h, :w], 0, 255).astype(np.uint8)


def positions(features):
    return set(map(tuple, features.xy_px.tolist()))


def nearest_px(a, b):
    return np.linalg.norm(a[:, None] - b[None], axis=2).min(axis=1)


def test_a_bright_square_has_four_corners():
    image = np.zeros((60, 80), np.uint8)
    image[20:40, 30:50] = 200
    found = tc.detect_features(image)
    assert positions(found) == {(30, 20), (49, 20), (30, 39), (49, 39)}
    assert (found.xy_px.dtype, found.score.dtype) == (np.float64, np.float32)


def test_the_score_is_the_smaller_eigenvalue_in_grey_levels():
    cv2 = pytest.importorskip("cv2")
    image = texture()
    found = tc.detect_features(image, options=tc.FeatureOptions(quality=0.1))
    x, y = found.xy_px.astype(int).T
    # OpenCV divides each derivative by 255 * 4 * block, and adds; ours are per pixel, and means.
    opencv = cv2.cornerMinEigenVal(image, 3)[y, x] * 255**2 / 4
    assert_allclose(found.score, opencv, rtol=1e-4)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_flat_image_has_no_features(value):
    for dtype in (np.uint8, np.uint16, np.float32):
        image = np.full((50, 70), value, dtype)
        assert len(tc.detect_features(image, options=tc.FeatureOptions(quality=0)).score) == 0


def test_a_straight_edge_has_no_features():
    ramp = np.tile(np.arange(80, dtype=np.uint8) * 3, (60, 1))
    edge = np.where(np.arange(80) < 33, 20, 220).astype(np.uint8)[None].repeat(60, 0)
    for image in (ramp, ramp.T, edge, edge.T):
        assert len(tc.detect_features(image, options=tc.FeatureOptions(quality=0)).score) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (2, 50), (3, 3), (40, 3)])
def test_images_too_small_for_corners_have_none_or_few(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = tc.detect_features(image, options=tc.FeatureOptions(block=15))
    assert found.xy_px.shape == (len(found.score), 2)
    assert len(found.score) <= max(shape[0] - 2, 0) * max(shape[1] - 2, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": np.zeros((0, 5), np.uint8)}, "image: expected a non-empty image"),
        (
            {"image": np.zeros((5, 5))},
            "image: expected dtype uint8, uint16 or float32, got float64",
        ),
        ({"image": [[1, 2], [3, 4]]}, "image: expected a numpy image"),
        ({"options": tc.TrackOptions()}, "options: expected FeatureOptions, got TrackOptions"),
        ({"existing_px": [1.0, 2.0]}, r"existing_px: expected shape \(n, 2\), got \(2,\)"),
        ({"existing_px": "here"}, "existing_px: expected an array of real numbers"),
        ({"mask": np.ones((5, 6), bool)}, r"mask: expected shape \(h, w\) = \(20, 30\).* \(5, 6\)"),
        ({"mask": np.ones((20, 30))}, "mask: expected dtype bool or uint8, got float64"),
        ({"mask": [[True]]}, "mask: expected an array"),
        ({"threads": -1}, "threads: expected an integer >= 0"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(arguments, message):
    with pytest.raises(tc.InputError, match=message):
        tc.detect_features(**{"image": np.zeros((20, 30), np.uint8), **arguments})


def test_strongest_first_and_no_more_than_asked_for():
    every = tc.detect_features(texture(), options=tc.FeatureOptions(max_features=0))
    assert (np.diff(every.score) <= 0).all()
    assert len(every.score) > 100
    few = tc.detect_features(texture(), options=tc.FeatureOptions(max_features=20))
    assert_array_equal(few.xy_px, every.xy_px[:20])


def test_weak_corners_are_left_out_relative_to_the_strongest_and_absolutely():
    every = tc.detect_features(texture(), options=tc.FeatureOptions(max_features=0, quality=0.001))
    limit = float(np.median(every.score))
    strong = tc.detect_features(
        texture(), options=tc.FeatureOptions(max_features=0, quality=limit / every.score[0])
    )
    assert 0 < len(strong.score) < len(every.score)
    assert strong.score.min() >= limit * 0.999
    options = tc.FeatureOptions(max_features=0, quality=0.001, min_score=limit)
    assert_array_equal(
        tc.detect_features(texture(), options=options).score, every.score[every.score >= limit]
    )


@pytest.mark.parametrize("min_distance", [1.0, 4.5, 20.0])
def test_no_two_features_are_nearer_than_the_least_distance(min_distance):
    options = tc.FeatureOptions(max_features=0, min_distance=min_distance)
    xy = tc.detect_features(texture()[:100, :100], options=options).xy_px
    gap = np.linalg.norm(xy[:, None] - xy[None], axis=2) + 1e9 * np.eye(len(xy))
    assert gap.min() >= min_distance
    assert gap.min() < 1.5 * min_distance + 1


def test_nothing_is_found_near_existing_points():
    first = tc.detect_features(texture(), options=tc.FeatureOptions(max_features=80)).xy_px
    existing = np.concatenate([first + 0.37, [[np.nan, 5.0], [-3.0, 100.0], [1e300, -1e300]]])
    found = tc.detect_features(texture(), existing_px=existing).xy_px
    assert len(found) > 0
    assert nearest_px(found, existing[:-1][np.isfinite(existing[:-1]).all(axis=1)]).min() >= 7.0
    again = tc.detect_features(texture(), existing_px=[[np.nan, np.nan]])
    assert_array_equal(again.xy_px, tc.detect_features(texture()).xy_px)


def test_the_mask_says_where_and_what_strong_means():
    image = texture()
    image[:, 160:] = 128 + (image[:, 160:].astype(int) - 128) // 8  # 64 times weaker scores
    mask = np.zeros(image.shape, bool)
    mask[50:150, 180:300] = True
    options = tc.FeatureOptions(quality=0.1)
    assert not (tc.detect_features(image, options=options).xy_px[:, 0] > 165).any()
    found = tc.detect_features(image, options=options, mask=mask)
    assert len(found.score) > 10
    assert mask[found.xy_px[:, 1].astype(int), found.xy_px[:, 0].astype(int)].all()
    same = tc.detect_features(image, options=options, mask=mask.astype(np.uint8) * 3)
    assert_array_equal(found.xy_px, same.xy_px)
    strided = np.zeros((480, 640), bool)[::2, ::2]
    strided[:] = mask
    assert_array_equal(found.xy_px, tc.detect_features(image, options=options, mask=strided).xy_px)
    assert len(tc.detect_features(image, mask=np.zeros_like(mask)).score) == 0


def test_the_core_stretches_a_small_mask_over_the_image():
    image = texture(211, 317)
    cells = np.random.default_rng(3).random((5, 8)) < 0.4
    y, x = np.arange(211) * 5 // 211, np.arange(317) * 8 // 317
    whole = tc.detect_features(image, mask=cells[y][:, x])
    pyramid = tc.FramePyramid(image, 1)
    options = core_feature_options(tc.FeatureOptions())
    xy_px, _ = _core.detect_features(pyramid._core, options, None, cells.view(np.uint8), 1)
    assert len(xy_px) > 20
    assert_array_equal(xy_px, whole.xy_px)


def counts(features, shape, columns):
    h, w = shape
    rows = round(columns * h / w)
    x, y = features.xy_px.T
    return np.histogram2d(y, x, (rows, columns), ((0, h), (0, w)))[0].astype(int)


def test_cells_spread_features_evenly_over_a_frame_that_is_stronger_on_one_side():
    image = texture()
    image[:, 160:] = 128 + (image[:, 160:].astype(int) - 128) // 3
    strongest = tc.detect_features(image, options=tc.FeatureOptions(max_features=96))
    assert (strongest.xy_px[:, 0] > 160).mean() < 0.1
    options = tc.FeatureOptions(max_features=96, cells=8)
    assert_array_equal(counts(tc.detect_features(image, options=options), image.shape, 8), 2)


def test_what_poor_cells_leave_goes_to_the_others():
    image = texture()
    image[:, 160:] = 128
    found = tc.detect_features(image, options=tc.FeatureOptions(max_features=96, cells=8))
    n = counts(found, image.shape, 8)
    assert len(found.score) == 96
    assert n[:, 5:].sum() == 0
    assert n[:, :4].min() >= 3
    assert n.max() <= 5


def test_existing_points_are_part_of_their_cells_share():
    y, x = np.mgrid[10:240:20, 20:160:40]
    existing = np.stack([x.ravel(), y.ravel()], axis=1)  # two in each cell of the left half
    options = tc.FeatureOptions(max_features=48, cells=8, min_distance=3.0)
    found = tc.detect_features(texture(), options=options, existing_px=existing)
    n = counts(found, (240, 320), 8)
    assert_array_equal(n[:, :4], 0)
    assert_array_equal(n[:, 4:], 2)


def test_the_layout_and_the_kind_of_image_do_not_matter():
    image = texture()
    expected = tc.detect_features(image)
    padded = np.zeros((500, 400), np.uint8)
    padded[9 : 9 + 480 : 2, 5:325] = image
    flipped = tc.detect_features(np.ascontiguousarray(image[::-1])[::-1])
    for same in (
        tc.detect_features(tc.FramePyramid(image)),
        tc.detect_features(padded[9 : 9 + 480 : 2, 5:325]),
        tc.detect_features(np.repeat(image[..., None], 3, axis=2)),
        flipped,
    ):
        assert_array_equal(same.xy_px, expected.xy_px)
        assert_array_equal(same.score, expected.score)
    for other, gain in (
        (image.astype(np.uint16) * 256, 256.0),
        (image.astype(np.float32) / 256, 1 / 256),
    ):
        found = tc.detect_features(other)
        assert positions(found) == positions(expected)
        assert_allclose(found.score, expected.score * gain**2, rtol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_a_value_that_is_not_finite_spoils_only_its_surroundings(bad):
    image = texture().astype(np.float32)
    clean = tc.detect_features(image, options=tc.FeatureOptions(max_features=0))
    image[100, 150] = bad
    found = tc.detect_features(image, options=tc.FeatureOptions(max_features=0))
    assert np.isfinite(found.score).all()
    if not np.isfinite(bad):
        assert nearest_px(found.xy_px, np.array([[150, 100]])).min() > 2
        assert len(positions(clean) ^ positions(found)) < 10


@pytest.mark.parametrize("threads", [2, 3, 0])
def test_threads_do_not_change_the_result(threads):
    image = texture(700, 1300)
    for options in (
        tc.FeatureOptions(max_features=0),
        tc.FeatureOptions(cells=16, max_features=300),
    ):
        one = tc.detect_features(image, options=options)
        many = tc.detect_features(image, options=options, threads=threads)
        assert_array_equal(one.xy_px, many.xy_px)
        assert_array_equal(one.score, many.score)


def test_every_cpu_level_finds_the_same():
    script = (
        "import hashlib, numpy as np, trackcore as tc\n"
        "rng, bits = np.random.default_rng(5), hashlib.sha256()\n"
        "for shape in (97, 131), (300, 1111):\n"
        "    image = rng.integers(0, 256, shape).astype(np.uint8)\n"
        "    for kind in image, image.astype(np.uint16) * 100, rng.random(shape, np.float32):\n"
        "        for block in 3, 4, 9:\n"
        "            options = tc.FeatureOptions(block=block, max_features=0, quality=0)\n"
        "            found = tc.detect_features(kind, options=options)\n"
        "            bits.update(found.xy_px.tobytes() + found.score.tobytes())\n"
        "print(bits.hexdigest())"
    )
    levels = ["baseline", "v3", "v4"]
    results = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "TRACKCORE_CPU": level},
            capture_output=True, text=True, check=True,
        ).stdout
        for level in levels[: levels.index(_core.best_cpu_level()) + 1]
    }  # fmt: skip
    assert len(results) == 1


@pytest.mark.parametrize(
    "clip",
    [
        "boof_zoom_shake_rotate/zoom.mjpeg",
        "boof_chess_movie/movie.mjpeg",
        "boof_sweeps/horse_jitter.mp4",
    ],
)
@pytest.mark.parametrize(
    ("quality", "min_distance", "block"), [(0.01, 7, 3), (0.05, 15, 3), (0.001, 3, 5)]
)
def test_real_frames_give_the_features_of_opencv(shared_data, clip, quality, min_distance, block):
    cv2 = pytest.importorskip("cv2")
    frame = next(iter(tc.open_clip(shared_data(clip)))).image
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    theirs = cv2.goodFeaturesToTrack(grey, 500, quality, min_distance, blockSize=block)[:, 0]
    options = tc.FeatureOptions(
        max_features=500, quality=quality, min_distance=min_distance, block=block
    )
    ours = positions(tc.detect_features(grey, options=options))
    both = ours & set(map(tuple, theirs.tolist()))
    assert len(both) >= 0.99 * max(len(ours), len(theirs))
