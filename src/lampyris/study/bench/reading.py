"""Reading the files of a technique, so that one that fails does not stop the others."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from lampyris.core.bench import BenchRecord, BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.statistics.intervals import t_interval

T = TypeVar("T")


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


def with_role(sources: Sequence[BenchSource], role: str, /) -> tuple[BenchSource, ...]:
    """Sources of one role, in their order."""
    return tuple(source for source in sources if source.role == role)


def sample_of(name: str, /) -> str:
    """Name of a curve without what numbers its replicates.

    Examples
    --------
    >>> sample_of("QD810 rep 2"), sample_of("ICG-3"), sample_of("QD810"), sample_of("lot (2)")
    ('QD810', 'ICG', 'QD810', 'lot')
    """
    shown = re.sub(r"([\s_-]+(rep(licate)?|run|n|r|#)?[\s_.-]*\d{1,3}|\s*\(\d{1,3}\))$", "", name, flags=re.IGNORECASE)
    return shown or name


def mean_of_replicates(estimates: Sequence[Estimate], /) -> Estimate:
    """Mean of replicates with Student's interval; of a single one itself."""
    return estimates[0] if len(estimates) == 1 else t_interval([one.value for one in estimates], unit=estimates[0].unit)


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
        return records[0], f"1 of {what}"
    flags = tuple(sorted({flag for one in records for flag in one.flags}))
    names = list(dict.fromkeys(samples))
    if len(names) > 1:
        return BenchRecord("", "", {}, flags=flags), f"{len(records)} {what} of {len(names)} samples, each on its own"
    keys = [key for key in records[0].values if all(key in one.values for one in records)]
    values = {key: mean_of_replicates([one.values[key] for one in records]) for key in keys}
    words = {key: ", ".join(dict.fromkeys(one.words.get(key, "") for one in records)) for key in records[0].words}
    return BenchRecord(names[0], "", values, words=words, flags=flags), f"{len(records)} {what} of one sample"
