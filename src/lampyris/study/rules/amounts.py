"""Rules of standards.csv and of the doses in animals.csv: units, blanks, weights, doses a thousand times too large or small."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AnimalRow, StandardRow
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import path_fault
from lampyris.study.rules.sheets import SHEET_ANIMALS, SHEET_STANDARDS, Sheets

LINE_KINDS = ("well plate", "phantom")
LEAST_LEVELS = 3
# of a mouse's tail vein: less is a slip of a column, more does harm
LEAST_ML, MOST_ML = 0.02, 0.5
# a factor of 1000 within this share: the slip of a prefix, not a difference between animals
PREFIX_SHARE = 0.25
_DOSE = (
    "dose_syringe_full_g",
    "dose_syringe_empty_g",
    "dose_syringe_sd_g",
    "dose_concentration_pmol_per_ml",
    "dose_concentration_relative_sd",
    "dose_density_g_per_ml",
    "dose_tail_percent",
    "dose_tail_sd_percent",
)


def has_dose(animal: AnimalRow, /) -> bool:
    """Whether a row of animals.csv says anything of a dose."""
    return any(math.isfinite(getattr(animal, name)) for name in _DOSE)


def _found(severity: Severity, rule: str, row: int, column: str, seen: str, mend: str, file: str) -> Finding:
    return Finding(rule, severity, Place(file, row, column), seen, mend)


def _error(rule: str, row: int, column: str, seen: str, mend: str, file: str = SHEET_STANDARDS) -> Finding:
    return _found(Severity.ERROR, rule, row, column, seen, mend, file)


def _warning(rule: str, row: int, column: str, seen: str, mend: str, file: str = SHEET_STANDARDS) -> Finding:
    return _found(Severity.WARNING, rule, row, column, seen, mend, file)


def check_standards(sheets: Sheets, /) -> Iterator[Finding]:
    """Every standard has a signal and an amount with their units, a known probe, animal and band, and stands once."""
    first: dict[tuple[str, ...], int] = {}
    for row in sheets.standards:
        yield from _check_signal(row, sheets)
        yield from _check_amount(row, sheets)
        key = (row.standard, row.kind, row.replicate, row.date, row.instrument, row.animal)
        line = first.setdefault(key, row.row)
        if line != row.row:
            seen = f"{row.standard} stands on row {line} already, with the same replicate, date and instrument."
            yield _error("standards.duplicate", row.row, "standard", seen, "Number its replicates, or remove one.")
    if sheets.whole:
        for rows in _series(sheets).values():
            yield from _check_series(rows)


def _check_signal(row: StandardRow, sheets: Sheets) -> Iterator[Finding]:
    valued = math.isfinite(row.value)
    if valued == bool(row.image):
        seen = "has both a value and an image." if valued else "has neither a value nor an image."
        yield _error(
            "standards.signal", row.row, "value", seen, "Give its signal once: value with value_unit, or image."
        )
    if valued and not row.value_unit:
        mend = "Write ph s-1, vendor ph s-1 (total flux of vendor software, 4 pi), radiance sum, or counts s-1."
        yield _error("standards.unit", row.row, "value_unit", "the value has no unit.", mend)
    if (
        valued
        and math.isfinite(row.background_value)
        and row.kind == "dose syringe"
        and row.background_value >= row.value
    ):
        seen = f"the syringe shines {row.value:g} before injection and {row.background_value:g} after."
        yield _error("standards.syringe", row.row, "background_value", seen, "Correct the one that is wrong.")
    settings = sheets.settings
    if settings is None:
        return
    bands = [band.channel for band in settings.instrument.bands]
    if row.channel and row.channel not in bands:
        mend = f"Write one of {', '.join(bands)}."
        yield _error("standards.channel", row.row, "channel", f"there is no band {row.channel!r}.", mend)
    if row.value_unit == "counts s-1" and not row.channel and len(bands) > 1:
        mend = "Name the band: counts become light through its filter."
        yield _error("standards.channel", row.row, "channel", "counts have no band.", mend)
    if row.image:
        yield from _check_image(row, sheets)


def _check_image(row: StandardRow, sheets: Sheets) -> Iterator[Finding]:
    for column in ("y_mm", "x_mm", "radius_mm", "exposure_s"):
        if not math.isfinite(getattr(row, column)):
            seen = f"the image of {row.standard} has no {column}."
            yield _error(
                "standards.place", row.row, column, seen, "Say where in the image it lies, and how long it was exposed."
            )
    for column in ("image", "background"):
        path = getattr(row, column)
        if path and not path_fault(sheets.study, path) and not (sheets.study / path).exists():
            yield _error("standards.missing-file", row.row, column, f"{path} does not exist.", "Correct the path.")


def _check_amount(row: StandardRow, sheets: Sheets) -> Iterator[Finding]:
    if row.kind in LINE_KINDS:
        if not math.isfinite(row.amount):
            mend = "Write how much it holds; 0 for a blank."
            yield _error("standards.amount", row.row, "amount", f"{row.standard} has no amount.", mend)
        if not row.unit:
            yield _error(
                "standards.unit", row.row, "unit", "the amount has no unit.", "Write pmol, labelled cells or ng."
            )
    if row.kind == "dose standard" and not math.isfinite(row.weight_g):
        mend = "Write the weight of the thinned solution in it, in g."
        yield _error("standards.weight", row.row, "weight_g", f"the dose standard {row.standard} has no weight.", mend)
    if row.kind == "dose syringe" and not row.animal:
        yield _error("standards.animal", row.row, "animal", "a dose syringe belongs to an animal.", "Name the animal.")
    known = [animal.animal for animal in sheets.animals]
    if row.animal and row.animal not in known and sheets.whole:
        near = did_you_mean(row.animal, known)
        mend = f"Write {near}." if near else f"Name an animal of {SHEET_ANIMALS}."
        yield _error("standards.animal", row.row, "animal", f"there is no animal {row.animal!r}.", mend)
    if sheets.settings is not None and sheets.settings.probes:
        probes = sheets.settings.probes
        if row.probe and row.probe not in probes:
            near = did_you_mean(row.probe, probes)
            mend = f"Write {near}." if near else f"Known are: {', '.join(probes)}."
            yield _error("standards.probe", row.row, "probe", f"there is no probe {row.probe!r}.", mend)
        if not row.probe and len(probes) > 1:
            mend = f"Name it: {', '.join(probes)}."
            yield _error(
                "standards.probe", row.row, "probe", "the study has several probes, this row names none.", mend
            )


def _series(sheets: Sheets) -> dict[tuple[str, ...], list[StandardRow]]:
    series: dict[tuple[str, ...], list[StandardRow]] = defaultdict(list)
    for row in sheets.standards:
        if row.kind in LINE_KINDS and math.isfinite(row.amount):
            series[row.kind, row.unit, row.probe, f"{row.depth_mm:g}", row.instrument].append(row)
    return series


def _check_series(rows: Sequence[StandardRow]) -> Iterator[Finding]:
    """The standards of one line: enough of them, that differ, with a blank, and none a thousand times off."""
    first = rows[0]
    amounts = sorted({row.amount for row in rows})
    what = f"{first.kind}, {first.unit}"
    if len(amounts) < LEAST_LEVELS:
        seen = f"{what}: standards at {len(amounts)} amount{'' if len(amounts) == 1 else 's'} make no line."
        mend = f"Measure {LEAST_LEVELS} or more amounts and a blank; until then nothing is converted with them."
        yield _warning("standards.too-few", first.row, "amount", seen, mend)
    valued = [row for row in rows if math.isfinite(row.value)]
    if len(valued) == len(rows) > 2 and len(amounts) > 1 and len({row.value for row in valued}) == 1:
        seen = f"{what}: all {len(rows)} standards have the value {first.value:g}, whatever their amount."
        yield _error("standards.all-equal", first.row, "value", seen, "Correct the column: was one cell copied down?")
        return
    if amounts[0] > 0 and not any(math.isfinite(row.background_value) or row.image for row in rows):
        seen = f"{what}: no blank (amount 0) and no background_value."
        mend = "Add a blank: without it the background is guessed from the line's other end."
        yield _warning("standards.no-blank", first.row, "amount", seen, mend)
    yield from _check_prefix(valued)


def _check_prefix(rows: Sequence[StandardRow]) -> Iterator[Finding]:
    """A standard whose signal per amount is a thousand times that of the others bears another prefix."""
    known = [(row, row.value - (0.0 if math.isnan(row.background_value) else row.background_value)) for row in rows]
    ratios = [(row, net / row.amount) for row, net in known if row.amount > 0 and net > 0]
    if len(ratios) < LEAST_LEVELS:
        return
    middle = median(ratio for _, ratio in ratios)
    for row, ratio in ratios:
        for factor in (1000.0, 1e-3):
            if abs(math.log(ratio / middle / factor)) < PREFIX_SHARE:
                seen = f"{row.standard} shines {ratio / middle:.3g} times as brightly per amount as the others."
                mend = f"It looks like another prefix: was {row.amount * factor:g} {row.unit} meant?"
                yield _warning("standards.prefix", row.row, "amount", seen, mend)


def check_doses(sheets: Sheets, /) -> Iterator[Finding]:
    """Syringes are lighter after injection, volumes are a mouse's, and no dose is a thousand times the others'."""
    dosed = [row for row in sheets.animals if has_dose(row)]
    for row in dosed:
        full, empty = row.dose_syringe_full_g, row.dose_syringe_empty_g
        if math.isfinite(full) != math.isfinite(empty):
            column = "dose_syringe_empty_g" if math.isfinite(full) else "dose_syringe_full_g"
            seen = f"{row.animal}: the syringe was weighed once."
            yield _error("animals.dose-weight", row.row, column, seen, "Write both weights.", SHEET_ANIMALS)
            continue
        if full <= empty:
            seen = f"{row.animal}: the syringe weighs {full:g} g full and {empty:g} g after injection."
            mend = "Correct the two: were they exchanged?"
            yield _error("animals.dose-weight", row.row, "dose_syringe_empty_g", seen, mend, SHEET_ANIMALS)
            continue
        volume = (full - empty) / (row.dose_density_g_per_ml if row.dose_density_g_per_ml > 0 else 1.0)
        if math.isfinite(volume) and not LEAST_ML <= volume <= MOST_ML:
            seen = f"{row.animal}: the weights say that {volume:.3g} ml were injected."
            mend = f"A mouse is given {LEAST_ML:g} to {MOST_ML:g} ml: look at the weights' unit and decimals."
            yield _warning("animals.dose-volume", row.row, "dose_syringe_full_g", seen, mend, SHEET_ANIMALS)
    yield from _check_concentrations(dosed)
    if dosed and not any(row.kind == "dose standard" for row in sheets.standards):
        missing = [
            row for row in dosed if math.isnan(row.dose_concentration_pmol_per_ml) and row.dose_syringe_full_g > 0
        ]
        for row in missing:
            seen = f"{row.animal}: weights without a concentration give no amount."
            mend = f"Write dose_concentration_pmol_per_ml, or add a dose standard to {SHEET_STANDARDS}."
            yield _warning(
                "animals.dose-concentration", row.row, "dose_concentration_pmol_per_ml", seen, mend, SHEET_ANIMALS
            )


def _check_concentrations(dosed: Sequence[AnimalRow]) -> Iterator[Finding]:
    known = [row for row in dosed if row.dose_concentration_pmol_per_ml > 0]
    if len(known) < LEAST_LEVELS:
        return
    middle = median(row.dose_concentration_pmol_per_ml for row in known)
    for row in known:
        value = row.dose_concentration_pmol_per_ml
        for factor, words in ((1000.0, "nmol per l times 1000, or pmol per l"), (1e-3, "nmol per ml (µM)")):
            if abs(math.log(value / middle / factor)) < PREFIX_SHARE:
                seen = f"{row.animal} has {value:g} pmol per ml, most others {middle:g}."
                mend = f"It looks like {words}: write {value / factor:g}."
                yield _error(
                    "animals.dose-prefix", row.row, "dose_concentration_pmol_per_ml", seen, mend, SHEET_ANIMALS
                )
