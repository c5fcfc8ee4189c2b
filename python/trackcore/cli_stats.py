"""`trackcore stats`: measure tracks that were made before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from trackcore._files import write_text
from trackcore.analysis import ClipAnalysis, analyze
from trackcore.cli_analysis import PICTURE, draw, table
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.frame_regions import REGIONS
from trackcore.frames import open_clip
from trackcore.pixels import PixelFeatures, motion_probe, pixel_features
from trackcore.summary import summarize
from trackcore.tracks import Tracks

STATISTICS = "statistics.json"


def run(
    tracks_file: Path,
    clip: str | None,
    folder: Path,
    threads: int,
    output: Output,
    cancelled: Interrupt,
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Measure, write `statistics.json` and `statistics.png`, and return what to say.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    tracks = Tracks.load(tracks_file)
    probe, pixels = None, None
    if clip is not None:
        probe = motion_probe(clip, threads=threads)
        pixels = _pixels(clip, tracks, threads, output, cancelled)
    stopped = cancelled()
    found = analyze(tracks, probe=probe, pixels=pixels, threads=threads)
    record: dict[str, Any] = {
        "outcome": "cancelled" if stopped else "done",
        "summary": summarize(tracks).to_dict(),
        **found.to_dict(),
        **found.stats.to_dict(),
        "findings": found.suspects.to_dict()["findings"],
        "series": None if pixels is None else pixels.series.to_dict(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = {"statistics": str(folder / STATISTICS)}
    text = json.dumps(record, indent=1, allow_nan=False)
    write_text(folder / STATISTICS, text + "\n")
    if draw(found, folder / PICTURE, output, clip=clip, title=tracks_file.name):
        files["picture"] = str(folder / PICTURE)
    shown = [
        Text(str(tracks_file), style="bold"), summarize(tracks).table(), table(found),
        _regions(found), found.suspects.table(title="suspect tracks (nothing was changed)"),
        *(Text(f"wrote {path}") for path in files.values()),
    ]  # fmt: skip
    return Exit.CANCELLED if stopped else Exit.GOOD, {**record, "files": files}, shown


def _pixels(
    clip: str, tracks: Tracks, threads: int, output: Output, cancelled: Interrupt
) -> PixelFeatures:
    numbers = tracks.frame_numbers
    part = (int(numbers[0]), int(numbers[-1])) if len(numbers) else None
    with output.progress("looking") as progress:
        return pixel_features(
            open_clip(clip, frames=part), tracks=tracks, progress=progress, cancel=cancelled,
            threads=threads,
        )  # fmt: skip


def _regions(found: ClipAnalysis) -> Table:
    """Return the nine regions: their tracks, and what the pixels offer there."""
    rows = Table(title="regions", title_justify="left")
    for heading in ("region", "tracks", "successful", "confidence", "edges", "contrast"):
        rows.add_column(heading, justify="left" if heading == "region" else "right")
    regions, pixels = found.motion.regions, found.pixels
    for name in REGIONS:
        counts = regions.region_stats.get(name, {})
        edges = None if pixels is None else pixels.edge_density[name]
        contrast = None if pixels is None else pixels.contrast_stats[name].estimated_contrast
        rows.add_row(
            name, str(counts.get("total_tracks", 0)), str(counts.get("successful_tracks", 0)),
            f"{regions.region_confidence[name]:.2f}", _share(edges), _share(contrast),
        )  # fmt: skip
    return rows


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
