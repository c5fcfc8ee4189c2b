"""track_regions: where patterns go and how they deform, why they do not, and what it refuses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.oracle.regions import moved
from trackcore import (
    FramePyramid,
    PointStatus,
    RegionOptions,
    _core,
    synth,
    track_regions,
)

FIGURES = ("xy_px", "ncc", "residual", "sigma_px", "warp")
MODELS = ["Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective"]
SCENE = synth.pair("medium", "Affine", seed=3, n_points=30, margin_px=50, amount=0.4)
AFFINE = RegionOptions(model="Affine")


def shifted(dx, dy):
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def picture(texture="medium", seed=3, warp=None, size=(160, 120), **kwargs):
    return synth.render(synth.TEXTURES[texture](seed), size, warp=warp, **kwargs)


def about(center_px, angle_deg=0.0, scale=1.0, shift=(0.0, 0.0)):
    """A rotation and scaling about a point, then a shift."""
    a, (x, y) = np.deg2rad(angle_deg), center_px
    c, s = scale * np.cos(a), scale * np.sin(a)
    return shifted(*shift) @ np.array(
        [[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]]
    )


def errors_px(found, true):
    return np.linalg.norm(found.xy_px - true, axis=1)


def corner_errors_px(found, warp, xy_px, half=10):
    """The farthest of a pattern's corners from where `warp` takes it."""
    corners = np.array([[-half, -half], [half, -half], [-half, half], [half, half]])
    apart = [
        moved(w, at + corners) - moved(warp, at + corners)
        for w, at in zip(found.warp, xy_px, strict=True)
    ]
    return np.linalg.norm(apart, axis=2).max(axis=1)


def assert_lost(found, status):
    """All points have this status and nothing else."""
    assert {PointStatus(s).name for s in found.status} == {status.name}
    assert not found.ok.any()
    for name in FIGURES:
        assert np.isnan(getattr(found, name)).all()


# --- answers -----------------------------------------------------------------------------------


def test_patterns_are_found_and_every_figure_has_its_shape_and_type():
    found = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=AFFINE)
    assert found.ok.all()
    assert found.warp.shape == (30, 3, 3)
    assert found.warp.dtype == found.xy_px.dtype == np.float64
    assert found.status.dtype == np.uint8
    for name in ("ncc", "residual", "sigma_px"):
        assert getattr(found, name).shape == (30,)
        assert getattr(found, name).dtype == np.float32
        assert np.isfinite(getattr(found, name)).all()
    assert np.isnan(found.fb_px).all()


@pytest.mark.parametrize("texture", ["smooth", "medium", "fine", "pink"])
@pytest.mark.parametrize("model", MODELS)
def test_each_model_recovers_its_motion_to_what_noise_allows(model, texture):
    errors, bounds, corners = [], [], []
    for seed in range(3):
        scene = synth.pair(texture, model, seed=seed, n_points=40, margin_px=50, amount=0.4)
        options = RegionOptions(model=model, search=81)
        found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
        assert found.ok.mean() > 0.9
        errors.append(errors_px(found, scene.true_xy_px)[found.ok])
        bounds.append(1.177 * scene.crlb_px()[found.ok])  # median of a 2-D error of this size
        corners.append(corner_errors_px(found, scene.warp, scene.xy_px)[found.ok])
    # The bound is that of a shift alone: parameters that are estimated as well cost a little.
    assert np.median(np.concatenate(errors) / np.concatenate(bounds)) < 1.6
    assert np.median(np.concatenate(corners)) < 0.35 if model != "Loc" else True
    assert np.quantile(np.concatenate(errors), 0.95) < 0.12


@pytest.mark.parametrize("model", MODELS)
def test_the_same_picture_twice_means_no_motion(model):
    options = RegionOptions(model=model)
    found = track_regions(SCENE.prev, SCENE.prev, SCENE.xy_px, options=options)
    assert errors_px(found, SCENE.xy_px).max() < 1e-3
    assert corner_errors_px(found, np.eye(3), SCENE.xy_px).max() < 5e-3
    assert found.ncc.min() > 0.9999


@pytest.mark.parametrize("model", ["Loc", "Affine"])
def test_a_large_motion_is_found_anywhere_in_the_search_area(model):
    options = RegionOptions(model=model, search=71)
    for dx, dy in [(25, -25), (-25.4, 13.3), (0.2, 24.8), (-24.9, -24.9)]:
        prev, next_ = picture("fine"), picture("fine", warp=shifted(dx, dy))
        found = track_regions(prev, next_, [[80.3, 60.4]], options=options)
        assert errors_px(found, [[80.3 + dx, 60.4 + dy]]).max() < 0.01


