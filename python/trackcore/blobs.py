"""Spots of a still image: bright or dark, discs or rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore._check import image_array
from trackcore.options import BlobOptions, Polarity, require_options
from trackcore.pyramid import FramePyramid

Floats = NDArray[np.float64]

_NOISE_SAMPLES = 60_000  # pixels suffice for its median
_RING_RADIUS = 0.72  # a ring's outer radius over that of the disc with the same best scale
_HOLLOW = 0.5  # inner over outer contrast of a ring, at most


@dataclass(frozen=True, slots=True)
class Blobs:
    """Blobs of an image, strongest first; `len` is their number.

    Attributes
    ----------
    xy_px : (n, 2) float64
        Centres [px], pixel centres at integers.
    radius_px : (n,) float64
        Of the disc that fits best [px]; of a ring about that of its outline.
    contrast : (n,) float64
        Grey level less that of the surroundings; negative for a dark blob.
    score : (n,) float64
        Contrast over noise, times the root of the area.
    confidence : (n,) float64
        Share of the window's energy that the disc explains, 0 .. 1; NaN without a fit.
    covariance : (n, 2, 2) float64
        Of the centre [px^2]; NaN without a fit.
    ring : (n,) bool
        Whether the inside is nearer to the surroundings than to the outline.
    """

    xy_px: Floats
    radius_px: Floats
    contrast: Floats
    score: Floats
    confidence: Floats
    covariance: Floats
    ring: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.xy_px)


def detect_blobs(image: NDArray[Any], *, options: BlobOptions | None = None) -> Blobs:
    """Find round spots that differ from what is around them.

    Parameters
    ----------
    image : (h, w) or (h, w, 1|3|4) uint8, uint16 or float32
        Colour is read as OpenCV has it, blue first.
    options : BlobOptions, optional
        Sizes, polarity, and what is too weak.

    Returns
    -------
    Blobs
        Strongest first.

    Raises
    ------
    InputError
        If an argument has the wrong type, dtype, shape or range. An image without blobs does not
        raise.

    Notes
    -----
    Maxima in place and scale of differences of Gaussians (Lindeberg 1998; Lowe 2004), those on
    lines left out; then a least-squares fit of a disc and the background's level. Of overlapping
    blobs the strongest stays. Grey levels and `min_contrast` are in the image's own units.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> from trackcore import synth
    >>> ball = synth.Ball(xy_px=(30.25, 20.75), radius_px=6.0, level=40.0)
    >>> image = synth.draw_balls(np.full((48, 64), 200.0), [ball]).astype(np.float32)
    >>> blobs = tc.detect_blobs(image)
    >>> np.round(blobs.xy_px, 2).tolist()
    [[30.25, 20.75]]
    """
    chosen = BlobOptions() if options is None else options
    require_options(chosen, BlobOptions)
    finite = FramePyramid(image_array("image", image), 1, copy=False).level(0).astype(np.float32)
    if image.dtype.kind == "f":
        np.nan_to_num(finite, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    noise = _noise(finite)
    if image.dtype.kind == "u":
        noise = float(np.hypot(noise, 12**-0.5))
    starts = _core.find_blobs(
        finite, chosen.min_radius_px, chosen.max_radius_px, chosen.min_contrast, chosen.min_snr,
        chosen.max_elongation, noise, chosen.polarity != Polarity.DARK,
        chosen.polarity != Polarity.BRIGHT,
    )  # fmt: skip
    if len(starts) == 0:
        return _blobs(np.zeros((10, 0)), noise)
    if chosen.refine:
        rows, ok = _core.fit_blobs(finite, starts, noise, chosen.max_radius_px)
        if chosen.rings and not ok.all():
            again = starts[~ok] * (1, 1, _RING_RADIUS, 1 / _RING_RADIUS)
            rows[:, ~ok], ok[~ok] = _core.fit_blobs(finite, again, noise, chosen.max_radius_px)
        rows = rows[:, _keep(rows, ok, chosen, noise)]
    else:
        rows = np.full((10, len(starts)), np.nan)
        rows[:4] = starts.T
    found = _blobs(rows[:, _without_overlaps(rows, noise)], noise)
    return found if chosen.max_blobs == 0 else _first(found, chosen.max_blobs)


def _noise(grey: NDArray[np.float32]) -> float:
    """Return the noise of the flattest part of the image: what a mask blind to planes sees."""
    if min(grey.shape) < 3:
        return 0.0
    step = max(1, grey.size // _NOISE_SAMPLES)
    down = [grey[k : grey.shape[0] - 2 + k : step] for k in range(3)]
    bent = down[0] - 2 * down[1] + down[2]
    bent = bent[:, :-2] - 2 * bent[:, 1:-1] + bent[:, 2:]
    return float(np.median(np.abs(bent))) / 0.6745 / 6.0


def _keep(rows: Floats, ok: NDArray[np.bool_], options: BlobOptions, noise: float) -> Any:
    """Return which fits are blobs of the sizes, contrast and shape asked for."""
    radius, contrast = rows[2], rows[3]
    size = (radius >= 0.9 * options.min_radius_px) & (radius <= 1.1 * options.max_radius_px)
    strong = (np.abs(contrast) >= options.min_contrast) & (_score(rows, noise) >= options.min_snr)
    wanted = {Polarity.BRIGHT: contrast > 0, Polarity.DARK: contrast < 0}
    shaped = rows[4] >= options.min_confidence
    if options.rings:
        shaped |= _is_ring(rows)
    return ok & size & strong & shaped & wanted.get(options.polarity, np.True_)


def _is_ring(rows: Floats) -> NDArray[np.bool_]:
    inner, outer = rows[5], rows[6]
    with np.errstate(invalid="ignore"):
        return np.asarray(inner * np.sign(outer) < _HOLLOW * np.abs(outer))


def _score(rows: Floats, noise: float) -> Floats:
    least = 1e-6 * (1 + float(np.abs(rows[3]).max(initial=0)))  # an image without noise
    return np.asarray(np.abs(rows[3]) * np.pi**0.5 * rows[2] / max(noise, least))


def _without_overlaps(rows: Floats, noise: float) -> NDArray[np.intp]:
    """Return the strongest first, without those whose centre lies inside a stronger one."""
    order = np.argsort(-_score(rows, noise), kind="stable")
    return np.asarray(order[_core.without_overlaps(np.ascontiguousarray(rows[:4, order].T))])


def _blobs(rows: Floats, noise: float) -> Blobs:
    covariance = np.stack([rows[7], rows[8], rows[8], rows[9]], axis=1).reshape(-1, 2, 2)
    return Blobs(
        xy_px=np.ascontiguousarray(rows[:2].T), radius_px=rows[2], contrast=rows[3],
        score=_score(rows, noise), confidence=rows[4], covariance=covariance, ring=_is_ring(rows),
    )  # fmt: skip


def _first(blobs: Blobs, n: int) -> Blobs:
    return Blobs(*(getattr(blobs, name)[:n] for name in Blobs.__slots__))
