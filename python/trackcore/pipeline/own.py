"""The user's own tracks, beside those that are tracked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError
from trackcore.frames import Clip
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

NONE: NDArray[np.int64] = np.zeros(0, np.int64)


def checked(own: object, clip: Clip) -> Tracks | None:
    """Return the user's tracks if they can be of this clip.

    Raises
    ------
    InputError
        If they are no tracks, of frames of another size, or not seen in any frame of the clip.
    """
    if own is None:
        return None
    if not isinstance(own, Tracks):
        raise InputError(f"protected: expected Tracks, got {type(own).__name__}")
    if len(own) and own.frame_size != clip.size:
        raise InputError(f"protected: expected tracks of {clip.size} px, got {own.frame_size}")
    seen = own.frame_numbers[own.seen.any(axis=0)]
    if clip.expected_length and len(own):
        first, last = clip.number_at(0), clip.number_at(clip.expected_length - 1)
        if not ((seen >= first) & (seen <= last)).any():
            raise InputError(
                f"protected: expected tracks that are seen in frames {first} .. {last}, got none"
            )
    return own


def joined(tracked: Tracks, own: Tracks | None) -> tuple[Tracks, NDArray[np.int64]]:
    """Return the tracks with the user's own after them, and the ids that these get.

    Frames are matched by their clip frame number; what was not tracked through is left out.
    """
    if own is None or not len(own) or not tracked.n_frames:
        return tracked, NONE
    _, mine, theirs = np.intersect1d(own.frame_numbers, tracked.frame_numbers, return_indices=True)
    n, f = len(own), tracked.n_frames
    xy_px = np.full((n, f, 2), np.nan)
    status = np.full((n, f), PointStatus.UNSEEN, np.uint8)
    ncc = np.full((n, f), np.nan, np.float32)
    for into, what in ((xy_px, own.xy_px), (status, own.status), (ncc, own.ncc)):
        into[:, theirs] = what[:, mine]
    first_id = int(tracked.ids.max(initial=-1)) + 1
    ids = first_id + np.arange(n, dtype=np.int64)
    whole = Tracks(
        np.concatenate([tracked.ids, ids]), np.concatenate([tracked.xy_px, xy_px]),
        np.concatenate([tracked.status, status]), np.concatenate([tracked.ncc, ncc]),
        tracked.t_ns, tracked.frame_size, tracked.fps, tracked.first_frame, tracked.frame_numbers,
    )  # fmt: skip
    return whole, ids
