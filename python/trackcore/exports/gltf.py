"""`gltf`: one binary glTF (.glb): a camera that moves, and the points.

Y up, cameras look along -z, seconds from the clip's first frame. A perspective camera of glTF has a
fixed field of view about the middle of the picture. The writer is ours: the file is one JSON
object and one block of numbers. Source: Khronos glTF 2.0 specification, "GLB File Format".
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from trackcore._files import replacing
from trackcore.exports.shot import Y_UP, Floats, Shot, camera_poses, offset_px, quaternions, zooms
from trackcore.solver import Solve

_FLOAT, _POINTS_MODE, _VERTICES = 5126, 0, 34962
_MAGIC, _VERSION, _JSON, _BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_NEAREST = 0.01


class _Block:
    """Arrays that an object refers to by index."""

    def __init__(self) -> None:
        self.data = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: Floats, kind: str, **view: int) -> int:
        """Append float32 values (n,) or (n, k); return the accessor's index."""
        array = np.ascontiguousarray(values, np.float32)
        rows = array.reshape(len(array), -1)
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes, **view}
        )
        self.accessors.append(
            {
                "bufferView": len(self.views) - 1, "componentType": _FLOAT, "count": len(array),
                "type": kind, "min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist(),
            }
        )  # fmt: skip
        self.data += array.tobytes()
        return len(self.accessors) - 1


def write(shot: Shot, path: Path) -> None:
    """Write nodes `Camera`, with its motion, and `Points`."""
    scene, data = _scene(shot.solve)
    text = json.dumps(scene, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = [struct.pack("<II", len(text), _JSON), text, struct.pack("<II", len(data), _BIN), data]
    size = 12 + sum(map(len, chunks))
    with replacing(path) as beside:
        beside.write_bytes(b"".join([struct.pack("<III", _MAGIC, _VERSION, size), *chunks]))


def lost(solve: Solve) -> list[str]:
    """Say what glTF cannot hold of this solve."""
    told = ["the grade and its reasons", "the clip and 2-D tracks"]
    if zooms(solve):
        told.append("the zoom: the camera has the median focal length")
    if solve.lens.bends:
        told.append("lens distortion")
    if any(np.abs(offset_px(solve)) > 1e-9):
        told.append("the principal point, which is taken as the frame's centre")
    return told


def _scene(solve: Solve) -> tuple[dict[str, Any], bytes]:
    block, solved = _Block(), solve.solved
    poses = camera_poses(solve, Y_UP)[solved]
    turned = quaternions(poses[:, :3, :3])[:, [1, 2, 3, 0]]  # x, y, z, w
    seconds = (solve.frame_numbers[solved] - solve.frame_numbers[0]) / solve.fps
    times = block.add(seconds, "SCALAR")
    outputs = {
        "translation": block.add(poses[:, :3, 3], "VEC3"),
        "rotation": block.add(turned, "VEC4"),
    }
    nodes: list[dict[str, Any]] = [
        {
            "name": "Camera", "camera": 0, "translation": poses[0, :3, 3].tolist(),
            "rotation": turned[0].tolist(),
        }
    ]  # fmt: skip
    scene: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "trackcore"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "cameras": [_camera(solve)],
        "animations": [
            {
                "name": "Camera",
                "samplers": [{"input": times, "output": n} for n in outputs.values()],
                "channels": [
                    {"sampler": i, "target": {"node": 0, "path": name}}
                    for i, name in enumerate(outputs)
                ],
            }
        ],
    }
    points = solve.points[solve.bundled] @ Y_UP.T
    if len(points):
        at = {"POSITION": block.add(points, "VEC3", target=_VERTICES)}
        scene["meshes"] = [{"primitives": [{"attributes": at, "mode": _POINTS_MODE}]}]
        nodes.append({"name": "Points", "mesh": 0})
        scene["scenes"][0]["nodes"] = [0, 1]
    scene["bufferViews"], scene["accessors"] = block.views, block.accessors
    scene["buffers"] = [{"byteLength": len(block.data)}]
    return scene, block.data


def _camera(solve: Solve) -> dict[str, Any]:
    w, h = solve.frame_size
    fy = solve.focal_px * solve.pixel_aspect
    perspective = {
        "yfov": 2 * math.atan(h / 2 / fy), "aspectRatio": w * solve.pixel_aspect / h,
        "znear": _NEAREST,
    }  # fmt: skip
    return {"type": "perspective", "perspective": perspective}
