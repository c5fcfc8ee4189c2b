"""The report's words: what grades, roles and kinds of shot mean to a person."""

from __future__ import annotations

import numpy as np

from trackcore.frame_regions import REGIONS
from trackcore.report.measures import Measures
from trackcore.solver import Grade, SolveKind, TrackRole
from trackcore.stats import ShotKind

HEADLINE = {
    Grade.A: "A camera to work with",
    Grade.B: "A good camera",
    Grade.C: "A usable camera, with care",
    Grade.D: "A weak camera: check before use",
    Grade.F: "No camera",
}
MEANING = {
    Grade.A: "Tracks that were kept aside landed where this camera said they should, "
    "and the whole clip determines it well.",
    Grade.B: "The camera is right; something keeps it from being certain everywhere.",
    Grade.C: "The move is right on the whole. Inserted objects may slide in some frames "
    "or parts of the picture.",
    Grade.D: "There is a camera, but the tracks do not hold it firmly. "
    "It may look right and still be wrong.",
    Grade.F: "The tracks do not determine a camera. None is better than a wrong one.",
}
ADVICE = {
    Grade.A: "Use it as it is.",
    Grade.B: "Use it. For close-up work, look at the worst frames below first.",
    Grade.C: "Put a test object into the scene and watch it before you build on this.",
    Grade.D: "Treat it as a draft: improve the tracks or tell more about the camera, solve again.",
    Grade.F: "Fix what the reasons name, then solve again. Nothing of this solve should be used.",
}
ROLE = {
    TrackRole.BUNDLE: "in the solve",
    TrackRole.OUTLIER: "outlier",
    TrackRole.TOO_FEW_FRAMES: "too few frames",
    TrackRole.NO_PARALLAX: "no parallax",
    TrackRole.UNUSED: "unused",
}
ROLE_MEANS = {
    TrackRole.BUNDLE: "became a point that the camera was solved with",
    TrackRole.OUTLIER: "moves against the rest: a moving object, a reflection, a slipped track",
    TrackRole.TOO_FEW_FRAMES: "too short to say where it is",
    TrackRole.NO_PARALLAX: "its depth cannot be told: the views of it hardly differ",
    TrackRole.UNUSED: "not looked at",
}
KIND = {
    SolveKind.FREE: ("Free", "it moves and turns"),
    SolveKind.TRIPOD: ("Tripod", "it turns and does not move"),
    SolveKind.NONE: ("None", "no camera was solved"),
}
SHOT = {
    ShotKind.STATIC: "Static camera",
    ShotKind.PAN_TILT: "Pan or tilt",
    ShotKind.ROLL: "Roll",
    ShotKind.ZOOM: "Zoom",
    ShotKind.DOLLY_PARALLAX: "Moving camera, with parallax",
    ShotKind.PLANAR: "Moving camera, flat scene",
    ShotKind.HANDHELD_SHAKE: "Handheld shake",
    ShotKind.UNKNOWN: "Unknown: too little to judge",
}

_UNSURE_FOCAL = 0.02
_FEW_TRACKS = 12
_THIN_REGION = 3
_WORST_FRAME = 2.0


def hints(measures: Measures) -> list[str]:
    """Return what a person can do about this solve, each with the figure that says so."""
    return [ADVICE[measures.solve.grade], *_about_frames(measures), *_about_places(measures),
            *_about_the_lens(measures)]  # fmt: skip


def _about_frames(measures: Measures) -> list[str]:
    solve, numbers = measures.solve, measures.solve.frame_numbers
    if not solve.n_frames:
        return []
    alive = measures.tracks.seen.sum(axis=0)
    thin = int(np.argmin(alive))
    found = []
    if alive[thin] < _FEW_TRACKS:
        found.append(f"Frame {numbers[thin]} has only {alive[thin]} tracks: add some there.")
    error = solve.frame_error_px
    if np.isfinite(error).any():
        worst, usual = int(np.nanargmax(error)), float(np.nanmedian(error))
        if error[worst] > _WORST_FRAME * usual:
            found.append(
                f"Frame {numbers[worst]} fits worst ({error[worst]:.2f} px, usually "
                f"{usual:.2f} px): look for blur, a cut or tracks that slip there."
            )
    return found


def _about_places(measures: Measures) -> list[str]:
    if not measures.used.any():
        return []
    here = np.bincount(measures.region[measures.used], minlength=len(REGIONS))
    thin = [name for name, n in zip(REGIONS, here.tolist(), strict=True) if n < _THIN_REGION]
    if not thin:
        return []
    return [f"Few points hold the camera in {', '.join(thin)}: add tracks there if you can."]


def _about_the_lens(measures: Measures) -> list[str]:
    solve = measures.solve
    share = solve.focal_sigma_px / solve.focal_px if solve.focal_px > 0 else float("nan")
    if not share > _UNSURE_FOCAL:
        return []
    return [
        f"The focal length is uncertain by {share:.0%}. If you know the lens, say so: "
        "--focal-mm and --sensor-mm."
    ]
