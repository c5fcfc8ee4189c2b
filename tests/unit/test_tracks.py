"""`Tracks`: what it accepts, what it derives."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from trackcore.errors import InputError
from trackcore.tracks import Tracks
from trackcore.types import PointStatus as S

SIZE = (64, 48)


def fields(**changes):
    """Arguments of a valid `Tracks`: 3 tracks over 5 frames, one lost, one born late."""
    xy = np.full((3, 5, 2), np.nan)
    xy[0] = [[10 + i, 20] for i in range(5)]
    xy[1, :2] = [[1, 1], [2, 2]]
    xy[2, 3:] = [[30, 30], [31, 30]]
    status = np.full((3, 5), S.UNSEEN, np.uint8)
    status[np.isfinite(xy[..., 0])] = S.TRACKED
    status[1, 2] = S.LOW_CORRELATION
    ncc = np.where(status == S.TRACKED, 0.9, np.nan).astype(np.float32)
    valid = {
        "ids": np.array([7, 8, 12]), "xy_px": xy, "status": status, "ncc": ncc,
        "t_ns": np.arange(5) * 40_000_000, "frame_size": SIZE, "fps": 25.0, "first_frame": 101,
    }  # fmt: skip
    return {**valid, **changes}


def changed(name, index, value):
    array = fields()[name].copy()
    array[index] = value
    return {name: array}


def test_derives_when_each_track_lived_and_why_it_ended():
    tracks = Tracks(**fields())
    assert_array_equal(tracks.first_index, [0, 0, 3])
    assert_array_equal(tracks.last_index, [4, 1, 4])
    assert_array_equal(tracks.lifespan_frames, [5, 2, 2])
    assert_array_equal(tracks.end_status, [S.TRACKED, S.LOW_CORRELATION, S.TRACKED])
    assert_array_equal(tracks.start_status, [S.TRACKED, S.TRACKED, S.UNSEEN])
    assert_array_equal(tracks.frame_numbers, [101, 102, 103, 104, 105])


def test_a_track_never_seen_has_no_life_and_no_place():
    tracks = Tracks.from_positions(np.full((1, 3, 2), np.nan), frame_size=SIZE)
    assert (tracks.first_index[0], tracks.last_index[0]) == (-1, -1)
    assert tracks.lifespan_frames[0] == 0
    assert tracks.end_status[0] == tracks.start_status[0] == S.UNSEEN


def test_a_gap_counts_as_life():
    xy = np.ones((1, 4, 2))
    xy[0, 1] = np.nan
    tracks = Tracks.from_positions(xy, frame_size=SIZE)
    assert tracks.lifespan_frames[0] == 4
    assert tracks.seen.sum() == 3


def test_positions_from_elsewhere_are_tracked_where_finite_and_unmeasured():
    xy = np.ones((2, 3, 2))
    xy[1, 0] = np.nan
    tracks = Tracks.from_positions(xy, frame_size=SIZE, fps=30, first_frame=10)
    assert_array_equal(tracks.status, [[0, 0, 0], [S.UNSEEN, 0, 0]])
    assert np.isnan(tracks.ncc).all()
    assert_array_equal(tracks.t_ns, [0, 33_333_333, 66_666_667])
    assert tracks.frame_numbers[0] == 10


@pytest.mark.parametrize("shape", [(0, 0, 2), (0, 5, 2), (3, 0, 2)])
def test_nothing_tracked_is_a_valid_answer(shape):
    tracks = Tracks.from_positions(np.zeros(shape), frame_size=SIZE)
    assert tracks.seen.shape == shape[:2]
    assert tracks.first_index.shape == tracks.last_index.shape == tracks.end_status.shape
    assert str(len(tracks)) in repr(tracks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xy_px": np.zeros((3, 5, 3))}, r"^xy_px: expected shape .*got \(3, 5, 3\)"),
        (changed("xy_px", (0, 1, 0), np.inf), "^xy_px: expected finite.*track 0 at index 1"),
        (changed("xy_px", (0, 2, 1), np.nan), "^xy_px: expected x and y.*track 0 at index 2"),
        (changed("xy_px", (2, 0), 5.0), "^status: expected TRACKED exactly.*UNSEEN.*track 2"),
        (changed("status", (0, 0), S.LOST), "^status: expected TRACKED exactly.*LOST.*track 0"),
        (changed("status", (1, 4), 8), r"^status: expected PointStatus 0 \.\. 7, got 8"),
        ({"status": np.zeros((3, 4), int)}, r"^status: expected shape \(3, 5\).*got \(3, 4\)"),
        ({"ids": np.array([1, 2, 1])}, "^ids: expected unique numbers, got 1 more than once"),
        ({"ids": np.array([1.0, 2.0, 3.0])}, "^ids: expected integers, got dtype float64"),
        (changed("ncc", (0, 0), 1.5), "^ncc: expected -1 .. 1.*got 1.5"),
        (changed("ncc", (2, 0), 0.5), "^ncc: expected NaN where xy_px has no position"),
        ({"t_ns": np.array([0, 1, 3, 2, 4])}, "^t_ns: expected increasing.*3 then 2 at index 3"),
        ({"t_ns": np.array([0, 1])}, r"^t_ns: expected shape \(5,\) as in xy_px, got \(2,\)"),
        ({"frame_size": (64, 0)}, r"^frame_size: expected \(w, h\)"),
        ({"frame_size": 64}, r"^frame_size: expected \(w, h\)"),
        ({"fps": 0.0}, "^fps: expected a number above 0, got 0.0"),
        ({"fps": float("nan")}, "^fps: expected a number above 0, got nan"),
        ({"first_frame": 1.5}, "^first_frame: expected an integer, got 1.5"),
        ({"frame_numbers": [102, 103, 104, 105, 106]}, "^frame_numbers: expected to start at"),
        ({"frame_numbers": [101, 103, 103, 105, 106]}, "^frame_numbers: expected increasing"),
    ],
)
def test_says_which_argument_does_not_fit(change, message):
    with pytest.raises(InputError, match=message):
        Tracks(**fields(**change))


def test_cannot_be_changed_behind_its_back():
    given = fields()
    tracks = Tracks(**given)
    with pytest.raises(ValueError, match="read-only"):
        tracks.xy_px[0, 0] = 1
    given["xy_px"][0, 0, 0] += 0  # the caller's array is still the caller's


def test_select_keeps_ids_and_frames():
    tracks = Tracks(**fields(frame_numbers=[101, 103, 105, 107, 109]))
    long = tracks.select(tracks.lifespan_frames > 2)
    assert_array_equal(long.ids, [7])
    assert_array_equal(long.frame_numbers, tracks.frame_numbers)
    assert tracks.select([2, 0]).ids.tolist() == [12, 7]
    assert len(tracks.select([])) == 0
    with pytest.raises(InputError, match=r"^mask: expected \(3,\) booleans"):
        tracks.select([True, False])


def test_equals_sees_a_difference_in_any_field():
    tracks = Tracks(**fields())
    assert tracks.equals(Tracks(**fields()))
    moved = Tracks(**changed_all("xy_px", 0.001))
    assert not tracks.equals(moved)
    assert tracks.equals(moved, tolerance_px=0.01)
    different = [
        {"ids": np.array([7, 8, 13])}, {"fps": 24.0}, {"frame_size": (64, 49)},
        {"first_frame": 100}, {"t_ns": np.arange(5)}, changed("ncc", (0, 0), 0.8),
        changed("status", (1, 2), S.LOST), {"frame_numbers": [101, 103, 105, 107, 109]},
    ]  # fmt: skip
    assert not any(tracks.equals(Tracks(**fields(**d)), tolerance_px=0.01) for d in different)


def changed_all(name, amount):
    return fields(**{name: fields()[name] + amount})


def test_a_part_of_the_frames_keeps_their_numbers_and_the_tracks_seen_in_them() -> None:
    xy_px = np.full((2, 6, 2), np.nan)
    xy_px[0, :3], xy_px[1, 2:] = 10.0, 20.0
    tracks = Tracks.from_positions(xy_px, frame_size=(64, 48), first_frame=101)
    late = tracks.between(3, 6)
    assert late.ids.tolist() == [1]
    assert late.frame_numbers.tolist() == [104, 105, 106]
    assert late.t_ns.tolist() == tracks.t_ns[3:].tolist()
    assert tracks.between(0, 6).equals(tracks)
    with pytest.raises(InputError, match=r"first, last: expected 0 \.\. 6, got 3, 7"):
        tracks.between(3, 7)
