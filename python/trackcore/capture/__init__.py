"""Cameras in, pitches out: sources, rings, the host that keeps up with them, and replay."""

from trackcore.capture.cameras import OpenCVCamera as OpenCVCamera
from trackcore.capture.engine import EngineStep as EngineStep
from trackcore.capture.engine import PitchEngine as PitchEngine
from trackcore.capture.faults import CaptureCounts as CaptureCounts
from trackcore.capture.faults import LossReason as LossReason
from trackcore.capture.replay import PitchSink as PitchSink
from trackcore.capture.replay import ReplayResult as ReplayResult
from trackcore.capture.replay import replay_pitches as replay_pitches
from trackcore.capture.sources import ClipSource as ClipSource
from trackcore.capture.sources import FrameSource as FrameSource
from trackcore.capture.sources import LoopSource as LoopSource
from trackcore.capture.sources import SourceFrame as SourceFrame
from trackcore.capture.sources import open_source as open_source
