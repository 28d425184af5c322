"""Shapes of lines of height 1 and full width 1 at half maximum, over the squared distance from the top."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

LN2 = math.log(2.0)


def gaussian(squared: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Gaussian line.

    Examples
    --------
    >>> gaussian(np.array([0.0, 0.25])).round(12).tolist()
    [1.0, 0.5]
    """
    return np.asarray(np.exp(-4.0 * LN2 * squared))


def lorentzian(squared: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Lorentzian line.

    Examples
    --------
    >>> lorentzian(np.array([0.0, 0.25])).tolist()
    [1.0, 0.5]
    """
    return np.asarray(1.0 / (1.0 + 4.0 * squared))


def pseudo_voigt(squared: NDArray[np.float64], share: ArrayLike, /) -> NDArray[np.float64]:
    """Sum of both, of which the Lorentzian has a share of the height."""
    n = np.asarray(share, np.float64)
    return np.asarray((1.0 - n) * gaussian(squared) + n * lorentzian(squared))
