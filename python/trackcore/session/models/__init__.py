"""The records as typed models: the one place where their schema is declared.

Importing this loads pydantic, which the rest of trackcore does without until a record is made.
"""

from trackcore.session.models._base import SCHEMA_VERSION as SCHEMA_VERSION
from trackcore.session.models._base import File as File
from trackcore.session.models._base import Record as Record
from trackcore.session.models.aggregate import AggregateStats as AggregateStats
from trackcore.session.models.aggregate import ClassStats as ClassStats
from trackcore.session.models.behavior import Adjustment as Adjustment
from trackcore.session.models.behavior import Behavior as Behavior
from trackcore.session.models.behavior import Exclusion as Exclusion
from trackcore.session.models.behavior import MarkerRefinement as MarkerRefinement
from trackcore.session.models.behavior import ReSolve as ReSolve
from trackcore.session.models.behavior import TrackAddition as TrackAddition
from trackcore.session.models.behavior import TrackDeletion as TrackDeletion
from trackcore.session.models.camera import CameraIntrinsics as CameraIntrinsics
from trackcore.session.models.diagnosis import Cause as Cause
from trackcore.session.models.diagnosis import Diagnosis as Diagnosis
from trackcore.session.models.diagnosis import PreSolveConfidence as PreSolveConfidence
from trackcore.session.models.healing import AnchorTrack as AnchorTrack
from trackcore.session.models.healing import HealingAttempt as HealingAttempt
from trackcore.session.models.healing import HealingStats as HealingStats
from trackcore.session.models.learned import LearnedModel as LearnedModel
from trackcore.session.models.motion import FrameSample as FrameSample
from trackcore.session.models.motion import MotionProbe as MotionProbe
from trackcore.session.models.motion import OpticalFlow as OpticalFlow
from trackcore.session.models.motion import ShotType as ShotType
from trackcore.session.models.motion import ZoomAnalysis as ZoomAnalysis
from trackcore.session.models.session import Session as Session
from trackcore.session.models.settings import Adaptation as Adaptation
from trackcore.session.models.settings import Settings as Settings
from trackcore.session.models.track import RegionStats as RegionStats
from trackcore.session.models.track import TrackFailure as TrackFailure
from trackcore.session.models.track import TrackRecord as TrackRecord
from trackcore.session.models.visual import ContrastStats as ContrastStats
from trackcore.session.models.visual import FootageFeatures as FootageFeatures
from trackcore.session.models.visual import VisualFeatures as VisualFeatures
