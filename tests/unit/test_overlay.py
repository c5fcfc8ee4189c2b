"""The overlay, read back as pixels: marks are where the tracks are, and only there."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.unit.fake_clip import FakeClip, one_track
from trackcore._overlay_paint import (
    CROSS_FRAMES,
    NEW_COLOUR,
    REASON_COLOURS,
    Painter,
    output_size,
)
from trackcore.errors import InputError
from trackcore.frames import open_clip
from trackcore.overlay import contact_sheet, write_overlay
from trackcore.tracks import Tracks
from trackcore.types import PointStatus as S

cv2 = pytest.importorskip("cv2")

BLACK = np.zeros((480, 640), np.uint8)
AWAY = (np.nan, np.nan)


def still(xy, n_frames=30, until=None, since=0, **changes):
    """A track that stays at `xy` from frame index `since` until it is lost at `until`."""
    path = np.tile(np.array(xy, float), (n_frames, 1))
    path[until:] = np.nan if until is not None else path[until:]
    path[:since] = np.nan
    return one_track(path, **changes)


def near(picture, colour, tolerance=40):
    """Pixels that have about this colour."""
    return (np.abs(picture.astype(int) - colour) <= tolerance).all(axis=-1)


@pytest.mark.parametrize("size", [(640, 480), (320, 240)])
@pytest.mark.parametrize("xy", [(100.0, 60.0), (100.3, 60.7), (0.4, 0.2)])
def test_a_dot_is_centred_on_its_track_to_a_fraction_of_a_pixel(size, xy):
    painter = Painter(still(xy, size=size), tail=0)
    image = np.full(size[::-1], 20, np.uint8)
    with_dot = painter.picture(image, 5).astype(float)
    w, h = painter.picture_size
    green = np.maximum(with_dot[..., 1] - with_dot[..., 2], 0)
    y, x = np.mgrid[:h, :w]
    centre = (green * x).sum() / green.sum(), (green * y).sum() / green.sum()
    expected = (np.array(xy) + 0.5) * (w / size[0]) - 0.5
    off_border = 0.05 if min(xy) > 5 else 2.0  # cut off by the border, the dot's centre moves in
    assert_allclose(centre, expected, atol=off_border)


@pytest.mark.parametrize("reason", list(REASON_COLOURS))
def test_a_lost_track_leaves_a_cross_in_the_colour_of_its_reason_for_ten_frames(reason):
    painter = Painter(still((300, 200), until=8, reason=reason), tail=12)
    quiet = painter.picture(BLACK, 29)
    assert not quiet.any()  # long gone
    for index in (8, 8 + CROSS_FRAMES - 1):
        y, x = np.nonzero(painter.picture(BLACK, index).any(axis=-1))
        assert_allclose([x.mean(), y.mean()], [300, 200], atol=0.7)
    fresh = painter.picture(BLACK, 8)
    assert near(fresh, REASON_COLOURS[reason], 12).sum() > 8
    others = [c for r, c in REASON_COLOURS.items() if r != reason]
    assert not any(near(fresh, c, 12).sum() > 4 for c in others)
    assert not near(painter.picture(BLACK, 7), REASON_COLOURS[reason], 12).any()


def test_the_cross_of_a_track_that_left_stays_whole_in_the_picture():
    painter = Painter(still((639, 100), until=5, reason=S.OUT_OF_FRAME), tail=0)
    cross = near(painter.picture(BLACK, 5), REASON_COLOURS[S.OUT_OF_FRAME], 12)
    columns = np.flatnonzero(cross.any(axis=0))
    assert columns[-1] - columns[0] >= 7


def test_a_new_track_has_a_ring_but_not_in_the_first_frame():
    born_late = Painter(still((300, 200), since=10), tail=0)
    ring = near(born_late.picture(BLACK, 10), NEW_COLOUR)
    assert ring.sum() > 15
    assert not ring[197:204, 297:304].any()  # it goes round the dot
    assert not near(born_late.picture(BLACK, 20), NEW_COLOUR).any()
    assert not near(Painter(still((300, 200)), tail=0).picture(BLACK, 0), NEW_COLOUR).any()


def test_a_tail_follows_the_path_and_fades():
    path = np.column_stack([100 + 10.0 * np.arange(20), np.full(20, 200.0)])
    picture = Painter(one_track(path), tail=12).picture(BLACK, 15)  # now at x = 250
    green = picture[200, :, 1].astype(int)
    assert green[242] > green[200] > green[150] > 0
    assert not green[:125].any()  # 12 frames back is x = 130
    assert not picture[:190].any()


def test_a_tail_is_broken_where_the_track_was_not_seen():
    path = np.column_stack([100 + 10.0 * np.arange(20), np.full(20, 200.0)])
    path[10] = np.nan
    picture = Painter(one_track(path), tail=12).picture(BLACK, 15)
    assert not picture[195:206, 193:207].any()
    assert picture[200, 215].any()
    assert picture[200, 185].any()


def test_poor_matches_look_different_from_good_ones():
    good, poor = (Painter(still((300, 200), ncc=n), 0).picture(BLACK, 9) for n in (1.0, 0.76))
    assert good[200, 300, 2] < 120 < 200 < poor[200, 300, 2]  # green, yellow


def test_the_legend_lies_below_the_picture_not_on_it():
    ramp = np.tile(np.linspace(20, 200, 640).astype(np.uint8), (480, 1))
    nothing = Tracks.from_positions(np.full((1, 4, 2), np.nan), frame_size=(640, 480))
    painter = Painter(nothing, tail=5)
    painted = painter.paint(ramp, 2)
    assert painted.shape[1::-1] == painter.size
    assert painter.size[1] > 480
    assert_allclose(painted[:480].astype(float), (ramp * 0.82)[..., None].repeat(3, 2), atol=1)


def test_the_legend_counts_what_lives_and_what_was_lost_so_far(monkeypatch):
    path = np.full((3, 20, 2), 50.0)
    path[1, 5:], path[2, 12:] = np.nan, np.nan
    status = np.where(np.isfinite(path[..., 0]), 0, S.UNSEEN).astype(np.uint8)
    status[1, 5], status[2, 12] = S.LOST, S.LOW_TEXTURE
    ncc = np.full((3, 20), np.nan)
    tracks = Tracks([1, 2, 3], path, status, ncc, np.arange(20), (640, 480), 25.0, 101)
    painter, said = Painter(tracks, 5), []
    monkeypatch.setattr(painter._legend, "draw", lambda *words: said.append(words))
    for index in (4, 5, 19):
        painter.legend(index)
    assert [(where, alive) for where, alive, _, _ in said] == [
        ("frame 105  (5/20)", "3 tracked"),
        ("frame 106  (6/20)", "2 tracked"),
        ("frame 120  (20/20)", "1 tracked"),
    ]
    assert [(lost[S.LOST], lost[S.LOW_TEXTURE]) for *_, lost in said] == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((320, 240), (640, 480)),
        ((640, 480), (640, 480)),
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((501, 375), (1002, 750)),
        ((3, 2000), (2, 1920)),
    ],
)
def test_small_clips_are_enlarged_and_large_ones_reduced_to_even_sizes(size, drawn):
    assert output_size(*size) == drawn


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_depth_of_footage_can_be_seen(dtype):
    ramp = np.tile(np.linspace(0, 1, 640), (480, 1))
    top = {np.uint8: 255, np.uint16: 1023, np.float32: 4.0}[dtype]  # 10 bits in 16; HDR
    picture = Painter(still((9, 9)), 0).picture((ramp * top).astype(dtype), 3)
    assert picture[240, 620].min() > 150
    assert picture[240, 20].max() < 60


def test_the_video_has_every_frame_tracks_know_and_no_other(tmp_path):
    clip = FakeClip(images=[np.full((480, 640, 3), 20 * i, np.uint8) for i in range(9)])
    tracks = still((300, 200), n_frames=4)
    tracks = Tracks(
        [0], tracks.xy_px, tracks.status, tracks.ncc, tracks.t_ns, (640, 480), 25.0, 3,
        [3, 4, 6, 8],
    )  # fmt: skip
    seen = []
    path = write_overlay(tmp_path / "o.mp4", clip, tracks, progress=lambda *p: seen.append(p))
    assert path == tmp_path / "o.mp4"
    assert list(tmp_path.iterdir()) == [path]
    assert seen == [(i, 4) for i in range(1, 5)]
    levels = [frame[100, 100, 0] / 0.82 / 20 for frame in frames_in(path)]
    assert_allclose(levels, [2, 3, 5, 7], atol=0.35)  # frames 3, 4, 6, 8 by number


def test_draws_on_a_part_of_an_image_sequence_by_its_file_numbers(tmp_path):
    for number in range(1001, 1009):
        colour = np.full((48, 64, 3), (0, 0, 20 * (number - 1000)), np.uint8)
        assert cv2.imwrite(str(tmp_path / f"shot.{number}.png"), colour)
    xy = np.full((1, 3, 2), 20.0)
    tracks = Tracks(
        [0], xy, np.zeros((1, 3), int), np.ones((1, 3)), [0, 1, 2], (64, 48), 24.0, 1002,
        [1002, 1004, 1006],
    )  # fmt: skip
    clip = open_clip(tmp_path / "shot.####.png", frames=(1002, 1006), step=2, color=True)
    frames = frames_in(write_overlay(tmp_path / "o.mp4", clip, tracks))
    red = [frame[400, 600, 2] / 0.82 / 20 for frame in frames]
    assert_allclose(red, [2, 4, 6], atol=0.35)
    assert max(frame[400, 600, 0] for frame in frames) < 20  # red stays red


def test_cancelling_keeps_the_frames_drawn(tmp_path):
    done = []
    path = write_overlay(
        tmp_path / "o.mp4", FakeClip(9), still((300, 200), n_frames=9),
        progress=lambda n, _: done.append(n), cancel=lambda: len(done) >= 3,
    )  # fmt: skip
    assert len(frames_in(path)) == 3


def test_without_a_video_writer_there_is_a_contact_sheet(tmp_path, monkeypatch):
    class NoWriter:
        def __init__(self, *_):
            pass

        fourcc = staticmethod(lambda *_: 0)
        isOpened = staticmethod(lambda: False)  # noqa: N815
        release = staticmethod(lambda: None)

    monkeypatch.setattr(cv2, "VideoWriter", NoWriter)
    path = write_overlay(tmp_path / "o.mp4", FakeClip(20), still((300, 200), n_frames=20))
    assert list(tmp_path.iterdir()) == [path] == [tmp_path / "o.png"]
    sheet = cv2.imread(str(path))
    assert sheet.shape[1] > 3 * 500
    assert near(sheet, (90, 230, 60)).sum() > 9 * 8  # a dot in each of the nine frames


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_a_short_clip_makes_a_small_sheet(tmp_path, n_frames):
    path = contact_sheet(
        tmp_path / "s.png", FakeClip(n_frames), still((300, 200), n_frames=n_frames)
    )
    columns = min(n_frames, 3)
    assert cv2.imread(str(path)).shape[1] == pytest.approx(columns * 640, abs=20)


def test_footage_of_another_size_or_other_frames_is_refused_and_leaves_no_file(tmp_path):
    path = tmp_path / "o.mp4"
    with pytest.raises(InputError, match=r"clip: expected frames of \(640, 480\) px.*320, 240"):
        write_overlay(path, FakeClip(6, (320, 240)), still((300, 200), 6))
    later = still((300, 200), 6)
    later = Tracks([0], later.xy_px, later.status, later.ncc, later.t_ns, (640, 480), 25.0, 1001)
    with pytest.raises(InputError, match=r"clip: expected frames 1001 \.\. 1006"):
        write_overlay(path, FakeClip(6), later)
    with pytest.raises(InputError, match="tail: expected"):
        write_overlay(path, FakeClip(6), still((300, 200), 6), tail=-1)
    assert not list(tmp_path.iterdir())


def frames_in(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


def test_backwards_losses_are_crossed_before_the_track_begins():
    path = np.full((1, 20, 2), 100.0)
    path[0, :8] = np.nan
    status = np.full((1, 20), S.TRACKED, np.uint8)
    status[0, :8] = S.UNSEEN
    status[0, 7] = S.LOW_CORRELATION  # followed back to index 8, lost at 7
    ncc = np.full((1, 20), np.nan)
    tracks = Tracks([0], path, status, ncc, np.arange(20), (640, 480), 25.0, 1)
    red = [
        near(Painter(tracks, 0).picture(BLACK, i), REASON_COLOURS[S.LOW_CORRELATION], 60).any()
        for i in (7, 3, 8, 19)
    ]
    assert_array_equal(red, [True, True, False, False])
