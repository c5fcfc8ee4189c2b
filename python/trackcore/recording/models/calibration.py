"""The documents of a session's calibration."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from trackcore.recording.models._base import Document
from trackcore.session.models._base import Count, Number, Point, Positive, Words, needed, says

CONFIGURED, WHOLE = "configured", "whole_picture"
LaneSource: TypeAlias = Annotated[str, Words((CONFIGURED, WHOLE))]
Corner = tuple[Number, Number, Number]


class StereoGeometry(Document):
    """`calibration/stereo_geometry.json`. The whole rig is in `rig.json` beside it."""

    baseline_ft: Positive = needed("distance between the cameras", unit="ft")
    convergence_angle_deg: Number = needed(
        "between the optical axes; positive where they meet before the cameras", unit="deg"
    )
    camera_height_ft: Number | None = needed(
        "mean height above the ground; null where the rig's world has none", unit="ft"
    )
    distance_to_plate_ft: Number | None = needed(
        "from between the cameras to the front edge of the plate, along the ground; null where the"
        " rig's world has none",
        unit="ft",
    )


class Intrinsics(Document):
    """`calibration/intrinsics_{left,right}.json`."""

    camera_id: str = needed("serial or name of the camera")
    fx: Positive = needed("focal length", unit="px")
    fy: Positive = needed("focal length", unit="px")
    cx: Number = needed("principal point; pixel centres are whole", unit="px")
    cy: Number = needed("principal point", unit="px")
    distortion_k1: Number = needed("OpenCV's first radial term")
    distortion_k2: Number = needed("and the second")
    distortion_p1: Number | None = says("OpenCV's tangential terms")
    distortion_p2: Number | None = says("OpenCV's tangential terms")
    distortion_k3: Number | None = says("the third radial term; more are in `rig.json`")
    image_size_px: tuple[Count, Count] | None = says("width and height", unit="px")


class RoiAnnotations(Document):
    """`calibration/roi_annotations.json`: where balls were looked for."""

    lane_gate_polygon: list[Point] | None = says("of the left camera, or of both", unit="px")
    plate_gate_polygon: list[Point] | None = says("of the left camera, or of both", unit="px")
    lane_gate_polygons: dict[str, list[Point]] | None = says("by camera", unit="px")
    plate_gate_polygons: dict[str, list[Point]] | None = says("by camera", unit="px")
    lane_gate_sources: dict[str, LaneSource] | None = says(
        "by camera: `configured`, or `whole_picture`: no lane was, and the polygon is the picture"
    )

    @property
    def lanes(self) -> dict[str, list[Point]]:
        """The configured lane of each camera; files of other programs have one for both."""
        sources = self.lane_gate_sources or {}
        known = _by_side(self.lane_gate_polygons, self.lane_gate_polygon)
        return {s: lane for s, lane in known.items() if sources.get(s) != WHOLE}

    @property
    def plates(self) -> dict[str, list[Point]]:
        """The plate of each camera."""
        return _by_side(self.plate_gate_polygons, self.plate_gate_polygon)


def _by_side(
    each: dict[str, list[Point]] | None, one: list[Point] | None
) -> dict[str, list[Point]]:
    if each is not None:
        return each
    return {} if one is None else {side: one for side in ("left", "right")}


class ZoneDefinition(Document):
    """`calibration/strike_zone_definition.json`: corners at the front edge of the plate."""

    top_left_ft: Corner = needed("as the catcher sees it", unit="ft")
    top_right_ft: Corner = needed("as the catcher sees it", unit="ft")
    bottom_left_ft: Corner = needed("as the catcher sees it", unit="ft")
    bottom_right_ft: Corner = needed("as the catcher sees it", unit="ft")
