"""`trackcore heal`: join tracks that were lost with those that go on for them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from trackcore._files import write_text
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.frames import open_clip
from trackcore.healing import Healing, heal
from trackcore.options import HealOptions
from trackcore.overlay import write_overlay
from trackcore.tracks import Tracks

HEALING = "healing.json"
_OVERLAY = "overlay.mp4"


def run(
    tracks_file: Path,
    clip: str,
    folder: Path,
    options: HealOptions,
    output: Output,
    cancelled: Interrupt,
    *,
    overlay: bool,
    threads: int,
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Heal, write `tracks.npz`, `tracks.csv`, `healing.json` and an overlay; say what was done.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    tracks = Tracks.load(tracks_file)
    numbers = tracks.frame_numbers
    part = (int(numbers[0]), int(numbers[-1])) if len(numbers) else None
    folder.mkdir(parents=True, exist_ok=True)
    with output.progress("healing ") as progress:
        found = heal(
            tracks, open_clip(clip, frames=part), options, progress=progress, cancel=cancelled,
            threads=threads,
        )  # fmt: skip
    stopped = cancelled()
    files = _write(found, folder)
    if overlay and found.tracks.n_frames and not stopped:
        with output.progress("drawing ") as progress:
            path = write_overlay(
                folder / _OVERLAY, open_clip(clip, frames=part, color=True), found.tracks,
                progress=progress, cancel=cancelled,
            )  # fmt: skip
        files["overlay"] = str(path)
    record = {
        "outcome": "cancelled" if stopped else "done",
        "tracks_before": len(tracks),
        "tracks_after": len(found.tracks),
        "options": asdict(options),
        **found.to_dict(),
        "files": files,
    }
    shown = [
        Text(str(tracks_file), style="bold"), _table(tracks, found),
        *(Text(f"wrote {path}") for path in files.values()),
    ]  # fmt: skip
    return Exit.CANCELLED if stopped else Exit.GOOD, record, shown


def _write(found: Healing, folder: Path) -> dict[str, str]:
    files = {"tracks": folder / "tracks.npz", "csv": folder / "tracks.csv"}
    found.tracks.save(files["tracks"])
    found.tracks.to_csv(files["csv"])
    files["healing"] = folder / HEALING
    text = json.dumps(found.to_dict(), indent=1, allow_nan=False)
    write_text(files["healing"], text + "\n")
    return {name: str(path) for name, path in files.items()}


def _table(before: Tracks, found: Healing) -> Table:
    """Return what was joined, and why the rest was not."""
    stats = found.healing_stats
    rows = Table(show_header=False)
    rows.add_column(style="dim")
    rows.add_column(justify="right")
    rows.add_row("tracks before", str(len(before)))
    rows.add_row("tracks after", str(len(found.tracks)))
    rows.add_row("pairs that may belong together", str(stats.candidates_found))
    rows.add_row("joined", str(stats.heals_successful))
    reasons = Counter(a.reason for a in found.healing_attempts if not a.heal_success)
    for reason, count in reasons.most_common():
        rows.add_row(f"refused: {str(reason).lower().replace('_', ' ')}", str(count))
    return rows
