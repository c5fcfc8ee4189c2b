"""Runs in a Python that has bpy: opens an export and says where it puts its points.

`python in_blender.py KIND FILE OUT.json`; KIND is script, blend, alembic or gltf, or
solve: a script whose tracks Blender is then to solve.
"""

import json
import runpy
import sys

import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

SCRIPTS = ("script", "solve")
IMPORTERS = {
    "alembic": lambda file: bpy.ops.wm.alembic_import(filepath=file, as_background_job=False),
    "gltf": lambda file: bpy.ops.import_scene.gltf(filepath=file),
}


def opened(kind, file):
    """Open an export; return the scene it is in."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if kind in SCRIPTS:
        before = set(bpy.data.scenes)
        runpy.run_path(file)
        return next(iter(set(bpy.data.scenes) - before))
    if kind == "blend":
        bpy.ops.wm.open_mainfile(filepath=file)
    else:
        IMPORTERS[kind](file)
    return bpy.context.scene


def vertices():
    """World positions of the points, of whatever kind of object an importer makes."""
    there = next(o for o in bpy.data.objects if o.type in ("MESH", "POINTCLOUD"))
    data = there.data
    items = data.vertices if there.type == "MESH" else data.points
    return [there.matrix_world @ Vector(item.co) for item in items]


def undistorted(scene, clip):
    """Where Blender takes markers to be without the lens, by frame: [name, x, y] from a constraint.

    The constraint puts an object on the marker's undistorted ray, in the view of a camera without
    shift or lens.
    """
    lens = bpy.data.cameras.new("plain")
    camera = bpy.data.objects.new("plain", lens)
    scene.collection.objects.link(camera)
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", clip.tracking.camera.sensor_width
    lens.lens = clip.tracking.camera.focal_length
    found = {}
    empties = []
    for track in clip.tracking.tracks:
        empty = bpy.data.objects.new(f"on {track.name}", None)
        scene.collection.objects.link(empty)
        follow = empty.constraints.new("FOLLOW_TRACK")
        follow.clip, follow.camera, follow.track = clip, camera, track.name
        follow.use_3d_position, follow.use_undistorted_position = False, True
        empty.location = (0, 0, -5)
        empties.append((track, empty))
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        view = camera.evaluated_get(graph)
        rows = []
        for track, empty in empties:
            marker = track.markers.find_frame(frame - clip.frame_start + 1)
            if marker is None or marker.mute:
                continue
            at = empty.evaluated_get(graph).matrix_world.translation
            rows.append([track.name, *world_to_camera_view(scene, view, at)])
        found[frame] = rows
    return found


def solver_error(clip, first, last):
    """Solve the camera from the clip's tracks, lens and focal length as they are [px]."""
    window = bpy.context.window
    area = max(window.screen.areas, key=lambda a: a.width * a.height)
    area.type = "CLIP_EDITOR"
    space = area.spaces.active
    space.clip, space.mode = clip, "TRACKING"
    region = next(r for r in area.regions if r.type == "WINDOW")
    tracking = clip.tracking
    tracking.settings.use_keyframe_selection = False
    tracking.objects.active.keyframe_a, tracking.objects.active.keyframe_b = first, last
    with bpy.context.temp_override(
        window=window, screen=window.screen, area=area, region=region, space_data=space
    ):
        bpy.ops.clip.solve_camera()
    return tracking.reconstruction.average_error


def told(scene, clip):
    """Say how the scene is set."""
    render, tracks = scene.render, {}
    if clip is not None:
        for track in clip.tracking.tracks:
            marks = [(m.frame, *m.co) for m in track.markers if not m.mute]
            tracks[track.name] = marks
    camera = scene.camera
    return {
        "fps": render.fps / render.fps_base,
        "frames": [scene.frame_start, scene.frame_end],
        "size": [render.resolution_x, render.resolution_y],
        "aspect": [render.pixel_aspect_x, render.pixel_aspect_y],
        "timeline": [[m.name, m.frame] for m in scene.timeline_markers],
        "empties": [o.name for o in bpy.data.objects if o.type == "EMPTY"],
        "shown": [b.clip.filepath for b in camera.data.background_images if b.clip],
        "clip": clip and [clip.filepath, clip.frame_start, clip.source, list(clip.size)],
        "tracks": tracks,
    }


def main(kind, file, out):
    """Open the export and write what is seen."""
    scene = opened(kind, file)
    clip = scene.active_clip
    camera = scene.camera or next(o for o in bpy.data.objects if o.type == "CAMERA")
    said = told(scene, clip) if kind in (*SCRIPTS, "blend") else {}
    if kind in (*SCRIPTS, "blend"):
        action = camera.animation_data.action
        if hasattr(action, "fcurves"):
            keys = action.fcurves
        else:  # from Blender 5 on
            keys = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
        said["keys"] = sorted({int(k.co[0]) for c in keys for k in c.keyframe_points})
    views = {}
    first, last = (int(f) for f in sys.argv[4:6]) if len(sys.argv) > 4 else (1, 0)
    for frame in range(first, last + 1):
        scene.frame_set(frame)
        # a scene that no window has shown yet is up to date in its evaluated copy only
        now = camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        views[frame] = [list(world_to_camera_view(scene, now, X)) for X in vertices()]
    said["views"] = views
    if clip is not None:
        said["undistorted"] = undistorted(scene, clip)
        if kind == "solve":
            said["solver_error_px"] = solver_error(clip, first, last)
    with open(out, "w") as file:  # noqa: PTH123
        json.dump(said, file)


if __name__ == "__main__":
    main(*sys.argv[1:4])