def test_what_left_the_search_area_is_not_found():
    prev, next_ = picture("fine"), picture("fine", warp=shifted(28, 0))
    found = track_regions(prev, next_, [[60.3, 60.4]], options=RegionOptions(search=71))
    assert_lost(found, PointStatus.LOW_CORRELATION)
    near = track_regions(prev, next_, [[60.3, 60.4]], guess_px=[[80, 61]])
    assert errors_px(near, [[88.3, 60.4]]).max() < 0.01


def test_without_the_search_alignment_starts_from_the_guess():
    options = RegionOptions(brute=False)
    prev, next_ = picture("smooth"), picture("smooth", warp=shifted(20, 0))
    near = track_regions(prev, next_, [[60.3, 60.4]], guess_px=[[78, 61]], options=options)
    assert errors_px(near, [[80.3, 60.4]]).max() < 0.02
    far = track_regions(prev, next_, [[60.3, 60.4]], options=options)
    assert not far.ok.any() or errors_px(far, [[80.3, 60.4]]).min() > 1


@pytest.mark.parametrize("brute", [False, True])
def test_a_known_deformation_is_where_alignment_starts(brute):
    warp = about([160, 120], angle_deg=70, scale=0.7, shift=(3, -5))
    scene = synth.pair("medium", seed=5, warp=warp, n_points=30, margin_px=40, noise=1.0)
    options = RegionOptions(model="Affine", brute=brute)
    start = np.tile(about([160, 120], angle_deg=66, scale=0.73, shift=(3, -5)), (30, 1, 1))
    start[:, :2, 2] += scene.true_xy_px - [
        synth.apply_warp(w, at[None])[0] for w, at in zip(start, scene.xy_px, strict=True)
    ]
    start[:, :2, 2] += 7.0 if brute else 0.7  # only the search gets over the larger error
    found = track_regions(scene.prev, scene.next, scene.xy_px, options=options, guess_warp=start)
    assert found.ok.mean() > 0.9
    assert np.median(errors_px(found, scene.true_xy_px)[found.ok]) < 0.02
    assert not track_regions(scene.prev, scene.next, scene.xy_px, options=options).ok.any()


def test_guesses_of_nan_are_no_guesses():
    n = len(SCENE.xy_px)
    plain = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=AFFINE)
    for name, shape in [("guess_px", (n, 2)), ("guess_warp", (n, 3, 3))]:
        guess = {name: np.full(shape, np.nan)}
        found = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=AFFINE, **guess)
        assert_array_equal(found.xy_px, plain.xy_px)


def test_models_lose_no_more_accuracy_than_they_have_parameters():
    """On a pure shift every model must find the shift."""
    scene = synth.pair("medium", "Loc", seed=1, n_points=60, margin_px=50, amount=0.3)
    medians = []
    for model in MODELS:
        options = RegionOptions(model=model)
        found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
        medians.append(np.median(errors_px(found, scene.true_xy_px)))
    assert max(medians) < 1.6 * medians[0]


@pytest.mark.parametrize("angle_deg", [-15, 10, 15])
def test_rotations_of_15_degrees_are_within_reach(angle_deg):
    warp = about([160, 120], angle_deg=angle_deg)
    scene = synth.pair("smooth", seed=2, warp=warp, n_points=40, margin_px=60)
    for model in ("LocRot", "Affine", "Perspective"):
        options = RegionOptions(model=model, search=101)
        found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
        assert found.ok.mean() > 0.9
        assert np.median(errors_px(found, scene.true_xy_px)[found.ok]) < 0.05


@pytest.mark.parametrize("pattern", [5, 7, 8, 20, 21, 47, 63])
def test_patterns_of_any_size_even_or_odd_are_tracked(pattern):
    scene = synth.pair("fine", "LocRotScale", seed=4, n_points=20, margin_px=60, amount=0.2)
    options = RegionOptions(pattern=pattern, search=pattern + 30, model="LocRotScale")
    found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
    assert found.ok.mean() > (0.9 if pattern > 8 else 0.4)  # little texture in 25 pixels
    assert np.median(errors_px(found, scene.true_xy_px)[found.ok]) < max(0.03, 0.8 / pattern)


@pytest.mark.parametrize(("gain", "bias"), [(0.5, 60), (1.0, 40), (1.6, -60)])
def test_brightness_may_change_when_normalized(gain, bias):
    texture = synth.plane_waves(1, rms_contrast=12.0)
    scene = synth.pair(
        texture, "Affine", seed=1, noise=1.0, gain=gain, bias=bias, n_points=30, margin_px=50,
        amount=0.3,
    )  # fmt: skip
    found = track_regions(scene.prev, scene.next, scene.xy_px, options=AFFINE)
    assert found.ok.all()
    assert np.median(errors_px(found, scene.true_xy_px)) < 0.03


