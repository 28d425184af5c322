"""Correlation of two columns, with interval, what a single unit does to it, and what repeated rows of a subject need.

In the order of use: `correlate` (the right form for the rows), `pearson`, `spearman`, `kendall`, `repeated_correlation`,
`partial_correlation`, `correlation_from_summary`, `needed_units`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, Exclusion, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_column, finite_pair, varies
from lampyris.statistics.thresholds import half_width

METHODS = ("pearson", "spearman", "kendall", "repeated")
LEAST = 4
# up to this many units every order of the values is tried
_EXACT = 8
_ALPHA = 0.05
Floats = NDArray[np.float64]


class PseudoReplicationError(ValueError):
    """Rows of one subject were about to be counted as independent units.

    Parameters
    ----------
    seen : str
        What was asked, and why it is refused.
    mend : str
        The two questions that can be asked instead.
    """

    def __init__(self, seen: str, mend: str) -> None:
        super().__init__(f"{seen} {mend}")
        self.seen, self.mend = seen, mend

    def __reduce__(self) -> tuple[object, ...]:
        # the default would hand the joined message to a constructor that takes two
        return (type(self), (self.seen, self.mend))


@dataclass(frozen=True, slots=True)
class Influence:
    """What leaving out one unit does.

    Parameters
    ----------
    unit : str
        The unit whose leaving moves r most.
    r, p : float
        Without it.
    sign_flips, significance_flips : tuple of str
        Units without which r has the other sign, or p lies on the other side of 0.05.
    """

    unit: str
    r: float
    p: float
    sign_flips: tuple[str, ...] = ()
    significance_flips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation that carries its design.

    Parameters
    ----------
    r : Estimate
        Coefficient with interval.
    p : float
        Of the primary test.
    n : int
        Independent units behind it.
    tests : tuple of TestResult
        The answer first, then what is shown beside it.
    method : str
        One of `METHODS`, or "partial".
    design : Design
    needed : int or None
        Units that would show a correlation of the observed size in four of five studies; None where it has no answer.
    influence : Influence or None
        None where it was not obtained.
    slope : Estimate or None
        Common slope of y on x within subjects, of repeated measures.
    notes : tuple of str
        What a reader must know.
    warnings : tuple of str
        What a reviewer would object to.
    """

    r: Estimate
    p: float
    n: int
    tests: tuple[TestResult, ...]
    method: str
    design: Design
    needed: int | None = None
    influence: Influence | None = None
    slope: Estimate | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def correlate(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    subject: Sequence[Any] | NDArray[Any] | None = None,
    method: str | None = None,
    of_means: bool = False,
    level: float = 0.95,
    unit: str = "animal",
) -> Correlation:
    """Correlation in the form that the rows allow.

    Parameters
    ----------
    x, y : array_like, dims (row,)
        Finite.
    subject : sequence, optional
        The subject of each row; without it every row is a unit.
    method : str, optional
        One of `METHODS`. By default "pearson" where each subject has one row, else "repeated".
    of_means : bool
        Correlate one mean per subject: the question between subjects.
    level : float
        Coverage.
    unit : str
        What a subject is, for the design.

    Returns
    -------
    Correlation

    Raises
    ------
    PseudoReplicationError
        If a plain correlation is asked of several rows per subject.
    ValueError
        If the values make no correlation.

    Examples
    --------
    >>> x, y = [1, 2, 3, 4, 5, 6], [3, 4, 5, 1, 2, 3]
    >>> correlate(x, y, subject=["a", "a", "a", "b", "b", "b"]).r.value
    1.0
    >>> round(correlate(x, y).r.value, 2)
    -0.38
    """
    x, y = finite_pair(x, y)
    if method is not None and method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}, got {method!r}")
    if subject is None:
        if method == "repeated" or of_means:
            raise ValueError("repeated measures and means per subject need the subject of each row")
        return _plain(method or "pearson", x, y, tuple(str(k + 1) for k in range(x.size)), level, "row")
    names, place = _subjects(subject, x.size)
    rows = x.size
    if of_means:
        if method == "repeated":
            raise ValueError("means per subject have no repeated measures left: choose another method")
        count = np.bincount(place)
        x, y = np.bincount(place, x) / count, np.bincount(place, y) / count
        found = _plain(method or "pearson", x, y, names, level, unit)
        if rows == len(names):
            return found
        note = f"One mean per {unit}: says whether the {unit} with the higher x has the higher y, not whether they change together."
        return replace(found, design=replace(found.design, rows=rows, nested=("row",)), notes=(*found.notes, note))
    repeats = rows - len(names)
    if method == "repeated" or (method is None and repeats):
        return repeated_correlation(x, y, subject, level=level, unit=unit)
    if repeats:
        raise _refusal(rows, len(names), unit, str(method))
    order = np.argsort(place)
    return _plain(method or "pearson", x[order], y[order], names, level, unit)


