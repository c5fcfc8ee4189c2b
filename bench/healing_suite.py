"""Healing against the truth: cut tracks of known scenes, and posts in front of look-alike posters.

    python -m bench.healing_suite --cases 200 --seeds 5

Posts: tracks come from `track_clip`, with real births and deaths. Healable: both tracks show, to
half a pixel and for at least 8 frames, surface points less than 2 px apart; each later track is
the partner of one lost track. Healed: joined, and in the median of ten frames after the gap within
0.5 px of the point shown eight frames before it, when nothing hid it yet. Wrong: further than 2 px
from that. Strayed: over the later track's whole life further than 2 px from what the earlier one
showed in the middle of its own, so that tracks which slid off their point long before or after the
gap count as well.
"""

from __future__ import annotations

import argparse

import numpy as np
from bench._measure import machine, table

import trackcore as tc
from tests.healing_scenes import KINDS, Posts, gap_case, score, verdict_on


def quantiles(values: list[float]) -> list[str]:
    if not values:
        return ["-", "-"]
    return [f"{float(np.quantile(values, q)):.3f}" for q in (0.5, 0.95)]


def cut_tracks(n: int) -> None:
    rows = []
    for k, kind in enumerate(KINDS):
        right = wrong = frames = 0
        errors: list[float] = []
        seeds = range(k, n, len(KINDS))
        for seed in seeds:
            case = gap_case(seed)
            good, bad, filled = verdict_on(case, tc.heal(case.tracks, case.frames))
            right, wrong = right + good, wrong + bad
            if good:
                frames += len(filled)
                errors += filled[np.isfinite(filled)].tolist()
        share = f"{len(errors) / frames:.1%}" if frames else "-"
        rows.append([kind, len(seeds), right, wrong, share, *quantiles(errors)])
    print(
        table(["cut tracks", "cases", "joined", "wrong", "filled", "median px", "95 % px"], rows),
        flush=True,
    )


def posts(seeds: int, size: tuple[int, int]) -> None:
    rows, totals = [], np.zeros(5, int)
    errors: list[float] = []
    hidden: list[float] = []
    for seed in range(seeds):
        scene = Posts(seed, size=size)
        frames = scene.frames()
        tracks = tc.track_clip(frames)
        found = score(scene, tracks, tc.heal(tracks, frames))
        counts = [found.healable, found.healed, found.joins, found.wrong, found.strayed]
        totals += counts
        errors += found.errors_px
        hidden += found.gap_errors_px
        rows.append([seed, *counts, *quantiles(found.errors_px), *quantiles(found.gap_errors_px)])
    rows.append(["all", *totals.tolist(), *quantiles(errors), *quantiles(hidden)])
    head = [
        "posts, seed",
        "healable",
        "healed",
        "joins",
        "wrong",
        "strayed",
        "median px",
        "95 % px",
    ]
    print(table([*head, "hidden median", "hidden 95 %"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--width", type=int, default=720, help="of the rendered frames")
    args = parser.parse_args()
    print(machine())
    cut_tracks(args.cases)
    posts(args.seeds, (args.width, args.width * 2 // 3))


if __name__ == "__main__":
    main()
