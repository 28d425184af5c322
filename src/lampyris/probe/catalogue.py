"""Catalogue of published dots, assays, patents, dyes and findings, each with its citation.

The data lie in ``data/catalogue``: the five tables of the review and its text, the first paper's arms, dots followed in animals, and
the dyes and standards of quantum yield that they are compared with.
"""

import difflib
import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lampyris.core.errors import UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.sourced import MARKS
from lampyris.io.package_tables import packaged_text, rows_of

KINDS = ("dot", "assay", "patent", "dye", "finding")
TABLES = {
    1: "ovarian cancer",
    2: "breast cancer",
    3: "pancreatic cancer",
    4: "prostate cancer",
    5: "patents",
}
"""The review's tables and what each is about."""

FOLDER = ("lampyris.probe", "data", "catalogue")
FILES = ("review_tables", "review_text", "first_paper", "dots", "dyes")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    table : int
        Table of the review; 0 of everything else.
    cancers, targets, cell_lines : tuple of str
        Empty where none is named.
    dot : str
        Dot or dye; "" where none is named.
    emission_nm, excitation_nm : float
        Peaks; NaN where they are not given.
    quantum_yield : float
        Share of absorbed photons; NaN where it is not given.
    molar_extinction : float
        Decadic, per M and cm; NaN where it is not given.
    conditions, finding : str
        What it was measured in, and what was found, in our own words.
    patent, assignee : str
    year : int
        0 where none is given.
    citation : str
        Where the row was read.
    original : str
        The work that the row is about, where it was found by its content; "" otherwise.
    mark : str
        A key of `lampyris.core.sourced.MARKS`.
    note : str
        What a reader must know, such as slips of the source.

    Raises
    ------
    ValueError
        If the kind, table or mark is unknown, the citation or finding is missing, or a number is out of its range.
    """

    kind: str
    table: int
    cancers: tuple[str, ...]
    targets: tuple[str, ...]
    cell_lines: tuple[str, ...]
    dot: str
    emission_nm: float
    excitation_nm: float
    quantum_yield: float
    molar_extinction: float
    conditions: str
    finding: str
    patent: str
    assignee: str
    year: int
    citation: str
    original: str
    mark: str
    note: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.table and self.table not in TABLES:
            raise ValueError(f"the review has tables 1 to {max(TABLES)}, got {self.table}")
        if self.mark not in MARKS:
            raise ValueError(f"mark is one of {', '.join(MARKS)}, got {self.mark!r}")
        if not self.citation or not self.finding:
            raise ValueError("an entry needs its citation and what was found")
        lengths = (self.emission_nm, self.excitation_nm)
        if any(one < 200 or one > 2000 for one in lengths) or not (
            math.isnan(self.quantum_yield) or 0 < self.quantum_yield <= 1
        ):
            raise ValueError(
                f"a wavelength from 200 to 2000 nm and a yield up to 1, got {lengths}, {self.quantum_yield}"
            )


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the files and their rows.

    Examples
    --------
    >>> sorted({entry.table for entry in entries()})
    [0, 1, 2, 3, 4, 5]
    """
    return tuple(_entry(row) for name in FILES for row in rows_of(*FOLDER, f"{name}.csv"))


def cancers() -> tuple[str, ...]:
    """Cancers that an entry names, sorted."""
    return tuple(sorted({name for entry in entries() for name in entry.cancers}))


def targets() -> tuple[str, ...]:
    """Targets that an entry names, sorted."""
    return tuple(sorted({name for entry in entries() for name in entry.targets}, key=str.casefold))


