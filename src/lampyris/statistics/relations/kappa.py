"""Agreement of categories beyond chance: Cohen's kappa of two readers, weighted or not, and Fleiss' kappa of several.

In the order of use: `cohen_kappa`, `kappa_from_table`, `fleiss_kappa`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import clopper_pearson_interval
from lampyris.statistics.thresholds import half_width

WEIGHTS = ("none", "linear", "quadratic")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance.

    Parameters
    ----------
    kappa : Estimate
        Its `sd` is the asymptotic standard error.
    test : TestResult
        Against agreement by chance alone.
    agreement, expected : float
        Share of (weighted) agreement as seen, and as chance would give it.
    categories : tuple of str
    table : tuple of tuple of int
        Rows for the first reader, columns for the second; of Fleiss' kappa one row per subject.
    weights : str
    design : Design
    notes : tuple of str
    """

    kappa: Estimate
    test: TestResult
    agreement: float
    expected: float
    categories: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    weights: str
    design: Design
    notes: tuple[str, ...] = ()


def cohen_kappa(
    a: Sequence[Any],
    b: Sequence[Any],
    /,
    *,
    categories: Sequence[Any] | None = None,
    weights: str = "none",
    cluster: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    unit: str = "animal",
) -> Kappa:
    """Cohen's kappa of two readers.

    Parameters
    ----------
    a, b : sequence, dims (row,)
        Category given by each reader.
    categories : sequence, optional
        All categories in their order, as weights need it; by default those seen, numbers by size and words by name.
    weights : str
        "none", or how far near misses count: "linear" or "quadratic" in the number of steps between categories.
    cluster : sequence, optional
        The subject of each row where rows share subjects: the interval then comes from leaving out subjects.
    level : float
        Coverage.
    unit : str
        What was replicated.

    Returns
    -------
    Kappa

    Raises
    ------
    ValueError
        If lengths differ, a category is not among those given, words are weighted without their order, or both readers
        use one category only.

    References
    ----------
    Cohen 1968, Psychol Bull 70:213, doi:10.1037/h0026256; Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323,
    doi:10.1037/h0028106.

    Examples
    --------
    >>> found = cohen_kappa([0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0])
    >>> f"{found.kappa.value:.3f}"
    '0.667'
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"both readers need one category per row, got {len(a)} and {len(b)} rows")
    if not {_word(value) for value in a} & {_word(value) for value in b}:
        raise ValueError(f"the readers share no category: one says {_word(a[0])!r}, the other {_word(b[0])!r}")
    names = _categories([*a, *b], categories, weights)
    place = {name: k for k, name in enumerate(names)}
    row, column = (np.array([place[_word(value)] for value in values], np.intp) for values in (a, b))
    size = len(names)
    table = np.bincount(row * size + column, minlength=size * size).reshape(size, size)
    found = kappa_from_table(table, weights=weights, categories=names, level=level, unit=unit)
    if cluster is None:
        return found
    if len(cluster) != len(a):
        raise ValueError(f"every row needs its subject: {len(a)} rows, {len(cluster)} subjects")
    subjects, group = np.unique(np.asarray([str(name) for name in cluster]), return_inverse=True)
    if subjects.size == len(a):
        return found
    return _clustered(found, row, column, group, level, unit)


def kappa_from_table(
    table: ArrayLike,
    /,
    *,
    weights: str = "none",
    categories: Sequence[str] = (),
    level: float = 0.95,
    unit: str = "animal",
) -> Kappa:
    """Cohen's kappa from the table of counts.

    Parameters
    ----------
    table : array_like of int, dims (category of the first, category of the second)
    weights, level, unit
        As of `cohen_kappa`.
    categories : sequence of str
        Their names.

    Returns
    -------
    Kappa

    Raises
    ------
    ValueError
        If the table is not square, holds anything but counts, is empty, or leaves no room for chance.

    Examples
    --------
    >>> found = kappa_from_table([[20, 5], [10, 15]])
    >>> f"{found.kappa.value:.2f} ({found.kappa.low:.2f} to {found.kappa.high:.2f})"
    '0.40 (0.15 to 0.65)'
    """
    counts = np.asarray(table, float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] < 2:
        raise ValueError(f"kappa needs a square table of at least two categories, got shape {counts.shape}")
    if not (
        np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.round(counts)).all() and counts.sum() > 0
    ):
        raise ValueError("the table holds counts: whole numbers from 0, not all 0")
    if weights not in WEIGHTS:
        raise ValueError(f"weights are one of {', '.join(WEIGHTS)}, got {weights!r}")
    n = int(counts.sum())
    weight = _weight(counts.shape[0], weights)
    kappa, agreement, expected = _kappa(counts / n, weight)
    if expected >= 1:
        raise ValueError("both readers gave every row the same one category: agreement beyond chance has no meaning")
    ase, ase0 = _standard_errors(counts / n, weight, kappa, expected, n)
    q = half_width(level)
    if agreement == 1:
        # the standard error vanishes, what is not known does not
        least = clopper_pearson_interval(n, n, level=level).low
        low, high, method = max((least - expected) / (1 - expected), -1.0), 1.0, "all rows agree: from the exact share"
    else:
        low, high, method = max(kappa - q * ase, -1.0), min(kappa + q * ase, 1.0), "asymptotic standard error"
    z = kappa / ase0 if ase0 > 0 else math.nan
    test = TestResult("kappa against chance", "z", z, (), 2 * float(special.ndtr(-abs(z))), "agreement by chance")
    return Kappa(
        kappa=Estimate(kappa, ase, low, high, level, "1", f"Cohen's kappa, weights {weights}, {method}"),
        test=test,
        agreement=agreement,
        expected=expected,
        categories=tuple(categories) or tuple(str(k + 1) for k in range(counts.shape[0])),
        table=tuple(tuple(int(count) for count in line) for line in counts),
        weights=weights,
        design=Design(unit, (), (n,), rows=n),
        notes=_notes(counts / n, n, kappa, weights),
    )


def fleiss_kappa(counts: ArrayLike, /, *, level: float = 0.95, unit: str = "animal") -> Kappa:
    """Fleiss' kappa of several readers per subject, who need not be the same ones.

    Parameters
    ----------
    counts : array_like of int, dims (subject, category)
        How many readers gave which category; the same number of readers for every subject.
    level : float
        Coverage; the interval comes from leaving out subjects.
    unit : str
        What a subject is.

    Returns
    -------
    Kappa

    Raises
    ------
    ValueError
        If there are fewer than two readers or three subjects, readers per subject differ, or one category is all there is.

    References
    ----------
    Fleiss 1971, Psychol Bull 76:378, doi:10.1037/h0031619; standard error under chance: Fleiss, Nee & Landis 1979, Psychol
    Bull 86:974, doi:10.1037/0033-2909.86.5.974.

    Examples
    --------
    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1], [3, 0]]).kappa.value, 3)
    0.625
    """
    table = np.asarray(counts, float)
    if table.ndim != 2 or table.shape[0] < 3 or table.shape[1] < 2 or not np.isfinite(table).all() or (table < 0).any():
        raise ValueError(f"needs counts of at least 3 subjects by 2 categories, got shape {table.shape}")
    readers = table.sum(axis=1)
    if np.ptp(readers) or readers[0] < 2 or (table != np.round(table)).any():
        raise ValueError(
            f"every subject needs the same number of readers, at least 2; got {sorted(set(readers.tolist()))}"
        )
    n, m = table.shape[0], float(readers[0])
    value, agreement, expected = _fleiss(table)
    if expected >= 1:
        raise ValueError(
            "every reader gave every subject the same one category: agreement beyond chance has no meaning"
        )
    left = [_fleiss(np.delete(table, k, axis=0)) for k in range(n)]
    # a set that is left with one category has no kappa; it then counts as no agreement beyond chance
    pseudo = n * value - (n - 1) * np.array([part[0] if part[2] < 1 else 0.0 for part in left])
    se = float(pseudo.std(ddof=1)) / math.sqrt(n)
    half = float(special.stdtrit(n - 1, 0.5 * (1 + level))) * se
    share = table.sum(axis=0) / table.sum()
    product = float((share * (1 - share)).sum())
    ase0 = (
        math.sqrt(2 * (product**2 - float((share * (1 - share) * (1 - 2 * share)).sum())) / (n * m * (m - 1))) / product
    )
    test = TestResult(
        "Fleiss' kappa against chance", "z", value / ase0, (), 2 * float(special.ndtr(-abs(value / ase0)))
    )
    return Kappa(
        kappa=Estimate(
            value,
            se,
            max(value - half, -1.0),
            max(min(value + half, 1.0), value),
            level,
            "1",
            "Fleiss' kappa, jackknife",
        ),
        test=test,
        agreement=agreement,
        expected=expected,
        categories=tuple(str(k + 1) for k in range(table.shape[1])),
        table=tuple(tuple(int(count) for count in line) for line in table),
        weights="none",
        design=Design(unit, (), (n,), rows=int(table.sum()), within=("reader",)),
    )


def _word(value: Any) -> str:
    """A category as text; 1 and 1.0 are one."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _categories(seen: Sequence[Any], given: Sequence[Any] | None, weights: str) -> tuple[str, ...]:
    words = list(dict.fromkeys(_word(value) for value in seen))
    if given is not None:
        names = tuple(_word(value) for value in given)
        missing = sorted(set(words) - set(names))
        if missing or len(set(names)) < len(names):
            said = f"{', '.join(missing)} not among them" if missing else "one is named twice"
            raise ValueError(f"categories are {', '.join(names)}: {said}")
    else:
        try:
            names = tuple(sorted(words, key=float))
        except ValueError:
            if weights != "none" and len(words) > 2:
                raise ValueError(
                    f"weights need the order of the categories {', '.join(sorted(words))}: name them from low to high"
                ) from None
            names = tuple(sorted(words))
    if len(names) < 2:
        raise ValueError(f"kappa needs at least two categories, both readers only gave {names[0]!r}")
    return names


