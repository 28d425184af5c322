"""The bench of a study: what each technique gave of each probe and lot, and how that stands beside what study.toml says."""

from dataclasses import dataclass

from lampyris.core.bench import BenchResult
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding

POOLED = "(pooled)"
"""Sample of a number that speaks for all records together."""


@dataclass(frozen=True, slots=True)
class BenchNumber:
    """A number of the bench, as the table of results holds it.

    Parameters
    ----------
    technique, probe, lot : str
        What gave it, and of what; "" where nothing was said.
    sample : str
        Name of the record, `POOLED` for what the technique reports.
    file : str
        Of the record; "" where several were pooled.
    quantity : str
        Its key, such as ``peak_nm``; of a table's row ``TABLE.COLUMN``.
    number : int
        Which of several, from 1; 0 where there is one.
    label : str
        Words of a table's row, such as the name of an element; "" elsewhere.
    estimate : Estimate
    replicates : int
        Records behind it.
    replicated : str
        What they are, in words.
    flags : tuple of str
        Of its record.
    """

    technique: str
    probe: str
    lot: str
    sample: str
    file: str
    quantity: str
    number: int
    label: str
    estimate: Estimate
    replicates: int
    replicated: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BenchGroup:
    """A technique's result of one probe and lot.

    Parameters
    ----------
    probe, lot : str
        "" where nothing was said.
    result : BenchResult
        With its curves and pictures, thinned to what a figure shows.
    numbers : tuple of BenchNumber
        Every number in it, the pooled ones first.
    stem : str
        Name of its files.
    """

    probe: str
    lot: str
    result: BenchResult
    numbers: tuple[BenchNumber, ...]
    stem: str


@dataclass(frozen=True, slots=True)
class BenchLots:
    """A number over a probe's lots, whose spread is from batch to batch.

    Parameters
    ----------
    technique, probe, quantity : str
    lots : int
    mean : Estimate
        Of the lots' values, with Student's interval, widened as if all lots shared a lot's own error.
    sd : Estimate
        Between lots, the errors of measuring included.
    flagged : tuple of str
        Lots in the mean whose own number is flagged, each with its flags, such as ``L2: dust``.
    """

    technique: str
    probe: str
    quantity: str
    lots: int
    mean: Estimate
    sd: Estimate
    flagged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchStated:
    """A measured number beside what study.toml says of the probe.

    Parameters
    ----------
    technique, probe, lot, quantity : str
        `lot` is "" where lots were averaged or none was named.
    key : str
        Key of study.toml that states it.
    stated, stated_sd : float
        In the unit of `measured`; the standard uncertainty is 0 where none is stated.
    measured : Estimate
        What the bench gave.
    difference : Estimate
        Measured less stated, with both uncertainties.
    inside : bool or None
        Whether the interval of the difference holds 0; None where there is no interval.
    """

    technique: str
    probe: str
    lot: str
    quantity: str
    key: str
    stated: float
    stated_sd: float
    measured: Estimate
    difference: Estimate
    inside: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class StudyBench:
    """The bench of a study.

    Parameters
    ----------
    groups : tuple of BenchGroup
        By probe, technique in the order of `TECHNIQUES`, and lot.
    lots : tuple of BenchLots
        Of numbers of at least two lots.
    stated : tuple of BenchStated
    findings : tuple of Finding
        Of techniques that failed, and what the others remarked.
    failed : tuple of str
        Technique, probe and lot of each that gave no result, with the reason.
    """

    groups: tuple[BenchGroup, ...]
    lots: tuple[BenchLots, ...] = ()
    stated: tuple[BenchStated, ...] = ()
    findings: tuple[Finding, ...] = ()
    failed: tuple[str, ...] = ()
