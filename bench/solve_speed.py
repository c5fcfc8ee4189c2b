"""Where the time of a whole run goes, and Blender's time for the same: 1080p, 150 frames.

    python -m bench.solve_speed [--rounds 3] [-o FILE]

The clip is the suite's hd_street_60 (bench/solve_scenes.py), forth, back and half forth again.
About 200 tracks in every frame on both sides: `SmartTracker` keeps so many alive; Blender detects
in three frames, keeps 67 features of each and tracks them both ways. Blender as it ships (Loc,
pattern 21, search 71), in the Python that TRACKCORE_BPY_PYTHON names. Sides take turns; of each
figure the least over the rounds counts, because others use the machine as well. CPU time is that
of all threads. Times of a whole run include decoding. `track us` is per marker and frame, with
new features and, on our side, the measuring of pixels and the watch over the tracks; `net` is
without decoding: our tracker once more with the settings that were used, on frames in memory;
Blender's figure less that of a run with one feature of each of the three frames. Decoding ahead
runs on a thread of its own: its CPU time is in whatever stage went on meanwhile.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from bench._measure import machine, table
from bench.peers.blender_solve import solve as blender_solve
from bench.peers.blender_solve import unpack
from bench.solve_clip import encode
from bench.solve_metrics import camera_error
from bench.solve_scenes import cache_folder, load
from bench.solve_truth import Truth

import trackcore as tc

SCENE, N_FRAMES, FPS = "hd_street_60", 150, 30.0
N_TRACKS, STARTS = 200, 3


def main() -> None:
    """Run both sides in turns and print the shares and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    clip, truth = long_clip()
    we, they = [], []
    for _ in range(args.rounds):
        we.append(ours(clip, truth))
        they.append(blender(clip, truth))
        print(we[-1], they[-1], sep="\n", flush=True)
    best = [{name: min(turn[name] for turn in side) for name in side[0]} for side in (we, they)]
    rows = [
        (name, *(f"{side[name]:.2f}" if name in side else "-" for side in best), ratio(name, *best))
        for name in {**best[0], **best[1]}
    ]
    print(table(("figure", "trackcore", "Blender", "Blender / trackcore"), rows))
    print(machine())
    if args.output:
        args.output.write_text(json.dumps({"trackcore": we, "blender": they}))


def long_clip() -> tuple[Path, Truth]:
    """Return the clip and its truth; write it beside the suite's clips if it is not there."""
    source, truth = load(SCENE)
    n = len(truth)
    order = np.abs((np.arange(N_FRAMES) + n - 1) % (2 * n - 2) - (n - 1))  # 0 1 .. n-1 .. 1 0 1
    clip = cache_folder() / f"{source.parent.name}-forth-and-back" / "clip.avi"
    if not clip.exists():
        clip.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as name:
            pictures = sorted(unpack(source, Path(name) / "frames", None).iterdir())
            encode([pictures[i] for i in order.tolist()], clip, FPS)
    return clip, replace(
        truth, T_cam_world=truth.T_cam_world[order], focal_px=truth.focal_px[order], fps=FPS
    )


def ours(clip: Path, truth: Truth) -> dict[str, float]:
    """Return seconds of each stage and of all, and how good the camera is."""
    options = tc.SmartTrackerOptions(target_count=N_TRACKS)
    wall, cpu = time.perf_counter(), time.process_time()
    found = tc.SmartTracker(options, session=False).run(str(clip))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    decode_s, each_s = again(clip, found.attempts[-1].plan.tracker)
    stages = {f"{s} cpu s": t.cpu_s for s, t in found.stage_seconds.items()}
    n = sum(int(attempt.raw_tracks.seen.sum()) for attempt in found.attempts)
    return {
        **stages, "all wall s": wall, "all cpu s": cpu, "attempts": float(len(found.attempts)),
        "track us": 1e6 * (stages["track cpu s"] + stages["measure cpu s"]) / n,
        "net track us": 1e6 * each_s, "decode cpu s": decode_s, "marker-frames": float(n),
        **quality(found.solve, truth),
    }  # fmt: skip


def again(clip: Path, options: tc.TrackerOptions) -> tuple[float, float]:
    """Return the CPU seconds of decoding alone, and of the tracker alone for a marker and frame."""
    began = time.process_time()
    images = [frame.image for frame in tc.open_clip(clip)]
    decoded = time.process_time()
    tracker = tc.Tracker(options, fps=FPS)
    for image in images:
        tracker.push(image)
    tracked = time.process_time()
    return decoded - began, (tracked - decoded) / int(tracker.tracks().seen.sum())


def quality(found: tc.Solve | None, truth: Truth) -> dict[str, float]:
    """Return the error of the path [% of its extent]."""
    if found is None or not found.solved.any():
        return {"path error %": float("nan")}
    error = camera_error(found.T_cam_world, found.focal_px_per_frame, truth)
    return {"path error %": error.path_rms_pct, "frames solved": error.registered}


def blender(clip: Path, truth: Truth) -> dict[str, float]:
    """Return the same of Blender's detection, tracking and solve."""
    starts = ["--starts", str(STARTS), "--min-distance", "60", "--most"]
    found = blender_solve(clip, options=[*starts, str(N_TRACKS // STARTS + 1)])
    detect, track, solved = found["cpu_s"].tolist()
    n = int(np.isfinite(found["xy_px"][..., 0]).sum())
    alone = blender_solve(clip, options=[*starts, "1"])  # too few to solve, which costs nothing
    net = detect + track - float(alone["cpu_s"][:2].sum())
    error = camera_error(found["T_cam_world"], float(found["focal_px"]), truth)
    return {
        "detect cpu s": detect, "track cpu s": track, "solve cpu s": solved,
        "all wall s": float(found["wall_s"].sum()), "all cpu s": float(found["cpu_s"].sum()),
        "track us": 1e6 * (detect + track) / n, "net track us": 1e6 * net / n,
        "marker-frames": float(n),
        "path error %": error.path_rms_pct, "frames solved": error.registered,
    }  # fmt: skip


def ratio(name: str, we: dict[str, float], they: dict[str, float]) -> str:
    """Return how many times longer Blender takes, where both take time."""
    both = name in we and name in they and name.endswith((" s", " us"))
    return f"{they[name] / we[name]:.1f}x" if both and we[name] > 0 else ""


if __name__ == "__main__":
    main()
