"""Reading the files of a technique, so that one that fails does not stop the others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from lampyris.core.bench import BenchSource
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding, Place, Severity

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
