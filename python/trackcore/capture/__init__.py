"""Cameras in, pitches out: sources, rings, the host that keeps up with them, and replay."""

from trackcore.capture.cameras import OpenCVCamera as OpenCVCamera
from trackcore.capture.engine import EngineStep as EngineStep
from trackcore.capture.engine import PitchEngine as PitchEngine
from trackcore.capture.faults import CaptureCounts as CaptureCounts
from trackcore.capture.faults import LossReason as LossReason
from trackcore.capture.host import CaptureHost as CaptureHost
from trackcore.capture.options import CaptureOptions as CaptureOptions
from trackcore.capture.recover import RecoveryReport as RecoveryReport
from trackcore.capture.recover import needs_recovery as needs_recovery
from trackcore.capture.recover import recover_session as recover_session
from trackcore.capture.replay import PitchSink as PitchSink
from trackcore.capture.replay import ReplayResult as ReplayResult
from trackcore.capture.replay import replay_pitches as replay_pitches
from trackcore.capture.sources import ClipSource as ClipSource
from trackcore.capture.sources import FrameSource as FrameSource
from trackcore.capture.sources import LoopSource as LoopSource
from trackcore.capture.sources import SourceFrame as SourceFrame
from trackcore.capture.sources import open_source as open_source
from trackcore.capture.status import CameraState as CameraState
from trackcore.capture.status import HostReport as HostReport
from trackcore.capture.status import HostStatus as HostStatus
from trackcore.capture.status import Outage as Outage
