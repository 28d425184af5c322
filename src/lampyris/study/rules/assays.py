"""Rules of assays.csv and organs.csv: files and names that exist, organs once each, weights in grams, doses that shares need."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AssayRow, OrganRow
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import path_fault
from lampyris.study.rules.amounts import has_dose
from lampyris.study.rules.sheets import SHEET_ANIMALS, SHEET_ASSAYS, SHEET_ORGANS, Sheets

EXVIVO, ICP_MS, HISTOLOGY = "exvivo", "icp-ms", "histology"

# what organs of mice of 15 to 40 g weigh in g, tumour-bearing and sick ones included; beyond is a slip of a unit or a cell
USUAL_G: dict[str, tuple[float, float]] = {
    "liver": (0.4, 4.0),
    "spleen": (0.02, 1.5),
    "kidney": (0.06, 0.5),
    "kidneys": (0.12, 1.0),
    "lung": (0.04, 1.2),
    "lungs": (0.06, 2.0),
    "heart": (0.05, 0.4),
    "brain": (0.25, 0.65),
    "stomach": (0.08, 1.5),
    "node": (0.0005, 0.3),
    "nodes": (0.0005, 0.5),
}
# pixel sizes of sheet and file that differ by more are two statements
PIXELS_DIFFER = 0.02
# no single organ of a mouse, tumour included, weighs more
MOST_G = 10.0


def _finding(severity: Severity, rule: str, file: str, row: int | None, column: str, seen: str, mend: str) -> Finding:
    return Finding(rule, severity, Place(file, row, column), seen, mend)


def check_assays(sheets: Sheets, /) -> Iterator[Finding]:
    """Files, animals, bands and probes of assays.csv exist; an image has all bands once."""
    for row in sheets.assays:
        yield from _check_paths(row, sheets)
        yield from _check_names(row, sheets)
    trays: dict[str, list[AssayRow]] = defaultdict(list)
    for row in sheets.assays:
        if row.kind == EXVIVO:
            trays[row.file].append(row)
    for file, rows in trays.items():
        yield from _check_bands(file, rows, sheets)
    if trays and sheets.whole and not sheets.organs:
        first = next(row for row in sheets.assays if row.kind == EXVIVO)
        seen = "images of trays are named, and organs.csv names no organ."
        mend = "Write organs.csv: animal, organ, weight_g, file, place; `lampyris simulate` with [exvivo] makes an example."
        yield _finding(Severity.ERROR, "assays.no-organs", SHEET_ASSAYS, first.row, "file", seen, mend)


def _check_paths(row: AssayRow, sheets: Sheets) -> Iterator[Finding]:
    for column in ("file", "background", "photo", "outlines"):
        path = getattr(row, column)
        if path and not path_fault(sheets.study, path) and not (sheets.study / path).exists():
            seen = f"{path} does not exist."
            yield _finding(
                Severity.ERROR, "assays.missing-file", SHEET_ASSAYS, row.row, column, seen, "Correct the path."
            )


def _check_names(row: AssayRow, sheets: Sheets) -> Iterator[Finding]:
    known = [animal.animal for animal in sheets.animals]
    if row.animal and known and sheets.whole and row.animal not in known:
        yield _unknown_animal(row.animal, known, SHEET_ASSAYS, row.row)
    settings = sheets.settings
    if settings is None:
        return
    if row.probe and row.probe not in settings.probes:
        near = did_you_mean(row.probe, settings.probes)
        mend = f"Write {near}." if near else f"Known are: {', '.join(settings.probes)}."
        seen = f"there is no probe {row.probe!r}."
        yield _finding(Severity.ERROR, "assays.probe", SHEET_ASSAYS, row.row, "probe", seen, mend)
    bands = [band.channel for band in settings.instrument.bands]
    if row.kind == EXVIVO and row.channel and row.channel not in bands:
        near = did_you_mean(row.channel, bands)
        mend = f"Write {near}." if near else f"Write one of {', '.join(bands)}."
        seen = f"there is no band {row.channel!r}."
        yield _finding(Severity.ERROR, "assays.channel", SHEET_ASSAYS, row.row, "channel", seen, mend)


def _unknown_animal(animal: str, known: Sequence[str], file: str, line: int) -> Finding:
    near = did_you_mean(animal, known)
    mend = f"Write {near}." if near else f"Name an animal of {SHEET_ANIMALS}."
    return _finding(
        Severity.ERROR,
        f"{file.removesuffix('.csv')}.animal",
        file,
        line,
        "animal",
        f"there is no animal {animal!r}.",
        mend,
    )


def _check_bands(file: str, rows: Sequence[AssayRow], sheets: Sheets) -> Iterator[Finding]:
    named = Counter(row.channel for row in rows)
    doubled = next((row for row in rows[1:] if named[row.channel] > 1), None)
    if doubled is not None or (len(rows) > 1 and "" in named):
        row = doubled or rows[-1]
        seen = f"{file} has {len(rows)} rows, some for the same band."
        mend = "Write one row per band; or one row with an empty channel for all of them."
        yield _finding(Severity.ERROR, "assays.doubled-band", SHEET_ASSAYS, row.row, "channel", seen, mend)
        return
    if sheets.settings is None or "" in named:
        return
    missing = [band.channel for band in sheets.settings.instrument.bands if band.channel not in named]
    if missing and sheets.whole:
        seen = f"{file} has no row for {', '.join(missing)}."
        mend = "Add a row for each band: the probe is told from tissue by all of them."
        yield _finding(Severity.ERROR, "assays.missing-band", SHEET_ASSAYS, rows[0].row, "channel", seen, mend)


def check_organs(sheets: Sheets, /) -> Iterator[Finding]:
    """Organs stand once, on a tray that is named, with a weight that an organ has, of an animal whose dose is known."""
    trays = {row.file for row in sheets.assays if row.kind == EXVIVO}
    first: dict[tuple[str, str], int] = {}
    known = [animal.animal for animal in sheets.animals]
    for row in sheets.organs:
        line = first.setdefault((row.animal, row.organ.casefold()), row.row)
        if line != row.row:
            seen = f"{row.organ} of {row.animal} stands on row {line} already."
            mend = "Keep one row; call paired organs left and right."
            yield _finding(Severity.ERROR, "organs.duplicate", SHEET_ORGANS, row.row, "organ", seen, mend)
        if known and sheets.whole and row.animal not in known:
            yield _unknown_animal(row.animal, known, SHEET_ORGANS, row.row)
        yield from _check_weight(row)
        yield from _check_tray(row, trays)
        yield from _check_tissue(row)
    for file in sorted(trays):
        yield from _check_places(file, [row for row in sheets.organs if tray_of(row, trays) == file])
    yield from _check_doses(sheets)


def tray_of(row: OrganRow, trays: set[str], /) -> str:
    """Image that an organ lies on; "" where the sheet does not say."""
    return row.file or (next(iter(trays)) if len(trays) == 1 else "")


def usual_weight(organ: str, /) -> tuple[float, float] | None:
    """What an organ of this name weighs in a mouse, in g; None where that is not known.

    Examples
    --------
    >>> usual_weight("left kidney")
    (0.06, 0.5)
    """
    words = organ.casefold().replace("_", " ").replace("-", " ").split()
    return next((USUAL_G[word] for word in reversed(words) if word in USUAL_G), None)


def _check_weight(row: OrganRow) -> Iterator[Finding]:
    weight = row.weight_g
    if math.isnan(weight):
        seen = f"{row.organ} of {row.animal} has no weight."
        mend = "Write weight_g; until then there is no %ID/g of it, and its thickness is guessed from the outline."
        yield _finding(Severity.WARNING, "organs.weight", SHEET_ORGANS, row.row, "weight_g", seen, mend)
        return
    usual = usual_weight(row.organ)
    low, high = usual if usual else (0.0, MOST_G)
    if low <= weight <= high:
        return
    meant, milligrams = 1e-3 * weight, low <= 1e-3 * weight <= high and weight > 5.0
    range_text = f"{low:g} to {high:g} g" if usual else f"less than {high:g} g"
    seen = f"{row.organ} of {row.animal} weighs {weight:g} g; that of a mouse {range_text}."
    if milligrams:
        mend = f"It looks like milligrams: write {meant:g}."
        yield _finding(Severity.ERROR, "organs.weight-unit", SHEET_ORGANS, row.row, "weight_g", seen, mend)
        return
    severity = Severity.ERROR if weight > MOST_G else Severity.WARNING
    mend = "Look at the unit (g) and the decimals, and whether the weight stands in the right row."
    yield _finding(severity, "organs.weight-range", SHEET_ORGANS, row.row, "weight_g", seen, mend)


def _check_tissue(row: OrganRow) -> Iterator[Finding]:
    """Optics are those of a tissue: an unknown one is never exchanged for another in silence."""
    from lampyris.assays.exvivo.escape import TISSUE_OF_ORGAN, tissue_of
    from lampyris.tissue.optics import tissue_names

    if tissue_of(row.organ, row.tissue):
        return
    if row.tissue:
        near = did_you_mean(row.tissue, tissue_names())
        mend = f"Write {near}." if near else f"Write one of {', '.join(tissue_names())}; or leave the cell empty."
        seen = f"there is no tissue {row.tissue!r}."
        yield _finding(Severity.ERROR, "organs.tissue", SHEET_ORGANS, row.row, "tissue", seen, mend)
        return
    near = did_you_mean(row.organ, TISSUE_OF_ORGAN)
    mend = (
        f"Did you mean {near}? Else write its tissue in the column tissue."
        if near
        else "Write its tissue in the column tissue."
    )
    seen = f"the tissue of {row.organ!r} of {row.animal} is not known: another's optics stand in, its %ID may be off by a factor of three."
    yield _finding(Severity.WARNING, "organs.tissue", SHEET_ORGANS, row.row, "organ", seen, mend)


def _check_tray(row: OrganRow, trays: set[str]) -> Iterator[Finding]:
    if not trays:
        return
    if row.file and row.file not in trays:
        near = did_you_mean(row.file, trays)
        mend = f"Write {near}." if near else f"Name it in {SHEET_ASSAYS} with the kind exvivo."
        seen = f"{row.file} is no tray of {SHEET_ASSAYS}."
        yield _finding(Severity.ERROR, "organs.tray", SHEET_ORGANS, row.row, "file", seen, mend)
    elif not row.file and len(trays) > 1:
        seen = f"{row.organ} of {row.animal}: the study has {len(trays)} trays, and this row names none."
        mend = "Write the image in the column file."
        yield _finding(Severity.ERROR, "organs.tray", SHEET_ORGANS, row.row, "file", seen, mend)


def _check_places(file: str, rows: Sequence[OrganRow]) -> Iterator[Finding]:
    first: dict[int, OrganRow] = {}
    placed = [row for row in rows if math.isfinite(row.place)]
    for row in placed:
        other = first.setdefault(int(row.place), row)
        if other is not row:
            seen = f"place {int(row.place)} of {file} is {other.organ} of {other.animal} on row {other.row} already."
            yield _finding(
                Severity.ERROR, "organs.place", SHEET_ORGANS, row.row, "place", seen, "Number each place once."
            )
    if placed and sorted(first) != list(range(1, len(rows) + 1)) and len(first) == len(placed) == len(rows):
        seen = f"the places of {file} are {', '.join(map(str, sorted(first)))} for {len(rows)} organs."
        mend = "Number them 1, 2, 3 row by row from the top left; every organ on the tray needs its row."
        yield _finding(Severity.ERROR, "organs.place", SHEET_ORGANS, placed[0].row, "place", seen, mend)
    for row in rows:
        positioned = math.isfinite(row.y_mm) and math.isfinite(row.x_mm)
        if math.isfinite(row.y_mm) != math.isfinite(row.x_mm):
            column = "x_mm" if math.isfinite(row.y_mm) else "y_mm"
            seen = f"{row.organ} of {row.animal} has only one of y_mm and x_mm."
            yield _finding(Severity.ERROR, "organs.position", SHEET_ORGANS, row.row, column, seen, "Write both.")
        elif placed and not math.isfinite(row.place) and not positioned:
            seen = f"{row.organ} of {row.animal} has neither a place nor a position."
            mend = "Write its place, or y_mm and x_mm."
            yield _finding(Severity.ERROR, "organs.place", SHEET_ORGANS, row.row, "place", seen, mend)


def _check_doses(sheets: Sheets) -> Iterator[Finding]:
    """Of labelled animals on trays, a dose or the labelled cells are known."""
    if sheets.settings is None or not any(row.kind == EXVIVO for row in sheets.assays):
        return
    with_organs = {row.animal for row in sheets.organs}
    syringes = {row.animal for row in sheets.standards if row.kind == "dose syringe"}
    for animal in sheets.animals:
        group = sheets.settings.groups.get(animal.group)
        if animal.animal not in with_organs or group is None or not group.probe:
            continue
        # the cells of an arm that a probe is injected into carried none
        cells = group.label == "prelabelled" and animal.labelled_cells > 0
        if not (has_dose(animal) or cells or animal.animal in syringes):
            seen = f"{animal.animal} has organs on a tray, and no dose."
            mend = "Write its dose_ columns, or labelled_cells; until then there is no %ID of its organs."
            column = "dose_concentration_pmol_per_ml" if group.label == "injected" else "labelled_cells"
            yield _finding(Severity.WARNING, "organs.dose", SHEET_ANIMALS, animal.row, column, seen, mend)
