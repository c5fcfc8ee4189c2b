"""What kind of shot it is, told from tracks alone."""

from __future__ import annotations

import numpy as np
import pytest

import trackcore as tc
from tests.unit.moving_cameras import (
    N_FRAMES,
    along,
    cloud,
    filmed,
    from_xy,
    moving,
    pan,
    room,
    turned,
    zoom,
)
from trackcore import ShotKind


def walls(slope: float, step_m: float = 0.06) -> tc.Tracks:
    """Walk along a wall that recedes by `slope` metres per metre."""
    X = cloud(2000, depth_m=(5, 5))
    X[:, 2] += slope * X[:, 0]
    return filmed(X[X[:, 2] > 1], eye_m=along((step_m, 0, 0)))


def shaken(seed: int = 0) -> tc.Tracks:
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 0.004, (N_FRAMES, 3)), axis=0)
    smooth = np.stack([np.convolve(w, np.ones(9) / 9, "same") for w in walk.T], axis=1)
    yaw, pitch, roll = (walk - smooth).T
    return filmed(cloud(500), R=[turned(y, p, 0.3 * r) for y, p, r in zip(yaw, pitch, roll)])  # noqa: B905


def rolled(degrees_per_frame: float) -> tc.Tracks:
    angles = np.radians(degrees_per_frame) * np.arange(N_FRAMES)
    return filmed(cloud(800), R=[turned(roll=a) for a in angles])


def swarm() -> tc.Tracks:
    rng = np.random.default_rng(0)
    start = rng.uniform(100, 600, (200, 1, 2))
    return from_xy(start + np.cumsum(rng.normal(0, 0.3, (200, 60, 2)), axis=1))


SHOTS = {
    "tripod": (lambda: filmed(cloud(500)), "STATIC"),
    "tripod, noisy tracks": (lambda: filmed(cloud(500), noise_px=0.5), "STATIC"),
    "swarm before a tripod": (swarm, "STATIC"),
    "pan": (lambda: pan(0.5), "PAN_TILT"),
    "pan, wide lens": (lambda: pan(1.0, 600.0), "PAN_TILT"),
    "pan, long lens": (lambda: pan(0.1, 5000.0, 20000), "PAN_TILT"),
    "roll": (lambda: rolled(0.7), "ROLL"),
    "zoom": (lambda: zoom(1.6), "ZOOM"),
    "zoom out, panning": (lambda: zoom(0.6, pan_degrees=10), "ZOOM"),
    "dolly in": (lambda: filmed(cloud(), eye_m=along((0, 0, 0.03))), "DOLLY_PARALLAX"),
    "truck": (lambda: filmed(cloud(), eye_m=along((0.04, 0, 0))), "DOLLY_PARALLAX"),
    "room": (room, "DOLLY_PARALLAX"),
    "slanted wall": (lambda: walls(0.5), "PLANAR"),
    "wall": (lambda: walls(0.0), "PLANAR"),
    "shake": (shaken, "HANDHELD_SHAKE"),
}


@pytest.mark.parametrize("name", SHOTS)
def test_each_kind_of_shot_is_told(name):
    make, kind = SHOTS[name]
    shot = tc.classify_shot(make())
    assert shot.kind == kind, shot.evidence
    assert shot.confidence >= 0.5


def test_a_turning_camera_tells_its_focal_length():
    evidence = tc.classify_shot(pan(0.5, 1000.0)).evidence
    assert abs(evidence["rotation_focal_widths"] - 1000 / 1280) < 0.03
    assert evidence["rotation_misfit"] < 0.02


def test_where_a_wall_and_a_pan_look_the_same_the_confidence_says_so():
    # So little motion that no lens would have shown its curvature.
    short_walk = tc.classify_shot(walls(0.0, step_m=0.001))
    assert short_walk.evidence["curvature_sigmas"] < 5
    assert short_walk.confidence <= 0.6
    assert tc.classify_shot(walls(0.0)).confidence <= 0.6
    assert tc.classify_shot(pan(0.5)).confidence > 0.8


def test_too_little_is_unknown():
    for xy in (moving((1, 0), 5, 40), moving((1, 0), 40, 3), np.empty((0, 0, 2))):
        shot = tc.classify_shot(from_xy(xy))
        assert (shot.kind, shot.confidence) == (ShotKind.UNKNOWN, 0)


def test_what_is_known_already_is_used():
    tracks = zoom(1.6)
    motion, z = tc.frame_motion(tracks), tc.zoom_analysis(tracks)
    assert tc.classify_shot(tracks, motion=motion, zoom=z) == tc.classify_shot(tracks)
