"""The documented classes of footage: one function, used by whoever writes and whoever reads."""

from __future__ import annotations

RESOLUTION_CLASSES = ("SD", "HD", "4K")
FPS_CLASSES = ("24fps", "30fps", "60fps")

_HD_FROM_PX, _4K_FROM_PX = 1920, 3840
_30_FROM_FPS, _60_FROM_FPS = 28, 50


def resolution_class(width_px: float) -> int:
    """Return the index into `RESOLUTION_CLASSES` of a width [px]."""
    return int(width_px >= _HD_FROM_PX) + int(width_px >= _4K_FROM_PX)


def fps_class(fps: float) -> int:
    """Return the index into `FPS_CLASSES` of a frame rate; unknown (0) counts as 24."""
    return int(fps >= _30_FROM_FPS) + int(fps >= _60_FROM_FPS)


def footage_class(width_px: float, fps: float, motion_class: str | None = None) -> str:
    """Return the class of a clip, or its sub-class where the motion is known.

    >>> footage_class(1920, 29.97), footage_class(3840, 24, "LOW")
    ('HD_30fps', '4K_24fps_LOW_MOTION')
    """
    name = f"{RESOLUTION_CLASSES[resolution_class(width_px)]}_{FPS_CLASSES[fps_class(fps)]}"
    return name if motion_class is None else f"{name}_{motion_class}_MOTION"
