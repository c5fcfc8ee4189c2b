"""The motion fits give the same bits at every CPU level."""

from tests.cpu_levels import outputs

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
    digests = outputs(SCRIPT)
    assert len(set(digests.values())) == 1, digests
