"""Builds a tracked shot in Blender: camera, points, clip, tracks.

This file is the text of every exported script, which adds its data at the end. It needs nothing
but Blender: `blender --python FILE`, or open it in the text editor and run it. After `--` it takes
`--save FILE.blend`, `--alembic FILE.abc` and `--base FOLDER` (where a relative clip is looked for),
and then starts from an empty file. World: x right, y forward, z up.
"""

# The package is not installed in Blender: only bpy and the standard library here.
from __future__ import annotations

import sys
from pathlib import Path

try:
    import bpy
    from mathutils import Matrix
except ImportError:
    bpy = None

MOST_EMPTIES = 1000  # a mesh of vertices holds all points; empties are slow beyond this
BROWN = ("brown_k1", "brown_k2", "brown_p1", "brown_p2", "brown_k3")
COEFFICIENTS = {
    "NONE": (),
    "POLYNOMIAL": ("k1", "k2", "k3"),
    "DIVISION": ("division_k1", "division_k2"),
    "NUKE": ("nuke_k1", "nuke_k2"),
    "BROWN": BROWN,
}


def build(data, base):
    """Make a scene of `data`; return it and its clip, which is None where it is not found."""
    scene = make_scene(data)
    camera = make_camera(scene, data)
    make_points(scene, data)
    clip = make_clip(scene, camera, data, base)
    if clip is not None:
        make_tracks(clip, data)
    if bpy.context.window is not None:
        bpy.context.window.scene = scene
    scene.frame_set(scene.frame_start)
    return scene, clip


def make_scene(data):
    """Make a scene with the clip's size, rate and frames; timeline markers say what is unsolved."""
    scene = bpy.data.scenes.new(data["name"])
    render = scene.render
    render.resolution_x, render.resolution_y = data["frame_size"]
    render.resolution_percentage = 100
    aspect = data["pixel_aspect"]  # Blender wants both to be at least 1
    render.pixel_aspect_x, render.pixel_aspect_y = max(aspect, 1), max(1 / aspect, 1)
    render.fps = max(1, round(data["fps"]))
    render.fps_base = render.fps / data["fps"]
    scene.frame_start, scene.frame_end = data["first_frame"], data["last_frame"]
    for first, last in data["unsolved"]:
        name = f"unsolved {first}" if first == last else f"unsolved {first}-{last}"
        scene.timeline_markers.new(name, frame=first)
    return scene


def make_camera(scene, data):
    """Make the camera, with a key on every solved frame."""
    lens = bpy.data.cameras.new("Camera")
    camera = bpy.data.objects.new("Camera", lens)
    scene.collection.objects.link(camera)
    scene.camera = camera
    lens.sensor_fit = "HORIZONTAL"
    lens.sensor_width, lens.sensor_height = data["sensor_mm"]
    lens.shift_x, lens.shift_y = data["shift"]
    lens.clip_start, lens.clip_end = data["clip_range"]
    camera.rotation_mode = "QUATERNION"
    edit = bpy.context.preferences.edit
    before, edit.keyframe_new_interpolation_type = edit.keyframe_new_interpolation_type, "LINEAR"
    for frame, location, rotation, focal_mm in data["cameras"]:
        camera.location, camera.rotation_quaternion = location, rotation
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_quaternion", frame=frame)
        lens.lens = focal_mm
        if data["zooms"]:
            lens.keyframe_insert("lens", frame=frame)
    edit.keyframe_new_interpolation_type = before
    return camera


def make_points(scene, data):
    """Make a mesh with a vertex for each point, and an empty of its track's name."""
    names, places = data["point_names"], data["points"]
    mesh = bpy.data.meshes.new("Points")
    mesh.from_pydata(places, [], [])
    scene.collection.objects.link(bpy.data.objects.new("Points", mesh))
    if len(places) > MOST_EMPTIES:
        return
    tracks = bpy.data.collections.new("Tracks")
    scene.collection.children.link(tracks)
    for name, place in zip(names, places):  # noqa: B905 (also in Blender 2.8)
        empty = bpy.data.objects.new(name, None)
        empty.empty_display_size = data["empty_size"]
        empty.matrix_world = Matrix.Translation(place)
        tracks.objects.link(empty)


