"""Writing the report: everything in one file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from trackcore._files import write_text
from trackcore.errors import InputError
from trackcore.frame_regions import REGIONS
from trackcore.frames import Clip, open_clip
from trackcore.report import sections, words
from trackcore.report._html import Html, tag
from trackcore.report.measures import Measures
from trackcore.report.page import asset, page
from trackcore.report.posters import posters
from trackcore.report.rows import ReportAttempt, ReportSetting
from trackcore.report.scene3d import scene
from trackcore.solver import Solve, TrackRole
from trackcore.tracks import Tracks

_SCRIPTS = ("theme.js", "scene.js", "clip.js", "series.js", "regions.js", "table.js", "main.js")


def write_report(
    path: str | PathLike[str],
    solve: Solve,
    tracks: Tracks,
    *,
    clip: str | PathLike[str] | Clip | None = None,
    attempts: Sequence[ReportAttempt] = (),
    settings: Sequence[ReportSetting] = (),
    why: Sequence[str] = (),
    notes: Sequence[str] = (),
    title: str | None = None,
    n_tracked: int | None = None,
) -> Path:
    """Write a solve as one HTML file: to look at, to turn, to send to somebody.

    The file holds its pictures, scripts and styles, and loads nothing.

    Parameters
    ----------
    path : path
        The file to write, `.html`.
    solve : Solve
    tracks : Tracks
        The tracks that were solved, in the same order.
    clip : path or Clip, optional
        The footage; without it, the marks are shown without pictures.
    attempts : sequence of ReportAttempt
        What was tried, in order.
    settings : sequence of ReportSetting
        The settings that were used.
    why : sequence of str
        What led to these settings, step by step.
    notes : sequence of str
        What else a person should know, such as frames that were left out; beside the grade.
    title : str, optional
        What was solved; default: the last part of the clip's name.
    n_tracked : int, optional
        How many tracks there were before the bad ones were left out; default: none was.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the tracks are not those of the solve; `SourceError`, which is one, if the clip cannot
        be read.
    TrackcoreError
        If this OpenCV can encode neither WebP nor JPEG.
    """
    path = Path(path)
    measures = Measures(solve, tracks)
    opened = clip if clip is None or isinstance(clip, Clip) else _opened(clip, tracks)
    if opened is not None and opened.size != tracks.frame_size:
        raise InputError(
            f"clip: expected frames of {tracks.frame_size} px as in tracks, got {opened.size}"
        )
    name = title if title is not None else _name(opened)
    top = (sections.verdict(measures, notes), sections.figures(measures, n_tracked))
    cards = (sections.attempts(attempts), sections.settings(settings, why))
    write_text(path, _page(name, measures, posters(measures, opened), top, cards))
    return path


def _page(
    title: str,
    measures: Measures,
    pictures: list[dict[str, Any]],
    top: Sequence[Html],
    cards: Sequence[Html],
) -> str:
    solve = measures.solve
    contents = {
        "title": title,
        "size": list(solve.frame_size),
        "scene": scene(measures),
        "series": measures.frame_series(),
        "keyframes": list(solve.keyframes or ()),
        "heldOut": float(solve.held_out_error_px),
        "posters": pictures,
        "tracks": measures.track_rows(),
        "regions": measures.regions(),
        "regionNames": list(REGIONS),
        "roles": [words.ROLE[role] for role in TrackRole],
    }
    return page(
        title, f"grade {solve.grade.value}", "trackcore solve", _main(measures, top, cards),
        contents, style=asset("report.css"),
        scripts=[asset(name) for name in ("plotly-gl3d.min.js", *_SCRIPTS)],
    )  # fmt: skip


def _main(measures: Measures, top: Sequence[Html], cards: Sequence[Html]) -> Html:
    return tag(
        "main",
        *top,
        sections.section(
            "Camera and points", Html(asset("scene.html")), id_="space",
            note="Drag to turn, scroll to come closer." if measures.solve.solved.any() else "",
        ),
        sections.section(
            "The clip", Html(asset("clip.html")), id_="clip",
            note="Where tracks were, and where the solved camera says they should be.",
        ),
        sections.section(
            "Over time", tag("div", class_="plot", id="series-plot"), id_="series", wide=True,
            note="Click a frame to see it above. Tracks that were kept aside joined the final fit; "
            "the held-out error at the top is from before."
            if len(measures.solve.held_out_ids) else "Click a frame to see it above.",
        ),
        tag(
            "div",
            sections.section("Regions of the frame", Html(asset("regions.html")), id_="regions"),
            sections.shot(measures.solve),
            class_="column",
        ),
        tag("div", *cards, class_="column"),
        sections.section(
            "Tracks", sections.role_filter(measures), Html(asset("table.html")), id_="tracks",
            wide=True, note="Click a heading to sort, a track to mark it above.",
        ),
    )  # fmt: skip


def _opened(clip: str | PathLike[str], tracks: Tracks) -> Clip:
    numbers = tracks.frame_numbers
    part = (int(numbers[0]), int(numbers[-1])) if len(numbers) else None
    return open_clip(clip, frames=part, color=True)


def _name(clip: Clip | None) -> str:
    return Path(clip.name).name if clip is not None else "solve"
