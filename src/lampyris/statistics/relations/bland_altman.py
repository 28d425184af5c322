"""How far two measurements of the same thing lie apart: bias and limits of agreement, each with its interval.

A high correlation is no agreement: a method that always reads double correlates perfectly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_pair, varies
from lampyris.statistics.thresholds import half_width

SCALES = ("difference", "ratio")
PAIRINGS = ("linked", "constant")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Bland and Altman's limits of agreement.

    Parameters
    ----------
    bias : Estimate
        Mean of a less b, or geometric mean of a over b.
    sd : float
        Standard deviation of a single difference (of logarithms for ratios), repeats and subjects together.
    lower, upper : Estimate
        Limits between which 95 % of single differences are expected, each with the interval of the limit itself.
    proportional : Estimate or None
        Change of the difference per unit of the mean; None where means do not vary or with fewer than four units.
    tests : tuple of TestResult
        Of the bias, of proportional bias and of spread that grows with the mean.
    scale : str
        "difference" or "ratio".
    mean, difference : tuple of float
        Of each row: what is plotted; for ratios geometric mean and ratio.
    within_sd : float
        Of repeated differences of one subject; NaN without repeats.
    design : Design
    notes : tuple of str
    warnings : tuple of str
        What one bias and one pair of limits do not tell.
    """

    bias: Estimate
    sd: float
    lower: Estimate
    upper: Estimate
    proportional: Estimate | None
    tests: tuple[TestResult, ...]
    scale: str
    mean: tuple[float, ...]
    difference: tuple[float, ...]
    within_sd: float
    design: Design
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spread:
    """Bias and variance of a single difference, with what their intervals need."""

    bias: float
    bias_variance: float
    degrees: int
    # of each part: its share in the total, its mean square, its degrees of freedom
    parts: tuple[tuple[float, float, int], ...]
    within: float

    @property
    def variance(self) -> float:
        return max(sum(share * square for share, square, _ in self.parts), 0.0)


def bland_altman(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    subject: Sequence[Any] | NDArray[Any] | None = None,
    pairing: str = "linked",
    scale: str = "difference",
    level: float = 0.95,
    unit: str = "1",
    experimental_unit: str = "animal",
) -> Agreement:
    """Bias and 95 % limits of agreement of two measurements.

    Parameters
    ----------
    a, b : array_like, dims (row,)
        Two measurements of the same thing, in the same unit.
    subject : sequence, optional
        The subject of each row, where subjects were measured repeatedly; without it every row is a subject.
    pairing : str
        Of repeats: "linked" where a and b of a row belong together and what is measured may change between rows;
        "constant" where a subject stays the same and rows pair at random.
    scale : str
        "difference", or "ratio" (logarithms inside) for positive values whose differences grow with their size.
    level : float
        Coverage of all intervals. The limits themselves always hold 95 % of differences.
    unit : str
        Of a and b.
    experimental_unit : str
        What a subject is.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If there are fewer than three subjects, values are not finite, all differences are equal, or a ratio meets values
        not above 0.

    References
    ----------
    Bland & Altman 1986, Lancet 327:307, doi:10.1016/S0140-6736(86)90837-8; repeats: Bland & Altman 2007, J Biopharm Stat
    17:571, doi:10.1080/10543400701329422, with the intervals of Zou 2013, Stat Methods Med Res 22:630,
    doi:10.1177/0962280211402548; exact intervals: Carkeet 2015, Optom Vis Sci 92:e71, doi:10.1097/OPX.0000000000000513.

    Examples
    --------
    >>> found = bland_altman([10, 12, 15, 20, 24], [11, 12, 14, 22, 23])
    >>> f"bias {found.bias.value:.1f}, limits {found.lower.value:.2f} to {found.upper.value:.2f}"
    'bias -0.2, limits -2.76 to 2.36'
    """
    if scale not in SCALES or pairing not in PAIRINGS:
        raise ValueError(f"scale is one of {SCALES} and pairing one of {PAIRINGS}, got {scale!r} and {pairing!r}")
    one, other = _measured(a, b, scale)
    names, place = _places(subject, one.size)
    if names < 3:
        raise ValueError(
            f"limits of agreement with intervals need at least 3 subjects ({experimental_unit}), got {names}"
        )
    difference, mean = one - other, 0.5 * (one + other)
    if np.ptp(difference) <= 1e-12 * max(float(np.abs(one).max()), float(np.abs(other).max())):
        raise ValueError("a and b differ by the same amount in every row: there is no spread to give limits from")
    repeated = names < one.size
    spread = _spread(one, other, place, names, pairing if repeated else "single")
    z95 = float(special.ndtri(0.975))
    sd = math.sqrt(spread.variance)
    half = float(special.stdtrit(spread.degrees, 0.5 * (1 + level))) * math.sqrt(spread.bias_variance)
    ends = _exact_ends(spread, z95, level) if not repeated else _recovered_ends(spread, z95, level)
    method = (
        f"exact, non-central t (Carkeet), {names} pairs"
        if not repeated
        else f"variances recovered (Zou), {names} subjects"
    )

    def estimate(value: float, error: float, low: float, high: float, words: str) -> Estimate:
        if scale == "difference":
            return Estimate(value, error, low, high, level, unit, words)
        value, low, high = math.exp(value), math.exp(low), math.exp(high)
        return Estimate(value, value * error, low, high, level, "1", words)

    bias, bias_sd = spread.bias, math.sqrt(spread.bias_variance)
    limit_sd = math.sqrt(spread.bias_variance + z95**2 * _sd_variance(spread))
    tests, slope, warnings = _checks(mean, difference, place, spread, scale, level)
    shown = (np.exp(mean), np.exp(difference)) if scale == "ratio" else (mean, difference)
    return Agreement(
        bias=estimate(bias, bias_sd, bias - half, bias + half, "mean difference, Student's t"),
        sd=sd,
        lower=estimate(bias - z95 * sd, limit_sd, *ends[0], method),
        upper=estimate(bias + z95 * sd, limit_sd, *ends[1], method),
        proportional=slope,
        tests=tests,
        scale=scale,
        mean=tuple(map(float, shown[0])),
        difference=tuple(map(float, shown[1])),
        within_sd=spread.within,
        design=Design(experimental_unit, (), (names,), rows=one.size, within=("row",) if repeated else ()),
        notes=_notes(names, one.size),
        warnings=warnings,
    )


