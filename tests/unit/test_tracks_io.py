"""`Tracks` as files: read back, they say the same."""

import csv
import io
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from trackcore.errors import InputError, SourceError
from trackcore.tracks import Tracks
from trackcore.types import PointStatus as S


@pytest.fixture
def tracks():
    """40 tracks over 12 numbered frames with gaps, births and losses, at random places."""
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 1, (40, 12, 2)) * (640, 480)
    status = np.zeros((40, 12), np.uint8)
    for row, birth, death in zip(
        status, rng.integers(0, 4, 40), rng.integers(6, 13, 40), strict=True
    ):
        row[:birth], row[death:] = S.UNSEEN, S.UNSEEN
        row[death : death + 1] = rng.integers(S.OUT_OF_FRAME, S.UNSEEN)
    status[3] = S.UNSEEN  # never seen
    status[4, 5] = S.LOST  # a gap
    seen = status == S.TRACKED
    xy[~seen] = np.nan
    return Tracks(
        ids=np.arange(40) * 3 + 1, xy_px=xy, status=status,
        ncc=np.where(seen, rng.uniform(-1, 1, seen.shape), np.nan),
        t_ns=np.arange(12) * 10**9 // 24, frame_size=(640, 480), fps=24.0, first_frame=1001,
        frame_numbers=1001 + np.arange(12) * 2,
    )  # fmt: skip


def test_npz_reads_back_bit_for_bit(tracks, tmp_path):
    tracks.save(tmp_path / "a.tracks")
    assert Tracks.load(tmp_path / "a.tracks").equals(tracks)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tracks"]  # nothing temporary stays


def test_a_failed_save_keeps_the_old_file(tracks, tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    tracks.save(path)
    before = path.read_bytes()

    def full(file, **_):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        tracks.save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def _npy_bytes():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


FOREIGN = {
    "nothing": lambda _: None,
    "text": lambda path: path.write_text("frame,x,y\n"),
    "empty": lambda path: path.write_bytes(b""),
    "other npz": lambda path: np.savez(path, xy_px=np.zeros(3)),
    "one array": lambda path: path.write_bytes(_npy_bytes()),
    "pickle": lambda path: np.savez(path, format=np.array([object()], dtype=object)),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_refuses_what_is_not_a_tracks_file(kind, tmp_path):
    path = tmp_path / "x.npz"
    FOREIGN[kind](path)
    expected = SourceError if kind == "nothing" else InputError
    with pytest.raises(expected, match=r"^path: "):
        Tracks.load(path)


def test_refuses_a_newer_version(tracks, tmp_path):
    path = tmp_path / "a.npz"
    tracks.save(path)
    with np.load(path) as archive:
        contents = {**archive, "version": np.array(2)}
    np.savez(path, **contents)
    with pytest.raises(InputError, match="has version 2, this trackcore reads up to 1"):
        Tracks.load(path)


def test_damage_is_an_error_never_other_data(tracks, tmp_path):
    path = tmp_path / "a.npz"
    tracks.save(path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in (10, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:cut])
        with pytest.raises(InputError, match=r"^path: "):
            Tracks.load(path)
    refused = 0
    for _ in range(150):
        bad = bytearray(good)
        bad[rng.integers(len(bad))] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(bad))
        try:
            read = Tracks.load(path)
        except InputError:
            refused += 1
        else:
            assert read.equals(tracks)  # a byte that means nothing
    assert refused > 100


def test_csv_holds_every_position_and_why_each_track_ended(tracks, tmp_path):
    tracks.to_csv(tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_text()
    assert "nan" not in text.lower()
    assert "inf" not in text.lower()
    xy, ended = np.full(tracks.xy_px.shape, np.nan), {}
    for row in csv.DictReader(text.splitlines()):
        track, frame = (int(row["track"]) - 1) // 3, (int(row["frame"]) - 1001) // 2
        assert int(row["t_ns"]) == tracks.t_ns[frame]
        assert row["status"] == S(tracks.status[track, frame]).name
        assert bool(row["ncc"]) == bool(row["x_px"]) == bool(row["y_px"])
        if row["x_px"]:
            xy[track, frame] = float(row["x_px"]), float(row["y_px"])
        ended[track] = row["status"]
    assert_allclose(xy, tracks.xy_px, atol=1e-6)
    assert ended == {
        i: S(s).name for i, s in enumerate(tracks.end_status) if tracks.first_index[i] >= 0
    }


def test_json_is_strict_and_says_the_same(tracks, tmp_path):
    tracks.to_json(tmp_path / "t.json")

    def refuse(constant):
        pytest.fail(f"{constant} in JSON")

    read = json.loads((tmp_path / "t.json").read_text(), parse_constant=refuse)
    assert read["frame_size"] == [640, 480]
    xy = np.full(tracks.xy_px.shape, np.nan)
    for i, track in enumerate(read["tracks"]):
        assert track["id"] == tracks.ids[i]
        for frame, place, ncc, status in zip(
            track["frames"], track["xy_px"], track["ncc"], track["status"], strict=True
        ):
            index = read["frames"].index(frame)
            assert status == S(tracks.status[i, index]).name
            assert (place is None) == (ncc is None) == (status != "TRACKED")
            xy[i, index] = place or (np.nan, np.nan)
    assert_allclose(xy, tracks.xy_px, atol=1e-6)


def test_a_track_lost_backwards_is_written_with_the_reason(tmp_path):
    status = np.array([[S.UNSEEN, S.LOST, S.TRACKED, S.TRACKED]], np.uint8)
    xy = np.where((status == S.TRACKED)[..., None], [5.0, 6.0], np.nan)
    tracks = Tracks([0], xy, status, np.full((1, 4), np.nan), np.arange(4), (9, 9), 24.0, 1)
    assert tracks.start_status[0] == S.LOST
    tracks.to_csv(tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [(r["frame"], r["status"]) for r in rows] == [
        ("2", "LOST"), ("3", "TRACKED"), ("4", "TRACKED"),
    ]  # fmt: skip
