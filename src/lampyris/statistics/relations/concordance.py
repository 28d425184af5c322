"""One number for the agreement of measurements: Lin's concordance of two, intraclass correlation of two or more.

In the order of use: `concordance`, `intraclass`. Both rest on how different the subjects are: the same error gives a higher
number among subjects that vary more. They go beside limits of agreement, not in their place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_column, finite_pair, varies
from lampyris.statistics.thresholds import half_width

Floats = NDArray[np.float64]
FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
MEANINGS = {
    "ICC(1,1)": "one reading, each subject read by readers of its own",
    "ICC(2,1)": "one reading, readers drawn from many: absolute agreement",
    "ICC(3,1)": "one reading, these readers only: consistency, a constant bias does not count",
    "ICC(1,k)": "mean of the readings, each subject read by readers of its own",
    "ICC(2,k)": "mean of the readings, readers drawn from many: absolute agreement",
    "ICC(3,k)": "mean of the readings, these readers only: consistency",
}


@dataclass(frozen=True, slots=True)
class Concordance:
    """Lin's concordance correlation.

    Parameters
    ----------
    ccc : Estimate
    r : float
        Pearson's r: how close to a line.
    accuracy : float
        Lin's C_b: how close that line is to identity; ccc = r times accuracy.
    design : Design
    notes : tuple of str
    """

    ccc: Estimate
    r: float
    accuracy: float
    design: Design
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intraclass:
    """The six intraclass correlations of Shrout and Fleiss.

    Parameters
    ----------
    forms : dict of str to Estimate
        By the names in `FORMS`, in that order.
    f, p : dict of str to float
        F and p of each form against 0.
    design : Design
    notes : tuple of str
    """

    forms: dict[str, Estimate]
    f: dict[str, float]
    p: dict[str, float]
    design: Design
    notes: tuple[str, ...] = ()


def concordance(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    subject: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    unit: str = "animal",
) -> Concordance:
    """Lin's concordance correlation coefficient.

    Parameters
    ----------
    a, b : array_like, dims (row,)
        Two measurements of the same thing, in the same unit.
    subject : sequence, optional
        The subject of each row where there are several per subject: the interval then comes from leaving out subjects.
    level : float
        Coverage.
    unit : str
        What was replicated.

    Returns
    -------
    Concordance
        Interval on Fisher's z.

    Raises
    ------
    ValueError
        If there are fewer than four subjects, a value is not finite, or a column does not vary.

    References
    ----------
    Lin 1989, Biometrics 45:255, doi:10.2307/2532051, with the variance as corrected in 2000, Biometrics 56:324.

    Examples
    --------
    >>> found = concordance([10, 12, 15, 20, 24], [11, 12, 14, 22, 23])
    >>> f"{found.ccc.value:.3f} ({found.ccc.low:.3f} to {found.ccc.high:.3f})"
    '0.973 (0.771 to 0.997)'
    """
    x, y = finite_pair(a, b, "ab")
    if subject is not None and len(subject) != x.size:
        raise ValueError(f"every row needs its subject: {x.size} rows, {len(subject)} subjects")
    place = np.arange(x.size)
    if subject is not None:
        place = np.unique(np.asarray([str(name) for name in subject]), return_inverse=True)[1]
    subjects = int(np.unique(place).size)
    if subjects < 4:
        raise ValueError(f"a concordance with interval needs at least 4 subjects ({unit}), got {subjects}")
    for name, column in (("a", x), ("b", y)):
        if not varies(column):
            raise ValueError(f"all values of {name} are equal: concordance needs subjects that differ")
    value, r, accuracy = _ccc(x, y)
    repeated = subjects < x.size
    if repeated:
        z_value, se = _jackknife_z(x, y, place)
        q = float(special.stdtrit(subjects - 1, 0.5 * (1 + level)))
        method = "Lin, Fisher's z, leaving out each subject"
    else:
        z_value, se = _z_of(value), _lin_se(x, y, value, r)
        q = half_width(level)
        method = "Lin, Fisher's z"
    # unrelated columns, or a set that one subject alone makes vary, leave nothing to take an interval from
    low, high = (math.tanh(z_value - q * se), math.tanh(z_value + q * se)) if math.isfinite(se) else (-1.0, 1.0)
    notes = ["Concordance rises with how different the subjects are; compare it only between like sets."]
    if repeated:
        notes.append(
            f"Several rows per {unit}: all rows count, the interval comes from leaving out each {unit} with its rows."
        )
    return Concordance(
        ccc=Estimate(value, se * (1 - value**2), min(low, value), max(high, value), level, "1", method),
        r=r,
        accuracy=accuracy,
        design=Design(unit, (), (subjects,), rows=x.size, within=("row",) if repeated else ()),
        notes=tuple(notes),
    )


def _ccc(x: Floats, y: Floats) -> tuple[float, float, float]:
    u, v = x - x.mean(), y - y.mean()
    sxx, syy, sxy = (float(p @ q) / x.size for p, q in ((u, u), (v, v), (u, v)))
    apart = sxx + syy + float(x.mean() - y.mean()) ** 2
    value = 2 * sxy / apart if apart > 0 else math.nan
    r = min(max(sxy / math.sqrt(sxx * syy), -1.0), 1.0) if sxx > 0 and syy > 0 else math.nan
    return value, r, value / r if r else math.nan


def _z_of(value: float) -> float:
    return math.atanh(min(max(value, -1 + 1e-15), 1 - 1e-15)) if not math.isnan(value) else math.nan


def _lin_se(x: Floats, y: Floats, value: float, r: float) -> float:
    """Standard error of Fisher's z of the concordance."""
    if r == 0 or abs(value) == 1 or abs(r) == 1:
        return 0.0 if r else math.nan
    shift2 = float(x.mean() - y.mean()) ** 2 / float(x.std() * y.std())
    c = value
    variance = (
        (1 - r**2) * c**2 * (1 - c**2) / r**2 + 2 * c**3 * (1 - c) * shift2 / r - 0.5 * c**4 * shift2**2 / r**2
    ) / (x.size - 2)
    return math.sqrt(max(variance, 0.0)) / (1 - c**2)


