"""`trackcore heal`, on tracks with a hole in them."""

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
N_FRAMES = 14


@pytest.fixture
def torn(tmp_path: Path) -> tuple[Path, Path, np.ndarray]:
    """Tracks of which one is lost and goes on under another name, their clip, the whole truth."""
    from trackcore._cv2 import load_cv2

    clip = tmp_path / "clip"
    clip.mkdir()
    made = synth.loop_clip("medium", seed=1, n_frames=90, size=(200, 150))
    for i, image in zip(range(1, N_FRAMES + 1), made.frames(), strict=False):
        assert load_cv2().imwrite(str(clip / f"f.{i:04d}.png"), image)
    x, y = np.meshgrid(np.linspace(45, 155, 6), np.linspace(40, 110, 5))
    truth = made.track_truth(np.stack([x.ravel(), y.ravel()], axis=-1))[:, :N_FRAMES]
    xy = np.concatenate([truth, truth[:1]])
    xy[0, 6:] = np.nan
    xy[-1, :9] = np.nan
    tc.Tracks.from_positions(xy, frame_size=(200, 150)).save(tmp_path / "tracks.npz")
    return tmp_path / "tracks.npz", clip, truth


def told(*words: Any, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["heal", *map(str, words), "--json"])
    assert result.exit_code == code, result.output + repr(result.exception)
    value: dict[str, Any] = json.loads(result.stdout)
    return value


def test_a_torn_track_is_one_again_and_its_gap_is_where_it_was(
    torn: tuple[Path, Path, np.ndarray],
) -> None:
    file, clip, truth = torn
    done = told(file, clip)
    assert (done["tracks_before"], done["tracks_after"]) == (31, 30)
    assert done["healing_stats"]["heals_successful"] == 1
    folder = file.parent / "healed"
    names = {path.name for path in folder.iterdir()}
    assert names == {"tracks.npz", "tracks.csv", "healing.json", "overlay.mp4"}
    healed = tc.Tracks.load(folder / "tracks.npz")
    error = np.linalg.norm(healed.xy_px[0] - truth[0], axis=-1)
    assert error[6:9].max() < 0.1
    assert error.max() < 0.2
    assert tc.Tracks.load(file).xy_px.shape[0] == 31, "what was given stays as it is"


def test_flags_reach_the_options(torn: tuple[Path, Path, np.ndarray]) -> None:
    file, clip, _ = torn
    done = told(file, clip, "--max-gap", 1, "--no-overlay", "-o", file.parent / "x")
    assert done["options"]["max_gap"] == 1
    assert done["healing_stats"]["heals_successful"] == 0
    assert not (file.parent / "x" / "overlay.mp4").exists()


def test_another_clip_is_an_error(torn: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    tc.Tracks.from_positions(np.zeros((1, 3, 2)), frame_size=(64, 48)).save(other)
    assert "64" in told(other, torn[1], code=1)["error"]["message"]
