"""The report of a session of pitches: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from trackcore._files import write_text
from trackcore.cameras import StereoRig
from trackcore.pitch import StrikeZone
from trackcore.pitch_report import cards
from trackcore.pitch_report.cards import PitchRow
from trackcore.pitch_report.contents import pitch_contents, session_contents
from trackcore.pitch_report.views import PitchView
from trackcore.recording import SIDES, PitchWindow
from trackcore.report._html import Html, tag
from trackcore.report.page import asset as shared_asset
from trackcore.report.page import page
from trackcore.report.sections import section

_ASSETS = Path(__file__).with_name("assets")
_SCRIPTS = ("pitches.js", "zone.js", "flight.js", "planes.js", "frames.js")


class SessionReport:
    """The report of a session, made pitch by pitch: no footage is kept.

    A table of the pitches; all of them in the strike zone, with how often each ninth was hit; of
    each its flight in space, to be turned, from the side and from above, pictures of both cameras
    with what was detected, all numbers with their deviations; what was lost; the calibration.

    Parameters
    ----------
    rig : StereoRig
    zone : StrikeZone, optional
        Default: that of a batter of 66 in, as documented.
    title : str
    """

    def __init__(
        self, rig: StereoRig, zone: StrikeZone | None = None, *, title: str = "session"
    ) -> None:
        self.rig, self.zone, self.title = rig, zone or StrikeZone.of_batter(), title
        self._pitches: list[dict[str, Any]] = []
        self._rows: list[PitchRow] = []

    def add(self, window: PitchWindow) -> None:
        """Take in a pitch, in the order in which they were thrown; its frames are read now.

        Raises
        ------
        TrackcoreError
            If this OpenCV can encode neither WebP nor JPEG.
        """
        view = PitchView(window, self.rig, self.zone)
        self._pitches.append(pitch_contents(view, len(self._pitches)))
        counts = {side: len(window.frames[side]) for side in SIDES}
        self._rows.append(PitchRow(window.pitch_id, window.fit, window.status, counts, window.lost))

    def write(
        self,
        path: str | PathLike[str],
        *,
        notes: Sequence[tuple[str, str]] = (),
        comparison: Sequence[Sequence[str]] = (),
    ) -> Path:
        """Write it as one HTML file that holds its pictures, scripts and styles.

        Parameters
        ----------
        path : path
            The file to write, `.html`.
        notes : sequence of (name, value)
            What else is known of the recording.
        comparison : sequence of rows
            Against a known truth: a row of headings, then rows of text.

        Returns
        -------
        Path
            The file written. It loads nothing.
        """
        path = Path(path)
        shown = session_contents(self.rig, self.zone, self.title, self._pitches)
        main = _main(self._rows, self.rig, notes, comparison)
        write_text(path, _page(self.title, shown, main))
        return path


def write_session_report(
    path: str | PathLike[str],
    windows: Iterable[PitchWindow],
    rig: StereoRig,
    *,
    zone: StrikeZone | None = None,
    title: str = "session",
    notes: Sequence[tuple[str, str]] = (),
    comparison: Sequence[Sequence[str]] = (),
) -> Path:
    """Write a session of pitches as one HTML file: see `SessionReport`.

    Parameters
    ----------
    path : path
        The file to write, `.html`.
    windows : iterable of PitchWindow
        In the order in which they were thrown; none is a session without a pitch.
    rig, zone, title, notes, comparison
        As of `SessionReport` and its `write`.

    Returns
    -------
    Path
        The file written.
    """
    report = SessionReport(rig, zone, title=title)
    for window in windows:
        report.add(window)
    return report.write(path, notes=notes, comparison=comparison)


def _page(title: str, shown: dict[str, Any], main: Html) -> str:
    scripts = [shared_asset("plotly-gl3d.min.js"), shared_asset("theme.js")]
    scripts += [*map(_asset, _SCRIPTS), shared_asset("main.js")]
    return page(
        title, f"{len(shown['pitches'])} pitches", "trackcore pitch", main, shown,
        style=shared_asset("report.css") + _asset("pitch.css"), scripts=scripts,
    )  # fmt: skip


def _main(
    rows: Sequence[PitchRow],
    rig: StereoRig,
    notes: Sequence[tuple[str, str]],
    comparison: Sequence[Sequence[str]],
) -> Html:
    if not rows:
        empty = tag("p", "No pitch was found in this footage.", class_="empty")
        return tag(
            "main", section("Pitches", empty, id_="pitches", wide=True),
            cards.recording(rows, notes), cards.calibration(rig),
        )  # fmt: skip
    plate = rig.has_plate
    parts = [
        cards.tiles(rows, plate=plate),
        section(
            "Pitches", Html(_asset("pitches.html")), id_="pitches", wide=True,
            note="Click a pitch to see it below.",
        ),
    ]  # fmt: skip
    if plate:
        parts.append(section(
            "Strike zone", Html(_asset("zone.html")), id_="zone",
            note="As the catcher sees it, where the ball came past the front of the plate.",
        ))  # fmt: skip
    parts += [
        section("Flight", Html(_asset("flight.html")), id_="flight", wide=not plate,
                note="Drag to turn, scroll to come closer."),
        section("From the side and from above" if plate else "Flat views",
                tag("div", class_="plot", id="planes-plot"), id_="planes", wide=True),
        tag(
            "div",
            section("Pictures", Html(_asset("frames.html")), id_="frames",
                    note="Where the ball was seen, and where the fitted path is."),
            section("What the numbers rest on", _facts("evidence-table"), id_="evidence"),
            class_="column",
        ),
        tag(
            "div",
            section("Numbers", tag("h3", id="numbers-title"), _facts("numbers-table"),
                    id_="numbers",
                    note="± one standard deviation, from the noise of the pixels alone: light, "
                    "lens and calibration come on top."),
            cards.calibration(rig),
            class_="column",
        ),
    ]  # fmt: skip
    if comparison:
        parts.append(cards.comparison(comparison))
    parts.append(cards.recording(rows, notes))
    return tag("main", *parts)


def _facts(name: str) -> Html:
    return tag("div", id=name, class_="facts")


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
