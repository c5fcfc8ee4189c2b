"""Frames in, tracks out: the streaming tracker."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore.detect import core_feature_options
from trackcore.errors import InputError
from trackcore.options import (
    Anchor,
    FeatureOptions,
    MotionModel,
    TrackerOptions,
    TrackOptions,
)
from trackcore.pyramid import MOST_LEVELS, FramePyramid
from trackcore.track import core_point_options
from trackcore.tracks import Tracks

_DEFAULT_FPS = 24.0


@dataclass(frozen=True, slots=True)
class TrackState:
    """Every track that was alive when a frame came, or started in it.

    Attributes
    ----------
    ids : (n,) int64
        Names of the tracks; never used twice.
    xy_px : (n, 2) float64
        Positions [px], pixel centres at integers; NaN where the track was lost in this frame.
    status : (n,) uint8
        `PointStatus`: TRACKED, or why the track ended here.
    ncc : (n,) float32
        Normalised cross-correlation with the track's anchor; NaN where lost.
    """

    ids: NDArray[np.int64]
    xy_px: NDArray[np.float64]
    status: NDArray[np.uint8]
    ncc: NDArray[np.float32]


def as_tracker_options(options: object) -> TrackerOptions:
    """Return tracker options from those, from plain `TrackOptions`, or from None."""
    if options is None:
        return TrackerOptions()
    if isinstance(options, TrackerOptions):
        return options
    if isinstance(options, TrackOptions):
        return TrackerOptions(**{f.name: getattr(options, f.name) for f in fields(options)})
    raise InputError(f"options: expected TrackerOptions, got {type(options).__name__}")


class Tracker:
    """Follows points through a clip, one frame at a time, and replaces those it loses.

    Parameters
    ----------
    options : TrackerOptions, optional
        Patch, motion model, anchor and how many tracks to keep. Plain `TrackOptions` will do.
    fps : float
        Frames per second, for the time of frames pushed without one.
    first_frame : int
        Clip frame number of the first frame pushed.
    mask : (h, w) bool or uint8 array, optional
        Where new tracks may start: non-zero. Default anywhere.
    weights : (rows, columns) array, optional
        How many tracks each part of the frame should have beside the others: any grid, stretched
        over the frame. 0: none. Default alike; see `weights`.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Raises
    ------
    InputError
        If an argument has the wrong type, shape or range.

    Notes
    -----
    Each track goes from the previous frame by pyramidal Lucas-Kanade and is then aligned with its
    keyframe by the motion model. With the hybrid anchor the keyframe is renewed when the two no
    longer agree, and the first one is taken up again when the patch looks like it once more
    (Matthews, Ishikawa & Baker 2004). One thread at a time may use a tracker.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> from trackcore import synth
    >>> clip = synth.loop_clip("medium", seed=1, n_frames=8, size=(160, 120))
    >>> tracker = tc.Tracker(tc.TrackerOptions(target_count=20, levels=2))
    >>> for image in clip.frames():
    ...     state = tracker.push(image)
    >>> tracker.tracks().xy_px.shape[1:]
    (8, 2)
    """

    def __init__(
        self,
        options: TrackOptions | None = None,
        *,
        fps: float = _DEFAULT_FPS,
        first_frame: int = 1,
        mask: NDArray[Any] | None = None,
        weights: ArrayLike | None = None,
        threads: int = 1,
    ) -> None:
        self.options = as_tracker_options(options)
        self.fps = fps
        self.first_frame = first_frame
        self._threads = threads_count(threads)
        self._mask = None if mask is None else _mask_array(mask)
        self._t_ns: list[int] = []
        self._numbers: list[int] = []
        self._size: tuple[int, int] | None = None
        self._weights: NDArray[np.float32] | None = None
        self.weights = weights
        self._core = _core.Tracker(**_core_options(self.options))

    @property
    def n_frames(self) -> int:
        """Frames pushed so far."""
        return len(self._t_ns)

    @property
    def last_number(self) -> int | None:
        """Clip frame number of the last frame pushed; None before the first."""
        return self._numbers[-1] if self._numbers else None

    @property
    def n_tracks(self) -> int:
        """Tracks started so far: their ids are 0 .. n_tracks - 1."""
        return int(self._core.n_tracks)

    @property
    def weights(self) -> NDArray[np.float32] | None:
        """How many new tracks each part of the frame gets from here on, beside the others."""
        return self._weights

    @weights.setter
    def weights(self, values: ArrayLike | None) -> None:
        self._weights = None if values is None else _weights_array(values)

    def configure(self, options: TrackOptions) -> None:
        """Go on with other options from the next frame on.

        They hold for new tracks and for how live ones are followed from frame to frame: patch,
        reach and limits. A live track keeps the keyframe it is compared with, and how that may
        deform, until the keyframe is renewed.

        Raises
        ------
        InputError
            If these are no options.
        """
        self.options = as_tracker_options(options)
        self._core.configure(**_core_options(self.options))

    def new_shot(self) -> None:
        """Say that the next frame begins another shot: all tracks end, others start there."""
        self._core.drop_all()

    def snapshot(self) -> bytes:
        """Return all that is needed to go on from here in another process, but for the frame.

        For `restore` in the same build of trackcore on the same kind of machine.
        """
        state = bytes(self._core.snapshot())
        head = {
            "t_ns": self._t_ns, "numbers": self._numbers, "version": _core.__version__,
            "sha256": hashlib.sha256(state).hexdigest(),
        }  # fmt: skip
        return json.dumps(head).encode() + b"\n" + state

    def restore(self, state: bytes, image: NDArray[Any] | FramePyramid) -> None:
        """Take up where a tracker with the same options was when it made a snapshot.

        Parameters
        ----------
        state : bytes
            What `snapshot` returned.
        image : image array or FramePyramid
            The last frame that it had been given.

        Raises
        ------
        InputError
            If `state` is no snapshot of this version. The tracker is then as it was before.
        """
        line, _, rest = state.partition(b"\n")
        try:
            head = json.loads(line)
            t_ns, numbers = list(head["t_ns"]), list(head["numbers"])
            # the core trusts what it wrote itself
            whole = head["sha256"] == hashlib.sha256(rest).hexdigest()
            good = whole and head["version"] == _core.__version__
        except (ValueError, TypeError, KeyError):
            good = False
        frame = self._pyramid(image)
        if not good or not self._core.restore(rest, frame._core):
            raise InputError("state: expected a snapshot made by this version of trackcore")
        self._frame, self._size = frame, frame.size
        self._t_ns, self._numbers = t_ns, numbers

    def _pyramid(self, image: NDArray[Any] | FramePyramid) -> FramePyramid:
        if isinstance(image, FramePyramid):
            return image
        # all levels: the small ones cost nothing, and `configure` may ask for them
        return FramePyramid(image, MOST_LEVELS, threads=self._threads)

    def push(
        self,
        image: NDArray[Any] | FramePyramid,
        t_ns: int | None = None,
        *,
        number: int | None = None,
    ) -> TrackState:
        """Track into the next frame.

        Parameters
        ----------
        image : image array or FramePyramid
            The frame; all frames of a clip have one size. An array is copied.
        t_ns : int, optional
            Its time [ns], later than the last frame's. Default: from `fps`.
        number : int, optional
            Its clip frame number, larger than the last frame's. Default: one more.

        Returns
        -------
        TrackState
            Every track that was alive, and those that start here.

        Raises
        ------
        InputError
            If the image is none, its size differs, or time or number do not increase. The tracker
            is then as it was before.
        """
        frame = self._pyramid(image)
        self._check_size(frame)
        time_ns, frame_number = self._check_time(t_ns, number)
        self._core.push(frame._core, self._mask, self._weights, self._threads)
        self._frame = frame  # its memory may be the caller's
        self._t_ns.append(time_ns)
        self._numbers.append(frame_number)
        return TrackState(*self._core.state())

    def add_points(self, xy_px: ArrayLike) -> NDArray[np.int64]:
        """Start tracks at points of the last frame, beside those that `options` start.

        Parameters
        ----------
        xy_px : (n, 2) float
            Points [px].

        Returns
        -------
        (n,) int64
            Ids of the new tracks. A point outside the frame or without texture becomes a track
            that is lost at once, its status says why.
        """
        if not self._t_ns:
            raise InputError("xy_px: expected a frame to be pushed first, got none")
        xy = Dims().array("xy_px", xy_px, ("n", 2))
        first = self._core.add(xy)
        return np.arange(first, first + len(xy), dtype=np.int64)

    def state(self) -> TrackState:
        """Return the state of the last frame, points added since included."""
        return TrackState(*self._core.state())

    def tracks(self) -> Tracks:
        """Return all tracks so far."""
        xy_px, status, ncc = self._core.dense()
        return Tracks(
            ids=np.arange(len(xy_px), dtype=np.int64),
            xy_px=xy_px,
            status=status,
            ncc=ncc,
            t_ns=np.array(self._t_ns, dtype=np.int64),
            frame_size=self._size or (0, 0),
            fps=self.fps,
            first_frame=self._numbers[0] if self._numbers else self.first_frame,
            frame_numbers=np.array(self._numbers, dtype=np.int64),
        )

    def _check_size(self, frame: FramePyramid) -> None:
        if self._size is None:
            if self._mask is not None and self._mask.shape != frame.size[::-1]:
                raise InputError(
                    f"mask: expected shape {frame.size[::-1]} as the frames have,"
                    f" got {self._mask.shape}"
                )
            self._size = frame.size
        if frame.size != self._size:
            raise InputError(
                f"image: expected size {self._size} as the first frame has, got {frame.size}"
            )

    def _check_time(self, t_ns: int | None, number: int | None) -> tuple[int, int]:
        if number is None:
            number = self._numbers[-1] + 1 if self._numbers else self.first_frame
        if t_ns is None:
            t_ns = round((number - self.first_frame) * 1e9 / self.fps)
        for name, value, earlier in (("t_ns", t_ns, self._t_ns), ("number", number, self._numbers)):
            if earlier and value <= earlier[-1]:
                raise InputError(f"{name}: expected more than {earlier[-1]}, got {value}")
        return int(t_ns), int(number)


def _core_options(options: TrackerOptions) -> dict[str, Any]:
    return {
        "points": core_point_options(options),
        "features": core_feature_options(_feature_options(options)),
        "model": list(MotionModel).index(options.model),
        "anchor": list(Anchor).index(options.anchor),
        "replenish": options.replenish,
    }


def _weights_array(values: ArrayLike) -> NDArray[np.float32]:
    weights = np.ascontiguousarray(values, np.float32)
    good = weights.ndim == 2 and weights.size > 0 and np.isfinite(weights).all()
    if not (good and (weights >= 0).all() and weights.sum() > 0):
        raise InputError(
            f"weights: expected (rows, columns) finite numbers >= 0, not all 0, got {values!r}"
        )
    return weights


def _feature_options(options: TrackerOptions) -> FeatureOptions:
    return FeatureOptions(
        max_features=options.target_count,
        quality=options.quality,
        min_distance=options.min_distance,
        cells=options.cells,
    )


def _mask_array(mask: object) -> NDArray[np.uint8]:
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype.kind not in "bu":
        got = (
            f"{mask.dtype} of shape {mask.shape}"
            if isinstance(mask, np.ndarray)
            else type(mask).__name__
        )
        raise InputError(f"mask: expected a bool or uint8 array of shape (h, w), got {got}")
    return np.ascontiguousarray(mask != 0, dtype=np.uint8)
