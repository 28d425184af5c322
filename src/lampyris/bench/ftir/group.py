"""Model of infrared bands that are fitted together: pseudo-Voigt bands of one shape and lean over a straight line."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.bench.shapes import LN2, gaussian, lorentzian, pseudo_voigt

Array = NDArray[np.float64]
EACH = 3
"""Parameters of a band of a group: height, centre, logarithm of the full width."""
COMMON = 4
SHARE, LEAN, LEVEL, RISE = range(-COMMON, 0)
"""Places of what the bands of a group have in common, which follows them."""


def predict_bands(wavenumber_cm: Array, parameters: ArrayLike, /, *, lean: float = 0.0) -> Array:
    """Absorbance of pseudo-Voigt bands.

    Parameters
    ----------
    wavenumber_cm : numpy.ndarray, dims (point,)
    parameters : array_like
        Per band: height, centre, full width at half maximum (both 1/cm), Lorentzian share.
    lean : float
        The half widths are (1 + lean) times half the full width to high wavenumbers and (1 - lean) times it to low ones; full width
        and area stay as they are.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    p = np.asarray(parameters, np.float64).reshape(-1, 4, 1)
    u = ((wavenumber_cm - p[:, 1]) / p[:, 2]) ** 2
    if lean:
        u = u / np.where(wavenumber_cm > p[:, 1], 1.0 + lean, 1.0 - lean) ** 2
    total: Array = (p[:, 0] * pseudo_voigt(u, p[:, 3])).sum(axis=0)
    return total


def each_with_share(p: Array) -> Array:
    """Parameters of each band of a group as of `predict_bands`, the group's share of shape among them."""
    bands = p[:-COMMON].reshape(-1, EACH)
    widths = np.exp(np.clip(bands[:, 2], -20.0, 20.0))
    return np.column_stack([bands[:, :2], widths, np.full(bands.shape[0], p[SHARE])]).ravel()


def slopes_of_group(x: Array, line: Array, /) -> Callable[[Array], Array]:
    """Derivatives of a group's absorbance by its parameters, dims (point, parameter); `line` runs from -1/2 to 1/2 over its window."""

    def of(p: Array) -> Array:
        out = np.empty((x.size, p.size))
        share, lean = p[SHARE], p[LEAN]
        out[:, [SHARE, LEAN]] = 0.0
        for k in range((p.size - COMMON) // EACH):
            height, centre, q = p[EACH * k : EACH * (k + 1)]
            width = math.exp(min(max(q, -20.0), 20.0))
            side = np.where(x > centre, 1.0 + lean, 1.0 - lean)
            d = (x - centre) / (width * side)
            gauss, lorentz = gaussian(d**2), lorentzian(d**2)
            # of the shape by d
            slope = (1.0 - share) * -8.0 * LN2 * d * gauss - share * 8.0 * d * lorentz**2
            out[:, EACH * k] = (1.0 - share) * gauss + share * lorentz
            out[:, EACH * k + 1] = -height * slope / (width * side)
            out[:, EACH * k + 2] = -height * slope * d
            out[:, SHARE] += height * (lorentz - gauss)
            out[:, LEAN] -= height * slope * np.abs(d) / side
        out[:, LEVEL] = 1.0
        out[:, RISE] = line
        return out

    return of
