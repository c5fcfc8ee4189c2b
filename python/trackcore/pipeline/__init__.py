"""From a clip to a camera: the order of all stages, what is tried again, and what is recorded."""

from trackcore.pipeline.attempt import Attempt, PipelineResult
from trackcore.pipeline.events import Stage, StageTime, Step
from trackcore.pipeline.options import HealWhen, SmartTrackerOptions
from trackcore.pipeline.plan import Plan
from trackcore.pipeline.run import SmartTracker
from trackcore.pipeline.watch import Adaptation

__all__ = [
    "Adaptation",
    "Attempt",
    "HealWhen",
    "PipelineResult",
    "Plan",
    "SmartTracker",
    "SmartTrackerOptions",
    "Stage",
    "StageTime",
    "Step",
]
