"""Release curves out of tables: columns found by name, units by their endings, and every fault with its place."""

import argparse
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lampyris.cli.relations.columns import Columns, complete_rows
from lampyris.cli.tables import rows_where, table_read
from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables import DataTable
from lampyris.probe.release import ReleaseProfile

HOURS = {"h": 1.0, "hours": 1.0, "min": 1 / 60, "minutes": 1 / 60, "s": 1 / 3600, "d": 24.0, "days": 24.0}
"""Hours in a unit that a column of time may end with."""

NAMES = {
    "time": ("time_h", "time_min", "time_d", "time_s", "hours", "minutes", "days", "time"),
    "released": ("released_percent", "released_fraction", "released", "cumulative_release_percent", "release_percent"),
    "vessel": ("vessel", "replicate", "unit"),
    "formulation": ("formulation", "sample", "lot"),
    "condition": ("ph", "condition", "medium"),
}
"""Names by which a column is found where no option says one, in any case."""

LOWEST, HIGHEST = -5.0, 110.0
"""Percent released beyond which a value is an error; below 0 and above 100 it is a warning."""

FALLS = 5.0
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A release curve with where it comes from.

    Parameters
    ----------
    profile : ReleaseProfile
    formulation, condition : str
    acidity : float
        pH where the condition is one, else NaN.
    file : str
    """

    profile: ReleaseProfile
    formulation: str
    condition: str
    acidity: float
    file: str


@dataclass(frozen=True, slots=True)
class Curves:
    """All curves of some tables.

    Parameters
    ----------
    curves : tuple of Curve
    findings : tuple of Finding
        Warnings of the rows.
    notes : tuple of str
        What was found or guessed while reading.
    """

    curves: tuple[Curve, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def read_curves(paths: Sequence[Path], options: argparse.Namespace, /) -> Curves:
    """Every curve of the tables: one per file, formulation and condition.

    Raises
    ------
    InputError
        With every fault of all tables.
    """
    curves: list[Curve] = []
    findings: list[Finding] = []
    notes: list[str] = []
    faults: list[Finding] = []
    for path in paths:
        try:
            found = _table_curves(path, options)
        except InputError as error:
            faults += error.findings
            continue
        curves += found.curves
        findings += found.findings
        notes += [f"{path.name}: {note}" if len(paths) > 1 else note for note in found.notes]
    names = [one.profile.name for one in curves]
    for name in dict.fromkeys(one for one in names if names.count(one) > 1):
        seen = f"the curve {name!r} stands in several files."
        faults.append(
            _finding("release.curve-twice", Place(), seen, "Name formulations apart, or give one file per curve.")
        )
    if faults:
        raise InputError(f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in the release data", faults)
    held = [vessel for one in curves for vessel in one.profile.vessels]
    if len(set(held)) < len(held):
        notes.append("vessels of the same name in several curves are taken as different vessels.")
    return Curves(tuple(curves), tuple(findings), tuple(notes))


def _table_curves(path: Path, options: argparse.Namespace) -> Curves:
    table = table_read(path, options)
    for condition in options.where:
        table = rows_where(table, condition)
    named = {key: _column(table, key, getattr(options, key)) for key in NAMES}
    missing = [key for key in ("time", "released") if not named[key]]
    if missing:
        raise InputError(
            f"{table.file}: no column of {' and '.join(missing)}", [_no_column(table, key) for key in missing]
        )
    words = [named[key] for key in ("formulation", "condition") if named[key]]
    rows = complete_rows(table, [named["time"], named["released"]], words, subject=named["vessel"])
    hours, told = _hours(rows, named["time"])
    released, also = _percent(rows, named["released"])
    faults = _value_faults(rows, named, hours, released)
    curves = []
    for formulation, condition, places in _groups(rows, named, path.stem):
        name, acidity = _curve_name(formulation, condition, named["condition"])
        vessel = [rows.words[named["vessel"]][k] for k in places] if named["vessel"] else _lone(hours[places])
        faults += _curve_faults(rows, named, name, places, vessel, hours)
        if not faults:
            order = np.lexsort((hours[places], np.array([vessel.index(one) for one in vessel])))
            chosen = np.array(places)[order]
            profile = ReleaseProfile(name, hours[chosen], released[chosen], tuple(vessel[k] for k in order))
            curves.append(Curve(profile, formulation, condition, acidity, table.file))
            faults += _flat(profile, table.file, named["released"])
    errors = [one for one in faults if one.severity is Severity.ERROR]
    if errors:
        raise InputError(f"{table.file}: {len(errors)} fault{'s' if len(errors) > 1 else ''}", errors)
    findings = [*told[1], *also, *_warnings(rows, named, hours, released)]
    return Curves(tuple(curves), tuple(findings), (*rows.notes, *told[0]))


def _column(table: DataTable, key: str, asked: str) -> str:
    """Column of a kind: the one that is asked for, or the first of its usual names."""
    if asked:
        table.words(asked)
        return asked
    folded = {name.casefold(): name for name in table.columns}
    return next((folded[name] for name in NAMES[key] if name in folded), "")


def _no_column(table: DataTable, key: str) -> Finding:
    seen = f"there is no column of {key}; its usual names are {', '.join(NAMES[key])}."
    return _finding(
        "release.no-column", Place(table.file), seen, f"Say --{key} COLUMN. Columns are: {', '.join(table.columns)}."
    )


def _hours(rows: Columns, name: str) -> tuple[np.ndarray, tuple[list[str], list[Finding]]]:
    """Times in hours by the ending of the column's name."""
    ending = re.split(r"[_\s(\[]+", name.casefold().rstrip(")]"))[-1]
    if ending in HOURS:
        told = [] if HOURS[ending] == 1.0 else [f"times of column {name!r} are turned into hours."]
        return rows.values[name] * HOURS[ending], (told, [])
    return rows.values[name].copy(), ([f"column {name!r} says no unit: its times are taken as hours."], [])


