"""What the report of a session draws, as plain values for its scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import INCH_M
from trackcore.cameras import StereoRig
from trackcore.pitch import Crossing, StrikeZone
from trackcore.pitch_report.numbers import (
    Number,
    call_words,
    evidence,
    pitch_numbers,
    status_words,
)
from trackcore.pitch_report.strobe import colour, radii, strobe
from trackcore.pitch_report.views import PitchView, y_is_down, zone_lines_ft
from trackcore.pitch_report.zone import HALF_IN
from trackcore.recording import SIDES, FrameDetections
from trackcore.report.measures import rounded
from trackcore.report.posters import data_uri

Floats = NDArray[np.float64]

_FRAMES = ((20, 6), (60, 2))
"""Up to so many pitches, so many moments of each from each camera; of later ones the flight."""
_WIDTH_PX, _QUALITY = 800, 74
_RUBBER_FT = 60.5


def session_contents(
    rig: StereoRig, zone: StrikeZone, title: str, pitches: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return everything that the scripts need; `pitches` are of `pitch_contents`."""
    plate = rig.has_plate
    return {
        "title": title,
        "plate": plate,
        "unit": "ft" if plate else rig.frame.unit,
        "zone": {"bottom": zone.bottom_m / INCH_M, "top": zone.top_m / INCH_M, "half": HALF_IN},
        "sizes": {s: list(c.size) for s, c in zip(SIDES, rig.cameras, strict=True)},
        "lines": _lines(zone) if plate else None,
        "rubber": _RUBBER_FT,
        "axes": _axes(rig),
        "pitches": list(pitches),
    }


def pitch_contents(view: PitchView, before: int) -> dict[str, Any]:
    """Return what is shown of a pitch; there were `before` others."""
    window, fit = view.window, view.window.fit
    crossing = view.crossing_in
    n_frames = next((n for most, n in _FRAMES if before < most), 0)
    return {
        "id": window.pitch_id,
        "index": window.index,
        "call": call_words(fit),
        "strike": None if fit is None else fit.strike.is_strike,
        "cell": _cell(view),
        "status": status_words(fit, plate=view.plate),
        "numbers": _rows(pitch_numbers(fit, plate=view.plate)),
        "evidence": _rows(evidence(window)),
        "ball": None if fit is None or crossing is None else fit.strike.radius_m / INCH_M,
        "crossing": None if crossing is None else [round(v, 3) for v in crossing],
        "ellipse": None if crossing is None else _ellipse(view.crossing_covariance_in2),
        "path": _space(view, view.path_world),
        "seen": _space(view, view.seen_world),
        "marks": [] if fit is None or not view.plate else [
            {"name": name, **_space(view, one.X_world[None])}
            for name, one in (("release plane", fit.release), ("plate", fit.plate)) if one
        ],
        "frames": {side: _frames(view, side, n_frames) for side in SIDES},
        "zoneLines": {side: [_flat(line, 1) for line in view.zone_lines_px(side)]
                      for side in SIDES},
        "recording": window.status.value,
    }  # fmt: skip


def _cell(view: PitchView) -> list[int] | None:
    """Return row and column of the ninth that a pitch crossed, 1 to 3; None outside the zone."""
    fit = view.window.fit
    if fit is None or fit.strike.row is None or fit.strike.column is None:
        return None
    return [fit.strike.row, fit.strike.column]


def _rows(numbers: Sequence[Number]) -> list[list[Any]]:
    return [[n.name, n.text, n.spread, n.value if math.isfinite(n.value) else None]
            for n in numbers]  # fmt: skip


def _ellipse(covariance: Floats) -> list[float]:
    """Return half axes of two sigma [in] and the angle [deg], counter-clockwise with y up."""
    values, vectors = np.linalg.eigh(covariance)
    small, large = 2 * np.sqrt(np.maximum(values, 0))
    angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
    return [round(float(large), 4), round(float(small), 4), round(angle, 1)]


def _space(view: PitchView, X_world: Floats) -> dict[str, list[float | None]]:
    """Return places as they are drawn in space: x to the right, y into depth, z up."""
    X = view.shown(X_world)
    if view.plate:
        axes = X[:, 0], X[:, 2], X[:, 1]
    elif view.y_is_down:
        axes = X[:, 0], X[:, 2], -X[:, 1]
    else:
        axes = X[:, 0], -X[:, 2], X[:, 1]
    return {name: rounded(values, 4) for name, values in zip("xyz", axes, strict=True)}


