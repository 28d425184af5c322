"""What a study asks of its animals beside the comparison of arms on one day: courses, onsets, relations, and all p together."""

import math
from dataclasses import dataclass

from lampyris.core.design import Design, TestResult
from lampyris.core.estimate import Estimate
from lampyris.core.onset import OnsetResult


@dataclass(frozen=True, slots=True)
class AnimalCourse:
    """One animal's values over days.

    Parameters
    ----------
    animal, group : str
    days, values : tuple of float
        By day.
    below : tuple of bool
        Whether a value is a limit that the true one lies below.
    """

    animal: str
    group: str
    days: tuple[float, ...]
    values: tuple[float, ...]
    below: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class DayMean:
    """Mean of an arm on a day, as the model gives it.

    Parameters
    ----------
    group : str
    day : float
        Days since inoculation.
    n : int
        Animals of the arm that the model has on that day; of all days where time is a straight line.
    mean : Estimate
    """

    group: str
    day: float
    n: int
    mean: Estimate


@dataclass(frozen=True, slots=True)
class DayDifference:
    """Difference of two arms on a day.

    Parameters
    ----------
    a, b : str
        The arms.
    day : float
        NaN for a difference of slopes.
    difference : Estimate
        a minus b; the interval is for this difference alone.
    p_alone, p : float
        Before and after adjustment for all differences of the table.
    method : str
        How p was adjusted.
    """

    a: str
    b: str
    day: float
    difference: Estimate
    p_alone: float
    p: float
    method: str


@dataclass(frozen=True, slots=True)
class OverTime:
    """The course of an endpoint over days, compared between arms by a mixed model.

    Parameters
    ----------
    endpoint, unit : str
        What is compared.
    model : str
        The model in words; empty where none was fitted, and `notes` say why.
    design : Design
    tests : tuple of TestResult
        The interaction of arm and day first, which is the answer; empty where none.
    means : tuple of DayMean
    differences : tuple of DayDifference
    courses : tuple of AnimalCourse
        Of every animal, limits included, whether the model has them or not.
    p_adjusted : float
        p of the answer, adjusted for all endpoints of the study; NaN where there is none.
    notes : tuple of str
        What a reader must know.
    """

    endpoint: str
    unit: str
    model: str
    design: Design
    tests: tuple[TestResult, ...] = ()
    means: tuple[DayMean, ...] = ()
    differences: tuple[DayDifference, ...] = ()
    courses: tuple[AnimalCourse, ...] = ()
    p_adjusted: float = math.nan
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """Two endpoints of the same animals, correlated.

    Parameters
    ----------
    x, y : str
        The two endpoints, with their units in brackets.
    group : str
        Arm; empty where the animals of all arms were taken together with the arms' means removed.
    r : Estimate
        Coefficient with its interval.
    tests : tuple of TestResult
        The answer first.
    p_adjusted : float
        p of the answer, adjusted for all relations of the study.
    animals, groups : tuple of str
        Animals behind it and their arms.
    x_values, y_values : tuple of float
        As `animals`.
    influence : str
        What leaving out one animal does, in words.
    design : Design
    notes : tuple of str
        What a reader must know.
    """

    x: str
    y: str
    group: str
    r: Estimate
    tests: tuple[TestResult, ...]
    p_adjusted: float
    animals: tuple[str, ...]
    groups: tuple[str, ...]
    x_values: tuple[float, ...]
    y_values: tuple[float, ...]
    influence: str
    design: Design
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What was correlated, and in which animals."""
        return f"{self.y} with {self.x}, {self.group or 'within arms'}"


@dataclass(frozen=True, slots=True)
class StudyTest:
    """One answer among all that the study's data gave.

    Parameters
    ----------
    family : str
        Questions that were asked together: ``endpoints``, ``organs``, ``relations``.
    question : str
        What was asked.
    test : str
        Name of the test.
    p : float
        Its exact p.
    p_family : float
        Adjusted for its family.
    p_all : float
        Adjusted by Holm's method for every test of the list.
    primary : bool
        Stated in advance as the primary endpoint.
    """

    family: str
    question: str
    test: str
    p: float
    p_family: float
    p_all: float
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Analyses:
    """All of them.

    Parameters
    ----------
    over_time : tuple of OverTime
    onsets : tuple of OnsetResult
        Any organ first, then per organ.
    relations : tuple of Relation
    family : tuple of StudyTest
        Every answer of the study, comparisons included, with its adjusted p.
    """

    over_time: tuple[OverTime, ...] = ()
    onsets: tuple[OnsetResult, ...] = ()
    relations: tuple[Relation, ...] = ()
    family: tuple[StudyTest, ...] = ()
