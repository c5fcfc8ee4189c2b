"""Frames of a fixed camera in, moving balls out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.options import BallOptions, Polarity, require_options

_LONGEST_SIDE = 1 << 15
_CHANNELS = {2: "YUYV", 3: "colour", 4: "colour and alpha"}
_CORE_NAMES = {
    "min_radius_px": "min_radius",
    "max_radius_px": "max_radius",
    "max_streak_px": "max_streak",
    "min_motion_px": "min_motion",
}


class BallRule(IntEnum):
    """Why a blob is no ball. The values match `BallRule` in the C++ core."""

    ACCEPTED = 0
    TOO_SMALL = 1
    TOO_LARGE = 2
    TOO_FAINT = 3
    STILL = 4
    HOLE = 5
    NOT_ROUND = 6
    POOR_FIT = 7
    OUTSIDE_LANE = 8
    OUTSIDE_WINDOW = 9
    DUPLICATE = 10
    TOO_MANY = 11


@dataclass(frozen=True, slots=True)
class Candidates:
    """The balls of one frame, strongest first; `len` is their number.

    Attributes
    ----------
    u, v : (n,) float64
        Centre at mid-exposure [px], x right, y down, pixel centres at integers.
    radius_px : (n,) float64
        Radius of the disc, or half the width of the streak [px].
    area : (n,) float64
        Foreground pixels.
    contrast : (n,) float64
        Grey level of the ball less that of the background; negative for a dark ball.
    circularity : (n,) float64
        Compactness of the foreground, 1 for a disc.
    elongation : (n,) float64
        Length over width, 1 for a disc.
    streak_px : (n, 2) float64
        Way of the centre during the exposure [px], 0 for a disc. One frame does not tell its sign:
        it points right (down where it is upright).
    score : (n,) float64
        Contrast over noise, times the root of the area.
    confidence : (n,) float64
        Share of the blob's energy that the fitted disc or streak explains, 0 .. 1. Without a fit
        the circularity.
    covariance : (n, 2, 2) float64
        Of (u, v) [px^2], from the fit's normal equations and the larger of noise and residual.
    rule : (n,) uint8
        `BallRule`: ACCEPTED, or with `keep_rejected` why the blob is no ball.
    refined : (n,) bool
        Whether the position is the fit's; otherwise it is the weighted centroid.
    t_ns : int
        Time of the frame, as given.
    overloaded : bool
        The frame had more foreground than the caps allow (a change of light, a burst of noise, a
        camera that moved) and was not searched.
    """

    u: NDArray[np.float64]
    v: NDArray[np.float64]
    radius_px: NDArray[np.float64]
    area: NDArray[np.float64]
    contrast: NDArray[np.float64]
    circularity: NDArray[np.float64]
    elongation: NDArray[np.float64]
    streak_px: NDArray[np.float64]
    score: NDArray[np.float64]
    confidence: NDArray[np.float64]
    covariance: NDArray[np.float64]
    rule: NDArray[np.uint8]
    refined: NDArray[np.bool_]
    t_ns: int
    overloaded: bool

    def __len__(self) -> int:
        return len(self.u)

    @property
    def xy_px(self) -> NDArray[np.float64]:
        """(n, 2) centres [px]."""
        return np.stack([self.u, self.v], axis=1)


class BallDetector:
    """Finds moving balls in the frames of a fixed camera.

    Parameters
    ----------
    options : BallOptions, optional
        What counts as a ball, and how much work a frame may be.
    lane_px : (n, 2) float, optional
        Corners of a polygon [px]: balls whose centre lies outside are none. Only the lane and
        `lane_margin` around it are searched. Default: everywhere.
    color : "bgr" or "rgb"
        Order of colour channels.

    Raises
    ------
    InputError
        If an argument has the wrong type, shape or range.

    Notes
    -----
    A pixel is foreground where it differs from a running mean of past frames by more than the
    noise of its surroundings allows. Connected foreground is a ball if it also has changed since
    the frame before, has an outline that the background has not, and is explained by a disc or,
    for a ball that moved during the exposure, by a streak. The first frame of a scene only teaches
    the background. The fit is least squares over all pixels of the window, of an opaque ball of
    one grey level before the learnt background. One thread at a time may use a detector; the GIL
    is released.

    Examples
    --------
    >>> import trackcore as tc
    >>> from trackcore import synth
    >>> clip = synth.ball_clip(seed=1, n_frames=12, size=(160, 120), noise=1.0)
    >>> detector = tc.BallDetector()
    >>> for image, t_ns in zip(clip.frames(), clip.t_ns):
    ...     found = detector.process(image, int(t_ns))
    >>> len(found)
    1
    >>> bool(abs(found.xy_px[0] - clip.xy_px[-1, 0]).max() < 0.1)
    True
    """

    def __init__(
        self,
        options: BallOptions | None = None,
        *,
        lane_px: ArrayLike | None = None,
        color: str = "bgr",
    ) -> None:
        self.options = BallOptions() if options is None else options
        require_options(self.options, BallOptions)
        if color not in ("bgr", "rgb"):
            raise InputError(f"color: expected 'bgr' or 'rgb', got {color!r}")
        self._bgr = color == "bgr"
        self.lane_px = _lane(lane_px)
        self._core = _core.BallDetector(_core_options(self.options), self.lane_px)

    def process(
        self,
        frame: NDArray[np.uint8],
        t_ns: int,
        *,
        window_px: tuple[float, float, float, float] | None = None,
    ) -> Candidates:
        """Find the balls of the next frame.

        Parameters
        ----------
        frame : (h, w), (h, w, 2), (h, w, 3) or (h, w, 4) uint8
            Grey, YUYV (luma first), or colour; any strides. A frame of another size than the last
            starts a new scene.
        t_ns : int
            Its time [ns]; handed through.
        window_px : (x0, y0, x1, y1), optional
            Search only here [px], where a ball is predicted. Default: the lane.

        Returns
        -------
        Candidates
            The balls, strongest first.

        Raises
        ------
        InputError
            If the frame is no such image, or window or time are none.
        """
        image = _frame(frame)
        if isinstance(t_ns, bool) or not isinstance(t_ns, (int, np.integer)):
            raise InputError(f"t_ns: expected an integer [ns], got {t_ns!r}")
        window = None if window_px is None else _window(window_px)
        rows, rule, overloaded = self._core.process(image, self._bgr, window)
        n = rows.shape[1]
        covariance = np.empty((n, 2, 2))
        covariance[:, 0, 0] = rows[11]
        covariance[:, 0, 1] = covariance[:, 1, 0] = rows[12]
        covariance[:, 1, 1] = rows[13]
        return Candidates(
            u=rows[0], v=rows[1], radius_px=rows[2], area=rows[3], contrast=rows[4],
            circularity=rows[5], elongation=rows[6], streak_px=np.ascontiguousarray(rows[7:9].T),
            score=rows[9], confidence=rows[10], covariance=covariance, rule=rule,
            refined=rows[14] != 0, t_ns=int(t_ns), overloaded=overloaded,
        )  # fmt: skip

    @property
    def background(self) -> NDArray[np.float32]:
        """(h, w) what the scene looks like without balls; (0, w) before the first frame."""
        return self._core.background()[0]

    @property
    def noise(self) -> NDArray[np.float32]:
        """(h, ceil(w / 64)) noise of each row and block of 64 columns, as measured."""
        return self._core.background()[1]

    def reset(self) -> None:
        """Forget the background: the next frame starts a new scene."""
        self._core.reset()


def _core_options(options: BallOptions) -> _core.BallOptions:
    values: dict[str, Any] = {
        _CORE_NAMES.get(f.name, f.name): getattr(options, f.name) for f in fields(options)
    }
    values["polarity"] = list(Polarity).index(options.polarity)
    return _core.BallOptions(**values)


def _lane(lane_px: ArrayLike | None) -> NDArray[np.float64]:
    if lane_px is None:
        return np.zeros((0, 2))
    lane = Dims().array("lane_px", lane_px, ("n", 2))
    if len(lane) < 3 or not np.isfinite(lane).all():
        raise InputError(
            f"lane_px: expected at least 3 finite corners, got {np.asarray(lane_px).tolist()}"
        )
    return lane


def _frame(frame: object) -> NDArray[np.uint8]:
    if not isinstance(frame, np.ndarray):
        raise InputError(f"frame: expected a numpy image (h, w), got {type(frame).__name__}")
    if frame.dtype != np.uint8:
        raise InputError(f"frame: expected dtype uint8, got {frame.dtype}")
    grey = frame.ndim == 2
    if not (grey or (frame.ndim == 3 and frame.shape[2] in _CHANNELS)) or 0 in frame.shape:
        raise InputError(
            f"frame: expected a non-empty image of shape (h, w) or (h, w, 2|3|4), got {frame.shape}"
        )
    if max(frame.shape[:2]) > _LONGEST_SIDE:
        raise InputError(f"frame: expected sides of at most {_LONGEST_SIDE} px, got {frame.shape}")
    return frame


def _window(window_px: object) -> list[int]:
    corners = Dims().array("window_px", window_px, (4,))  # type: ignore[arg-type]
    x0, y0, x1, y1 = corners
    if not (np.isfinite(corners).all() and x0 < x1 and y0 < y1):
        raise InputError(f"window_px: expected x0 < x1 and y0 < y1, got {tuple(corners.tolist())}")
    lo, hi = np.floor(corners[:2] + 0.5), np.ceil(corners[2:] + 0.5)
    bound = 1 << 20
    return [int(c) for c in np.clip(np.concatenate([lo, hi]), -bound, bound)]
