"""track_regions and its search against brute definitions, and their symmetries."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tests.oracle import regions as oracle
from trackcore import RegionOptions, _core, synth, track_regions

MODELS = ["Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective"]
DTYPES = ["uint8", "uint16", "float32"]
repeatable = settings(max_examples=40, deadline=None, derandomize=True)


def random_image(rng, shape, dtype, kind):
    """Pixels of a kind that is hard for somebody: noise, extremes, patches of nothing, faint."""
    if kind == "noise":
        grey = rng.uniform(0, 255, shape)
    elif kind == "extremes":
        grey = rng.choice([0.0, 255.0], shape)
    elif kind == "blocks":
        cells = rng.choice([0.0, 100.0, 255.0], (shape[0] // 9 + 1, shape[1] // 7 + 1))
        grey = np.kron(cells, np.ones((9, 7)))[: shape[0], : shape[1]]
    else:  # hardly any texture, and bright
        grey = 250 + rng.integers(0, 3, shape)
    if dtype == "uint8":
        return np.rint(grey).astype(np.uint8)
    return np.rint(grey * 257).astype(np.uint16) if dtype == "uint16" else (grey / 3).astype("f4")


# --- the search --------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from(DTYPES), width=st.integers(5, 63),
    height=st.integers(5, 63), nx=st.integers(1, 90), ny=st.integers(1, 40),
    kind=st.sampled_from(["noise", "extremes", "blocks", "faint"]), own=st.booleans(),
)  # fmt: skip
@repeatable
def test_every_window_has_the_correlation_of_the_definition(
    seed, dtype, width, height, nx, ny, kind, own
):
    rng = np.random.default_rng(seed)
    nx, ny = min(nx, 256 - width), min(ny, 256 - height)
    area = random_image(rng, (height + ny - 1, width + nx - 1), dtype, kind)
    y, x = rng.integers(0, ny), rng.integers(0, nx)
    pattern = area[y : y + height, x : x + width].copy()
    if not own:
        pattern = random_image(rng, (height, width), dtype, kind)
    found, at_x, at_y, ncc, got = _core.find_pattern(pattern, area, with_map=True)
    if np.ptp(pattern) == 0:
        assert not found
        assert np.isnan(got).all()
        return
    expected = oracle.zncc_map(pattern, area)
    assert_array_equal(np.isnan(got), np.isnan(expected))
    assert_allclose(got, expected, rtol=0, atol=2e-6 if dtype == "uint8" else 1e-4)
    assert found == np.isfinite(expected).any()
    if found:
        assert ncc == pytest.approx(np.nanmax(expected), abs=1e-12)
        assert expected[at_y, at_x] == pytest.approx(ncc, abs=1e-12)
        assert abs(ncc) <= 1
    alone = _core.find_pattern(pattern, area, with_map=False)
    assert alone[:4] == (found, at_x, at_y, ncc)


@given(seed=st.integers(0, 2**32 - 1), bad=st.sampled_from([np.nan, np.inf, -np.inf, 1e30]))
@repeatable
def test_windows_that_touch_what_is_no_number_do_not_match(seed, bad):
    rng = np.random.default_rng(seed)
    area = random_image(rng, (50, 70), "float32", "noise")
    pattern = area[20:35, 30:45].copy()
    spoilt = area.copy()
    spoilt[rng.integers(0, 50, 3), rng.integers(0, 70, 3)] = bad
    got = _core.find_pattern(pattern, spoilt, with_map=True)[4]
    clean = _core.find_pattern(pattern, area, with_map=True)[4]
    touched = oracle.sliding_window_view(spoilt != area, (15, 15)).any(axis=(2, 3))
    assert_array_equal(np.isnan(got), touched)
    assert_allclose(got[~touched], clean[~touched], rtol=0, atol=1e-5)
    assert not _core.find_pattern(spoilt[:50, :63], area, with_map=True)[0] or not touched.any()


# --- alignment ---------------------------------------------------------------------------------


@functools.cache
def pair(texture, model, seed, noise=0.0, amount=0.4, dtype="uint8"):
    return synth.pair(
        texture, model, seed, size=(200, 160), n_points=16, noise=noise, margin_px=44,
        amount=amount, dtype=dtype,
    )  # fmt: skip


@given(
    texture=st.sampled_from(["smooth", "medium", "fine", "pink"]), model=st.sampled_from(MODELS),
    seed=st.integers(0, 5), pattern=st.integers(11, 33), normalize=st.booleans(),
    noise=st.sampled_from([0.0, 1.0]),
)  # fmt: skip
@settings(max_examples=25, deadline=None, derandomize=True)
def test_patterns_go_where_least_squares_puts_them(texture, model, seed, pattern, normalize, noise):
    scene = pair(texture, model, seed, noise)
    options = RegionOptions(
        pattern=pattern, search=pattern + 20, model=model, normalize=normalize,
        min_correlation=-1, brute=False,
    )  # fmt: skip
    start = np.tile(scene.warp, (len(scene.xy_px), 1, 1))
    found = track_regions(
        scene.prev, scene.next, scene.xy_px, options=options, guess_warp=start,
        guess_px=scene.true_xy_px + 0.3,
    )  # fmt: skip
    for i in np.flatnonzero(found.ok)[:2]:
        warp, ncc, residual = oracle.align(
            scene.prev, scene.next, scene.xy_px[i], scene.warp, model,
            pattern=pattern, normalize=normalize,
        )  # fmt: skip
        # Both are estimates from noisy pixels, one with gradients of either picture: they differ by
        # about what noise does to either, most where a pattern has little texture.
        expected = oracle.moved(warp, scene.xy_px[i : i + 1])
        apart = np.linalg.norm(found.xy_px[i] - expected)
        assert apart < 0.01 + 2.5 * found.sigma_px[i]
        assert found.ncc[i] == pytest.approx(ncc, abs=4e-3)
        # interpolation between half pixels is linear: it flattens fine texture by a few per cent
        assert residual - 0.2 < found.residual[i] < residual + 0.05 * np.std(scene.prev)
    assert found.ok.mean() > 0.6


@given(seed=st.integers(0, 7), texture=st.sampled_from(["medium", "fine", "pink"]))
@repeatable
def test_swapping_x_and_y_swaps_the_answer(seed, texture):
    scene, options = pair(texture, "Affine", seed), RegionOptions(model="Affine")
    found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
    swapped = track_regions(
        scene.prev.T.copy(), scene.next.T.copy(), scene.xy_px[:, ::-1], options=options
    )
    both = found.ok & swapped.ok
    assert both.mean() >= found.ok.mean() - 0.13
    assert_allclose(swapped.xy_px[both][:, ::-1], found.xy_px[both], rtol=0, atol=0.01)
    order = [1, 0, 2]
    turned = swapped.warp[both][:, order][:, :, order]
    assert_allclose(turned[:, :2, :2], found.warp[both][:, :2, :2], rtol=0, atol=2e-3)


@given(seed=st.integers(0, 7), dx=st.integers(0, 9), dy=st.integers(0, 9))
@repeatable
def test_a_crop_gives_the_same_bits_moved(seed, dx, dy):
    scene = pair("medium", "LocRotScale", seed, 1.0)
    options = RegionOptions(model="LocRotScale", search=41)
    corner = np.array([dx, dy])
    whole = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
    cropped = track_regions(
        scene.prev[dy:, dx:], scene.next[dy:, dx:], scene.xy_px - corner, options=options
    )
    assert whole.ok.any()
    assert_array_equal(cropped.status, whole.status)
    assert_allclose(cropped.xy_px + corner, whole.xy_px, rtol=0, atol=1e-5)
    assert_allclose(cropped.ncc, whole.ncc, rtol=0, atol=1e-5)


@given(
    seed=st.integers(0, 7), gain=st.floats(0.4, 1.5), bias=st.floats(-20, 20),
    dtype=st.sampled_from(DTYPES),
)  # fmt: skip
@repeatable
def test_gain_and_offset_change_little_with_normalize(seed, gain, bias, dtype):
    # the texture fills half of the grey levels, so that there is room above and below
    texture = synth.plane_waves(seed, rms_contrast=18.0)
    scene = synth.pair(
        texture, "Affine", seed, size=(200, 160), n_points=16, margin_px=44, amount=0.4, noise=0.0,
        gain=gain, bias=bias + 127 * (1 - gain), dtype=dtype,
    )  # fmt: skip
    options = RegionOptions(model="Affine")
    found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
    assert found.ok.all()
    assert np.linalg.norm(found.xy_px - scene.true_xy_px, axis=1).max() < 0.05


@pytest.mark.parametrize("model", ["Loc", "Affine", "Perspective"])
@pytest.mark.parametrize("texture", ["medium", "fine"])
def test_sigma_px_is_the_size_of_the_errors_where_noise_limits(model, texture):
    squares = []
    for seed in range(100, 112):
        scene = pair(texture, model, seed, 2.0)
        options = RegionOptions(model=model)
        found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
        error = found.xy_px - scene.true_xy_px
        squares.append((error / found.sigma_px[:, None])[found.ok] ** 2)
    chi_square = np.concatenate(squares)
    assert 0.7 < chi_square.mean() < 1.5


@given(seed=st.integers(0, 2**32 - 1), model=st.sampled_from(MODELS), brute=st.booleans())
@repeatable
def test_whatever_the_pictures_no_warp_is_degenerate(seed, model, brute):
    rng = np.random.default_rng(seed)
    prev, next_ = (
        random_image(rng, (60, 80), "uint8", rng.choice(["noise", "extremes", "blocks", "faint"]))
        for _ in range(2)
    )
    if rng.random() < 0.5:
        next_ = prev[:, ::-1].copy()  # a mirror image: nothing that may be found deforms like it
    xy = rng.uniform(-3, [83, 63], (20, 2))
    options = RegionOptions(
        pattern=int(rng.integers(5, 32)), search=41, model=model, min_correlation=-1, brute=brute
    )
    found = track_regions(prev, next_, xy, options=options)
    for name in ("xy_px", "ncc", "residual", "sigma_px", "warp"):
        values = getattr(found, name).reshape(len(xy), -1)
        assert_array_equal(np.isfinite(values).all(axis=1), found.ok)
        assert_array_equal(np.isnan(values).all(axis=1), ~found.ok)
    assert (np.abs(found.ncc[found.ok]) <= 1).all()
    assert (np.abs(found.xy_px - xy)[found.ok] <= 20.5).all()  # half of the search area
    for warp, at, to in zip(found.warp[found.ok], xy[found.ok], found.xy_px[found.ok], strict=True):
        assert_allclose(oracle.moved(warp, at[None])[0], to, rtol=0, atol=1e-6)
        local = oracle.moved(warp, at + np.array([[0, 0], [1e-4, 0], [0, 1e-4]]))
        sides = (local[1:] - local[0]) / 1e-4
        assert np.linalg.det(sides) > 0
        scales = np.linalg.svd(sides, compute_uv=False)
        assert scales.min() > 1 / 8.1
        assert scales.max() < 8.1
