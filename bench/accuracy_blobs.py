"""How exactly `BallDetector` finds rendered balls, against the Cramer-Rao bound.

    python -m bench.accuracy_blobs

Rows: rms error and bias of centres per axis, rms over the bound (shape, level and background
known), error of the radius, mean error that goes with the sub-pixel phase, median |error| over
its sigma, frames with one detection among those in which the ball is in the picture.
"""

from __future__ import annotations

import numpy as np
from bench._measure import machine, table

import trackcore as tc
from trackcore import synth

SEEDS = range(12)
CASES: list[tuple[str, dict[str, float]]] = [
    ("r 3, C 30, noise 2", {"radius_px": 3, "contrast": 30, "noise": 2}),
    ("r 3, C -30, noise 2", {"radius_px": 3, "contrast": -30, "noise": 2}),
    ("r 5.3, C 190, noise 2", {"radius_px": 5.3, "contrast": 190, "noise": 2}),
    ("r 5, C 80, noise 1", {"radius_px": 5, "contrast": 80, "noise": 1}),
    ("r 12, C 50, noise 2", {"radius_px": 12, "contrast": 50, "noise": 2}),
    ("r 5, C 80, noise 1, blur 1 px", {"radius_px": 5, "contrast": 80, "blur_px": 1}),
    ("0.5 px a frame", {"speed_px": 0.5, "n_frames": 90}),
    ("streak 8 px, r 4", {"radius_px": 4, "contrast": 120, "speed_px": 20, "exposure": 0.4}),
    ("streak 16 px, r 5", {"speed_px": 20, "exposure": 0.8}),
    ("streak 40 px, r 5, C 120", {"contrast": 120, "speed_px": 50, "exposure": 0.8}),
]


def measured(made: dict[str, float]) -> tuple[np.ndarray, np.ndarray, float, synth.Ball]:
    """Return rows of du, dv, dr, du / sigma, dv / sigma; positions; share found once; a ball."""
    rows, places, once = [], [], []
    for seed in SEEDS:
        clip = synth.ball_clip(**{"seed": seed, "size": (480, 360), **made})  # type: ignore[arg-type]
        detector = tc.BallDetector()
        h, w = clip.background.shape
        for i, frame in enumerate(clip.frames()):
            found = detector.process(frame, int(clip.t_ns[i]))
            x, y = clip.xy_px[i, 0]
            if not clip.balls[i] or not (0 <= x <= w - 1 and 0 <= y <= h - 1):
                continue
            once.append(len(found) == 1)
            ball = clip.balls[i][0]
            reach = ball.radius_px + 3 + np.abs(ball.streak_px).max() / 2
            whole = reach < x < w - 1 - reach and reach < y < h - 1 - reach
            if len(found) == 1 and whole:
                e = found.xy_px[0] - (x, y)
                sigma = np.sqrt(np.diag(found.covariance[0]))
                rows.append([*e, found.radius_px[0] - ball.radius_px, *(e / sigma)])
                places.append((x, y))
    return np.array(rows), np.array(places), float(np.mean(once)), clip.balls[-1][0]


def row(name: str, made: dict[str, float]) -> list[object]:
    e, places, once, ball = measured(made)
    noise = np.hypot(made.get("noise", 1.0), 12**-0.5)
    bound = synth.ball_crlb_px(
        ball, contrast=made.get("contrast", 80.0), noise=float(noise),
        blur_px=made.get("blur_px", 0.0),
    )  # fmt: skip
    rms, bias = np.sqrt((e[:, :2] ** 2).mean(axis=0)), np.abs(e[:, :2].mean(axis=0))
    bounds = np.sqrt((bound**2).mean())  # streaks go in all directions
    locked = 2 * np.abs((e[:, :2] * np.exp(2j * np.pi * places)).mean(axis=0)).max()
    z = np.median(np.abs(e[:, 3:])) / 0.6745
    ratio = float(np.sqrt((rms**2).mean()) / bounds)
    return [
        name, len(e), f"{once:.2%}", float(rms.max()), float(bias.max()), ratio,
        float(e[:, 2].mean()), float(np.abs(e[:, 2]).max()), float(locked), float(z),
    ]  # fmt: skip


def main() -> None:
    print(machine() + "\n")
    header = [
        "ball", "n", "found once", "rms px", "bias px", "rms / bound", "radius bias",
        "worst radius", "locked px", "error / sigma",
    ]  # fmt: skip
    print(table(header, [row(name, made) for name, made in CASES]))


if __name__ == "__main__":
    main()
