"""What the models of this room answer: nouns that carry their design."""

from dataclasses import dataclass

from lampyris.core.comparison import Comparison
from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """How the columns are called where a reader sees them.

    Parameters
    ----------
    value, group, subject, day, nested : str
        Names of the columns, for messages and for the design.
    endpoint : str
        What is compared; the name of the value's column where empty.
    unit : str
        Unit of the values.
    experimental_unit : str
        What a subject is: "animal", "fish".
    file : str
        File the columns came from, for messages.
    lines : tuple of int
        Line of each row in the file; empty for 2, 3, ..., as below a header.
    """

    value: str = "value"
    group: str = "group"
    subject: str = "subject"
    day: str = "day"
    nested: str = "region"
    endpoint: str = ""
    unit: str = "1"
    experimental_unit: str = "animal"
    file: str = ""
    lines: tuple[int, ...] = ()


PLAIN = ColumnNames()


@dataclass(frozen=True, slots=True)
class CoefficientTest:
    """A fixed effect, or a linear combination of several, with Student's t.

    Parameters
    ----------
    name : str
        Name of the coefficient or contrast.
    estimate : Estimate
        Value with standard error and interval.
    statistic, df, p : float
        t, its degrees of freedom and two-sided p.
    """

    name: str
    estimate: Estimate
    statistic: float
    df: float
    p: float


@dataclass(frozen=True, slots=True)
class VarianceComponent:
    """A standard deviation or correlation of the random part.

    Parameters
    ----------
    term : str
        Random term: "animal", "animal:region", "residual".
    name : str
        "intercept", the covariate of a slope, "correlation" or "residual".
    estimate : Estimate
        Standard deviation (or correlation); the interval is that of the profile likelihood, NaN where not asked for.
    variance : float
        Its square; NaN for a correlation.
    at_boundary : bool
        Whether the estimate lies on the edge of what is possible: a variance of 0, a correlation of -1 or 1.
    """

    term: str
    name: str
    estimate: Estimate
    variance: float
    at_boundary: bool


@dataclass(frozen=True, slots=True)
class MarginalMean:
    """Mean that the model gives for a group, or for a group on a day, with all else held equal.

    Parameters
    ----------
    group : str
        The group.
    day : float
        The day; NaN where averaged over days.
    n : int
        Subjects of the group that were measured then (of all days where the day is a covariate).
    mean : Estimate
        With the model's standard error and interval; NaN where the data do not determine it.
    df : float
        Degrees of freedom of the interval.
    """

    group: str
    day: float
    n: int
    mean: Estimate
    df: float


@dataclass(frozen=True, slots=True)
class DayContrast:
    """Difference of two groups on one day.

    Parameters
    ----------
    a, b : str
        The groups.
    day : float
        The day; NaN for a difference of slopes or of means over all days.
    difference : Estimate
        a minus b; the interval is for this difference alone.
    statistic, df : float
        t and its degrees of freedom.
    p_alone, p : float
        Before and after adjustment for all contrasts of the table.
    method : str
        How p was adjusted.
    """

    a: str
    b: str
    day: float
    difference: Estimate
    statistic: float
    df: float
    p_alone: float
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happened in one group between two days.

    Parameters
    ----------
    group : str
        The group.
    day_from, day_to : float
        The days.
    difference : Estimate
        Later minus earlier; the interval is for this difference alone.
    statistic, df : float
        t and its degrees of freedom.
    p_alone, p : float
        Before and after adjustment for all changes of the table.
    method : str
        How p was adjusted.
    """

    group: str
    day_from: float
    day_to: float
    difference: Estimate
    statistic: float
    df: float
    p_alone: float
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What was measured in one subject, a mean per day, for the plot of single subjects.

    Parameters
    ----------
    subject, group : str
        Whose.
    days, values : tuple of float
        Days in order and the mean of the day's values.
    """

    subject: str
    group: str
    days: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LongitudinalComparison:
    """Groups compared over time by a linear mixed model.

    Parameters
    ----------
    endpoint, unit : str
        What is compared and in which unit.
    design : Design
        What it stands on.
    time : str
        "factor" where days are compared one by one, "covariate" where a straight line in time is.
    model : str
        The model in words.
    tests : tuple of TestResult
        Group x day first (the answer), then group and day, random terms, checks of residuals.
    means : tuple of MarginalMean
        Per group and day, in the order of groups, then days.
    pairs : tuple of DayContrast
        Differences of groups per day (and of slopes where time is a covariate).
    changes : tuple of Change
        Per group, from the first day to each later one; empty where time is a covariate.
    slopes : tuple of CoefficientTest
        Slope per group, where time is a covariate.
    components : tuple of VarianceComponent
        The random part.
    icc : tuple of (str, Estimate)
        Share of the variance that lies between subjects, and at each level below.
    traces : tuple of Trace
        Per subject.
    notes : tuple of str
        What a reader must know.
    """

    endpoint: str
    unit: str
    design: Design
    time: str
    model: str
    tests: tuple[TestResult, ...]
    means: tuple[MarginalMean, ...]
    pairs: tuple[DayContrast, ...]
    changes: tuple[Change, ...]
    slopes: tuple[CoefficientTest, ...]
    components: tuple[VarianceComponent, ...]
    icc: tuple[tuple[str, Estimate], ...]
    traces: tuple[Trace, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MixedComparison:
    """Groups compared with the subject as unit by a mixed model, and the model behind it.

    Parameters
    ----------
    comparison : Comparison
        As every comparison of groups: test, marginal means, pairs, notes, design.
    components : tuple of VarianceComponent
        The random part.
    icc : tuple of (str, Estimate)
        Share of the variance per level.
    """

    comparison: Comparison
    components: tuple[VarianceComponent, ...]
    icc: tuple[tuple[str, Estimate], ...]
