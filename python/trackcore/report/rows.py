"""What a report says beside the solve itself: settings and attempts, as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

from trackcore.solver import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSetting:
    """One setting that was used.

    Attributes
    ----------
    name, value : str
        As a person reads them, the value with its unit.
    why : str
        Where the value comes from.
    """

    name: str
    value: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAttempt:
    """One attempt at tracking and solving.

    Attributes
    ----------
    changed : tuple of str
        What was different from the attempt before, one phrase each.
    why : str
        What led to it.
    grade : Grade or None
        None where it did not come to a solve.
    held_out_error_px, mean_error_px : float
        NaN where unknown [px].
    tracks, bundles : int
        How many there were, and how many became points.
    kept : bool
        Whether this attempt is the one that the report shows.
    """

    changed: tuple[str, ...] = ()
    why: str = ""
    grade: Grade | None = None
    held_out_error_px: float = float("nan")
    mean_error_px: float = float("nan")
    tracks: int = 0
    bundles: int = 0
    kept: bool = False
