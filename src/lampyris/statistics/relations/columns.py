"""Columns that a relation can be computed of: finite, of a size that arithmetic can take, and varying."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# squares of squares of what lies within stay far from overflow
_LARGEST, _SMALLEST = 1e60, 1e-60
# a spread below this share of the values is what rounding leaves
_ROUNDING = 1e-12


def finite_column(values: ArrayLike, name: str, /) -> NDArray[np.float64]:
    """Values of a column.

    Parameters
    ----------
    values : array_like, dims (row,)
        Whole numbers will do.
    name : str
        What it is called, for messages.

    Returns
    -------
    ndarray of float, dims (row,)

    Raises
    ------
    ValueError
        If it has not one dimension, or a value is not finite or beyond any measurement.

    Examples
    --------
    >>> finite_column([1, 2], "x")
    array([1., 2.])
    """
    array = np.asarray(values, float)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one value per row, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; leave out rows without a value, and say so")
    size = np.abs(array[array != 0])
    if size.size and (size.max() > _LARGEST or size.min() < _SMALLEST):
        raise ValueError(f"{name} holds a value beyond any measurement: {size.min():g} to {size.max():g} in size")
    return array


def finite_pair(a: ArrayLike, b: ArrayLike, names: str = "xy", /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two columns of the same rows.

    Raises
    ------
    ValueError
        As `finite_column`; or if their lengths differ.
    """
    one, other = finite_column(a, names[0]), finite_column(b, names[1])
    if one.size != other.size:
        raise ValueError(f"{names[0]} and {names[1]} need one value per row each, got {one.size} and {other.size}")
    return one, other


def varies(values: NDArray[np.float64], /) -> bool:
    """Whether values differ by more than rounding.

    Examples
    --------
    >>> varies(np.array([0.1 + 0.2, 0.3])), varies(np.array([1.0, 2.0]))
    (False, True)
    """
    return bool(values.size) and bool(np.ptp(values) > _ROUNDING * np.abs(values).max())
