"""Designs of one or two factors with blocks: analysis of variance by least squares, balanced or not.

Sums of squares of type II ask of each main effect what it adds to the other, the interaction left out; type III what it adds
to all other terms, with every cell weighing alike. They agree in balanced designs. Which was used, the result says.

References
----------
.. [1] Langsrud 2003, Stat Comput 13:163, doi:10.1023/A:1023260610025 (type II or III).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lampyris.core.estimate import Estimate
from lampyris.statistics.explained import eta_squared, omega_squared
from lampyris.statistics.groups.samples import Floats
from lampyris.statistics.multiplicity import holm

TYPES = (2, 3)


@dataclass(frozen=True, slots=True)
class FactorTerm:
    """A main effect, interaction or block of an analysis of variance.

    Parameters
    ----------
    name : str
        Factor, or "a x b" for the interaction.
    sum_of_squares, df, f, p : float
        Its line of the table; the error is that of the full model.
    eta_squared, omega_squared : Estimate
        Partial shares of variance with intervals.
    """

    name: str
    sum_of_squares: float
    df: float
    f: float
    p: float
    eta_squared: Estimate
    omega_squared: Estimate


@dataclass(frozen=True, slots=True)
class SimpleEffect:
    """Difference of two levels of the first factor, at one level of the second.

    Parameters
    ----------
    a, b : str
        Levels of the first factor.
    within : str
        Level of the second; "" where there is none.
    difference : Estimate
        Model mean of a minus b, with Bonferroni's interval over all of these differences.
    statistic, df : float
        t with the model's error.
    p : float
        Adjusted by Holm over all of these differences.
    """

    a: str
    b: str
    within: str
    difference: Estimate
    statistic: float
    df: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class FactorialAnova:
    """Analysis of variance of a design of one or two factors, with a block or without.

    Parameters
    ----------
    terms : tuple of FactorTerm
        Main effects, interaction, block.
    error_variance, error_df : float
        Mean square of the residuals and its degrees of freedom.
    n : int
        Units.
    ss_type : int
        2 or 3.
    balanced : bool
        Whether every cell holds as many units.
    simple_effects : tuple of SimpleEffect
        Differences of the first factor at each level of the second.
    residuals : ndarray, dims (unit,)
        Of the full model, in the order of the values.
    """

    terms: tuple[FactorTerm, ...]
    error_variance: float
    error_df: float
    n: int
    ss_type: int
    balanced: bool
    simple_effects: tuple[SimpleEffect, ...]
    residuals: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """Model matrix by sum contrasts, with the columns of each term."""

    matrix: Floats
    terms: dict[str, slice]
    levels: tuple[tuple[str, ...], ...]
    codes: tuple[Floats, ...]


def factorial_anova(
    values: ArrayLike,
    factors: Mapping[str, Sequence[str]],
    /,
    *,
    block: Sequence[str] | None = None,
    interaction: bool = True,
    ss_type: int = 3,
    unit: str = "1",
    level: float = 0.95,
) -> FactorialAnova:
    """Analysis of variance of a design of one or two factors.

    Parameters
    ----------
    values : array_like, dims (unit,)
        One per experimental unit.
    factors : mapping of str to sequence, dims (unit,)
        One or two factors by name, each with the level of every unit.
    block : sequence, dims (unit,), optional
        Additive block, such as the cage or the day of imaging.
    interaction : bool
        Whether two factors may interact.
    ss_type : {2, 3}
        Type of the sums of squares.
    unit : str
        Unit of the values.
    level : float
        Coverage of the intervals.

    Returns
    -------
    FactorialAnova

    Raises
    ------
    ValueError
        If a cell of the two factors is empty, the block cannot be told from a factor, no degree of freedom is left for the
        error, or there is no spread.

    Examples
    --------
    >>> dose, sex = ["0", "0", "1", "1"] * 2, ["f"] * 4 + ["m"] * 4
    >>> found = factorial_anova([4.0, 5.0, 7.0, 8.0, 5.0, 4.0, 9.0, 12.0], {"dose": dose, "sex": sex})
    >>> [(term.name, term.df, round(term.f, 2), round(term.p, 4)) for term in found.terms]
    [('dose', 1.0, 27.0, 0.0065), ('sex', 1.0, 3.0, 0.1583), ('dose x sex', 1.0, 3.0, 0.1583)]
    """
    y = np.asarray(values, dtype=np.float64)
    if ss_type not in TYPES:
        raise ValueError(f"sums of squares are of type 2 or 3, got {ss_type}")
    if not 1 <= len(factors) <= 2:
        raise ValueError(f"needs one or two factors, got {len(factors)}")
    columns = [*factors.values(), *([block] if block is not None else [])]
    if y.ndim != 1 or any(len(column) != y.size for column in columns) or not np.isfinite(y).all():
        raise ValueError(f"needs finite values and as many levels, got {y.size} and {[len(c) for c in columns]}")
    both = interaction and len(factors) == 2
    coded = _coded(factors, block, interaction=both)
    full = _Fit(coded.matrix, y)
    names = list(factors)
    mains = {name: coded.terms[name] for name in names}
    reduced = full
    if ss_type == 2 and both:
        crossed = coded.terms[_crossed(names)]
        reduced = _Fit(np.delete(coded.matrix, np.r_[crossed], axis=1), y)
    terms = []
    for name, place in coded.terms.items():
        # without the interaction, which stands last, the columns before it keep their places
        squares = (reduced if name in mains else full).sum_of_squares(place)
        terms.append(_term(name, squares, float(place.stop - place.start), full, y.size, level))
    counts = np.unique(
        np.stack([code.argmax(axis=1) for code in coded.codes[: len(factors)]]), axis=1, return_counts=True
    )[1]
    return FactorialAnova(
        tuple(terms),
        full.variance,
        full.df,
        y.size,
        ss_type,
        bool(
            counts.min() == counts.max() and counts.size == np.prod([len(own) for own in coded.levels[: len(factors)]])
        ),
        _simple_effects(coded, full, len(factors), both, unit, level),
        full.residuals,
    )


class _Fit:
    """Least squares of one model."""

    def __init__(self, matrix: Floats, y: Floats) -> None:
        n, columns = matrix.shape
        if n <= columns:
            raise ValueError(f"{n} units leave no degree of freedom for the error of {columns} coefficients")
        # F does not change with the origin, and values far from 0 keep their digits
        centred = y - y.mean()
        q, r = np.linalg.qr(matrix)
        scale = np.abs(np.diag(r))
        if scale.min() < 1e-10 * scale.max():
            raise ValueError("a block or factor cannot be told from another: no unit distinguishes them")
        inverse = np.linalg.inv(r)
        self.coefficients = inverse @ (q.T @ centred)
        self.covariance = inverse @ inverse.T
        self.residuals = centred - matrix @ self.coefficients
        self.df = float(n - columns)
        self.variance = float(self.residuals @ self.residuals) / self.df
        if self.variance <= 1e-24 * float(centred @ centred) or not self.variance > 0:
            raise ValueError("the residuals have no spread")

    def sum_of_squares(self, place: slice) -> float:
        own = self.coefficients[place]
        return float(own @ np.linalg.solve(self.covariance[place, place], own))


def _term(name: str, squares: float, df: float, full: _Fit, n: int, level: float) -> FactorTerm:
    f = squares / df / full.variance
    return FactorTerm(
        name,
        squares,
        df,
        f,
        float(special.fdtrc(df, full.df, f)),
        eta_squared(f, df, full.df, n, level=level),
        omega_squared(f, df, full.df, n, level=level),
    )


def _coded(factors: Mapping[str, Sequence[str]], block: Sequence[str] | None, *, interaction: bool) -> _Coded:
    named: dict[str, Sequence[str]] = dict(factors)
    if block is not None:
        named["block"] = block
    levels = tuple(tuple(dict.fromkeys(map(str, column))) for column in named.values())
    for name, own in zip(named, levels, strict=True):
        if len(own) < 2:
            raise ValueError(f"{name} needs at least two levels, got {own}")
    codes = tuple(
        np.array([[float(str(cell) == one) for one in own] for cell in column])
        for column, own in zip(named.values(), levels, strict=True)
    )
    # sum contrasts: each level less the last
    contrasts = [code[:, :-1] - code[:, -1:] for code in codes]
    parts = [np.ones((len(codes[0]), 1)), *contrasts]
    names = list(named)
    if interaction:
        counts = codes[0].T @ codes[1]
        if (counts == 0).any():
            first, second = np.argwhere(counts == 0)[0]
            raise ValueError(
                f"no unit has {names[0]} {levels[0][first]!r} with {names[1]} {levels[1][second]!r}: an interaction needs all cells"
            )
        names.append(_crossed(names))
        parts.append((contrasts[0][:, :, None] * contrasts[1][:, None, :]).reshape(len(codes[0]), -1))
    ends = np.cumsum([part.shape[1] for part in parts])
    terms = {name: slice(int(a), int(b)) for name, a, b in zip(names, ends[:-1], ends[1:], strict=True)}
    return _Coded(np.hstack(parts), terms, levels, codes)


def _crossed(names: Sequence[str]) -> str:
    return f"{names[0]} x {names[1]}"


def _simple_effects(
    coded: _Coded, full: _Fit, factors: int, interaction: bool, unit: str, level: float
) -> tuple[SimpleEffect, ...]:
    """Differences of the first factor, at each level of the second where both interact."""
    first = coded.levels[0]
    seconds: list[int | None] = [*range(len(coded.levels[1]))] if interaction else [None]
    rows, names = [], []
    for second in seconds:
        for a, b in combinations(range(len(first)), 2):
            rows.append(_cell(coded, a, second) - _cell(coded, b, second))
            names.append((first[a], first[b], "" if second is None else coded.levels[1][second]))
    matrix = np.array(rows)
    values = matrix @ full.coefficients
    errors = np.sqrt(np.einsum("ij,jk,ik->i", matrix, full.covariance, matrix) * full.variance)
    p = holm(2 * special.stdtr(full.df, -np.abs(values) / errors))
    half = float(special.stdtrit(full.df, 1 - 0.5 * (1 - level) / len(rows))) * errors
    method = "difference of model means, Bonferroni interval"
    return tuple(
        SimpleEffect(
            a, b, within, Estimate(float(v), float(e), float(v - h), float(v + h), level, unit, method),
            float(v / e), full.df, float(q),
        )
        for (a, b, within), v, e, h, q in zip(names, values, errors, half, p, strict=True)
    )  # fmt: skip


def _cell(coded: _Coded, first: int, second: int | None) -> Floats:
    """Row of the model matrix of a cell; blocks, and a second factor that is None, at their average."""
    row = np.zeros(coded.matrix.shape[1])
    row[0] = 1.0
    names = list(coded.terms)
    own = _contrast(len(coded.levels[0]), first)
    row[coded.terms[names[0]]] = own
    if second is not None:
        other = _contrast(len(coded.levels[1]), second)
        row[coded.terms[names[1]]] = other
        row[coded.terms[_crossed(names[:2])]] = np.outer(own, other).ravel()
    return row


def _contrast(levels: int, place: int) -> Floats:
    return np.eye(levels)[place, :-1] if place < levels - 1 else -np.ones(levels - 1)
