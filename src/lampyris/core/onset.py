"""When an event came, in groups of animals: courses, tests and regressions, with the design that they stand on.

An onset that lies between two sessions is an interval ``(after, by]``; one that was not seen by the last session is open
upwards. Days are since inoculation unless the table says otherwise.
"""

from dataclasses import dataclass

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate


@dataclass(frozen=True, slots=True)
class OnsetArm:
    """One group's course.

    Parameters
    ----------
    group : str
    n : int
        Animals.
    events : int
        Animals in which the event came, on a known day or within a known interval.
    censored : int
        Animals in which it had not come when they were last looked at.
    days : tuple of float
        On which the course is given.
    free : tuple of Estimate
        Per day, the share of animals in which the event has not come yet, with a pointwise interval.
    at_risk : tuple of int
        Per day, animals that are known to be under observation and without the event just before that day.
    median : Estimate
        Day by which it came in half of the animals; inf where that was not reached, NaN without animals.
    restricted_mean : Estimate
        Mean event-free time up to the horizon that its method names; NaN where it is not given.
    steps : tuple of (after, by, share)
        For intervals: where Turnbull's estimate puts the events; within one, their day is not known.
    median_within : (after, by) or None
        For intervals: the one in which half of the animals was reached, which is all that the data say of the median's day; its
        end is inf where half was not reached. None where days are known.
    """

    group: str
    n: int
    events: int
    censored: int
    days: tuple[float, ...]
    free: tuple[Estimate, ...]
    at_risk: tuple[int, ...]
    median: Estimate
    restricted_mean: Estimate
    steps: tuple[tuple[float, float, float], ...] = ()
    median_within: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class OnsetEffect:
    """What one covariate, or one group against the first, does to the onset.

    Parameters
    ----------
    term : str
        Such as ``dye against dots`` or ``weight_g``.
    ratio : Estimate
        Hazard ratio: above 1 the event comes sooner. inf or 0 where the data set no end to it.
    p : float
        Of a ratio of 1, by the test that the ratio's method names.
    time_ratio : Estimate or None
        Of the days until the event: above 1 it comes later; of the parametric models alone.
    """

    term: str
    ratio: Estimate
    p: float
    time_ratio: Estimate | None = None


@dataclass(frozen=True, slots=True)
class OnsetModel:
    """A regression of the onset.

    Parameters
    ----------
    name : str
        Such as ``Cox, Efron's ties`` or ``Weibull, interval-censored``.
    effects : tuple of OnsetEffect
        One per term.
    log_likelihood : float
        At the estimates; penalised where the name says so.
    shape : Estimate or None
        Shape of the parametric models: above 1 the hazard rises.
    tests : tuple of TestResult
        Likelihood ratio of the whole model, and checks of its assumptions.
    notes : tuple of str
        What a reader must know.
    """

    name: str
    effects: tuple[OnsetEffect, ...]
    log_likelihood: float
    shape: Estimate | None = None
    tests: tuple[TestResult, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnsetResult:
    """Time to an event, compared between groups.

    Parameters
    ----------
    event : str
        What came, such as ``metastasis in liver``.
    unit : str
        Of the times: ``d``.
    censoring : str
        ``interval`` or ``right``.
    arms : tuple of OnsetArm
        In the order of the groups.
    tests : tuple of TestResult
        The answer first; empty where none could be made, and `notes` say why.
    models : tuple of OnsetModel
        Regressions.
    design : Design
    p_adjusted : float
        p of the first test, adjusted for all events that were tested together; NaN where it was tested alone or not at all.
    notes : tuple of str
        What a reader must know.
    """

    event: str
    unit: str
    censoring: str
    arms: tuple[OnsetArm, ...]
    tests: tuple[TestResult, ...]
    models: tuple[OnsetModel, ...]
    design: Design
    p_adjusted: float = float("nan")
    notes: tuple[str, ...] = ()