def _percent(rows: Columns, name: str) -> tuple[np.ndarray, list[Finding]]:
    values = rows.values[name]
    if name.casefold().endswith(("fraction", "share")):
        return 100.0 * values, []
    if values.size and 0 < values.max() <= 1.2:
        seen = f"the largest value is {values.max():g}, and it is taken as percent."
        mend = "If these are fractions, call the column released_fraction."
        return values.copy(), [_warning("release.fraction", Place(rows.table.file, None, name), seen, mend)]
    return values.copy(), []


def _lone(hours: np.ndarray) -> list[str]:
    """Vessels where no column names them: one where no time repeats, else unknown."""
    return ["1" if np.unique(hours).size == hours.size else ""] * hours.size


def _groups(rows: Columns, named: dict[str, str], stem: str) -> list[tuple[str, str, list[int]]]:
    """Rows of each formulation and condition, in the order of the table."""
    count = len(rows.rows)
    formulations = rows.words[named["formulation"]] if named["formulation"] else (stem,) * count
    conditions = rows.words[named["condition"]] if named["condition"] else ("",) * count
    found: dict[tuple[str, str], list[int]] = {}
    for k, key in enumerate(zip(formulations, conditions, strict=True)):
        found.setdefault(key, []).append(k)
    return [(*key, places) for key, places in found.items()]


def _curve_name(formulation: str, condition: str, column: str) -> tuple[str, float]:
    acidity = math.nan
    if column.casefold() == "ph":
        try:
            acidity = float(condition.replace(",", "."))
        except ValueError:
            acidity = math.nan
        condition = f"pH {condition}"
    return ", ".join(part for part in (formulation, condition) if part), acidity


def _value_faults(rows: Columns, named: dict[str, str], hours: np.ndarray, released: np.ndarray) -> list[Finding]:
    file, faults = rows.table.file, []
    for line, time, share in zip(rows.lines(), hours, released, strict=True):
        if time < 0:
            seen = f"a time of {time:g} h lies before the start."
            faults.append(
                _finding(
                    "release.time", Place(file, line, named["time"]), seen, "Times count from the start of the release."
                )
            )
        if not LOWEST <= share <= HIGHEST:
            seen = f"{share:g} % released is outside {LOWEST:g} to {HIGHEST:g} %."
            mend = (
                "Give cumulative percent of the drug that was put in, corrected for samples taken; a column of fractions is called "
                "released_fraction."
            )
            faults.append(_finding("release.range", Place(file, line, named["released"]), seen, mend))
    return faults[:_MOST_NAMED]


