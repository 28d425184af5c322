"""What lies under infrared bands, and the noise beside them."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.photons import difference_sd

Array = NDArray[np.float64]


def smooth_line(wavenumber_cm: Array, signal: Array, /, *, reach_cm: float, weights: Array | None = None) -> Array:
    """Line that bends little within `reach_cm`: penalised least squares (Whittaker's smoother).

    Parameters
    ----------
    wavenumber_cm, signal : numpy.ndarray, dims (point,)
        Finite; at least 5 points. The signal may have columns, dims (point, column), each with a line of its own.
    reach_cm : float
    weights : numpy.ndarray, dims (point,), optional

    Returns
    -------
    numpy.ndarray, dims of the signal

    References
    ----------
    Eilers, Anal. Chem. 75, 3631 (2003), DOI 10.1021/ac034173t.
    """
    from scipy.linalg import solveh_banded

    n = signal.shape[0]
    points = reach_cm / float(np.median(np.diff(wavenumber_cm)))
    # bands of D'D, D the second difference
    matrix = np.zeros((3, n))
    matrix[2] = 6.0
    matrix[2, [0, -1]], matrix[2, [1, -2]] = 1.0, 5.0
    matrix[1, 1:] = -4.0
    matrix[1, [1, -1]] = -2.0
    matrix[0, 2:] = 1.0
    matrix *= (max(points, 3.0) / (2.0 * math.pi)) ** 4
    own = np.ones(n) if weights is None else weights
    matrix[2] += own
    return np.asarray(solveh_banded(matrix, (own * signal.T).T), np.float64)


def penalised_baseline(wavenumber_cm: Array, signal: Array, /, *, reach_cm: float) -> Array:
    """Stiff line below the bands: asymmetrically reweighted penalised least squares.

    Parameters
    ----------
    wavenumber_cm, signal : numpy.ndarray, dims (point,)
        Finite.
    reach_cm : float
        About how far it stays straight.

    Returns
    -------
    numpy.ndarray, dims (point,)

    References
    ----------
    Baek, Park, Ahn and Choo, Analyst 140, 250 (2015), DOI 10.1039/C4AN01061B.
    """
    from scipy.special import expit

    if signal.size < 8:
        return np.full(signal.size, float(signal.min()))
    weights = np.ones(signal.size)
    base = signal
    for _ in range(50):
        base = smooth_line(wavenumber_cm, signal, reach_cm=reach_cm, weights=weights)
        off = signal - base
        below = off[off < 0]
        if below.size < 2 or not below.std() > 0:
            break
        m, s = float(below.mean()), float(below.std())
        new = expit(-2.0 * (off - (2.0 * s - m)) / s)
        change = float(np.linalg.norm(new - weights) / np.linalg.norm(weights))
        weights = new
        if change < 1e-3:
            break
    return base


def rubber_band(wavenumber_cm: Array, signal: Array, /) -> Array:
    """Lower convex hull of a spectrum, dims (point,)."""
    hull: list[int] = []
    for k in range(signal.size):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            turn = (wavenumber_cm[b] - wavenumber_cm[a]) * (signal[k] - signal[a]) - (signal[b] - signal[a]) * (
                wavenumber_cm[k] - wavenumber_cm[a]
            )
            if turn > 0:
                break
            hull.pop()
        hull.append(k)
    return np.interp(wavenumber_cm, wavenumber_cm[hull], signal[hull])


def noise_sd(signal: Array, /) -> float:
    """Standard deviation of a spectrum's noise in its quieter half, from second differences.

    Notes
    -----
    Zero filling makes neighbours alike: then this is too small, and `infer_bands` widens by what its residuals say.
    """
    differences = signal.size - 2
    size = max(differences // 16, 8)
    parts = [difference_sd(signal[k : k + size + 2]) for k in range(0, max(differences - size, 1), size)]
    return float(np.median(np.sort(parts)[: max(len(parts) // 2, 1)]))
