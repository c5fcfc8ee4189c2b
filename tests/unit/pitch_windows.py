"""Pitches with everything around them, from rendered pixels: for tests of what shows them."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

import trackcore as tc
from trackcore import synth
from trackcore.recording import SIDES, CapturedFrame, FrameDetections, LostFrame, PitchWindow

SMALL = {"focal_px": 600.0, "size": (640, 360)}
VIEW = {"height_m": 2.74, "behind_m": 4.88, "look_at_m": (0.0, -0.1, -5.0)}
ROLL_NS = 150_000_000


def rig(**how) -> tc.StereoRig:
    return tc.lane_rig(**{**SMALL, **VIEW, **how})


def windows(scene: synth.PitchScene, zone: tc.StrikeZone | None = None) -> list[PitchWindow]:
    """Detect, track and fit every pitch of a scene, from its pixels."""
    tracker = tc.PitchTracker(scene.rig)
    detectors = {side: tc.BallDetector() for side in SIDES}
    frames: dict[str, list[CapturedFrame]] = {side: [] for side in SIDES}
    found: dict[str, list[FrameDetections]] = {side: [] for side in SIDES}
    pitches = []
    order = sorted((int(t), side, i) for side in SIDES
                   for i, t in enumerate(scene.films[side].t_ns))  # fmt: skip
    for t_ns, side, i in order:
        image = scene.frame(side, i)
        balls = detectors[side].process(image, t_ns)
        frames[side].append(CapturedFrame(
            side=side, camera_id=f"cam-{side}", frame_index=i + 1, t_capture_monotonic_ns=t_ns,
            image=image,
        ))  # fmt: skip
        found[side].append(FrameDetections(side=side, frame_index=i + 1, balls=balls))
        pitches.append(tracker.push(side, balls).pitch)
    pitches.append(tracker.finish().pitch)
    return [_window(pitch, scene.rig, frames, found, zone) for pitch in pitches if pitch]


def _window(pitch, rig, frames, found, zone) -> PitchWindow:
    lo, hi = pitch.start_ns - ROLL_NS, pitch.end_ns + ROLL_NS
    return PitchWindow(
        pitch_id=f"made-pitch-{pitch.index:03d}", index=pitch.index, pitch=pitch,
        fit=tc.fit_pitch(rig, pitch.left, pitch.right, zone=zone),
        frames={s: [f for f in frames[s] if lo <= f.t_capture_monotonic_ns <= hi] for s in SIDES},
        detections={
            s: tuple(f for f in found[s] if lo <= f.balls.t_ns <= hi) for s in SIDES
        },
        lost=(LostFrame(side="left", frame_index=7, reason="queue full"),),
    )  # fmt: skip


def seen_from(rig: tc.StereoRig, window: PitchWindow) -> PitchWindow:
    """Return a pitch as the same cameras in another world have it, where there is no plate."""
    T = np.linalg.inv(rig.left.T_cam_world) @ small()[0].left.T_cam_world
    observations = tuple(
        dataclasses.replace(o, X_world=T[:3, :3] @ o.X_world + T[:3, 3])
        for o in window.pitch.observations
    )
    # a parabola is off by more than these pixels are noisy
    options = tc.PitchFitOptions(max_rms_sigma=100.0)
    return dataclasses.replace(
        window, pitch=dataclasses.replace(window.pitch, observations=observations),
        fit=tc.fit_pitch(rig, window.pitch.left, window.pitch.right, options=options),
    )  # fmt: skip


def tiny(window: PitchWindow, every: int = 8) -> PitchWindow:
    """Return a pitch with every eighth pixel of its pictures: for tests that count, not look."""
    frames = {
        side: [dataclasses.replace(f, image=np.ascontiguousarray(f.image[::every, ::every]))
               for f in window.frames[side]]
        for side in SIDES
    }  # fmt: skip
    return dataclasses.replace(window, frames=frames)


@functools.lru_cache(maxsize=1)
def small() -> tuple[tc.StereoRig, tuple[PitchWindow, ...]]:
    """Two small pitches and their rig, made once."""
    made = rig()
    scene = synth.PitchScene(made, 3, n_pitches=2, before_s=0.2, after_s=0.2, fps=120.0)
    return made, tuple(windows(scene))
