"""Rules of the check about drafts and blinding: what was assumed and never confirmed is said until a person has looked.

Run by `lampyris.study.check`; findings go to the check's output and into the report.
"""

import csv
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lampyris.core.finding import Finding, Place, Severity
from lampyris.io.durable import sha256_file
from lampyris.io.paths import path_fault
from lampyris.io.regions.readers import is_region_file
from lampyris.io.settings import UNFILLED
from lampyris.io.sheets import read_sheet
from lampyris.study.draft.notes import DRAFT_COLUMNS, DRAFT_SHEET, shown
from lampyris.study.rules.sheets import SETTINGS, Sheets

BLINDING = "blinding.json"
FROZEN = "frozen.json"
UNBLINDING = "unblinding.json"
ALLOCATION = "allocation.json"
CURATED = ("curation.csv", "landmarks.csv", "regions.csv")
"""Sheets by which a person corrects the analysis; files that the last names, and all of `REGIONS`, go with them."""
REGIONS = "regions"
_FROZEN_FILES = (
    SETTINGS,
    "samplesheet.csv",
    "animals.csv",
    "standards.csv",
    "draft.csv",
    BLINDING,
    ALLOCATION,
    *CURATED,
)


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A row of draft.csv, converted; `row` is its line in the file."""

    row: int
    field: str
    value: str
    source: str
    confidence: str
    do: str
    confirmed: bool


def check_drafted(sheets: Sheets, /) -> Iterator[Finding]:
    """What a draft assumed, and whether the study is blind."""
    yield from check_assumed(sheets)
    yield from check_allocation(sheets)
    yield from check_blinding(sheets)


def check_assumed(sheets: Sheets, /) -> Iterator[Finding]:
    """Values that `lampyris init` assumed, that still stand as drafted and that nobody confirmed."""
    if not (sheets.study / DRAFT_SHEET).is_file():
        return
    rows, faults = read_sheet(sheets.study / DRAFT_SHEET, DRAFT_COLUMNS, DraftRow)
    # the list of what was drafted decides nothing: a fault in it stops nothing
    for fault in faults:
        yield Finding(fault.rule, Severity.WARNING, fault.place, fault.seen, fault.mend)
    settings = _settings(sheets.study)
    alike: dict[tuple[str, str, str], list[tuple[Place, DraftRow]]] = {}
    for row in rows:
        if row.confirmed or row.confidence != "low" or row.value in ("", UNFILLED):
            continue
        place, still = _place(row, settings)
        if still:
            alike.setdefault((place.file, row.source, row.do), []).append((place, row))
    for (_, source, do), entries in alike.items():
        how = "assumed" if source == "assumed" else f"drafted from {_words(source)}"
        values = ", ".join(f"{row.field} = {row.value}" for _, row in entries)
        lines = ", ".join(str(row.row) for _, row in entries)
        seen = f"{values} {'was' if len(entries) == 1 else 'were'} {how}, and nobody has confirmed it."
        mend = f"{do} Or write yes in the column confirmed of {DRAFT_SHEET}, row {lines}.".strip()
        yield Finding("draft.assumed", Severity.WARNING, entries[0][0], seen, mend)


def _words(source: str) -> str:
    return {"name": "a name", "metadata": "the file", "estimated": "the images"}.get(source, source)


def _settings(study: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((study / SETTINGS).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}


def _place(row: DraftRow, settings: Mapping[str, Any]) -> tuple[Place, bool]:
    """Where the value stands, and whether it still does as it was drafted."""
    sheet, _, column = row.field.partition(" ")
    if sheet.endswith(".csv"):
        return Place(sheet, None, column), True
    found = value_at(settings, row.field)
    return Place(SETTINGS, None, row.field), found is not None and _same(found, row.value)


def _same(found: object, drafted: str) -> bool:
    return shown(float(found) if isinstance(found, int) and not isinstance(found, bool) else found) == drafted


def value_at(settings: Mapping[str, Any], field: str, /) -> Any:
    """Value of a settings document at a dotted key such as ``instrument.bands[0].centre_nm``; None where there is none.

    Keys may hold dots themselves: the longest that fits is taken.

    Examples
    --------
    >>> value_at({"groups": {"a.b": {"role": "control"}}, "x": [{"y": 1}]}, "groups.a.b.role"), value_at({"x": [{"y": 1}]}, "x[0].y")
    ('control', 1)
    """
    if not field:
        return settings
    if not isinstance(settings, Mapping):
        return None
    for key in sorted(settings, key=len, reverse=True):
        value, rest = settings[key], field[len(key) :]
        if not field.startswith(key):
            continue
        if rest.startswith("[") and isinstance(value, list):
            number, _, rest = rest[1:].partition("]")
            if not number.isdecimal() or int(number) >= len(value):
                continue
            value = value[int(number)]
        if not rest:
            return value
        if rest.startswith("."):
            found = value_at(value, rest[1:])
            if found is not None:
                return found
    return None


def check_allocation(sheets: Sheets, /) -> Iterator[Finding]:
    """Say how animals were allocated, and where a group was changed since."""
    record = read_record(sheets.study / ALLOCATION)
    if record is None:
        return
    yield Finding("allocation.method", Severity.NOTE, Place(ALLOCATION), allocation_sentence(record), "")
    drawn = record.get("animals", {})
    for row in sheets.animals:
        if row.animal in drawn and drawn[row.animal] != row.group:
            seen = f"{row.animal} was drawn into {drawn[row.animal]} and stands in {row.group}."
            mend = "Write the group that was drawn, or say in the report why it was changed."
            yield Finding("allocation.changed", Severity.WARNING, Place("animals.csv", row.row, "group"), seen, mend)


def allocation_sentence(record: Mapping[str, Any], /) -> str:
    """How animals were allocated, for the methods.

    Parameters
    ----------
    record : mapping
        Content of allocation.json.
    """
    sizes = ", ".join(f"{name} {size}" for name, size in record["sizes"].items())
    balance = record["balance"]
    parts = []
    if balance["weight_sd_between_groups"] is not None:
        parts.append(f"group means of weight differ by {balance['weight_sd_between_groups']:.2g} standard deviations")
    if balance["cage_chi2_per_df"] is not None:
        parts.append(f"chi-squared of cage against group is {balance['cage_chi2_per_df']:.2g} per degree of freedom")
    reached = f" Reached: {'; '.join(parts)}." if parts else ""
    return f"Animals were allocated to groups ({sizes}) by {record['method']}, seed {record['seed']}.{reached}"


def allocation_methods(study: Path, /) -> tuple[str, ...]:
    """A paragraph for the methods text; none where animals were not allocated here, or who got what is hidden.

    Parameters
    ----------
    study : Path
        With allocation.json, or without.
    """
    record = read_record(study / ALLOCATION)
    return () if record is None else (f"Allocation. {allocation_sentence(record)}",)


def hashes_of(study: Path, /) -> dict[str, str]:
    """SHA-256 of a study's settings, sheets, curation and regions, by path; only of those that are there."""
    return {name: sha256_file(study / name) for name in frozen_files(study)}