def _axes(rig: StereoRig) -> list[str]:
    """Return what the axes of `_space` are called."""
    if rig.has_plate:
        return ["catcher's right", "from the plate", "height"]
    return ["right", "away", "up"] if y_is_down(rig) else ["x", "-z", "y"]


def _lines(zone: StrikeZone) -> dict[str, list[float | None]]:
    """Return the edges of plate and zone in space, with a gap after each."""
    found: dict[str, list[float | None]] = {"x": [], "y": [], "z": []}
    for line in zone_lines_ft(zone):
        for name, values in zip("xyz", (line[:, 0], line[:, 2], line[:, 1]), strict=True):
            found[name] += [*rounded(values, 4), None]
    return found


def _frames(view: PitchView, side: str, n_frames: int) -> list[dict[str, Any]]:
    """Return pictures of one camera: the whole flight, then moments of it."""
    window = view.window
    whole = strobe(window, side)
    path = _flat(view.path_px(side), 1)
    seen, sizes = view.sightings(side), radii(window, side)
    everything = [
        [round(float(x), 1), round(float(y), 1), round(sizes.get(t, 3.0), 1)]
        for t, (x, y) in zip(seen.t_ns.tolist(), seen.xy_px, strict=True) if math.isfinite(x)
    ]  # fmt: skip
    pictures = [{
        "name": "the whole flight",
        "src": None if whole is None else data_uri(whole, _WIDTH_PX, _QUALITY),
        "rings": everything, "others": [], "path": path,
    }]  # fmt: skip
    wanted = _moments(view, side, n_frames)
    found = {f.balls.t_ns: f for f in window.detections[side]}
    places = dict(zip(seen.t_ns.tolist(), seen.xy_px.tolist(), strict=True))
    for frame in window.frames[side] if wanted else ():
        name = wanted.get(frame.t_capture_monotonic_ns)
        if name is None:
            continue
        t = frame.t_capture_monotonic_ns
        at = places.get(t)
        pictures.append({
            "name": f"frame {frame.frame_index}{name}",
            "src": data_uri(colour(frame.image), _WIDTH_PX, _QUALITY),
            "rings": [] if at is None else [[*(round(v, 1) for v in at),
                                             round(sizes.get(t, 3.0), 1)]],
            "others": _others(found.get(t), at), "path": path,
        })  # fmt: skip
    return pictures


def _others(found: FrameDetections | None, ball: list[float] | None) -> list[list[float]]:
    """Return detections that are not the ball of the pitch."""
    if found is None:
        return []
    xy, radius = found.balls.xy_px, found.balls.radius_px
    rows = zip(xy.tolist(), radius.tolist(), found.balls.rule.tolist(), strict=True)
    return [
        [round(x, 1), round(y, 1), round(r, 1)] for (x, y), r, rule in rows
        if rule == 0 and (ball is None or math.hypot(x - ball[0], y - ball[1]) > 1.0)
    ]  # fmt: skip


def _moments(view: PitchView, side: str, n: int) -> dict[int, str]:
    """Return stamps of frames that are worth seeing, and what they are called."""
    seen, fit = view.sightings(side), view.window.fit
    if not len(seen) or not n:
        return {}
    stamps = seen.t_ns
    spread = np.linspace(0, len(stamps) - 1, n).round().astype(int)
    chosen = {int(stamps[i]): "" for i in spread}
    chosen[int(stamps[0])] = ", first sighting"
    chosen[int(stamps[-1])] = ", last sighting"
    camera = view.rig.cameras[SIDES.index(side)]
    common = camera.common_time_ns(stamps)
    if fit is not None and side == "right" and math.isfinite(fit.clock_offset_s):
        common = common + round(1e9 * fit.clock_offset_s)
    crossings: tuple[tuple[Crossing, str], ...] = ()
    if fit is not None:
        crossings = (fit.release, ", release plane"), (fit.plate, ", plate")
    for crossing, name in crossings:
        if crossing and common.min() <= crossing.t_ns <= common.max():
            near = int(np.abs(common - crossing.t_ns).argmin())
            chosen[int(stamps[near])] = chosen.get(int(stamps[near]), "") + name
    return chosen


def _flat(xy: Floats, digits: int) -> list[float | None]:
    """Return positions as one list x, y, x, y; None where there is none."""
    return rounded(np.asarray(xy, np.float64).ravel(), digits)
