"""Lens models: both directions are each other's inverse, and the published formulas."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.oracle import lens as oracle
from trackcore.solver import Lens, LensModel
from trackcore.solver.lens import nuke_unit

MODELS = ["POLYNOMIAL", "DIVISION", "NUKE", "BROWN"]
strengths = st.floats(-0.3, 0.3)
places = st.lists(st.tuples(st.floats(-0.8, 0.8), st.floats(-0.8, 0.8)), min_size=1, max_size=30)


@st.composite
def lenses(draw):
    model = draw(st.sampled_from(MODELS))
    k1, k2, k3 = draw(strengths), draw(strengths), draw(st.floats(-0.05, 0.05))
    if model == "BROWN":
        small = st.floats(-0.01, 0.01)
        return Lens("BROWN", (k1, k2, draw(small), draw(small), k3))
    if model == "NUKE":
        return Lens("NUKE", (k1, k2), draw(st.floats(0.3, 2.0)))
    return Lens(model, (k1, k2, k3)[: 3 if model == "POLYNOMIAL" else 2])


@given(lens=lenses(), xy=places)
def test_what_is_distorted_of_the_undistorted_is_where_it_was(lens, xy):
    seen = np.array(xy)
    ideal = lens.undistort(seen)
    known = np.isfinite(ideal).all(axis=1)
    assert (np.isfinite(ideal).any(axis=1) == known).all()
    assert_allclose(lens.distort(ideal[known]), seen[known], atol=1e-9)


@given(lens=lenses(), xy=places)
def test_what_is_undistorted_of_the_distorted_is_where_it_was(lens, xy):
    ideal = np.array(xy)
    seen = lens.distort(ideal)
    known = np.isfinite(seen).all(axis=1)
    back = lens.undistort(seen[known])
    found = np.isfinite(back).all(axis=1)
    # before the fold both ways are one to one; close to it the slope is flat, so ask by the image
    assert_allclose(lens.distort(back[found]), seen[known][found], atol=1e-9)
    r = np.linalg.norm(ideal[known], axis=1)
    mild = (r < 0.5) & (np.abs(lens.coefficients).sum() < 0.3) & (lens.unit > 0.6)
    assert found[mild].all()
    assert_allclose(back[mild], ideal[known][mild], atol=1e-8)


@settings(max_examples=25)
@given(k1=strengths, k2=strengths, r=st.floats(0.01, 1.5), model=st.sampled_from(MODELS[:3]))
def test_radii_go_where_the_published_formulas_take_them(k1, k2, r, model):
    lens = Lens(model, (k1, k2))
    way, back = (
        (lens.undistort, lens.distort) if model == "NUKE" else (lens.distort, lens.undistort)
    )
    there = way([[r, 0.0]])[0, 0]
    truth = oracle.radial(model, (*lens.coefficients, 0.0), r)
    if np.isfinite(there):
        assert_allclose(there, truth, rtol=1e-12)
    else:  # beyond the fold: some smaller radius goes as far, or the pole is passed
        smaller = [oracle.radial(model, (k1, k2, 0.0), s) for s in np.linspace(0, r, 400)]
        assert model != "POLYNOMIAL"
        assert (np.diff(smaller) <= 1e-6).any()
    target = back([[r, 0.0]])[0, 0]
    if np.isfinite(target):
        first = oracle.by_bisection(model, (*lens.coefficients, 0.0), r, 8.0)
        assume(first < 7)
        assert_allclose(target, first, atol=1e-3)  # the very first radius, not a later one


@given(k1=strengths, k2=strengths, xy=places, focal=st.floats(500, 4000))
def test_nuke_counts_from_half_of_the_longer_side(k1, k2, xy, focal):
    size, centre = (1280, 720), np.array([639.5, 359.5])
    lens = Lens("NUKE", (k1, k2), nuke_unit(focal, size))
    seen = np.array(xy) * 640 + centre
    got = lens.undistort((seen - centre) / focal) * focal + centre
    known = np.isfinite(got).all(axis=1)
    truth = oracle.nuke_undistorted_px(seen, (k1, k2), size, centre)
    assert_allclose(got[known], truth[known], atol=1e-8)


@given(
    k=st.tuples(strengths, strengths, st.floats(-0.02, 0.02), st.floats(-0.02, 0.02), strengths),
    xy=places,
)
def test_brown_is_opencvs(k, xy):
    X = np.column_stack([xy, np.ones(len(xy))])
    truth, _ = cv2.projectPoints(X, np.zeros(3), np.zeros(3), np.eye(3), np.array(k))
    assert_allclose(Lens("BROWN", k).distort(xy), truth[:, 0], atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(lens=lenses(), to=st.sampled_from(list(LensModel)))
def test_a_conversion_is_as_close_as_it_says(lens, to):
    size, focal = (1280, 720), 1500.0
    if lens.model is LensModel.NUKE:
        lens = Lens("NUKE", lens.coefficients, nuke_unit(focal, size))
    corner = np.array([[640.0, 360.0], [-640, 360], [640, -360]])
    moved = np.linalg.norm(lens.undistort(corner / focal) * focal - corner, axis=1)
    # a lens beyond this all but folds the corner: it differs more between the points of any grid
    assume((moved < 180).all())
    fit = lens.convert(to, focal_px=focal, frame_size=size, tolerance_px=1000)
    rng = np.random.default_rng(0)
    seen = (rng.uniform(0, 1, (400, 2)) * size - np.array(size) / 2) / focal
    off = np.linalg.norm((fit.lens.distort(lens.undistort(seen)) - seen) * focal, axis=1)
    assert off.max() <= fit.worst_px * 1.05 + 1e-6
    assert fit.rms_px <= fit.worst_px
    if lens.model is to or (lens.model, to) == (LensModel.POLYNOMIAL, LensModel.BROWN):
        assert fit.worst_px < 1e-6


@pytest.mark.parametrize("model", MODELS)
def test_a_lens_that_bends_nothing_changes_nothing(model):
    xy = np.random.default_rng(0).uniform(-2, 2, (20, 2))
    assert_allclose(Lens(model).distort(xy), xy, rtol=0, atol=0)
    assert_allclose(Lens(model).undistort(xy), xy, rtol=0, atol=0)