def pearson(x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "animal") -> Correlation:
    """Pearson's r with Fisher's z interval; one row per independent unit.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
        At least four.
    level : float
        Coverage.
    unit : str
        What was replicated.

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        If there are fewer than four units, a value is not finite, or a column does not vary.

    References
    ----------
    Fisher 1921, Metron 1:3. Needed units: Cohen 1988, Statistical Power Analysis, chapter 3, by Fisher's z.

    Examples
    --------
    >>> found = pearson([1, 2, 3, 4], [0, 1, 0.5, 1])
    >>> f"{found.r.value:.4f} ({found.r.low:.4f} to {found.r.high:.4f}), p = {found.p:.4f}"
    '0.6742 (-0.8149 to 0.9923), p = 0.3258'
    """
    return _of_rows("pearson", x, y, level, unit)


def spearman(x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "animal") -> Correlation:
    """Spearman's rank correlation with the interval of Bonett and Wright; p exact by permutation for up to eight units.

    Parameters
    ----------
    x, y, level, unit
        As of `pearson`.

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        As `pearson`.

    References
    ----------
    Bonett & Wright 2000, Psychometrika 65:23, doi:10.1007/BF02294183.

    Examples
    --------
    >>> found = spearman([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    >>> f"{found.r.value:.2f}, p = {found.p:.4f}"
    '0.90, p = 0.0833'
    """
    return _of_rows("spearman", x, y, level, unit)


def kendall(x: ArrayLike, y: ArrayLike, /, *, level: float = 0.95, unit: str = "animal") -> Correlation:
    """Kendall's tau-b with the interval of Fieller, Hartley and Pearson; p exact for few units without ties.

    Parameters
    ----------
    x, y, level, unit
        As of `pearson`; at least five units.

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        As `pearson`.

    References
    ----------
    Fieller, Hartley & Pearson 1957, Biometrika 44:470, doi:10.1093/biomet/44.3-4.470.
    """
    return _of_rows("kendall", x, y, level, unit)


def _of_rows(method: str, x: ArrayLike, y: ArrayLike, level: float, unit: str) -> Correlation:
    """Correlation of columns whose rows are the units, numbered from 1."""
    x, y = finite_pair(x, y)
    return _plain(method, x, y, tuple(str(k + 1) for k in range(x.size)), level, unit)


def repeated_correlation(
    x: ArrayLike,
    y: ArrayLike,
    subject: Sequence[Any] | NDArray[Any],
    /,
    *,
    covariates: ArrayLike | None = None,
    level: float = 0.95,
    unit: str = "animal",
) -> Correlation:
    """Correlation within subjects: whether x and y rise and fall together in a subject, whatever its own level.

    Parameters
    ----------
    x, y : array_like, dims (row,)
    subject : sequence, dims (row,)
        Those with a single row tell nothing and are left out.
    covariates : array_like, dims (row,) or (row, covariate), optional
        Such as the day: what x and y share with it within subjects is taken off, as a trend that both follow.
    level : float
        Coverage.
    unit : str
        What a subject is.

    Returns
    -------
    Correlation
        `n` is the number of subjects; the test has rows - subjects - covariates - 1 degrees of freedom.

    Raises
    ------
    ValueError
        If fewer than two subjects have several rows, fewer than two degrees of freedom are left, or x or y does not vary
        within subjects.

    References
    ----------
    Bakdash & Marusich 2017, Front Psychol 8:456, doi:10.3389/fpsyg.2017.00456.

    Examples
    --------
    >>> x, y = [1, 2, 3, 4, 5, 6], [3, 4, 5, 1.5, 2, 3]
    >>> found = repeated_correlation(x, y, ["a", "a", "a", "b", "b", "b"])
    >>> f"{found.r.value:.3f}, df {found.tests[0].df[0]:.0f}"
    '0.983, df 3'
    """
    x, y = finite_pair(x, y)
    names, place = _subjects(subject, x.size)
    count = np.bincount(place)
    kept = count[place] > 1
    left = tuple(Exclusion(names[k], "", "one row only") for k in np.flatnonzero(count == 1))
    clusters = int((count > 1).sum())
    z = _covariates(covariates, x.size)
    degrees = int(kept.sum()) - clusters - z.shape[1] - 1
    if clusters < 2 or degrees < 2:
        raise ValueError(
            f"repeated measures need at least two subjects with several rows and 5 such rows, got {clusters} subjects with "
            f"{int(kept.sum())} rows"
        )
    within_x, within_y = _within((x, y), z, place, kept)
    inside = place[kept]
    r = _r_of(within_x, within_y, "within subjects")
    test = _t_test(r, degrees, "repeated-measures correlation", "no common slope within subjects")
    notes = _repeated_notes(clusters, unit, adjusted=z.shape[1] > 0)
    influence = _influence_of_subjects(within_x, within_y, inside, names, r) if not z.shape[1] else None
    return Correlation(
        r=_fisher(r, degrees + 2, level, "within subjects (Bakdash & Marusich), Fisher's z"),
        p=test.p,
        n=clusters,
        tests=(test,),
        method="repeated",
        design=Design(unit, (), (clusters,), rows=int(kept.sum()), within=("row",), exclusions=left),
        influence=influence,
        slope=_common_slope(within_x, within_y, degrees, level),
        notes=notes,
        warnings=_influence_warnings(influence, test.p, unit),
    )


