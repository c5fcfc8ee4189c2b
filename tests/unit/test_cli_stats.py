"""`trackcore stats`, on tracks that were made before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import trackcore as tc
from trackcore import synth
from trackcore.cli import app

pytest.importorskip("cv2")
pytest.importorskip("matplotlib")


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[Path, Path]:
    """A clip as a folder of images, and the file of its tracks."""
    from trackcore._cv2 import load_cv2

    clip = tmp_path / "clip"
    clip.mkdir()
    made = synth.loop_clip("medium", seed=1, n_frames=60, size=(160, 120))
    for i, image in zip(range(1, 13), made.frames(), strict=False):
        assert load_cv2().imwrite(str(clip / f"f.{i:04d}.png"), image)
    tracks = tc.track_clip(str(clip), tc.TrackerOptions(target_count=30, levels=2))
    tracks.save(tmp_path / "tracks.npz")
    return tmp_path / "tracks.npz", clip


def told(*words: Any, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["stats", *map(str, words), "--json"])
    assert result.exit_code == code, result.output + repr(result.exception)
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def test_tracks_alone_are_measured(tracked: tuple[Path, Path]) -> None:
    file, _ = tracked
    found = told(file)
    assert found["visual_features"] is None
    assert len(found["tracks"]) == found["summary"]["tracks"]
    assert found["diagnosis"]["pattern"] == "NONE"
    written = json.loads((file.parent / "statistics.json").read_text())
    assert written["motion"] == found["motion"]
    assert (file.parent / "statistics.png").stat().st_size > 10_000


def test_the_clip_adds_what_only_pixels_show(tracked: tuple[Path, Path], tmp_path: Path) -> None:
    file, clip = tracked
    found = told(file, "--clip", clip, "-o", tmp_path / "report")
    assert found["motion_probe_results"]["motion_class"] in ("LOW", "MEDIUM", "HIGH")
    assert found["visual_features"]["edge_density_mean"] > 0.1
    assert len(found["series"]["blur_px"]) == 12
    assert (tmp_path / "report" / "statistics.json").exists()


def test_people_get_tables(tracked: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(app, ["stats", str(tracked[0])])
    assert result.exit_code == 0
    for word in ("shot", "jitter", "bottom-right", "suspect tracks", "wrote"):
        assert word in result.stdout


def test_no_tracks_at_all_is_no_crash(tmp_path: Path) -> None:
    nothing = tc.Tracks.from_positions(np.full((0, 5, 2), np.nan), frame_size=(64, 48))
    nothing.save(tmp_path / "t.npz")
    assert told(tmp_path / "t.npz")["summary"]["tracks"] == 0


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    assert told(tmp_path / "none.npz", code=1)["error"]["type"] == "SourceError"
