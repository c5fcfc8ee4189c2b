"""The trackers compared: each follows a clip's start points and says what that cost.

All run on one core with frames decoded before; time is CPU time (`process_time`) per
marker-frame, a match tried (the failed ones count too). Images are new to the tracker in every
frame, so pyramids and whatever else a frame costs are in the figure.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Frames = Sequence[NDArray[np.uint8]]
MODELS = ("Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective")
ROUNDS = 3  # of the fast trackers; the least time counts


@dataclass(frozen=True)
class Row:
    """One tracker on one clip."""

    name: str
    xy_px: F64  # (n, n_frames, 2), NaN where it has no position
    us: float  # CPU time per marker-frame
    own_points: bool = False  # it chose its start points itself


class RowMissingError(RuntimeError):
    """A tracker cannot be run here; the message says why."""


def libmv(clip: Path, bpy_python: str, out: Path, settings: Sequence[str], *, fresh: bool) -> Row:
    """Blender's tracker, in its own process; results are kept in `out` until the clip changes."""
    name = libmv_name(settings)
    newest = (clip / "truth.npz").stat().st_mtime
    if fresh or not out.exists() or out.stat().st_mtime < newest:
        script = Path(__file__).with_name("blender_libmv.py")
        command = [bpy_python, str(script), str(clip), str(out), *settings]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RowMissingError(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
    with np.load(out) as result:
        return Row(name, result["xy_px"], float(result["us_per_marker_frame"]))


def libmv_name(settings: Sequence[str]) -> str:
    """Table name of a libmv run: `libmv Affine 21/71` and what differs from the defaults."""
    model, pattern, search = settings[1], settings[3], settings[5]
    flags = [s.removeprefix("--") for s in settings[6:]]
    return " ".join([f"libmv {model} {pattern}/{search}", *flags])


def opencv_lk(frames: Frames, start_px: F64, *, window: int = 21) -> Row:
    """OpenCV's pyramidal LK from frame to frame, called as a user calls it."""
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01)
    settings: Any = {"winSize": (window, window), "maxLevel": 3, "criteria": criteria}

    def match(i: int, p: F64, _alive: NDArray[np.bool_]) -> F64:
        p32 = p.astype(np.float32)
        q, status, _ = cv2.calcOpticalFlowPyrLK(frames[i - 1], frames[i], p32, None, **settings)
        ok = status[:, 0] == 1
        h, w = frames[i].shape
        ok &= ((q >= 0) & (q <= (w - 1, h - 1))).all(1)
        return np.where(ok[:, None], q, np.nan).astype(np.float64)

    name = f"OpenCV LK {window}x{window}, frame to frame"
    return follow(name, len(frames), start_px, lambda: match)


def trackcore_points(frames: Frames, start_px: F64) -> Row:
    """`track_points` with its defaults, frame to frame, pyramids kept from frame to frame."""
    tc = _trackcore("track_points", "FramePyramid", "TrackOptions")
    options = tc.TrackOptions()

    def begin() -> Matcher:
        kept = {0: tc.FramePyramid(frames[0], levels=options.levels)}

        def match(i: int, p: F64, _alive: NDArray[np.bool_]) -> F64:
            kept[i] = tc.FramePyramid(frames[i], levels=options.levels)
            found = tc.track_points(kept.pop(i - 1), kept[i], p, options=options, threads=1)
            return np.asarray(found.xy_px)

        return match

    return follow("trackcore track_points, frame to frame", len(frames), start_px, begin)


def trackcore_regions(
    frames: Frames,
    start_px: F64,
    model: str,
    pattern: int,
    search: int,
    *,
    normalize: bool = False,
) -> Row:
    """`track_regions` against the first frame, searching about the last position as libmv does."""
    tc = _trackcore("track_regions", "FramePyramid", "RegionOptions")
    options = tc.RegionOptions(pattern=pattern, search=search, model=model, normalize=normalize)
    takes = inspect.signature(tc.track_regions).parameters
    if "guess_px" not in takes:
        raise RowMissingError(
            "trackcore.track_regions has no guess_px: it cannot follow a keyframe"
        )

    def begin() -> Matcher:
        key = tc.FramePyramid(frames[0])
        warp = np.tile(np.eye(3), (len(start_px), 1, 1))

        def match(i: int, p: F64, alive: NDArray[np.bool_]) -> F64:
            extra = {"guess_warp": warp[alive]} if "guess_warp" in takes else {}
            found = tc.track_regions(
                key, tc.FramePyramid(frames[i]), start_px[alive],
                options=options, guess_px=p, threads=1, **extra,
            )  # fmt: skip
            warp[alive] = found.warp
            return np.asarray(found.xy_px)

        return match

    flag = " normalize" if normalize else ""
    name = f"trackcore track_regions {model} {pattern}/{search}{flag}, keyframe"
    return follow(name, len(frames), start_px, begin)


def trackcore_tracker(frames: Frames, start_px: F64) -> Row:
    """`Tracker` with its defaults and, where it takes them, the given start points."""
    tc = _trackcore("Tracker", "TrackerOptions")
    given = hasattr(tc.Tracker, "add_points")
    options = tc.TrackerOptions(replenish=False, **({"target_count": 0} if given else {}))
    best_s = np.inf
    for _ in range(ROUNDS):
        tracker = tc.Tracker(options)
        spent = -time.process_time()
        tracker.push(frames[0])
        if given:
            tracker.add_points(start_px)
        for frame in frames[1:]:
            tracker.push(frame)
        spent += time.process_time()
        best_s = min(best_s, spent)
    xy_px = np.asarray(tracker.tracks().xy_px, np.float64)
    name = "trackcore Tracker, defaults" + ("" if given else ", own points")
    return Row(name, xy_px, 1e6 * best_s / tried(xy_px), own_points=not given)


Matcher = Callable[[int, F64, NDArray[np.bool_]], F64]


def follow(name: str, n_frames: int, start_px: F64, begin: Callable[[], Matcher]) -> Row:
    """Run a matcher over a clip: match(frame index, positions of the living, who lives)."""
    best_s = np.inf
    for _ in range(ROUNDS):
        xy_px = np.full((len(start_px), n_frames, 2), np.nan)
        xy_px[:, 0] = start_px
        alive = np.ones(len(start_px), bool)
        spent = -time.process_time()
        match = begin()
        for i in range(1, n_frames):
            if not alive.any():
                break
            xy_px[alive, i] = match(i, xy_px[alive, i - 1], alive)
            alive = np.isfinite(xy_px[:, i, 0])
        best_s = min(best_s, spent + time.process_time())
    return Row(name, xy_px, 1e6 * best_s / tried(xy_px))


def tried(xy_px: F64) -> int:
    """Count the matches tried: positions after the first, and one failure per lost point."""
    seen = np.isfinite(xy_px[:, :, 0])
    return int(seen[:, 1:].sum() + (seen[:, :-1] & ~seen[:, 1:]).sum())


def _trackcore(*names: str) -> Any:
    try:
        tc = importlib.import_module("trackcore")
    except ImportError as error:
        raise RowMissingError(f"trackcore is not installed here ({error})") from error
    missing = [n for n in names if not hasattr(tc, n)]
    if missing:
        raise RowMissingError(f"this trackcore has no {', '.join(missing)}")
    return tc
