"""Samples as they come in: what every comparison of groups asks of them, and what it hands back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate

Floats = NDArray[np.float64]
ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Share of the largest value by which equal values may differ once they were averaged, subtracted or taken as logarithms."""


@dataclass(frozen=True, slots=True)
class OmnibusTest:
    """Whether any group differs.

    Parameters
    ----------
    name : str
        Name of the test.
    statistic, df1, df2, p : float
        F, its degrees of freedom, and the probability of a larger F if all means are equal.
    effect_size : Estimate
        Omega squared: share of the variance that the groups explain, with its interval.
    """

    name: str
    statistic: float
    df1: float
    df2: float
    p: float
    effect_size: Estimate


@dataclass(frozen=True, slots=True)
class PairTest:
    """How two groups differ.

    Parameters
    ----------
    a, b : int
        Places of the two groups in the input.
    difference : Estimate
        Mean of a minus mean of b; its interval is simultaneous over all pairs, `sd` is the standard error.
    p : float
        Adjusted for all pairs.
    statistic, df : float
        Difference over its standard error (t, or z of ranks) and the degrees of freedom; NaN where it has none.
    """

    a: int
    b: int
    difference: Estimate
    p: float
    statistic: float = math.nan
    df: float = math.nan


def why_no_test(samples: Sequence[ArrayLike], /, *, least: int = 3) -> str:
    """Say why these groups cannot be tested; "" where they can.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group.
    least : int
        Fewest units per group.

    Returns
    -------
    str
        A clause such as "a group has 2 animals and 3 are the least".

    Examples
    --------
    >>> why_no_test([[1.0, 2.0, 3.0], [2.0, 4.0]])
    'a group has 2 values, and a test needs 3 in each'
    """
    if len(samples) < 2:
        return f"a test needs two groups, and there is {len(samples)}" if samples else "there is no group to test"
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    fewest = min(array.size for array in arrays)
    if fewest < least:
        return f"a group has {fewest} value{'' if fewest == 1 else 's'}, and a test needs {least} in each"
    if any(has_no_spread(array) for array in arrays):
        return "the values of a group do not differ, so their spread is unknown"
    return ""


def has_no_spread(array: Floats, /) -> bool:
    """Whether all values are equal, up to the rounding of a mean or a difference."""
    return bool(np.ptp(array) <= ROUNDING * np.abs(array).max())


def checked_samples(
    samples: Sequence[ArrayLike], /, *, spread: bool = True, least: int = 2, within: bool = True
) -> list[Floats]:
    """Samples as numbers.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        Values per group; integers are fine.
    spread : bool
        Whether every group needs values that differ.
    least : int
        Fewest values per group.
    within : bool
        Whether at least one group needs values that differ.

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If there is one group only, or a group has too few values, one that is not finite, or no spread.
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    faults = [] if len(arrays) >= 2 else [f"needs at least two groups, got {len(arrays)}"]
    for place, array in enumerate(arrays):
        if array.ndim != 1 or array.size < least:
            words = {1: "one value", 2: "two values"}.get(least, f"{least} values")
            faults.append(f"group {place} needs at least {words} in one dimension, has shape {array.shape}")
        elif not np.isfinite(array).all():
            faults.append(f"group {place} holds values that are not finite")
        elif spread and has_no_spread(array):
            faults.append(f"group {place} has no spread: all values are {array[0]}")
    if not faults and within and all(has_no_spread(array) for array in arrays):
        faults.append("no group has any spread")
    if faults:
        raise ValueError("; ".join(faults))
    return arrays


def summary(arrays: Sequence[Floats], /) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation (divisor n - 1) and number of values per group."""
    return (
        np.array([array.mean() for array in arrays]),
        np.array([array.std(ddof=1) for array in arrays]),
        np.array([array.size for array in arrays], dtype=np.float64),
    )


def checked_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike, /, *, spread: bool = True
) -> tuple[Floats, Floats, Floats]:
    """Summary as numbers; as `checked_samples`."""
    m, s, n = (np.asarray(values, dtype=np.float64) for values in (means, sds, ns))
    if m.ndim != 1 or m.size < 2 or m.shape != s.shape or m.shape != n.shape:
        raise ValueError(f"needs mean, sd and n of at least two groups, got shapes {m.shape}, {s.shape}, {n.shape}")
    some = (s > 0).all() if spread else (s >= 0).all() and (s > 0).any()
    if not (np.isfinite(m).all() and np.isfinite(s).all() and some and (n >= 2).all()):
        above = "sd above 0" if spread else "sd of at least 0, one of them above 0,"
        raise ValueError(f"every group needs a finite mean, {above} and n of at least 2, got {m}, {s}, {n}")
    return m, s, n
