"""The check of dates, units and possible numbers (L25)."""

import math
from collections.abc import Iterator

from lampyris.core.checks import PercentRecord
from lampyris.core.finding import Finding, Place, Severity
from lampyris.study.checks.evidence import NEEDS_SHEETS, NO_STUDY, Answer, Evidence, answer, beside_the_point, fault
from lampyris.study.rules.sheets import SETTINGS, SHEET, SHEET_ANIMALS

MOST_ML_PER_KG = 25.0
# rules that find dates, units and wavelengths that do not agree
_CLOCK_AND_UNITS = (
    "sheet.date-",
    "sheet.two-days",
    "sheet.out-of-bounds",
    "sheet.wavelength",
    "header.clock",
    "header.excitation",
    "header.emission",
    "header.pixel",
)


def largest_percent_sd(mean: float, n: int, /) -> float:
    """Largest standard deviation that `n` shares of 0 to 100 per cent with that mean can have.

    A population's is at most sqrt((100 - m) m), reached where every value is 0 or 100; the sample's standard deviation, with
    n - 1 in its denominator, is larger by sqrt(n / (n - 1)).

    Parameters
    ----------
    mean : float
        In per cent.
    n : int
        Values; below 2 where it is not known: then that of 2, the largest there is.

    Returns
    -------
    float
        In per cent; NaN where the mean is outside 0 to 100.

    References
    ----------
    Bhatia R, Davis C (2000) Am Math Mon 107:353, doi:10.1080/00029890.2000.12005203.

    Examples
    --------
    >>> round(largest_percent_sd(100 / 3, 3), 2)
    57.74
    """
    if not 0 <= mean <= 100:
        return math.nan
    count = max(n, 2)
    return math.sqrt((100 - mean) * mean * count / (count - 1))


def percent_faults(record: PercentRecord, /) -> Iterator[Finding]:
    """A mean of shares and a standard deviation that cannot be."""
    file, _, column = record.place.partition(" ")
    place = Place(file, None, column) if column else Place(SETTINGS, None, record.place)
    most = largest_percent_sd(record.mean, record.n)
    if math.isnan(most):
        yield fault("L25", Severity.ERROR, place, f"{record.name} of {record.mean:g} % is no share.")
    # printed numbers are rounded in their last digit
    elif record.sd > most * (1 + 1e-9) + 0.05:
        known = f"of {record.n} values" if record.n else "whatever n is"
        seen = (
            f"{record.name} {record.mean:g} +- {record.sd:g} %: the standard deviation {known} is at most {most:.3g} %."
        )
        yield fault("L25", Severity.ERROR, place, seen)


def check_numbers(evidence: Evidence, /) -> Answer:
    """L25: what cannot be, is not there."""
    if evidence.settings is None and not evidence.percents:
        return beside_the_point(NEEDS_SHEETS if evidence.sheets.samples else NO_STUDY)
    findings = [*evidence.earlier(*_CLOCK_AND_UNITS), *_mixed_zones(evidence), *_sizes(evidence), *_doses(evidence)]
    for record in (*evidence.percents, *_alive(evidence)):
        findings += percent_faults(record)
    return answer(findings, "days, dates and clocks agree; sizes, doses, wavelengths and percentages are possible.")


def _mixed_zones(evidence: Evidence) -> Iterator[Finding]:
    """Stamps with a time zone beside stamps without: hours between them are not known."""
    stamps = {
        name: header.acquired
        for name, header in (evidence.headers or {}).items()
        if header is not None and header.acquired
    }
    zoned = {name for name, stamp in stamps.items() if "T" in stamp and _has_zone(stamp)}
    bare = {name for name, stamp in stamps.items() if "T" in stamp and not _has_zone(stamp)}
    if zoned and bare:
        seen = f"{len(zoned)} images give their time with a time zone, {len(bare)} without."
        yield fault(
            "L25",
            Severity.WARNING,
            Place(SHEET, None, "image"),
            seen,
            "Set all cameras to one time zone; write it in the files.",
        )


def _has_zone(stamp: str) -> bool:
    time = stamp.partition("T")[2]
    return time.endswith("Z") or "+" in time or "-" in time


def _sizes(evidence: Evidence) -> Iterator[Finding]:
    for name, probe in evidence.probes.items():
        table = probe.characterisation
        if table is None or table.core_nm is None or table.hydrodynamic_nm is None:
            continue
        if table.hydrodynamic_nm < table.core_nm:
            seen = (
                f"{name}: {table.hydrodynamic_nm:g} nm in solution is less than the {table.core_nm:g} nm of its core."
            )
            place = Place(SETTINGS, None, f"probes.{name}.characterisation.hydrodynamic_nm")
            yield fault("L25", Severity.ERROR, place, seen, "Exchange the two, or correct radius to diameter.")


def _doses(evidence: Evidence) -> Iterator[Finding]:
    for entry in evidence.sheets.animals:
        grams = entry.dose_syringe_full_g - entry.dose_syringe_empty_g
        density = entry.dose_density_g_per_ml if math.isfinite(entry.dose_density_g_per_ml) else 1.0
        per_kg = grams / density / entry.weight_g * 1000
        if math.isfinite(per_kg) and per_kg > MOST_ML_PER_KG:
            seen = f"{entry.animal} of {entry.weight_g:g} g got {grams / density:.3g} ml, {per_kg:.3g} ml per kg."
            place = Place(SHEET_ANIMALS, entry.row, "dose_syringe_full_g")
            yield fault("L25", Severity.WARNING, place, seen, "Are the weights in g? Correct the one that is wrong.")


def _alive(evidence: Evidence) -> Iterator[PercentRecord]:
    for name, probe in evidence.probes.items():
        table = probe.characterisation
        if table is not None and table.alive_percent is not None and table.alive_sd_percent is not None:
            key = f"probes.{name}.characterisation.alive_sd_percent"
            yield PercentRecord("cells alive", table.alive_percent, table.alive_sd_percent, table.alive_count or 0, key)
    for entry in evidence.sheets.animals:
        if math.isfinite(entry.dose_tail_percent) and math.isfinite(entry.dose_tail_sd_percent):
            where = f"{SHEET_ANIMALS} dose_tail_sd_percent"
            yield PercentRecord(
                f"share in the tail of {entry.animal}", entry.dose_tail_percent, entry.dose_tail_sd_percent, 0, where
            )
