"""Where tracks were lost: the frame, the place and the reason, and no loss that was none."""

import numpy as np
import pytest

import trackcore as tc
from trackcore import PointStatus


def tracks(*rows):
    """Return tracks of one letter per frame: T tracked, U unseen, L lost, O out of frame."""
    words = {"T": PointStatus.TRACKED, "U": PointStatus.UNSEEN, "L": PointStatus.LOST,
             "O": PointStatus.OUT_OF_FRAME}  # fmt: skip
    status = np.array([[words[letter] for letter in row] for row in rows], np.uint8)
    xy_px = np.full((*status.shape, 2), np.nan)
    for track, row in enumerate(rows):
        for frame, letter in enumerate(row):
            if letter == "T":
                xy_px[track, frame] = (10 * frame, 90)
    n_frames = status.shape[1]
    return tc.Tracks(
        ids=np.arange(len(rows)), xy_px=xy_px, status=status,
        ncc=np.full(status.shape, np.nan, np.float32), t_ns=np.arange(n_frames),
        frame_size=(100, 100), fps=25, first_frame=101,
    )  # fmt: skip


def test_a_loss_has_its_frame_place_and_reason():
    (failure,) = tc.track_failures(tracks("TTTLUU"))
    assert failure == {
        "track_name": "track_00000", "frame": 104, "position": pytest.approx([0.205, 0.095]),
        "region": "bottom-left", "reason": "LOST",
    }  # fmt: skip


def test_the_end_of_the_clip_and_a_late_birth_are_no_loss():
    assert tc.track_failures(tracks("TTTTTT", "UUTTTT")) == []


def test_a_track_followed_backwards_is_lost_before_its_first_position():
    (failure,) = tc.track_failures(tracks("UOTTTT"))
    assert (failure["frame"], failure["reason"]) == (102, "OUT_OF_FRAME")
    assert failure["position"] == pytest.approx([0.205, 0.095])


def test_failures_are_what_a_session_records(tmp_path):
    recorder = tc.SessionRecorder(tmp_path)
    lost = tracks("TTLUUU", "TTTTTO", "TTTTTT")
    recorder.start_session(lost)
    recorder.record(track_failures=tc.track_failures(lost))
    ended = recorder.end_session(success=True)
    assert [f.reason for f in ended.track_failures] == ["LOST", "OUT_OF_FRAME"]
    assert ended.track_failures[0].model_extra == {}


def test_no_tracks_no_failures():
    assert tc.track_failures(tc.Tracks.from_positions(np.zeros((0, 3, 2)), frame_size=(9, 9))) == []
