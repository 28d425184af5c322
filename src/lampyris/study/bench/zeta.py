"""Zeta potentials as files tell them: a value and its flag."""

import re
from pathlib import Path

import numpy as np

from lampyris.core.bench import BenchRecord, BenchSource
from lampyris.core.errors import ImageError, InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.io.data_tables.reading import read_table
from lampyris.io.instruments.correlators.zmes import read_zeta
from lampyris.statistics.intervals import t_interval
from lampyris.study.bench.reading import remark

STEADY_MV = 30.0
"""Potentials beyond are commonly taken to keep charged particles apart in water; a polymer coat needs none."""


def zeta_records(
    sources: tuple[BenchSource, ...], max_bytes: int, findings: list[Finding], /
) -> tuple[BenchRecord, ...]:
    """A record per file with its mean zeta potential; a file that fails becomes a finding.

    Parameters
    ----------
    sources : tuple of BenchSource
    max_bytes : int
        Largest file that is opened.
    findings : list of Finding
        Is added to.

    Returns
    -------
    tuple of BenchRecord
    """
    made = []
    for source in sources:
        try:
            values = _values(source.path, source.file, max_bytes)
        except (ImageError, InputError) as error:
            findings += error.findings or [remark(source.file, "dls.zeta", str(error), "Mend the file.")]
            continue
        if not values.size:
            findings.append(
                remark(source.file, "dls.zeta", "holds no zeta potential.", "Name a column 'Zeta potential (mV)'.")
            )
            continue
        one = t_interval(values, unit="mV") if values.size > 1 else _single(float(values[0]))
        flags = ("near-zero",) if abs(one.value) < STEADY_MV else ()
        if flags:
            seen = f"has a zeta potential of {one.value:.1f} mV: charge alone would not keep the dots apart."
            findings.append(
                remark(source.file, "dls.zeta", seen, "A neutral polymer coat is no fault.", severity=Severity.NOTE)
            )
        made.append(BenchRecord(source.sample or Path(source.file).stem, source.file, {"zeta_mv": one}, flags=flags))
    return tuple(made)


def _single(value: float) -> Estimate:
    nan = float("nan")
    return Estimate(value, nan, value, value, 0.95, "mV", "one reading: no interval")


def _values(path: Path, file: str, max_bytes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    with path.open("rb") as stream:
        database = stream.read(16) == b"SQLite format 3\0"
    if database:
        return np.array([one.zeta_mv for one in read_zeta(path, max_bytes=max_bytes, file=file)])
    table = read_table(path)
    name = next((one for one in table.columns if re.search(r"zeta", one, re.IGNORECASE)), None)
    if name is None:
        return np.array([])
    values = table.numbers(name)
    return np.asarray(values[np.isfinite(values)], np.float64)
