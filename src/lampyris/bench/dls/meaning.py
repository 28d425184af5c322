"""What a size with a standard deviation can mean."""

import math

_NARROWEST = 0.02
"""Polydispersity that makers of reference beads reach; dots in water with a polymer coat are broader."""


def sd_meaning(mean_nm: float, sd_nm: float, /) -> str:
    """Question to ask of a hydrodynamic size that is printed with a standard deviation, "" where it can be a width.

    Parameters
    ----------
    mean_nm, sd_nm : float

    Returns
    -------
    str
        A sentence or two.

    Raises
    ------
    ValueError
        If the mean is not above 0 or the deviation is negative.

    Examples
    --------
    >>> sd_meaning(18.4, 2.1)[:79]
    '18.4 +- 2.1 nm as the width of one sample would mean a polydispersity of 0.013,'
    >>> sd_meaning(100.0, 30.0)
    ''
    """
    if not (math.isfinite(mean_nm) and mean_nm > 0 and math.isfinite(sd_nm) and sd_nm >= 0):
        raise ValueError(f"needs a mean above 0 and a deviation from 0, got {mean_nm} and {sd_nm}")
    pdi = (sd_nm / mean_nm) ** 2
    if pdi >= _NARROWEST:
        return ""
    return (
        f"{mean_nm:g} +- {sd_nm:g} nm as the width of one sample would mean a polydispersity of {pdi:.3f}, which is implausible"
        f" for coated dots (below {_NARROWEST:g}). Which deviation is meant: of repeated runs, of samples or batches, or the width?"
    )
