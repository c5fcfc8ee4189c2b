"""Where and why tracks were lost, as records have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from trackcore.frame_regions import REGIONS, region_index
from trackcore.normalised import normalised
from trackcore.summary import ending
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

_NO_FAILURE = (PointStatus.TRACKED, PointStatus.UNSEEN)


def track_failures(tracks: Tracks) -> list[dict[str, Any]]:
    """Return a record for each track that was lost: where, when and why.

    Parameters
    ----------
    tracks : Tracks
        What was tracked.

    Returns
    -------
    list of dict
        `track_name`, `frame` (the first one without it, in the direction it was followed),
        `position` and `region` of where it was last, `reason` (the name of a `PointStatus`). A
        track that reached the end of the clip is no failure; for `SessionRecorder.record`.
    """
    reasons = ending(tracks)
    lost = np.flatnonzero((tracks.first_index >= 0) & ~np.isin(reasons, _NO_FAILURE))
    backwards = ~np.isin(tracks.start_status[lost], _NO_FAILURE) & np.isin(
        tracks.end_status[lost], _NO_FAILURE
    )
    last = np.where(backwards, tracks.first_index[lost], tracks.last_index[lost])
    beyond = last + np.where(backwards, -1, 1)
    xy_px = tracks.xy_px[lost, last]
    positions = normalised(xy_px, tracks.frame_size).round(6).tolist()
    regions = region_index(xy_px, tracks.frame_size)
    names = tracks.names
    return [
        {
            "track_name": names[track], "frame": int(tracks.frame_numbers[frame]),
            "position": position, "region": REGIONS[region], "reason": reason.name,
        }
        for track, frame, position, region, reason in zip(
            lost, beyond, positions, regions, map(PointStatus, reasons[lost]), strict=True
        )
    ]  # fmt: skip
