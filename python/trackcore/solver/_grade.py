"""How far a solve is to be trusted: one table of limits, and the sentences that explain them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trackcore.solver.result import Grade

GRADES = (Grade.A, Grade.B, Grade.C, Grade.D, Grade.F)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One number a grade depends on.

    Attributes
    ----------
    name : str
        In the solve's evidence.
    limits : (A, B, C, D)
        The worst value that still deserves each grade.
    says : str
        What is wrong, with `{}` for the value.
    form : str
        How the value is written.
    """

    name: str
    limits: tuple[float, float, float, float]
    says: str
    form: str = "{:.2g}"

    def grade(self, value: float) -> Grade:
        """Return the grade this value deserves; what is unknown deserves no A or B."""
        if math.isnan(value):
            return Grade.C
        a, _, _, d = self.limits
        more_is_better = a > d
        for grade, limit in zip(GRADES, self.limits, strict=False):
            if value >= limit if more_is_better else value <= limit:
                return grade
        return Grade.F

    def sentence(self, value: float) -> str:
        """Return what is wrong."""
        shown = "unknown" if math.isnan(value) else self.form.format(value)
        return self.says.format(shown)


PERCENT = "{:.0%}"
CRITERIA = (
    Criterion(
        "frames_solved", (0.98, 0.9, 0.7, 0.4), "only {} of the frames have a camera", PERCENT
    ),
    Criterion("bundles", (30, 18, 12, 8), "only {} tracks became points", "{:.0f}"),
    Criterion("bundles_in_frame", (10, 7, 6, 5), "a frame has only {} points to go by", "{:.0f}"),
    Criterion(
        "bundle_share", (0.6, 0.4, 0.25, 0.1), "only {} of the tracks became points", PERCENT
    ),
    Criterion("coverage", (0.4, 0.25, 0.15, 0.08), "points cover only {} of the picture", PERCENT),
    Criterion(
        "held_out_error",
        (0.6, 1.2, 2.5, 5.0),
        "tracks kept aside are {} px off (at 1280 x 720)",
    ),
    Criterion(
        "held_out_share",
        (0.7, 0.5, 0.3, 0.15),
        "only {} of the tracks kept aside are where the camera says",
        PERCENT,
    ),
    Criterion("held_out_tracks", (5, 3, 2, 0), "only {} tracks could be kept aside", "{:.0f}"),
    Criterion(
        "centre_sigma",
        (0.01, 0.03, 0.1, 0.3),
        "the tracks determine the camera's path only to {} of its extent",
        "{:.1%}",
    ),
    Criterion(
        "turn_sigma_deg",
        (0.1, 0.3, 1.0, 5.0),
        "the tracks determine the camera's rotation only to {} degrees",
    ),
    Criterion(
        "focal_sigma",
        (0.1, 0.2, 0.4, 0.8),
        "the tracks determine the focal length only to {}",
        PERCENT,
    ),
    Criterion(
        "angle_deg",
        (1.5, 1.0, 0.5, 0.2),
        "points are seen under {} degrees only: there is little parallax",
    ),
    Criterion("leap", (0.05, 0.1, 0.3, 1.0), "the path leaps by {} of its extent", PERCENT),
    Criterion(
        "focal_misfit",
        (1.05, 1.1, 1.2, math.inf),
        "the focal length that was given is {} times off what the tracks say",
    ),
    Criterion(
        "hidden_zoom",
        (0.0, 1.0, 1.0, 1.0),
        "the focal length changes against the camera's motion: other cameras may explain this too",
    ),
    Criterion(
        "focal_assumed",
        (0.0, 0.0, 0.0, 1.0),
        "the camera hardly moves: its focal length cannot be seen, the frame's width is assumed",
    ),
    Criterion("motion_px", (3.0, 2.0, 1.0, 0.5), "the picture moves by {} px only"),
)


TRACKING = (
    "frames_solved", "bundles", "bundles_in_frame", "bundle_share", "coverage", "held_out_error",
    "held_out_share", "held_out_tracks",
)  # fmt: skip
"""What other tracks could improve. The rest is how the camera moved, and what is known of it."""


def graded(evidence: dict[str, float]) -> tuple[Grade, tuple[str, ...]]:
    """Return the grade that all numbers deserve together, and why.

    A number that is not in `evidence` was not asked for: a turning camera has no path.
    """
    found = [
        (criterion.grade(evidence[criterion.name]), criterion)
        for criterion in CRITERIA
        if criterion.name in evidence
    ]
    worst = max((grade for grade, _ in found), key=GRADES.index)
    bad = sorted(
        (pair for pair in found if pair[0] is not Grade.A), key=lambda pair: -GRADES.index(pair[0])
    )
    if bad:
        return worst, tuple(c.sentence(evidence[c.name]) for _, c in bad)
    return worst, (_praise(evidence),)


def _praise(evidence: dict[str, float]) -> str:
    error = evidence.get("held_out_error", math.nan)
    n = evidence.get("bundles", math.nan)
    return f"{n:.0f} points; tracks kept aside are {error:.2f} px off (at 1280 x 720)"
