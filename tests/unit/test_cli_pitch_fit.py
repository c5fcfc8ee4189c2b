"""`trackcore pitch fit` and `calibrate`: files in; numbers, a rig and pictures out."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import trackcore as tc
from tests.cli import only_json, run
from trackcore.cameras import PITCH_FRAME, WORLD, home_plate_ft
from trackcore.cameras.io import load_rig, save_rig

pytest.importorskip("cv2")

RIG = tc.lane_rig()
FLIGHT = tc.synth.fly(tc.synth.random_throw(2))
SEEN = tc.synth.see_pitch(RIG, FLIGHT, seed=2, clock_offset_s=0.004)
SIDES = (("left", SEEN.left_t_ns, SEEN.left_px), ("right", SEEN.right_t_ns, SEEN.right_px))
INCH = 0.0254


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty current folder with a rig, and no time spent on pictures."""
    monkeypatch.chdir(tmp_path)
    save_rig("rig.json", RIG)
    monkeypatch.setattr(
        "trackcore.cli_pitch.fit.write_pitch_picture", lambda path, *_, **__: path.touch() or path
    )
    return tmp_path


def table(path, rows=SIDES):
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("camera", "t_ns", "u_px", "v_px"))
        for side, t_ns, xy in rows:
            lines.writerows((side, t, *uv) for t, uv in zip(t_ns, xy.tolist(), strict=True))
    return path


def test_a_table_of_sightings_is_fitted_with_deviations(folder):
    told = only_json(run("pitch", "fit", table(folder / "p.csv"), "--rig", "rig.json", "--json"))
    truth = FLIGHT.crossing(0.0)[1]
    assert (told["command"], told["outcome"]) == ("pitch fit", "done")
    crossing = told["documented"]["trajectory"]["plate_crossing_xyz_ft"]
    assert crossing[0] * 12 == pytest.approx(truth[0] / INCH, abs=0.2)
    assert crossing[1] * 12 == pytest.approx(truth[1] / INCH, abs=0.2)
    assert told["documented"]["diagnostics"]["clock_offset_ms"] == pytest.approx(4.0, abs=0.3)
    numbers = {n["name"]: n for n in told["numbers"]}
    assert 0 < numbers["across the plate"]["sigma"] < 0.2
    assert sorted(told["files"]) == ["fit", "picture"]
    assert (
        json.loads((folder / "fit.json").read_text(encoding="utf-8"))["documented"]
        == told["documented"]
    )


def test_documented_files_are_read_and_a_right_stamp_is_used_where_there_is_one(folder):
    rows = [
        {"timestamp_ns": int(t), "left_px": left.tolist(),
         "right_px": RIG.right.project(FLIGHT.at([(t - SEEN.release_ns) * 1e-9])[0])[0].tolist()}
        for t, left in zip(SEEN.left_t_ns, SEEN.left_px, strict=True)
    ]  # fmt: skip
    for name, late in (("together", 0), ("apart", 2_000_000)):
        told = [{**r, "right_timestamp_ns": r["timestamp_ns"] - late} for r in rows]
        record = {"observations": told if late else rows}
        (folder / f"{name}.json").write_text(json.dumps(record))
        result = only_json(
            run("pitch", "fit", f"{name}.json", "--rig", "rig.json", "-o", name, "--json")
        )
        clock = result["documented"]["diagnostics"]["clock_offset_ms"]
        assert clock == pytest.approx(late * 1e-6, abs=0.1)
    for side, t_ns, xy in SIDES:
        found = [{"timestamp_ns": int(t), "u_px": u, "v_px": v, "confidence": 0.9}
                 for t, (u, v) in zip(t_ns, xy.tolist(), strict=True)]  # fmt: skip
        found.append({**found[0], "u_px": 5.0, "confidence": 0.1})  # a stray in the same frame
        (folder / f"{side}.json").write_text(json.dumps({"detections": found}))
    told = only_json(run("pitch", "fit", "left.json", "right.json", "--rig", "rig.json", "--json"))
    assert told["documented"]["diagnostics"]["outliers"] == 0
    assert told["sightings"]["left"] == len(SEEN.left_t_ns)


def test_without_a_plate_there_are_places_and_gravity_and_that_is_no_fault(folder):
    save_rig("plain.json", RIG.with_world(RIG.left.T_cam_world, WORLD))
    table(folder / "p.csv")
    told = only_json(run("pitch", "fit", "p.csv", "--rig", "plain.json", "--json"))
    assert told["outcome"] == "done"
    names = [n["name"] for n in told["numbers"]]
    assert "acceleration across" in names
    assert "strike probability" not in names
    assert told["documented"]["is_strike"] is None


