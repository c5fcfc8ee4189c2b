"""A pitch laid out for showing: its path, where it was seen, and the zone, in shown units."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M, INCH_M
from trackcore.cameras import PITCH_FRAME, StereoRig, home_plate_ft
from trackcore.pitch import Sightings, StrikeZone
from trackcore.recording import SIDES, PitchWindow

Floats = NDArray[np.float64]

_STEPS = 121
_DOWNWARD = 0.7  # cosine
_PAD = 0.09  # around what is shown of a frame
_BEYOND_NS = 15_000_000  # the path is drawn so far past what was seen, if the plate is no end


@dataclass(frozen=True)
class PitchView:
    """A pitch as it is drawn.

    Attributes
    ----------
    window : PitchWindow
    rig : StereoRig
    zone : StrikeZone
    """

    window: PitchWindow
    rig: StereoRig
    zone: StrikeZone = field(default_factory=StrikeZone.of_batter)

    @property
    def plate(self) -> bool:
        """Whether there is a plate: then lengths are feet of the documented frame."""
        return self.rig.has_plate

    @property
    def y_is_down(self) -> bool:
        """Whether the world's y goes down in the left picture, as in a camera's own frame."""
        return y_is_down(self.rig)

    @property
    def unit(self) -> str:
        """Of the places that are shown."""
        return PITCH_FRAME.unit if self.plate else self.rig.frame.unit

    def shown(self, X_world: Floats) -> Floats:
        """Return places (n, 3) of the world [m] as they are shown."""
        frame = PITCH_FRAME if self.plate else self.rig.frame
        return frame.from_world(X_world)

    @cached_property
    def path_ns(self) -> NDArray[np.int64]:
        """(n,) times of the path, on the common clock [ns]; none without a fit."""
        fit, pitch = self.window.fit, self.window.pitch
        if fit is None or fit.flight is None:
            return np.zeros(0, np.int64)
        lo, hi = pitch.start_ns, pitch.end_ns
        if fit.release:
            lo = min(lo, fit.release.t_ns)
        if fit.plate:
            hi = max(hi, fit.plate.t_ns + _BEYOND_NS)
        return np.linspace(lo, hi, _STEPS).astype(np.int64)

    @cached_property
    def path_world(self) -> Floats:
        """(n, 3) the fitted path [m]; NaN beyond what may be extrapolated."""
        fit = self.window.fit
        return np.zeros((0, 3)) if fit is None else fit.at_times(self.path_ns)[0]

    @property
    def path(self) -> Floats:
        """(n, 3) the fitted path, in the shown unit."""
        return self.shown(self.path_world)

    @cached_property
    def seen_world(self) -> Floats:
        """(n, 3) where both cameras together saw the ball [m]."""
        places = [o.X_world for o in self.window.pitch.observations]
        return np.array(places, np.float64).reshape(-1, 3)

    @property
    def seen(self) -> Floats:
        """(n, 3) the same, in the shown unit."""
        return self.shown(self.seen_world)

    def sightings(self, side: str) -> Sightings:
        """Return where one camera saw the ball."""
        return self.window.pitch.left if side == "left" else self.window.pitch.right

    def path_px(self, side: str) -> Floats:
        """Return the fitted path in one camera's picture, (n, 2) [px]; NaN outside of it."""
        camera = self.rig.cameras[SIDES.index(side)]
        uv = camera.project(self.path_world)
        uv[~camera.inside(uv)] = np.nan
        return uv

    def zone_lines_px(self, side: str) -> list[Floats]:
        """Return the edges of zone and plate in one camera's picture, each (2, 2) [px]."""
        if not self.plate:
            return []
        camera = self.rig.cameras[SIDES.index(side)]
        lines = [camera.project(PITCH_FRAME.to_world(line)) for line in zone_lines_ft(self.zone)]
        return [uv for uv in lines if np.isfinite(uv).all()]

    def part_px(self, side: str, aspect: float) -> tuple[float, float, float, float]:
        """Return the part of a camera's picture where the pitch is: left, right, top, bottom [px].

        Its width is `aspect` times its height, as far as the picture goes.
        """
        w, h = self.rig.cameras[SIDES.index(side)].size
        places = [self.sightings(side).xy_px, self.path_px(side), *self.zone_lines_px(side)]
        xy = np.concatenate([p.reshape(-1, 2) for p in places])
        xy = xy[np.isfinite(xy).all(axis=1)]
        if not len(xy):
            return -0.5, w - 0.5, -0.5, h - 0.5
        lo, hi = xy.min(axis=0), xy.max(axis=0)
        tall = max((hi[1] - lo[1]) * (1 + 2 * _PAD), (hi[0] - lo[0]) * (1 + 2 * _PAD) / aspect)
        size = np.minimum([max(tall, h / 4) * aspect, max(tall, h / 4)], [w, h])
        corner = np.clip((lo + hi) / 2 - size / 2, -0.5, np.array([w, h]) - 0.5 - size)
        x, y = corner.tolist()
        return x, x + float(size[0]), y, y + float(size[1])

    @property
    def bottom_ft(self) -> float:
        """Height of the zone's lower side [ft]."""
        return self.zone.bottom_m / FOOT_M

    @property
    def top_ft(self) -> float:
        """Height of its upper side [ft]."""
        return self.zone.top_m / FOOT_M

    @property
    def crossing_in(self) -> tuple[float, float] | None:
        """Where the centre of the ball came past the front of the plate: across, up [in]."""
        fit = self.window.fit
        if fit is None or not fit.plate or not self.plate:
            return None
        across, up = (fit.plate.X_world[:2] / INCH_M).tolist()
        return across, up

    @property
    def crossing_covariance_in2(self) -> Floats:
        """(2, 2) of that place [in^2]."""
        fit = self.window.fit
        if fit is None:
            return np.full((2, 2), np.nan)
        return np.asarray(fit.plate.covariance[:2, :2] / INCH_M**2)


def zone_lines_ft(zone: StrikeZone) -> list[Floats]:
    """Return the edges of the plate on the ground and of the zone above it, each (2, 3) [ft]."""
    plan, up = home_plate_ft(), np.array([0.0, 1.0, 0.0])
    rings = [plan + y * up for y in (0.0, zone.bottom_m / FOOT_M, zone.top_m / FOOT_M)]
    lines = [np.stack([r[i], r[(i + 1) % len(r)]]) for r in rings for i in range(len(r))]
    return lines + [np.stack([a, b]) for a, b in zip(*rings[1:], strict=True)]


def y_is_down(rig: StereoRig) -> bool:
    """Return whether the world's y goes down in the left picture."""
    return bool(rig.left.T_cam_world[1, 1] > _DOWNWARD)