def make_clip(scene, camera, data, base):
    """Load the clip, tell it the lens and show it behind the camera's view."""
    if data["clip"] is None:
        return None
    path = Path(base) / data["clip"]  # an absolute one stays as it is
    try:
        clip = bpy.data.movieclips.load(str(path))
    except RuntimeError:
        sys.stderr.write(f"trackcore: no clip at {path}: the scene is made without it\n")
        return None
    clip.frame_start = data["clip_start"]
    set_lens(clip.tracking.camera, data)
    scene.active_clip = clip
    behind = camera.data.background_images.new()
    camera.data.show_background_images = True
    behind.source, behind.clip, behind.alpha = "MOVIE_CLIP", clip, 1.0
    behind.clip_user.use_render_undistorted = any(data["lens"])
    return clip


def set_lens(camera, data):
    """Set a clip's camera: sensor, focal length, centre, distortion."""
    camera.sensor_width = data["sensor_mm"][0]
    camera.pixel_aspect = data["pixel_aspect"]
    camera.units = "MILLIMETERS"
    camera.focal_length = data["focal_mm"]
    if hasattr(camera, "principal_point_pixels"):
        camera.principal_point_pixels = data["principal_point"]
    else:  # before Blender 3.5
        camera.principal = data["principal_point"]
    model = data["lens_model"]
    if model != "NONE":
        camera.distortion_model = model
    for name, value in zip(COEFFICIENTS[model], data["lens"]):  # noqa: B905
        setattr(camera, name, value)


def make_tracks(clip, data):
    """Make the tracks, muted in the frames after they were lost."""
    for name, frames, places in data["tracks"]:
        track = clip.tracking.tracks.new(name=name, frame=frames[0])
        track.markers[0].co = places[0]
        for i in range(1, len(frames)):
            if frames[i] > frames[i - 1] + 1:
                track.markers.insert_frame(frames[i - 1] + 1, co=places[i - 1]).mute = True
            track.markers.insert_frame(frames[i], co=places[i])
        track.markers.insert_frame(frames[-1] + 1, co=places[-1]).mute = True


def script_folder():
    """Return where this script lies, also when it is run from the text editor."""
    space = getattr(bpy.context, "space_data", None)
    text = getattr(space, "text", None)
    path = getattr(text, "filepath", "") or globals().get("__file__", "")
    return Path(bpy.path.abspath(path)).resolve().parent if path else Path.cwd()


def save(path, clip, data):
    """Save the file; a clip that was given by a relative path stays relative."""
    bpy.context.preferences.filepaths.save_version = 0  # no backup beside it
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)
    if clip is not None and not Path(data["clip"]).is_absolute():
        clip.filepath = "//" + data["clip"].replace("\\", "/")
        bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)


def main(data):
    """Build the scene and do what the command line says."""
    if bpy is None:
        sys.exit("This is a script for Blender: blender --python FILE, or in its text editor.")
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    asked = dict(zip(words[::2], words[1::2]))  # noqa: B905
    if asked:
        bpy.ops.wm.read_factory_settings(use_empty=True)
    before = list(bpy.data.scenes)
    scene, clip = build(data, asked.get("--base") or script_folder())
    if asked:
        for old in before:
            bpy.data.scenes.remove(old)
    if "--save" in asked:
        save(str(Path(asked["--save"]).resolve()), clip, data)
    if "--alembic" in asked:
        bpy.ops.wm.alembic_export(
            filepath=str(Path(asked["--alembic"]).resolve()), as_background_job=False,
            start=scene.frame_start, end=scene.frame_end,
        )  # fmt: skip