def frozen_files(study: Path, /) -> list[str]:
    """A study's settings, sheets, curation and regions that are there, relative to the study: its results record each of them."""
    names = [name for name in _FROZEN_FILES if (study / name).is_file()]
    # notes beside regions are read by nobody
    return sorted({*names, *(name for name in curated_files(study) if is_read(study, name))})


def curated_files(study: Path, /) -> list[str]:
    """Files by which a person corrects the analysis, relative to the study."""
    names = [name for name in CURATED if (study / name).is_file()]
    regions = study / REGIONS
    if regions.is_dir():
        names += [path.relative_to(study).as_posix() for path in sorted(regions.rglob("*")) if path.is_file()]
    for name in _files_of_regions(study):
        if not path_fault(study, name) and (study / name).is_file():
            names.append(name)
    return sorted(set(names))


def is_read(study: Path, name: str, /) -> bool:
    """Whether an analysis reads this one of the `curated_files`: notes may lie beside regions, which it does not."""
    lying = Path(name).parent == Path(REGIONS) and is_region_file(Path(name))
    return name in CURATED or lying or name in _files_of_regions(study)


def _files_of_regions(study: Path) -> list[str]:
    """What stands in the column file of regions.csv, if there is such a sheet and it can be read."""
    try:
        text = (study / "regions.csv").read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    return [row["file"] for row in csv.DictReader(text.splitlines(), delimiter=delimiter) if row.get("file")]


def hash_of_text(text: str, /) -> str:
    """SHA-256 of a text as it is written."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_blinding(sheets: Sheets, /) -> Iterator[Finding]:
    """Say that a study is blind, by what its arms may still be told apart, and what was curated after unblinding."""
    blinding = read_record(sheets.study / BLINDING)
    if blinding is None:
        return
    if "texts" in blinding:
        mend = "Call `lampyris init --blind` again: it goes on."
        yield Finding("blinding.interrupted", Severity.ERROR, Place(BLINDING), "blinding was interrupted.", mend)
        return
    unblinding = read_record(sheets.study / UNBLINDING)
    if unblinding is None:
        seen = "the study is blinded: arms are coded, and all are treated as labelled, controls too."
        mend = "Curate, run, `lampyris freeze`, then `lampyris unblind` with the key, and run again."
        yield Finding("blinding.blind", Severity.NOTE, Place(BLINDING), seen, mend)
        if blinding.get("differ"):
            seen = f"the arms' probes differ in {', '.join(map(str, blinding['differ']))}: who knows the probes can tell the arms."
            yield Finding(
                "blinding.probes-differ", Severity.WARNING, Place(SETTINGS, None, "probes"), seen, "Do not look."
            )
        return
    if "texts" in unblinding:
        mend = "Call `lampyris unblind` again: it goes on."
        yield Finding("blinding.interrupted", Severity.ERROR, Place(UNBLINDING), "unblinding was interrupted.", mend)
        return
    before, now = unblinding.get("files", {}), hashes_of(sheets.study)
    were = {*unblinding.get("curated", ()), *curated_files(sheets.study)}
    for name in sorted(were):
        if before.get(name) != now.get(name):
            seen = f"{name} was changed after unblinding: who changed it knew the arms."
            mend = "Say so where you report; the state before is in the frozen study."
            yield Finding("blinding.curated-after", Severity.WARNING, Place(name), seen, mend)


def read_record(path: Path, /) -> dict[str, Any] | None:
    """A JSON file that holds one object; None where it is missing or is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
