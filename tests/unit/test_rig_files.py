"""Rigs in files: ours whole, others' with the names people use."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.unit.rigs import LENSES, before_the_rig, stereo_rig
from trackcore.cameras import metres_per

SIZE = (1920, 1080)


def as_stereo(unit_m: float) -> tuple[tc.StereoRig, dict[str, np.ndarray]]:
    """Return a rig in the left camera's frame, and its parts as OpenCV's functions give them."""
    rig = stereo_rig()
    rig = rig.with_world(rig.left.T_cam_world)
    T = rig.T_right_left
    lenses = [np.array([camera.distortion]) for camera in rig.cameras]
    parts = {"K1": rig.left.K, "D1": lenses[0], "K2": rig.right.K, "D2": lenses[1]}
    parts |= {"R": T[:3, :3], "T": T[:3, 3:] / unit_m}
    return rig, parts


def check_same(a: tc.StereoRig, b: tc.StereoRig) -> None:
    assert_allclose(a.T_right_left, b.T_right_left, atol=1e-9)
    X = before_the_rig(30)
    assert_allclose(a.project(X), b.project(X), atol=1e-6)
    assert a.left.size == b.left.size


@pytest.mark.parametrize("lens", LENSES)
def test_a_saved_rig_is_the_same_to_the_last_bit(tmp_path, lens):
    rig = stereo_rig(lens)
    clock = {"line_time_ns": 8123.4, "clock_offset_ns": -3.3e6, "clock_drift": 1.7e-5,
             "clock_reference_ns": 1_700_000_000_000_000_001, "name": "CAM-0017"}  # fmt: skip
    rig = tc.StereoRig(left=rig.left, right=replace(rig.right, **clock), frame=tc.PITCH_FRAME)
    tc.save_rig(tmp_path / "rig.json", rig)
    assert tc.load_rig(tmp_path / "rig.json") == rig
    record = json.loads((tmp_path / "rig.json").read_text())
    assert record["schema_version"] == "1.0.0"
    assert record["units"] == {"length": "m", "image": "px", "time": "ns"}
    assert record["frame"]["handedness"] == "left"


@pytest.mark.parametrize("suffix", [".yml", ".xml"])
@pytest.mark.parametrize("unit", ["m", "mm", "in"])
def test_opencvs_files_are_read(tmp_path, suffix, unit):
    cv2 = pytest.importorskip("cv2")
    rig, parts = as_stereo(metres_per(unit))
    path = tmp_path / f"stereo{suffix}"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in parts.items():
        storage.write(name, np.ascontiguousarray(value))
    storage.write("image_width", SIZE[0])
    storage.write("image_height", SIZE[1])
    storage.release()
    check_same(tc.load_rig(path, unit=unit), rig)


def test_opencvs_two_files_are_read_together(tmp_path):
    # Its stereo sample writes M and D to one file, R and T and the rectification to another.
    cv2 = pytest.importorskip("cv2")
    rig, parts = as_stereo(1.0)
    inside = {"M1": "K1", "D1": "D1", "M2": "K2", "D2": "D2"}
    outside = {"R": parts["R"], "T": parts["T"], "R1": np.eye(3), "R2": np.eye(3)}
    outside |= {"P1": np.eye(3, 4), "P2": np.eye(3, 4), "Q": np.eye(4)}
    for name, values in (
        ("intrinsics.yml", {k: parts[v] for k, v in inside.items()}), ("extrinsics.yml", outside),
    ):  # fmt: skip
        storage = cv2.FileStorage(str(tmp_path / name), cv2.FILE_STORAGE_WRITE)
        for key, value in values.items():
            storage.write(key, np.ascontiguousarray(value))
        storage.release()
    paths = [tmp_path / "intrinsics.yml", tmp_path / "extrinsics.yml"]
    check_same(tc.load_rig(paths, unit="m", size=SIZE), rig)


@pytest.mark.parametrize(
    "names",
    [
        ("mtx_left", "dist_left", "mtx_right", "dist_right"),
        ("K_left", "dist_left", "K_right", "dist_right"),
        ("K1", "D1", "K2", "D2"),
        ("mtxL", "distL", "mtxR", "distR"),
        ("cameraMatrix1", "distCoeffs1", "cameraMatrix2", "distCoeffs2"),
        ("camera_matrix_left", "dist_coeffs_left", "camera_matrix_right", "dist_coeffs_right"),
        ("left_K", "left_dist", "right_K", "right_dist"),
        ("K0", "dist0", "K1", "dist1"),
        ("cam0_K", "cam0_dist", "cam1_K", "cam1_dist"),
        ("M1", "d1", "M2", "d2"),
    ],
)
def test_archives_are_read_whatever_the_usual_names(tmp_path, names):
    rig, parts = as_stereo(0.001)
    values = [parts[k] for k in ("K1", "D1", "K2", "D2")]
    path = tmp_path / "stereo_calibration.npz"
    np.savez(
        path, R=parts["R"], T=parts["T"], img_size=SIZE, **dict(zip(names, values, strict=True))
    )
    check_same(tc.load_rig(path, unit="mm"), rig)


def test_an_archive_for_each_camera_with_its_pose(tmp_path):
    rig = stereo_rig()
    for name, camera in (("left", rig.left), ("right", rig.right)):
        T = camera.T_cam_world
        np.savez(tmp_path / f"{name}.npz", mtx=camera.K, dist=np.array(camera.distortion),
                 R=T[:3, :3], T=T[:3, 3] / 0.3048)  # fmt: skip
    paths = [tmp_path / "left.npz", tmp_path / "right.npz"]
    found = tc.load_rig(paths, unit="ft", size=SIZE)
    check_same(found, rig)
    assert_allclose(found.left.T_cam_world, rig.left.T_cam_world, atol=1e-12)


def test_a_pose_of_each_camera_in_one_archive(tmp_path):
    rig, entries = stereo_rig(), {}
    for name, camera in (("left", rig.left), ("right", rig.right)):
        entries[f"K_{name}"], entries[f"dist_{name}"] = camera.K, camera.distortion
        entries[f"R_{name}"] = camera.T_cam_world[:3, :3]
        entries[f"T_{name}"] = camera.T_cam_world[:3, 3]
    np.savez(tmp_path / "rig.npz", **entries)
    check_same(tc.load_rig(tmp_path / "rig.npz", unit="m", size=SIZE), rig)


def test_groups_in_json_are_read(tmp_path):
    rig, parts = as_stereo(1.0)
    record = {
        "left": {"K": parts["K1"].tolist(), "dist": parts["D1"].ravel().tolist()},
        "right": {"K": parts["K2"].tolist(), "dist": parts["D2"].ravel().tolist()},
        "R": parts["R"].tolist(), "T": parts["T"].ravel().tolist(), "image_size": list(SIZE),
    }  # fmt: skip
    (tmp_path / "rig.json").write_text(json.dumps(record))
    check_same(tc.load_rig(tmp_path / "rig.json", unit="m"), rig)


def test_what_a_file_does_not_say_must_be_said(tmp_path):
    _, parts = as_stereo(1.0)
    path = tmp_path / "rig.npz"
    np.savez(path, **parts)
    with pytest.raises(tc.InputError, match="unit: expected the unit of lengths"):
        tc.load_rig(path)
    with pytest.raises(tc.InputError, match=r"size: expected \(w, h\) of the left picture"):
        tc.load_rig(path, unit="m")
    np.savez(path, K1=parts["K1"])
    with pytest.raises(tc.InputError, match=r"camera matrices of two cameras .* found K1"):
        tc.load_rig(path, unit="m")
    np.savez(path, K1=parts["K1"], K2=parts["K2"], R=parts["R"])
    with pytest.raises(tc.InputError, match="expected R and T from the left camera"):
        tc.load_rig(path, unit="m", size=SIZE)


@pytest.mark.parametrize(
    ("name", "text"),
    [("rig.json", "{"), ("rig.json", "[]"), ("rig.yml", "%YAML:1.0\n- {"), ("rig.xml", "no"),
     ("rig.npz", "no"), ("rig.txt", "")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(tc.InputError, match="path: expected"):
        tc.load_rig(tmp_path / name, unit="m", size=SIZE)
    with pytest.raises(tc.InputError, match="path: expected a file, there is none at"):
        tc.load_rig(tmp_path / "none.npz", unit="m")


@pytest.mark.parametrize(
    "change", [{"schema_version": "2.0.0"}, {"units": {"length": "ft"}}, {"left": {}}]
)
def test_a_record_of_another_kind_is_refused(tmp_path, change):
    tc.save_rig(tmp_path / "rig.json", stereo_rig())
    record = json.loads((tmp_path / "rig.json").read_text()) | change
    (tmp_path / "rig.json").write_text(json.dumps(record))
    with pytest.raises(tc.RecordError, match="expected"):
        tc.load_rig(tmp_path / "rig.json")
