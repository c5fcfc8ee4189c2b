"""The solve suite: clips with exact truth in, cameras out, and an honest table.

    python -m bench.solve_suite [--scenes PATTERN] [--limit N] [--jobs 1] [-o FILE]
        [--engine trackcore|blender|reference]

PATTERN: shell patterns of scene names, tags or kinds, between commas. Clips come from the cache
(see bench/solve_scenes.py); a missing one is a row that says so, as is every other exception.

What the columns mean. grade: as given, or the exception. mean, held out: reprojection error as
reported [px]. path: rms / largest error of the camera's position after a similarity, in % of the
extent of its path. rotation [deg], focal [%]: rms. error: what the shot is judged by [%]: path, or
from a tripod the worse of rotation (in % of the angle it turned through) and focal length. bundles:
share of the tracks given to the solver. seconds: wall; cpu: of this process.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from bench._measure import machine, table
from bench.solve_metrics import CameraError, camera_error
from bench.solve_run import ENGINES
from bench.solve_scenes import SCENES, load, matching
from bench.solve_verdict import BANDS, Row, confusion, plain, totals

from trackcore.errors import TrackcoreError

HEADER = (
    "scene", "grade", "mean px", "held out px", "path rms %", "path max %", "rotation deg",
    "focal %", "error %", "bundles", "attempts", "seconds", "cpu s",
)  # fmt: skip


def run_scene(name: str, engine: str) -> Row:
    """Run one scene; whatever goes wrong is in the row."""
    scene = SCENES[name]
    outcome, error, failure, refused = None, CameraError.none(), "", False
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        clip, truth = load(name)
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = ENGINES[engine](clip, scene)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        error = camera_error(np.asarray(outcome.T_cam_world), outcome.focal_px, truth)
    except Exception as problem:  # noqa: BLE001  (a failure is a result)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        outcome, failure = None, f"{type(problem).__name__}: {problem}"
        refused = isinstance(problem, TrackcoreError)
    return Row(
        scene=scene, outcome=outcome, error=error, wall_s=wall, cpu_s=cpu, failure=failure,
        refused=refused,
    )  # fmt: skip


def run_all(names: Sequence[str], engine: str, jobs: int) -> Iterator[Row]:
    """Run scenes in order; with several jobs each in a process of its own."""
    if jobs == 1:
        yield from (run_scene(name, engine) for name in names)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_scene, names, [engine] * len(names))


def cells(row: Row) -> list[str]:
    """A row of the table."""
    e, o = row.error, row.outcome
    numbers = [e.path_rms_pct, e.path_max_pct, e.rotation_deg, e.focal_pct, row.error_pct]
    if o is None:
        grade, numbers, rest = "refused" if row.refused else "exception", [np.nan] * 5, ["-"] * 2
        reported = ["-", "-"]
    else:
        grade, reported = o.grade, [number(o.mean_error_px), number(o.held_out_error_px)]
        rest = [number(o.survival), str(o.attempts)]
    times = [f"{row.wall_s:.1f}", f"{row.cpu_s:.1f}"]
    return [row.scene.name, grade, *reported, *map(number, numbers), *rest, *times]


def number(value: float) -> str:
    """Three digits, or a dash where there is nothing to tell."""
    return f"{value:.3g}" if np.isfinite(value) else "-"


def report(rows: Sequence[Row]) -> str:
    """All tables of a run."""
    good = [r for r in rows if r.scene.expect == "solve"]
    weak = [r for r in rows if r.scene.expect == "weak"]
    parts = [table(HEADER, map(cells, good))] if good else []
    parts += [
        "\n".join(f"- {r.scene.name}: {r.failure or '; '.join(r.outcome.reasons)}" for r in rows
                  if r.failure or (r.outcome and r.outcome.reasons and r.grade != "A"))
    ]  # fmt: skip
    if good:
        lines = [
            (t.name, number(t.value), t.asked, "met" if t.met else "MISSED", t.of)
            for t in totals(rows)
        ]
        parts.append(table(("over all scenes", "reached", "asked", "", "of"), lines))
        parts.append(table(("grade \\ true error", *BANDS), confusion(good)))
    if weak:
        head = ("bad input", "verdict", *HEADER[1:])
        lines = [
            (c[0], "right" if r.right_about_bad_input else "WRONG", *c[1:])
            for r in weak
            for c in [cells(r)]
        ]
        parts.append(table(head, lines))
    return "\n\n".join(p for p in parts if p)


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", default="*")
    parser.add_argument("--limit", type=int, help="run so many scenes at most")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="trackcore")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    args = parser.parse_args()
    names = [s.name for s in matching(args.scenes)][: args.limit]
    if not names:
        parser.error(f"--scenes {args.scenes}: no such scene")
    print(machine(), flush=True)
    print(f"{len(names)} scenes, engine {args.engine}\n", flush=True)
    rows = []
    for row in run_all(names, args.engine, args.jobs):
        rows.append(row)
        line = row.failure or f"error {number(row.error_pct)} %"
        print(f"{row.scene.name}: {row.grade}, {line}, {row.wall_s:.1f} s", file=sys.stderr)
    print(report(rows))
    if args.output:
        found = {"engine": args.engine, "rows": [r.as_json() for r in rows]}
        found["totals"] = [plain(vars(t)) for t in totals(rows)]
        args.output.write_text(json.dumps(found, indent=1, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
