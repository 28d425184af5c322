"""Adjustment of p values for the number of tests."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike, /) -> NDArray[np.float64]:
    """Holm's adjustment of p values for the number of tests; NaN (no test made) is passed over.

    Parameters
    ----------
    p_values : array_like, dims (test,)
        Unadjusted p values.

    Returns
    -------
    ndarray, dims (test,)
        Adjusted p values, at most 1.

    References
    ----------
    Holm 1979, Scand J Stat 6:65.

    Examples
    --------
    >>> [round(float(p), 4) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    made = np.flatnonzero(np.isfinite(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
