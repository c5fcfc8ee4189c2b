"""Calibrated cameras, alone and in pairs: models, worlds, calibration, files."""

from trackcore.cameras.camera import Camera
from trackcore.cameras.frame import PITCH_FRAME, WORLD, WorldFrame, home_plate_ft, metres_per
from trackcore.cameras.rig import StereoRig
from trackcore.cameras.world import WorldFit, solve_world

__all__ = [
    "PITCH_FRAME",
    "WORLD",
    "Camera",
    "StereoRig",
    "WorldFit",
    "WorldFrame",
    "home_plate_ft",
    "metres_per",
    "solve_world",
]
