"""The same bits whatever the CPU: every level this machine has gives the same answer."""

import pytest

from tests.cpu_levels import HERE, at_level

# Prints the level and a digest of everything computed. Saturated random pixels are the largest
# sums there are: an overflow would differ between vectors of different widths.
DIGEST = """
import hashlib, itertools
import numpy as np
from trackcore import FramePyramid, TrackOptions, _core, synth, track_points

seen = hashlib.sha256()
def add(*arrays):
    for array in arrays:
        seen.update(np.ascontiguousarray(array).tobytes())

rng = np.random.default_rng(1)
hard = rng.choice([0, 255], (90, 131)).astype(np.uint8)
blocks = np.kron(rng.choice([0, 255], (13, 17)), np.ones((7, 8))).astype(np.uint8)
scene = synth.pair("medium", seed=1, size=(131, 90), n_points=0, noise=3.0, amount=0.4, margin_px=0)
pairs = [(scene.prev, scene.next), (hard, np.roll(hard, 1, 0)), (blocks, np.roll(blocks, 1, 1))]
xy = rng.uniform(-1, 1, (40, 2)) * [64, 44] + [65, 45]
for (prev, next_), dtype in itertools.product(pairs, ["uint8", "uint16", "float32"]):
    scale = {"uint8": 1, "uint16": 257, "float32": 0.37}[dtype]
    first, second = (FramePyramid((i * float(scale)).astype(dtype)) for i in (prev, next_))
    add(*(first.level(i) for i in range(first.levels)))
    for window, mode in itertools.product([5, 16, 21, 33, 63], ["none", "gain_bias"]):
        options = TrackOptions(
            window=window, photometric=mode, precise=window == 33, min_ncc=-1, max_sigma_px=100,
            forward_backward=window == 21, max_fb_px=100,
        )
        found = track_points(first, second, xy, options=options)
        add(found.xy_px, found.status, found.ncc, found.residual, found.sigma_px, found.fb_px)
print(_core.cpu_level(), seen.hexdigest())
"""


@pytest.fixture(scope="module")
def digests():
    """Return the level used and the digest, by the level asked for."""
    done = {level: at_level(DIGEST, level) for level in HERE}
    assert all(each.returncode == 0 for each in done.values()), done["baseline"].stderr
    return {level: each.stdout.split() for level, each in done.items()}


def test_the_level_asked_for_is_the_one_used(digests):
    assert {level: used for level, (used, _) in digests.items()} == {level: level for level in HERE}


def test_every_level_gives_the_same_bits(digests):
    assert len({digest for _, digest in digests.values()}) == 1, digests


@pytest.mark.parametrize("level", ["v9", "V4", "avx2"])
def test_an_unknown_level_is_an_error_not_a_guess(level):
    done = at_level(DIGEST, level)
    assert done.returncode != 0
    assert f"TRACKCORE_CPU={level}: expected baseline, v3 or v4" in done.stderr
