"""Compare trackers on the rendered clips: libmv inside Blender, OpenCV's LK, trackcore.

    python bench/peers/compare_libmv.py CACHE --bpy-python PYTHON_WITH_BPY [-o TABLES.md]
        [--clip NAME]... [--fresh]

CACHE is filled by render_clips.py. The interpreter with `bpy` may also come from the environment
variable TRACKCORE_BPY_PYTHON; without one the libmv rows are left out. libmv's results are kept
in CACHE/NAME/libmv-*.npz and measured again with --fresh. Everything is one thread on one core.

What the columns mean. A marker-frame is fair while the point has been in the frame (16 px from
its border) and unhidden since the first frame. us: CPU time per marker-frame. survive: share of
fair marker-frames with a position. bad: share of those more than 2 px off. median, 95 %, last:
endpoint error [px] over fair marker-frames (last: in the last frame only) of the tracker's own
points. common: over the marker-frames that every tracker in the table has. x Affine: error
divided by that of libmv's Affine 21/71, over the marker-frames that both have.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rows import (
    MODELS,
    Row,
    RowMissingError,
    libmv,
    libmv_name,
    opencv_lk,
    trackcore_points,
    trackcore_regions,
    trackcore_tracker,
)
from scenes import CLIPS, ClipSpec, on_one_wall, truth

F64 = NDArray[np.float64]
REFERENCE = "libmv Affine 21/71"
BORDER_PX = 16
BAD_PX = 2.0
LIBMV = [
    *(["--model", m, "--pattern", "21", "--search", "71"] for m in MODELS),
    ["--model", "Affine", "--pattern", "21", "--search", "71", "--normalize"],
    ["--model", "Affine", "--pattern", "31", "--search", "101"],
]
HEADER = (
    "| tracker | us | us x Affine | us x LK | survive | bad | median | 95 % | last"
    " | common median | common 95 % | median x Affine | 95 % x Affine |\n"
    "|---" + "|---:" * 12 + "|\n"
)


@dataclass(frozen=True)
class Score:
    """One row's errors on one clip, fair marker-frames only: (n, n_frames) [px], NaN elsewhere."""

    row: Row
    error_px: F64
    fair: NDArray[np.bool_]


