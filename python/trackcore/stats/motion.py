"""The dominant motion from each frame to the next, as a 2-D motion of the picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.normalised import diagonal_px
from trackcore.stats._core_rows import Fits, Floats, Model, center_px, fits
from trackcore.stats._evidence import wide_fits
from trackcore.tracks import Tracks

TIMES_FREEDOM = 2
"""A model needs so many tracks per unknown before it is preferred to a simpler one."""
NO_MOTION_RMS = 0.02
"""Residuals above this share of the diagonal are no common motion, but mismatches or a cut."""
LARGER_SIGMA = 4.0
"""... and may not know scale and rotation worse than the similarity by more than this factor."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameMotion:
    """What `frame_motion` found, one entry per pair of neighbouring frames.

    NaN where too few tracks are in both frames, or where they have no motion in common: residuals
    of more than 2 % of the diagonal, as after a cut. Everything is about `center_px`.

    Attributes
    ----------
    from_frame, to_frame : (n,) int64
        Clip frame numbers.
    n_common : (n,) int64
        Tracks in both frames.
    translation_px : (n, 2) float64
        Where the centre moves [px], x right, y down.
    scale : (n,) float64
        Apparent size in the later frame over that in the earlier; 1.01 is 1 % larger.
    rotation_rad : (n,) float64
        Positive from x to y: clockwise in the picture.
    sigma_translation_px, sigma_scale, sigma_rotation_rad : (n,) float64
        One standard deviation of each, from the residuals; of translation, per axis.
    residual_px : (n,) float64
        Rms distance of the inliers to the motion, per axis [px]. Noise of s px per axis in each
        position gives s sqrt(2); what depth adds is beyond the noise.
    inlier_share : (n,) float64
        Share of the common tracks within 3.5 robust standard deviations, 0 .. 1.
    warp : (n, 3, 3) float64
        Homography from pixels of the earlier to pixels of the later frame; of a simpler kind
        where the tracks are too few or too close together for one.
    affine : (n, 3, 3) float64
        The best affine motion, likewise.
    center_px : (x, y)
    """

    from_frame: NDArray[np.int64]
    to_frame: NDArray[np.int64]
    n_common: NDArray[np.int64]
    translation_px: Floats
    scale: Floats
    rotation_rad: Floats
    sigma_translation_px: Floats
    sigma_scale: Floats
    sigma_rotation_rad: Floats
    residual_px: Floats
    inlier_share: Floats
    warp: Floats
    affine: Floats
    center_px: tuple[float, float]
    tracks: Tracks = field(repr=False)
    fits: Fits = field(repr=False)
    """All three models of each pair, for what derives from them."""
    _wide: list[Fits] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.n_common)

    @property
    def elapsed_frames(self) -> NDArray[np.int64]:
        """(n,) clip frames from the earlier to the later frame."""
        return self.to_frame - self.from_frame

    def wide_fits(self, threads: int = 0) -> Fits:
        """Return the fits between frames as far apart as the tracks allow; made once."""
        if not self._wide:
            self._wide.append(wide_fits(self.tracks, self.center_px, threads))
        return self._wide[0]


def frame_motion(
    tracks: Tracks, *, center_px: ArrayLike | None = None, threads: int = 0
) -> FrameMotion:
    """Fit the dominant 2-D motion between each two neighbouring frames.

    Parameters
    ----------
    tracks : Tracks
        What to measure; of each pair, the tracks that both frames have.
    center_px : (x, y), optional
        What scale and rotation are about, and whose displacement is the translation: the
        principal point [px]. By default the centre of the frame.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    FrameMotion

    Raises
    ------
    InputError
        If `center_px` is no position.

    Notes
    -----
    A similarity, an affine motion and a homography by iteratively re-weighted least squares
    (Tukey's biweight, started from least absolute distances), so that up to about 40 % of the
    tracks may move on their own. A camera that turns or looks at a plane moves the picture by a
    homography, which is why it is the one preferred. Its scale is measured so that turning does
    not change it: with H = K' R K^-1 about the principal point it is f'/f for any R. Releases the
    GIL.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> first = np.random.default_rng(0).uniform(0, 200, (30, 2))
    >>> both = np.stack([first, first + (3, -1)], axis=1)
    >>> tracks = tc.Tracks.from_positions(both, frame_size=(200, 200))
    >>> tc.frame_motion(tracks).translation_px.round(6).tolist()
    [[3.0, -1.0]]
    """
    center = checked_center("center_px", center_px, tracks.frame_size)
    index = np.arange(max(tracks.n_frames - 1, 0))
    return of_pairs(tracks, np.stack([index, index + 1], axis=1), center, threads)


