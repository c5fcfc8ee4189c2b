"""Small rendered footage of pitches, for tests of capture."""

from __future__ import annotations

import functools

import numpy as np

import trackcore as tc
from trackcore import synth
from trackcore.recording import SIDES

FPS = 120.0
SETUP = tc.PitchSetup(recording=tc.RecordingOptions(pre_roll_ms=100.0, post_roll_ms=100.0))


@functools.lru_cache(maxsize=1)
def rig() -> tc.StereoRig:
    return tc.lane_rig(
        focal_px=450.0, size=(480, 270), height_m=2.74, behind_m=4.88, look_at_m=(0.0, -0.1, -5.0)
    )


@functools.lru_cache(maxsize=2)
def scene(n_pitches: int = 1) -> synth.PitchScene:
    return synth.PitchScene(
        rig(), 3, n_pitches=n_pitches, before_s=0.3, after_s=0.45, fps=FPS, clock_offset_s=2e-3
    )


@functools.lru_cache(maxsize=2)
def footage(n_pitches: int = 1) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the pictures and the stamps of both cameras."""
    made = scene(n_pitches)
    pictures = [np.stack([made.frame(side, i) for i in range(len(made))]) for side in SIDES]
    return pictures, [made.films[side].t_ns for side in SIDES]
