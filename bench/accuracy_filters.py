"""How many bad tracks `find_bad_tracks` finds, and how many good ones it loses.

    python bench/accuracy_filters.py [rooms]

Rooms with depth (`synth.ParallaxScene`), tracked perfectly but for 0.3 px of noise, with faults put
in. Then what `track_clip` makes of rendered rooms, held against their truth: corners where a near
edge crosses a far one belong to no surface.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np

import trackcore as tc
from trackcore import synth

SIZE, N_FRAMES, N_TRACKS, NOISE_PX = (1280, 720), 60, 400, 0.3
RIGID = (tc.FilterReason.NOT_RIGID, tc.FilterReason.MOVING_OBJECT)
CENTRE = np.array(SIZE) / 2


def room(seed: int) -> np.ndarray:
    scene, rng = (
        synth.ParallaxScene(seed, size=SIZE, n_frames=N_FRAMES),
        np.random.default_rng(seed),
    )
    starts = np.linspace(0, N_FRAMES - 1, 4).astype(int)
    parts = [
        scene.track_truth(rng.uniform(5, np.array(SIZE) - 5, (N_TRACKS // 4, 2)), int(f))
        for f in starts
    ]
    return np.concatenate(parts)


def turned(about: np.ndarray, angle: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = about[..., :1], about[..., 1:]
    return np.concatenate([cos * x - sin * y, sin * x + cos * y], axis=-1)


def cases(seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield a name, positions, and which tracks are bad."""
    rng, exact = np.random.default_rng(seed), room(seed)
    noisy = exact + rng.normal(0, NOISE_PX, exact.shape)
    none, t = np.zeros(len(exact), bool), np.arange(N_FRAMES)
    yield "depth", noisy, none
    shaken = turned(noisy - CENTRE, rng.normal(0, 0.01, N_FRAMES)) + CENTRE
    yield "hand-held", shaken + rng.normal(0, 8, (N_FRAMES, 2)), none
    for bend in (-0.05, -0.15):
        about = (exact - CENTRE) / CENTRE[0]
        bent = about * (1 + bend * (about**2).sum(axis=-1, keepdims=True)) * CENTRE[0] + CENTRE
        yield f"lens {bend:.0%}", bent + rng.normal(0, NOISE_PX, exact.shape), none
    for share in (0.1, 0.25, 0.4):
        bad = rng.random(len(exact)) < share
        for name, reach in (("compact", 120), ("wide", 350)):
            about = rng.uniform(-reach, reach, (bad.sum(), 1, 2)) * np.ones((N_FRAMES, 1))
            way = np.stack([500 + 2.0 * t, 350 + 10 * np.sin(t / 9)], axis=-1)
            at = turned(about, 0.005 * t) + way + rng.normal(0, NOISE_PX, about.shape)
            at[np.isnan(exact[bad])] = np.nan
            yield f"{name} object {share:.0%}", _with(noisy, bad, at), bad
        way = rng.normal(0, 1, (bad.sum(), 1, 2))
        way *= 0.25 / np.linalg.norm(way, axis=-1, keepdims=True)
        life = np.cumsum(np.isfinite(noisy[bad][..., :1]), axis=1)
        yield f"slides {share:.0%}", _with(noisy, bad, noisy[bad] + way * life), bad
        walk = np.cumsum(rng.normal(0, 0.7, noisy[bad].shape), axis=1)
        yield f"wanders {share:.0%}", _with(noisy, bad, noisy[bad] + walk), bad


def _with(xy: np.ndarray, which: np.ndarray, new: np.ndarray) -> np.ndarray:
    changed = xy.copy()
    changed[which] = new
    return changed


def true_error_px(scene: synth.ParallaxScene, tracks: tc.Tracks) -> np.ndarray:
    """Return each track's 90 % error against the surface near its start that it follows best."""
    error = np.full(len(tracks), np.inf)
    for f in np.unique(tracks.first_index):
        who = np.flatnonzero(tracks.first_index == f)
        at, pose = tracks.xy_px[who, f], scene.T_cam_world[f]
        rays = np.column_stack([at, np.ones(len(at))]) @ np.linalg.inv(scene.K).T
        for beside in product((0.0, -3.0, 3.0), repeat=2):
            X = scene.surface_points(at + beside, int(f))
            depth = X @ pose[2, :3] + pose[2, 3]
            X = (rays * depth[:, None] - pose[:3, 3]) @ pose[:3, :3]
            off = np.linalg.norm(tracks.xy_px[who] - synth.project(scene.P_img_world, X), axis=-1)
            for i, row in zip(who, off, strict=True):
                if np.isfinite(row).any():
                    error[i] = min(error[i], np.nanpercentile(row, 90))
    return error


def main(rooms: int) -> None:
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for seed in range(1, rooms + 1):
        for name, xy, bad in cases(seed):
            tracks = tc.Tracks.from_positions(xy, frame_size=SIZE)
            flagged = tc.find_bad_tracks(tracks, reasons=RIGID).bad
            rows[name].append((flagged[~bad].mean(), flagged[bad].mean() if bad.any() else np.nan))
    print(f"{'case':24}{'good lost':>12}{'worst room':>12}{'bad found':>12}")
    for name, pairs in rows.items():
        lost, got = np.array(pairs).T
        print(f"{name:24}{lost.mean():12.1%}{lost.max():12.1%}{got.mean():12.1%}")
    counts = np.zeros(4, int)
    for seed in range(1, rooms + 1):
        scene = synth.ParallaxScene(seed, size=(960, 540), n_frames=80)
        tracks = tc.track_clip(list(scene.frames()))
        error, long = true_error_px(scene, tracks), tracks.lifespan_frames >= 8
        flagged = tc.find_bad_tracks(tracks, reasons=RIGID).bad
        good, wrong = long & (error < 1), long & (error > 3) & np.isfinite(error)
        counts += [good.sum(), (good & flagged).sum(), wrong.sum(), (wrong & flagged).sum()]
    print(f"tracked rooms: {counts[1]} of {counts[0]} good lost, {counts[3]} of {counts[2]} found")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
