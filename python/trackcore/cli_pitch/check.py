"""`trackcore pitch verify`: whether a session holds what it says, and says what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.recorded import opened
from trackcore.recording import (
    Finding,
    RecordingStatus,
    SessionCheck,
    verify_package,
    verify_session,
)

_MB = 1e6
_CAME = {
    Finding.GOOD: (Exit.GOOD, "done"),
    Finding.LACKING: (Exit.WEAK, "lacking"),
    Finding.WRONG: (Exit.ERROR, "failed"),
}
_MARKS = {
    Finding.GOOD: Text("good", style="green"),
    Finding.LACKING: Text("lacking", style="yellow"),
    Finding.WRONG: Text("wrong", style="bold red"),
}


def verify(
    folder: Path, output: Output, cancelled: Interrupt, *, every: bool
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Check a session or a package of one; say what is wrong, or with `every` all there was.

    A recording that was killed is mended first.

    Raises
    ------
    InputError
        If there is no session.
    """
    packed = folder.is_file()
    if not packed:
        opened(folder, output)
    with output.progress("checking ") as progress:
        look = verify_package if packed else verify_session
        found = look(folder, progress=progress, cancel=cancelled)
    code, outcome = (Exit.CANCELLED, "cancelled") if cancelled() else _CAME[found.finding]
    for check in found.problems:
        output.error(f"{check.where}: not so: {check.what}: {check.said}")
    for check in found.lacks:
        output.log(f"{check.where}: lacking: {check.said} ({check.what}: no)")
    return code, {"outcome": outcome, "session": str(folder), **found.to_dict()}, [
        *([_table(found)] if every else []), _said(found), _sizes(found),
    ]  # fmt: skip


def _table(found: SessionCheck) -> Table:
    table = Table("", "where", "what", "found")
    for check in found.checks:
        table.add_row(_MARKS[check.finding], Text(check.where), Text(check.what), Text(check.said))
    return table


def _said(found: SessionCheck) -> Text:
    n, wrong, lacks = len(found.checks), len(found.problems), len(found.lacks)
    status = "" if found.status in (None, RecordingStatus.COMPLETE) else f"{found.status}: "
    if wrong:
        return Text(f"{status}{wrong} of {n} checks failed", style="bold red")
    if lacks:
        said = (
            f"{status}nothing is wrong, but {lacks} of {n} checks found less than there should be"
        )
        return Text(said, style="yellow")
    return Text(f"all {n} checks passed", style="green")


def _sizes(found: SessionCheck) -> Text:
    sizes = ", ".join(f"{n / _MB:.1f} MB {name}" for name, n in found.bytes.items() if n)
    added = found.added_percent
    more = f"; {added:.1f} % over the videos" if added == added else ""  # not NaN
    return Text(f"{sizes or 'nothing'}{more}")
