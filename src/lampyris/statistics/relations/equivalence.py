"""Equivalence and non-inferiority of means: two one-sided tests against a margin that the reader has been given.

In the order of use: `equivalence_welch`, `equivalence_from_summary`, `equivalence_paired`, `equivalence_one_sample`,
`noninferiority_welch`, `noninferiority_from_summary`.

A test of a difference that gives p > 0.05 has not shown that groups are alike: with few animals it says so of almost
everything. Equivalence is shown where the whole interval of the difference lies inside a margin chosen beforehand.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_column

SCALES = ("difference", "ratio", "geometric ratio")
NO_PROOF = (
    "A p above 0.05 in a test of difference does not show that groups are alike; only an interval that lies inside the "
    "margin does."
)
# a spread below this share of the means is what rounding leaves
_ROUNDING = 1e-13
_MARGIN = "The margin is a choice that the science must justify before the data are seen."
Summary = tuple[float, float, int]
# t and its degrees of freedom against a bound
Against = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Answer of two one-sided tests, or of one.

    Parameters
    ----------
    effect : Estimate
        Difference or ratio with the interval that belongs to the tests: 1 - 2 alpha, so 90 % at alpha = 0.05.
    margin : tuple of float
        Lowest and highest effect that counts as equivalent; infinite on a side that is not tested.
    alpha : float
        Level of each test.
    p : float
        The larger of the tests' p.
    shown : bool
        Whether p is below alpha.
    tests : tuple of TestResult
        Against the lower and the upper margin, as far as they are tested; then the test of difference, for comparison.
    design : Design
    notes : tuple of str
    """

    effect: Estimate
    margin: tuple[float, float]
    alpha: float
    p: float
    shown: bool
    tests: tuple[TestResult, ...]
    design: Design
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of an effect: margins, level, scale and names."""

    margin: tuple[float, float]
    alpha: float
    scale: str
    unit: str
    name: str
    design: Design


def equivalence_welch(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    margin: float | tuple[float, float],
    alpha: float = 0.05,
    scale: str = "difference",
    unit: str = "1",
    groups: tuple[str, str] = ("a", "b"),
    experimental_unit: str = "animal",
) -> Equivalence:
    """Whether the means of two independent groups, a less b or a over b, are equivalent; spreads may differ.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        One finite value per experimental unit.
    margin : float or (float, float)
        Of a difference ``d`` for -d to d; of a ratio ``r`` for 1/r to r; or both ends. There is no default.
    alpha : float
        Level of each of the two tests.
    scale : str
        "difference" of means, "ratio" of means, or "geometric ratio" of positive values (test on logarithms).
    unit : str
        Of the values.
    groups : (str, str)
        Names of a and b.
    experimental_unit : str
        What was replicated.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        If a group has fewer than two values or both have no spread, a value is not finite, or the margin makes no sense.

    References
    ----------
    Schuirmann 1987, J Pharmacokinet Biopharm 15:657, doi:10.1007/BF01068419; of a ratio Sasabuchi 1988 as in Hauschke,
    Kieser & Hothorn 1999, Biom J 41:295, with Welch's degrees of freedom.

    Examples
    --------
    >>> found = equivalence_welch([5.1, 4.9, 5.0, 5.2], [5.0, 5.1, 4.9, 5.1], margin=0.5)
    >>> found.shown, f"{found.effect.low:.2f} to {found.effect.high:.2f}"
    (True, '-0.13 to 0.18')
    """
    one, other = _values(a, groups[0]), _values(b, groups[1])
    if scale == "geometric ratio":
        if not ((one > 0).all() and (other > 0).all()):
            raise ValueError("a ratio of geometric means needs values above 0 in both groups")
        one, other = np.log(one), np.log(other)
    return equivalence_from_summary(
        _summary(one), _summary(other),
        margin=margin, alpha=alpha, scale=scale, unit=unit, groups=groups, experimental_unit=experimental_unit,
    )  # fmt: skip


def equivalence_from_summary(
    a: Summary,
    b: Summary,
    /,
    *,
    margin: float | tuple[float, float],
    alpha: float = 0.05,
    scale: str = "difference",
    unit: str = "1",
    groups: tuple[str, str] = ("a", "b"),
    experimental_unit: str = "animal",
) -> Equivalence:
    """As `equivalence_welch`, from mean, standard deviation and number of units of each group.

    Parameters
    ----------
    a, b : (float, float, int)
        Mean, standard deviation (divisor n - 1) and n; of a geometric ratio those of the natural logarithms.
    margin, alpha, scale, unit, groups, experimental_unit
        As of `equivalence_welch`.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        As `equivalence_welch`.
    """
    design = Design(experimental_unit, groups, (int(a[2]), int(b[2])))
    ends = _ends(margin, scale)
    return _two_groups(a, b, _Question(ends, _level(alpha), scale, unit, "Two one-sided Welch t tests", design))


def equivalence_paired(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    margin: float | tuple[float, float],
    alpha: float = 0.05,
    scale: str = "difference",
    unit: str = "1",
    experimental_unit: str = "animal",
) -> Equivalence:
    """Whether two measurements of the same units, a less b, are equivalent on average.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        One pair per unit.
    margin, alpha, unit, experimental_unit
        As of `equivalence_welch`.
    scale : str
        "difference", or "geometric ratio" of positive values.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        As `equivalence_welch`; or if the numbers of values differ.
    """
    one, other = _values(a, "a"), _values(b, "b")
    if one.size != other.size:
        raise ValueError(f"pairs need as many values of a as of b, got {one.size} and {other.size}")
    if scale == "geometric ratio":
        if not ((one > 0).all() and (other > 0).all()):
            raise ValueError("a ratio of geometric means needs values above 0")
        one, other = np.log(one), np.log(other)
    elif scale != "difference":
        raise ValueError(f"pairs are compared by difference or geometric ratio, got {scale!r}")
    if np.ptp(one - other) <= 10 * _ROUNDING * max(float(np.abs(one).max()), float(np.abs(other).max())):
        raise ValueError("the differences have no spread: no test can be made of values that are all equal")
    design = Design(experimental_unit, (), (one.size,), rows=one.size, within=("method",))
    ask = _Question(_ends(margin, scale), _level(alpha), scale, unit, "Two one-sided paired t tests", design)
    return _one_mean(_summary(one - other), ask)


def equivalence_one_sample(
    values: ArrayLike,
    reference: float,
    /,
    *,
    margin: float | tuple[float, float],
    alpha: float = 0.05,
    unit: str = "1",
    experimental_unit: str = "animal",
) -> Equivalence:
    """Whether the mean of one group, less a fixed value, is equivalent to it.

    Parameters
    ----------
    values : array_like, dims (animal,)
    reference : float
        A value known without error, such as a certified content.
    margin, alpha, unit, experimental_unit
        As of `equivalence_welch`.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        As `equivalence_welch`.
    """
    found = _values(values, "values")
    if not math.isfinite(reference):
        raise ValueError(f"the fixed value must be finite, got {reference}")
    design = Design(experimental_unit, (), (found.size,), rows=found.size)
    ends = _ends(margin, "difference")
    ask = _Question(ends, _level(alpha), "difference", unit, "Two one-sided one-sample t tests", design)
    return _one_mean(_summary(found - reference), ask)


def noninferiority_welch(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    margin: float,
    higher_is_better: bool,
    alpha: float = 0.025,
    unit: str = "1",
    groups: tuple[str, str] = ("a", "b"),
    experimental_unit: str = "animal",
) -> Equivalence:
    """Whether the mean of a is worse than that of b by less than a margin.

    Parameters
    ----------
    a, b : array_like, dims (animal,)
        New and reference.
    margin : float
        Largest loss that is acceptable, above 0, in the unit of the values.
    higher_is_better : bool
        Which way is worse; there is no default.
    alpha : float
        One-sided level; 0.025 goes with a 95 % interval.
    unit, groups, experimental_unit
        As of `equivalence_welch`.

    Returns
    -------
    Equivalence

    Raises
    ------
    ValueError
        As `equivalence_welch`.
    """
    return noninferiority_from_summary(
        _summary(_values(a, groups[0])), _summary(_values(b, groups[1])),
        margin=margin, higher_is_better=higher_is_better, alpha=alpha, unit=unit, groups=groups,
        experimental_unit=experimental_unit,
    )  # fmt: skip


def noninferiority_from_summary(
    a: Summary,
    b: Summary,
    /,
    *,
    margin: float,
    higher_is_better: bool,
    alpha: float = 0.025,
    unit: str = "1",
    groups: tuple[str, str] = ("a", "b"),
    experimental_unit: str = "animal",
) -> Equivalence:
    """As `noninferiority_welch`, from mean, standard deviation and n of each group.

    Raises
    ------
    ValueError
        As `equivalence_welch`.
    """
    if not (math.isfinite(margin) and margin > 0):
        raise ValueError(f"the margin is the largest acceptable loss, above 0; got {margin}")
    ends = (-margin, math.inf) if higher_is_better else (-math.inf, margin)
    design = Design(experimental_unit, groups, (int(a[2]), int(b[2])))
    return _two_groups(
        a, b, _Question(ends, _level(alpha), "difference", unit, "Non-inferiority, Welch t test", design)
    )


def _two_groups(a: Summary, b: Summary, ask: _Question) -> Equivalence:
    (mean_a, sd_a, n_a), (mean_b, sd_b, n_b) = (_checked(s, g) for s, g in zip((a, b), ask.design.groups, strict=True))
    va, vb = sd_a**2 / n_a, sd_b**2 / n_b
    if math.sqrt(va + vb) <= _ROUNDING * max(abs(mean_a), abs(mean_b)):
        raise ValueError("neither group has any spread: no test can be made of values that are all equal")

    def against(bound: float) -> tuple[float, float]:
        """t and degrees of freedom of mean_a - bound of mean_b (of the log or difference: minus bound)."""
        weight = bound if ask.scale == "ratio" else 1.0
        shift = 0.0 if ask.scale == "ratio" else _log_bound(bound, ask.scale)
        v = va, weight**2 * vb
        return (mean_a - weight * mean_b - shift) / math.sqrt(sum(v)), _welch_degrees(*v, n_a, n_b)

    if ask.scale == "ratio":
        if mean_b <= 0 or mean_a <= 0:
            raise ValueError(f"a ratio of means needs means above 0, got {mean_a:g} and {mean_b:g}")
        effect = _fieller(mean_a, va, n_a, mean_b, vb, n_b, ask.alpha)
        return _answer(effect, against, ask)
    degrees = against(0.0 if ask.scale == "difference" else 1.0)[1]
    return _answer(_interval(mean_a - mean_b, math.sqrt(va + vb), degrees, ask), against, ask)


def _one_mean(summary: Summary, ask: _Question) -> Equivalence:
    mean, sd, n = _checked(summary, "the difference")
    if sd == 0:
        raise ValueError("the values have no spread: no test can be made of values that are all equal")
    error = sd / math.sqrt(n)

    def against(bound: float) -> tuple[float, float]:
        return (mean - _log_bound(bound, ask.scale)) / error, n - 1.0

    return _answer(_interval(mean, error, n - 1.0, ask), against, ask)


def _answer(effect: Estimate, against: Against, ask: _Question) -> Equivalence:
    """Both one-sided tests, as far as a margin is finite, and the test of difference beside them."""
    tests = []
    for bound, sign, word in zip(ask.margin, (1, -1), ("above", "below"), strict=True):
        if math.isfinite(bound):
            t, degrees = against(bound)
            p = float(special.stdtr(degrees, -sign * t))
            edge = "lower" if sign > 0 else "upper"
            null = f"the {ask.scale} is not {word} {bound:g}"
            tests.append(TestResult(f"{ask.name}, {edge} margin", "t", t, (degrees,), p, null))
    p = max(test.p for test in tests)
    t, degrees = against(0.0 if ask.scale == "difference" else 1.0)
    both = 2 * float(special.stdtr(degrees, -abs(t)))
    beside = TestResult("test of difference", "t", t, (degrees,), both, "no difference", "beside", NO_PROOF)
    notes = [_MARGIN, NO_PROOF]
    if p >= ask.alpha:
        notes.append(
            "Not shown is not disproved: the interval reaches beyond the margin, and more units would narrow it."
        )
    if both < 0.05 and p < ask.alpha:
        notes.append("There is a difference, and it is smaller than the margin: both can be true at once.")
    return Equivalence(effect, ask.margin, ask.alpha, p, p < ask.alpha, (*tests, beside), ask.design, tuple(notes))


def _welch_degrees(va: float, vb: float, na: int, nb: int) -> float:
    share = va / (va + vb)
    return 1 / (share**2 / (na - 1) + (1 - share) ** 2 / (nb - 1))


def _interval(value: float, error: float, degrees: float, ask: _Question) -> Estimate:
    half = float(special.stdtrit(degrees, 1 - ask.alpha)) * error
    low, high, level = value - half, value + half, 1 - 2 * ask.alpha
    if ask.scale == "difference":
        return Estimate(value, error, low, high, level, ask.unit, "difference of means, Student's t interval")
    value, low, high = math.exp(value), math.exp(low), math.exp(high)
    return Estimate(value, value * error, low, high, level, "1", "ratio of geometric means, t interval of logarithms")


def _fieller(a: float, va: float, na: int, b: float, vb: float, nb: int, alpha: float) -> Estimate:
    """Every ratio that neither one-sided test rejects; the degrees of freedom belong to the ratio at each end."""
    ratio, level = a / b, 1 - 2 * alpha

    def excess(r: float) -> float:
        v = va, r * r * vb
        if sum(v) == 0:
            return (a - r * b) ** 2
        return (a - r * b) ** 2 - float(special.stdtrit(_welch_degrees(*v, na, nb), 1 - alpha)) ** 2 * sum(v)

    sd = math.sqrt(va + ratio**2 * vb) / b
    low = _root(excess, ratio, -1.0, sd)
    high = _root(excess, ratio, 1.0, sd)
    return Estimate(
        ratio, sd, low, high, level, "1", "ratio of means, Fieller's interval with Welch's degrees of freedom"
    )


def _root(excess: Callable[[float], float], ratio: float, sign: float, sd: float) -> float:
    """First end of the interval beyond the ratio; infinite where the mean below is not told from 0."""
    from scipy.optimize import brentq

    reach = sd
    for _ in range(60):
        if excess(ratio + sign * reach) > 0:
            return float(brentq(excess, ratio, ratio + sign * reach, xtol=1e-14 * abs(ratio)))
        reach *= 2
    return sign * math.inf


def _log_bound(bound: float, scale: str) -> float:
    return math.log(bound) if scale == "geometric ratio" else bound


def _ends(margin: float | tuple[float, float], scale: str) -> tuple[float, float]:
    if scale not in SCALES:
        raise ValueError(f"scale is one of {', '.join(SCALES)}, got {scale!r}")
    neutral = 0.0 if scale == "difference" else 1.0
    if isinstance(margin, Sequence):
        low, high = (float(end) for end in margin)
    else:
        width = float(margin)
        other = -width if scale == "difference" else 1 / width if width else 0.0
        low, high = min(width, other), max(width, other)
    if not (math.isfinite(low) and math.isfinite(high) and low < neutral < high and (scale == "difference" or low > 0)):
        raise ValueError(f"the margin must lie on both sides of {neutral:g} (no {scale}), got {low:g} to {high:g}")
    return low, high


def _level(alpha: float) -> float:
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is between 0 and 0.5, got {alpha}")
    return alpha


def _values(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = finite_column(values, name)
    if array.size < 2:
        raise ValueError(f"{name}: a spread needs at least 2 units, got {array.size}")
    return array


def _summary(values: NDArray[np.float64]) -> Summary:
    return float(values.mean()), float(values.std(ddof=1)), values.size


def _checked(summary: Summary, name: str) -> Summary:
    mean, sd, n = (float(part) for part in summary)
    if not (math.isfinite(mean) and math.isfinite(sd) and sd >= 0 and n >= 2 and n == int(n)):
        raise ValueError(f"{name}: needs a mean, a standard deviation of at least 0 and n of at least 2, got {summary}")
    return mean, sd, int(n)
