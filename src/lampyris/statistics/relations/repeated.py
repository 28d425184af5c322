"""Correlation within subjects, where each gave several rows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lampyris.core.design import Design, Exclusion
from lampyris.core.estimate import Estimate
from lampyris.statistics.relations.coefficient import (
    Correlation,
    Floats,
    Influence,
    correlations_of_sums,
    covariate_columns,
    fisher_interval,
    influence_of,
    influence_warnings,
    numbered_subjects,
    product_moment,
    t_test,
)
from lampyris.statistics.relations.columns import finite_pair


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
    names, place = numbered_subjects(subject, x.size)
    count = np.bincount(place)
    kept = count[place] > 1
    left = tuple(Exclusion(names[k], "", "one row only") for k in np.flatnonzero(count == 1))
    clusters = int((count > 1).sum())
    z = covariate_columns(covariates, x.size)
    degrees = int(kept.sum()) - clusters - z.shape[1] - 1
    if clusters < 2 or degrees < 2:
        raise ValueError(
            f"repeated measures need at least two subjects with several rows and 5 such rows, got {clusters} subjects with "
            f"{int(kept.sum())} rows"
        )
    within_x, within_y = _within((x, y), z, place, kept)
    inside = place[kept]
    r = product_moment(within_x, within_y, "within subjects")
    test = t_test(r, degrees, "repeated-measures correlation", "no common slope within subjects")
    notes = _repeated_notes(clusters, unit, adjusted=z.shape[1] > 0)
    influence = _influence_of_subjects(within_x, within_y, inside, names, r) if not z.shape[1] else None
    return Correlation(
        r=fisher_interval(r, degrees + 2, level, "within subjects (Bakdash & Marusich), Fisher's z"),
        p=test.p,
        n=clusters,
        tests=(test,),
        method="repeated",
        design=Design(unit, (), (clusters,), rows=int(kept.sum()), within=("row",), exclusions=left),
        influence=influence,
        slope=_common_slope(within_x, within_y, degrees, level),
        notes=notes,
        warnings=influence_warnings(influence, test.p, unit),
    )


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


def _centred(values: Floats, place: NDArray[np.intp]) -> Floats:
    return np.asarray(values - (np.bincount(place, values) / np.bincount(place))[place])


def _common_slope(x: Floats, y: Floats, degrees: int, level: float) -> Estimate:
    """Of columns centred within subjects."""
    spread = float(x @ x)
    slope = float(x @ y) / spread
    rest = y - slope * x
    sd = math.sqrt(float(rest @ rest) / degrees / spread)
    half = float(special.stdtrit(degrees, 0.5 * (1 + level))) * sd
    return Estimate(slope, sd, slope - half, slope + half, level, "1", "common slope within subjects, Student's t")


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
    found = correlations_of_sums(without(x * x), without(y * y), without(x * y))
    p = t_test(r, place.size - present.size - 1, "", "").p
    return influence_of(found, degrees, tuple(names[k] for k in present), r, p)


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
