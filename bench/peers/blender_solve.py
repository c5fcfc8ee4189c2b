"""Detect, track and solve a clip with Blender alone, as its automatic buttons do.

Run with a Python that has `bpy`; `solve(...)` below does so from any other:

    PYTHON_WITH_BPY bench/peers/blender_solve.py CLIP OUT.npz [--model Loc] [--tripod]
        [--focal-px F] [--keep-focal] [--min-distance PX] [--starts 3] [--clean PX]
        [--hold-out SHARE] [--most N]

CLIP is a movie or a folder of numbered pictures. Features are detected in `starts` frames spread
over the clip and tracked both ways from there; then the camera is solved with automatic keyframes
and, unless told, the focal length refined. Everything else stands as Blender ships it. --clean
deletes the tracks with a larger error afterwards and solves again, as its users do. --hold-out
takes a share of the tracks with 8 markers or more away before the solve. --most keeps so many
features of each frame they are detected in.

OUT.npz holds T_cam_world (n, 4, 4) [x right, y down, z forward; NaN without a camera], focal_px,
principal_px, distortion (k1, k2, k3: x (1 + k1 r^2 + ...)), average_error_px, solved (0 or 1),
xy_px (p, n, 2; pixel centres at integers, NaN where it has no marker), X_world (p, 3; NaN
without a bundle), track_error_px (p,), held_out_xy_px (q, n, 2; none of xy_px), wall_s and cpu_s
(detect, track, solve; of the whole process, decoding included), message (why it did not solve),
blender. Times: `STAGES`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Override = Callable[[], AbstractContextManager[Any]]
STAGES = ("detect", "track", "solve")
LEAST_HELD_OUT = 8
"""Markers of a track that may be held out, as in trackcore's own solver."""
MODELS = ("Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective")