def partial_correlation(
    x: ArrayLike, y: ArrayLike, covariates: ArrayLike, /, *, level: float = 0.95, unit: str = "animal"
) -> Correlation:
    """Pearson's r of what covariates leave of x and y.

    Parameters
    ----------
    x, y : array_like, dims (animal,)
    covariates : array_like, dims (animal,) or (animal, covariate)
    level, unit
        As of `pearson`.

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        As `pearson`; or if too few units are left for the covariates.
    """
    x, y = finite_pair(x, y)
    z = _covariates(covariates, x.size)
    design = np.column_stack([np.ones(x.size), z])
    free = x.size - z.shape[1]
    if free < LEAST:
        raise ValueError(
            f"with {z.shape[1]} covariates a correlation needs at least {LEAST + z.shape[1]} units, got {x.size}"
        )
    rest = np.column_stack([x, y]) - design @ np.linalg.lstsq(design, np.column_stack([x, y]), rcond=None)[0]
    for k, column in enumerate((x, y)):
        if np.abs(rest[:, k]).max() <= 1e-12 * max(np.abs(column).max(), 1e-300):
            raise ValueError(f"the covariates explain {'xy'[k]} wholly: nothing is left to correlate")
    r = _r_of(rest[:, 0], rest[:, 1], "after the covariates")
    test = _t_test(r, free - 2, "partial correlation", "no linear relation besides the covariates")
    return Correlation(
        r=_fisher(r, free, level, f"partial, {z.shape[1]} covariates, Fisher's z"),
        p=test.p,
        n=x.size,
        tests=(test,),
        method="partial",
        design=Design(
            unit, (), (x.size,), rows=x.size, covariates=tuple(f"covariate {k + 1}" for k in range(z.shape[1]))
        ),
        needed=None,
    )


def correlation_from_summary(r: float, n: int, /, *, level: float = 0.95, unit: str = "animal") -> Correlation:
    """Interval and p of a published Pearson correlation from r and n alone.

    Parameters
    ----------
    r : float
        Strictly between -1 and 1, or at an end.
    n : int
        Independent units, at least four.
    level, unit
        As of `pearson`.

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        If r is no correlation or n is below four.

    Examples
    --------
    >>> found = correlation_from_summary(0.5, 20)
    >>> f"{found.r.low:.3f} to {found.r.high:.3f}, p = {found.p:.4f}, needed {found.needed}"
    '0.074 to 0.772, p = 0.0248, needed 30'
    """
    _enough(n)
    if not -1 <= r <= 1:
        raise ValueError(f"a correlation lies between -1 and 1, got {r}")
    test = _t_test(r, n - 2, "Pearson correlation", "no linear relation")
    design = Design(unit, (), (n,))
    return Correlation(
        r=_fisher(r, n, level, "Pearson, Fisher's z"),
        p=test.p,
        n=n,
        tests=(test,),
        method="pearson",
        design=design,
        needed=needed_units(r),
        notes=_small(n),
    )


