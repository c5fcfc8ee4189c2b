"""Export and import many sessions: seconds, and the most memory the process ever had.

python -m bench.session_transfer [--count 10000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import trackcore as tc

TRACKS, SAMPLES = 45, 36


def session(i: int) -> dict[str, object]:
    """Return a session of usual size: 45 tracks over 180 frames."""
    rng = np.random.default_rng(i)
    tracks = [
        {
            "name": f"track_{k:05d}", "lifespan": 180, "start_frame": 1, "end_frame": 180,
            "region": "center", "avg_velocity": 0.0023, "jitter_score": 0.12, "success": True,
            "trajectory": rng.random((SAMPLES, 2)).round(4).tolist(), "trajectory_sample_rate": 5,
        }
        for k in range(TRACKS)
    ]  # fmt: skip
    return {
        "session_id": f"2026-01-01T00-00-00_{i:08x}", "timestamp": "2026-01-01T00:00:00",
        "clip_name": "clip_1", "resolution": [1920, 1080], "fps": 24, "frame_count": 180,
        "success": True, "clip_fingerprint": f"{i % 50:016x}", "tracks": tracks,
    }  # fmt: skip


def fill(root: Path, count: int) -> None:
    store = tc.SessionStore(root)
    store.home.make()
    for i in range(count):  # not `save`: ten thousand fsyncs are not what is measured
        text = json.dumps({"schema_version": 1, **session(i)})
        (root / "sessions" / f"2026-01-01T00-00-00_{i:08x}.json").write_text(text)


def step(what: str, *arguments: str) -> None:
    """Run one step in a process of its own and print what it took."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.session_transfer", "--step", what, *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    print(done.stdout, end="")


def run_step(what: str, root: str, archive: str) -> None:
    store = tc.SessionStore(root)
    began, cpu = time.perf_counter(), time.process_time()
    if what == "export":
        count = tc.export_sessions(store, archive).session_count
    else:
        count = tc.import_sessions(store, archive).added
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{what}: {count} sessions, {wall:.1f} s ({cpu:.1f} s CPU), at most {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--step", choices=["export", "import"])
    parser.add_argument("paths", nargs="*")
    given = parser.parse_args()
    if given.step:
        run_step(given.step, *given.paths)
        return
    with tempfile.TemporaryDirectory() as folder:
        root, archive = Path(folder), str(Path(folder) / "x.zip")
        fill(root / "a", given.count)
        step("export", str(root / "a"), archive)
        print(f"archive: {Path(archive).stat().st_size / 1e6:.0f} MB")
        step("import", str(root / "b"), archive)


if __name__ == "__main__":
    main()
