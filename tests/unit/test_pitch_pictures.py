"""Pictures of pitches: they show what is known, and nothing else."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pitch_windows
from trackcore._cv2 import load_cv2
from trackcore.cameras import WORLD
from trackcore.cli_pitch.sightings import observe
from trackcore.pitch_report import SessionReport, write_pitch_picture
from trackcore.pitch_report.numbers import Number, evidence, pitch_numbers, status_words
from trackcore.pitch_report.strobe import strobe
from trackcore.pitch_report.views import PitchView

pytest.importorskip("cv2")

FOOT, INCH, MPH = 0.3048, 0.0254, 0.44704


@pytest.fixture(scope="module")
def made():
    return pitch_windows.small()


def said(numbers) -> dict[str, Number]:
    return {number.name: number for number in numbers}


def picture(path: Path) -> np.ndarray:
    image = load_cv2().imread(str(path))
    assert image is not None
    return np.asarray(image)


def test_rendered_pitches_are_fitted_as_they_were_thrown(made):
    _, windows = made
    assert [w.fit.status for w in windows] == [tc.PitchStatus.OK] * 2
    scene = tc.synth.PitchScene(pitch_windows.rig(), 3, n_pitches=2, before_s=0.2, after_s=0.2)
    for window, truth in zip(windows, scene.truth()["pitches"], strict=True):
        x, y = window.fit.plate.X_world[:2] / INCH
        assert abs(x - truth["plate_x_in"]) < 0.15
        assert abs(y - truth["plate_y_in"]) < 0.15
        assert abs(window.fit.at_50ft.speed / MPH - truth["speed_50ft_mph"]) < 0.5
        assert abs(window.fit.clock_offset_s - scene.clock_offset_s) < 0.3e-3


def test_a_frame_is_the_same_whatever_was_rendered_before():
    scene = tc.synth.PitchScene(pitch_windows.rig(), 5, n_pitches=1)
    seen = np.flatnonzero(np.isfinite(scene.films["left"].xy_px[:, 0]))
    later = scene.frame("left", int(seen[-1]))
    first = scene.frame("left", int(seen[0]))
    again = tc.synth.PitchScene(pitch_windows.rig(), 5, n_pitches=1)
    np.testing.assert_array_equal(first, again.frame("left", int(seen[0])))
    x, y = scene.films["left"].xy_px[seen[-1]].round().astype(int)
    assert later[y, x] > first[y, x] + 50


def test_numbers_are_the_fits_in_the_documented_units(made):
    _, windows = made
    fit = windows[0].fit
    numbers = said(pitch_numbers(fit, plate=True))
    documented = fit.documented()
    assert numbers["speed at 50 ft"].value == pytest.approx(documented["speed_50ft_mph"])
    assert numbers["horizontal break"].value == pytest.approx(documented["HB_in"])
    assert numbers["above the ground"].value == pytest.approx(fit.plate.X_world[1] / INCH)
    assert numbers["release, height"].value == pytest.approx(documented["release_xyz_ft"][1])
    assert numbers["speed at 50 ft"].spread.startswith("± 0.0")
    assert said(evidence(windows[0]))["frames lost"].text == "1"


def test_what_is_not_known_is_a_dash_without_a_deviation():
    assert Number("speed", np.nan, 1.0, "mph").text == "–"  # noqa: RUF001
    assert Number("speed", np.nan, 1.0, "mph").spread == ""
    assert Number("speed", 90.04, np.nan, "mph").spread == ""
    assert Number("across", -0.04, 0.3, "in", 1).text == "0.0 in"


def test_without_a_plate_acceleration_across_the_flight_is_a_sanity_figure_for_gravity():
    rig = pitch_windows.rig()
    away = rig.with_world(rig.left.T_cam_world, WORLD)
    flight = tc.synth.fly(tc.synth.Throw(release=(0, 1.8, -16.5), velocity=(0, 0.3, 40.0)))
    seen = tc.synth.see_pitch(rig, flight, seed=0, noise_px=0.02)
    fit = tc.fit_pitch(
        away, tc.Sightings(seen.left_t_ns, seen.left_px),
        tc.Sightings(seen.right_t_ns, seen.right_px),
    )  # fmt: skip
    numbers = said(pitch_numbers(fit, plate=False))
    assert numbers["acceleration across"].value == pytest.approx(9.8, abs=0.3)
    assert status_words(fit, plate=False) == "fitted; no plate is known"


def test_the_strobe_shows_the_ball_where_it_was_seen(made):
    _, windows = made
    window = windows[0]
    whole = strobe(window, "left")
    first = window.frames["left"][0].image
    x, y = window.pitch.left.xy_px[-1].round().astype(int)
    assert whole[y, x].min() > 150 > first[y, x]
    assert strobe(dataclasses.replace(window, frames={"left": (), "right": ()}), "left") is None


def test_the_path_that_is_drawn_runs_through_the_sightings(made):
    rig, windows = made
    view = PitchView(windows[0], rig)
    for side in ("left", "right"):
        path = view.path_px(side)
        path = path[np.isfinite(path[:, 0])]
        for place in view.sightings(side).xy_px:
            assert np.linalg.norm(path - place, axis=1).min() < 5.0
    assert view.unit == "ft"
    assert view.seen[:, 2].max() > 40


def test_pictures_are_written_of_a_pitch_without_a_fit_and_of_one_without_a_plate(made, tmp_path):
    pytest.importorskip("matplotlib")
    rig, windows = made
    bare = dataclasses.replace(windows[0], fit=None, frames={"left": (), "right": ()})
    away = rig.with_world(rig.left.T_cam_world, WORLD)
    shown = [
        picture(write_pitch_picture(tmp_path / f"{i}.png", window, one))
        for i, (window, one) in enumerate([
            (bare, rig), (pitch_windows.seen_from(away, windows[0]), away)
        ])
    ]  # fmt: skip
    for image in shown:
        assert min(image.shape[:2]) > 900
        assert image.std() > 10
    assert np.abs(shown[0].astype(int) - shown[1]).mean() > 5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.png", "1.png"]


def test_without_matplotlib_the_message_says_what_to_install(made, tmp_path, monkeypatch):
    rig, windows = made
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(tc.DependencyError, match=r"trackcore\[plot\]"):
        write_pitch_picture(tmp_path / "pitch.png", windows[0], rig)
    assert not list(tmp_path.iterdir())


def test_the_report_is_one_file_that_holds_everything_and_no_nan(made, tmp_path):
    rig, windows = made
    report = SessionReport(rig, title="a session")
    for window in windows:
        report.add(window)
    text = report.write(tmp_path / "report.html", notes=(("camera", "made"),)).read_text(
        encoding="utf-8"
    )
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert "http://" not in text.split('id="contents"')[1].split("</script>")[0]
    assert "NaN" not in text.split('id="contents"')[1].split("</script>")[0]
    assert text.count("data:image/") > 20
    for window in windows:
        assert window.pitch_id in text


def test_places_of_a_fit_without_footage_lie_on_its_path(made):
    rig, windows = made
    window = windows[0]
    places = observe(rig, window.pitch.left, window.pitch.right, window.fit)
    t = np.array([o.t_ns for o in places])
    truth = window.fit.at_times(rig.left.common_time_ns(t))[0]
    off = np.linalg.norm(np.array([o.X_world for o in places]) - truth, axis=1)
    assert len(places) >= len(window.pitch.left) - 2
    assert np.median(off) < 0.05
