"""The comparison of groups on one endpoint, with its design."""

from dataclasses import dataclass

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """An arm on one endpoint: the animals' values with mean and interval."""

    group: str
    n: int
    values: tuple[float, ...]
    censored: tuple[bool, ...]
    mean: Estimate


@dataclass(frozen=True, slots=True)
class PairDifference:
    """Post hoc comparison of two arms."""

    a: str
    b: str
    difference: Estimate
    p: float


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