def needed_units(r: float, /, *, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Units that show a correlation of this size with this power, by Fisher's z; None for r of 0 or an exact line.

    Examples
    --------
    >>> needed_units(0.3), needed_units(0.0)
    (85, None)
    """
    if r == 0 or abs(r) >= 1:
        return None
    z = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    units = math.ceil((z / math.atanh(abs(r))) ** 2 + 3)
    return max(units, LEAST)


def _subjects(subject: Sequence[Any] | NDArray[Any], rows: int) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    if len(subject) != rows:
        raise ValueError(f"every row needs its subject: {rows} rows, {len(subject)} subjects")
    names, place = np.unique(np.asarray([str(name) for name in subject]), return_inverse=True)
    return tuple(map(str, names)), place


def _enough(n: int) -> None:
    if n < LEAST:
        raise ValueError(
            f"a correlation needs at least {LEAST} independent units, got {n}: with fewer no interval exists"
        )


def _small(n: int) -> tuple[str, ...]:
    if n >= 10:
        return ()
    return (
        f"With n = {n} the interval is wide and rests on normal values; it is approximate, p is exact where they are normal.",
    )


def _refusal(rows: int, subjects: int, unit: str, method: str) -> PseudoReplicationError:
    seen = (
        f"{rows} rows come from {subjects} subjects ({unit}): rows of one {unit} are alike, and a plain {method} correlation "
        "would count each as independent (pseudo-replication: its p is too small and its interval too narrow)."
    )
    mend = (
        f"Ask within subjects (method repeated): do x and y change together in each {unit}? Or between them (means): does the "
        f"{unit} with the higher x have the higher y?"
    )
    return PseudoReplicationError(seen, mend)


def _r_of(x: Floats, y: Floats, where: str = "") -> float:
    for name, column in (("x", x), ("y", y)):
        if not varies(column):
            raise ValueError(
                f"all values of {name} are equal{' ' + where if where else ''}: there is nothing to correlate"
            )
    u, v = x - x.mean(), y - y.mean()
    # scaled first, so that tiny and huge units do not overflow
    u, v = u / np.abs(u).max(), v / np.abs(v).max()
    r = float(u @ v) / math.sqrt(float(u @ u) * float(v @ v))
    # an exact relation is one on paper only
    return math.copysign(1.0, r) if abs(r) > 1 - 1e-14 else r


def _t_test(r: float, degrees: int, name: str, null: str) -> TestResult:
    if abs(r) == 1:
        return TestResult(name, "t", math.copysign(math.inf, r), (float(degrees),), 0.0, null)
    t = r * math.sqrt(degrees / (1 - r * r))
    return TestResult(name, "t", t, (float(degrees),), 2 * float(special.stdtr(degrees, -abs(t))), null)


def _fisher(r: float, n: float, level: float, method: str, *, inflation: float = 1.0) -> Estimate:
    """Interval by Fisher's z with variance inflation / (n - 3)."""
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, got {level}")
    if abs(r) == 1:
        return Estimate(r, 0.0, r, r, level, "1", f"{method}; an exact relation leaves no interval")
    if n <= 3:
        return Estimate(r, math.nan, -1.0, 1.0, level, "1", f"{method}; too few for an interval")
    se = math.sqrt(inflation / (n - 3))
    half = half_width(level) * se
    low, high = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
    return Estimate(r, (1 - r * r) * se, min(low, r), max(high, r), level, "1", method)


def _ranks(values: Floats) -> Floats:
    marks, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - 0.5 * (count - 1))[place] if marks.size else values


def _plain(method: str, x: Floats, y: Floats, names: tuple[str, ...], level: float, unit: str) -> Correlation:
    """A correlation of independent rows by any of the plain methods."""
    _enough(x.size)
    # ranks would take what rounding left of equal values for order
    _r_of(x, y)
    form = {"pearson": _pearson, "spearman": _spearman, "kendall": _kendall}[method]
    r, tests = form(x, y, level)
    p = tests[0].p
    notes = _small(x.size) if method == "pearson" else ()
    ties = [name for name, column in (("x", x), ("y", y)) if np.unique(column).size < column.size]
    if ties and method != "pearson":
        notes += (f"Equal values in {' and '.join(ties)} share their mean rank.",)
    influence = _influence_of_units(method, x, y, names, r.value)
    needed = needed_units(r.value) if method == "pearson" else None
    if needed is not None and needed > x.size:
        notes += (f"A correlation of this size would take n = {needed} to be shown in four of five studies.",)
    design = Design(unit, (), (x.size,), rows=x.size)
    warnings = _influence_warnings(influence, p, unit)
    return Correlation(r, p, x.size, tests, method, design, needed, influence, notes=notes, warnings=warnings)


