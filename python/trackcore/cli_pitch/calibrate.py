"""`trackcore pitch calibrate`: pictures of a board, and survey points, in; a rig file out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from trackcore._compat import StrEnum
from trackcore._files import write_text
from trackcore.cameras import StereoRig, metres_per
from trackcore.cameras.boards import CharucoBoard, Chessboard
from trackcore.cameras.calibrate import (
    LEAST_CORNERS,
    CalibrationRating,
    StereoCalibration,
    calibrate_stereo,
)
from trackcore.cameras.io import load_rig, save_rig
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.survey import SurveyFit, solve_survey
from trackcore.errors import DependencyError, InputError
from trackcore.frames import open_clip
from trackcore.options import Options, knob

if TYPE_CHECKING:
    from trackcore.cameras.boards import Board, BoardCorners

Floats = NDArray[np.float64]

RIG, RECORD, PICTURE = "rig.json", "calibration.json", "calibration.png"
_LEAST_PAIRS = 3


class BoardKind(StrEnum):
    """Boards that can be looked for."""

    CHESSBOARD = "chessboard"
    CHARUCO = "charuco"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardOptions(Options):
    """The board that was photographed, and the lens that is looked for."""

    board: BoardKind = knob(BoardKind.CHESSBOARD, doc="what was photographed")
    columns: int = knob(
        9, lo=3, hi=1000, doc="inner corners of a chessboard across; squares of a ChArUco board"
    )
    rows: int = knob(6, lo=3, hi=1000, doc="the same downwards")
    square: float = knob(1.0, lo=1e-6, hi=1e6, doc="side of a square, in --unit")
    marker: float = knob(
        0.0, lo=0.0, hi=1e6, doc="side of a ChArUco marker, in --unit; 0: 0.75 squares"
    )
    legacy: bool = knob(False, doc="ChArUco pattern of OpenCV before 4.6")
    terms: int = knob(5, lo=0, hi=8, doc="terms of lens distortion to find: 0, 5 or 8")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateJob:
    """What to calibrate from, and where to write it."""

    left: str | None
    right: str | None
    rig: tuple[Path, ...]
    unit: str
    size: tuple[int, int] | None
    folder: Path
    options: BoardOptions
    dictionary: str
    step: int
    survey: Path | None

    def board(self) -> Board:
        """Return the board, in metres."""
        o, metres = self.options, metres_per(self.unit)
        if o.board is BoardKind.CHESSBOARD:
            return Chessboard(o.columns, o.rows, o.square * metres)
        marker = o.marker or 0.75 * o.square
        return CharucoBoard(
            o.columns, o.rows, o.square * metres, marker * metres, self.dictionary, o.legacy
        )


@dataclass(frozen=True, slots=True)
class BoardPairs:
    """Pictures of both cameras that belong together, and the board in them."""

    numbers: tuple[int, ...]
    images: tuple[list[NDArray[Any]], list[NDArray[Any]]]
    corners: tuple[list[BoardCorners | None], list[BoardCorners | None]]

    @property
    def usable(self) -> int:
        """How many pairs show enough common corners."""
        return sum(
            a is not None and b is not None and len(np.intersect1d(a.ids, b.ids)) >= LEAST_CORNERS
            for a, b in zip(*self.corners, strict=True)
        )


class _Found:
    """A board whose corners were looked for before."""

    def __init__(self, board: Board, pairs: BoardPairs) -> None:
        self.points_board = board.points_board
        self._known = {
            id(image): corners
            for images, found in zip(pairs.images, pairs.corners, strict=True)
            for image, corners in zip(images, found, strict=True)
        }

    def find(self, image: NDArray[Any]) -> BoardCorners | None:
        """Return what was found in a picture."""
        return self._known[id(image)]


def run(
    job: CalibrateJob, output: Output, cancelled: Interrupt
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Find the board, calibrate, solve the world; write rig, record and picture.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    pairs, found = None, None
    if job.left is None or job.right is None:
        rig = load_rig(job.rig, unit=job.unit, size=job.size)
    else:
        pairs = _look(job, output, cancelled)
        if cancelled():
            return Exit.CANCELLED, {"outcome": "cancelled"}, []
        if pairs.usable < _LEAST_PAIRS:
            output.error(
                f"{pairs.usable} of {len(pairs.numbers)} pairs show the board; it takes"
                f" {_LEAST_PAIRS} (check --board, --columns and --rows: inner corners of a"
                " chessboard, squares of a ChArUco board)"
            )
            record = {"outcome": "no_board", "pairs": len(pairs.numbers), "usable": pairs.usable}
            return Exit.NOTHING_TRACKABLE, record, []
        with output.stages() as show:
            show("calibrate", 0, None, "")
            found = calibrate_stereo(
                *pairs.images, _Found(job.board(), pairs), terms=job.options.terms
            )
        rig = found.rig
    survey = None if job.survey is None else solve_survey(rig, job.survey)
    rig = rig if survey is None else survey.fit.rig
    return _write(job, rig, pairs, found, survey, output)


def _look(job: CalibrateJob, output: Output, cancelled: Interrupt) -> BoardPairs:
    """Look for the board in every pair: pictures of both cameras with the same number."""
    assert job.left is not None
    assert job.right is not None
    board = job.board()
    clips = [open_clip(source, step=job.step) for source in (job.left, job.right)]
    numbers = [[int(n) for n in clip.numbers] for clip in clips]
    both = sorted(set(numbers[0]) & set(numbers[1]))
    if not both:
        raise InputError(
            f"RIGHT: expected pictures with the numbers of LEFT ({numbers[0][0]} to"
            f" {numbers[0][-1]}), got {numbers[1][0]} to {numbers[1][-1]}"
        )
    images: tuple[list[NDArray[Any]], list[NDArray[Any]]] = ([], [])
    corners: tuple[list[BoardCorners | None], list[BoardCorners | None]] = ([], [])
    kept = set(both)
    done = 0
    with output.progress("looking for the board") as progress:
        for side, clip in enumerate(clips):
            for frame in clip:
                if frame.number not in kept:
                    continue
                if cancelled():
                    return BoardPairs((), ([], []), ([], []))
                images[side].append(frame.image.copy())
                corners[side].append(board.find(images[side][-1]))
                done += 1
                progress(done, 2 * len(both))
    return BoardPairs(tuple(both), images, corners)


def square_sizes(found: StereoCalibration, pairs: BoardPairs, job: CalibrateJob) -> Floats:
    """Return the mean size of the squares of each used pair, triangulated, as a share of true.

    Neighbouring corners that both pictures show; NaN for pairs that were not used.
    """
    board = job.board()
    sizes = np.full(len(pairs.numbers), np.nan)
    for i, (left, right) in enumerate(zip(*pairs.corners, strict=True)):
        if left is None or right is None or not np.isfinite(found.pair_rms_px[i]).all():
            continue
        ids, a, b = np.intersect1d(left.ids, right.ids, return_indices=True)
        uv = np.stack([left.uv_px[a], right.uv_px[b]], axis=1)
        X = found.rig.triangulate(uv, covariance=False).X_world
        true = board.points_board[ids]
        apart = np.linalg.norm(true[:, None] - true, axis=2)
        least = apart[apart > 0].min()
        j, k = np.nonzero(np.triu(np.abs(apart - least) < 1e-9 * least + 1e-12))
        sizes[i] = float(np.mean(np.linalg.norm(X[j] - X[k], axis=1) / apart[j, k]))
    return sizes


def _write(
    job: CalibrateJob, rig: StereoRig, pairs: BoardPairs | None, found: StereoCalibration | None,
    survey: SurveyFit | None, output: Output,
) -> tuple[Exit, dict[str, Any], list[Any]]:  # fmt: skip
    job.folder.mkdir(parents=True, exist_ok=True)
    files = {"rig": job.folder / RIG, "calibration": job.folder / RECORD}
    save_rig(files["rig"], rig)
    record: dict[str, Any] = {"rig": _rig_record(rig)}
    weak = False
    sizes = np.zeros(0)
    if found is not None and pairs is not None:
        sizes = square_sizes(found, pairs, job)
        record["calibration"] = _record(job, found, pairs, sizes)
        weak = found.rating is CalibrationRating.POOR
        files["picture"] = job.folder / PICTURE
        try:
            from trackcore.pitch_report.calibration import write_calibration_picture

            write_calibration_picture(
                files["picture"], found, pairs.corners, pairs.numbers, job.board()
            )
        except DependencyError as error:
            del files["picture"]
            output.log(f"note: no picture: {error}")
    if survey is not None:
        record["world"] = survey.to_dict()
    record["files"] = {name: str(path) for name, path in files.items()}
    outcome = "weak" if weak else "done"
    text = json.dumps({"outcome": outcome, **record}, indent=2, allow_nan=False)
    write_text(files["calibration"], text + "\n")
    shown: list[Any] = []
    if found is not None and pairs is not None:
        shown += [_views(found, pairs, sizes), _summary(job, found, sizes)]
    shown.append(_rig_table(rig))
    if survey is not None:
        shown.append(survey.table())
    else:
        output.log("note: the rig's world is the left camera: --survey says where the plate is")
    if weak:
        output.error("a poor calibration: see the errors of the views, and take more pairs")
    shown += [Text(f"wrote {path}") for path in files.values()]
    return Exit.WEAK if weak else Exit.GOOD, {"outcome": outcome, **record}, shown


def _record(
    job: CalibrateJob, found: StereoCalibration, pairs: BoardPairs, sizes: Floats
) -> dict[str, Any]:
    used = np.isfinite(sizes)
    return {
        "board": {**asdict(job.options), "unit": job.unit},
        "rating": found.rating.value,
        "pairs": len(pairs.numbers),
        "pairs_used": found.n_pairs,
        "rms_px": found.rms_px,
        "left_rms_px": found.left.rms_px,
        "right_rms_px": found.right.rms_px,
        "square_ratio_mean": float(sizes[used].mean()),
        "square_ratio_spread": float(sizes[used].std()),
        "views": [
            {"number": number, "left_rms_px": _number(left), "right_rms_px": _number(right),
             "square_ratio": _number(size), "rejected": found.rejected.get(i)}
            for i, (number, (left, right), size) in enumerate(
                zip(pairs.numbers, found.pair_rms_px.tolist(), sizes.tolist(), strict=True))
        ],
    }  # fmt: skip


def _rig_record(rig: StereoRig) -> dict[str, Any]:
    return {
        "baseline_m": rig.baseline_m,
        "frame": rig.frame.name,
        "handedness": rig.frame.handedness,
        **{
            name: {"size_px": list(camera.size), "focal_px": [camera.K[0, 0], camera.K[1, 1]],
                   "centre_px": [camera.K[0, 2], camera.K[1, 2]],
                   "distortion": list(camera.distortion)}
            for name, camera in (("left", rig.left), ("right", rig.right))
        },
    }  # fmt: skip


def _views(found: StereoCalibration, pairs: BoardPairs, sizes: Floats) -> Table:
    table = Table("pair", "left, px", "right, px", "square", "", title="errors of the views")
    for i, number in enumerate(pairs.numbers):
        left, right = found.pair_rms_px[i].tolist()
        table.add_row(
            str(number), _text(left, 3), _text(right, 3), _text(float(sizes[i]), 4),
            Text(found.rejected.get(i, ""), style="yellow"),
        )  # fmt: skip
    for column in table.columns[:4]:
        column.justify = "right"
    return table


def _summary(job: CalibrateJob, found: StereoCalibration, sizes: Floats) -> Table:
    used = np.isfinite(sizes)
    rows = Table(show_header=False)
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("rating", found.rating.value)
    rows.add_row("pairs used", f"{found.n_pairs} of {len(sizes)}")
    rows.add_row("both cameras together", f"{found.rms_px:.3f} px rms")
    rows.add_row("each alone", f"{found.left.rms_px:.3f} and {found.right.rms_px:.3f} px rms")
    rows.add_row(
        "squares as triangulated",
        f"{sizes[used].mean():.4f} ± {sizes[used].std():.4f} of {job.options.square:g} {job.unit}",
    )
    return rows


def _rig_table(rig: StereoRig) -> Table:
    rows = Table(show_header=False)
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("baseline", f"{rig.baseline_m:.4f} m")
    for name, camera in (("left", rig.left), ("right", rig.right)):
        (fx, _, cx), (_, fy, cy) = camera.K[:2].tolist()
        rows.add_row(name, f"f {fx:.1f}, {fy:.1f} px, centre {cx:.1f}, {cy:.1f} px")
    unit, hand = rig.frame.unit, rig.frame.handedness
    rows.add_row("world", f"{rig.frame.name}: {unit}, {hand}-handed. {rig.frame.description}")
    return rows


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _text(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "-"


def check_sources(left: str | None, right: str | None, rig: Sequence[Path]) -> None:
    """Refuse what names neither pictures nor a rig, or both.

    Raises
    ------
    InputError
    """
    if (left is None) != (right is None) or (left is None) == (not rig):
        raise InputError(
            "LEFT RIGHT: expected the pictures of both cameras, or --rig with --survey, got"
            f" {', '.join(filter(None, [left, right, *map(str, rig)])) or 'nothing'}"
        )
