"""How alike two small pictures are, wherever the camera has turned in between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST_OVERLAP = 0.5  # of the picture: what is smaller looks alike by chance
_SURROUNDINGS = 4  # blocks on either side that make the local mean
_FLAT = 1.0 / 255.0  # structure of less than this rms, as a share of white, is none
_GOOD_ENOUGH = 0.75  # alike without looking for a shift
_AT_ONCE = 64  # pairs


def structure(pictures: Floats) -> Floats:
    """Return pictures (n, h, w) without what varies slowly: the mean of (9, 9) taken out.

    Skies are bright and floors dark in many shots; what is left tells one shot from another.
    """
    k = _SURROUNDINGS
    padded = np.pad(pictures, ((0, 0), (k + 1, k), (k + 1, k)), mode="edge")
    padded[:, 0] = padded[:, :, 0] = 0.0
    sums = padded.cumsum(axis=1).cumsum(axis=2)
    side = 2 * k + 1
    box = sums[:, side:, side:] - sums[:, :-side, side:] - sums[:, side:, :-side]
    return np.asarray(pictures - (box + sums[:, :-side, :-side]) / side**2)


def alike(a: Floats, b: Floats) -> Floats:
    """Return (n,) the likeness -1 .. 1 of structures a and b (n, h, w), pair by pair.

    The correlation where the second is shifted best, with at least half of the picture in common
    (`register`); without a shift where that is high already. Blind to brightness and contrast.
    Two pictures without structure are alike.
    """
    likeness = _in_place(a, b)
    todo = np.flatnonzero(~(likeness >= _GOOD_ENOUGH))
    for start in range(0, len(todo), _AT_ONCE):
        some = todo[start : start + _AT_ONCE]
        likeness[some] = register(a[some], b[some])[0]
    return likeness


def register(a: Floats, b: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return (n,) the highest likeness over all shifts, and (n, 2) those shifts (x, y), a to b.

    Normalised correlation of the overlap for every whole shift at once, by Fourier transforms
    (Padfield 2012, "Masked object registration in the Fourier domain").
    """
    n, h, w = a.shape
    size = (2 * h, 2 * w)

    def spectrum(pictures: Floats) -> NDArray[np.complex128]:
        return np.fft.rfft2(pictures, size)

    def sums(first: NDArray[np.complex128], second: NDArray[np.complex128]) -> Floats:
        return np.fft.irfft2(np.conj(first) * second, size)

    window = spectrum(np.ones((1, h, w)))
    count = np.round(sums(window, window))
    enough, count = count >= _LEAST_OVERLAP * h * w, np.maximum(count, 1.0)
    spectrum_a, spectrum_b = spectrum(a), spectrum(b)
    sum_a, sum_b = sums(spectrum_a, window), sums(window, spectrum_b)
    var_a = sums(spectrum(a * a), window) - sum_a**2 / count
    var_b = sums(window, spectrum(b * b)) - sum_b**2 / count
    cov = sums(spectrum_a, spectrum_b) - sum_a * sum_b / count
    likeness = np.where(enough, _correlation(cov, var_a, var_b, count), -1.0).reshape(n, -1)
    best = likeness.argmax(axis=1)
    y, x = np.divmod(best, 2 * w)
    shift = np.stack([np.where(x < w, x, x - 2 * w), np.where(y < h, y, y - 2 * h)], axis=-1)
    return likeness[np.arange(n), best], shift


def _in_place(a: Floats, b: Floats) -> Floats:
    a = a - a.mean(axis=(1, 2), keepdims=True)
    b = b - b.mean(axis=(1, 2), keepdims=True)
    cov, var_a, var_b = ((p * q).sum(axis=(1, 2)) for p, q in ((a, b), (a, a), (b, b)))
    return _correlation(cov, var_a, var_b, np.asarray(float(a[0].size) if len(a) else 1.0))


def _correlation(cov: Floats, var_a: Floats, var_b: Floats, count: Floats) -> Floats:
    """Return the structure term of SSIM (Wang et al. 2004): correlation, 1 where both are flat."""
    flat = count * _FLAT**2
    product = (np.maximum(var_a, 0.0) + flat) * (np.maximum(var_b, 0.0) + flat)
    return np.asarray((cov + flat) / np.sqrt(product))
