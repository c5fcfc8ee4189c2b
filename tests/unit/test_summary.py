"""`summarize`: numbers a person can check by hand."""

import io
import json

import numpy as np
import pytest

from trackcore.errors import InputError
from trackcore.summary import ending, summarize
from trackcore.tracks import Tracks
from trackcore.types import PointStatus as S


def lives(n_frames, *spans, reasons=None, step_px=(3.0, 4.0), **changes):
    """Tracks alive in array frames [start, stop), each moving by `step_px` a frame."""
    status = np.full((len(spans), n_frames), S.UNSEEN, np.uint8)
    for row, (start, stop), reason in zip(
        status, spans, reasons or [S.LOST] * len(spans), strict=True
    ):
        row[stop : stop + 1] = reason
        row[start:stop] = S.TRACKED
    xy = np.where(
        (status == S.TRACKED)[..., None],
        np.arange(n_frames)[:, None] * step_px,
        np.nan,
    )
    made = {
        "ids": np.arange(len(spans)), "xy_px": xy, "status": status,
        "ncc": np.full(status.shape, np.nan), "t_ns": np.arange(n_frames),
        "frame_size": (640, 480), "fps": 24.0, "first_frame": 1, **changes,
    }  # fmt: skip
    return Tracks(**made)


def test_counts_lives_motion_and_time():
    summary = summarize(lives(60, (0, 60), (0, 10), (20, 60)), seconds=0.3)
    assert (summary.n_tracks, summary.n_frames) == (3, 60)
    assert summary.alive_per_frame == pytest.approx((60 + 10 + 40) / 60)
    assert summary.median_life_frames == 40
    assert summary.median_motion_px == 5.0
    assert summary.ms_per_frame == pytest.approx(5.0)
    assert {k: v for k, v in summary.ended_by.items() if v} == {S.TRACKED: 2, S.LOST: 1}


def test_survival_asks_only_tracks_the_clip_could_have_shown():
    # Born at 0: lives 60. Born at 0: dies at 10. Born at 20: 40 frames of room, lives 40.
    summary = summarize(lives(60, (0, 60), (0, 10), (20, 60)))
    assert summary.survival == {25: pytest.approx(2 / 3), 50: 0.5, 100: None}


def test_survival_of_tracks_followed_backwards_counts_towards_the_start():
    status = np.full((2, 40), S.TRACKED, np.uint8)
    status[1, :30] = S.UNSEEN
    status[1, 29] = S.OUT_OF_FRAME  # followed back from frame 39, lost at 29
    xy = np.where((status == S.TRACKED)[..., None], [1.0, 1.0], np.nan)
    tracks = Tracks([0, 1], xy, status, np.full((2, 40), np.nan), np.arange(40), (9, 9), 24.0, 1)
    summary = summarize(tracks)
    assert summary.survival[25] == 0.5
    assert ending(tracks).tolist() == [S.TRACKED, S.OUT_OF_FRAME]
    assert summary.ended_by[S.OUT_OF_FRAME] == 1


def test_motion_is_per_clip_frame_where_frames_were_skipped():
    tracks = lives(5, (0, 5), frame_numbers=1 + 2 * np.arange(5))
    assert summarize(tracks).median_motion_px == 2.5


@pytest.mark.parametrize("shape", [(0, 0, 2), (0, 9, 2), (2, 0, 2), (2, 9, 2)])
def test_nothing_measured_is_none_not_a_number(shape):
    summary = summarize(Tracks.from_positions(np.full(shape, np.nan), frame_size=(9, 9)))
    assert summary.n_tracks == 0
    assert summary.survival == {25: None, 50: None, 100: None}
    assert summary.median_life_frames is summary.median_motion_px is summary.ms_per_frame is None
    json.dumps(summary.to_dict(), allow_nan=False)


def test_dict_is_json_and_table_shows_the_reasons():
    summary = summarize(lives(30, (0, 30), (0, 9), reasons=[S.LOST, S.LOW_CORRELATION]), 0.15)
    read = json.loads(json.dumps(summary.to_dict(), allow_nan=False))
    assert read["ended_by"]["LOW_CORRELATION"] == 1
    assert read["survival"] == {"25": 0.5, "50": None, "100": None}
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), width=60)
    console.print(summary.table("shot [01]"))
    shown = console.file.getvalue()
    assert "shot [01]" in shown
    assert "low correlation" in shown
    assert "5.00 ms/frame" in shown
    assert "left the frame" not in shown  # nothing ended so


def test_refuses_a_negative_time():
    with pytest.raises(InputError, match="seconds: expected a time"):
        summarize(lives(3, (0, 3)), seconds=-1.0)
