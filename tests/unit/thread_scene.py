"""One small piece of tracking with every kind of outcome, for tests that run it many times."""

from __future__ import annotations

import functools
import hashlib

import numpy as np
from numpy.typing import NDArray

import trackcore as tc
from trackcore import synth

OPTIONS = tc.TrackOptions(forward_backward=True)


@functools.lru_cache
def scene(seed: int = 0) -> tuple[synth.ImagePair, NDArray[np.float64]]:
    """Return two pictures and points: most can be followed, some are outside or NaN."""
    size = (480, 360)
    pair = synth.pair("medium", seed=seed, size=size, n_points=0, noise=1.0)
    xy = np.random.default_rng(seed).uniform(-0.1, 1.1, (300, 2)) * size
    xy[::37] = np.nan
    return pair, xy


def track(threads: int = 1, seed: int = 0) -> tc.PointMatches:
    """Return where the points of `scene(seed)` went."""
    pair, xy = scene(seed)
    return tc.track_points(pair.prev, pair.next, xy, options=OPTIONS, threads=threads)


def digest(match: tc.PointMatches) -> str:
    """Return a hash of every byte of the answer."""
    columns = (match.xy_px, match.status, match.ncc, match.residual, match.sigma_px, match.fb_px)
    return hashlib.sha256(b"".join(c.tobytes() for c in columns)).hexdigest()
