"""Frames of candidates in, pitches out: the tracker and the state machine together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.cameras import StereoRig
from trackcore.pitch._views import Sightings
from trackcore.pitch.events import PitchEvent, PitchEventKind, PitchPhase, PitchStateMachine
from trackcore.pitch.options import PitchEventOptions, StereoTrackOptions
from trackcore.pitch.sightings import Balls, BallTrack, Sighting, StereoObservation
from trackcore.pitch.tracker import StereoTracker

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrackedPitch:
    """A pitch that is over.

    Attributes
    ----------
    index : int
        Number of the pitch, from 1.
    start_ns, end_ns : int
        First and last sighting, on the rig's common clock [ns].
    left, right : Sightings
        Of the ball in each camera, ready for `fit_pitch`.
    observations : tuple of StereoObservation
        Where both cameras saw it.
    track_ids : tuple of int
        The tracks it is made of: more than one if the ball was lost for a while.
    """

    index: int
    start_ns: int
    end_ns: int
    left: Sightings
    right: Sightings
    observations: tuple[StereoObservation, ...]
    track_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PitchStep:
    """What a frame brought.

    Attributes
    ----------
    events : tuple of PitchEvent
        Their `observations` are `StereoObservation`s.
    tracks : tuple of BallTrack
        The believed tracks that the frame saw.
    pitch : TrackedPitch or None
        With FINALIZED.
    """

    events: tuple[PitchEvent, ...]
    tracks: tuple[BallTrack, ...]
    pitch: TrackedPitch | None


class PitchTracker:
    """Follows balls and says when a pitch begins and ends.

    Parameters
    ----------
    rig : StereoRig
    tracking : StereoTrackOptions, optional
    timing : PitchEventOptions, optional

    Notes
    -----
    A ball that the tracker believes counts as seen from its first sighting on: that it took a few
    frames to believe it costs neither observations nor time. The same frames in the same order give
    the same events.

    Examples
    --------
    >>> import trackcore as tc
    >>> rig = tc.lane_rig()
    >>> flight = tc.synth.fly(tc.synth.random_throw(1))
    >>> seen = tc.synth.see_pitch(rig, flight, seed=1)
    >>> frames = [("left", *f) for f in zip(seen.left_t_ns, seen.left_px)]
    >>> frames += [("right", *f) for f in zip(seen.right_t_ns, seen.right_px)]
    >>> tracker = tc.PitchTracker(rig)
    >>> for side, t_ns, (u, v) in sorted(frames, key=lambda f: f[1]):
    ...     _ = tracker.push(side, tc.FrameBalls(int(t_ns), [u], [v]))
    >>> pitch = tracker.finish().pitch
    >>> len(pitch.left) == len(seen.left_t_ns)
    True
    >>> tc.fit_pitch(rig, pitch.left, pitch.right).status.value
    'OK'
    """

    def __init__(
        self,
        rig: StereoRig,
        *,
        tracking: StereoTrackOptions | None = None,
        timing: PitchEventOptions | None = None,
    ) -> None:
        self.tracker = StereoTracker(rig, tracking)
        self.machine = PitchStateMachine(PitchEventOptions() if timing is None else timing)
        self.rig = rig
        self._balls: dict[int, BallTrack] = {}
        self._told: dict[int, tuple[int, int]] = {}

    @property
    def phase(self) -> PitchPhase:
        """Where the pitch is."""
        return self.machine.phase

    def push(self, side: str, balls: Balls) -> PitchStep:
        """Take in a frame: see `StereoTracker.push`."""
        tracks = self.tracker.push(side, balls)
        camera = self.rig.left if side == "left" else self.rig.right
        now = int(camera.common_time_ns(int(balls.t_ns)))
        samples: list[tuple[int, list[StereoObservation] | None]] = []
        for track in tracks:
            first, paired = self._told.get(track.id, (0, 0))
            news = track.observations[paired:]
            times = sorted(s.common_ns for s in track.sightings[first:])
            samples += [(t, []) for t in times[:-1]] + [(t, news) for t in times[-1:]]
            self._told[track.id] = (len(track.sightings), len(track.observations))
        events: list[PitchEvent] = []
        pitch = None
        for t_ns, new in sorted(samples, key=lambda s: s[0]) or [(now, None)]:
            told = self.machine.update(t_ns, active=new is not None, observations=new or ())
            events += told
            pitch = self._finished(told) or pitch
        for track in tracks:
            self._balls[track.id] = track
        alive = {track.id for track in self.tracker.tracks}
        self._told = {k: v for k, v in self._told.items() if k in alive}
        return PitchStep(tuple(events), tuple(tracks), pitch)

    def finish(self) -> PitchStep:
        """End what is going on: no more frames come."""
        events = self.machine.finish()
        return PitchStep(events, (), self._finished(events))

    def _finished(self, events: tuple[PitchEvent, ...]) -> TrackedPitch | None:
        for event in events:
            if event.kind is PitchEventKind.FINALIZED:
                tracks = sorted(self._balls.values(), key=lambda t: t.sightings[0].common_ns)
                seen = [s for t in tracks for s in t.sightings]
                self._balls.clear()
                return TrackedPitch(
                    event.index, event.start_ns, event.end_ns, _of_side(seen, 0), _of_side(seen, 1),
                    event.observations, tuple(t.id for t in tracks),
                )  # fmt: skip
            if event.kind in (PitchEventKind.REJECTED, PitchEventKind.CLOCK_JUMP):
                self._balls.clear()
        return None


def _of_side(seen: list[Sighting], side: int) -> Sightings:
    mine = sorted((s for s in seen if s.side == side), key=lambda s: s.t_ns)
    return Sightings(
        np.array([s.t_ns for s in mine], np.int64),
        np.array([s.uv_px for s in mine]).reshape(-1, 2),
        np.array([s.given for s in mine]).reshape(-1, 2, 2) if mine and mine[0].given is not None
        else None,
    )  # fmt: skip
