"""Boards that calibration looks at: which corners a picture shows, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore._check import image_array
from trackcore._cv2 import load_cv2
from trackcore.errors import InputError

Floats = NDArray[np.float64]


class BoardCorners(NamedTuple):
    """Corners of a board that one picture shows."""

    ids: NDArray[np.int64]
    """(n,) which corners: indices into `points_board`."""
    uv_px: Floats
    """(n, 2) where they are [px]."""


class Board(Protocol):
    """What calibration needs of a board."""

    @property
    def points_board(self) -> Floats:
        """(n, 3) places of the corners on the board [m], Z = 0."""

    def find(self, image: NDArray[Any]) -> BoardCorners | None:
        """Return the corners that a picture shows, or None."""


@dataclass(frozen=True)
class Chessboard:
    """A chessboard, by its inner corners.

    Attributes
    ----------
    columns, rows : int
        Inner corners across and down: one less than there are squares.
    square_m : float
        Side of a square [m].
    """

    columns: int
    rows: int
    square_m: float

    def __post_init__(self) -> None:
        """Check that this is a board OpenCV can find."""
        _counts(self.columns, self.rows, 3, "inner corners")
        _length("square_m", self.square_m)

    @cached_property
    def points_board(self) -> Floats:
        """(n, 3) places of the corners on the board [m], row by row, Z = 0."""
        return _grid(self.columns, self.rows, self.square_m)

    def find(self, image: NDArray[Any]) -> BoardCorners | None:
        """Return all corners of the board in a picture, or None if it is not there whole."""
        cv2 = load_cv2()
        grey = _grey(image)
        flags = cv2.CALIB_CB_ADAPTIVE_THRESH | cv2.CALIB_CB_NORMALIZE_IMAGE
        found, corners = cv2.findChessboardCorners(grey, (self.columns, self.rows), flags=flags)
        if not found:
            return None
        corners = corners.reshape(-1, 2)
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-4)
        half = _half_window(corners.reshape(self.rows, self.columns, 2))
        corners = cv2.cornerSubPix(grey, corners, (half, half), (-1, -1), criteria)
        return BoardCorners(np.arange(len(corners)), corners.reshape(-1, 2).astype(np.float64))


@dataclass(frozen=True)
class CharucoBoard:
    """A chessboard with markers in its white squares: parts of it are enough.

    Attributes
    ----------
    columns, rows : int
        Squares across and down.
    square_m, marker_m : float
        Sides of a square and of a marker [m].
    dictionary : str
        Of the markers, in OpenCV's words without "DICT_".
    legacy : bool
        The pattern of OpenCV before 4.6, where even numbers of rows begin with a marker.
    """

    columns: int
    rows: int
    square_m: float
    marker_m: float
    dictionary: str = "6X6_250"
    legacy: bool = False

    def __post_init__(self) -> None:
        """Check that this is a board OpenCV can make."""
        _counts(self.columns, self.rows, 3, "squares")
        _length("square_m", self.square_m)
        if not _length("marker_m", self.marker_m) < self.square_m:
            raise InputError(
                f"marker_m: expected less than square_m={self.square_m:g} m, got {self.marker_m:g}"
            )
        aruco = load_cv2().aruco
        if not hasattr(aruco, f"DICT_{self.dictionary}"):
            words = sorted(n[5:] for n in dir(aruco) if n.startswith("DICT_"))
            raise InputError(
                f"dictionary: expected one of {', '.join(words)}, got {self.dictionary!r}"
            )

    @cached_property
    def points_board(self) -> Floats:
        """(n, 3) places of the inner corners on the board [m], by their number, Z = 0."""
        return _grid(self.columns - 1, self.rows - 1, self.square_m, start=self.square_m)

    @cached_property
    def _detector(self) -> Any:
        aruco = load_cv2().aruco
        words = aruco.getPredefinedDictionary(getattr(aruco, f"DICT_{self.dictionary}"))
        size = (self.columns, self.rows)
        board = aruco.CharucoBoard(size, self.square_m, self.marker_m, words)
        board.setLegacyPattern(self.legacy)
        parameters = aruco.CharucoParameters()
        parameters.minMarkers = 1
        return aruco.CharucoDetector(board, parameters)

    def find(self, image: NDArray[Any]) -> BoardCorners | None:
        """Return the corners of the board that a picture shows, or None if there are none."""
        corners, ids, _, _ = self._detector.detectBoard(_grey(image))
        if ids is None or len(ids) == 0:
            return None
        return BoardCorners(
            np.ravel(ids).astype(np.int64), np.reshape(corners, (-1, 2)).astype(np.float64)
        )

    def image(self, px_per_square: int = 100) -> NDArray[np.uint8]:
        """Return a picture of the board to print, with half a square of white around it."""
        margin = px_per_square // 2
        size = (self.columns * px_per_square, self.rows * px_per_square)
        inner = self._detector.getBoard().generateImage(size)
        return np.asarray(np.pad(inner, margin, constant_values=255))


def _counts(columns: object, rows: object, least: int, of: str) -> None:
    for name, value in (("columns", columns), ("rows", rows)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InputError(f"{name}: expected {least} {of} or more, got {value!r}")


def _length(name: str, value: object) -> float:
    if not isinstance(value, (int, float, np.floating)) or not 0 < value < np.inf:
        raise InputError(f"{name}: expected a length above 0 [m], got {value!r}")
    return float(value)


def _grid(columns: int, rows: int, step: float, start: float = 0.0) -> Floats:
    points = np.zeros((columns * rows, 3))
    points[:, :2] = start + step * np.mgrid[0:columns, 0:rows].T.reshape(-1, 2)
    return points


def _grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    array = image_array("image", image)
    if array.dtype != np.uint8:
        raise InputError(f"image: expected dtype uint8 to find a board in, got {array.dtype}")
    if array.ndim == 2 or array.shape[2] == 1:
        return np.ascontiguousarray(array.reshape(array.shape[:2])).view(np.uint8)
    cv2 = load_cv2()
    code = cv2.COLOR_BGR2GRAY if array.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(array), code))


def _half_window(corners: Floats) -> int:
    """Return half a window for the sub-pixel search: wide, and no other corner in it."""
    across = np.linalg.norm(np.diff(corners, axis=1), axis=-1).min()
    down = np.linalg.norm(np.diff(corners, axis=0), axis=-1).min()
    return int(np.clip(0.35 * min(across, down), 2, 11))