def _measured(a: ArrayLike, b: ArrayLike, scale: str) -> tuple[Floats, Floats]:
    one, other = finite_pair(a, b, "ab")
    if scale == "ratio":
        if not ((one > 0).all() and (other > 0).all()):
            raise ValueError("a ratio needs values above 0 in both columns")
        return np.log(one), np.log(other)
    return one, other


def _places(subject: Sequence[Any] | NDArray[Any] | None, rows: int) -> tuple[int, NDArray[np.intp]]:
    if subject is None:
        return rows, np.arange(rows)
    if len(subject) != rows:
        raise ValueError(f"every row needs its subject: {rows} rows, {len(subject)} subjects")
    names, place = np.unique(np.asarray([str(name) for name in subject]), return_inverse=True)
    return names.size, place


def _spread(a: Floats, b: Floats, place: NDArray[np.intp], subjects: int, pairing: str) -> _Spread:
    """Components of the variance of a single difference."""
    difference = a - b
    count = np.bincount(place).astype(float)
    means = np.bincount(place, difference) / count
    between = float(means.var(ddof=1))
    if pairing == "single":
        return _Spread(float(means.mean()), between / subjects, subjects - 1, ((1.0, between, subjects - 1),), math.nan)
    share, degrees = 1.0 - float((1 / count).mean()), place.size - subjects

    def inside(values: Floats) -> float:
        rest = values - (np.bincount(place, values) / count)[place]
        return float(rest @ rest) / degrees

    within = inside(difference)
    # a subject that stays the same pairs any reading of a with any of b
    squares = (inside(a), inside(b)) if pairing == "constant" else (within,)
    parts = ((1.0, between, subjects - 1), *((share, square, degrees) for square in squares))
    return _Spread(float(means.mean()), between / subjects, subjects - 1, parts, math.sqrt(within))


def _sd_variance(spread: _Spread) -> float:
    """Variance of the standard deviation of a single difference, by the delta method."""
    variance = sum(2 * (share * square) ** 2 / degrees for share, square, degrees in spread.parts)
    return variance / (4 * spread.variance)


