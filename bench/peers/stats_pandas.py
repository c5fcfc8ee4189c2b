"""The same statistics as a good pandas user writes them: shifted columns, one `agg` a grouping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

EDGES = (0.003, 0.01, 0.025, 0.05)


def statistics(samples: pd.DataFrame, diagonal: float) -> dict[str, Any]:
    """Return per-track and clip numbers of a table `track, frame, x, y, ncc`, sorted so."""
    d = samples
    track, frame = d["track"].to_numpy(), d["frame"].to_numpy()
    x, y = d["x"].to_numpy(), d["y"].to_numpy()
    same = np.empty(len(d), bool)
    same[0] = False
    np.equal(track[1:], track[:-1], out=same[1:])
    dt = np.where(same, np.diff(frame, prepend=0), np.nan)
    dx, dy = np.diff(x, prepend=0), np.diff(y, prepend=0)
    length = np.where(same, np.hypot(dx, dy), np.nan)
    speed = length / dt
    middle = np.where(same, frame - dt / 2, np.nan)
    third = np.full(len(d), np.nan)
    run = (track[3:] == track[:-3]) & (frame[3:] - frame[:-3] == 3)
    d3x = x[3:] - x[:-3] - 3 * (x[2:-1] - x[1:-2])
    d3y = y[3:] - y[:-3] - 3 * (y[2:-1] - y[1:-2])
    third[3:] = np.where(run, (d3x**2 + d3y**2) / 40, np.nan)
    table = pd.DataFrame({
        "track": track, "frame": frame, "x": x, "y": y, "ncc": d["ncc"].to_numpy(),
        "length": length, "speed": speed, "speed2": speed**2, "third": third, "t": middle,
        "tt": middle**2, "ts": middle * speed,
    })  # fmt: skip
    tracks = _tracks(table, diagonal)
    near = dt == 1
    flow = pd.DataFrame({
        "frame": frame[near], "dx": dx[near], "dy": dy[near], "speed": speed[near],
    })  # fmt: skip
    frames = flow.groupby("frame", sort=True).agg(
        dx=("dx", "sum"), dy=("dy", "sum"), speed=("speed", "sum"), n=("speed", "size")
    )
    active = table.groupby("frame", sort=True)["track"].size()
    moving = flow[flow["speed"] >= 0.1]
    angle = np.arctan2(-moving["dy"].to_numpy(), moving["dx"].to_numpy())
    bins = np.floor((angle + np.pi) / (np.pi / 4)).astype(int) % 8
    unit = np.hypot((moving["dx"] / moving["speed"]).sum(), (moving["dy"] / moving["speed"]).sum())
    total = frames["speed"].sum()
    return {
        "tracks": tracks,
        "frame_velocity": frames["speed"] / frames["n"] / diagonal,
        "active": active,
        "lost": tracks["end_frame"].value_counts(),
        "global_motion_vector": (
            flow["dx"].mean() / diagonal, -flow["dy"].mean() / diagonal,
        ),
        "motion_consistency": np.hypot(frames["dx"], frames["dy"]).sum() / total,
        "motion_magnitude": total / len(flow) / diagonal,
        "direction_entropy": 1 - unit / max(len(moving), 1),
        "directions": np.bincount(bins, minlength=8),
        "magnitudes": np.bincount(
            np.searchsorted(np.array(EDGES) * diagonal, flow["speed"].to_numpy()), minlength=5
        ),
    }  # fmt: skip


def _tracks(table: pd.DataFrame, diagonal: float) -> pd.DataFrame:
    g = table.groupby("track", sort=True).agg(
        start_frame=("frame", "first"), end_frame=("frame", "last"), n_samples=("frame", "size"),
        x0=("x", "first"), y0=("y", "first"), x1=("x", "last"), y1=("y", "last"),
        mean_x=("x", "mean"), mean_y=("y", "mean"), path=("length", "sum"),
        speed=("speed", "mean"), speed2=("speed2", "mean"), third=("third", "mean"),
        steps=("speed", "count"), t=("t", "sum"), tt=("tt", "sum"), ts=("ts", "sum"),
        confidence=("ncc", "mean"),
    )  # fmt: skip
    elapsed = (g["end_frame"] - g["start_frame"]).replace(0, np.nan)
    g["lifespan"] = g["end_frame"] - g["start_frame"] + 1
    g["avg_velocity"] = np.hypot(g["x1"] - g["x0"], g["y1"] - g["y0"]) / elapsed / diagonal
    g["path_velocity"] = g["path"] / elapsed / diagonal
    spread = np.sqrt((g["speed2"] - g["speed"] ** 2).clip(lower=0))
    g["jitter_score"] = (spread / g["speed"]).clip(upper=1)
    g["jitter_px"] = np.sqrt(g["third"])
    slope = (g["ts"] - g["t"] * g["speed"]) / (g["tt"] - g["t"] ** 2 / g["steps"])
    g["acceleration"] = slope / diagonal
    return g
