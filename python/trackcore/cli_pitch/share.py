"""`trackcore pitch package`: a session as one file to submit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.recording import package_session

_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageJob:
    """What to pack, and what is said of it: see `package_session`."""

    session: Path
    out: Path | None
    kind: str
    reason: str | None
    location: str | None
    pitcher_id: str | None
    operator: str | None
    player_consent: bool
    anonymized: bool
    retention_days: int


def run(
    job: PackageJob, output: Output, cancelled: Interrupt
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Write the package, and say what is in it and what is not.

    Raises
    ------
    TrackcoreError, OSError
        If there is no session, or the package cannot be written.
    """
    with output.progress("packing ") as progress:
        made = package_session(
            job.session, job.out, kind=job.kind, reason=job.reason, location=job.location,
            pitcher_id=job.pitcher_id, operator=job.operator, player_consent=job.player_consent,
            anonymized=job.anonymized, retention_days=job.retention_days, progress=progress,
            cancel=cancelled,
        )  # fmt: skip
    if made is None:
        return Exit.CANCELLED, {"outcome": "cancelled"}, []
    said = made.manifest
    for name in made.left_out:
        output.log(f"note: not in the package: {name}")
    record = {
        "outcome": "done", "file": str(made.path), "submission": said.to_dict(),
        "left_out": list(made.left_out),
    }  # fmt: skip
    n, pitches = len(said.files or {}), said.session.pitch_count
    counted = f"{n} files, {pitches} pitches, {said.size_bytes / _MB:.1f} MB"
    return Exit.GOOD, record, [Text(f"wrote {made.path}: {counted}")]
