"""Track a clip's start points with Blender's own tracker (libmv) and time it.

Run with a Python that has `bpy`; `compare_libmv.py` does so for every row of its table:

    PYTHON_WITH_BPY bench/peers/blender_libmv.py CLIP_FOLDER OUT.npz --model Affine
        [--pattern 21] [--search 71] [--match KEYFRAME|PREV_FRAME] [--min-correlation 0.75]
        [--normalize] [--no-brute] [--cpu 0]

CLIP_FOLDER holds 0001.png ... and truth.npz with `start_px` (see render_clips.py). OUT.npz gets
xy_px (p, n, 2; NaN where Blender gave up), us_per_marker_frame, us_one_marker (a run with a
single marker: what a frame costs whatever the number of markers), n_marker_frames, threads.

Time is CPU time of the whole process (`process_time`) on one core, set before Blender starts so
that its thread pool sees one core, of the tracking operator alone. Frames are decoded before: a
run with one marker goes through the clip first and is not counted.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Override = Callable[[], AbstractContextManager[Any]]
MODELS = ("Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective")


def main() -> None:
    """Parse, track, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", choices=MODELS, default="Affine")
    parser.add_argument("--pattern", type=int, default=21)
    parser.add_argument("--search", type=int, default=71)
    parser.add_argument("--match", choices=("KEYFRAME", "PREV_FRAME"), default="KEYFRAME")
    parser.add_argument("--min-correlation", type=float, default=0.75)
    parser.add_argument("--normalize", action="store_true")
    parser.add_argument("--no-brute", action="store_true")
    parser.add_argument("--cpu", type=int, help="core to run on (default: the first allowed)")
    args = parser.parse_args()
    core = min(os.sched_getaffinity(0)) if args.cpu is None else args.cpu
    os.sched_setaffinity(0, {core})

    start_px = np.load(args.clip / "truth.npz")["start_px"]
    clip, override = open_clip(args.clip)
    track(clip, override, start_px[:1], args)  # decodes and caches the frames
    one_s, one_px = track(clip, override, start_px[:1], args)
    all_s, xy_px = track(clip, override, start_px, args)
    n = marker_frames(xy_px)
    np.savez(
        args.out,
        xy_px=xy_px,
        us_per_marker_frame=1e6 * all_s / n,
        us_one_marker=1e6 * one_s / max(marker_frames(one_px), 1),
        n_marker_frames=n,
        threads=threads_of_this_process(),
        blender=blender_version(),
    )


def marker_frames(xy_px: NDArray[np.float64]) -> int:
    """How many matches Blender computed: positions after the first, and the failed ones."""
    seen = np.isfinite(xy_px[:, :, 0])
    found = int(seen[:, 1:].sum())
    gave_up = int((seen[:, :-1] & ~seen[:, 1:]).sum())
    return found + gave_up


def threads_of_this_process() -> int:
    """Threads that exist, most of them asleep; -1 where the system does not say."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else -1


def blender_version() -> str:
    """Blender's version."""
    import bpy  # type: ignore[import-not-found]

    return str(bpy.app.version_string)


def open_clip(path: Path) -> tuple[Any, Override]:
    """Load a movie or a folder of numbered pictures; make the context of clip operators."""
    import bpy  # type: ignore[import-not-found]

    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.is_dir():
        path = min(path.glob("[0-9]*.*"))
    clip = bpy.data.movieclips.load(str(path.resolve()))
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, clip.frame_duration
    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda a: a.width * a.height)
    area.type = "CLIP_EDITOR"
    space = area.spaces.active
    space.clip, space.mode = clip, "TRACKING"
    region = next(r for r in area.regions if r.type == "WINDOW")

    def override() -> AbstractContextManager[Any]:
        return bpy.context.temp_override(
            window=window, screen=window.screen, area=area, region=region, space_data=space
        )

    return clip, override


def track(
    clip: Any, override: Override, start_px: NDArray[np.float64], args: argparse.Namespace
) -> tuple[float, NDArray[np.float64]]:
    """Track the points through the clip; CPU seconds and (p, n, 2) pixels."""
    import bpy  # type: ignore[import-not-found]

    tracks = clip.tracking.tracks
    with override():
        bpy.ops.clip.select_all(action="SELECT")
        if len(tracks):
            bpy.ops.clip.delete_track()
    w, h = clip.size
    for i, (x, y) in enumerate(start_px):
        # Blender: 0..1 from the bottom-left corner, pixel centres at half.
        co = ((x + 0.5) / w, 1 - (y + 0.5) / h)
        add_track(tracks.new(name=f"p{i:04d}", frame=1), co, (w, h), args)
    bpy.context.scene.frame_set(1)
    with override():
        bpy.ops.clip.select_all(action="SELECT")
        began = time.process_time()
        result = bpy.ops.clip.track_markers("EXEC_DEFAULT", backwards=False, sequence=True)
        cpu_s = time.process_time() - began
    if result != {"FINISHED"}:
        raise RuntimeError(f"track_markers: expected FINISHED, got {result}")
    xy_px = np.full((len(start_px), clip.frame_duration, 2), np.nan)
    for marker_track in tracks:
        i = int(marker_track.name[1:])
        for m in marker_track.markers:
            if not m.mute:
                xy_px[i, m.frame - 1] = m.co[0] * w - 0.5, (1 - m.co[1]) * h - 0.5
    return cpu_s, xy_px


def add_track(
    new: Any, co: tuple[float, float], size: tuple[int, int], args: argparse.Namespace
) -> None:
    """Give a new track its place, areas and settings."""
    w, h = size
    marker = new.markers[0]
    marker.co = co
    # Pattern and search first grow, so that Blender does not clamp one by the other.
    half_s, half_p = args.search / 2, args.pattern / 2
    marker.search_min, marker.search_max = (-half_s / w, -half_s / h), (half_s / w, half_s / h)
    marker.pattern_corners = [
        (sx * half_p / w, sy * half_p / h) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    new.motion_model = args.model
    new.pattern_match = "KEYFRAME" if args.match == "KEYFRAME" else "PREV_FRAME"
    new.correlation_min = args.min_correlation
    new.use_normalization = args.normalize
    new.use_brute = not args.no_brute
    new.frames_limit = 0
    new.margin = 0


if __name__ == "__main__":
    main()
