"""The spread that a pilot table or an earlier study's results hold."""

import math
from dataclasses import dataclass
from pathlib import Path

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.data_tables import DataTable, read_table

COMPARISONS = "comparisons.csv"


@dataclass(frozen=True, slots=True)
class PilotSummary:
    """Groups of a pilot.

    Parameters
    ----------
    source : str
        Where they come from, for a reader.
    groups : tuple of str
    n : tuple of int
        Experimental units per group.
    sd : tuple of float
        Spread within each group; NaN for one unit.
    notes : tuple of str
    """

    source: str
    groups: tuple[str, ...]
    n: tuple[int, ...]
    sd: tuple[float, ...]
    notes: tuple[str, ...] = ()


def pilot_summary(table: DataTable, /, *, value: str, group: str = "", subject: str = "") -> PilotSummary:
    """Spread within the groups of a pilot table.

    Parameters
    ----------
    table : DataTable
        A row per unit, or several per subject, which are averaged first.
    value : str
        Column of the values.
    group, subject : str
        Columns; "" where there is none.

    Returns
    -------
    PilotSummary

    Raises
    ------
    InputError
        If a value is no number, or a subject is in two groups.
    """
    values = table.numbers(value)
    groups = table.words(group) if group else ("all",) * len(table)
    subjects = table.words(subject) if subject else tuple(map(str, table.lines))
    rows: dict[tuple[str, str], list[float]] = {}
    group_of: dict[str, str] = {}
    faults = []
    for line, one, its_group, its_subject in zip(table.lines, values, groups, subjects, strict=True):
        if group_of.setdefault(its_subject, its_group) != its_group:
            seen = f"{subject} {its_subject} is in {group_of[its_subject]} and in {its_group}."
            place = Place(table.file, line, group)
            mend = f"A {subject} has one group; mend the rows."
            faults.append(Finding("pilot.subject-in-two-groups", Severity.ERROR, place, seen, mend))
        if not math.isnan(one):
            rows.setdefault((its_group, its_subject), []).append(float(one))
    if faults:
        raise InputError(f"{table.file} cannot be read as a pilot", faults)
    averaged = sum(len(own) > 1 for own in rows.values())
    notes = (f"{averaged} units had several values, which were averaged.",) if averaged else ()
    names = tuple(dict.fromkeys(groups))
    means = {name: [math.fsum(own) / len(own) for (its, _), own in rows.items() if its == name] for name in names}
    sd = tuple(_sd(means[name]) for name in names)
    return PilotSummary(
        f"{table.file}, column {value}", names, tuple(len(means[name]) for name in names), sd, (*table.notes, *notes)
    )


def _sd(values: list[float]) -> float:
    if len(values) < 2:
        return math.nan
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))


def study_summary(results: Path | str, /, *, endpoint: str = "") -> PilotSummary:
    """Spread within the arms of an analysed study, on one of its endpoints.

    Parameters
    ----------
    results : path
        The study's folder, or its folder of results.
    endpoint : str
        Or a part of its name that no other has; it may be left out where there is one.

    Returns
    -------
    PilotSummary

    Raises
    ------
    InputError
        If there are no results, or the endpoint is not clear; those there are are named.
    """
    folder = Path(results)
    places = (folder / "results" / "tables", folder / "tables", folder)
    path = next((place / COMPARISONS for place in places if (place / COMPARISONS).is_file()), None)
    if path is None:
        seen = f"{folder.name} holds no results/tables/{COMPARISONS}."
        finding = Finding(
            "pilot.no-results", Severity.ERROR, Place(folder.name), seen, "Analyse the study with `lampyris run` first."
        )
        raise InputError(seen, (finding,))
    table = read_table(path)
    endpoints = table.words("endpoint")
    known = tuple(dict.fromkeys(endpoints))
    exact = [one for one in known if one == endpoint]
    chosen = exact or [one for one in known if endpoint.lower() in one.lower()]
    if len(chosen) != 1:
        seen = f"endpoint {endpoint!r} means {len(chosen)} of the study's endpoints."
        place = Place(path.name, None, "endpoint")
        mend = f"Say one of: {'; '.join(known)}."
        raise InputError(f"{path.name}: {seen}", (Finding("pilot.endpoint", Severity.ERROR, place, seen, mend),))
    rows = [k for k, one in enumerate(endpoints) if one == chosen[0]]
    n = tuple(int(table.numbers("n")[k]) for k in rows)
    # results of an older version hold the standard error of each mean only
    errors = table.numbers("mean_sd")
    own = table.numbers("sd") if "sd" in table.columns else [math.nan] * len(endpoints)
    sd = tuple(
        float(own[k]) if math.isfinite(own[k]) else float(errors[k]) * math.sqrt(count)
        for k, count in zip(rows, n, strict=True)
    )
    limited = sum(int(table.numbers("censored")[k]) for k in rows)
    censored = any(math.isfinite(own[k]) for k in rows)
    how = "the spread takes them as censored" if censored else "they stand at it, so that the spread is too small"
    notes = (f"{limited} values were below their limit: {how}.",) if limited else ()
    groups = tuple(table.words("group")[k] for k in rows)
    return PilotSummary(f"this study's {chosen[0]}", groups, n, sd, notes)
