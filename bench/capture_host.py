"""`CaptureHost` on two 1080p streams at 120 frames a second: what is lost and how long it takes.

A raw clip of 2 s with one pitch is rendered once and played from memory, in real time. Each row is
a way to use the host; the sinks check that every frame from the pre-roll to the post-roll is there,
and that its pixels are those of the clip.

    nice -n -10 python -m bench.capture_host --seconds 60
"""

from __future__ import annotations

import argparse
import functools
import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import trackcore as tc
from trackcore import synth
from trackcore.capture import HostReport, LoopSource
from trackcore.recording import SIDES, PitchWindow

FPS = 120.0
CLIP_S = 2.0
ROLL_NS = 500_000_000


@dataclass
class Clip:
    """Two seconds of both cameras, and how they are played."""

    frames: dict[str, list[np.ndarray]]
    quiet_clips: int = 0

    def played(self, side: str) -> list[np.ndarray]:
        """Return the clip, and after it some in which nothing happens."""
        quiet = self.frames[side][:40]
        still = quiet * (int(CLIP_S * FPS) // len(quiet))
        return self.frames[side] + still * self.quiet_clips


def render(rig: tc.StereoRig, seed: int) -> Clip:
    flight = synth.PitchScene(rig, seed, n_pitches=1).flights[0].t_s[-1]
    around = (CLIP_S - float(flight)) / 2
    scene = synth.PitchScene(
        rig, seed, n_pitches=1, fps=FPS, before_s=around, after_s=around, clock_offset_s=0.0
    )
    n = min(int(CLIP_S * FPS), len(scene))
    return Clip({side: [scene.frame(side, i) for i in range(n)] for side in SIDES})


@dataclass
class Checker:
    """A sink that looks at every frame of every window."""

    played: dict[str, list[np.ndarray]]
    windows: int = 0
    frames: int = 0
    missing: int = 0
    wrong: int = 0
    fits: list[Any] = field(default_factory=list)

    def write_pitch(self, window: PitchWindow) -> None:
        self.windows += 1
        self.fits.append(window.fit.status if window.fit else None)
        for side in SIDES:
            frames = window.frames[side]
            first, last = frames[0], frames[len(frames) - 1]
            self.frames += len(frames)
            self.missing += last.frame_index - first.frame_index + 1 - len(frames)
            late = first.t_capture_monotonic_ns - (window.pitch.start_ns - ROLL_NS)
            early = window.pitch.end_ns + ROLL_NS - last.t_capture_monotonic_ns
            self.missing += sum(round(max(0, t) / 1e9 * FPS - 0.5) for t in (late, early))
            source = self.played[side]
            for frame in frames:
                want = source[(frame.frame_index - 1) % len(source)]
                self.wrong += not np.array_equal(frame.image, want)


def stall(seconds: float, every: int) -> Any:
    """Return a hook that takes its time on each n-th call."""
    calls = [0]

    def hook(*_: Any) -> None:
        calls[0] += 1
        if calls[0] % every == 0:
            time.sleep(seconds)

    return hook


def run(
    clip: Clip, rig: tc.StereoRig, seconds: float, *, documented: bool, **hooks: Any
) -> tuple[HostReport, Checker]:
    played = {side: clip.played(side) for side in SIDES}
    sources = tuple(
        LoopSource(played[s], fps=FPS, n_frames=int(seconds * FPS), camera_id=s) for s in SIDES
    )
    check = Checker(played)
    setup = tc.PitchSetup(timing=tc.PitchEventOptions())
    with tempfile.TemporaryDirectory() as folder:
        if documented:
            everything = tc.RecordingOptions(
                save_detections=True, save_observations=True, save_training_frames=True
            )
            setup = replace(setup, recording=everything)
            hooks["recorder"] = functools.partial(tc.SessionWriter, folder, "bench", rig, setup)
            hooks["options"] = tc.CaptureOptions(video_share=0.0)  # 2 CPUs cannot encode it
        else:
            hooks["folder"] = folder
        host = tc.CaptureHost(sources, rig, [check], session="bench", setup=setup, **hooks)
        host.start()
        host.wait()
        report = host.stop()
    return report, check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", help="one of pitches, documented, video, stall")
    args = parser.parse_args()
    rig = tc.lane_rig()
    clip = render(rig, 3)
    rows = {
        "pitches": ("a pitch every 2 s", 0, {"documented": False}),
        "stall": (
            "and hooks that stall for 2 s", 0,
            {"documented": False, "on_frame": stall(2.0, 200), "on_pitch": stall(2.0, 4)},
        ),
        "documented": ("a pitch every 10 s, documented files", 4, {"documented": True}),
    }  # fmt: skip
    print("| | pitches | frames | missing | wrong | lost | callback p50, p99, max [ms] |"
          " to event p50, p95, p99 [ms] | load |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (what, quiet, how) in rows.items():
        if args.only not in (None, name):
            continue
        clip.quiet_clips = quiet
        report, check = run(clip, rig, args.seconds, **how)
        callback, latency = report.final.callback_ms, report.final.latency_ms
        print(
            f"| {what} | {check.windows} | {check.frames} | {check.missing} | {check.wrong} "
            f"| {sum(report.counts.lost.values())} "
            f"| {callback['p50']:.2f}, {callback['p99']:.2f}, {callback['max']:.1f} "
            f"| {latency['p50']:.1f}, {latency['p95']:.1f}, {latency['p99']:.1f} "
            f"| {os.getloadavg()[0]:.1f} |", flush=True,
        )  # fmt: skip
        for problem in report.final.problems:
            print(f"  problem: {problem}")


if __name__ == "__main__":
    main()
