"""Cameras through OpenCV: opened when first needed, and again when they are back."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from trackcore._cv2 import load_cv2, quiet
from trackcore.capture.sources import SourceFrame
from trackcore.errors import SourceError


class OpenCVCamera:
    """A camera that OpenCV can open.

    Parameters
    ----------
    device : int or str
        Its number, or a name or address that OpenCV knows.
    fps : float, optional
        Asked of the driver [1/s].
    size : (w, h), optional
        Asked of the driver [px].
    exposure : float, optional
        Handed to the driver as it is: its unit is the driver's own.
    camera_id : str, optional
        Default: `camera-<device>`.
    color : bool
        Keep colour. Default: grey.

    Notes
    -----
    A frame is stamped with the monotonic clock when `grab` has returned, before it is decoded.
    Numbers go on after the camera was away.
    """

    live = True

    def __init__(
        self,
        device: int | str,
        *,
        fps: float | None = None,
        size: tuple[int, int] | None = None,
        exposure: float | None = None,
        camera_id: str | None = None,
        color: bool = False,
    ) -> None:
        self.device, self.fps, self.size = device, fps, size
        self.exposure, self.color = exposure, color
        self.camera_id = camera_id or f"camera-{device}"
        self._capture: Any = None
        self._count = 0

    def open(self) -> None:
        """Open the device.

        Raises
        ------
        SourceError
            If it cannot be.
        """
        self.close()
        cv2 = load_cv2()
        with quiet(cv2):
            capture = cv2.VideoCapture(self.device)
            if not capture.isOpened():
                capture.release()
                raise SourceError(f"camera {self.device}: cannot be opened")
        wanted = {cv2.CAP_PROP_FPS: self.fps, cv2.CAP_PROP_EXPOSURE: self.exposure}
        if self.size is not None:
            wanted[cv2.CAP_PROP_FRAME_WIDTH] = self.size[0]
            wanted[cv2.CAP_PROP_FRAME_HEIGHT] = self.size[1]
        for name, value in wanted.items():
            if value is not None:
                capture.set(name, float(value))
        self._capture = capture

    def read(self) -> SourceFrame | None:
        """Wait for the next frame.

        Raises
        ------
        SourceError
            If the camera is gone.
        """
        if self._capture is None:
            self.open()
        good = self._capture.grab()
        t_ns = time.monotonic_ns()
        image = None
        if good:
            good, image = self._capture.retrieve()
        if not good or image is None:
            self.close()
            raise SourceError(f"camera {self.device}: gives no frames")
        self._count += 1
        if not self.color and image.ndim == 3:
            image = load_cv2().cvtColor(image, load_cv2().COLOR_BGR2GRAY)
        return SourceFrame(self._count, t_ns, np.ascontiguousarray(image))

    def close(self) -> None:
        """Let go of the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
