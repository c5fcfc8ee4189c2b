"""The documents of a session of pitches, each declared once."""

from trackcore.recording.models.calibration import Intrinsics as Intrinsics
from trackcore.recording.models.calibration import RoiAnnotations as RoiAnnotations
from trackcore.recording.models.calibration import StereoGeometry as StereoGeometry
from trackcore.recording.models.calibration import ZoneDefinition as ZoneDefinition
from trackcore.recording.models.pitch import Detection as Detection
from trackcore.recording.models.pitch import Detections as Detections
from trackcore.recording.models.pitch import Observation as Observation
from trackcore.recording.models.pitch import Observations as Observations
from trackcore.recording.models.pitch import PitchManifest as PitchManifest
from trackcore.recording.models.pitch import SeenBalls as SeenBalls
from trackcore.recording.models.session import PitchSummary as PitchSummary
from trackcore.recording.models.session import SessionManifest as SessionManifest
from trackcore.recording.models.session import SessionSummary as SessionSummary
from trackcore.recording.models.submission import SubmissionManifest as SubmissionManifest
