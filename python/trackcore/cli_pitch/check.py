"""`trackcore pitch verify`: whether a session holds what it says, and says what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.recorded import opened
from trackcore.recording import SessionCheck, verify_package, verify_session

_MB = 1e6


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
    stopped = cancelled()
    outcome = "cancelled" if stopped else "done" if found.ok else "failed"
    code = Exit.CANCELLED if stopped else Exit.GOOD if found.ok else Exit.ERROR
    for check in found.problems:
        output.error(f"{check.where}: not so: {check.what}: {check.said}")
    return code, {"outcome": outcome, "session": str(folder), **found.to_dict()}, [
        *([_table(found)] if every else []), _said(found), _sizes(found),
    ]  # fmt: skip


def _table(found: SessionCheck) -> Table:
    table = Table("", "where", "what", "found")
    for check in found.checks:
        mark = Text("good", style="green") if check.ok else Text("wrong", style="bold red")
        table.add_row(mark, Text(check.where), Text(check.what), Text(check.said))
    return table


def _said(found: SessionCheck) -> Text:
    n, wrong = len(found.checks), len(found.problems)
    if wrong:
        return Text(f"{wrong} of {n} checks failed", style="bold red")
    return Text(f"all {n} checks passed", style="green")


def _sizes(found: SessionCheck) -> Text:
    sizes = ", ".join(f"{n / _MB:.1f} MB {name}" for name, n in found.bytes.items() if n)
    added = found.added_percent
    more = f"; {added:.1f} % over the videos" if added == added else ""  # not NaN
    return Text(f"{sizes or 'nothing'}{more}")
