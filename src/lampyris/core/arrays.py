"""One check for arrays that cross a border: it gathers every fault into one message and freezes the result."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def frozen_array(
    name: str, values: ArrayLike, dims: tuple[str, ...], dtype: Any, shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Return `values` as a read-only array after checking its dimensions and shape.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    values : array_like
        The data; copied only if its type changes.
    dims : tuple of str
        Names of the dimensions, which fix how many there are.
    dtype : dtype
        Type of the result.
    shape : tuple of int, optional
        Expected shape.

    Returns
    -------
    numpy.ndarray
        Read-only view.

    Raises
    ------
    ValueError
        With every fault that was found.
    """
    array = np.asarray(values, dtype=dtype)
    faults = []
    if array.ndim != len(dims):
        faults.append(f"needs dimensions {dims}, has {array.ndim} with shape {array.shape}")
    elif shape is not None and array.shape != shape:
        faults.append(
            f"needs shape {dict(zip(dims, shape, strict=True))}, has {dict(zip(dims, array.shape, strict=True))}"
        )
    if faults:
        raise ValueError(f"{name}: " + "; ".join(faults))
    view = array.view()
    view.flags.writeable = False
    return view
