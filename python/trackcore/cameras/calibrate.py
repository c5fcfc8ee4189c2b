"""Cameras and rigs from pictures of a board, with the errors of every view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore._cv2 import load_cv2
from trackcore.cameras.boards import Board, BoardCorners
from trackcore.cameras.camera import Camera
from trackcore.cameras.rig import StereoRig
from trackcore.errors import InputError

Floats = NDArray[np.float64]
Images = Sequence[NDArray[Any]]

LEAST_CORNERS = 6
"""Corners that a view must show, and both views of a pair must share."""

_LEAST_VIEWS = 3
_TERMS = (0, 5, 8)


class CalibrationRating(StrEnum):
    """How good a calibration is, in the documented words."""

    EXCELLENT = "EXCELLENT"
    GOOD = "GOOD"
    ACCEPTABLE = "ACCEPTABLE"
    POOR = "POOR"


@dataclass(frozen=True, slots=True)
class CameraCalibration:
    """One camera as pictures of a board show it.

    Attributes
    ----------
    camera : Camera
        Its world is its own frame.
    rms_px : float
        Root mean square distance between found and projected corners, of all views together.
    view_rms_px : (n,) float64
        The same of each view, projected with that view's own pose; NaN where the board was not
        found.
    T_cam_board : (n, 4, 4) float64
        The board's pose in each view [m]; NaN likewise.
    rejected : dict
        View -> why it was not used.
    """

    camera: Camera
    rms_px: float
    view_rms_px: Floats
    T_cam_board: Floats
    rejected: dict[int, str]


@dataclass(frozen=True, slots=True)
class StereoCalibration:
    """A rig as pairs of pictures of a board show it.

    Attributes
    ----------
    rig : StereoRig
        Its world is the left camera's frame.
    left, right : CameraCalibration
        Each camera on its own.
    rms_px : float
        Root mean square distance between found and projected corners in both pictures of all pairs,
        each pair with one pose of the board and the rig between.
    pair_rms_px : (n, 2) float64
        The same of each pair, left and right; NaN where a pair was not used.
    rejected : dict
        Pair -> why it was not used.
    """

    rig: StereoRig
    left: CameraCalibration
    right: CameraCalibration
    rms_px: float
    pair_rms_px: Floats
    rejected: dict[int, str]

    @property
    def n_pairs(self) -> int:
        """How many pairs were used."""
        return int(np.isfinite(self.pair_rms_px[:, 0]).sum())

    @property
    def rating(self) -> CalibrationRating:
        """The documented rating, from `rms_px` and `n_pairs`.

        EXCELLENT below 0.5 px with 15 pairs, GOOD below 1 px with 15, ACCEPTABLE below 2 px with
        10, else POOR.
        """
        for word, rms_px, pairs in (
            (CalibrationRating.EXCELLENT, 0.5, 15),
            (CalibrationRating.GOOD, 1.0, 15),
            (CalibrationRating.ACCEPTABLE, 2.0, 10),
        ):
            if self.rms_px < rms_px and self.n_pairs >= pairs:
                return word
        return CalibrationRating.POOR


def calibrate_camera(images: Images, board: Board, *, terms: int = 5) -> CameraCalibration:
    """Calibrate one camera from pictures of a board.

    Parameters
    ----------
    images : sequence of (h, w) or (h, w, 3) uint8
        Three or more, all of one size; those that do not show the board are named in `rejected`.
    board : Chessboard or CharucoBoard
    terms : 0, 5 or 8
        Distortion terms to find.

    Returns
    -------
    CameraCalibration

    Raises
    ------
    InputError
        If fewer than three pictures show the board, or their sizes differ.

    Notes
    -----
    `cv2.calibrateCamera`. Errors are of our own projection with each view's own pose.
    """
    size = _one_size("images", images)
    return _calibrate("images", size, [board.find(image) for image in images], board, terms)


def calibrate_stereo(
    left_images: Images, right_images: Images, board: Board, *, terms: int = 5
) -> StereoCalibration:
    """Calibrate two cameras from pairs of pictures of a board.

    Parameters
    ----------
    left_images, right_images : sequences of (h, w) or (h, w, 3) uint8
        Pairs taken at the same time. A pair is used if both show six common corners; a picture
        whose partner does not show the board still serves its own camera.
    board : Chessboard or CharucoBoard
    terms : 0, 5 or 8
        Distortion terms to find.

    Returns
    -------
    StereoCalibration

    Raises
    ------
    InputError
        If there are different numbers of pictures, or fewer than three usable pairs.

    Notes
    -----
    Each camera alone, then all of both together (`cv2.stereoCalibrate`), from corners that both
    views of a pair show, matched by their number.
    """
    if len(left_images) != len(right_images):
        raise InputError(
            f"right_images: expected {len(left_images)} pictures as in left_images,"
            f" got {len(right_images)}"
        )
    sizes = [_one_size(n, i) for n, i in
             (("left_images", left_images), ("right_images", right_images))]  # fmt: skip
    found = [[board.find(image) for image in images] for images in (left_images, right_images)]
    alone = [
        _calibrate(name, size, corners, board, terms)
        for name, size, corners in zip(("left_images", "right_images"), sizes, found, strict=True)
    ]
    return _together(found, alone, board, terms)


def _one_size(name: str, images: Images) -> tuple[int, int]:
    sizes = {np.shape(image)[:2] for image in images}
    if len(sizes) != 1:
        raise InputError(f"{name}: expected pictures of one size, got {sorted(sizes) or 'none'}")
    ((height, width),) = sizes
    return width, height


def _flags(cv2: Any, terms: int) -> int:
    if terms not in _TERMS:
        raise InputError(f"terms: expected 0, 5 or 8 terms of distortion, got {terms!r}")
    if terms == 8:
        return int(cv2.CALIB_RATIONAL_MODEL)
    fixed = cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3
    return 0 if terms == 5 else int(fixed)


def _calibrate(
    name: str, size: tuple[int, int], found: list[BoardCorners | None], board: Board, terms: int
) -> CameraCalibration:
    cv2 = load_cv2()
    rejected = {
        i: "no board found" if corners is None else f"only {len(corners.ids)} corners"
        for i, corners in enumerate(found)
        if corners is None or len(corners.ids) < LEAST_CORNERS
    }
    used = {i: c for i, c in enumerate(found) if c is not None and i not in rejected}
    if len(used) < _LEAST_VIEWS:
        raise InputError(
            f"{name}: expected {_LEAST_VIEWS} pictures that show the board, got {len(used)} of"
            f" {len(found)}"
        )
    places = [board.points_board[c.ids].astype(np.float32) for c in used.values()]
    seen = [c.uv_px.astype(np.float32) for c in used.values()]
    _, K, D, turns, shifts = cv2.calibrateCamera(
        places, seen, size, None, None, flags=_flags(cv2, terms)
    )
    camera = Camera(K=K, size=size, distortion=tuple(np.ravel(D)[:terms]))
    poses = np.full((len(found), 4, 4), np.nan)
    errors = np.full(len(found), np.nan)
    squares: list[Floats] = []
    for (i, corners), turn, shift in zip(used.items(), turns, shifts, strict=True):
        poses[i] = _pose(cv2, turn, shift)
        squares.append(_squares(camera, poses[i], board, corners))
        errors[i] = np.sqrt(squares[-1].mean())
    rms = float(np.sqrt(np.concatenate(squares).mean()))
    return CameraCalibration(camera, rms, errors, poses, rejected)


def _together(
    found: list[list[BoardCorners | None]], alone: list[CameraCalibration], board: Board, terms: int
) -> StereoCalibration:
    cv2 = load_cv2()
    rejected: dict[int, str] = {}
    pairs: dict[int, tuple[BoardCorners, BoardCorners]] = {}
    for i, (left, right) in enumerate(zip(*found, strict=True)):
        if left is None or right is None:
            sides = [n for n, c in (("left", left), ("right", right)) if c is None]
            rejected[i] = f"no board found in the {' and the '.join(sides)} picture"
            continue
        ids, a, b = np.intersect1d(left.ids, right.ids, return_indices=True)
        if len(ids) < LEAST_CORNERS:
            rejected[i] = f"only {len(ids)} corners in both pictures"
            continue
        pairs[i] = BoardCorners(ids, left.uv_px[a]), BoardCorners(ids, right.uv_px[b])
    if len(pairs) < _LEAST_VIEWS:
        raise InputError(
            f"right_images: expected {_LEAST_VIEWS} pairs that both show the board,"
            f" got {len(pairs)} of {len(found[0])}"
        )
    result = cv2.stereoCalibrateExtended(
        [board.points_board[c.ids].astype(np.float32) for c, _ in pairs.values()],
        [c.uv_px.astype(np.float32) for c, _ in pairs.values()],
        [c.uv_px.astype(np.float32) for _, c in pairs.values()],
        *(v for c in alone for v in (np.array(c.camera.K), _padded(c.camera, terms))),
        alone[0].camera.size, np.eye(3), np.zeros(3),
        flags=_flags(cv2, terms) | cv2.CALIB_USE_INTRINSIC_GUESS,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-9),
    )  # fmt: skip
    _, K0, D0, K1, D1, R, T, _, _, turns, shifts, _ = result
    left_camera = replace(alone[0].camera, K=K0, distortion=tuple(np.ravel(D0)[:terms]))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = R, np.ravel(T)
    right_camera = replace(
        alone[1].camera,
        K=K1,
        distortion=tuple(np.ravel(D1)[:terms]),
        T_cam_world=pose,
    )
    errors = np.full((len(found[0]), 2), np.nan)
    squares: list[Floats] = []
    for (i, corners), turn, shift in zip(pairs.items(), turns, shifts, strict=True):
        T_left_board = _pose(cv2, turn, shift)
        for side, camera in enumerate((left_camera, right_camera)):
            squares.append(_squares(camera, T_left_board, board, corners[side]))
            errors[i, side] = np.sqrt(squares[-1].mean())
    rms = float(np.sqrt(np.concatenate(squares).mean()))
    rig = StereoRig(left=left_camera, right=right_camera)
    return StereoCalibration(rig, alone[0], alone[1], rms, errors, rejected)


def _pose(cv2: Any, turn: Floats, shift: Floats) -> Floats:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = cv2.Rodrigues(turn)[0], np.ravel(shift)
    return T


def _squares(camera: Camera, T_world_board: Floats, board: Board, corners: BoardCorners) -> Floats:
    """Return squared distances between found and projected corners [px^2]."""
    X = board.points_board[corners.ids] @ T_world_board[:3, :3].T + T_world_board[:3, 3]
    return np.asarray(((camera.project(X) - corners.uv_px) ** 2).sum(axis=1))


def _padded(camera: Camera, terms: int) -> Floats:
    D = np.zeros(max(terms, 5))
    D[: len(camera.distortion)] = camera.distortion
    return D
