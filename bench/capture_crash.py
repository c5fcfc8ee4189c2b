"""Kills processes that record pitches, at random moments, and looks for what was lost.

Each process plays rendered footage in real time into a `CaptureHost` with stamps of the monotonic
clock. It is killed with SIGKILL; then `recover_session` runs, and every frame that had come more
than 100 ms before the kill must be in the journal, and each pitch by then seen must be either
written or rebuilt, with the pixels of the footage.

    python -m bench.capture_crash --kills 50
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import trackcore as tc
from trackcore import synth
from trackcore.capture import LoopSource, needs_recovery, recover_session
from trackcore.recording import SIDES, PitchWindow

FPS = 120.0
SETUP = tc.PitchSetup(recording=tc.RecordingOptions(pre_roll_ms=200.0, post_roll_ms=200.0))
GRACE_NS = 100_000_000


def rig() -> tc.StereoRig:
    return tc.lane_rig(
        focal_px=600.0, size=(640, 360), height_m=2.74, behind_m=4.88, look_at_m=(0.0, -0.1, -5.0)
    )


def footage() -> dict[str, np.ndarray]:
    scene = synth.PitchScene(
        rig(), 3, n_pitches=2, fps=FPS, before_s=0.3, after_s=0.5, clock_offset_s=0.0
    )
    return {s: np.stack([scene.frame(s, i) for i in range(len(scene))]) for s in SIDES}


class SlowWriter:
    """Writes a pitch's numbers so slowly that kills fall into the middle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_pitch(self, window) -> None:
        at = self.folder / window.pitch_id
        at.mkdir(exist_ok=True)
        for side in SIDES:
            np.save(at / f"{side}.npy", np.stack([f.image for f in window.frames[side]]))
            time.sleep(0.1)


def record(folder: Path, clips: Path) -> None:
    """Record until killed; tell when the first frame came."""
    images = np.load(clips)
    start_ns = time.monotonic_ns()
    sources = tuple(LoopSource(images[s], fps=FPS, camera_id=s, start_ns=start_ns) for s in SIDES)
    host = tc.CaptureHost(
        sources, rig(), [SlowWriter(folder)], folder=folder, session="crash", setup=SETUP
    )
    host.start()
    print(time.monotonic_ns() - start_ns, start_ns, flush=True)
    host.wait()


def check_window(window: PitchWindow, images: dict[str, np.ndarray]) -> list[str]:
    """Return what is wrong with a rebuilt pitch."""
    wrong = []
    if window.fit is None and len(window.pitch.observations) > 9:
        wrong.append("no fit")
    for side in SIDES:
        numbers = [f.frame_index for f in window.frames[side]]
        if numbers != list(range(numbers[0], numbers[-1] + 1)):
            wrong.append(f"gaps in {side}")
        for f in window.frames[side]:
            if not np.array_equal(f.image, images[side][(f.frame_index - 1) % len(images[side])]):
                wrong.append(f"other pixels in {side} {f.frame_index}")
    return [f"{window.pitch_id}: {words}" for words in wrong]


def check(folder: Path, images: dict[str, np.ndarray], start_ns: int, last_ns: int) -> list[str]:
    """Return what is wrong with what was recovered; `last_ns`: stamp that must be there."""
    wrong = []
    if not needs_recovery(folder):
        return ["the session does not know that its process died"]
    report = recover_session(folder)
    for side in SIDES:
        got = report.last_ns[side] or 0
        if got < last_ns:
            wrong.append(f"{side}: the last {(last_ns - got) / 1e6:.0f} ms more than allowed")
        expected = (got - start_ns) / 1e9 * FPS + 1
        lost = sum(f.side == side for f in report.lost)
        if abs(report.frames[side] + lost - expected) > 0.5:
            wrong.append(f"{side}: {report.frames[side]} of {expected:.0f} frames")
    if report.pictures_lost:
        wrong.append(f"{report.pictures_lost} pictures of rebuilt pitches")
    for window in report.windows:
        wrong += check_window(window, images)
    ids = sorted(report.pitch_ids + report.already_written)
    if ids != [f"crash-pitch-{i:03d}" for i in range(1, len(ids) + 1)]:
        wrong.append(f"pitches {ids}")
    for pitch in report.already_written:
        if not (folder / pitch / "right.npy").exists():
            wrong.append(f"{pitch} is said to be written")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record:
        record(*args.record)
        return
    images = footage()
    rng = random.Random(args.seed)
    failed, rebuilt, lag = 0, 0, []
    with tempfile.TemporaryDirectory() as work:
        clips = Path(work) / "clips.npz"
        np.savez(clips, **images)
        for kill in range(args.kills):
            folder = Path(work) / f"session-{kill}"
            folder.mkdir()
            child = subprocess.Popen(
                [sys.executable, "-m", "bench.capture_crash", "--record", folder, clips],
                stdout=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip
            late_ns, start_ns = map(int, child.stdout.readline().split())
            time.sleep(rng.uniform(0.3, 5.0))
            os.killpg(child.pid, signal.SIGKILL)
            killed_ns = time.monotonic_ns()
            child.wait()
            report = recover_session(folder)
            rebuilt += len(report.pitch_ids)
            newest = min(report.last_ns[s] or 0 for s in SIDES)
            lag.append((killed_ns - late_ns - newest) / 1e6)
            wrong = check(folder, images, start_ns, killed_ns - late_ns - GRACE_NS)
            failed += bool(wrong)
            if wrong:
                print(f"kill {kill}: {'; '.join(wrong[:4])}", flush=True)
            recover_session(folder, [SlowWriter(folder)])
            assert not needs_recovery(folder)
    print(f"{args.kills} kills, {failed} with losses; {rebuilt} pitches rebuilt; the journal ended "
          f"{np.median(lag):.0f} ms before the kill (most {max(lag):.0f})")  # fmt: skip


if __name__ == "__main__":
    main()
