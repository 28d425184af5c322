"""A correlation with what it rests on, and the formulas that every kind of it shares."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.columns import finite_column, varies
from lampyris.statistics.thresholds import half_width

LEAST = 4
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


def numbered_subjects(subject: Sequence[Any] | NDArray[Any], rows: int) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Names of the subjects, sorted, and the place among them of each row's."""
    if len(subject) != rows:
        raise ValueError(f"every row needs its subject: {rows} rows, {len(subject)} subjects")
    names, place = np.unique(np.asarray([str(name) for name in subject]), return_inverse=True)
    return tuple(map(str, names)), place


def check_enough(n: int) -> None:
    """Refuse fewer units than an interval needs."""
    if n < LEAST:
        raise ValueError(
            f"a correlation needs at least {LEAST} independent units, got {n}: with fewer no interval exists"
        )


def small_sample_notes(n: int) -> tuple[str, ...]:
    """What is to be said of few units; nothing of ten or more."""
    if n >= 10:
        return ()
    return (
        f"With n = {n} the interval is wide and rests on normal values; it is approximate, p is exact where they are normal.",
    )


def covariate_columns(covariates: ArrayLike | None, rows: int) -> Floats:
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


def product_moment(x: Floats, y: Floats, where: str = "") -> float:
    """Pearson's r, exactly 1 or -1 where it rounds to that; `where` says in the refusal of which rows a column does not vary."""
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


def t_test(r: float, degrees: int, name: str, null: str) -> TestResult:
    """Student's t of r."""
    if abs(r) == 1:
        return TestResult(name, "t", math.copysign(math.inf, r), (float(degrees),), 0.0, null)
    t = r * math.sqrt(degrees / (1 - r * r))
    return TestResult(name, "t", t, (float(degrees),), 2 * float(special.stdtr(degrees, -abs(t))), null)


def fisher_interval(r: float, n: float, level: float, method: str, *, inflation: float = 1.0) -> Estimate:
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


def correlations_of_sums(sxx: Floats, syy: Floats, sxy: Floats) -> Floats:
    """r of sums of squares; NaN where a column no longer varies."""
    bottom = np.sqrt(np.maximum(sxx, 0) * np.maximum(syy, 0))
    flat = bottom <= 1e-12 * bottom.max(initial=0.0)
    return np.where(flat, np.nan, np.clip(sxy / np.where(flat, 1.0, bottom), -1.0, 1.0))


def influence_of(found: Floats, degrees: Any, names: tuple[str, ...], r: float, p: float) -> Influence | None:
    """The unit without which r differs most, and those without which its sign or verdict is another."""
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


def influence_warnings(influence: Influence | None, p: float, unit: str) -> tuple[str, ...]:
    """Warnings of an influence, as sentences."""
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