def _jackknife_z(x: Floats, y: Floats, place: NDArray[np.intp]) -> tuple[float, float]:
    whole = _z_of(_ccc(x, y)[0])
    n = int(place.max()) + 1
    left = np.array([_z_of(_ccc(x[place != k], y[place != k])[0]) for k in range(n)])
    pseudo = n * whole - (n - 1) * left
    return float(pseudo.mean()), float(pseudo.std(ddof=1)) / math.sqrt(n)


def intraclass(ratings: ArrayLike, /, *, level: float = 0.95, unit: str = "animal") -> Intraclass:
    """All six intraclass correlations with intervals.

    Parameters
    ----------
    ratings : array_like, dims (subject, reader)
        Finite and complete; at least two readers and three subjects.
    level : float
        Coverage.
    unit : str
        What a subject is.

    Returns
    -------
    Intraclass

    Raises
    ------
    ValueError
        If the table is too small or not complete, or all ratings are equal.

    References
    ----------
    Shrout & Fleiss 1979, Psychol Bull 86:420, doi:10.1037/0033-2909.86.2.420; McGraw & Wong 1996, Psychol Methods 1:30,
    doi:10.1037/1082-989X.1.1.30.

    Examples
    --------
    >>> found = intraclass([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> [f"{found.forms[name].value:.2f}" for name in FORMS]
    ['0.17', '0.29', '0.71', '0.44', '0.62', '0.91']
    """
    table = np.asarray(ratings, float)
    if table.ndim != 2 or table.shape[0] < 3 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise ValueError(f"needs a complete table of at least 3 subjects by 2 readers, got shape {table.shape}")
    finite_column(table.ravel(), "the table of readings")
    n, k = table.shape
    between, within, readers, error = _mean_squares(table)
    if between + within == 0:
        raise ValueError("all ratings are equal: agreement needs subjects that differ")
    if error == 0 or within == 0:
        return _exact_agreement(table, between, within, readers, error, level, unit)
    one, two, three = between / within, between / error, between / error
    dfs = {"1": (n - 1, n * (k - 1)), "3": (n - 1, (n - 1) * (k - 1))}
    tail = 0.5 * (1 - level)
    values, f, p = {}, {}, {}
    for form, ratio in (("1", one), ("3", three)):
        df1, df2 = dfs[form]
        low = ratio / float(special.fdtri(df1, df2, 1 - tail))
        high = ratio * float(special.fdtri(df2, df1, 1 - tail))
        values[f"ICC({form},1)"] = tuple((q - 1) / (q + k - 1) for q in (ratio, low, high))
        values[f"ICC({form},k)"] = tuple(1 - 1 / q if q > 0 else -math.inf for q in (ratio, low, high))
    values["ICC(2,1)"] = _absolute(between, readers, error, n, k, tail)
    values["ICC(2,k)"] = (
        _share(between - error, between + (readers - error) / n),
        *(_of_mean(end, k) for end in values["ICC(2,1)"][1:]),
    )
    for name in FORMS:
        f[name] = {"1": one, "2": two, "3": three}[name[4]]
        p[name] = float(special.fdtrc(*dfs["1" if name[4] == "1" else "3"], f[name]))
    forms = {name: _estimate(values[name], level, name) for name in FORMS}
    return Intraclass(forms, f, p, Design(unit, (), (n,), rows=n * k, within=("reader",)), _icc_notes(n))


