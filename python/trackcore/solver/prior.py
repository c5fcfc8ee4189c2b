"""What is known of the camera before it is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.solver.lens import Lens


class Zoom(StrEnum):
    """Whether the focal length changes during the shot."""

    AUTO = "auto"
    FIXED = "fixed"
    VARYING = "varying"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPrior:
    """What is known of the camera; everything else is estimated.

    Attributes
    ----------
    focal_px : float, optional
        Focal length [px of the frame's width].
    focal_mm, sensor_mm : float, optional
        The same as a lens and the width of the sensor [mm]; both or neither, and not beside
        `focal_px`.
    refine_focal : bool
        A focal length that is given is believed; True takes it as a start only.
    principal_point_px : (x, y), optional
        Where the optical axis meets the frame [px]; its centre unless given.
    lens : Lens
        Distortion, if it is known.
    refine_lens : bool, optional
        Whether the distortion is estimated, from `lens` on. Unless said: a lens that is given is
        believed, else it is estimated where that makes held-out tracks fit better.
    pixel_aspect : float
        Width over height of a pixel as shown: 2 for a 2x anamorphic lens.
    zoom : Zoom
        `auto`: as the shot's type says.

    Raises
    ------
    InputError
        If a value is impossible, or the focal length is given twice or by half.
    """

    focal_px: float | None = None
    focal_mm: float | None = None
    sensor_mm: float | None = None
    refine_focal: bool = False
    principal_point_px: tuple[float, float] | None = None
    lens: Lens = Lens()  # noqa: RUF009 (frozen)
    refine_lens: bool | None = None
    pixel_aspect: float = 1.0
    zoom: Zoom = Zoom.AUTO

    def __post_init__(self) -> None:
        """Check that the values make sense together."""
        for name in ("focal_px", "focal_mm", "sensor_mm", "pixel_aspect"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value > 0):
                raise InputError(f"CameraPrior.{name}: expected a number > 0, got {value!r}")
        if (self.focal_mm is None) != (self.sensor_mm is None):
            raise InputError("CameraPrior.focal_mm, sensor_mm: expected both or neither")
        if self.focal_px is not None and self.focal_mm is not None:
            raise InputError("CameraPrior.focal_px, focal_mm: expected one of them")
        if not isinstance(self.lens, Lens):
            raise InputError(f"CameraPrior.lens: expected a Lens, got {type(self.lens).__name__}")
        try:
            object.__setattr__(self, "zoom", Zoom(str(self.zoom).lower()))
        except ValueError:
            raise InputError(
                f"CameraPrior.zoom: expected auto, fixed or varying, got {self.zoom!r}"
            ) from None

    def focal_in_px(self, width_px: int) -> float | None:
        """Return the focal length in a frame of this width [px]; None if it is not known."""
        if self.focal_mm is not None and self.sensor_mm is not None:
            return self.focal_mm / self.sensor_mm * width_px
        return self.focal_px

    def centre_px(self, frame_size: tuple[int, int]) -> tuple[float, float]:
        """Return the principal point in a frame of this size (w, h) [px]."""
        if self.principal_point_px is not None:
            return self.principal_point_px
        return ((frame_size[0] - 1) / 2, (frame_size[1] - 1) / 2)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "lens": self.lens.to_dict(), "zoom": self.zoom.value}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