def _pearson(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    r = _r_of(x, y)
    tests = [_t_test(r, x.size - 2, "Pearson correlation", "no linear relation")]
    if x.size <= _EXACT:
        p = _permutation_p(x, y)
        note = f"exact: all {math.factorial(x.size)} orders"
        tests.append(TestResult("permutation test of Pearson's r", "r", r, (), p, "no relation", "beside", note))
    return _fisher(r, x.size, level, "Pearson, Fisher's z"), tuple(tests)


def _spearman(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    a, b = _ranks(x), _ranks(y)
    r = _r_of(a, b)
    estimate = _fisher(r, x.size, level, "Spearman, Bonett & Wright", inflation=1 + r * r / 2)
    null = "no monotonic relation"
    if x.size <= _EXACT:
        note = f"exact: all {math.factorial(x.size)} orders"
        return estimate, (TestResult("Spearman correlation", "rho", r, (), _permutation_p(a, b), null, note=note),)
    return estimate, (replace(_t_test(r, x.size - 2, "Spearman correlation", null), note="by Student's t of rho"),)


def _kendall(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    if x.size < 5:
        raise ValueError(f"Kendall's tau needs at least 5 units for its interval, got {x.size}")
    from scipy import stats

    found = stats.kendalltau(x, y)
    tau = float(found.statistic)
    estimate = _fisher(tau, x.size - 1, level, "Kendall's tau-b, Fieller, Hartley & Pearson", inflation=0.437)
    return estimate, (TestResult("Kendall correlation", "tau", tau, (), float(found.pvalue), "no monotonic relation"),)


def _permutation_p(x: Floats, y: Floats) -> float:
    """Share of all orders of y whose product with x is at least as far from its mean as the one seen."""
    orders = np.zeros((1, 1), np.intp)
    for size in range(2, y.size + 1):
        # every order of one value less, with the new one put in each place
        grown = np.empty((orders.shape[0] * size, size), np.intp)
        for k in range(size):
            part = grown[k * orders.shape[0] : (k + 1) * orders.shape[0]]
            part[:, :k], part[:, k], part[:, k + 1 :] = orders[:, :k], size - 1, orders[:, k:]
        orders = grown
    u, v = x - x.mean(), y - y.mean()
    products = v[orders] @ u
    seen = abs(float(u @ v))
    return float((np.abs(products) >= seen * (1 - 1e-9) - 1e-300).mean())


# ---- leaving out -------------------------------------------------------------------------------------------------


def _influence_of_units(method: str, x: Floats, y: Floats, names: tuple[str, ...], r: float) -> Influence | None:
    n = x.size
    if n <= LEAST or (method != "pearson" and n > 200) or method == "kendall":
        return None
    if method == "pearson":
        u, v = x - x.mean(), y - y.mean()
        u, v = u / np.abs(u).max(), v / np.abs(v).max()
        share = n / (n - 1)
        sxx, syy, sxy = u @ u - share * u * u, v @ v - share * v * v, u @ v - share * u * v
    else:
        keep = ~np.eye(n, dtype=bool)
        parts = [(_ranks(x[keep[k]]), _ranks(y[keep[k]])) for k in range(n)]
        a, b = (np.array([pair[k] for pair in parts]) - n / 2 for k in (0, 1))
        sxx, syy, sxy = (a * a).sum(1), (b * b).sum(1), (a * b).sum(1)
    return _influence(_safe_r(sxx, syy, sxy), n - 3, names, r, _t_test(r, n - 2, "", "").p)


def _influence_of_subjects(
    x: Floats, y: Floats, place: NDArray[np.intp], names: tuple[str, ...], r: float
) -> Influence | None:
    present = np.unique(place)
    if present.size < 3:
        return None
    x, y = x / np.abs(x).max(), y / np.abs(y).max()

    def without(products: Floats) -> Floats:
        return np.asarray(products.sum() - np.bincount(place, products)[present])

    rows = np.bincount(place)[present]
    degrees = (place.size - rows) - (present.size - 1) - 1
    if degrees.min() < 1:
        return None
    found = _safe_r(without(x * x), without(y * y), without(x * y))
    p = _t_test(r, place.size - present.size - 1, "", "").p
    return _influence(found, degrees, tuple(names[k] for k in present), r, p)


def _safe_r(sxx: Floats, syy: Floats, sxy: Floats) -> Floats:
    """r of sums of squares; NaN where a column no longer varies."""
    bottom = np.sqrt(np.maximum(sxx, 0) * np.maximum(syy, 0))
    flat = bottom <= 1e-12 * bottom.max(initial=0.0)
    return np.where(flat, np.nan, np.clip(sxy / np.where(flat, 1.0, bottom), -1.0, 1.0))


def _influence(found: Floats, degrees: Any, names: tuple[str, ...], r: float, p: float) -> Influence | None:
    if np.isnan(found).all():
        return None
    t = found * np.sqrt(degrees / np.maximum(1 - found**2, 1e-300))
    ps = 2 * special.stdtr(degrees, -np.abs(t))
    most = int(np.nanargmax(np.abs(found - r)))
    signs = np.flatnonzero(found * r < 0)
    turned = np.flatnonzero(~np.isnan(found) & ((ps < _ALPHA) != (p < _ALPHA)))
    return Influence(
        names[most],
        float(found[most]),
        float(ps[most]),
        tuple(names[k] for k in signs),
        tuple(names[k] for k in turned),
    )


def _influence_warnings(influence: Influence | None, p: float, unit: str) -> tuple[str, ...]:
    if influence is None:
        return ()
    notes = []
    if influence.sign_flips:
        notes.append(
            f"The sign rests on single units: without {unit} {_some(influence.sign_flips)} r changes its sign."
        )
    if influence.significance_flips:
        side = "no longer below" if p < _ALPHA else "below"
        notes.append(f"Without {unit} {_some(influence.significance_flips)} p is {side} {_ALPHA}: look at this point.")
    return tuple(notes)


def _some(names: tuple[str, ...]) -> str:
    return " or ".join(names[:3]) + (f" or any of {len(names) - 3} more" if len(names) > 3 else "")


def _common_slope(x: Floats, y: Floats, degrees: int, level: float) -> Estimate:
    """Of columns centred within subjects."""
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - slope * x
    sd = math.sqrt(float(rest @ rest) / degrees / spread)
    half = float(special.stdtrit(degrees, 0.5 * (1 + level))) * sd
    return Estimate(slope, sd, slope - half, slope + half, level, "1", "common slope within subjects, Student's t")


def _centred(values: Floats, place: NDArray[np.intp]) -> Floats:
    return np.asarray(values - (np.bincount(place, values) / np.bincount(place))[place])


def _covariates(covariates: ArrayLike | None, rows: int) -> Floats:
    """Covariates, dims (row, covariate); none is a table without columns."""
    if covariates is None:
        return np.empty((rows, 0))
    z = np.asarray(covariates, float)
    z = z[:, None] if z.ndim == 1 else z
    if z.ndim != 2 or z.shape[0] != rows:
        raise ValueError(f"covariates need one value per row: {rows} rows, got shape {z.shape}")
    for column in z.T:
        finite_column(column, "a covariate")
    return z


def _within(
    columns: tuple[Floats, Floats], covariates: Floats, place: NDArray[np.intp], kept: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Columns less the means of their subjects, and less what centred covariates explain."""
    z = np.column_stack([_centred(part, place)[kept] for part in covariates.T] or [np.empty((int(kept.sum()), 0))])
    for part, whole in zip(z.T, covariates.T, strict=True):
        if np.abs(part).max() <= 1e-12 * np.abs(whole).max():
            raise ValueError("a covariate does not change within subjects: their own levels are taken off already")
    found = []
    for name, column in zip("xy", columns, strict=True):
        rest = _centred(column, place)[kept]
        if z.shape[1]:
            rest = rest - z @ np.linalg.lstsq(z, rest, rcond=None)[0]
        # what rounding leaves of a column without change is no change
        if np.abs(rest).max() <= 1e-12 * np.abs(column).max():
            why = " beyond the covariates" if z.shape[1] else ""
            raise ValueError(f"{name} does not change within subjects{why}: there is nothing to correlate")
        found.append(rest)
    return found[0], found[1]


def _repeated_notes(subjects: int, unit: str, *, adjusted: bool) -> tuple[str, ...]:
    notes = [
        f"Several rows per {unit}: what x and y do together within each was correlated; differences between them do not count."
    ]
    if adjusted:
        notes.append(f"What the covariates explain within each {unit} was taken off x and y first.")
    else:
        notes.append(
            f"Errors within each {unit} are taken for independent: a trend that x and y share over days makes r high by "
            "itself. The day as a covariate takes it off."
        )
    if subjects < 5:
        notes.append(f"Only {subjects} subjects ({unit}): that others have the same slope rests on these.")
    return tuple(notes)