def _mean_squares(table: Floats) -> tuple[float, float, float, float]:
    n, k = table.shape
    rest = table - table.mean()
    rows, columns = rest.mean(axis=1), rest.mean(axis=0)
    between = k * float(rows @ rows) / (n - 1)
    within = float(((rest - rows[:, None]) ** 2).sum()) / (n * (k - 1))
    readers = n * float(columns @ columns) / (k - 1)
    error = float(((rest - rows[:, None] - columns) ** 2).sum()) / ((n - 1) * (k - 1))
    # what rounding leaves of exact agreement is none
    floor = 1e-26 * float((table**2).mean())
    return between, *(0.0 if part <= floor else part for part in (within, readers, error))


def _absolute(between: float, readers: float, error: float, n: int, k: int, tail: float) -> tuple[float, float, float]:
    """ICC(2,1) with Satterthwaite's interval."""
    value = (between - error) / (between + (k - 1) * error + k * (readers - error) / n)
    ratio = readers / error
    part = n * (1 + (k - 1) * value) - k * value
    degrees = (k - 1) * (n - 1) * (k * value * ratio + part) ** 2 / ((n - 1) * (k * value * ratio) ** 2 + part**2)
    upper = float(special.fdtri(n - 1, degrees, 1 - tail))
    lower = float(special.fdtri(degrees, n - 1, 1 - tail))
    rest = k * readers + (k * n - k - n) * error
    low = n * (between - upper * error) / (upper * rest + n * between)
    high = n * (lower * between - error) / (rest + n * lower * between)
    return value, low, high


def _share(part: float, whole: float) -> float:
    """NaN where errors beyond the readings' own spread leave no positive whole."""
    return part / whole if whole > 0 else math.nan


def _of_mean(single: float, k: int) -> float:
    """Correlation of means of k readings; below -1 / (k - 1) there is no single one, and no bound of the mean's."""
    return single * k / (1 + single * (k - 1)) if 1 + single * (k - 1) > 0 else -math.inf


def _estimate(values: tuple[float, ...], level: float, name: str) -> Estimate:
    value, low, high = values
    low, high = (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)
    if math.isnan(value):
        return Estimate(value, math.nan, low, high, level, "1", f"{name}: readers differ more than subjects do")
    return Estimate(value, math.nan, min(low, value), max(high, value), level, "1", f"{name}: {MEANINGS[name]}")


def _exact_agreement(
    table: Floats, between: float, within: float, readers: float, error: float, level: float, unit: str
) -> Intraclass:
    """Readers that agree exactly, or but for a constant: values without intervals."""
    n, k = table.shape
    absolute = between / (between + k * readers / n) if between > 0 else 0.0
    mean = between / (between + readers / n) if between > 0 else 0.0
    single = (between - within) / (between + (k - 1) * within)
    values = dict(
        zip(FORMS, (single, absolute, 1.0, 1 - within / between if between else math.nan, mean, 1.0), strict=True)
    )
    forms = {
        name: Estimate(value, math.nan, value, value, level, "1", f"{name}: no scatter, so no interval")
        for name, value in values.items()
    }
    note = "Readings differ by a constant or not at all: without scatter there is no interval. Are the columns copies?"
    infinite = dict.fromkeys(FORMS, math.inf)
    design = Design(unit, (), (n,), rows=n * k, within=("reader",))
    return Intraclass(forms, infinite, dict.fromkeys(FORMS, 0.0), design, (note,))


def _icc_notes(n: int) -> tuple[str, ...]:
    few = (f"With {n} subjects the intervals are wide: read them, not the value.",) if n < 30 else ()
    return ("Say which form: they answer different questions. ICC(2,1) is absolute agreement of single readings.", *few)
