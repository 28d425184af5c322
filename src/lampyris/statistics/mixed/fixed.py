"""The fixed part of a model: factors and covariates, main effects and interactions, as columns of a matrix.

A row of that matrix is a product over the variables. Each variable gives a constant (for columns it has no part in) and its
coded values (for columns it has). A level, the mean over all levels, a difference of levels and a slope in a covariate are
then all written in the same way, which is how marginal means and contrasts are obtained whatever the coding.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# columns whose part outside the space of the columns before them is below this share are taken as dependent
DEPENDENT = 1e-9


@dataclass(frozen=True, slots=True)
class Factor:
    """A variable of levels.

    Parameters
    ----------
    name : str
        Its name.
    labels : tuple of str, dims (row,)
        Level of each row.
    levels : tuple of str
        Levels in order; in the order of their first row where empty.
    contrasts : str
        "treatment": columns are differences from the first level; "sum": deviations from the mean of the levels.

    Raises
    ------
    ValueError
        If a label is no level or the contrasts have another name.
    """

    name: str
    labels: tuple[str, ...]
    levels: tuple[str, ...] = ()
    contrasts: str = "treatment"

    def __post_init__(self) -> None:
        if not self.levels:
            object.__setattr__(self, "levels", tuple(dict.fromkeys(self.labels)))
        strange = set(self.labels) - set(self.levels)
        if strange:
            raise ValueError(f"{self.name}: {', '.join(sorted(strange))} not among the levels {self.levels}")
        if self.contrasts not in ("treatment", "sum"):
            raise ValueError(f"contrasts are 'treatment' or 'sum', got {self.contrasts!r}")

    def coding(self) -> Array:
        """Coded values, dims (level, column)."""
        k = len(self.levels)
        if self.contrasts == "sum":
            return np.vstack([np.eye(k - 1), -np.ones(k - 1)])
        return np.eye(k)[:, 1:]

    def column_names(self) -> list[str]:
        """Names of the coded columns."""
        named = self.levels[:-1] if self.contrasts == "sum" else self.levels[1:]
        return [f"{self.name}[{level}]" for level in named]


@dataclass(frozen=True, slots=True, eq=False)
class Covariate:
    """A variable of numbers.

    Parameters
    ----------
    name : str
        Its name.
    values : ndarray, dims (row,)
        Finite numbers.
    """

    name: str
    values: Array


Variable = Factor | Covariate


@dataclass(frozen=True, slots=True, eq=False)
class FixedPart:
    """Columns of the fixed part.

    Parameters
    ----------
    variables : tuple of Factor or Covariate
        What it is made of.
    terms : tuple of tuple of str
        Main effects and interactions; the intercept is ``()`` and always first.
    matrix : ndarray, dims (row, column)
        Every column, also those that depend on others.
    names : tuple of str
        Names of the columns.
    term_of : tuple of int
        Place of each column's term.
    kept : tuple of int
        Columns that are independent; the coefficient of any other is 0.
    """

    variables: tuple[Variable, ...]
    terms: tuple[tuple[str, ...], ...]
    matrix: Array
    names: tuple[str, ...]
    term_of: tuple[int, ...]
    kept: tuple[int, ...]

    def row(self, setting: Mapping[str, str | float | Array] | None = None, /, *, slope: str = "") -> Array:
        """Coefficients of a marginal mean, a contrast or a slope.

        Parameters
        ----------
        setting : mapping
            Per variable a level, weights over its levels (dims (level,)) or a number. A factor that is not named is
            averaged over its levels with equal weights, a covariate stands at its mean.
        slope : str
            Covariate whose slope is meant instead of a value.

        Returns
        -------
        ndarray, dims (column,)
        """
        chosen = setting or {}
        parts = {
            variable.name: _part(variable, chosen.get(variable.name), slope=variable.name == slope)
            for variable in self.variables
        }
        return _products(self.variables, self.terms, parts)

    def estimable(self, rows: ArrayLike, /) -> bool:
        """Whether the data determine these combinations of coefficients.

        Parameters
        ----------
        rows : array_like, dims (column,) or (contrast, column)
        """
        return not np.any(np.abs(np.atleast_2d(rows) @ self._null_space()) > 1e-8)

    def estimable_part(self, rows: Array, /) -> Array:
        """Independent combinations of the rows that the data determine, dims (contrast, column)."""
        outside = np.atleast_2d(rows) @ self._null_space()
        if outside.size:
            left, sizes, _ = np.linalg.svd(outside, full_matrices=True)
            rows = left[:, int((sizes > 1e-8).sum()) :].T @ rows
        if not rows.size:
            return rows
        _, sizes, right = np.linalg.svd(rows, full_matrices=False)
        return right[sizes > 1e-9 * max(float(sizes[0]), 1e-300)]

    def term_rows(self, term: Sequence[str], /) -> Array:
        """Contrasts of marginal means whose joint test is the test of a term, whatever the coding.

        Parameters
        ----------
        term : sequence of str
            Names of its variables.

        Returns
        -------
        ndarray, dims (contrast, column)
            Differences of equally weighted means over the term's factors; slopes in its covariates.
        """
        known = {variable.name: variable for variable in self.variables}
        members = [known[name] for name in term]
        factors = [member for member in members if isinstance(member, Factor)]
        numbers = [member.name for member in members if not isinstance(member, Factor)]
        steps = [[one - np.eye(len(f.levels))[0] for one in np.eye(len(f.levels))[1:]] for f in factors]
        rows = [
            self.row(
                {f.name: step for f, step in zip(factors, chosen, strict=True)}, slope=numbers[0] if numbers else ""
            )
            for chosen in itertools.product(*steps)
        ]
        return np.array(rows).reshape(-1, len(self.names))

    def _null_space(self) -> Array:
        lost = [k for k in range(len(self.names)) if k not in self.kept]
        if not lost:
            return np.zeros((len(self.names), 0))
        kept = list(self.kept)
        weights, *_ = np.linalg.lstsq(self.matrix[:, kept], self.matrix[:, lost], rcond=None)
        space = np.zeros((len(self.names), len(lost)))
        space[kept] = -weights
        space[lost, range(len(lost))] = 1.0
        return space


def fixed_part(variables: Sequence[Variable], terms: Sequence[Sequence[str]], /) -> FixedPart:
    """Build the fixed part of a model.

    Parameters
    ----------
    variables : sequence of Factor or Covariate
        All of one length.
    terms : sequence of sequence of str
        Each a main effect ``("group",)`` or interaction ``("group", "day")``; the intercept is added.

    Returns
    -------
    FixedPart

    Raises
    ------
    ValueError
        If a term names no variable, an interaction comes without its main effects, or a product of two covariates
        is asked for.

    Examples
    --------
    >>> group = Factor("group", ("dye", "dots", "dye", "dots"))
    >>> day = Covariate("day", np.array([0.0, 0.0, 7.0, 7.0]))
    >>> part = fixed_part([group, day], [("group",), ("day",), ("group", "day")])
    >>> part.names
    ('intercept', 'group[dots]', 'day', 'group[dots]:day')
    >>> part.row({"group": "dots", "day": 7.0})
    array([1., 1., 7., 7.])
    """
    known = {variable.name: variable for variable in variables}
    wanted = _checked_terms(known, terms)
    parts = {variable.name: _rows_part(variable) for variable in variables}
    matrix = _products(tuple(variables), wanted, parts)
    names, term_of = _names(known, wanted)
    return FixedPart(tuple(variables), wanted, matrix, names, term_of, independent_columns(matrix))


def independent_columns(matrix: Array, /) -> tuple[int, ...]:
    """Columns that do not depend on the columns before them."""
    basis = np.zeros((matrix.shape[0], 0))
    kept = []
    for k in range(matrix.shape[1]):
        column = matrix[:, k]
        rest = column - basis @ (basis.T @ column)
        # once more, since the first pass leaves rounding of the size of the column
        rest = rest - basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > DEPENDENT * float(np.linalg.norm(column)):
            kept.append(k)
            basis = np.column_stack([basis, rest / size])
    return tuple(kept)


def _checked_terms(known: Mapping[str, Variable], terms: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    wanted = sorted(dict.fromkeys(tuple(term) for term in terms if len(term)), key=len)
    present = {frozenset(term) for term in wanted}
    for term in wanted:
        unknown = [name for name in term if name not in known]
        if unknown:
            raise ValueError(f"term {':'.join(term)} names {', '.join(unknown)}; the variables are {', '.join(known)}")
        if sum(isinstance(known[name], Covariate) for name in term) > 1:
            raise ValueError(f"term {':'.join(term)} multiplies two covariates; give their product as one covariate")
        for size in range(1, len(term)):
            for part in itertools.combinations(term, size):
                if frozenset(part) not in present:
                    raise ValueError(f"term {':'.join(term)} needs {':'.join(part)} beside it")
    return ((), *wanted)


def _rows_part(variable: Variable) -> tuple[Array, Array]:
    """Constant, dims (row,), and coded values, dims (row, column), of a variable on the rows of the data."""
    if isinstance(variable, Factor):
        place = {level: k for k, level in enumerate(variable.levels)}
        coded = variable.coding()[[place[label] for label in variable.labels]]
    else:
        coded = np.asarray(variable.values, dtype=np.float64)[:, None]
    return np.ones(len(coded)), coded


def _part(variable: Variable, chosen: str | float | Array | None, *, slope: bool) -> tuple[Array, Array]:
    """The same for one combination of coefficients, with one row."""
    if isinstance(variable, Covariate):
        if slope:
            return np.zeros(1), np.ones((1, 1))
        value = float(np.mean(variable.values)) if chosen is None else float(np.asarray(chosen, dtype=np.float64))
        return np.ones(1), np.array([[value]])
    count = len(variable.levels)
    if chosen is None:
        weights = np.full(count, 1.0 / count)
    elif isinstance(chosen, str):
        weights = np.eye(count)[variable.levels.index(chosen)]
    else:
        weights = np.asarray(chosen, dtype=np.float64)
    return np.array([weights.sum()]), (weights @ variable.coding())[None, :]


def _products(
    variables: tuple[Variable, ...], terms: tuple[tuple[str, ...], ...], parts: Mapping[str, tuple[Array, Array]]
) -> Array:
    rows = len(next(iter(parts.values()))[0])
    columns = []
    for term in terms:
        block = np.ones((rows, 1))
        for variable in variables:
            constant, coded = parts[variable.name]
            factor = coded if variable.name in term else constant[:, None]
            block = (block[:, :, None] * factor[:, None, :]).reshape(rows, -1)
        columns.append(block)
    matrix = np.concatenate(columns, axis=1)
    return matrix if rows > 1 else matrix[0]


def _names(
    known: Mapping[str, Variable], terms: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names: list[str] = []
    places: list[int] = []
    for place, term in enumerate(terms):
        # in the order of the variables, as the products are
        own = [
            variable.column_names() if isinstance(variable, Factor) else [variable.name]
            for variable in known.values()
            if variable.name in term
        ]
        combined = [":".join(parts) for parts in itertools.product(*own)] if own else ["intercept"]
        names += combined
        places += [place] * len(combined)
    return tuple(names), tuple(places)