def test_too_few_sightings_are_no_fit_and_said_so(folder):
    few = [(side, t[:2], xy[:2]) for side, t, xy in SIDES]
    result = run("pitch", "fit", table(folder / "p.csv", few), "--rig", "rig.json", code=4)
    assert "too few sightings" in result.stderr
    assert json.loads((folder / "fit.json").read_text(encoding="utf-8"))["flight"] is None


def test_what_is_no_table_of_sightings_is_named(folder):
    (folder / "p.csv").write_text("camera,t_ns,u_px\nleft,1,2\n")
    (folder / "q.json").write_text('{"pitch": 1}')
    (folder / "r.csv").write_text("camera,t_ns,u_px,v_px\nmiddle,1,2,3\n")
    for name, words in (("p.csv", "v_px"), ("q.json", "observations"), ("r.csv", "middle")):
        assert words in run("pitch", "fit", name, "--rig", "rig.json", code=1).stderr


def test_opencvs_boards_are_calibrated_and_their_squares_have_their_size(shared_data, folder):
    data = shared_data("opencv_stereo_chess")
    told = only_json(
        run("pitch", "calibrate", data / "left##.jpg", data / "right##.jpg", "--unit", "in",
            "-o", "rig", "--json")
    )  # fmt: skip
    found = told["calibration"]
    assert found["pairs_used"] == 13
    assert abs(found["square_ratio_mean"] - 1.0) <= 0.002
    assert found["square_ratio_spread"] <= 0.002
    assert [view["number"] for view in found["views"]] == [*range(1, 10), 11, 12, 13, 14]
    assert all(0.1 < view["left_rms_px"] < 0.35 for view in found["views"])
    rig = load_rig(folder / "rig" / "rig.json")
    assert rig.baseline_m == pytest.approx(told["rig"]["baseline_m"])
    assert rig.baseline_m == pytest.approx(3.33 * INCH, rel=0.01)
    assert (folder / "rig" / "calibration.png").stat().st_size > 10_000


def test_plate_corners_put_a_rig_into_the_world_of_pitches(folder):
    turned = RIG.with_world(RIG.left.T_cam_world, WORLD)
    save_rig("plain.json", turned)
    corners = RIG.project(PITCH_FRAME.to_world(home_plate_ft()))
    low = RIG.project(PITCH_FRAME.to_world([[3.0, 0.0, 60.5], [-3.0, 5.0, 30.0]]))
    with (folder / "survey.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(
            ["name", "X_ft", "Y_ft", "Z_ft", "left_u_px", "left_v_px", "right_u_px", "right_v_px"]
        )
        places = [*home_plate_ft().tolist(), [3.0, 0.0, 60.5], [-3.0, 5.0, 30.0]]
        for i, (X, uv) in enumerate(zip(places, np.concatenate([corners, low]), strict=True)):
            lines.writerow((f"mark {i}", *X, *uv.ravel()))
    told = only_json(
        run("pitch", "calibrate", "--rig", "plain.json", "--survey", "survey.csv", "--json")
    )
    assert told["world"]["rms_px"] < 1e-6
    placed = load_rig("pitch-rig/rig.json")
    np.testing.assert_allclose(placed.left.center_world, RIG.left.center_world, atol=1e-6)
    assert placed.frame == PITCH_FRAME


def test_pictures_without_a_board_end_with_nothing_found(folder):
    cv2 = pytest.importorskip("cv2")
    grey = np.random.default_rng(0).integers(0, 255, (120, 160), np.uint8)
    for side in ("left", "right"):
        (folder / side).mkdir()
        for i in (1, 2, 3):
            cv2.imwrite(str(folder / side / f"{i}.png"), grey)
    result = run("pitch", "calibrate", "left", "right", "--unit", "mm", code=4)
    assert "0 of 3 pairs show the board" in result.stderr
    assert not (folder / "pitch-rig").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["left", "right"], "unit"), (["left"], "LEFT RIGHT"), ([], "LEFT RIGHT")],
)
def test_calibrate_says_what_it_lacks(words, said):
    assert said in run("pitch", "calibrate", *words, code=1).stderr


def test_every_verb_shows_an_example():
    shown = run("pitch", "--help").stdout
    for verb in ("calibrate", "fit"):
        assert verb in shown
        assert f"trackcore pitch {verb}" in run("pitch", verb, "--help").stdout
