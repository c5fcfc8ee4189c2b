"""Pitches found among clutter and misses: `PitchTracker` on synthetic candidates, as a table.

    python -m bench.pitch_tracking --pitches 20

Clutter is uniform in the picture, so many a frame of each camera; misses are of single frames. "one
pitch" counts the pitches that came out as one pitch; "strange" is the share of its sightings that
are not the ball's. The plate's error is that of `fit_pitch` on what was tracked. CPU time per frame
of one camera.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from bench._measure import machine, table

import trackcore as tc
from tests.unit.pitch_scenes import INCH, RIG, frames, pitch

CONDITIONS = ((0.0, 0.0), (0.2, 0.05), (1.0, 0.1), (3.0, 0.2))


def strange(found: tc.TrackedPitch, seen: tc.synth.StereoPitch) -> float:
    sides = (
        (found.left, seen.left_t_ns, seen.left_px), (found.right, seen.right_t_ns, seen.right_px),
    )  # fmt: skip
    wrong = [
        not np.array_equal(uv, truth[np.searchsorted(t_ns, t)])
        for side, t_ns, truth in sides
        for t, uv in zip(side.t_ns, side.xy_px, strict=True)
    ]
    return float(np.mean(wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pitches", type=int, default=20)
    args = parser.parse_args()
    rows = []
    for clutter, miss in CONDITIONS:
        alone, kept, odd, error, cpu = 0, [], [], [], []
        for seed in range(args.pitches):
            flight, seen, _ = pitch(seed, clock_offset_s=(seed % 9) * 1e-3)
            tracker, found = tc.PitchTracker(RIG), []
            for side, balls in frames(seen, clutter=clutter, miss=miss, seed=seed):
                start = time.process_time()
                step = tracker.push(side, balls)
                cpu.append(time.process_time() - start)
                found += [step.pitch] if step.pitch else []
            last = tracker.finish().pitch
            found += [last] if last else []
            alone += len(found) == 1
            for one in found:
                fit = tc.fit_pitch(RIG, one.left, one.right)
                error.append(np.abs(fit.plate.X_world - flight.crossing(0.0)[1]).max() / INCH)
                total = len(seen.left_t_ns) + len(seen.right_t_ns)
                kept.append((len(one.left) + len(one.right)) / total)
                odd.append(strange(one, seen))
        rows.append([
            f"{clutter:g} a frame, {miss:.0%} missed", f"{alone} of {args.pitches}",
            f"{np.mean(kept):.2f}", f"{np.mean(odd):.4f}", f"{np.max(error):.3f}",
            f"{1e3 * np.median(cpu):.2f}", f"{1e3 * np.quantile(cpu, 0.99):.2f}",
        ])  # fmt: skip
    print(machine() + "\n")
    print(table(["clutter", "one pitch", "kept", "strange", "worst at plate [in]",
                 "frame [ms]", "99 % [ms]"], rows))  # fmt: skip


if __name__ == "__main__":
    main()
