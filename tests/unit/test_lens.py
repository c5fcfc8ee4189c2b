"""Lens models: what is refused, and what a conversion says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from trackcore.errors import InputError
from trackcore.solver import Lens, LensModel
from trackcore.solver.lens import nuke_unit

FRAME = {"focal_px": 1500.0, "frame_size": (1920, 1080)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("FISHEYE",), "Lens.model: expected one of NONE, POLYNOMIAL, .* got 'FISHEYE'"),
        (("DIVISION", (1, 2, 3)), "Lens.coefficients: expected at most 2 finite"),
        (("POLYNOMIAL", (float("nan"),)), "finite"),
        (("NONE", (0.1,)), "at most 0"),
        (("NUKE", (), 0.0), "Lens.unit: expected a number > 0, got 0.0"),
        (("BROWN", (), 2.0), "Lens.unit: expected 1 for BROWN, got 2.0"),
    ],
)
def test_what_is_no_lens_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Lens(*arguments)


@pytest.mark.parametrize("k", [(-0.5, 0.0), (0.5, 0.0), (0.4, -0.2), (-0.4, 0.6)])
@pytest.mark.parametrize("model", ["DIVISION", "NUKE"])
def test_beyond_the_fold_there_is_nothing(model, k):
    lens = Lens(model, k)
    way, back = (
        (lens.undistort, lens.distort) if model == "NUKE" else (lens.distort, lens.undistort)
    )
    r = np.linspace(0, 4, 4001)
    image = way(np.column_stack([r, 0 * r]))[:, 0]
    known = np.isfinite(image)
    assert 0 < known.sum() < len(r)
    assert known[: known.sum()].all()  # one piece, from the centre on
    assert (np.diff(image[known]) > 0).all()
    if image[known].max() < 10:  # a maximum, no pole: nothing is farther out
        assert np.isnan(back([[image[known].max() + 0.01, 0.0]])).all()


def test_a_polynomial_is_not_inverted_beyond_its_fold():
    lens = Lens("POLYNOMIAL", (-0.3,))
    fold = 1 / np.sqrt(0.9)
    top = lens.distort([[fold, 0]])[0, 0]
    inside, outside = lens.undistort([[top - 0.01, 0], [top + 0.01, 0]])
    assert 0 < inside[0] < fold
    assert np.isnan(outside).all()


def test_unknown_stays_unknown():
    for model in ("POLYNOMIAL", "BROWN", "DIVISION", "NUKE"):
        lens = Lens(model, (0.1, 0.01))
        for way in (lens.distort, lens.undistort):
            got = way([[np.nan, np.nan], [0.1, 0.2]])
            assert np.isnan(got[0]).all()
            assert np.isfinite(got[1]).all()


def test_a_conversion_says_how_far_it_is_off():
    fit = Lens("POLYNOMIAL", (-0.06, 0.01)).convert("nuke", **FRAME)
    assert fit.lens.model is LensModel.NUKE
    assert fit.lens.unit == nuke_unit(1500.0, (1920, 1080)) == 0.64
    assert 0 < fit.rms_px < fit.worst_px < 0.1


def test_brown_holds_a_polynomial_exactly():
    fit = Lens("POLYNOMIAL", (-0.1, 0.02, 0.003)).convert("BROWN", **FRAME)
    assert_allclose(fit.lens.coefficients, (-0.1, 0.02, 0, 0, 0.003), atol=1e-9)
    assert fit.worst_px < 1e-8


def test_nuke_in_another_frame_is_the_same_lens_counted_anew():
    lens = Lens("NUKE", (-0.05, 0.01), nuke_unit(750.0, (960, 540)))
    fit = lens.convert("NUKE", focal_px=1500.0, frame_size=(1920, 1080))
    assert_allclose(fit.lens.coefficients, lens.coefficients, atol=1e-9)
    other = lens.convert("NUKE", focal_px=1500.0, frame_size=(1000, 1000))
    assert_allclose(other.lens.coefficients[0], -0.05 * (500 / 960) ** 2, atol=1e-9)


def test_a_conversion_that_cannot_fit_is_refused_with_the_figure():
    with pytest.raises(InputError, match=r"NUKE follows BROWN .* to \d.* px at worst .*tolerance"):
        Lens("BROWN", (-0.1, 0, 0.01, 0.01)).convert("NUKE", **FRAME)
    with pytest.raises(InputError, match=r"NONE follows POLYNOMIAL"):
        Lens("POLYNOMIAL", (-0.1,)).convert("NONE", **FRAME)


def test_a_lens_without_ideal_positions_in_the_frame_is_refused():
    with pytest.raises(InputError, match=r"no ideal position for \d+% of the frame"):
        Lens("POLYNOMIAL", (-0.6,)).convert("NUKE", focal_px=800.0, frame_size=(1920, 1080))


def test_a_lens_reads_back_from_plain_types():
    for lens in (Lens(), Lens("BROWN", (1e-3, 2e-3)), Lens("NUKE", (0.1,), 0.7)):
        assert Lens.from_dict(lens.to_dict()) == lens