def search(
    *,
    cancer: str = "",
    target: str = "",
    band_nm: tuple[float, float] | None = None,
    table: int = 0,
    kind: str = "",
    text: str = "",
) -> tuple[Entry, ...]:
    """Entries that fulfil every condition given.

    Parameters
    ----------
    cancer, target : str
        Name, in any case; usual other names are known (colon for gastrointestinal, c-erbB-2 for HER2).
    band_nm : tuple of float, optional
        Lowest and highest peak of emission; entries without a peak are left out.
    table : int
        Table of the review; 0 for any.
    kind : str
        One of `KINDS`; "" for any.
    text : str
        Words that the entry must hold, each anywhere and in any case.

    Returns
    -------
    tuple of Entry
        Empty where none fulfils them all.

    Raises
    ------
    UsageError
        If no entry at all is about such a cancer or target (near names are offered), or table, kind or band cannot be.

    Examples
    --------
    >>> [entry.dot for entry in search(cancer="pancreas", table=3)]
    ['CdSe/CdS/ZnS', 'InP/ZnS']
    """
    faults: list[Finding] = []
    asked_cancer = _known("cancer", cancer, cancers(), faults)
    asked_target = _known("target", target, targets(), faults)
    if table and table not in TABLES:
        told = "; ".join(f"{number}, {about}" for number, about in TABLES.items())
        faults.append(_fault("table", f"the review has no table {table}.", f"Its tables are: {told}."))
    if kind and kind not in KINDS:
        faults.append(_fault("kind", f"there is no kind {kind!r}.", f"Kinds are: {', '.join(KINDS)}."))
    if band_nm is not None and not 0 < band_nm[0] <= band_nm[1] < math.inf:
        seen = f"a band needs a lowest and a highest wavelength in nm, got {band_nm[0]:g} to {band_nm[1]:g}."
        faults.append(_fault("band", seen, "Write 700-900."))
    if faults:
        raise UsageError("the catalogue cannot be searched so", faults)
    words = text.casefold().split()
    low, high = band_nm if band_nm is not None else (0.0, math.inf)
    return tuple(
        entry
        for entry in entries()
        if (not asked_cancer or asked_cancer in entry.cancers)
        and (not asked_target or asked_target in entry.targets)
        and (band_nm is None or low <= entry.emission_nm <= high)
        and (not table or entry.table == table)
        and (not kind or entry.kind == kind)
        and all(word in _words(entry) for word in words)
    )


def _known(what: str, asked: str, names: Sequence[str], faults: list[Finding]) -> str:
    """Name as the entries spell it; a fault where none does."""
    folded = {name.casefold(): name for name in names} | _others(what)
    wanted = " ".join(asked.casefold().split())
    if what == "cancer":
        wanted = wanted.removesuffix(" cancer").removesuffix(" carcinoma")
    if not wanted or wanted in folded:
        return folded.get(wanted, "")
    near = list(dict.fromkeys(folded[one] for one in difflib.get_close_matches(wanted, folded, 3)))
    mend = f"Did you mean {' or '.join(near)}? " if near else ""
    mend += f"There are: {', '.join(names)}."
    faults.append(_fault(what, f"no entry is about the {what} {asked!r}.", mend))
    return ""


def _fault(what: str, seen: str, mend: str) -> Finding:
    return Finding(f"catalogue.no-{what}", Severity.ERROR, Place(column=f"--{what}"), seen, mend)


def _words(entry: Entry) -> str:
    parts: Iterable[str] = (
        *entry.cancers, *entry.targets, *entry.cell_lines, entry.dot, entry.conditions, entry.finding, entry.patent,
        entry.assignee, str(entry.year or ""), entry.citation, entry.original, entry.note,
    )  # fmt: skip
    return " ".join(parts).casefold()


@lru_cache(maxsize=2)
def _others(what: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = tomllib.loads(packaged_text(*FOLDER, "names.toml"))
    return found[what]


def _entry(row: dict[str, str]) -> Entry:
    return Entry(
        kind=row["kind"],
        table=int(row["table"] or 0),
        cancers=_split(row["cancer"]),
        targets=_split(row["target"]),
        cell_lines=_split(row["cell_line"]),
        dot=row["dot"],
        emission_nm=float(row["emission_nm"] or math.nan),
        excitation_nm=float(row["excitation_nm"] or math.nan),
        quantum_yield=float(row["quantum_yield"] or math.nan),
        molar_extinction=float(row["extinction_per_M_cm"] or math.nan),
        conditions=row["conditions"],
        finding=row["finding"],
        patent=row["patent"],
        assignee=row["assignee"],
        year=int(row["year"] or 0),
        citation=row["citation"],
        original=row["original"],
        mark=row["mark"],
        note=row["note"],
    )


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())
