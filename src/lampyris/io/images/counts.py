"""What every reader asks of the numbers that it hands on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.io.images.tiff import refuse


def counts_of(file: str, values: NDArray[Any], /) -> NDArray[Any]:
    """Numbers as unsigned integers where they were signed ones without a negative, and finite floats as they are.

    Raises
    ------
    ImageError
        If any is negative, though whole, or no number.
    """
    if values.dtype.kind == "i":
        if values.size and values.min() < 0:
            seen = "holds negative whole numbers, which no camera counts."
            refuse(file, "image.dtype", seen, "Export raw counts as unsigned integers.")
        return values.view(values.dtype.str.replace("i", "u"))
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int(values.size - np.count_nonzero(np.isfinite(values)))
        mend = "Export raw counts; a camera records no such values."
        refuse(file, "image.not-finite", f"holds {bad} pixels that are NaN or infinite.", mend)
    return values
