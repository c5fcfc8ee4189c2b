"""Candidates of two cameras -> balls in space."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.cameras import StereoRig
from trackcore.errors import InputError
from trackcore.options import require_options
from trackcore.pitch._filter import BallFilter, Expected, first_covariance
from trackcore.pitch.options import StereoTrackOptions
from trackcore.pitch.sightings import (
    Balls,
    BallTrack,
    Sighting,
    StereoObservation,
    copied,
    different,
    key,
    keys,
)
from trackcore.types import Triangulation

Floats = NDArray[np.float64]

GRAVITY = 9.80665
_BRANCHES, _BRANCH_UNTIL = 3, 4
_LEFT, _RIGHT = 0, 1
_KEPT_FRAMES = 4
_BEGIN_WITH = 24  # candidates of a frame, the strongest, that begin something new
_MOST_GUESSED, _MOST_SIGHTINGS = 60, 5000  # of a guess never believed, of a track


class StereoTracker:
    """Follows balls through space from the candidates of two free-running cameras.

    Parameters
    ----------
    rig : StereoRig
        Calibrated. If its frame is `PITCH_FRAME`, y is up, and gravity is expected.
    options : StereoTrackOptions, optional

    Notes
    -----
    Each frame is used at its own time, on the rig's common clock; cameras need not be synchronised,
    and how far the right clock is off is estimated along (and remembered from ball to ball). A pair
    of candidates whose rays nearly meet begins a track; while it is young it branches where several
    candidates fit; it is believed when both cameras have seen it `confirm` times at a ball's speed,
    and the other guesses that share its sightings are dropped. A candidate belongs to one believed
    track, the nearest in standard deviations; one that lies too far off, in deviations or in
    metres, to none. Frames must come in order of time within a camera; between the cameras a
    moderate disorder does no harm. The same frames in the same order give the same tracks.

    Examples
    --------
    >>> import trackcore as tc
    >>> rig = tc.lane_rig()
    >>> seen = tc.synth.see_pitch(rig, tc.synth.fly(tc.synth.random_throw(1)), seed=1)
    >>> tracker = tc.StereoTracker(rig)
    >>> frames = [("left", *f) for f in zip(seen.left_t_ns, seen.left_px)]
    >>> frames += [("right", *f) for f in zip(seen.right_t_ns, seen.right_px)]
    >>> for side, t_ns, (u, v) in sorted(frames, key=lambda f: f[1]):
    ...     _ = tracker.push(side, tc.FrameBalls(int(t_ns), [u], [v]))
    >>> [len(track.sightings) == len(frames) for track in tracker.tracks]
    [True]
    """

    def __init__(self, rig: StereoRig, options: StereoTrackOptions | None = None) -> None:
        if not isinstance(rig, StereoRig):
            raise InputError(f"rig: expected a StereoRig, got {type(rig).__name__}")
        self.rig = rig
        self.options = StereoTrackOptions() if options is None else options
        require_options(self.options, StereoTrackOptions)
        up = np.array([0.0, 1.0, 0.0])
        self._gravity = -GRAVITY * up if rig.has_plate else np.zeros(3)
        self._P = rig.P_img_world
        self._eyes = [camera.center_world for camera in rig.cameras]
        self._focal_px = [float(camera.K[0, 0]) for camera in rig.cameras]
        self._clock = (0.0, self.options.clock_sigma_s)
        self._guesses: list[BallTrack] = []
        self._frames: tuple[list[list[Sighting]], list[list[Sighting]]] = ([], [])
        self._count = 0
        self.tracks: list[BallTrack] = []
        """Believed tracks that are alive."""
        self.ended: list[BallTrack] = []
        """Believed tracks that ended at the last `push`."""

    def push(self, side: str, balls: Balls) -> list[BallTrack]:
        """Take in a frame.

        Parameters
        ----------
        side : "left" or "right"
        balls : Candidates or FrameBalls
            What was found in the frame; nothing is also news.

        Returns
        -------
        list of BallTrack
            The believed tracks that this frame saw. Their `observations` have grown if it made
            pairs.

        Raises
        ------
        InputError
            If an argument is none of these.
        """
        if side not in ("left", "right"):
            raise InputError(f"side: expected 'left' or 'right', got {side!r}")
        which = _LEFT if side == "left" else _RIGHT
        seen, now = self._sightings(which, balls)
        self._drop_old(now)
        taken: set[int] = set()
        updated = self._follow_believed(which, now, seen, taken)
        free = [s for s in seen if s.number not in taken]
        self._follow_guesses(which, now, free)
        self._begin(which, free)
        updated += self._believe(taken)
        kept = self._frames[which]
        kept.append([s for s in free if s.number not in taken])
        del kept[:-_KEPT_FRAMES]
        for track in updated:
            self._observe(track)
        return updated

    def _sightings(self, which: int, balls: Any) -> tuple[list[Sighting], int]:
        t_ns = getattr(balls, "t_ns", None)
        if isinstance(t_ns, bool) or not isinstance(t_ns, (int, np.integer)):
            raise InputError(f"balls.t_ns: expected an integer [ns], got {t_ns!r}")
        dims = Dims()
        u = dims.array("balls.u", balls.u, ("n",))
        v = dims.array("balls.v", balls.v, ("n",))
        n = len(u)
        camera = self.rig.cameras[which]
        xy = np.stack([u, v], axis=1)
        flat = camera.undistort(xy)
        given = getattr(balls, "covariance", None)
        floor = self.options.sigma_px**2 * np.eye(2)
        C = np.broadcast_to(floor, (n, 2, 2))
        if given is not None:  # what a detector says of itself, and the least for the camera model
            given = _definite(dims.array("balls.covariance", given, ("n", 2, 2)), floor)
            C = given + 0.25 * floor
        sure = _confidence(getattr(balls, "confidence", None), n)
        now = int(camera.common_time_ns(int(t_ns)))
        good = np.isfinite(flat).all(axis=1)
        rule = getattr(balls, "rule", None)
        if rule is not None:  # a detector may hand over what it rejected
            good &= np.asarray(rule) == 0
        return [
            Sighting(
                which,
                int(t_ns),
                now,
                k,
                xy[k],
                flat[k],
                C[k],
                None if given is None else given[k],
                float(sure[k]),
            )
            for k in np.flatnonzero(good).tolist()
        ], now

    def _drop_old(self, now: int) -> None:
        gap = self.options.max_gap_s * 1e9
        alive: list[BallTrack] = []
        self.ended = []
        for track in self.tracks:
            unseen = abs(now - max(track.last_ns))  # a clock may leap backwards as well
            over = unseen > gap or len(track.sightings) >= _MOST_SIGHTINGS
            (self.ended if over else alive).append(track)
        self.tracks = alive
        self._guesses = [
            g for g in self._guesses
            if abs(now - min(g.last_ns)) <= 0.5 * gap and len(g.sightings) < _MOST_GUESSED
        ]  # fmt: skip

    def _expect(self, track: BallTrack, which: int, now: int) -> Expected | None:
        track.filter.predict(now)
        line_s = self.rig.cameras[which].line_time_ns * 1e-9
        return track.filter.expect(self._P[which], line_s, right=which == _RIGHT)

    def _near(
        self, expected: Expected, seen: list[Sighting], which: int
    ) -> list[tuple[float, int]]:
        """Return what a prediction may be, best first: squared distances, places in `seen`."""
        uv = np.array([s.flat_px for s in seen])
        d2 = expected.distances(uv, np.array([s.covariance for s in seen]))
        m_per_px = expected.depth / self._focal_px[which]
        u, v = (uv - expected.uv).T
        off_m = np.hypot(u, v) * m_per_px
        spread_m = math.sqrt(expected.S[0, 0] + expected.S[1, 1]) * m_per_px
        reach = max(self.options.max_jump_m, self.options.gate_sigma * spread_m)
        fits = (d2 <= self.options.gate_sigma**2) & (off_m <= reach)
        return sorted((float(d2[k]), k) for k in np.flatnonzero(fits).tolist())

    def _follow_believed(
        self, which: int, now: int, seen: list[Sighting], taken: set[int]
    ) -> list[BallTrack]:
        claims = []
        for i, track in enumerate(self.tracks):
            expected = self._expect(track, which, now)
            if expected is not None and seen:
                claims += [(d2, i, k, expected) for d2, k in self._near(expected, seen, which)]
        updated: list[BallTrack] = []
        for d2, i, k, expected in sorted(claims, key=lambda c: c[:3]):
            track = self.tracks[i]
            jump = math.dist(seen[k].flat_px, expected.uv) * expected.depth
            far = jump / self._focal_px[which] > self.options.max_jump_m
            if track in updated or seen[k].number in taken or far:
                continue
            track.take(seen[k], expected, d2)
            taken.add(seen[k].number)
            updated.append(track)
        return updated

    def _follow_guesses(self, which: int, now: int, seen: list[Sighting]) -> None:
        followed: list[BallTrack] = []
        for guess in self._guesses:
            expected = self._expect(guess, which, now)
            near = [] if expected is None or not seen else self._near(expected, seen, which)
            young = len(guess.sightings) < _BRANCH_UNTIL
            if young or not near or expected is None:
                followed.append(copied(guess) if near else guess)  # the nearest may be a ghost
            for d2, k in near[: _BRANCHES if young else 1]:
                assert expected is not None
                branch = copied(guess)
                branch.take(seen[k], expected, d2)
                if np.linalg.norm(branch.V_world) <= self.options.max_speed:
                    followed.append(branch)
        followed.sort(key=lambda g: g.worth, reverse=True)
        self._guesses = different(followed)[: self.options.max_tracks]

    def _begin(self, which: int, seen: list[Sighting]) -> None:
        """Begin a guess with each new pair whose rays nearly meet."""
        o, seen = self.options, seen[:_BEGIN_WITH]
        others = [
            s for frame in self._frames[1 - which][-2:] for s in frame[:_BEGIN_WITH]
            if any(abs(s.common_ns - n.common_ns) <= o.pairing_s * 1e9 for n in seen[:1])
        ]  # fmt: skip
        if not seen or not others:
            return
        pairs = [(a, b) if which == _LEFT else (b, a) for a in seen for b in others]
        uv = np.array([[a.uv_px, b.uv_px] for a, b in pairs])
        points = self.rig.triangulate(uv, sigma_px=o.sigma_px)
        assert points.covariance is not None
        off = self.rig.sampson_px(uv[:, 0], uv[:, 1])
        begun = []
        for k in np.flatnonzero(points.status == Triangulation.OK).tolist():
            left, right = pairs[k]
            apart = abs(left.common_ns - right.common_ns) * 1e-9
            X = points.X_world[k]
            rays = [X - eye for eye in self._eyes]
            depth = float(np.linalg.norm(rays[0]))
            moved_px = o.speed_sigma * (apart + o.clock_sigma_s) * self._focal_px[_LEFT] / depth
            if not o.min_depth_m <= depth <= o.max_depth_m or off[k] > o.epipolar_px + moved_px:
                continue
            C = first_covariance(points.covariance[k], rays, apart, self.rig.baseline_m, o)
            late = max(left.common_ns, right.common_ns)
            start = BallFilter.start(X, C, late, self._gravity, self._clock, o)
            first = sorted((left, right), key=lambda s: s.common_ns)
            begun.append(BallTrack(
                0, start, first, [left.common_ns, right.common_ns], [1, 1],
                d2=float(off[k] / (o.epipolar_px + moved_px)) ** 2,
            ))  # fmt: skip
        begun.sort(key=lambda g: g.d2)
        self._guesses = different(self._guesses + begun)[: o.max_tracks]

    def _believe(self, taken: set[int]) -> list[BallTrack]:
        """Promote guesses that both cameras saw often enough; drop those that share theirs."""
        o, believed = self.options, list[BallTrack]()
        for guess in sorted(self._guesses, key=lambda g: g.worth, reverse=True):
            speed = float(np.linalg.norm(guess.V_world))
            mean = guess.d2 / max(len(guess.sightings) - 2, 1)
            ready = min(guess.counts) >= o.confirm and o.min_speed <= speed <= o.max_speed
            mine = {key(s) for s in guess.sightings}
            if not ready or mean > 4.0 or any(mine & keys(t) for t in believed):
                continue
            self._count += 1
            guess.id = self._count
            believed.append(guess)
        if believed:
            claimed = set().union(*(keys(t) for t in believed))
            self._guesses = [g for g in self._guesses if g.id == 0 and not keys(g) & claimed]
            for frames in self._frames:
                frames[:] = [[s for s in f if key(s) not in claimed] for f in frames]
            taken.update(t.sightings[-1].number for t in believed)
            self.tracks += believed
        return believed

    def _observe(self, track: BallTrack) -> None:
        """Pair new sightings of a believed track and place them."""
        x = track.filter
        sigma = max(float(np.sqrt(x.P[9, 9])), 1e-6)
        if sigma < self._clock[1] or self._clock[1] == 0:
            self._clock = (float(x.x[9]), max(sigma, 0.1 * self.options.clock_sigma_s))
        ordered = track.sightings
        i = track.paired
        while i < len(ordered):
            now, before = ordered[i], ordered[i - 1] if i else None
            used = {key(s) for pair in track.pairs[-3:] for s in pair}
            apart = self.options.pairing_s * 1e9
            if (before is not None and before.side != now.side and key(before) not in used
                    and abs(before.common_ns - now.common_ns) <= apart):  # fmt: skip
                pair = (before, now) if before.side == _LEFT else (now, before)
                track.pairs.append(pair)
                track.observations.append(self._observation(track, *pair))
            i += 1
        track.paired = i

    def _observation(self, track: BallTrack, left: Sighting, right: Sighting) -> StereoObservation:
        f = track.filter
        P = self._P[_RIGHT]
        ends = [f.place(left.common_ns), f.place(right.common_ns, float(f.x[9]))]
        here, there = ((h := P[:, :3] @ X + P[:, 3])[:2] / h[2] for X in ends)
        moved = right.flat_px + here - there
        camera = self.rig.right
        distorted = camera.distort(moved[None])[0]
        sigma = float(np.sqrt(0.25 * np.trace(left.covariance + right.covariance)))
        uv = np.array([[left.uv_px, distorted]])
        points = self.rig.triangulate(uv, method="optimal", sigma_px=sigma)
        assert points.covariance is not None
        off = float(self.rig.sampson_px(left.uv_px, distorted))
        dt = (left.common_ns - f.t_ns) * 1e-9
        return StereoObservation(
            left.t_ns, right.t_ns, left.uv_px, right.uv_px, points.X_world[0],
            f.x[3:6] + dt * f.x[6:9], points.covariance[0], off,
            float(np.exp(-0.5 * (off / sigma) ** 2)), min(left.confidence, right.confidence),
            left.number, right.number,
        )  # fmt: skip


def _definite(C: Floats, floor: Floats) -> Floats:
    """Return covariances (n, 2, 2), those that are none replaced by `floor`."""
    trace, det = C[:, 0, 0] + C[:, 1, 1], C[:, 0, 0] * C[:, 1, 1] - C[:, 0, 1] * C[:, 1, 0]
    good = np.isfinite(trace) & (trace > 0) & (det > 0)
    return np.where(good[:, None, None], C, floor)


def _confidence(value: ArrayLike | None, n: int) -> Floats:
    return np.ones(n) if value is None else Dims().array("balls.confidence", value, (n,))
