"""Answer of the search: candidates with their uncertainty, families that fail with the reason, and the line width."""

from dataclasses import dataclass

from lampyris.probe.design.families import Family
from lampyris.probe.design.prediction import Prediction
from lampyris.probe.design.targets import Targets


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dot that can meet the targets.

    Parameters
    ----------
    family : Family
        Its layers' materials, and who made such dots.
    reading : str
        ``particle`` where the wanted core diameter is that of all its layers, ``core`` where it is of the first alone, "" where
        none was asked for.
    prediction : Prediction
        Everything that is predicted of it.
    probability : float
        Chance that this very dot meets every target, from the spread of the parameters.
    reachable : float
        Chance that tuning what is free in the family, at the same size, gives the colour within its tolerance.
    chances : tuple of (str, float)
        Target by target.
    score : float
        By which candidates are ranked: the geometric mean of `reachable` and this dot's own chance, times the chances of the
        other targets, times the weight of how often such
        dots have been made, times their typical quantum yield over that of a good dot.
    remarks : tuple of str
        What to know before making it.
    """

    family: Family
    reading: str
    prediction: Prediction
    probability: float
    reachable: float
    chances: tuple[tuple[str, float], ...]
    score: float
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A family that fails, and why.

    Parameters
    ----------
    family : Family
    target : str
        Which target it misses.
    reason : str
        In a sentence, with the numbers.
    emission_nm : float
        Its nearest emission, NaN where none could be computed.
    bulk_limit_nm : float
        Longest emission of its core material at any size, NaN for a type II or an inverted gap.
    needed_nm : float
        Of a bare dot the diameter that would give the colour, NaN where none does.
    """

    family: Family
    target: str
    reason: str
    emission_nm: float
    bulk_limit_nm: float
    needed_nm: float


@dataclass(frozen=True, slots=True)
class DesignResult:
    """Answer of `design`.

    Parameters
    ----------
    targets : Targets
    candidates : tuple of Candidate
        Best first, as many as were asked for.
    viable_families : tuple of str
        Every family with a candidate, best first.
    rejected : tuple of Rejected
        In the order of the families' table.
    line_width : tuple of Prediction
        Whose widths are told: the best dot of each family, and bare CdTe of the wanted core for comparison.
    evaluated : int
        Structures whose colour was computed.
    notes : tuple of str
        Assumptions of the answer.
    """

    targets: Targets
    candidates: tuple[Candidate, ...]
    viable_families: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    line_width: tuple[Prediction, ...]
    evaluated: int
    notes: tuple[str, ...]
