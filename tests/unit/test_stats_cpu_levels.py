"""The statistics and the motion fits give the same bits at every CPU level."""

import pytest

from tests.cpu_levels import outputs

# Numbers of tracks where vectors and samples end anywhere.
FITS = """
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

# Frames that follow each other and that do not, steps along axes and diagonals, holes.
SUMS = """
import hashlib
import numpy as np
from trackcore import _core

rng, digest = np.random.default_rng(1), hashlib.sha256()
for n_frames in (1, 3, 4, 5, 31, 64, 97):
    xy = rng.uniform(0, 500, (200, 1, 2)) + rng.integers(-2, 3, (200, n_frames, 2)).cumsum(axis=1)
    xy[::2] += rng.normal(0, 0.1, xy[::2].shape)
    xy[rng.random(xy.shape[:2]) < 0.1] = np.nan
    ncc = rng.random(xy.shape[:2]).astype(np.float32)
    ncc[rng.random(ncc.shape) < 0.1] = np.nan
    for frames in (np.arange(n_frames), np.sort(rng.choice(3 * n_frames, n_frames, replace=False))):
        found = _core.track_stats(xy, ncc, frames, 0.1, np.array([0.5, 1.0, 2.0, 3.0]), 2)
        for part in found:
            digest.update(part.tobytes())
print(_core.cpu_level(), digest.hexdigest())
"""


@pytest.mark.parametrize("script", [FITS, SUMS], ids=["fits", "sums"])
def test_the_same_bits_at_every_level(script: str) -> None:
    digests = outputs(script)
    assert len(set(digests.values())) == 1, digests
