"""The documented calibration files: what they say is the rig, whatever a gate looks like."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.unit.pitch_windows import rig
from trackcore import InputError
from trackcore.errors import RecordError
from trackcore.recording.calibration import (
    read_calibration,
    read_geometry,
    read_intrinsics,
    read_rois,
)

LANE = [[10, 20], [600, 20], [600, 300]]


def told(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_the_five_files_say_what_the_rig_is(tmp_path):
    made = rig()
    folder = tc.export_calibration_metadata(
        session_dir=tmp_path, stereo=made, left_camera_id="L7", right_camera_id="R9",
        lane_gate=SimpleNamespace(polygon=LANE), plate_gate={"right": LANE},
    )  # fmt: skip
    geometry = told(folder, "stereo_geometry")
    centers = [np.linalg.inv(c.T_cam_world)[:3, 3] for c in made.cameras]
    assert geometry["baseline_ft"] == pytest.approx(
        np.linalg.norm(centers[0] - centers[1]) / 0.3048
    )
    assert geometry["camera_height_ft"] == pytest.approx(2.74 / 0.3048)
    assert geometry["distance_to_plate_ft"] == pytest.approx(4.88 / 0.3048, rel=0.02)
    for side, camera, name in zip(("left", "right"), made.cameras, ("L7", "R9"), strict=True):
        said = told(folder, f"intrinsics_{side}")
        assert said["camera_id"] == name
        assert [said["fx"], said["fy"], said["cx"], said["cy"]] == [
            camera.K[0, 0], camera.K[1, 1], camera.K[0, 2], camera.K[1, 2]
        ]  # fmt: skip
        assert {"distortion_k1", "distortion_k2"} <= said.keys()
    rois = told(folder, "roi_annotations")
    assert rois["lane_gate_polygon"] == rois["lane_gate_polygons"]["right"] == LANE
    assert rois["plate_gate_polygons"] == {"right": LANE}
    zone = told(folder, "strike_zone_definition")
    corners = [zone[f"{v}_{h}_ft"] for v in ("top", "bottom") for h in ("left", "right")]
    assert_allclose([c[0] for c in corners], np.array([-8.5, 8.5, -8.5, 8.5]) / 12)
    assert corners[0][1] == pytest.approx(66 * 0.5 / 12)
    assert corners[2][1] == pytest.approx(66 * 0.27 / 12)


def test_what_was_written_reads_back(tmp_path):
    made = rig()
    zone = tc.StrikeZone(bottom_m=0.5, top_m=1.0)
    tc.export_calibration_metadata(tmp_path, made, "L", "R", strike_zone=zone)
    again, zoned = read_calibration(tmp_path)
    assert_allclose(again.P_img_world, made.P_img_world)
    assert (zoned.bottom_m, zoned.top_m) == pytest.approx((0.5, 1.0))
    assert read_intrinsics(tmp_path)["left"].fx == made.left.K[0, 0]
    assert read_geometry(tmp_path).baseline_ft == pytest.approx(made.baseline_m / 0.3048)
    assert read_calibration(tmp_path / "none") == (None, None)
    assert read_geometry(tmp_path / "none") is None


def test_without_lanes_the_whole_picture_is_the_lane_and_says_so(tmp_path):
    made = rig()
    folder = tc.export_calibration_metadata(tmp_path, made, "L", "R")
    assert len(list(folder.glob("*.json"))) == 6
    rois = told(folder, "roi_annotations")
    whole = [[0, 0], [639, 0], [639, 359], [0, 359]]
    assert rois["lane_gate_polygon"] == rois["lane_gate_polygons"]["right"] == whole
    assert set(rois["lane_gate_sources"].values()) == {"whole_picture"}
    assert "plate_gate_polygons" not in rois
    assert read_rois(tmp_path).lanes == {}
    tc.export_calibration_metadata(tmp_path, made, "L", "R", lane_gate={"left": LANE})
    assert read_rois(tmp_path).lanes == {"left": [(10, 20), (600, 20), (600, 300)]}
    assert told(folder, "roi_annotations")["lane_gate_polygons"]["right"] == whole


@pytest.mark.parametrize("name", ["stereo_geometry", "intrinsics_left"])
def test_a_file_that_is_none_is_refused_by_name(tmp_path, name):
    folder = tc.export_calibration_metadata(tmp_path, rig(), "L", "R")
    (folder / f"{name}.json").write_text("{}")
    read = read_geometry if name == "stereo_geometry" else read_intrinsics
    with pytest.raises(RecordError, match=rf"{name}.json: expected"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("gate", "message"),
    [([[0, 0], [1, 1]], r"lane_gate: expected corners .* got shape \(2, 2\)"),
     ({"left": [[0, 0, 0]] * 3}, r"lane_gate\['left'\]: expected corners"),
     (SimpleNamespace(polygon=[[0, 0], [1, float("nan")], [1, 1]]),
      "lane_gate: expected corners without")],
)  # fmt: skip
def test_a_gate_that_is_none_is_refused(tmp_path, gate, message):
    with pytest.raises(InputError, match=message):
        tc.export_calibration_metadata(tmp_path, rig(), "L", "R", lane_gate=gate)
    with pytest.raises(InputError, match="stereo: expected a StereoRig, got int"):
        tc.export_calibration_metadata(tmp_path, 7, "L", "R")
