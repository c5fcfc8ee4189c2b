"""Fit `pre_solve_confidence` to outcomes: thinned, noisy and slipping tracks of the suite's scenes.

    python -m bench.calibrate_confidence [-o outcomes.npz]

Prints the weights for python/trackcore/solver/confidence.py, how well they are calibrated on
scenes that were left out of the fit, and the grades of the same solves against their true error:
unlike the suite's clips as they are, these tracks often do not determine a camera.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench.solve_metrics import camera_error
from bench.solve_scenes import SCENES, load
from bench.solve_truth import Truth

import trackcore as tc
from trackcore.solver.confidence import FEATURES, features

COUNTS = (8, 12, 18, 30, 60, 200)
GOOD_PCT = 1.0


def worse(tracks: tc.Tracks, rng: np.random.Generator) -> tc.Tracks:
    """A part of the tracks: fewer, shorter, noisier, some slipping."""
    n = min(int(rng.choice(COUNTS)), len(tracks))
    part = tracks.select(np.isin(np.arange(len(tracks)), rng.permutation(len(tracks))[:n]))
    last = int(rng.integers(max(part.n_frames // 4, 4), part.n_frames + 1))
    part = part.between(0, last)
    xy = part.xy_px + rng.normal(0, rng.choice([0.0, 0.3, 1.0]), part.xy_px.shape)
    slipping = rng.random(len(part)) < rng.choice([0.0, 0.1, 0.3])
    drift = rng.normal(0, 0.5, (len(part), 1, 2)) * np.arange(last)[None, :, None]
    xy = np.where(slipping[:, None, None], xy + drift, xy)
    return tc.Tracks.from_positions(xy, frame_size=part.frame_size, fps=part.fps)


def outcomes(per_scene: int) -> dict[str, np.ndarray]:
    """Features `x` (n, k), `error` [%] (n,) infinite without a camera, `grade` and `scene` (n,)."""
    rows: dict[str, list] = {"x": [], "error": [], "grade": [], "scene": []}
    for number, name in enumerate(s.name for s in SCENES.values() if not s.clip_of):
        try:
            clip, truth = load(name)
        except FileNotFoundError:
            continue
        tracks = tc.track_clip(clip)
        if tracks.n_frames < 4:
            continue
        rng = np.random.default_rng(number)
        for _ in range(per_scene):
            part = worse(tracks, rng)
            if not len(part) or part.n_frames < 3:
                continue
            shot = tc.classify_shot(part)
            solve = tc.solve(part, shot_type=shot)
            rows["x"].append(features(part, shot))
            rows["error"].append(error_pct(solve, truth))
            rows["grade"].append(str(solve.grade))
            rows["scene"].append(number)
        print(name, rows["grade"][-per_scene:], np.round(rows["error"][-per_scene:], 2), flush=True)
    return {key: np.array(values) for key, values in rows.items()}


def error_pct(solve: tc.Solve, truth: Truth) -> float:
    """Error of the camera in the first frames of the truth [%]; infinite where it has none."""
    if solve.solved.mean() < 0.5:
        return float("inf")
    n = solve.n_frames
    part = replace(truth, T_cam_world=truth.T_cam_world[:n], focal_px=truth.focal_px[:n])
    error = camera_error(solve.T_cam_world, solve.focal_px_per_frame, part).of_kind(truth.kind)
    return float(error) if np.isfinite(error) else float("inf")


def fit(x: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Weights (k + 1,) of a logistic regression, the bias last, by Newton's method."""
    design = np.column_stack([x, np.ones(len(x))])
    w = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ w))
        gradient = design.T @ (p - good) + 0.1 * w
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 0.1 * np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return w


def confusion(grade: np.ndarray, error: np.ndarray) -> None:
    """Print how many solves of each grade were how wrong."""
    limits = (0.5, 2.0, 5.0, np.inf)
    print("grade  " + "  ".join(f"<= {limit:g} %" for limit in limits[:3]) + "  more  no camera")
    for letter in "ABCDF":
        of = error[grade == letter]
        bins = np.histogram(of[np.isfinite(of)], (0, *limits))[0]
        print(letter, *bins, int(np.isinf(of).sum()), sep="      ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-scene", type=int, default=8)
    parser.add_argument("-o", type=Path)
    args = parser.parse_args()
    found = outcomes(args.per_scene)
    if args.o:
        np.savez(args.o, **found)
    x, scene, good = found["x"], found["scene"], found["error"] < GOOD_PCT
    told = np.empty(len(x))
    for left_out in np.unique(scene):
        w = fit(x[scene != left_out], good[scene != left_out])
        told[scene == left_out] = 1 / (1 + np.exp(-(x[scene == left_out] @ w[:-1] + w[-1])))
    w = fit(x, good)
    print(dict(zip(FEATURES, w[:-1].round(3), strict=True)), "bias", w[-1].round(3))
    print("told   right   n")
    for lo, hi in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
        inside = (told >= lo) & (told < hi)
        if inside.any():
            print(f"{told[inside].mean():.2f}   {good[inside].mean():.2f}   {inside.sum()}")
    print("Brier score", round(float(((told - good) ** 2).mean()), 3))
    confusion(found["grade"], found["error"])


if __name__ == "__main__":
    main()
