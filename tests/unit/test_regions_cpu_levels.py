"""Region tracking at every CPU level: the search the same bits, alignment the same to rounding."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.cpu_levels import HERE, at_level

# Above baseline, CPUs with and without VNNI search with different instructions.
WAYS = [(level, vnni) for level in HERE for vnni in ("1", "0")][1:]

# Saturated pixels are the largest sums there are; sizes are those where vectors end anywhere.
SCRIPT = """
import sys
import numpy as np
from trackcore import RegionOptions, _core, synth, track_regions

rng = np.random.default_rng(1)
maps, places = [], []
for pattern, search in [(5, 9), (15, 41), (20, 61), (21, 71), (31, 101), (63, 255)]:
    for values in ([0, 255], np.arange(256), [254, 255]):
        area = rng.choice(values, (search, search - 2)).astype(np.uint8)
        template = area[1 : 1 + pattern, 1 : 1 + pattern].copy()
        template[0] = rng.choice(values, pattern)
        *place, found = _core.find_pattern(template, area, with_map=True)
        maps.append(found.ravel())
        places.append(place)
fits = []
for model in ["Loc", "LocRot", "LocScale", "LocRotScale", "Affine", "Perspective"]:
    for dtype in ["uint8", "uint16", "float32"]:
        scene = synth.pair("medium", model, 2, size=(200, 160), n_points=12, margin_px=40,
                           amount=0.4, dtype=dtype)
        for pattern in [9, 21, 32]:
            options = RegionOptions(model=model, pattern=pattern, min_correlation=-1)
            found = track_regions(scene.prev, scene.next, scene.xy_px, options=options)
            fits.append(np.concatenate([found.xy_px, found.ncc[:, None],
                                        found.warp.reshape(-1, 9)[:, :6]], axis=1))
np.savez(sys.argv[1], level=_core.cpu_level(), maps=np.concatenate(maps),
         places=np.array(places, np.float64), fits=np.concatenate(fits))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    done = {}
    for level, vnni in WAYS:
        path = folder / f"{level}-{vnni}.npz"
        run = at_level(SCRIPT, level, path, TRACKCORE_VNNI=vnni)
        assert run.returncode == 0, run.stderr
        with np.load(path) as arrays:
            done[level, vnni] = dict(arrays)
        assert done[level, vnni]["level"] == level
    return done


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_search_gives_the_same_bits(results, way):
    assert_array_equal(results[way]["maps"], results[WAYS[0]]["maps"])
    assert_array_equal(results[way]["places"], results[WAYS[0]]["places"])


@pytest.mark.parametrize("way", WAYS[1:])
def test_alignment_agrees_to_rounding(results, way):
    ours, theirs = results[way]["fits"], results[WAYS[0]]["fits"]
    both = np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    assert both.mean() > 0.85
    # a pattern at the edge of convergence may fall either way, not more
    assert (np.isfinite(ours).all(axis=1) != np.isfinite(theirs).all(axis=1)).mean() < 0.02
    assert_allclose(ours[both][:, :2], theirs[both][:, :2], rtol=0, atol=1e-3)
    assert_allclose(ours[both][:, 2], theirs[both][:, 2], rtol=0, atol=1e-4)
