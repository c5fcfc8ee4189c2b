"""What must not matter to the fit of a pitch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import trackcore as tc
from tests.unit.pitch_scenes import RIG, pitch

seeds = st.integers(0, 2**20)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, shift_ns=st.integers(-(2**60), 2**60))
def test_when_the_clock_began_does_not_matter(seed, shift_ns):
    _, _, (left, right) = pitch(seed)
    fit = tc.fit_pitch(RIG, left, right)
    later = tc.fit_pitch(
        RIG, replace(left, t_ns=left.t_ns + shift_ns), replace(right, t_ns=right.t_ns + shift_ns)
    )
    assert later.status == fit.status
    assert abs(later.reference_ns - fit.reference_ns - shift_ns) <= 1
    assert_allclose(later.plate.X_world, fit.plate.X_world, atol=1e-7)
    assert abs(later.plate.t_ns - fit.plate.t_ns - shift_ns) <= 100


@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_how_people_count_does_not_matter(seed):
    _, _, args = pitch(seed)
    frame = tc.WorldFrame("metres", "m", tc.PITCH_FRAME.axes)
    fit, same = (tc.fit_pitch(rig, *args) for rig in (RIG, replace(RIG, frame=frame)))
    assert np.array_equal(fit.flight.q, same.flight.q)
    assert fit.documented() == same.documented()


@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_a_mirrored_pitch_is_mirrored(seed):
    """Mirrored in x, the left camera is the right one, and spin turns the other way."""
    _, _, (left, right) = pitch(seed, noise_px=0.05)
    width = RIG.left.size[0]

    def mirrored(camera: tc.Camera) -> tc.Camera:
        flip = np.diag([-1.0, 1, 1, 1])
        K = camera.K.copy()
        K[0, 2] = width - 1 - K[0, 2]
        return replace(camera, K=K, T_cam_world=flip @ camera.T_cam_world @ flip)

    rig = tc.StereoRig(left=mirrored(RIG.right), right=mirrored(RIG.left), frame=RIG.frame)
    swapped = [
        replace(s, xy_px=np.array([width - 1, 0]) + s.xy_px * [-1, 1]) for s in (right, left)
    ]
    options = tc.PitchFitOptions(clock_sigma_s=0.0)  # whose clock is late is no mirror image
    fit = tc.fit_pitch(RIG, left, right, options=options)
    other = tc.fit_pitch(rig, *swapped, options=options)
    assert other.status == fit.status
    assert_allclose(other.plate.X_world, fit.plate.X_world * [-1, 1, 1], atol=1e-6)
    assert_allclose(other.break_40ft.across, -fit.break_40ft.across, atol=1e-5)
    assert_allclose(other.break_40ft.up, fit.break_40ft.up, atol=1e-5)
    assert_allclose(other.approach_deg, np.array(fit.approach_deg) * [-1, 1], atol=1e-4)
    assert other.strike.is_strike == fit.strike.is_strike
    assert_allclose(other.strike.margin_m, fit.strike.margin_m, atol=1e-6)


@settings(max_examples=6, deadline=None)
@given(seed=seeds, order=st.randoms(use_true_random=False))
def test_the_order_of_sightings_does_not_matter(seed, order):
    _, _, (left, right) = pitch(seed)
    k = list(range(len(left)))
    order.shuffle(k)
    shuffled = tc.Sightings(left.t_ns[k], left.xy_px[k])
    fit, same = (tc.fit_pitch(RIG, s, right) for s in (left, shuffled))
    assert_allclose(same.plate.X_world, fit.plate.X_world, atol=1e-7)
