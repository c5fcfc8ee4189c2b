"""The picture of a clip's statistics."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from trackcore._cv2 import load_cv2
from trackcore.plots import write_statistics


def panning(n_tracks: int = 12, n_frames: int = 20) -> tc.Tracks:
    rng = np.random.default_rng(0)
    start = rng.uniform(20, 300, (n_tracks, 1, 2))
    return tc.Tracks.from_positions(
        start + np.arange(n_frames)[:, None] * [1.5, 0.5], frame_size=(400, 340)
    )


def picture(path: Path) -> np.ndarray:
    image = load_cv2().imread(str(path))
    assert image is not None
    return np.asarray(image)


def test_a_picture_is_written_and_is_not_blank(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = write_statistics(tmp_path / "statistics.png", panning(), cuts=[7], title="pan")
    image = picture(path)
    assert min(image.shape[:2]) > 500
    assert image.std() > 10


@pytest.mark.parametrize("shape", [(0, 0, 2), (0, 5, 2), (3, 1, 2), (3, 5, 2)])
def test_tracks_that_show_nothing_still_make_a_picture(
    shape: tuple[int, int, int], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    nothing = tc.Tracks.from_positions(np.full(shape, np.nan), frame_size=(64, 48))
    assert write_statistics(tmp_path / "nothing.png", nothing).stat().st_size > 1000


def test_without_matplotlib_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(tc.DependencyError, match=r"trackcore\[plot\]"):
        write_statistics(tmp_path / "statistics.png", panning())
    assert not list(tmp_path.iterdir())