def solve(
    clip: str | Path,
    *,
    python: str | None = None,
    options: Sequence[str] = (),
    n_frames: int | None = None,
    timeout_s: float = 1800,
) -> dict[str, NDArray[Any]]:
    """Run this file on a clip under a Python with `bpy` and return what OUT.npz holds.

    `python` comes from the environment variable TRACKCORE_BPY_PYTHON unless given. `n_frames`
    takes the clip's first ones only; then, and for streams without an index (.mjpeg), Blender gets
    the frames as pictures. Raises RuntimeError with the last lines of what Blender said where it
    wrote nothing.
    """  # fmt: skip
    interpreter = python or os.environ.get("TRACKCORE_BPY_PYTHON")
    if not interpreter:
        raise RuntimeError("TRACKCORE_BPY_PYTHON: expected a Python that can import bpy")
    with TemporaryDirectory() as name:
        folder, source = Path(name), Path(clip)
        if n_frames is not None or source.suffix == ".mjpeg":
            source = unpack(source, folder / "frames", n_frames)
        out = folder / "out.npz"
        command = [interpreter, __file__, str(source), str(out), *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if not out.exists():
            last = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise RuntimeError(f"Blender wrote no result (exit {done.returncode}): {last}")
        with np.load(out) as data:
            return {name: data[name] for name in data.files}


def unpack(clip: Path, folder: Path, n_frames: int | None) -> Path:
    """Write a movie's frames as numbered pictures."""
    import cv2

    folder.mkdir()
    video, i = cv2.VideoCapture(str(clip)), 0
    while i != n_frames:
        ok, image = video.read()
        if not ok:
            break
        i += 1
        cv2.imwrite(str(folder / f"{i:05d}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return folder


def main() -> None:
    """Parse, run the stages, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", choices=MODELS, default="Loc", help="Blender's default: Loc")
    parser.add_argument("--tripod", action="store_true")
    parser.add_argument("--focal-px", type=float, help="default: 35 mm on 36 mm, as Blender's")
    parser.add_argument("--keep-focal", action="store_true", help="do not refine it")
    parser.add_argument("--min-distance", type=int, help="of features [px]; default: width / 16")
    parser.add_argument("--threshold", type=float, default=0.1, help="of the detector")
    parser.add_argument("--starts", type=int, default=3, help="frames to detect features in")
    parser.add_argument("--clean", type=float, help="delete tracks over this error, solve again")
    parser.add_argument("--most", type=int, help="features kept of a frame; default: all")
    parser.add_argument("--hold-out", type=float, default=0.0, help="share of tracks not solved")
    args = parser.parse_args()
    from blender_libmv import blender_version, open_clip

    clip, override = open_clip(args.clip)
    clock = Clock()
    detect_and_track(clip, override, args, clock)
    held_out_xy_px = hold_out(clip, override, args.hold_out)
    message = ""
    with clock("solve"):
        try:
            solve_camera(clip, override, args)
        except RuntimeError as error:
            message = str(error).strip()
    np.savez(
        args.out, **results(clip), held_out_xy_px=held_out_xy_px, message=message,
        blender=blender_version(),
        wall_s=[clock.wall_s[s] for s in STAGES], cpu_s=[clock.cpu_s[s] for s in STAGES],
    )  # fmt: skip


class Clock:
    """Wall and CPU seconds of named stages, added up."""

    def __init__(self) -> None:
        self.wall_s = dict.fromkeys(STAGES, 0.0)
        self.cpu_s = dict.fromkeys(STAGES, 0.0)
        self.stage = ""

    def __call__(self, stage: str) -> Clock:
        """Name the stage of the next `with` block."""
        self.stage = stage
        return self

    def __enter__(self) -> None:
        self.began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall_s[self.stage] += time.perf_counter() - self.began[0]
        self.cpu_s[self.stage] += time.process_time() - self.began[1]


def detect_and_track(clip: Any, override: Override, args: argparse.Namespace, clock: Clock) -> None:
    """Detect in a few frames; track what was found there forwards and backwards."""
    import bpy  # type: ignore[import-not-found]

    n = clip.frame_duration
    settings = clip.tracking.settings
    settings.default_motion_model = args.model
    distance = args.min_distance or clip.size[0] // 16
    for frame in sorted(
        {1 + round((n - 1) * i / max(args.starts - 1, 1)) for i in range(args.starts)}
    ):
        go_to(frame)
        with override():
            bpy.ops.clip.select_all(action="DESELECT")
            with clock("detect"):
                bpy.ops.clip.detect_features(
                    placement="FRAME", threshold=args.threshold, min_distance=distance
                )
            thin_out(clip, args.most)
            for backwards in (False, True):
                go_to(frame)
                if frame == (1 if backwards else n):
                    continue
                with clock("track"):
                    bpy.ops.clip.track_markers("EXEC_DEFAULT", backwards=backwards, sequence=True)


def thin_out(clip: Any, most: int | None) -> None:
    """Keep `most` of the tracks that are selected, drawn at random; the kept ones stay selected."""
    import bpy

    fresh = [track for track in clip.tracking.tracks if track.select]
    if most is None or len(fresh) <= most:
        return
    kept = set(np.random.default_rng(0).permutation(len(fresh))[:most].tolist())
    names = {track.name for i, track in enumerate(fresh) if i in kept}
    for i, track in enumerate(fresh):
        track.select = i not in kept
    bpy.ops.clip.delete_track()
    for track in clip.tracking.tracks:
        track.select = track.name in names


def go_to(frame: int) -> None:
    """Show a clip frame: the clip starts at scene frame 1."""
    import bpy

    bpy.context.scene.frame_set(frame)
    for area in bpy.context.window_manager.windows[0].screen.areas:
        if area.type == "CLIP_EDITOR":
            area.spaces.active.clip_user.frame_current = frame


def hold_out(clip: Any, override: Override, share: float, seed: int = 0) -> F64:
    """Delete a share of the long tracks; return their positions (q, n, 2)."""
    import bpy

    tracks = list(clip.tracking.tracks)
    xy_px = positions(clip, tracks)
    long = np.flatnonzero(np.isfinite(xy_px[..., 0]).sum(axis=1) >= LEAST_HELD_OUT)
    chosen = np.random.default_rng(seed).permutation(long)[: round(share * len(long))]
    if len(chosen):
        for i, track in enumerate(tracks):
            track.select = i in chosen
        with override():
            bpy.ops.clip.delete_track()
        if len(clip.tracking.tracks) != len(tracks) - len(chosen):
            raise RuntimeError("held-out tracks: not deleted")
    return xy_px[chosen]


def solve_camera(clip: Any, override: Override, args: argparse.Namespace) -> None:
    """Solve, and once more without the worst tracks if asked."""
    import bpy

    settings, camera = clip.tracking.settings, clip.tracking.camera
    settings.use_keyframe_selection = not args.tripod
    settings.use_tripod_solver = args.tripod
    settings.refine_intrinsics_focal_length = not args.keep_focal
    w = clip.size[0]
    camera.sensor_width, camera.units = 36.0, "MILLIMETERS"
    camera.focal_length = 36.0 * args.focal_px / w if args.focal_px else 35.0
    with override():
        bpy.ops.clip.solve_camera("EXEC_DEFAULT")
        if args.clean and clip.tracking.reconstruction.is_valid:
            bpy.ops.clip.clean_tracks(frames=0, error=args.clean, action="DELETE_TRACK")
            bpy.ops.clip.solve_camera("EXEC_DEFAULT")


def positions(clip: Any, tracks: Sequence[Any]) -> F64:
    """(p, n, 2) px of tracks, pixel centres at integers; NaN without a marker."""
    (w, h), n = clip.size, clip.frame_duration
    xy_px = np.full((len(tracks), n, 2), np.nan)
    for i, track in enumerate(tracks):
        for m in track.markers:
            if not m.mute and 1 <= m.frame <= n:
                xy_px[i, m.frame - 1] = m.co[0] * w - 0.5, (1 - m.co[1]) * h - 0.5
    return xy_px


def results(clip: Any) -> dict[str, Any]:
    """Everything Blender found, in trackcore's conventions."""
    h, n = clip.size[1], clip.frame_duration
    tracking = clip.tracking
    found, camera = tracking.reconstruction, tracking.camera
    T = np.full((n, 4, 4), np.nan)
    for view in found.cameras if found.is_valid else ():
        if 1 <= view.frame <= n:
            # Blender: camera to world, its camera looks along -z with y up.
            T_world_cam = np.array(view.matrix) @ np.diag([1.0, -1.0, -1.0, 1.0])
            T[view.frame - 1] = np.linalg.inv(T_world_cam)
    tracks = list(tracking.tracks)
    X_world = np.full((len(tracks), 3), np.nan)
    error_px = np.full(len(tracks), np.nan)
    for i, track in enumerate(tracks):
        if found.is_valid and track.has_bundle:
            X_world[i], error_px[i] = track.bundle, track.average_error
    dx, dy = camera.principal_point_pixels
    return {
        "T_cam_world": T, "focal_px": camera.focal_length_pixels,
        "principal_px": np.array([dx - 0.5, h - 0.5 - dy]),
        "distortion": np.array([camera.k1, camera.k2, camera.k3]),
        "average_error_px": found.average_error if found.is_valid else np.nan,
        "solved": int(found.is_valid), "xy_px": positions(clip, tracks), "X_world": X_world,
        "track_error_px": error_px,
    }  # fmt: skip


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
