"""What the methods checks say, and what a study states of what guidelines ask for."""

from dataclasses import dataclass
from enum import StrEnum

from lampyris.core.finding import Finding


class Outcome(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FIRED = "fired"
    NOT_APPLICABLE = "not applicable"


class Basis(StrEnum):
    """Where a check's threshold comes from."""

    STANDARD = "standard"
    CONVENTION = "convention"
    DERIVED = "derived"


class Stated(StrEnum):
    """Whether a study says what a guideline asks for."""

    YES = "stated"
    PARTLY = "partly stated"
    NO = "not stated"
    MANUSCRIPT = "for the manuscript"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    """One of the methods checks on one study.

    Parameters
    ----------
    check : str
        Its key: ``L01`` to ``L25``.
    title : str
        What it is about.
    outcome : Outcome
        Passed, fired, or why it does not apply.
    severity : str
        ``error``, ``warning`` or ``note`` where it fired; else empty. An error says that a conclusion does not hold as it
        stands; none stops the analysis of images.
    seen : str
        What it looked at and what it found.
    mend : str
        What to do; empty where nothing.
    where : str
        Place of the first finding; empty where nowhere.
    what, threshold : str
        The rule, and when it fires.
    basis : Basis
        Whether the threshold is a standard, a convention, or derived.
    why : str
        Why it matters.
    source : str
        Where it is written.
    findings : tuple of Finding
        Each place where it fired.
    """

    check: str
    title: str
    outcome: Outcome
    severity: str
    seen: str
    mend: str
    where: str
    what: str
    threshold: str
    basis: Basis
    why: str
    source: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportingItem:
    """An item of a reporting guideline, and what the study says to it.

    Parameters
    ----------
    guideline : str
        ``ARRIVE 2.0``, ``MIRIBEL`` or ``in vivo imaging (CIMI)``.
    item : str
        Its number.
    title : str
        What it is about.
    asks : str
        What is to be reported.
    state : Stated
        Whether the study states it.
    said : str
        What it says; empty where nothing.
    missing : str
        Where to write what is missing.
    source : str
        Where the item is written.
    """

    guideline: str
    item: str
    title: str
    asks: str
    state: Stated
    said: str
    missing: str
    source: str


@dataclass(frozen=True, slots=True)
class CorrelationRecord:
    """A correlation as it is to be reported.

    Parameters
    ----------
    name : str
        What with what.
    r : float
        Coefficient.
    low, high : float
        Its interval; NaN where none is given.
    n : int
        Pairs of values.
    units : int
        Independent units, such as animals, that the pairs come from; 0 where not known.
    x, y : tuple of float
        The values, where at hand.
    models_units : bool
        A form that allows several pairs of one unit, such as a repeated-measures correlation.
    claimed : bool
        It is said to be there. One that is not has neither sign nor significance that could hang on a single unit.
    groups : tuple of str
        Group of each pair, where the groups' means were removed from both values before r; empty where not.
    """

    name: str
    r: float
    low: float
    high: float
    n: int
    units: int
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    models_units: bool = False
    claimed: bool = True
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PercentRecord:
    """A mean of shares of a whole, each from 0 to 100, with its standard deviation.

    Parameters
    ----------
    name : str
        What it is.
    mean, sd : float
        In per cent.
    n : int
        Values; 0 where not known.
    place : str
        Dotted key, or file and column, where it stands.
    """

    name: str
    mean: float
    sd: float
    n: int
    place: str
