"""The spread that a pilot gives, and how little it is known: limits, and power averaged over what it leaves open.

References
----------
Browne 1995, Stat Med 14:1933, doi:10.1002/sim.4780141709: upper limit of the spread from a pilot.
O'Hagan, Stevens & Campbell 2005, Pharm Stat 4:187, doi:10.1002/pst.175: assurance.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard deviation with its degrees of freedom.

    Parameters
    ----------
    sd : float
    df : float
        inf where it is given and not estimated.
    source : str
        Where it comes from, for a reader.

    Examples
    --------
    >>> round(Spread(1.0, 8.0, "pilot").upper(0.8), 2)
    1.32
    """

    sd: float
    df: float
    source: str

    def upper(self, confidence: float, /) -> float:
        """Limit below which the true spread lies with `confidence`."""
        if math.isinf(self.df):
            return self.sd
        return self.sd * math.sqrt(self.df / float(special.chdtri(self.df, confidence)))

    def interval(self, level: float = 0.95, /) -> tuple[float, float]:
        """Two-sided interval."""
        return self.upper(0.5 * (1 - level)), self.upper(0.5 * (1 + level))

    def average(self, power_at: Callable[[float], float], /) -> float:
        """Power averaged over what the estimate says of the true spread: the assurance."""
        if math.isinf(self.df):
            return power_at(self.sd)
        nodes, weights = np.polynomial.legendre.leggauss(60)
        return float(sum(0.5 * w * power_at(self.upper(0.5 * (x + 1))) for x, w in zip(nodes, weights, strict=True)))


def pooled_spread(samples: Sequence[ArrayLike], /, *, source: str = "pilot") -> Spread:
    """Spread within groups, pooled.

    Parameters
    ----------
    samples : sequence of array_like, dims (animal,)
        One value per experimental unit; groups of one value say nothing and are passed over.
    source : str

    Returns
    -------
    Spread

    Raises
    ------
    ValueError
        If no group has two values, none differ, or one is not finite.

    Examples
    --------
    >>> spread = pooled_spread([[1.0, 2.0, 3.0], [2.0, 4.0]])
    >>> round(spread.sd, 3), spread.df
    (1.155, 3.0)
    """
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    if any(not np.isfinite(array).all() for array in arrays):
        raise ValueError("pilot values must be finite")
    df = sum(max(array.size - 1, 0) for array in arrays)
    squares = sum(float(((array - array.mean()) ** 2).sum()) for array in arrays if array.size > 1)
    if df < 1:
        raise ValueError("a spread needs a group of at least two units")
    if squares <= 0:
        raise ValueError("all pilot values of a group are equal: they give no spread")
    return Spread(math.sqrt(squares / df), float(df), source)


def pooled_from_summary(ns: Sequence[int], sds: Sequence[float], /, *, source: str = "table") -> Spread:
    """The same from the groups' numbers and standard deviations."""
    df = sum(n - 1 for n in ns if n > 1)
    squares = sum((n - 1) * sd**2 for n, sd in zip(ns, sds, strict=True) if n > 1)
    if df < 1 or not squares > 0:
        raise ValueError("a spread needs a group of at least two units whose values differ")
    return Spread(math.sqrt(squares / df), float(df), source)
