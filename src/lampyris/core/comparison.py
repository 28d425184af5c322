"""The comparison of groups on one endpoint, with its design."""

import math
from dataclasses import dataclass

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """An arm on one endpoint: the animals' values with mean and interval.

    Parameters
    ----------
    group : str
        Name of the arm.
    n : int
        Experimental units.
    values : tuple of float
        One per unit; empty where only mean, standard deviation and n are known.
    censored : tuple of bool
        Whether a value is a detection limit, as `values`: the true one lies below it.
    mean : Estimate
        Mean with its interval; `sd` is the standard error.
    sd : float
        Standard deviation of the units (divisor n - 1); NaN where unknown.
    units : tuple of str
        Names of the units, as `values`; empty where they have none.
    letters : str
        Compact letters: arms without a common letter differ, those with one were not told apart; "" where not obtained.
    above : tuple of bool
        Whether the true value lies above a censored one, as of a ratio to a limit; as `values`, empty where none does.
    """

    group: str
    n: int
    values: tuple[float, ...]
    censored: tuple[bool, ...]
    mean: Estimate
    sd: float = math.nan
    units: tuple[str, ...] = ()
    letters: str = ""
    above: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class PairDifference:
    """Post hoc comparison of two arms.

    Parameters
    ----------
    a, b : str
        The two arms.
    difference : Estimate
        a minus b, with an interval that is simultaneous where the method adjusts for all pairs.
    p : float
        Adjusted as `method` says.
    method : str
        Procedure and adjustment, such as "Games-Howell" or "Dunn, Holm".
    statistic, df : float
        Statistic behind p and its degrees of freedom; NaN where it has none.
    effect_size : Estimate or None
        Standardised mean difference with interval (Hedges g), not adjusted for the number of pairs.
    superiority : Estimate or None
        Probability that a unit of a exceeds one of b, ties counted half, with interval.
    ratio : Estimate or None
        a divided by b, with interval, where all values are above 0.
    """

    a: str
    b: str
    difference: Estimate
    p: float
    method: str = ""
    statistic: float = math.nan
    df: float = math.nan
    effect_size: Estimate | None = None
    superiority: Estimate | None = None
    ratio: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Group comparison that carries its design.

    Parameters
    ----------
    endpoint : str
        What is compared, e.g. "log10 total lesion flux on the last day".
    unit : str
        Unit of the values.
    experimental_unit : str
        What was replicated: "animal".
    test : str
        Name of the test; empty where none could be made.
    statistic, df1, df2, p : float
        Its result; NaN where none.
    groups : tuple of GroupSummary
        Per arm.
    pairs : tuple of PairDifference
        Post hoc comparisons.
    post_hoc : str
        Name of the post hoc procedure.
    notes : tuple of str
        What a reader must know: censored values, small n, exclusions.
    effect_size : Estimate or None
        omega squared with interval, where obtained.
    design : Design or None
        What the comparison stands on.
    tests : tuple of TestResult
        Every test made: the answer first, then the checks of its assumptions and what is shown beside it.
    effects : tuple of Estimate
        Further effect sizes over all arms, each named by its method (eta squared, epsilon squared of ranks).
    p_adjusted : float
        p adjusted for the number of endpoints; NaN where it was not.
    adjustment : str
        How, and over how many endpoints.
    warnings : tuple of Finding
        What a reviewer would object to, each with what to do.
    """

    endpoint: str
    unit: str
    experimental_unit: str
    test: str
    statistic: float
    df1: float
    df2: float
    p: float
    groups: tuple[GroupSummary, ...]
    pairs: tuple[PairDifference, ...]
    post_hoc: str
    notes: tuple[str, ...] = ()
    effect_size: Estimate | None = None
    design: Design | None = None
    tests: tuple[TestResult, ...] = ()
    effects: tuple[Estimate, ...] = ()
    p_adjusted: float = math.nan
    adjustment: str = ""
    warnings: tuple[Finding, ...] = ()
