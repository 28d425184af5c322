"""Groups compared by a mixed model: regions and days inside a subject are modelled, never counted as replicates."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.comparison import Comparison, GroupSummary, PairDifference
from lampyris.core.design import Design, TestResult
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.explained import omega_squared
from lampyris.statistics.mixed.fixed import Factor, FixedPart, Variable, fixed_part
from lampyris.statistics.mixed.likelihood import NothingLeftError
from lampyris.statistics.mixed.marginal import (
    contrast_correlation,
    pairs_of,
    simultaneous_factor,
    single_step_p,
    tukey_pair,
)
from lampyris.statistics.mixed.model import (
    MixedModel,
    fit_mixed_model,
    intraclass_correlations,
    random_term_tests,
)
from lampyris.statistics.mixed.profiles import profile_intervals
from lampyris.statistics.mixed.residuals import residual_checks, spread_ratio
from lampyris.statistics.mixed.results import PLAIN, ColumnNames, MixedComparison
from lampyris.statistics.mixed.rows import Rows, checked_rows, refuse_rows, rows_per_subject, shared_labels
from lampyris.statistics.mixed.structure import RandomTerm, nested_labels

Array = NDArray[np.float64]

# residuals of one group this much wider than those of another are pointed out
WIDER = 3.0


def mixed_comparison(
    values: ArrayLike,
    groups: Sequence[str],
    subjects: Sequence[str],
    /,
    *,
    nested: Sequence[str] | None = None,
    control: str = "",
    spread: str = "per group",
    names: ColumnNames = PLAIN,
    level: float = 0.95,
) -> MixedComparison:
    """Compare groups with the subject as unit, where each subject gave several values.

    The model is: value = group (+ region, where all subjects have the same regions) + subject (+ region within subject, where
    it was measured more than once) + residual. The test of the groups is Kenward and Roger's F.

    Parameters
    ----------
    values : array_like, dims (row,)
        Numbers; rows with NaN are left out and counted.
    groups, subjects : sequence of str, dims (row,)
        Group and subject of each row.
    nested : sequence of str, dims (row,)
        Region, section or day inside the subject; None for plain repeats.
    control : str
        Group that each other is compared with; all pairs where empty.
    spread : str
        "per group" lets subjects of each group spread in their own way, as Welch's test does; "equal" does not.
    names : ColumnNames
        How columns, unit and file are called.
    level : float
        Coverage of intervals.

    Returns
    -------
    MixedComparison
        Intervals of pairs are simultaneous: Tukey-Kramer of all pairs, multivariate t against a control.

    Raises
    ------
    InputError
        With every fault of the columns, also where no subject has two values: then there is nothing nested and an ordinary
        comparison is right.

    References
    ----------
    Kenward & Roger 1997, Biometrics 53:983, doi:10.2307/2533558; Lazic et al. 2018, PLoS Biol 16:e2005282,
    doi:10.1371/journal.pbio.2005282.

    Examples
    --------
    >>> found = mixed_comparison(
    ...     [1.0, 1.4, 2.1, 2.0, 1.2, 1.8, 3.1, 2.7, 4.0, 4.4, 3.0, 3.8],
    ...     ["dye"] * 6 + ["dots"] * 6, list("AABBCCDDEEFF"),
    ... ).comparison
    >>> f"F({found.df1:.0f}, {found.df2:.2f}) = {found.statistic:.2f}, p = {found.p:.3f}"
    'F(1, 3.46) = 17.90, p = 0.018'
    """
    rows = checked_rows(values, groups, subjects, None, nested, names)
    _check_control(rows, control, spread, names)
    if rows_per_subject(rows) < 2:
        seen = f"each {names.subject} has one value."
        mend = "Nothing is nested: compare the groups without a mixed model."
        refuse_rows(
            [Finding("compare.not-nested", Severity.ERROR, Place(names.file, None, names.subject), seen, mend)], names
        )
    model, notes = nested_model(rows, spread=spread, names=names, level=level)
    return _comparison(rows, model, control, names, [*rows.missing_note(), *notes, *model_notes(model, rows.groups)])


def nested_model(
    rows: Rows, /, *, spread: str = "per group", names: ColumnNames = PLAIN, level: float = 0.95
) -> tuple[MixedModel, list[str]]:
    """The model of `mixed_comparison`, with notes on its choice.

    Parameters
    ----------
    rows : Rows
        Checked columns.
    spread, names, level
        As there.

    Returns
    -------
    tuple of MixedModel and list of str
    """
    fixed, notes = _fixed(rows, names)
    terms = [*subject_terms(rows, names, spread), *nested_term(rows, names)]
    return fitted(rows, fixed, terms, names, level), notes


def fitted(
    rows: Rows, fixed: FixedPart, terms: Sequence[RandomTerm], names: ColumnNames, level: float, /
) -> MixedModel:
    """Fit a model to checked rows; InputError where it fits them exactly."""
    try:
        return fit_mixed_model(rows.values, fixed, terms, unit=names.unit, level=level, released=True)
    except NothingLeftError as error:
        seen = f"the model fits every value of a {names.subject} exactly."
        mend = f"Are rows copies of each other? Average the rows of each {names.subject}, and compare the means."
        finding = Finding("compare.no-residual", Severity.ERROR, Place(names.file, None, names.value), seen, mend)
        raise InputError(f"no mixed model can be fitted: {error}", (finding,)) from error


def _check_control(rows: Rows, control: str, spread: str, names: ColumnNames) -> None:
    if spread not in ("per group", "equal"):
        raise ValueError(f"spread is 'per group' or 'equal', got {spread!r}")
    if control and control not in rows.levels:
        seen = f"there is no group {control!r}."
        mend = f"Groups are: {', '.join(rows.levels)}."
        place = Place(names.file, None, names.group)
        raise InputError(
            f"the control {control!r} is no group", (Finding("compare.no-control", Severity.ERROR, place, seen, mend),)
        )


def _fixed(rows: Rows, names: ColumnNames) -> tuple[FixedPart, list[str]]:
    variables: list[Variable] = [Factor(names.group, rows.groups, rows.levels)]
    terms = [(names.group,)]
    notes = []
    if rows.nested and shared_labels(rows):
        variables.append(Factor(names.nested, rows.nested))
        terms.append((names.nested,))
        notes.append(f"{names.nested} is a fixed effect beside the group, since all subjects have the same.")
    return fixed_part(variables, terms), notes


def subject_terms(rows: Rows, names: ColumnNames, spread: str, /) -> list[RandomTerm]:
    """Random intercept of subjects; one term per group where each may spread in its own way."""
    if spread == "equal":
        return [RandomTerm(names.subject, rows.subjects)]
    own = np.asarray(rows.groups, dtype=object)
    return [
        RandomTerm(
            f"{names.subject} in {level}",
            rows.subjects,
            "intercept",
            (own == level).astype(np.float64),
            intercept=False,
        )
        for level in rows.levels
    ]


def nested_term(rows: Rows, names: ColumnNames, /) -> list[RandomTerm]:
    """Random intercept of what is nested, where it was measured more than once."""
    if not rows.nested:
        return []
    labels = nested_labels(rows.subjects, rows.nested)
    distinct = len(set(labels))
    if distinct == len(labels) or distinct == len(set(rows.subjects)):
        return []
    return [RandomTerm(f"{names.subject}:{names.nested}", labels)]


def model_notes(model: MixedModel, labels: Sequence[object], /) -> list[str]:
    """What a reader must know of a fit: how it was made, singular parts, unequal residuals."""
    notes = ["Kenward-Roger F and degrees of freedom of a linear mixed model fitted by restricted likelihood (REML)."]
    empty = [f"{c.term} ({c.name})" for c in model.components if c.at_boundary]
    if empty:
        note = f"Singular fit: {', '.join(empty)} lies on the edge of what is possible. The term is kept, so that the test "
        note += "still counts subjects and not rows."
        if all(len(piece.names) == 1 for piece in model.problem.random.pieces):
            note += " For the test a variance of 0 may be negative: held at 0 it would find too little."
        notes.append(note)
    if not model.converged:
        notes.append("The search for the variances did not settle: take these numbers with care.")
    if not model.inference.exact:
        notes.append("The variances cannot all be told apart; degrees of freedom rest on those that can.")
    ratio = spread_ratio(model, labels)
    if ratio > WIDER:
        notes.append(
            f"Residuals spread {ratio:.1f} times as widely in one group as in another; consider another scale, such as the logarithm."
        )
    return notes


def _comparison(
    rows: Rows, model: MixedModel, control: str, names: ColumnNames, notes: Sequence[str]
) -> MixedComparison:
    test = model.term_test((names.group,))
    pairs, post_hoc = _pairs(model, rows, control, names)
    effect = omega_squared(max(test.statistic, 0.0), test.df[0], test.df[1], sum(rows.n), level=model.level)
    nested = (names.nested,) if rows.nested else ("repeat",)
    design = Design(
        names.experimental_unit, rows.levels, rows.n, rows=len(rows.values), nested=nested, exclusions=rows.exclusions
    )
    comparison = Comparison(
        endpoint=names.endpoint or names.value, unit=names.unit, experimental_unit=names.experimental_unit,
        test="linear mixed model, Kenward-Roger F", statistic=test.statistic, df1=test.df[0], df2=test.df[1], p=test.p,
        groups=tuple(_summary(model, rows, group, names) for group in rows.levels), pairs=pairs, post_hoc=post_hoc,
        notes=tuple(notes), effect_size=effect, design=design,
        tests=(test, *lone_tests(random_term_tests(rows.values, model)), *residual_checks(model)),
    )  # fmt: skip
    return MixedComparison(comparison, profile_intervals(model), intraclass_correlations(model))


def lone_tests(tests: Sequence[TestResult], /) -> tuple[TestResult, ...]:
    """Tests with a statistic."""
    return tuple(test for test in tests if math.isfinite(test.statistic))


def _summary(model: MixedModel, rows: Rows, group: str, names: ColumnNames) -> GroupSummary:
    means = []
    own = np.asarray(rows.subjects, dtype=object)
    for subject in rows.subjects_of(group):
        means.append(float(rows.values[own == subject].mean()))
    mean = model.contrast(group, model.fixed.row({names.group: group}))
    return GroupSummary(group, len(means), tuple(means), (False,) * len(means), mean.estimate)


def _pairs(model: MixedModel, rows: Rows, control: str, names: ColumnNames) -> tuple[tuple[PairDifference, ...], str]:
    pairs = pairs_of(rows.levels, control)
    differences = np.array([difference_row(model.fixed, names.group, a, b) for a, b in pairs])
    tests = [model.contrast(f"{a} - {b}", row) for (a, b), row in zip(pairs, differences, strict=True)]
    if len(pairs) == 1:
        return (PairDifference(*pairs[0], tests[0].estimate, tests[0].p),), "Kenward-Roger t"
    if not control:
        found = [tukey_pair(test, len(rows.levels), model.level) for test in tests]
        made = tuple(PairDifference(a, b, *one) for (a, b), one in zip(pairs, found, strict=True))
        return made, "Tukey-Kramer with Kenward-Roger standard errors and degrees of freedom"
    correlation = contrast_correlation(model, differences)
    df = min(test.df for test in tests)
    factor = simultaneous_factor(correlation, df, model.level)
    method = "against the control, multivariate t with Kenward-Roger degrees of freedom"
    against = []
    for (a, b), test in zip(pairs, tests, strict=True):
        value, half = test.estimate.value, factor * test.estimate.sd
        estimate = Estimate(value, test.estimate.sd, value - half, value + half, model.level, names.unit, method)
        against.append(PairDifference(a, b, estimate, single_step_p(abs(test.statistic), correlation, df, test.p)))
    return tuple(against), method


def difference_row(fixed: FixedPart, factor: str, a: str, b: str, /, **setting: str | float | Array) -> Array:
    """Coefficients of the difference of two levels of a factor, at a setting of the others."""
    return fixed.row({factor: a, **setting}) - fixed.row({factor: b, **setting})
