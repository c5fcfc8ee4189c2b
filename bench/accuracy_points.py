"""Errors of `track_points` against OpenCV's LK, the Cramer-Rao bound and the truth, as tables.

    python -m bench.accuracy_points --seed 1234
    python -m bench.accuracy_points --seed 1234 --pairs 8 --data ../shared/data

Everything synthetic is analytic (`trackcore.synth`): no interpolator made the truth. Both trackers
get the same points at random sub-pixel positions, window, levels, iterations and epsilon. Errors
are endpoint distances [px] over the points that both report; "wrong" is the share of all points
with a position more than 1 px off. CRB: median error over the Cramer-Rao bound's, 1 is perfect.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from bench._measure import machine, table

from tests.contest import (
    Contest,
    contest,
    contest_on,
    joined,
    middlebury,
    opencv_points,
    share_wrong,
)
from trackcore import TrackOptions, synth, track_points
from trackcore.options import MotionModel

FAST, PRECISE = TrackOptions(), TrackOptions(precise=True)
TEXTURED = ("smooth", "medium", "fine", "pink", "gabor", "corners")
HARD = ("edge_only", "white_noise", "repetitive", "low_gradient")
SLOW_TO_RENDER = ("gabor", "corners", "edge_only")


def pairs(texture: str, args: argparse.Namespace, **kwargs: object) -> list[synth.ImagePair]:
    n = max(2, args.pairs // 3) if texture in SLOW_TO_RENDER else args.pairs
    return [synth.pair(texture, seed=args.seed + i, **kwargs) for i in range(n)]


def run(
    scenes: Iterable[synth.ImagePair], options: TrackOptions, *, bound: bool = False
) -> Contest:
    return joined([contest_on(scene, options, bound=bound) for scene in scenes])


def number(value: float) -> str:
    return f"{value:.4f}"


def quantiles(errors_px: np.ndarray, where: np.ndarray) -> list[str]:
    return [number(float(np.quantile(errors_px[where], q))) for q in (0.5, 0.95)]


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def textures(args: argparse.Namespace) -> str:
    rows = []
    for noise, texture in itertools.product((0.0, 2.0), TEXTURED):
        scenes = pairs(texture, args, noise=noise, n_points=200)
        # the bound needs four more renderings: not of the textures that are slow
        bound = texture not in SLOW_TO_RENDER
        fast, precise = run(scenes, FAST, bound=bound), run(scenes, PRECISE, bound=bound)
        over = [
            f"{each:.2f}" if bound else ""
            for each in (
                fast.over_bound(fast.theirs_px), fast.over_bound(fast.ours_px),
                precise.over_bound(precise.ours_px),
            )
        ] if bound else ["", "", ""]  # fmt: skip
        rows.append(
            [
                texture, f"{noise:.0f}",
                *quantiles(fast.theirs_px, fast.common), *quantiles(fast.ours_px, fast.common),
                *quantiles(precise.ours_px, precise.common),
                f"**{fast.ratio(0.5):.2f}** / {fast.ratio(0.95):.2f}",
                f"**{precise.ratio(0.5):.2f}** / {precise.ratio(0.95):.2f}",
                *over, f"{fast.chi_square():.2f}",
                percent(np.isfinite(fast.theirs_px).mean()),
                percent(np.isfinite(fast.ours_px).mean()),
                percent(share_wrong(fast.theirs_px)), percent(share_wrong(fast.ours_px)),
            ]
        )  # fmt: skip
    header = [
        "texture", "noise", "OpenCV median", "95 %", "fast median", "95 %", "precise median",
        "95 %", "fast / OpenCV, 50 / 95 %", "precise / OpenCV", "CRB: OpenCV", "fast", "precise",
        "chi^2 of sigma_px", "found: OpenCV", "fast", "wrong: OpenCV", "fast",
    ]  # fmt: skip
    return table(header, rows)


def models(args: argparse.Namespace) -> str:
    rows = []
    light = [(1.0, 0.0, "none"), (1.15, -8.0, "gain_bias"), (0.85, 12.0, "gain_bias")]
    for model, (gain, bias, mode) in itertools.product(MotionModel, light):
        scenes = [
            scene
            for texture in ("medium", "pink", "corners")
            for scene in pairs(
                texture, args, model=model, amount=args.amount, gain=gain, bias=bias, n_points=100
            )
        ]
        found = run(scenes, TrackOptions(photometric=mode))
        rows.append(
            [
                model.value, f"{gain:g}", mode,
                *quantiles(found.theirs_px, found.common), *quantiles(found.ours_px, found.common),
                f"**{found.ratio(0.5):.2f}** / {found.ratio(0.95):.2f}",
                percent(share_wrong(found.theirs_px)), percent(share_wrong(found.ours_px)),
            ]
        )  # fmt: skip
    header = [
        "model", "gain", "our mode", "OpenCV median", "95 %", "trackcore median", "95 %",
        "ratio, 50 / 95 %", "wrong: OpenCV", "trackcore",
    ]  # fmt: skip
    return table(header, rows)


def phases(args: argparse.Namespace) -> str:
    """Mean error along x against the fraction of the shift: interpolators show here."""
    texture = synth.plane_waves(args.seed, std_rad_per_px=0.6)
    xy = np.random.default_rng(args.seed).uniform(24, [295, 215], (200, 2))
    prev = synth.render(texture)
    rows = []
    for phase in np.arange(0, 1, 0.125):
        warp = np.array([[1, 0, 2 + phase], [0, 1, -1.0], [0, 0, 1]])
        next_ = synth.render(texture, warp=warp)
        truth = synth.apply_warp(warp, xy)
        # whole-pixel points: what is left of the pixel is then the shift's own fraction
        whole = np.rint(xy)
        at_whole = synth.apply_warp(warp, whole)
        answers = {
            "OpenCV": opencv_points(prev, next_, whole, FAST) - at_whole,
            "fast": track_points(prev, next_, whole, options=FAST).xy_px - at_whole,
            "precise": track_points(prev, next_, whole, options=PRECISE).xy_px - at_whole,
            "anywhere": track_points(prev, next_, xy, options=FAST).xy_px - truth,
        }
        rows.append([f"{phase:.3f}", *(f"{np.nanmean(e[:, 0]):+.4f}" for e in answers.values())])
    header = [
        "fraction of the shift", "OpenCV", "fast", "precise", "fast, points anywhere",
    ]  # fmt: skip
    return table(header, rows)


def hard(args: argparse.Namespace) -> str:
    both_ways = TrackOptions(forward_backward=True)
    rows = []
    for texture, noise in itertools.product(HARD, (0.0, 2.0)):
        for amount in (0.6, 1.0) if texture == "repetitive" else (1.0,):
            scenes = pairs(texture, args, noise=noise, amount=amount, n_points=150)
            plain, checked = run(scenes, FAST), run(scenes, both_ways)
            rows.append(
                [
                    texture, f"{noise:.0f}", f"{8 * amount:.1f}",
                    *(percent(np.isfinite(e).mean()) for e in (plain.theirs_px, plain.ours_px)),
                    *(
                        percent(share_wrong(e))
                        for e in (plain.theirs_px, plain.ours_px, checked.ours_px)
                    ),
                ]
            )  # fmt: skip
    header = [
        "texture", "noise", "largest shift per axis px", "reported: OpenCV", "trackcore",
        "wrong: OpenCV", "trackcore", "both ways",
    ]  # fmt: skip
    return table(header, rows)


def real(folder: Path) -> str:
    rows = []
    for window, name in itertools.product((16, 21, 24), ("RubberWhale", "Dimetrodon", "Grove2")):
        data = middlebury(folder / name)
        for mode, options in (
            ("fast", TrackOptions(window=window)),
            ("precise", TrackOptions(window=window, precise=True)),
            ("both ways", TrackOptions(window=window, forward_backward=True)),
        ):
            found = contest(*data, options)
            rows.append(
                [
                    name, str(window), mode, *quantiles(found.theirs_px, found.common),
                    *quantiles(found.ours_px, found.common), f"**{found.ratio(0.5):.2f}**",
                    percent(np.isfinite(found.ours_px).mean()),
                    percent(share_wrong(found.theirs_px)), percent(share_wrong(found.ours_px)),
                ]
            )  # fmt: skip
    header = [
        "pair", "window", "mode", "OpenCV median", "95 %", "trackcore median", "95 %", "ratio",
        "found", "> 1 px: OpenCV", "trackcore",
    ]  # fmt: skip
    return table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True, help="first seed; take a new one")
    parser.add_argument("--pairs", type=int, default=6, help="pairs of frames per cell")
    parser.add_argument("--amount", type=float, default=0.3, help="of the warps; 1: 12 deg, 15 %%")
    beside = Path(__file__).parents[2] / "shared" / "data"
    data = Path(os.environ.get("TRACKCORE_TEST_DATA") or beside)
    parser.add_argument("--data", type=Path, default=data)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine())
    print(f"\n### Textures, translation\n\n{textures(args)}", flush=True)
    print(f"\n### Warps and light\n\n{models(args)}", flush=True)
    print(f"\n### Mean error along x by sub-pixel phase [px], no noise\n\n{phases(args)}")
    print(f"\n### Where there is little or nothing to go by\n\n{hard(args)}", flush=True)
    folder = args.data / "middlebury_flow_open"
    if folder.exists():
        print(f"\n### Middlebury, corners of goodFeaturesToTrack\n\n{real(folder)}")
    else:
        print(f"\nMiddlebury: {folder} is not here (--data)")


if __name__ == "__main__":
    main()