def _exact_ends(spread: _Spread, z: float, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Exact intervals of both limits: the pivot of mean + z sd is a non-central t."""
    n = spread.degrees + 1
    error = math.sqrt(spread.bias_variance)
    low, high = (
        float(special.nctdtrit(spread.degrees, z * math.sqrt(n), p)) for p in (0.5 * (1 - level), 0.5 * (1 + level))
    )
    bias = spread.bias
    return (bias - high * error, bias - low * error), (bias + low * error, bias + high * error)


def _recovered_ends(spread: _Spread, z: float, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Intervals of both limits from those of the bias and of each component of variance."""
    below = above = 0.0
    for share, square, degrees in spread.parts:
        part = share * square
        below += (part * (1 - degrees / float(special.chdtri(degrees, 0.5 * (1 - level))))) ** 2
        above += (part * (degrees / float(special.chdtri(degrees, 0.5 * (1 + level))) - 1)) ** 2
    total, sd = spread.variance, math.sqrt(spread.variance)
    less = sd - math.sqrt(max(total - math.sqrt(below), 0.0))
    more = math.sqrt(total + math.sqrt(above)) - sd
    # the normal quantile, as Zou has it: with Student's the limits would be held too often
    q = half_width(level)
    inner = math.hypot(q * math.sqrt(spread.bias_variance), z * less)
    outer = math.hypot(q * math.sqrt(spread.bias_variance), z * more)
    lower, upper = spread.bias - z * sd, spread.bias + z * sd
    return (lower - outer, lower + inner), (upper - inner, upper + outer)


def _checks(
    mean: Floats,
    difference: Floats,
    place: NDArray[np.intp],
    spread: _Spread,
    scale: str,
    level: float,
) -> tuple[tuple[TestResult, ...], Estimate | None, tuple[str, ...]]:
    """Test of the bias, and whether bias or spread change with size: on one mean per subject."""
    count = np.bincount(place)
    x, y = np.bincount(place, mean) / count, np.bincount(place, difference) / count
    degrees = float(spread.degrees)
    t = spread.bias / math.sqrt(spread.bias_variance) if spread.bias_variance > 0 else math.nan
    tests = [_t("bias", t, degrees, "no bias", "primary")]
    warnings = []
    slope, subjects = None, x.size
    if subjects >= 4 and varies(x):
        value, error, rest = _slope(x, y)
        slope = _slope_estimate(value, error, subjects - 2, level)
        tests.append(
            _t("proportional bias", value / error if error else math.nan, subjects - 2.0, "the bias is constant")
        )
        if tests[-1].p < 0.05:
            warnings.append(
                "The bias changes with the size of what is measured: one bias and one pair of limits do not hold throughout. "
                "(Unequal error variances of a and b also do this.)"
            )
        value, error, _ = _slope(x, np.abs(rest))
        tests.append(
            _t("spread against size", value / error if error else math.nan, subjects - 2.0, "the spread is constant")
        )
        if tests[-1].p < 0.05 and value > 0:
            mend = "" if scale == "ratio" else ": ask for the ratio form (logarithms)"
            warnings.append(f"Differences spread more where values are larger{mend}.")
    return tuple(tests), slope, tuple(warnings)


def _notes(subjects: int, rows: int) -> tuple[str, ...]:
    notes = ["Whether these limits are narrow enough is for the use to say, not for a test."]
    if subjects < 30:
        notes.append(f"With {subjects} units the limits themselves are uncertain: read their intervals.")
    if subjects < rows:
        notes.append("Repeated rows of a unit were modelled, not counted as units.")
    return tuple(notes)


def _slope(x: Floats, y: Floats) -> tuple[float, float, Floats]:
    u = x - x.mean()
    spread = float(u @ u)
    slope = float(u @ y) / spread
    rest = y - y.mean() - slope * u
    return slope, math.sqrt(float(rest @ rest) / (x.size - 2) / spread), rest


def _slope_estimate(value: float, error: float, degrees: int, level: float) -> Estimate:
    half = float(special.stdtrit(degrees, 0.5 * (1 + level))) * error
    return Estimate(
        value, error, value - half, value + half, level, "1", "regression of difference on mean, Student's t"
    )


def _t(name: str, t: float, degrees: float, null: str, role: str = "assumption") -> TestResult:
    p = math.nan if math.isnan(t) else 2 * float(special.stdtr(degrees, -abs(t)))
    return TestResult(name, "t", t, (degrees,), p, null, role)
