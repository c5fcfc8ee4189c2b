"""The camera as far as it is known."""

from __future__ import annotations

from trackcore.session.models._base import Number, Point, Positive, Record, says
from trackcore.session.models.vocabulary import DistortionModel


class CameraIntrinsics(Record):
    """Lens and sensor. Only the coefficients of the named distortion model apply."""

    focal_length_mm: Positive | None = says("focal length", unit="mm")
    focal_length_px: Positive | None = says("focal length", unit="px")
    sensor_width_mm: Positive | None = says("width of the sensor", unit="mm")
    pixel_aspect: Positive | None = says("width of a pixel over its height")
    principal_point: Point | None = says(
        "optical centre, origin bottom-left", unit="shares of the frame"
    )
    distortion_model: DistortionModel | None = says("which coefficients apply")
    k1: Number | None = says("POLYNOMIAL: radial coefficient of r^2")
    k2: Number | None = says("POLYNOMIAL: radial coefficient of r^4")
    k3: Number | None = says("POLYNOMIAL: radial coefficient of r^6")
    division_k1: Number | None = says("DIVISION: coefficient of r^2")
    division_k2: Number | None = says("DIVISION: coefficient of r^4")
    nuke_k1: Number | None = says("NUKE: first coefficient")
    nuke_k2: Number | None = says("NUKE: second coefficient")
    brown_k1: Number | None = says("BROWN: radial coefficient of r^2")
    brown_k2: Number | None = says("BROWN: radial coefficient of r^4")
    brown_k3: Number | None = says("BROWN: radial coefficient of r^6")
    brown_k4: Number | None = says("BROWN: radial coefficient of r^8")
    brown_p1: Number | None = says("BROWN: first tangential coefficient")
    brown_p2: Number | None = says("BROWN: second tangential coefficient")
