"""The parts of a session's report that need no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import MPH_MPS
from trackcore.cameras import Camera, StereoRig
from trackcore.pitch import PitchFit
from trackcore.pitch_report.numbers import UNKNOWN
from trackcore.recording import SIDES, LostFrame, RecordingStatus
from trackcore.report._html import Html, tag
from trackcore.report.sections import section

Floats = NDArray[np.float64]

_MOST_LOST = 40


@dataclass(frozen=True, slots=True)
class PitchRow:
    """What is kept of a pitch when its pictures are drawn.

    `frames` counts those of its window, by side.
    """

    pitch_id: str
    fit: PitchFit | None
    status: RecordingStatus
    frames: dict[str, int]
    lost: tuple[LostFrame, ...]


def tiles(rows: Sequence[PitchRow], *, plate: bool) -> Html:
    """Return the numbers that matter most."""
    speed = _speeds_mph(rows, plate=plate)
    fits = [r.fit for r in rows if r.fit is not None and r.fit.flight is not None]
    calls = [f.strike.is_strike for f in fits]
    rms = [f.flight.rms_px for f in fits if f.flight is not None]
    lost = sum(len(r.lost) for r in rows)
    frames = sum(sum(r.frames.values()) for r in rows)
    clock = [1e3 * f.clock_offset_s for f in fits if np.isfinite(f.clock_offset_s)]
    where = "at 50 ft" if plate else "in the middle of what was seen"
    shown = [
        ("Pitches", str(len(rows)), f"{len(fits)} fitted"),
        ("Fastest", f"{speed.max():.1f} mph" if len(speed) else UNKNOWN, where),
        ("Mean speed", f"{speed.mean():.1f} mph" if len(speed) else UNKNOWN, where),
        ("Strikes", str(calls.count(True)), _counted(calls.count(False), "ball")) if plate else
        ("Residual", f"{np.median(rms):.3f} px" if rms else UNKNOWN, "median of the pitches"),
        ("Frames lost", str(lost), f"of {frames + lost} around the pitches"),
        ("Clocks", f"{np.median(clock):.2f} ms" if clock else UNKNOWN,
         "added to the right camera's, as the flights say"),
    ]  # fmt: skip
    cells = (
        tag("div", tag("dt", name), tag("dd", value), tag("p", note), class_="tile")
        for name, value, note in shown
    )
    return tag("dl", *cells, class_="tiles wide")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _speeds_mph(rows: Sequence[PitchRow], *, plate: bool) -> Floats:
    """Return the speeds that are known: at 50 ft, or in the middle where there is no plate."""
    found = []
    for fit in (row.fit for row in rows):
        if fit is None or fit.flight is None:
            continue
        middle = fit.at_times(np.array([fit.reference_ns], np.int64))[1][0]
        found.append(fit.at_50ft.speed if plate else float(np.linalg.norm(middle)))
    known = np.array(found, np.float64)
    return np.asarray(known[np.isfinite(known)] / MPH_MPS)


def comparison(rows: Sequence[Sequence[str]]) -> Html:
    """Return a table of errors against a known truth."""
    head, *body = rows
    lines = [
        tag("tr", tag("th", name, scope="row"), *(tag("td", v, class_="n") for v in values))
        for name, *values in body
    ]
    table = _table(head, lines)
    return section(
        "Against the truth", table, id_="comparison", wide=True,
        note="What was measured less what is true: read from the truth after everything else.",
    )  # fmt: skip


def recording(rows: Sequence[PitchRow], notes: Sequence[tuple[str, str]]) -> Html:
    """Return what was recorded, and what was lost of it."""
    lines = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in notes]
    for row in rows:
        counts = ", ".join(f"{n} {side}" for side, n in row.frames.items())
        said = f"{row.status.value}; frames: {counts}"
        lines.append(tag("tr", tag("th", row.pitch_id, scope="row"), tag("td", said)))
    parts = [_table((), lines)]
    lost = [(r.pitch_id, one) for r in rows for one in r.lost]
    if lost:
        body = [
            tag("tr", tag("td", name), tag("td", one.side),
                tag("td", str(one.frame_index), class_="n"), tag("td", one.reason))
            for name, one in lost[:_MOST_LOST]
        ]  # fmt: skip
        more = f" (the first {_MOST_LOST} are shown)" if len(lost) > _MOST_LOST else ""
        parts.append(tag("details", tag("summary", f"{len(lost)} frames were lost{more}"),
                         _table(("pitch", "camera", "frame", "why"), body)))  # fmt: skip
    elif rows:
        parts.append(tag("p", "No frame around a pitch was lost.", class_="note"))
    return section("Recording", *parts, id_="recording", wide=True)


def calibration(rig: StereoRig) -> Html:
    """Return the rig in a few lines."""
    T = rig.T_right_left
    turn = np.degrees(np.arccos(np.clip((np.trace(T[:3, :3]) - 1) / 2, -1, 1)))
    rows = [
        ("baseline", f"{rig.baseline_m:.4f} m ({rig.baseline_m / 0.3048:.3f} ft)"),
        ("angle between the cameras", f"{turn:.2f}°"),
        *((side, _camera(camera)) for side, camera in zip(SIDES, rig.cameras, strict=True)),
        ("world", f"{rig.frame.name}, {rig.frame.unit}, {rig.frame.handedness}-handed"),
    ]
    body = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in rows]
    note = rig.frame.description if rig.has_plate else "No plate is known: places only."
    return section("Calibration", _table((), body), id_="calibration", note=note)


def _camera(camera: Camera) -> str:
    w, h = camera.size
    lens = f"distortion {', '.join(f'{k:.4g}' for k in camera.distortion)}"
    bends = lens if camera.distortion else "no distortion"
    at = ", ".join(f"{v:.2f}" for v in camera.center_world.tolist())
    return f"{w} x {h} px, focal length {camera.K[0, 0]:.1f} px, {bends}, at ({at}) m"


def _table(headings: Sequence[str], rows: Sequence[Html]) -> Html:
    head = [tag("thead", tag("tr", *(tag("th", h, scope="col") for h in headings)))]
    return tag(
        "div", tag("table", *(head if headings else []), tag("tbody", *rows)), class_="scroll"
    )
