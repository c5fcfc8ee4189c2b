"""The statistics as a reader of the documents would write them: plain Python, track by track."""

from __future__ import annotations

import math
from itertools import pairwise

Point = tuple[int, float, float, float]  # clip frame, x_px, y_px, ncc
EDGES = (0.003, 0.01, 0.025, 0.05)


def statistics(tracks: list[list[Point]], diagonal: float, n_frames: int) -> dict[str, object]:
    """Return per-track and clip numbers of lists of samples."""
    per_track = []
    active, lost = [0] * (n_frames + 2), [0] * (n_frames + 2)
    speed_sum, step_count = [0.0] * (n_frames + 2), [0] * (n_frames + 2)
    directions, magnitudes = [0] * 8, [0] * 5
    sum_x = sum_y = unit_x = unit_y = 0.0
    vector_x, vector_y = [0.0] * (n_frames + 2), [0.0] * (n_frames + 2)
    for samples in tracks:
        path, speeds, times, thirds = 0.0, [], [], []
        for frame, *_ in samples:
            active[frame] += 1
        lost[samples[-1][0] + 1] += 1
        for (f0, x0, y0, _), (f1, x1, y1, _) in pairwise(samples):
            dx, dy, dt = x1 - x0, y1 - y0, f1 - f0
            length = math.sqrt(dx * dx + dy * dy)
            path += length
            speed = length / dt
            speeds.append(speed)
            times.append((f0 + f1) / 2)
            if dt != 1:
                continue
            speed_sum[f1] += speed
            step_count[f1] += 1
            sum_x += dx
            sum_y += dy
            vector_x[f1] += dx
            vector_y[f1] += dy
            magnitudes[sum(speed / diagonal > edge for edge in EDGES)] += 1
            if speed >= 0.1:
                unit_x += dx / length
                unit_y += dy / length
                directions[int((math.atan2(-dy, dx) + math.pi) / (math.pi / 4)) % 8] += 1
        for i in range(len(samples) - 3):
            if samples[i + 3][0] - samples[i][0] == 3:
                for axis in (1, 2):
                    a, b, c, d = (samples[i + k][axis] for k in range(4))
                    thirds.append((d - a - 3 * (c - b)) ** 2)
        per_track.append(_track(samples, path, speeds, times, thirds, diagonal))
    n_steps = max(sum(step_count), 1)
    total = sum(speed_sum)
    return {
        "tracks": per_track,
        "frame_velocity": [
            s / n / diagonal if n else None for s, n in zip(speed_sum, step_count, strict=True)
        ],
        "active": active,
        "lost": lost,
        "global_motion_vector": (sum_x / n_steps / diagonal, -sum_y / n_steps / diagonal),
        "motion_consistency": sum(map(math.hypot, vector_x, vector_y)) / total if total else None,
        "motion_magnitude": total / n_steps / diagonal,
        "direction_entropy": 1 - math.hypot(unit_x, unit_y) / max(sum(directions), 1),
        "directions": directions,
        "magnitudes": magnitudes,
    }


def _track(
    samples: list[Point],
    path: float,
    speeds: list[float],
    times: list[float],
    thirds: list[float],
    diagonal: float,
) -> dict[str, float | int | None]:
    n, steps = len(samples), len(speeds)
    (f0, x0, y0, _), (f1, x1, y1, _) = samples[0], samples[-1]
    elapsed = f1 - f0
    mean = sum(speeds) / steps if steps else 0.0
    spread = math.sqrt(sum((s - mean) ** 2 for s in speeds) / steps) if steps else 0.0
    middle = sum(times) / steps if steps else 0.0
    tt = sum((t - middle) ** 2 for t in times)
    ts = sum((t - middle) * s for t, s in zip(times, speeds, strict=True))
    return {
        "start_frame": f0,
        "end_frame": f1,
        "lifespan": elapsed + 1,
        "n_samples": n,
        "mean_x": sum(s[1] for s in samples) / n,
        "mean_y": sum(s[2] for s in samples) / n,
        "avg_velocity": math.hypot(x1 - x0, y1 - y0) / elapsed / diagonal if elapsed else None,
        "path_velocity": path / elapsed / diagonal if elapsed else None,
        "jitter_score": min(1.0, spread / mean) if mean else 0.0,
        "jitter_px": math.sqrt(sum(thirds) / len(thirds) / 20) if thirds else None,
        "acceleration": ts / tt / diagonal if tt else None,
        "confidence": sum(s[3] for s in samples) / n,
    }
