"""What techniques share: reading files so that one that fails does not stop the others, doubts, and replicates."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lampyris.core.bench import BenchRecord, BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.instruments import Spectrum
from lampyris.statistics.intervals import t_interval

T = TypeVar("T")
Told = tuple[str, bool, str, str]
"""A flag, whether it holds, what is seen, and the mend."""
ABSORBED = ("absorbance", "transmittance", "reflectance")
EMITTED = ("counts", "count_rate", "photon_flux", "irradiance")
"""Kinds of signal that a spectrum of the other sort does not have."""
_FEWEST_STEPS, _GAP_STEPS, _GAP_SHARE = 8, 6.0, 0.02
"""A gap is wider than so many usual steps, and than such a share of the whole; fewer steps show none."""
_REPEATS = 4
"""Readings of one and the same largest signal that noise does not make."""


class CurveError(ValueError):
    """A curve that cannot be evaluated.

    Parameters
    ----------
    seen : str
        What is wrong with it, as a clause.
    mend : str
        What to do, as a sentence; the technique's usual advice where empty.
    """

    def __init__(self, seen: str, mend: str = "", /) -> None:
        super().__init__(seen, mend)
        self.mend = mend

    def __str__(self) -> str:
        return str(self.args[0])


def mend_of(error: ValueError, usual: str, /) -> str:
    """What to do about a curve that cannot be evaluated: what its error says, else the usual."""
    return (isinstance(error, CurveError) and error.mend) or usual


def read_each(
    sources: Sequence[BenchSource], read: Callable[[Path, str], T], /
) -> tuple[list[tuple[BenchSource, T]], list[Finding]]:
    """What each file holds, and a finding for each that cannot be read.

    Parameters
    ----------
    sources : sequence of BenchSource
    read : callable
        Takes path and the file as the user knows it.

    Returns
    -------
    list of (BenchSource, T), list of Finding

    Raises
    ------
    ImageError
        If no file can be read.
    """
    found: list[tuple[BenchSource, T]] = []
    findings: list[Finding] = []
    for source in sources:
        try:
            found.append((source, read(source.path, source.file)))
        except ImageError as error:
            findings += error.findings or [remark(source.file, "instrument.file", str(error), "Mend the file.")]
    if sources and not found:
        raise ImageError("No file can be read.", findings)
    return found, findings


def remark(
    file: str, rule: str, seen: str, mend: str, /, *, severity: Severity = Severity.ERROR, column: str = ""
) -> Finding:
    """Finding of a file as a whole, or of one of its columns."""
    return Finding(rule, severity, Place(file, None, column), seen, mend)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What lowers trust in a curve: flags, each said once, with a finding.

    Parameters
    ----------
    technique : str
        With which the findings' rules begin.
    file : str
    findings : list of Finding
        Is added to.
    name : str
        Of the curve: a column of the file, with which each remark begins; "" for the file as a whole.
    flags : list of str
    """

    technique: str
    file: str
    findings: list[Finding]
    name: str = ""
    flags: list[str] = field(default_factory=list)

    def add(self, flag: str, seen: str, mend: str, severity: Severity = Severity.WARNING) -> None:
        """Say what is seen and how to mend it."""
        if flag in self.flags:
            return
        self.flags.append(flag)
        words = f"{self.name} {seen}".strip()
        self.findings.append(
            remark(self.file, f"{self.technique}.{flag}", words, mend, severity=severity, column=self.name)
        )

    def add_held(self, told: Iterable[Told], /, *, notes: Sequence[str] = ()) -> None:
        """Say of a table what holds; flags among `notes` inform only."""
        for flag, holds, seen, mend in told:
            if holds:
                self.add(flag, seen, mend, Severity.NOTE if flag in notes else Severity.WARNING)


def record_each(
    sources: Sequence[BenchSource],
    read: Callable[[Path, str], tuple[Spectrum, ...]],
    record: Callable[[Spectrum, list[Finding]], BenchRecord],
    /,
    *,
    rule: str,
    mend: str,
) -> tuple[list[BenchRecord], list[str], list[Finding]]:
    """A record of every curve in the files without a role; what cannot be read or evaluated becomes a finding.

    Parameters
    ----------
    sources : sequence of BenchSource
    read : callable
        Takes path and the file as the user knows it.
    record : callable
        Takes a curve and the findings, which it may add to; raises `ValueError`, or `CurveError` with a mend of
        its own, where it cannot evaluate the curve.
    rule, mend : str
        Of the finding of such a curve.

    Returns
    -------
    list of BenchRecord, list of str, list of Finding
        Records, the sample that each is of, and what was remarked.

    Raises
    ------
    ImageError
        If no file can be read.
    """
    found, findings = read_each(with_role(sources, ""), read)
    records: list[BenchRecord] = []
    samples: list[str] = []
    for source, curves in found:
        for curve in curves:
            try:
                made = record(curve, findings)
            except ValueError as error:
                seen = f"{curve.name}: {error}."
                findings.append(remark(curve.file, rule, seen, mend_of(error, mend), column=curve.name))
                continue
            doubts = Doubts(rule.partition(".")[0], curve.file, findings, curve.name, list(made.flags))
            doubt_reading(curve.words, doubts)
            records.append(replace(made, flags=tuple(doubts.flags)))
            samples.append(sample_key(source, made.name))
    return records, samples, findings


