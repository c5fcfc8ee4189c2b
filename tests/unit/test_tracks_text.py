"""Text forms for other programs, read back by their own conventions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from trackcore.errors import InputError
from trackcore.tracks import Tracks

W, H = 640, 360


@pytest.fixture
def tracks():
    """6 tracks over 9 frames numbered from 101; one has a gap, one is never seen."""
    xy = np.random.default_rng(2).uniform(0, 1, (6, 9, 2)) * (W, H)
    xy[1, 4] = np.nan
    xy[2, :3] = np.nan
    xy[5] = np.nan
    return Tracks.from_positions(xy, frame_size=(W, H), first_frame=101)


def corners(frame=1):
    """The centres of the top-left and bottom-right pixel, and the middle of the picture."""
    xy = np.array([[[0, 0]], [[W - 1, H - 1]], [[(W - 1) / 2, (H - 1) / 2]]], float)
    return Tracks.from_positions(xy, frame_size=(W, H), first_frame=frame)


def test_blender_corners_are_half_a_pixel_inside_and_up_is_up(tmp_path):
    corners().to_text(tmp_path / "b.txt", "blender")
    lines = [x for x in (tmp_path / "b.txt").read_text().splitlines() if x[0].isdigit()]
    got = np.array([[float(n) for n in line.split()] for line in lines])
    assert_allclose(got[0], [1, 0.5 / W, 1 - 0.5 / H], atol=1e-8)
    assert_allclose(got[1], [1, 1 - 0.5 / W, 0.5 / H], atol=1e-8)
    assert_allclose(got[2], [1, 0.5, 0.5], atol=1e-8)


def test_blender_reads_back(tracks, tmp_path):
    tracks.to_text(tmp_path / "b.txt", "blender")
    xy, track = np.full(tracks.xy_px.shape, np.nan), None
    for line in (tmp_path / "b.txt").read_text().splitlines():
        word = line.split()
        if word[0] == "track":
            track = int(word[1].removeprefix("track_"))
        elif word[0] != "#":
            x, y = float(word[1]) * W - 0.5, (1 - float(word[2])) * H - 0.5
            xy[track, int(word[0]) - 101] = x, y
    assert_allclose(xy, tracks.xy_px, atol=1e-5)


def test_nuke_has_one_file_per_seen_track_in_pixels_from_the_bottom(tracks, tmp_path):
    files = tracks.to_text(tmp_path / "nuke", "nuke")
    assert sorted(files) == sorted((tmp_path / "nuke").iterdir())
    assert len(files) == 5
    xy = np.full(tracks.xy_px.shape, np.nan)
    for file in files:
        frame, x, y = np.loadtxt(file).T  # skips lines with # as Nuke does
        xy[int(file.stem.removeprefix("track_")), frame.astype(int) - 101] = np.column_stack(
            [x - 0.5, H - y - 0.5]
        )
    assert_allclose(xy, tracks.xy_px, atol=1e-5)


def test_colmap_matches_lead_from_each_feature_to_the_same_track(tracks, tmp_path):
    folder = tmp_path / "colmap"
    tracks.to_text(folder, "colmap")
    features = {}
    for number in range(101, 110):
        name = f"frame_{number:06d}.png"
        count, *rows = (folder / f"{name}.txt").read_text().splitlines()
        assert count == f"{len(rows)} 128"
        assert all(len(row.split()) == 132 for row in rows)
        features[name] = np.array([row.split()[:2] for row in rows], float) - 0.5
        truth = tracks.xy_px[:, number - 101]
        assert_allclose(features[name], truth[np.isfinite(truth[:, 0])], atol=1e-5)
    blocks = (folder / "matches.txt").read_text().strip().split("\n\n")
    pairs = 0
    for block in blocks:
        head, *rows = block.splitlines()
        a, b = head.split()
        for i, j in (map(int, row.split()) for row in rows):
            assert _track_at(tracks, a, features[a][i]) == _track_at(tracks, b, features[b][j])
            pairs += 1
    seen = np.isfinite(tracks.xy_px[..., 0])
    assert pairs == sum((seen[:, d:] & seen[:, :-d]).sum() for d in (1, 2, 4, 8))


def _track_at(tracks, image, xy):
    frame = int(image[6:12]) - 101
    return int(np.nanargmin(np.abs(tracks.xy_px[:, frame] - xy).sum(axis=-1)))


def test_a_second_export_does_not_mix_with_the_first(tracks, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    tracks.to_text(tmp_path, "nuke")
    tracks.select([0]).to_text(tmp_path, "nuke")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.txt", "track_00000.txt"]


def test_an_unknown_form_is_refused_by_name(tracks, tmp_path):
    with pytest.raises(InputError, match=r"format: expected one of blender, nuke, .* got 'boujou'"):
        tracks.to_text(tmp_path / "x", "boujou")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="path: expected a folder"):
        tracks.to_text(tmp_path / "file", "nuke")


def test_3de_reads_back_in_pixels_from_the_bottom(tracks, tmp_path):
    (path,) = tracks.to_text(tmp_path / "t.txt", "3de")
    lines = iter(path.read_text().splitlines())
    xy = np.full(tracks.xy_px.shape, np.nan)
    n = int(next(lines))
    assert n == 5
    for _ in range(n):
        track = int(next(lines).removeprefix("track_"))
        assert next(lines) == "0"
        for _ in range(int(next(lines))):
            frame, x, y = next(lines).split()
            xy[track, int(frame) - 101] = float(x) - 0.5, H - float(y) - 0.5
    assert list(lines) == []
    assert_allclose(xy, tracks.xy_px, atol=1e-8)


def test_syntheyes_reads_back_from_minus_one_to_one_downwards(tracks, tmp_path):
    (path,) = tracks.to_text(tmp_path / "t.txt", "syntheyes")
    xy, order = np.full(tracks.xy_px.shape, np.nan), []
    for line in path.read_text().splitlines():
        name, frame, u, v = line.split()
        at = (float(u) + 1) / 2 * W - 0.5, (float(v) + 1) / 2 * H - 0.5
        xy[int(name.removeprefix("track_")), int(frame) - 101] = at
        order.append((name, int(frame)))
    assert order == sorted(order)  # a track's lines together, frames rising
    assert_allclose(xy, tracks.xy_px, atol=1e-6)
    (path,) = corners().to_text(tmp_path / "c.txt", "syntheyes")
    assert path.read_text().split()[2:4] == [f"{-1 + 1 / W:.9f}", f"{-1 + 1 / H:.9f}"]