# --- why there is no answer --------------------------------------------------------------------


@pytest.mark.parametrize("brute", [False, True])
def test_each_reason_for_no_answer_has_its_status(brute):
    def track(prev, next_, *points, **kwargs):
        options = RegionOptions(brute=brute, **kwargs)
        return track_regions(prev, next_, points, options=options)

    image, flat = picture(), np.full((120, 160), 90, np.uint8)
    edge = np.tile(np.where(np.arange(160) < 80, 60, 200).astype(np.uint8), (120, 1))
    assert_lost(track(image, image, [np.nan, 5], [3, np.inf]), PointStatus.UNSEEN)
    assert_lost(track(image, image, [-1, 5], [160, 5], [1e300, 5]), PointStatus.OUT_OF_FRAME)
    assert_lost(track(flat, image, [80, 60]), PointStatus.LOW_TEXTURE)
    assert_lost(track(edge, edge, [80, 60]), PointStatus.LOW_TEXTURE)  # slides along the edge
    assert_lost(track(image, flat, [80, 60], [30.5, 40]), PointStatus.LOW_CORRELATION)
    other = track(image, picture(seed=8), [80, 60], [50, 50], [100, 40])
    assert set(other.status) <= {PointStatus.LOW_CORRELATION, PointStatus.NOT_CONVERGED}


def test_a_pattern_that_leaves_the_frame_is_lost():
    prev, next_ = picture("fine"), picture("fine", warp=shifted(-30, 0))
    found = track_regions(prev, next_, [[15, 60]], options=RegionOptions(search=91))
    assert not found.ok.any()
    far = track_regions(prev, next_, [[80, 60]], guess_px=[[500, 60]])
    assert_lost(far, PointStatus.OUT_OF_FRAME)
    infinite = np.array([[[1, 0, 0], [0, 1, 0], [-1 / 80, 0, 1.0]]])
    assert_lost(
        track_regions(prev, next_, [[80, 60]], guess_warp=infinite), PointStatus.NOT_CONVERGED
    )


def test_noise_is_not_followed():
    wall = synth.plane_waves(0, rms_contrast=0.0)
    prev, next_ = (
        synth.render(wall, (200, 160), noise=5.0, rng=np.random.default_rng(seed))
        for seed in (1, 2)
    )
    xy = np.random.default_rng(3).uniform(30, 130, (60, 2))
    for model in ("Loc", "Affine"):
        found = track_regions(prev, next_, xy, options=RegionOptions(model=model))
        assert not found.ok.any()


def test_a_mirror_image_is_no_match():
    prev = picture("medium", size=(121, 121))
    for model in ("Affine", "Perspective"):
        found = track_regions(
            prev, prev[:, ::-1].copy(), [[60, 60]], options=RegionOptions(model=model)
        )
        assert not found.ok.any()


def test_min_correlation_drops_what_matches_worse_and_nothing_else():
    plain = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=AFFINE)
    limit = float(np.median(plain.ncc))
    options = RegionOptions(model="Affine", min_correlation=limit)
    strict = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=options)
    assert_array_equal(strict.ok, plain.ncc >= limit)
    assert set(strict.status[~strict.ok]) == {PointStatus.LOW_CORRELATION}
    assert_array_equal(strict.xy_px[strict.ok], plain.xy_px[strict.ok])


def test_too_few_iterations_do_not_converge():
    prev, next_ = picture("smooth"), picture("smooth", warp=shifted(2.5, -2))
    options = RegionOptions(brute=False, max_iterations=1)
    assert_lost(
        track_regions(prev, next_, [[80, 60], [50, 50]], options=options),
        PointStatus.NOT_CONVERGED,
    )


# --- the search --------------------------------------------------------------------------------


def test_the_search_is_not_fooled_by_what_is_flat_bright_or_faint():
    """The places where implementations that sum in float32 go wrong."""
    rng = np.random.default_rng(0)
    area = np.full((71, 71), 255, np.uint8)
    area[:, :30] = 0
    faint = 250 + rng.integers(0, 2, (21, 21)).astype(np.uint8)
    area[40:61, 45:66] = faint
    found, x, y, ncc, every = _core.find_pattern(faint, area, with_map=True)
    assert (found, x, y, ncc) == (True, 45, 40, 1.0)
    assert np.isnan(every[0, 0])  # a flat window is no match, not a perfect one
    assert np.nanmax(np.abs(every)) <= 1.0
    assert _core.find_pattern(faint, np.zeros((40, 40), np.uint8), with_map=False)[0] is False
    assert _core.find_pattern(np.full((9, 9), 7, np.uint8), area, with_map=False)[0] is False