def _weight(size: int, weights: str) -> Floats:
    step = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / (size - 1)
    if weights == "none":
        return np.eye(size)
    return np.asarray(1 - step if weights == "linear" else 1 - step**2)


def _kappa(share: Floats, weight: Floats) -> tuple[float, float, float]:
    expected = float((weight * np.outer(share.sum(1), share.sum(0))).sum())
    agreement = float((weight * share).sum())
    if expected >= 1 - 1e-15:
        return math.nan, agreement, 1.0
    if agreement >= 1 - 1e-12:
        return 1.0, 1.0, expected
    return (agreement - expected) / (1 - expected), agreement, expected


def _standard_errors(share: Floats, weight: Floats, kappa: float, expected: float, n: int) -> tuple[float, float]:
    """As estimated, and under chance."""
    first, second = share.sum(1), share.sum(0)
    both = (weight @ second)[:, None] + (first @ weight)[None, :]
    scale = n * (1 - expected) ** 2
    seen = float((share * (weight - both * (1 - kappa)) ** 2).sum()) - (kappa - expected * (1 - kappa)) ** 2
    chance = float((np.outer(first, second) * (weight - both) ** 2).sum()) - expected**2
    return math.sqrt(max(seen, 0.0) / scale), math.sqrt(max(chance, 0.0) / scale)


