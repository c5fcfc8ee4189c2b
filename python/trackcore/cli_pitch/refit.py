"""`trackcore pitch fit SESSION`: recorded pitches fitted anew, with pictures and a report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from trackcore.cameras import StereoRig
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.outcome import SessionOutcome
from trackcore.cli_pitch.recorded import opened
from trackcore.cli_track import version
from trackcore.errors import InputError
from trackcore.pitch import PitchFitOptions, StrikeZone, fit_pitch
from trackcore.pitch.fit import with_parabola

_PITCH = "*-pitch-*"


def run(
    folder: Path,
    rig: StereoRig | None,
    out: Path | None,
    options: PitchFitOptions,
    batter_in: float | None,
    output: Output,
    cancelled: Interrupt,
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Fit the pitches of a session, or one of them; write pictures, report and summary.

    Raises
    ------
    InputError
        If there is no session, or no rig.
    """
    alone = not any(folder.glob(_PITCH)) and any(p == folder for p in folder.parent.glob(_PITCH))
    session = opened(folder.parent if alone else folder, output)
    chosen = rig or session.rig
    if chosen is None:
        raise InputError("rig: expected --rig: the session does not hold its cameras")
    zone = session.zone or StrikeZone.of_batter()
    zone = zone if batter_in is None else StrikeZone.of_batter(batter_in)
    pitches = [p for p in session.pitches if not alone or p.folder.samefile(folder)]
    found = SessionOutcome(chosen, zone, out or folder / "fitted", folder.name, output)
    fitting = with_parabola(options, chosen)
    with output.progress("fitting ") as progress:
        for i, pitch in enumerate(pitches, start=1):
            if cancelled():
                break
            fit = fit_pitch(chosen, pitch.left, pitch.right, options=fitting, zone=zone)
            found.write_pitch(pitch.window(fit))
            progress(i, len(pitches))
    code, word = found.judged(cancelled=cancelled())
    record = {
        "outcome": word, "trackcore": version(), "source": str(folder),
        "options": asdict(fitting), "gaps": list(session.gaps),
    }  # fmt: skip
    record = found.finish(record, [("recording", session.status.value)])
    if code is Exit.NOTHING_TRACKABLE:
        output.error(f"no pitch in {folder} could be fitted")
    for gap in session.gaps:
        output.log(f"note: not there: {gap}")
    return code, record, [found.table(), *(Text(f"wrote {p}") for p in found.files.values())]