def test_the_search_agrees_with_opencv():
    cv2 = pytest.importorskip("cv2")
    texture = picture("pink", size=(320, 240), noise=2.0, rng=np.random.default_rng(5))
    rng = np.random.default_rng(1)
    for pattern, search in [(15, 41), (21, 71), (31, 101), (63, 255)]:
        for _ in range(5):
            x, y = rng.integers(0, 320 - search + 1), rng.integers(0, max(240 - search, 0) + 1)
            area = texture[y : y + search, x : x + search]
            i, j = rng.integers(0, area.shape[0] - pattern), rng.integers(0, search - pattern)
            cut = area[i : i + pattern, j : j + pattern].astype(int)
            cut = np.clip(cut + rng.normal(0, 8, cut.shape), 0, 255).astype(np.uint8)
            expected = cv2.matchTemplate(area, cut, cv2.TM_CCOEFF_NORMED)
            _, at_x, at_y, _, got = _core.find_pattern(cut, area, with_map=True)
            assert (at_y, at_x) == np.unravel_index(expected.argmax(), expected.shape)
            assert_allclose(got, expected, rtol=0, atol=1e-4)


# --- pictures that are not plain ---------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint16, 257.0), (np.uint16, 16.0),
                                             (np.float32, 1 / 255), (np.float32, 1e4)])  # fmt: skip
@pytest.mark.parametrize("normalize", [True, False])
def test_the_scale_of_grey_levels_does_not_matter(dtype, unit, normalize):
    options = RegionOptions(model="Affine", normalize=normalize)
    eight_bit = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=options)
    prev, next_ = ((image * unit).astype(dtype) for image in (SCENE.prev, SCENE.next))
    found = track_regions(prev, next_, SCENE.xy_px, options=options)
    assert_array_equal(found.status, eight_bit.status)
    assert errors_px(found, eight_bit.xy_px).max() < 5e-3
    assert found.ncc == pytest.approx(eight_bit.ncc, abs=1e-3)
    assert found.residual == pytest.approx(eight_bit.residual * unit, rel=0.02)
    assert found.sigma_px == pytest.approx(eight_bit.sigma_px, rel=0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("which", ["prev", "next"])
def test_a_pixel_that_is_not_a_number_loses_the_patterns_that_touch_it(bad, which):
    images = {k: getattr(SCENE, k).astype(np.float32) for k in ("prev", "next")}
    clean = track_regions(images["prev"], images["next"], SCENE.xy_px, options=AFFINE)
    at = np.rint(SCENE.xy_px if which == "prev" else SCENE.true_xy_px).astype(int)[0]
    images[which][at[1] + 4, at[0] - 6] = bad
    found = track_regions(images["prev"], images["next"], SCENE.xy_px, options=AFFINE)
    assert not found.ok[0]
    far = np.abs(SCENE.xy_px - SCENE.xy_px[0]).max(axis=1) > 80
    assert far.any()
    assert_array_equal(found.xy_px[far], clean.xy_px[far])
    images[which][:] = bad
    assert not track_regions(images["prev"], images["next"], SCENE.xy_px, options=AFFINE).ok.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (9, 12), (21, 21)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_picture_smaller_than_the_search_does_no_harm(shape, dtype):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    middle = [shape[1] / 2, shape[0] / 2]
    for model in ("Loc", "Perspective"):
        found = track_regions(
            image, image, [[0, 0], middle], options=RegionOptions(model=model, search=255)
        )
        assert errors_px(found, [[0, 0], middle])[found.ok] == pytest.approx(0, abs=0.01)


def test_pyramids_layouts_and_threads_do_not_change_the_answer():
    plain = track_regions(SCENE.prev, SCENE.next, SCENE.xy_px, options=AFFINE)
    flipped = [
        np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1] for image in (SCENE.prev, SCENE.next)
    ]
    padded = [np.pad(i, ((3, 5), (7, 2)))[3:-5, 7:-2] for i in (SCENE.prev, SCENE.next)]
    colour = [np.repeat(image[..., None], 3, axis=2) for image in (SCENE.prev, SCENE.next)]
    pyramids = [FramePyramid(SCENE.prev), SCENE.next]
    for prev, next_ in (flipped, padded, colour, pyramids):
        for threads in (1, 3, 0):
            found = track_regions(prev, next_, SCENE.xy_px, options=AFFINE, threads=threads)
            for name in FIGURES:
                assert_array_equal(getattr(found, name), getattr(plain, name))


def test_no_points_are_no_matches():
    found = track_regions(SCENE.prev, SCENE.next, [])
    assert found.xy_px.shape == (0, 2)
    assert found.warp.shape == (0, 3, 3)
