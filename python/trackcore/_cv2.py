"""OpenCV, imported when first needed and kept from writing to stderr."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from trackcore.errors import DependencyError

# Both are read by OpenCV once, at import or first use; a value the user has set is kept.
_ENVIRONMENT = {
    "OPENCV_IO_ENABLE_OPENEXR": "1",  # EXR is compiled in but switched off by default
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # FFmpeg's own messages go round OpenCV's log level
}

_SILENT = 0

_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_restore = 0


def load_cv2() -> ModuleType:
    """Import OpenCV, or say which package to install.

    Raises
    ------
    DependencyError
        If OpenCV is absent, or present but not loadable (no libGL on a bare server).
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import cv2
    except ImportError as error:
        raise DependencyError(
            f"OpenCV cannot be imported ({error}): install opencv-python, or on a machine "
            "without a display (libGL missing) opencv-python-headless"
        ) from error
    return cv2


@contextmanager
def quiet(cv2: ModuleType) -> Iterator[None]:
    """Silence OpenCV's log while the block runs. Nests, also across threads.

    OpenCV's level is one for the whole process, so the block must be short: one call.
    """
    global _quiet_depth, _quiet_restore
    # OpenCV 5 moved it
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    with _quiet_lock:
        if _quiet_depth == 0:
            _quiet_restore = set_level(_SILENT)
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                set_level(_quiet_restore)
