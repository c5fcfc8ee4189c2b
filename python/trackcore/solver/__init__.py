"""Camera solving: tracks in, a camera and an honest grade out."""

from trackcore.solver.confidence import pre_solve_confidence
from trackcore.solver.lens import Lens, LensFit, LensModel
from trackcore.solver.prior import CameraPrior, Zoom
from trackcore.solver.result import Grade, Solve, SolveKind, TrackRole
from trackcore.solver.solve import solve

__all__ = [
    "CameraPrior",
    "Grade",
    "Lens",
    "LensFit",
    "LensModel",
    "Solve",
    "SolveKind",
    "TrackRole",
    "Zoom",
    "pre_solve_confidence",
    "solve",
]
