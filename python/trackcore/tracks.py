"""`Tracks`: where many points were in the frames of one clip. The currency between stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _check_tracks as check
from trackcore import tracks_io, tracks_text
from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.types import PointStatus


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tracks:
    """Where points were, frame by frame, and why not where they were not.

    Checked when made: if an instance exists, its arrays agree with each other. The arrays are
    read-only and shared with the caller where no conversion is needed.

    Attributes
    ----------
    ids : (n_tracks,) int64
        Name of each track; unique, never re-used.
    xy_px : (n_tracks, n_frames, 2) float64
        Positions [px]: x right, y down, pixel centres at integers. NaN where unseen.
    status : (n_tracks, n_frames) uint8
        `PointStatus`: TRACKED exactly where there is a position, else why there is none.
    ncc : (n_tracks, n_frames) float32
        How well the patch matched, -1 .. 1. NaN where there is no position or it is unknown.
    t_ns : (n_frames,) int64
        Time of each frame [ns], increasing.
    frame_size : (w, h)
        Size of the frames [px].
    fps : float
        Nominal frames per second.
    first_frame : int
        Clip frame number of array index 0.
    frame_numbers : (n_frames,) int64
        Clip frame number of every array index, increasing. `first_frame, first_frame + 1, ...`
        unless given: give it when frames were skipped.

    Raises
    ------
    InputError
        Naming the argument that does not fit, what was expected and what came.
    """

    ids: NDArray[np.int64]
    xy_px: NDArray[np.float64]
    status: NDArray[np.uint8]
    ncc: NDArray[np.float32]
    t_ns: NDArray[np.int64]
    frame_size: tuple[int, int]
    fps: float
    first_frame: int
    frame_numbers: NDArray[np.int64] = None  # type: ignore[assignment]  # derived when not given

    def __post_init__(self) -> None:
        """Check every array against the others."""
        dims = Dims()
        xy = check.positions("xy_px", dims.array("xy_px", self.xy_px, ("n_tracks", "n_frames", 2)))
        n_tracks, n_frames = xy.shape[:2]
        self._set("xy_px", xy)
        self._set("ids", check.whole("ids", self.ids, (n_tracks,), "xy_px"))
        self._set("status", check.statuses(self.status, xy))
        self._set("ncc", check.ncc_values(self.ncc, xy))
        self._set(
            "t_ns", check.increasing("t_ns", check.whole("t_ns", self.t_ns, (n_frames,), "xy_px"))
        )
        self._set("frame_size", check.frame_size(self.frame_size))
        self._set("fps", check.fps(self.fps))
        self._set("first_frame", check.frame_number("first_frame", self.first_frame))
        self._set("frame_numbers", self._checked_frame_numbers(n_frames))
        unique, counts = np.unique(self.ids, return_counts=True)
        if len(unique) != n_tracks:
            raise InputError(
                f"ids: expected unique numbers, got {unique[counts > 1][0]} more than once"
            )

    def _set(self, name: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            value = value.view()  # the caller's own array stays writable
            value.flags.writeable = False
        object.__setattr__(self, name, value)

    def _checked_frame_numbers(self, n_frames: int) -> NDArray[np.int64]:
        if self.frame_numbers is None:
            return self.first_frame + np.arange(n_frames, dtype=np.int64)
        numbers = check.whole("frame_numbers", self.frame_numbers, (n_frames,), "xy_px")
        check.increasing("frame_numbers", numbers)
        if n_frames and numbers[0] != self.first_frame:
            raise InputError(
                f"frame_numbers: expected to start at first_frame = {self.first_frame}, "
                f"got {numbers[0]}"
            )
        return numbers

    @classmethod
    def from_positions(
        cls,
        xy_px: ArrayLike,
        *,
        frame_size: tuple[int, int],
        fps: float = 24.0,
        first_frame: int = 1,
    ) -> Tracks:
        """Make tracks from positions that come from elsewhere.

        Parameters
        ----------
        xy_px : (n_tracks, n_frames, 2) float
            Positions [px], pixel centres at integers; NaN (both coordinates) where unseen.
        frame_size : (w, h)
            Size of the frames [px].
        fps : float
            Frames per second; makes `t_ns`, which starts at 0.
        first_frame : int
            Clip frame number of array index 0.

        Returns
        -------
        Tracks
            `ids` 0, 1, ...; status TRACKED where there is a position, UNSEEN elsewhere; `ncc`
            NaN, because nothing was measured.

        Raises
        ------
        InputError
            If the shape is another, a coordinate is infinite, or only one of a pair is NaN.
        """
        xy = check.positions("xy_px", Dims().array("xy_px", xy_px, ("n_tracks", "n_frames", 2)))
        n_tracks, n_frames = xy.shape[:2]
        seen = np.isfinite(xy[..., 0])
        return cls(
            ids=np.arange(n_tracks, dtype=np.int64),
            xy_px=xy,
            status=np.where(seen, PointStatus.TRACKED, PointStatus.UNSEEN).astype(np.uint8),
            ncc=np.full((n_tracks, n_frames), np.nan, np.float32),
            t_ns=np.rint(np.arange(n_frames) * 1e9 / check.fps(fps)).astype(np.int64),
            frame_size=frame_size,
            fps=fps,
            first_frame=first_frame,
        )

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Say in one line what this holds."""
        w, h = self.frame_size
        if self.n_frames:
            first, last = self.frame_numbers[0], self.frame_numbers[-1]
            span = f"{self.n_frames} frames ({first} .. {last})"
        else:
            span = "0 frames"
        alive = f"{self.seen.sum(axis=0).mean():.1f}" if self.n_frames else "0"
        return f"<Tracks: {len(self)} tracks over {span}, {alive} per frame, {w}x{h} px>"

    @property
    def names(self) -> list[str]:
        """Name of each track in records and in other programs, made from its id."""
        return [f"track_{number:05d}" for number in self.ids.tolist()]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.xy_px.shape[1])

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(n_tracks, n_frames) True where there is a position."""
        seen: NDArray[np.bool_] = self.status == PointStatus.TRACKED
        return seen

    @property
    def first_index(self) -> NDArray[np.int64]:
        """(n_tracks,) array index of each track's first position; -1 if it has none."""
        seen = self.seen
        if not self.n_frames:
            return np.full(len(self), -1, np.int64)
        return np.where(seen.any(axis=1), seen.argmax(axis=1), -1).astype(np.int64)

    @property
    def last_index(self) -> NDArray[np.int64]:
        """(n_tracks,) array index of each track's last position; -1 if it has none."""
        seen = self.seen
        if not self.n_frames:
            return np.full(len(self), -1, np.int64)
        last = self.n_frames - 1 - seen[:, ::-1].argmax(axis=1)
        return np.where(seen.any(axis=1), last, -1).astype(np.int64)

    @property
    def lifespan_frames(self) -> NDArray[np.int64]:
        """(n_tracks,) array frames from first to last position, both counted; 0 if none."""
        first = self.first_index
        return np.where(first < 0, 0, self.last_index - first + 1)

    @property
    def end_status(self) -> NDArray[np.uint8]:
        """(n_tracks,) why each track ended: the status in the frame after its last position.

        TRACKED where the track is alive in the last frame, UNSEEN where it has no position.
        """
        return self._status_at(self.last_index + 1, outside=self.n_frames)

    @property
    def start_status(self) -> NDArray[np.uint8]:
        """(n_tracks,) the status in the frame before the first position.

        UNSEEN for a track that was started there; a reason where it was followed backwards and
        lost; TRACKED where the track is alive in the first frame.
        """
        return self._status_at(self.first_index - 1, outside=-1)

    def _status_at(self, index: NDArray[np.int64], *, outside: int) -> NDArray[np.uint8]:
        """Status of each track at its own index; TRACKED at `outside`, UNSEEN if never seen."""
        if not self.n_frames:
            return np.full(len(self), PointStatus.UNSEEN, np.uint8)
        inside = np.clip(index, 0, self.n_frames - 1)
        status = self.status[np.arange(len(self)), inside]
        status = np.where(index == outside, PointStatus.TRACKED, status)
        return np.where(self.first_index < 0, PointStatus.UNSEEN, status).astype(np.uint8)

    def select(self, mask: ArrayLike) -> Tracks:
        """Return the tracks for which `mask` (n_tracks,) is True, or those at its integers.

        Raises
        ------
        InputError
            If `mask` is neither a boolean per track nor indices of tracks.
        """
        which = np.asarray(mask)
        if which.size == 0 and which.dtype.kind == "f":
            which = which.astype(np.int64)  # [] selects nothing
        as_flags = which.dtype.kind == "b" and which.shape == (len(self),)
        as_indices = (
            which.dtype.kind in "iu"
            and which.ndim == 1
            and bool(((which >= -len(self)) & (which < len(self))).all())
        )
        if not (as_flags or as_indices):
            raise InputError(
                f"mask: expected ({len(self)},) booleans or indices below {len(self)}, "
                f"got {which.dtype} of shape {which.shape}"
            )
        return Tracks(
            self.ids[which], self.xy_px[which], self.status[which], self.ncc[which], self.t_ns,
            self.frame_size, self.fps, self.first_frame, self.frame_numbers,
        )  # fmt: skip

    def between(self, first: int, last: int) -> Tracks:
        """Return the frames at array indices first .. last - 1, with those tracks seen in them.

        Raises
        ------
        InputError
            If the indices are not 0 <= first <= last <= n_frames.
        """
        if not 0 <= first <= last <= self.n_frames:
            raise InputError(f"first, last: expected 0 .. {self.n_frames}, got {first}, {last}")
        part = slice(first, last)
        which = self.seen[:, part].any(axis=1)
        numbers = self.frame_numbers[part]
        return Tracks(
            self.ids[which], self.xy_px[which, part], self.status[which, part],
            self.ncc[which, part], self.t_ns[part], self.frame_size, self.fps,
            int(numbers[0]) if len(numbers) else self.first_frame, numbers,
        )  # fmt: skip

    def equals(self, other: object, *, tolerance_px: float = 0.0) -> bool:
        """Return True if `other` holds the same, positions within `tolerance_px` [px] per axis.

        NaN equals NaN. With a tolerance, `ncc` may differ by float32 rounding.
        """
        if not isinstance(other, Tracks) or self.xy_px.shape != other.xy_px.shape:
            return False
        exact = all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)
            if f.name not in ("xy_px", "ncc")
        )
        ncc_slack = check.NCC_SLACK if tolerance_px else 0.0
        return (
            exact
            and np.allclose(self.xy_px, other.xy_px, rtol=0, atol=tolerance_px, equal_nan=True)
            and np.allclose(self.ncc, other.ncc, rtol=0, atol=ncc_slack, equal_nan=True)
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything to one `.npz` file (no pickle; `load` reads it back bit for bit).

        The file appears whole or not at all.

        Raises
        ------
        OSError
            If the folder does not exist or cannot be written.
        """
        tracks_io.write_npz(self, Path(path))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Tracks:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is not there (`SourceError`), was not written by `save`, is damaged, or
            comes from a newer trackcore.
        """
        contents = tracks_io.read_npz(Path(path))
        try:
            return cls(**contents)
        except InputError as error:
            raise InputError(f"path: {path} is damaged ({error})") from None

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write one line per track and frame: `track,frame,t_ns,x_px,y_px,ncc,status`.

        Coordinates as in `xy_px`. Frames are clip frame numbers. Lines run from a track's first
        to its last position, and one more says why it ended. A cell is empty where unseen.
        """
        tracks_io.write_csv(self, Path(path))

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write a JSON object: the clip, and per track `id, frames, xy_px, ncc, status`.

        Coordinates as in `xy_px`. Per track from its first to its last position, and one more
        frame that says why it ended; null where unseen.
        """
        tracks_io.write_json(self, Path(path))

    def to_text(self, path: str | PathLike[str], format: str) -> Sequence[Path]:  # noqa: A002
        """Write the tracks for another program; return the files written.

        Parameters
        ----------
        path : path
            The file (`blender`, `3de`, `syntheyes`) or folder (`nuke`, `colmap`) to write.
        format : str
            `blender`, `nuke`, `colmap`, `3de` or `syntheyes`; conventions in
            `trackcore.tracks_text`.

        Raises
        ------
        InputError
            If the format is unknown.
        """
        return tracks_text.write_text(self, Path(path), format)