def _curve_faults(
    rows: Columns, named: dict[str, str], name: str, places: Sequence[int], vessel: Sequence[str], hours: np.ndarray
) -> list[Finding]:
    file, lines, faults = rows.table.file, rows.lines(), []
    seen_at: dict[tuple[str, float], int] = {}
    for k, one in zip(places, vessel, strict=True):
        key = (one, float(hours[k]))
        if one and key in seen_at:
            seen = f"vessel {one!r} of {name} has a second value at {hours[k]:g} h; the first is in row {seen_at[key]}."
            mend = "Keep one value per vessel and time (the mean of repeated readings), or name vessels apart."
            faults.append(_finding("release.vessel-twice", Place(file, lines[k], named["vessel"]), seen, mend))
        seen_at.setdefault(key, lines[k])
    times = len({float(hours[k]) for k in places if hours[k] > 0})
    if times < 4:
        seen = f"{name} has {times} time{'s' if times != 1 else ''} after 0, and a release curve needs 4."
        faults.append(
            _finding(
                "release.too-few", Place(file, None, named["time"]), seen, "Measure more times, most of them early."
            )
        )
    return faults[:_MOST_NAMED]


def _flat(profile: ReleaseProfile, file: str, column: str) -> list[Finding]:
    later = profile.released[profile.time_h > 0]
    if np.ptp(later) > 0:
        return []
    seen = f"{profile.name} releases {later[0]:g} % throughout: there is no curve to fit."
    return [_finding("release.all-equal", Place(file, None, column), seen, "Leave this curve out with --where.")]


def _warnings(rows: Columns, named: dict[str, str], hours: np.ndarray, released: np.ndarray) -> list[Finding]:
    """Values that no release can have but that a measurement may."""
    file, lines, column = rows.table.file, rows.lines(), named["released"]
    found = []
    for beyond, words in ((released > 100, "above 100"), (released < 0, "below 0")):
        if beyond.any():
            worst = int(np.argmax(np.abs(released - 50) * beyond))
            seen = f"{int(beyond.sum())} values lie {words} %, the farthest at {released[worst]:g} %; they are kept."
            mend = "Check the total that was put in, and the correction for samples taken."
            found.append(_warning("release.beyond", Place(file, lines[worst], column), seen, mend))
    at_start = np.flatnonzero((hours == 0) & (np.abs(released) > 1.0))
    if at_start.size:
        k = int(at_start[0])
        seen = f"{released[k]:g} % are out at time 0; points at time 0 are not fitted."
        found.append(
            _warning(
                "release.start",
                Place(file, lines[k], column),
                seen,
                "Drug that was free from the start is no release: take it off the total.",
            )
        )
    vessels = rows.words[named["vessel"]] if named["vessel"] else ()
    falls = 0
    first = -1
    for _, _, places in _groups(rows, named, ""):
        for vessel in dict.fromkeys(vessels[k] for k in places) if vessels else ():
            own = sorted((k for k in places if vessels[k] == vessel), key=lambda k: hours[k])
            drops = [k for before, k in itertools.pairwise(own) if released[k] < released[before] - FALLS]
            falls += len(drops)
            first = drops[0] if drops and first < 0 else first
    if falls:
        seen = f"release falls by more than {FALLS:g} % from one time to the next in {falls} place{'s' if falls > 1 else ''}, first here."
        mend = "Cumulative release cannot fall: look for drug that decays or precipitates, or for samples that were exchanged."
        found.append(_warning("release.falls", Place(file, lines[first], column), seen, mend))
    return found


def _finding(rule: str, place: Place, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.ERROR, place, seen, mend)


def _warning(rule: str, place: Place, seen: str, mend: str) -> Finding:
    return Finding(rule, Severity.WARNING, place, seen, mend)
