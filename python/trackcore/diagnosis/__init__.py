"""Why a clip did not track well, by evidence, and which settings should help."""

from trackcore.diagnosis.causes import Cause
from trackcore.diagnosis.diagnose import (
    Diagnosis,
    DiagnosisResult,
    FailureDiagnostics,
    FailureType,
    diagnose,
)
from trackcore.diagnosis.fixes import FailurePattern, apply_fix

__all__ = [
    "Cause",
    "Diagnosis",
    "DiagnosisResult",
    "FailureDiagnostics",
    "FailurePattern",
    "FailureType",
    "apply_fix",
    "diagnose",
]
