"""Correlation of two columns, with interval, what a single unit does to it, and what repeated rows of a subject need.

In the order of use: `correlate` (the right form for the rows), `pearson`, `spearman`, `kendall`, `partial_correlation`,
`correlation_from_summary`. Beside them stand the noun and its formulas (`coefficient`) and subjects with several rows (`repeated`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.coefficient import (
    LEAST,
    Correlation,
    Floats,
    Influence,
    PseudoReplicationError,
    check_enough,
    correlations_of_sums,
    covariate_columns,
    fisher_interval,
    influence_of,
    influence_warnings,
    needed_units,
    numbered_subjects,
    product_moment,
    small_sample_notes,
    t_test,
)
from lampyris.statistics.relations.columns import finite_pair
from lampyris.statistics.relations.repeated import repeated_correlation

METHODS = ("pearson", "spearman", "kendall", "repeated")
# up to this many units every order of the values is tried
_EXACT = 8


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
    names, place = numbered_subjects(subject, x.size)
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
    z = covariate_columns(covariates, x.size)
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
    r = product_moment(rest[:, 0], rest[:, 1], "after the covariates")
    test = t_test(r, free - 2, "partial correlation", "no linear relation besides the covariates")
    return Correlation(
        r=fisher_interval(r, free, level, f"partial, {z.shape[1]} covariates, Fisher's z"),
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
    check_enough(n)
    if not -1 <= r <= 1:
        raise ValueError(f"a correlation lies between -1 and 1, got {r}")
    test = t_test(r, n - 2, "Pearson correlation", "no linear relation")
    design = Design(unit, (), (n,))
    return Correlation(
        r=fisher_interval(r, n, level, "Pearson, Fisher's z"),
        p=test.p,
        n=n,
        tests=(test,),
        method="pearson",
        design=design,
        needed=needed_units(r),
        notes=small_sample_notes(n),
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


def _ranks(values: Floats) -> Floats:
    marks, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - 0.5 * (count - 1))[place] if marks.size else values


def _plain(method: str, x: Floats, y: Floats, names: tuple[str, ...], level: float, unit: str) -> Correlation:
    """A correlation of independent rows by any of the plain methods."""
    check_enough(x.size)
    # ranks would take what rounding left of equal values for order
    product_moment(x, y)
    form = {"pearson": _pearson, "spearman": _spearman, "kendall": _kendall}[method]
    r, tests = form(x, y, level)
    p = tests[0].p
    notes = small_sample_notes(x.size) if method == "pearson" else ()
    ties = [name for name, column in (("x", x), ("y", y)) if np.unique(column).size < column.size]
    if ties and method != "pearson":
        notes += (f"Equal values in {' and '.join(ties)} share their mean rank.",)
    influence = _influence_of_units(method, x, y, names, r.value)
    needed = needed_units(r.value) if method == "pearson" else None
    if needed is not None and needed > x.size:
        notes += (f"A correlation of this size would take n = {needed} to be shown in four of five studies.",)
    design = Design(unit, (), (x.size,), rows=x.size)
    warnings = influence_warnings(influence, p, unit)
    return Correlation(r, p, x.size, tests, method, design, needed, influence, notes=notes, warnings=warnings)


def _pearson(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    r = product_moment(x, y)
    tests = [t_test(r, x.size - 2, "Pearson correlation", "no linear relation")]
    if x.size <= _EXACT:
        p = _permutation_p(x, y)
        note = f"exact: all {math.factorial(x.size)} orders"
        tests.append(TestResult("permutation test of Pearson's r", "r", r, (), p, "no relation", "beside", note))
    return fisher_interval(r, x.size, level, "Pearson, Fisher's z"), tuple(tests)


def _spearman(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    a, b = _ranks(x), _ranks(y)
    r = product_moment(a, b)
    estimate = fisher_interval(r, x.size, level, "Spearman, Bonett & Wright", inflation=1 + r * r / 2)
    null = "no monotonic relation"
    if x.size <= _EXACT:
        note = f"exact: all {math.factorial(x.size)} orders"
        return estimate, (TestResult("Spearman correlation", "rho", r, (), _permutation_p(a, b), null, note=note),)
    return estimate, (replace(t_test(r, x.size - 2, "Spearman correlation", null), note="by Student's t of rho"),)


def _kendall(x: Floats, y: Floats, level: float) -> tuple[Estimate, tuple[TestResult, ...]]:
    if x.size < 5:
        raise ValueError(f"Kendall's tau needs at least 5 units for its interval, got {x.size}")
    from scipy import stats

    found = stats.kendalltau(x, y)
    tau = float(found.statistic)
    estimate = fisher_interval(tau, x.size - 1, level, "Kendall's tau-b, Fieller, Hartley & Pearson", inflation=0.437)
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
    return influence_of(correlations_of_sums(sxx, syy, sxy), n - 3, names, r, t_test(r, n - 2, "", "").p)
