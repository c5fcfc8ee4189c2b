"""What comes out of a session, pitch by pitch: its folder, pictures, the report, a summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trackcore._files import write_text
from trackcore.ballistics import INCH_M, OUNCE_KG
from trackcore.cameras import StereoRig
from trackcore.cli_output import Exit, Output
from trackcore.cli_pitch.fit import draw
from trackcore.pitch import PitchFit
from trackcore.pitch_report import SessionReport
from trackcore.pitch_report.numbers import (
    UNKNOWN,
    call_words,
    pitch_numbers,
    said_good,
    status_words,
)
from trackcore.recording import SIDES, PitchSetup, PitchWindow

REPORT, SUMMARY = "report.html", "summary.json"
_SHOWN = {
    "speed at 50 ft": "speed", "across the plate": "across", "above the ground": "up",
    "horizontal break": "HB", "vertical break": "iVB", "strike probability": "strike",
}  # fmt: skip
_UNITS = "speed at 50 ft in mph, places and breaks in inches, strikes in %"
_SHOWN_ANYWHERE = {"speed, in the middle": "m/s", "acceleration across": "m/s2 across"}


@dataclass(frozen=True, slots=True)
class PitchOutcome:
    """A pitch without its footage.

    Attributes
    ----------
    pitch_id : str
    start_ns, end_ns : int
        On the rig's common clock.
    fit : PitchFit or None
    record : dict
        As JSON has it.
    """

    pitch_id: str
    start_ns: int
    end_ns: int
    fit: PitchFit | None
    record: dict[str, Any]


@dataclass(slots=True)
class SessionOutcome:
    """Takes in pitches as they come and writes what is seen of them.

    Attributes
    ----------
    rig : StereoRig
    setup : PitchSetup
    folder : Path
        Where pictures, report and summary go.
    name : str
        Of the session.
    output : Output
    """

    rig: StereoRig
    setup: PitchSetup
    folder: Path
    name: str
    output: Output
    told: bool = False
    pitches: list[PitchOutcome] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    _report: SessionReport = field(init=False)

    def __post_init__(self) -> None:
        """Begin a report, and a folder that holds nothing of an earlier run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in (REPORT, SUMMARY):
            (self.folder / old).unlink(missing_ok=True)
        self._report = SessionReport(self.rig, self.setup.zone, title=self.name)

    @property
    def plate(self) -> bool:
        """Whether there is a plate."""
        return self.rig.has_plate

    def write_pitch(self, window: PitchWindow) -> None:
        """Take in a pitch, as a sink does: its frames are read now and not kept."""
        path = draw(
            self.folder / f"{window.pitch_id}.png", window, self.rig, self.setup.zone, self.output
        )
        if path is not None:
            self.files[window.pitch_id] = str(path)
        self._report.add(window)
        self.pitches.append(PitchOutcome(
            window.pitch_id, window.pitch.start_ns, window.pitch.end_ns, window.fit,
            self._record(window),
        ))  # fmt: skip
        if not self.told:
            self.output.log(_line(window, plate=self.plate))

    def finish(
        self,
        record: dict[str, Any],
        notes: Sequence[tuple[str, str]],
        comparison: Sequence[Sequence[str]] = (),
    ) -> dict[str, Any]:
        """Write report and summary; return `record` with what was found of the pitches."""
        ball = self.setup.ball
        told = f"radius {ball.radius_m / INCH_M:.2f} in, {ball.mass_kg / OUNCE_KG:.2f} oz"
        notes = [*notes, ("ball", told)]
        report = self._report.write(self.folder / REPORT, notes=notes, comparison=comparison)
        self.files = {"report": str(report), "summary": str(self.folder / SUMMARY), **self.files}
        whole = {**record, "session": self.name, "pitches": [p.record for p in self.pitches],
                 "files": self.files}  # fmt: skip
        write_text(self.folder / SUMMARY, json.dumps(whole, indent=2, allow_nan=False) + "\n")
        return whole

    def faults(self) -> list[str]:
        """Return what is wrong with pitches, a line each."""
        said = [(p.pitch_id, status_words(p.fit, plate=self.plate)) for p in self.pitches]
        return [f"{n}: {words}" for n, words in said if words != said_good(plate=self.plate)]

    def judged(self, *, cancelled: bool, doubtful: bool = False) -> tuple[Exit, str]:
        """Return the exit code and the word for it.

        Cancelled; no pitch, or none that could be fitted; any of them not fitted or with a
        warning, or the footage `doubtful`; good.
        """
        if cancelled:
            return Exit.CANCELLED, "cancelled"
        fits = [p.fit for p in self.pitches if p.fit is not None and p.fit.flight is not None]
        if not fits:
            return Exit.NOTHING_TRACKABLE, "no_pitch"
        weak = len(fits) < len(self.pitches) or any(
            code.value != "NO_PLATE_CROSSING" or self.plate for fit in fits for code in fit.failures
        )
        return (Exit.WEAK, "weak") if weak or doubtful else (Exit.GOOD, "done")

    def tables(self) -> list[RenderableType]:
        """Return all pitches for people, and below what is wrong with any."""
        if not self.pitches:
            return []
        names = _SHOWN if self.plate else _SHOWN_ANYWHERE
        heads = (*names.values(), *(("call",) if self.plate else ()))
        title = _UNITS if self.plate else None
        table = Table("pitch", *heads, title=title)
        table.columns[0].no_wrap = True
        for column in table.columns[1 : 1 + len(names)]:
            column.justify = "right"
        for pitch in self.pitches:
            known = {n.name: n for n in pitch_numbers(pitch.fit, plate=self.plate)}
            cells = [known[name].figure if name in known else UNKNOWN for name in names]
            call = (_call(pitch.fit),) if self.plate else ()
            table.add_row(Text(pitch.pitch_id), *cells, *call)
        return [table, *(Text(words, style="yellow") for words in self.faults())]

    def _record(self, window: PitchWindow) -> dict[str, Any]:
        fit = window.fit
        return {
            "pitch_id": window.pitch_id,
            "start_ns": window.pitch.start_ns,
            "end_ns": window.pitch.end_ns,
            "recording": window.status.value,
            "frames": {side: len(window.frames[side]) for side in SIDES},
            "sightings": {"left": len(window.pitch.left), "right": len(window.pitch.right),
                          "both": len(window.pitch.observations)},
            "lost": len(window.lost),
            "documented": None if fit is None else fit.documented(),
            "numbers": [
                {"name": n.name, "value": _number(n.value), "sigma": _number(n.sigma),
                 "unit": n.unit} for n in pitch_numbers(fit, plate=self.plate)
            ],
        }  # fmt: skip


def _line(window: PitchWindow, *, plate: bool) -> str:
    """Return a pitch in one line, as it happens."""
    fit = window.fit
    speed = [n.text for n in pitch_numbers(fit, plate=plate)[:1]]
    words = [*speed, *((call_words(fit),) if plate else ())]
    said = status_words(fit, plate=plate)
    return f"{window.pitch_id}: {', '.join(words + ([said] if said != 'fitted' else []))}"


def _call(fit: PitchFit | None) -> Text:
    word = call_words(fit)
    return Text(word, style={"strike": "bold red", "ball": "bold blue"}.get(word, "dim"))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
