"""`trackcore pitch fit SESSION`: recorded pitches fitted anew, with pictures and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text

from trackcore.cameras import StereoRig
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.fit import fit_options
from trackcore.cli_pitch.outcome import SessionOutcome
from trackcore.cli_pitch.recorded import opened
from trackcore.cli_pitch.settings import Given
from trackcore.cli_track import version
from trackcore.errors import InputError

_PITCH = "*-pitch-*"


def run(
    folder: Path,
    rig: StereoRig | None,
    out: Path | None,
    given: Given,
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
    setup = given.changed(session.setup)
    pitches = [p for p in session.pitches if not alone or p.folder.samefile(folder)]
    found = SessionOutcome(chosen, setup, out or folder / "fitted", folder.name, output)
    with output.progress("fitting ") as progress:
        for i, pitch in enumerate(pitches, start=1):
            if cancelled():
                break
            fit = setup.fitted(chosen, pitch.left, pitch.right)
            found.write_pitch(pitch.window(fit))
            progress(i, len(pitches))
    code, word = found.judged(cancelled=cancelled())
    record = {
        "outcome": word, "trackcore": version(), "source": str(folder),
        **fit_options(setup), "gaps": list(session.gaps),
    }  # fmt: skip
    record = found.finish(record, [("recording", session.status.value)])
    if code is Exit.NOTHING_TRACKABLE:
        output.error(f"no pitch in {folder} could be fitted")
    for gap in session.gaps:
        output.log(f"note: not there: {gap}")
    return code, record, [*found.tables(), *(Text(f"wrote {p}") for p in found.files.values())]