def doubt_reading(words: Mapping[str, str], doubts: Doubts, /) -> None:
    """Add to a record's doubts those of how its file was read, by the words of what it was made from."""
    apart, left = words.get("points disagree", ""), words.get("rows apart", "")
    hidden, computed = words.get("hidden cells", ""), words.get("columns computed", "")
    told = [
        ("points-disagree", bool(apart), f"has places of its axis that come again with another signal, and were averaged: {apart}.",
         "If they are scans of different samples, export each by itself."),
        ("rows-not-read", bool(left), f"is of the longest block of numbers; {left} more rows of numbers stand apart and were not read.",
         "Export each block as a file of its own."),
        ("hidden-cells", bool(hidden), f"is of a workbook that hides {hidden}: they were read like all others.",
         "Show them; delete what was put aside, or export what you mean as CSV."),
        ("columns-computed", bool(computed), f"stands beside columns that were computed, not measured, and were left out: {computed}.",
         "Give the other columns in a file of their own if they were measured."),
    ]  # fmt: skip
    doubts.add_held(told, notes=("columns-computed",))


def saturated(spectrum: Spectrum, given: float | None, /) -> bool:
    """Whether a signal reaches the detector's saturation: as given, else as the file says it."""
    limit = given if given is not None else spectrum.saturation
    return bool(not math.isnan(limit) and np.nanmax(spectrum.signal) >= limit)


def flat_topped(spectrum: Spectrum, /) -> bool:
    """Whether the largest reading is repeated, as by a detector that saturates, and by more than numbers are that were rounded."""
    signal = spectrum.signal[np.isfinite(spectrum.signal)]
    readings, times = np.unique(signal, return_counts=True)
    if not readings.size:
        return False
    # how many readings share a value elsewhere: 1 where numbers are not rounded
    usual = float(np.median([1, *times[:-1]]))
    top = signal == readings[-1]
    side_by_side = bool((top[:-2] & top[1:-1] & top[2:]).any())
    return bool(times[-1] >= _REPEATS * usual or (side_by_side and usual == 1.0))


def gap_of(axis: NDArray[np.float64], /) -> tuple[float, float] | None:
    """Ends of the widest stretch in which nothing was recorded, None where points lie about evenly.

    Examples
    --------
    >>> gap_of(np.array([*range(400, 500), *range(560, 600)], float)), gap_of(np.arange(400.0, 500.0))
    ((499.0, 560.0), None)
    """
    steps = np.diff(axis)
    if steps.size < _FEWEST_STEPS:
        return None
    at = int(np.argmax(steps))
    wide = steps[at] > max(_GAP_STEPS * float(np.median(steps)), _GAP_SHARE * float(axis[-1] - axis[0]))
    return (float(axis[at]), float(axis[at + 1])) if wide else None


def all_flags(records: Iterable[BenchRecord], /) -> tuple[str, ...]:
    """Flags that any of some records has, in order of the alphabet."""
    return tuple(sorted({flag for one in records for flag in one.flags}))


def with_role(sources: Sequence[BenchSource], role: str, /) -> tuple[BenchSource, ...]:
    """Sources of one role, in their order."""
    return tuple(source for source in sources if source.role == role)


def sample_key(source: BenchSource, name: str, /) -> str:
    """Which sample a curve of a file is of: as the file's row says, else by the curve's name.

    A row that says which replicate it is says with that that the others of its lot are the same sample.
    """
    return source.sample or ("replicates" if source.replicate else sample_of(name))


def sample_of(name: str, /) -> str:
    """Name of a curve without what numbers its replicates.

    Examples
    --------
    >>> sample_of("QD810 rep 2"), sample_of("ICG-3"), sample_of("QD810"), sample_of("lot (2)")
    ('QD810', 'ICG', 'QD810', 'lot')
    """
    shown = re.sub(r"([\s_-]+(rep(licate)?|run|n|r|#)?[\s_.-]*\d{1,3}|\s*\(\d{1,3}\))$", "", name, flags=re.IGNORECASE)
    return shown or name


def mean_of_replicates(estimates: Sequence[Estimate], /, *, least: float = -math.inf) -> Estimate:
    """Mean of replicates with Student's interval, cut at the least that the quantity can be; of a single one itself.

    NaN where a replicate has no value.

    Examples
    --------
    >>> runs = [Estimate(value, 0.05, 0.0, 0.6, 0.95, "1", "") for value in (0.1, 0.5)]
    >>> mean_of_replicates(runs).low < -1.0, mean_of_replicates(runs, least=0.0).low
    (True, 0.0)
    """
    if len(estimates) == 1:
        return estimates[0]
    missing = sum(not math.isfinite(one.value) for one in estimates)
    if missing:
        # a mean of the others would speak of those alone that were easy to measure
        told = f"{missing} of {len(estimates)} replicates have no value, so there is no mean"
        return Estimate.unknown(estimates[0].level, estimates[0].unit, told)
    mean = t_interval([one.value for one in estimates], unit=estimates[0].unit)
    return replace(mean, low=max(mean.low, min(least, mean.value)))


def over_replicates(records: Sequence[BenchRecord], samples: Sequence[str], what: str, /) -> tuple[BenchRecord, str]:
    """What records give together, and in words what was replicated.

    Parameters
    ----------
    records : sequence of BenchRecord
    samples : sequence of str
        Which sample each is of.
    what : str
        What a record is, in the plural, such as "spectra".

    Returns
    -------
    BenchRecord, str
        Means where all are of one sample; without values where they are of several, which have no mean.
    """
    if len(records) == 1:
        return records[0], f"{what}: 1"
    flags = all_flags(records)
    names = list(dict.fromkeys(samples))
    if len(names) > 1:
        return BenchRecord("", "", {}, flags=flags), f"{len(records)} {what} of {len(names)} samples, each on its own"
    keys = [key for key in records[0].values if all(key in one.values for one in records)]
    values = {key: mean_of_replicates([one.values[key] for one in records]) for key in keys}
    words = {key: ", ".join(dict.fromkeys(one.words.get(key, "") for one in records)) for key in records[0].words}
    return BenchRecord(names[0], "", values, words=words, flags=flags), f"{len(records)} {what} of one sample"
