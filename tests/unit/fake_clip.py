"""Clips and a tracker whose answers are known, for tests of what comes after tracking."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trackcore.tracks import Tracks
from trackcore.types import PointStatus as S


@dataclass(frozen=True)
class FakeFrame:
    image: Any
    t_ns: int
    number: int


class FakeClip:
    """Frames from 1 on, grey 60 unless images are given."""

    fps = 25.0

    def __init__(self, n_frames=6, size=(640, 480), images=None):
        w, h = self.size = size
        self.images = images or [np.full((h, w), 60, np.uint8)] * n_frames

    def __len__(self):
        return len(self.images)

    def __iter__(self):
        for i, image in enumerate(self.images):
            yield FakeFrame(image, i * 40_000_000, i + 1)

    def info(self):
        return FakeInfo(self)


@dataclass(frozen=True)
class FakeInfo:
    clip: FakeClip

    def to_dict(self):
        return {
            "kind": "video", "source": "shot.mp4", "size": list(self.clip.size), "fps": 25.0,
            "decoded_count": len(self.clip), "variable_frame_rate": False,
            "reported_count": None, "warnings": ["container says 9 frames"],
        }  # fmt: skip


def one_track(xy_px, *, size=(640, 480), reason=S.LOST, ncc=1.0):
    """One track at `xy_px` (n_frames, 2); it is lost for `reason` where NaN begins."""
    xy = np.asarray(xy_px, float)[None]
    seen = np.isfinite(xy[..., 0])
    status = np.where(seen, S.TRACKED, S.UNSEEN).astype(np.uint8)
    lost = np.flatnonzero(seen[0, :-1] & ~seen[0, 1:]) + 1
    status[0, lost] = reason
    return Tracks(
        ids=[0], xy_px=xy, status=status, ncc=np.where(seen, ncc, np.nan),
        t_ns=np.arange(xy.shape[1]) * 40_000_000, frame_size=size, fps=25.0, first_frame=1,
    )  # fmt: skip


def fake_tracking(n_tracks=30, *, n_frames=12, size=(320, 240), lost_after=None):
    """Return a stand-in for `track_clip`: points that move right, all lost after some frames."""

    def track_clip(source, options=None, *, progress=None, cancel=None, on_frame=None, **given):
        track_clip.calls.append({"source": source, "options": options, **given})
        done = 0
        frames = iter(source)
        for done in range(1, n_frames + 1):
            if on_frame is not None:
                on_frame(next(frames))
            if progress is not None:
                progress(done, n_frames)
            if track_clip.at_frame is not None:
                track_clip.at_frame(done)
            if cancel is not None and cancel():
                break
        start = np.random.default_rng(1).uniform(0.2, 0.8, (n_tracks, 1, 2)) * size
        xy = start + np.arange(done)[:, None] * (1.5, 0)
        if lost_after is not None:
            xy[:, lost_after:] = np.nan
        return Tracks.from_positions(xy, frame_size=size, fps=25.0)

    track_clip.calls, track_clip.at_frame = [], None
    return track_clip