def _clustered(
    found: Kappa, row: NDArray[np.intp], column: NDArray[np.intp], group: NDArray[np.intp], level: float, unit: str
) -> Kappa:
    """Interval and test from leaving out each subject with all its rows."""
    size, n = len(found.categories), int(group.max()) + 1
    weight = _weight(size, found.weights)
    tables = np.zeros((n, size, size))
    np.add.at(tables, (group, row, column), 1.0)
    total = tables.sum(axis=0)
    left = np.array(
        [_kappa((total - part) / (total - part).sum(), weight)[0] if n > 1 else math.nan for part in tables]
    )
    value = found.kappa.value
    if n < 3 or np.isnan(left).any():
        estimate = Estimate(value, math.nan, -1.0, 1.0, level, "1", f"Cohen's kappa; {n} subjects give no interval")
        note = f"{n} subjects ({unit}), or one that alone holds a category, are too few for an interval."
        test = replace(found.test, statistic=math.nan, p=math.nan)
    else:
        se = float((n * value - (n - 1) * left).std(ddof=1)) / math.sqrt(n)
        half = float(special.stdtrit(n - 1, 0.5 * (1 + level))) * se
        low = max(value - half, -1.0) if se > 0 else found.kappa.low
        words = f"Cohen's kappa, weights {found.weights}, leaving out each {unit}"
        estimate = Estimate(value, se, low, max(min(value + half, 1.0), value), level, "1", words)
        t = value / se if se > 0 else math.nan
        test = TestResult(
            found.test.name, "t", t, (n - 1.0,), 2 * float(special.stdtr(n - 1, -abs(t))), found.test.null
        )
        note = f"Several rows per {unit}: interval and p come from leaving out each {unit} with all its rows."
    design = Design(unit, (), (n,), rows=row.size, within=("row",))
    return replace(found, kappa=estimate, test=test, design=design, notes=(*found.notes, note))


def _fleiss(table: Floats) -> tuple[float, float, float]:
    m = float(table[0].sum())
    share = table.sum(axis=0) / table.sum()
    agreement = float(((table**2).sum(axis=1) - m).mean() / (m * (m - 1)))
    expected = float(share @ share)
    return ((agreement - expected) / (1 - expected) if expected < 1 else math.nan), agreement, expected


def _notes(share: Floats, n: int, kappa: float, weights: str) -> tuple[str, ...]:
    notes = []
    if weights != "none":
        notes.append(f"Weights are {weights} in the steps between categories, which are taken for equal.")
    margin = 0.5 * (share.sum(0) + share.sum(1))
    if margin.max() > 0.8:
        notes.append(
            "One category holds over four fifths of all: kappa is then low even where readers agree; show the table."
        )
    if n < 30:
        notes.append(f"With {n} rows its standard error is rough.")
    return tuple(notes)