def known_motion(tracks: Tracks, motion: FrameMotion | None, threads: int) -> FrameMotion:
    """Return the motion a caller has, if it is of these tracks, else measure it."""
    if motion is None:
        return frame_motion(tracks, threads=threads)
    if not isinstance(motion, FrameMotion) or motion.tracks is not tracks:
        raise InputError(
            f"motion: expected frame_motion(tracks) of the same tracks, got {motion!r}"
        )
    return motion


def of_pairs(
    tracks: Tracks, pairs: NDArray[np.int64], center: tuple[float, float], threads: int = 0
) -> FrameMotion:
    """Fit the motion between any pairs (n, 2) of array indices."""
    found = _common_motion(fits(tracks, pairs, center, threads), tracks.frame_size)
    chosen = _chosen(found)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.exp(_pick(chosen, found, lambda m: m.log_scale))
        share = _pick(chosen, found, lambda m: m.inliers) / found.n_common
    sigma_turn = _pick(chosen, found, lambda m: m.sigma_turn)
    H = _pick(chosen, found, lambda m: m.warp)
    return FrameMotion(
        from_frame=tracks.frame_numbers[pairs[:, 0]],
        to_frame=tracks.frame_numbers[pairs[:, 1]],
        n_common=found.n_common,
        translation_px=H[:, :2, 2].copy(),
        scale=scale,
        rotation_rad=_pick(chosen, found, lambda m: m.rotation_rad),
        sigma_translation_px=_pick(chosen, found, lambda m: m.sigma_shift_px),
        sigma_scale=sigma_turn * scale,
        sigma_rotation_rad=sigma_turn,
        residual_px=_pick(chosen, found, lambda m: m.rms_px),
        inlier_share=share,
        warp=_in_pixels(H, center),
        affine=_in_pixels(found.affine.warp, center),
        center_px=center,
        tracks=tracks,
        fits=found,
    )


def checked_center(
    name: str, value: ArrayLike | None, frame_size: tuple[int, int]
) -> tuple[float, float]:
    """Return a position given by a caller; the centre of the frame if none was."""
    if value is None:
        return center_px(frame_size)
    x, y = Dims().array(name, value, (2,)).tolist()
    if not np.isfinite([x, y]).all():
        raise InputError(f"{name}: expected a position (x, y) in px, got ({x}, {y})")
    return x, y


def _common_motion(found: Fits, frame_size: tuple[int, int]) -> Fits:
    """Return the fits without those that describe no motion that most tracks share."""
    limit = NO_MOTION_RMS * diagonal_px(frame_size)

    def known(model: Model) -> Model:
        with np.errstate(invalid="ignore"):
            none = ~(model.rms_px <= limit)
        return Model(
            model.freedom,
            np.where(none[:, None, None], np.nan, model.warp),
            *(
                np.where(none, np.nan, values)
                for values in (
                    model.rms_px, model.inliers, model.sigma_shift_px, model.sigma_turn,
                )
            ),
        )  # fmt: skip

    return replace(
        found, similarity=known(found.similarity), affine=known(found.affine),
        homography=known(found.homography),
    )  # fmt: skip


def _chosen(found: Fits) -> NDArray[np.int64]:
    """Return which model of each pair to believe: 0 similarity, 1 affine, 2 homography."""
    chosen = np.zeros(len(found.n_common), np.int64)
    limit = LARGER_SIGMA * found.similarity.sigma_turn
    for i, model in ((1, found.affine), (2, found.homography)):
        with np.errstate(invalid="ignore"):
            known = (model.sigma_turn <= limit) | (model.sigma_turn < 1e-6)
        chosen[(found.n_common >= TIMES_FREEDOM * model.freedom) & known] = i
    return chosen


def _pick(chosen: NDArray[np.int64], found: Fits, read: Any) -> Floats:
    models: list[Model] = [found.similarity, found.affine, found.homography]
    values = np.stack([read(model) for model in models])
    return np.asarray(values[chosen, np.arange(len(chosen))])


def _in_pixels(H: Floats, center: tuple[float, float]) -> Floats:
    """Return warps about the centre as warps of pixels, their last entry 1."""
    to, back = np.eye(3), np.eye(3)
    to[:2, 2] = center
    back[:2, 2] = np.negative(center)
    warp = to @ H @ back
    return np.asarray(warp / warp[:, 2:, 2:])
