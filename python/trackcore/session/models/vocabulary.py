"""The documented words of the records, each list in one place."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from trackcore.frame_regions import REGIONS
from trackcore.options import MotionModel
from trackcore.session.models._base import Words

LEVELS = ("LOW", "MEDIUM", "HIGH")
FAILURE_TYPES = ("NONE", "BLUR", "CONTRAST", "CUT", "DRIFT", "INSUFFICIENT")
ZOOM_DIRECTIONS = ("ZOOM_IN", "ZOOM_OUT", "NONE")
FOCAL_CHANGES = ("LONGER", "SHORTER", "NONE")
DISTORTION_MODELS = ("POLYNOMIAL", "DIVISION", "NUKE", "BROWN")
FOOTAGE_TYPES = ("AUTO", "INDOOR", "OUTDOOR", "HANDHELD", "GIMBAL", "DRONE", "ACTION", "VFX")
DELETION_REASONS = ("short_lifespan", "edge_region", "high_error", "jittery", "user_manual")
EXCLUSION_KINDS = ("mute", "zero_weight")
OUTCOMES = ("SUCCESS", "PARTIAL", "FAILURE")

Region: TypeAlias = Annotated[str, Words(REGIONS)]
MotionClass: TypeAlias = Annotated[str, Words(LEVELS)]
TextureClass: TypeAlias = Annotated[str, Words(LEVELS, read_as=(("GOOD", "HIGH"),))]
FailureType: TypeAlias = Annotated[str, Words(FAILURE_TYPES)]
ZoomDirection: TypeAlias = Annotated[str, Words(ZOOM_DIRECTIONS)]
FocalChange: TypeAlias = Annotated[str, Words(FOCAL_CHANGES)]
DistortionModel: TypeAlias = Annotated[str, Words(DISTORTION_MODELS)]
FootageType: TypeAlias = Annotated[str, Words(FOOTAGE_TYPES)]
DeletionReason: TypeAlias = Annotated[str, Words(DELETION_REASONS)]
ExclusionKind: TypeAlias = Annotated[str, Words(EXCLUSION_KINDS)]
Outcome: TypeAlias = Annotated[str, Words(OUTCOMES)]
Model: TypeAlias = Annotated[str, Words(tuple(model.value for model in MotionModel))]
