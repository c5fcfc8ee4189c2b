"""Real clips, `SmartTracker` beside Blender's own automatic detection, tracking and solve.

    python -m bench.solve_real --data FOLDER [--clips PATTERN] [-o FILE]

FOLDER holds the clips named in `CLIPS` (BoofCV's example data). Both get the same numbered
pictures, the first 120 of each clip. TRACKCORE_BPY_PYTHON names a Python with `bpy`; without it
the rows of Blender are empty. Blender is told where the camera only turns; trackcore is not.

Nobody knows the true cameras. What is compared is the error of held-out tracks, by one measure for
both (`trackcore.solver._held_out`): a fifth of each program's own long tracks is kept from its
solve, triangulated from its cameras in the first and third quarter of each track's life, and
compared in the others: the median over the tracks, a track without a point counting as infinitely
far off. `agree`: share of those tracks within 2 px (at 1280 x 720), which a median does not show.
cpu: detection, tracking, solve and decoding; of trackcore the whole pipeline with its retries.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from bench._measure import machine, table
from bench.peers.blender_solve import solve as blender_solve
from bench.peers.blender_solve import unpack
from numpy.typing import NDArray

import trackcore as tc
from trackcore.solver._colmap import State
from trackcore.solver._held_out import held_out_errors
from trackcore.solver._problem import problem

F64 = NDArray[np.float64]
CLIPS = {
    "boof_handheld_open/log_building_02.mp4": False,
    "boof_handheld_open/tree_snow_01.mp4": False,
    "boof_handheld_open/holiday_display_01.mp4": False,
    "boof_zoom_shake_rotate/zoom.mjpeg": True,
    "boof_zoom_shake_rotate/shake.mjpeg": True,
    "boof_zoom_shake_rotate/rotate.mjpeg": True,
    "boof_sweeps/parking_lot_scan.mp4": True,
    "boof_sweeps/river_overview_long_sweep.mp4": True,
    "boof_sweeps/highway_bridge_jitter.mp4": True,
    "boof_sweeps/horse_jitter.mp4": True,
    "boof_chess_movie/movie.mjpeg": False,
}
"""Clip: whether the camera only turns."""
N_FRAMES, SHARE = 120, 0.2
HEADER = ("clip", "who", "frames", "held-out px", "agree", "tracks", "mean px", "cpu s", "verdict")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One program on one clip: shares of frames and of held-out tracks, and their median error."""

    solved: float = 0.0
    held_out_px: float = float("nan")
    agree: float = float("nan")
    n_tracks: int = 0
    mean_px: float = float("nan")
    cpu_s: float = float("nan")
    verdict: str = ""

    def row(self, clip: str, who: str) -> tuple[str, ...]:
        """Return the cells of the table."""
        return (
            clip, who, f"{100 * self.solved:.0f} %", f"{self.held_out_px:.2f}",
            f"{100 * self.agree:.0f} %", str(self.n_tracks), f"{self.mean_px:.2f}",
            f"{self.cpu_s:.1f}", self.verdict,
        )  # fmt: skip


def main() -> None:
    """Run both on all clips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", default="*", help="shell pattern")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    rows = []
    for name, turns in CLIPS.items():
        if not fnmatch.fnmatch(name, args.clips):
            continue
        for row in contest(args.data / name, turns=turns):
            rows.append(row)
            print(*row, sep=" | ", flush=True)
    print(table(HEADER, rows))
    print(machine())
    if args.output:
        args.output.write_text(json.dumps([dict(zip(HEADER, row, strict=True)) for row in rows]))


def contest(clip: Path, *, turns: bool) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a clip."""
    with TemporaryDirectory() as name:
        frames = unpack(clip, Path(name) / "frames", N_FRAMES)
        yield ours(frames).row(clip.stem, "trackcore")
        if os.environ.get("TRACKCORE_BPY_PYTHON"):
            yield blender(frames, turns=turns).row(clip.stem, "Blender")


def ours(frames: Path) -> Result:
    """Run trackcore's pipeline; its solver holds tracks out by itself."""
    began = time.process_time()
    result = tc.SmartTracker(session=False).run(str(frames))
    cpu_s = time.process_time() - began
    found, n_tracks = result.solve, len(result.tracks)
    if found is None or not found.solved.any():
        why = found.reasons[0] if found is not None else "nothing to track"
        return Result(n_tracks=n_tracks, cpu_s=cpu_s, verdict=f"refused: {why}")
    # as the solver measured them, before its last fit took in the held-out tracks
    return Result(
        solved=float(found.solved.mean()), held_out_px=found.held_out_error_px,
        agree=found.evidence["held_out_share"], n_tracks=n_tracks, mean_px=found.mean_error_px,
        cpu_s=cpu_s,
        verdict=f"{found.kind} {found.grade} (attempts: {len(result.attempts)}): "
        + "; ".join(found.reasons),
    )  # fmt: skip


def blender(frames: Path, *, turns: bool) -> Result:
    """Run Blender without a fifth of its long tracks; it is told where the camera only turns."""
    options = ["--hold-out", str(SHARE), *(["--tripod"] if turns else [])]
    try:
        found = blender_solve(frames, options=options, timeout_s=600)
    except (RuntimeError, subprocess.TimeoutExpired) as failure:
        return Result(verdict=str(failure)[-80:])
    aside, cpu_s = found["held_out_xy_px"], float(found["cpu_s"].sum())
    n_tracks = len(found["xy_px"]) + len(aside)
    if not found["solved"]:
        return Result(n_tracks=n_tracks, cpu_s=cpu_s, verdict=f"failed: {found['message']}"[:80])
    held_out_px, agree = judged(aside, found, tc.open_clip(frames).size)
    return Result(
        solved=float(np.isfinite(found["T_cam_world"][:, 0, 0]).mean()), held_out_px=held_out_px,
        agree=agree, n_tracks=n_tracks, mean_px=float(found["average_error_px"]), cpu_s=cpu_s,
        verdict="tripod" if turns else "free",
    )  # fmt: skip


def judged(
    xy_px: F64, found: dict[str, NDArray[Any]], frame_size: tuple[int, int]
) -> tuple[float, float]:
    """Return the median error [px] of held-out tracks under Blender's cameras; who agrees."""
    tracks = tc.Tracks.from_positions(xy_px, frame_size=frame_size)
    everyone = np.ones(len(tracks), bool)
    x, y = found["principal_px"].tolist()
    data = problem(tracks, tc.CameraPrior(principal_point_px=(x, y)), ~everyone, None)
    T, (k1, k2, _) = found["T_cam_world"], found["distortion"].tolist()
    state = State(
        T, np.full((len(tracks), 3), np.nan), np.full(len(T), found["focal_px"]), (k1, k2)
    )
    tolerance_px = tc.SolveOptions().max_error_px * data.unit_px
    errors = held_out_errors(data, state, everyone, tolerance_px)
    errors = errors[~np.isnan(errors)]
    return float(np.median(errors)), float((errors < tolerance_px).mean())


if __name__ == "__main__":
    main()
