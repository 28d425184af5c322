"""Samples as they come in: what every comparison of groups asks of them, and what it hands back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate


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
    """

    a: int
    b: int
    difference: Estimate
    p: float


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


def has_no_spread(array: NDArray[np.float64]) -> bool:
    # np.ptp is exact where the standard deviation of equal values may be a rounding error above zero
    return bool(np.ptp(array) == 0)


def checked_samples(samples: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    faults = [] if len(arrays) >= 2 else [f"needs at least two groups, got {len(arrays)}"]
    for place, array in enumerate(arrays):
        if array.ndim != 1 or array.size < 2:
            faults.append(f"group {place} needs at least two values in one dimension, has shape {array.shape}")
        elif not np.isfinite(array).all():
            faults.append(f"group {place} holds values that are not finite")
        elif has_no_spread(array):
            faults.append(f"group {place} has no spread: all values are {array[0]}")
    if faults:
        raise ValueError("; ".join(faults))
    return arrays


def summary(
    arrays: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([array.mean() for array in arrays]),
        np.array([array.std(ddof=1) for array in arrays]),
        np.array([array.size for array in arrays], dtype=np.float64),
    )


def checked_summary(
    means: ArrayLike, sds: ArrayLike, ns: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    m, s, n = (np.asarray(values, dtype=np.float64) for values in (means, sds, ns))
    if m.ndim != 1 or m.size < 2 or m.shape != s.shape or m.shape != n.shape:
        raise ValueError(f"needs mean, sd and n of at least two groups, got shapes {m.shape}, {s.shape}, {n.shape}")
    if not (np.isfinite(m).all() and np.isfinite(s).all() and (s > 0).all() and (n >= 2).all()):
        raise ValueError(f"every group needs a finite mean, sd above 0 and n of at least 2, got {m}, {s}, {n}")
    return m, s, n