def main() -> None:
    """Run the trackers on every clip of the cache and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--bpy-python", default=os.environ.get("TRACKCORE_BPY_PYTHON", ""))
    parser.add_argument("--clip", action="append", choices=[c.name for c in CLIPS])
    parser.add_argument("--fresh", action="store_true", help="run libmv again")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file (default: stdout)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    text = [heading()]
    scores: list[list[Score]] = []
    for spec in CLIPS:
        if args.clip and spec.name not in args.clip:
            continue
        rows, notes = run_clip(spec, args.cache / spec.name, args.bpy_python, fresh=args.fresh)
        scores.append([score(spec, row) for row in rows])
        title = f"{spec.name} ({spec.size[0]}x{spec.size[1]}, {spec.n_frames} frames)"
        text.append(f"\n### {title}\n\n" + table([scores[-1]]) + "".join(f"\n{n}\n" for n in notes))
        sys.stderr.write(text[-1])
    if len(scores) > 1:
        text.append("\n### All clips, marker-frames pooled\n\n" + table(scores))
    if args.output:
        args.output.write_text("".join(text), encoding="utf-8")
    else:
        sys.stdout.write("".join(text))


def run_clip(
    spec: ClipSpec, folder: Path, bpy_python: str, *, fresh: bool
) -> tuple[list[Row], list[str]]:
    """All rows that can be run on a clip, and why the others cannot."""
    with np.load(folder / "truth.npz") as known:
        if str(known["fingerprint"]) != spec.fingerprint():
            raise SystemExit(f"{folder}: an older clip; run render_clips.py again")
        start_px = known["start_px"]
    files = sorted(folder.glob("[0-9]*.png"))
    frames: list[Any] = [cv2.imread(str(f), cv2.IMREAD_GRAYSCALE) for f in files]
    runs: list[Callable[[], Row]] = []
    for settings in LIBMV:
        out = folder / (libmv_name(settings).replace(" ", "-").replace("/", "-") + ".npz")
        runs.append(partial(libmv, folder, bpy_python, out, settings, fresh=fresh))
    runs += [
        partial(opencv_lk, frames, start_px),
        partial(trackcore_points, frames, start_px),
        *(partial(trackcore_regions, frames, start_px, m, 21, 71) for m in MODELS),
        partial(trackcore_regions, frames, start_px, "Affine", 21, 71, normalize=True),
        partial(trackcore_regions, frames, start_px, "Affine", 31, 101),
        partial(trackcore_tracker, frames, start_px),
    ]
    if not bpy_python:
        runs = runs[len(LIBMV) :]
    rows, notes = [], []
    for run in runs:
        try:
            rows.append(run())
        except RowMissingError as reason:
            notes.append(f"Left out: {reason}")
    return rows, list(dict.fromkeys(notes))


def score(spec: ClipSpec, row: Row) -> Score:
    """Errors of a row where the comparison is fair."""
    xy_px, cameras = row.xy_px, spec.cameras()
    if row.own_points:
        # Judged on those it started in the first frame, on one wall as the given points are.
        xy_px = xy_px[np.isfinite(xy_px[:, 0, 0])]
        xy_px = xy_px[on_one_wall(spec, cameras[0], xy_px[:, 0], BORDER_PX)]
    exact_px = truth(spec, cameras, xy_px[:, 0])
    w, h = spec.size
    low, high = BORDER_PX, np.array([w - 1, h - 1]) - BORDER_PX
    visible = ((exact_px >= low) & (exact_px <= high)).all(2)  # NaN compares false
    fair = np.logical_and.accumulate(visible, axis=1)
    fair[:, 0] = False  # given, not tracked
    error_px = np.where(fair, np.linalg.norm(xy_px - exact_px, axis=2), np.nan)
    return Score(row, error_px, fair)


def table(clips: list[list[Score]]) -> str:
    """Markdown table; `clips` holds the same rows for each clip."""
    names = [s.row.name for s in clips[0]]
    shared = [
        np.logical_and.reduce([np.isfinite(s.error_px) for s in c if not s.row.own_points])
        for c in clips
    ]
    reference = _find(clips, REFERENCE)
    klt = _find(clips, "OpenCV LK 21x21, frame to frame")
    lines = []
    for i, name in enumerate(names):
        mine = [c[i] for c in clips]
        errors = pool([s.error_px for s in mine])
        us = cost(mine)
        cells = [f"{us:.1f}", ratio(us, cost(reference)), ratio(us, cost(klt))]
        cells.append(f"{len(errors) / max(sum(int(s.fair.sum()) for s in mine), 1):.3f}")
        cells.append(f"{np.mean(errors > BAD_PX) if len(errors) else np.nan:.4f}")
        cells += quantiles(errors, (50, 95))
        cells += quantiles(pool([s.error_px[:, -1:] for s in mine]), (50,))
        if mine[0].row.own_points:
            cells += ["own points"] + ["-"] * 3
        else:
            common = [s.error_px[k] for s, k in zip(mine, shared, strict=True)]
            cells += quantiles(pool(common), (50, 95))
            cells += against(mine, reference)
        lines.append(f"| {name} | " + " | ".join(cells) + " |\n")
    n = sum(int(k.sum()) for k in shared)
    return HEADER + "".join(lines) + f"\nMarker-frames that all have: {n}.\n"


def against(mine: list[Score], reference: list[Score]) -> list[str]:
    """Median and 95 % error over the reference's, where both have a position."""
    if not reference:
        return ["-", "-"]
    # NaN where either has none: a + 0 * b keeps a's error where both have one.
    a = pool([m.error_px + 0 * r.error_px for m, r in zip(mine, reference, strict=True)])
    b = pool([r.error_px + 0 * m.error_px for m, r in zip(mine, reference, strict=True)])
    if not len(a):
        return ["-", "-"]
    return [ratio(float(np.percentile(a, q)), float(np.percentile(b, q))) for q in (50, 95)]


def cost(scores: list[Score]) -> float:
    """Mean CPU time per marker-frame over clips [us]; NaN for none."""
    return float(np.mean([s.row.us for s in scores])) if scores else float("nan")


def pool(errors: list[F64]) -> F64:
    """All finite errors as one list."""
    flat = np.concatenate([e.ravel() for e in errors])
    finite: F64 = flat[np.isfinite(flat)]
    return finite


def quantiles(errors: F64, percents: tuple[int, ...]) -> list[str]:
    """Format percentiles [px]."""
    return [f"{np.percentile(errors, q):.3f}" if len(errors) else "-" for q in percents]


def ratio(a: float, b: float) -> str:
    """Format a / b."""
    return f"{a / b:.3g}" if np.isfinite(a) and np.isfinite(b) and b > 0 else "-"


def _find(clips: list[list[Score]], name: str) -> list[Score]:
    return [s for c in clips for s in c if s.row.name == name]


def heading() -> str:
    """Say what was measured where."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), cpu)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        "## Trackers on rendered clips\n\n"
        f"{cpu}, one core, load average at the start {load}; Python {platform.python_version()},"
        f" OpenCV {cv2.__version__}. Columns: see `bench/peers/compare_libmv.py`.\n"
    )


if __name__ == "__main__":
    main()
