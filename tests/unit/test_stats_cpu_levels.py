"""The motion fits give the same bits at every CPU level."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trackcore import _core

LEVELS = ["baseline", "v3", "v4"]
HERE = LEVELS[: LEVELS.index(_core.best_cpu_level()) + 1]

# Numbers of tracks where vectors and samples end anywhere.
SCRIPT = """
import hashlib
import numpy as np
from trackcore import _core

rng, digest = np.random.default_rng(0), hashlib.sha256()
for n in (3, 5, 8, 62, 63, 64, 65, 131, 500):
    xy = rng.uniform(0, 500, (n, 1, 2)) + rng.normal(0, 1, (n, 6, 2))
    xy[rng.random((n, 6)) < 0.1] = np.nan
    pairs = np.array([[i, j] for i in range(6) for j in range(6)])
    rows = _core.frame_motion(xy, np.arange(6), pairs, 250.0, 250.0, 300.0, True, 2)
    digest.update(rows.tobytes())
print(_core.cpu_level(), digest.hexdigest())
"""


def test_fits_are_the_same_bits_at_every_level() -> None:
    if len(HERE) < 2:
        pytest.skip("this CPU or build has one level")
    digests = {}
    for level in HERE:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "TRACKCORE_CPU": level},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        used, digests[level] = done.stdout.split()
        assert used == level
    assert len(set(digests.values())) == 1, digests
