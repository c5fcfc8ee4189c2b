"""Sessions for tests of what keeps them."""

import numpy as np

from trackcore.frame_regions import REGIONS

SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
RATES = (24, 29.97, 60)


def session(seed=0, n_tracks=5, **fields):
    """Return the fields of a session that looks like one, other for each seed."""
    random = np.random.default_rng(seed)
    return {
        "schema_version": 1,
        "timestamp": f"2026-{1 + seed // 28 % 12:02d}-{1 + seed % 28:02d}T{seed % 24:02d}:30:00",
        "session_id": f"session_{seed:08x}",
        "resolution": SIZES[seed % 3],
        "fps": RATES[seed // 3 % 3],
        "frame_count": 240,
        "success": bool(seed % 4),
        "solve_error": round(float(random.random()), 6),
        "motion_class": ("LOW", "MEDIUM", "HIGH")[seed % 3],
        "total_tracks": n_tracks,
        "successful_tracks": n_tracks - 1,
        "bundle_count": n_tracks - 2,
        "tracks": [track(random, i) for i in range(n_tracks)],
        **fields,
    }


def track(random, number):
    walk = np.cumsum(random.normal(0, 0.003, (37, 2)), axis=0)
    return {
        "name": f"track_{number:05d}",
        "region": REGIONS[number % 9],
        "lifespan": 180,
        "contributed_to_solve": number % 3 > 0,
        "trajectory": np.clip(0.5 + walk, 0, 1).round(5).tolist(),
    }
