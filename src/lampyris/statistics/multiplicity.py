"""Many tests: p values adjusted for their number, over pairs or over all endpoints; letters that sum up the pairs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from string import ascii_letters

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.comparison import Comparison

Floats = NDArray[np.float64]

NAMES = {"holm": "Holm", "hochberg": "Hochberg", "benjamini-hochberg": "Benjamini-Hochberg (false discovery rate)"}


def holm(p_values: ArrayLike, /) -> Floats:
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
    return _step_down(p_values, lambda count: np.arange(count, 0, -1))


def hochberg(p_values: ArrayLike, /) -> Floats:
    """Hochberg's adjustment: less strict than Holm's, right where tests are independent or positively related.

    Parameters
    ----------
    p_values : array_like, dims (test,)
        Unadjusted p values; NaN is passed over.

    Returns
    -------
    ndarray, dims (test,)
        Adjusted p values.

    References
    ----------
    Hochberg 1988, Biometrika 75:800, doi:10.1093/biomet/75.4.800.

    Examples
    --------
    >>> [round(float(p), 4) for p in hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    return _step_up(p_values, lambda count: np.arange(count, 0, -1))


def benjamini_hochberg(p_values: ArrayLike, /) -> Floats:
    """Benjamini and Hochberg's adjustment: bounds the share of false findings among all findings, not the chance of any.

    Parameters
    ----------
    p_values : array_like, dims (test,)
        Unadjusted p values; NaN is passed over.

    Returns
    -------
    ndarray, dims (test,)
        Adjusted p values.

    References
    ----------
    Benjamini & Hochberg 1995, J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> [round(float(p), 4) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    return _step_up(p_values, lambda count: count / np.arange(1, count + 1))


def adjust_endpoints(comparisons: Sequence[Comparison], /, *, method: str = "holm") -> tuple[Comparison, ...]:
    """Adjust the answers of several endpoints for their number.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Every endpoint that was looked at, those without a test too.
    method : {"holm", "hochberg", "benjamini-hochberg"}
        Adjustment.

    Returns
    -------
    tuple of Comparison
        With `p_adjusted` and `adjustment`; unchanged where fewer than two were tested.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    adjusters = {"holm": holm, "hochberg": hochberg, "benjamini-hochberg": benjamini_hochberg}
    if method not in adjusters:
        raise ValueError(f"method is one of {', '.join(adjusters)}, got {method!r}")
    tested = sum(not math.isnan(one.p) for one in comparisons)
    if tested < 2:
        return tuple(comparisons)
    named = f"{NAMES[method]} over {tested} endpoints"
    return tuple(
        one if math.isnan(one.p) else replace(one, p_adjusted=float(p), adjustment=named)
        for one, p in zip(comparisons, adjusters[method]([one.p for one in comparisons]), strict=True)
    )


def compact_letters(count: int, different: Sequence[tuple[int, int]], /) -> tuple[str, ...]:
    """Letters such that two groups share one if and only if they were not found to differ.

    Parameters
    ----------
    count : int
        Number of groups; give them in the order of their means, largest first, for letters that read well.
    different : sequence of tuple of int
        Pairs of groups that were found to differ.

    Returns
    -------
    tuple of str, dims (group,)
        Letters per group.

    References
    ----------
    Piepho 2004, J Comput Graph Stat 13:456, doi:10.1198/1061860043515 (insert and absorb).

    Examples
    --------
    >>> compact_letters(4, [(0, 2), (0, 3), (1, 3)])
    ('a', 'ab', 'bc', 'c')
    """
    columns = [frozenset(range(count))]
    for a, b in different:
        split = [column for column in columns if not {a, b} <= column]
        split += [column - {one} for column in columns if {a, b} <= column for one in (b, a)]
        columns = [one for one in dict.fromkeys(split) if not any(one < other for other in split)]
    apart = {frozenset(pair) for pair in different}
    kept = sorted(columns, key=sorted)
    for column in sorted(columns, key=lambda one: (len(one), sorted(one))):
        others = [other for other in kept if other is not column]
        alike = {frozenset(pair) for pair in combinations(sorted(column), 2)} - apart
        # a column whose pairs all stand together elsewhere says nothing new
        if all(any(pair <= other for other in others) for pair in alike) and all(
            any(one in other for other in others) for one in column
        ):
            kept = others
    names = [_letter(k) for k in range(len(kept))]
    return tuple("".join(name for name, column in zip(names, kept, strict=True) if k in column) for k in range(count))


def _letter(k: int) -> str:
    return ascii_letters[k] if k < len(ascii_letters) else f"({k})"


def _step_down(p_values: ArrayLike, factors) -> Floats:
    p, adjusted, order = _ordered(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors(order.size)), 1.0)
    return adjusted


def _step_up(p_values: ArrayLike, factors) -> Floats:
    p, adjusted, order = _ordered(p_values)
    steps = p[order] * factors(order.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted


def _ordered(p_values: ArrayLike):
    p = np.asarray(p_values, dtype=np.float64)
    made = np.flatnonzero(np.isfinite(p))
    return p, np.full(p.shape, np.nan), made[np.argsort(p[made], kind="stable")]
