"""Clips that go wrong in one way each, and a camera that is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

import trackcore as tc
from trackcore import synth
from trackcore.pipeline import PipelineResult
from trackcore.settings_policy import Fixed

SIZE = (320, 180)
Frames = NDArray[np.uint8]


def room(n_frames: int = 48, seed: int = 1, noise: float = 1.0) -> synth.ParallaxScene:
    return synth.ParallaxScene(seed, size=SIZE, n_frames=n_frames, noise=noise)


def filmed(scene: synth.ParallaxScene, n_frames: int = 24) -> Frames:
    return np.stack([scene.frame(i) for i in range(min(n_frames, len(scene)))])


def shaken(scene: synth.ParallaxScene, yaw_px: NDArray) -> synth.ParallaxScene:
    """Turn each camera aside by so many pixels."""
    for i, angle in enumerate(np.arctan2(yaw_px, scene.K[0, 0])):
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1]])
        scene.T_cam_world[i] = turn @ scene.T_cam_world[i]
    scene.P_img_world = scene.K @ scene.T_cam_world[:, :3]
    return scene


def rapid() -> Frames:
    """The camera swings to and fro, 34 px per frame."""
    yaw = np.cumsum([0, *np.tile([34.0] * 8 + [-34.0] * 8, 2)])[:24]
    return filmed(shaken(synth.ParallaxScene(1, size=(480, 270), n_frames=24), yaw))


def blurred() -> Frames:
    """Frames 9 .. 14 are out of focus."""
    frames = filmed(room())
    frames[8:14] = [cv2.GaussianBlur(frame, (0, 0), 3.0) for frame in frames[8:14]]
    return frames


def faint(n_bright: int, contrast: float = 0.06, slide_px: float = 0.0) -> Frames:
    """A faint picture in which few points stand out.

    They are lamps, or, where they slide, each its own way, glints on what shines.
    """
    scene = room(noise=0.3)
    grey = 128 + contrast * (filmed(scene).astype(np.float64) - 128)
    columns = -(-n_bright // 3)
    grid = np.stack(np.meshgrid(np.linspace(60, 260, columns), (40, 90, 140)), axis=-1)
    places = scene.track_truth(grid.reshape(-1, 2)[:n_bright])
    rng, t = np.random.default_rng(0), np.linspace(0, 2 * np.pi, len(grey))
    phase, pace = rng.uniform(0, 2 * np.pi, (2, len(places), 1, 2)) / [[[[1]]], [[[4]]]]
    way = np.sin(pace * t[:, None] + phase) - np.sin(phase)
    places = places[:, : len(grey)] + slide_px * way
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    for frame, xy in zip(grey, places.swapaxes(0, 1), strict=False):
        for u, v in xy[np.isfinite(xy[:, 0])]:
            frame += 100 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 1.5**2))
    return np.clip(grey + 0.5, 0, 255).astype(np.uint8)


def restless_corners() -> Frames:
    """In the corners every frame shows something else of the same kind."""
    frames = filmed(room())
    rng = np.random.default_rng(0)
    w, h = SIZE
    for frame in frames:
        elsewhere = np.roll(frame, rng.integers(40, 140, 2), axis=(0, 1))
        for rows in (slice(0, h // 4), slice(h - h // 4, h)):
            for columns in (slice(0, w // 4), slice(w - w // 4, w)):
                frame[rows, columns] = elsewhere[rows, columns]
    return frames


def cut() -> Frames:
    """Two rooms: 30 frames of one, 14 of another."""
    return np.concatenate([filmed(room(), 30), filmed(room(seed=7), 14)])


def never_good(*args: object, **options: object) -> tc.Solve:
    """Solve, and grade it D for no reason told: whatever the limits are, there is a retry."""
    found = tc.solve(*args, **options)
    return replace(found, grade=max(found.grade, tc.Grade.D), evidence={})


def run(
    frames: Frames, settings: tc.Settings, *, retries: int, target: int = 80, **options: object
) -> PipelineResult:
    return tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=retries, **options),
        policy=Fixed(settings, target), session=False, solver=never_good,
    ).run(frames)  # fmt: skip
