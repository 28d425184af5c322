"""What organs on trays are laid beside: ICP-MS tables, and the signal of the same organ in the living animal."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from scipy import special

from lampyris.assays.exvivo.agreement import join_organs, organ_agreements
from lampyris.assays.exvivo.icp import amount_ng, element_doses, organ_references, reference_balances
from lampyris.assays.exvivo.trays import WEIGHING_SD_G
from lampyris.core.assays import Balance, OrganAgreement, OrganPair, OrganReference, OrganResult
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import FLUX_UNIT
from lampyris.core.schemas import ICP_MS, IcpRow
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import inside
from lampyris.io.sheets import read_sheet
from lampyris.study.exvivo.trays import ExVivoSheets
from lampyris.study.rules_assays import ICP_MS as ICP_KIND
from lampyris.study.rules_assays import SHEET_ASSAYS

TABLE_OF_GLOW, TABLE_OF_SIGHTINGS = "results/tables/organ_signals.csv", "results/tables/sightings.csv"


def read_icp(sheets: ExVivoSheets, /) -> tuple[tuple[tuple[str, tuple[IcpRow, ...]], ...], tuple[Finding, ...]]:
    """Rows of every ICP-MS table of a study, by file.

    Parameters
    ----------
    sheets : ExVivoSheets

    Returns
    -------
    tables : tuple of (str, tuple of IcpRow)
    findings : tuple of Finding
        Warnings.

    Raises
    ------
    InputError
        With every fault of the tables.
    """
    files = dict.fromkeys(row.file for row in sheets.check.assays if row.kind == ICP_KIND)
    tables, errors, rest = [], [], []
    for file in files:
        path = inside(sheets.study, file, place=Place(SHEET_ASSAYS))
        rows, findings = read_sheet(path, ICP_MS, IcpRow)
        findings = (*findings, *_faults(rows, path.name, sheets))
        errors += [one for one in findings if one.severity is Severity.ERROR]
        rest += [one for one in findings if one.severity is not Severity.ERROR]
        tables.append((file, rows))
    if errors:
        raise InputError("ICP-MS tables cannot be read", errors)
    return tuple(tables), tuple(rest)


def _faults(rows: Sequence[IcpRow], file: str, sheets: ExVivoSheets) -> list[Finding]:
    known = [row.animal for row in sheets.check.animals]
    organs = {(row.animal, row.organ) for row in sheets.check.organs}
    found = []
    for row in rows:

        def fault(rule: str, column: str, seen: str, mend: str, row: IcpRow = row) -> None:
            found.append(Finding(f"icp.{rule}", Severity.ERROR, Place(file, row.row, column), seen, mend))

        if math.isnan(amount_ng(row)) and not row.below_lod:
            mend = "Write amount_ng, or concentration_ppb with digest_ml; or yes under below_lod."
            fault("amount", "amount_ng", "has neither an amount nor a concentration with its volume.", mend)
        if row.sample == "blank" and row.animal:
            fault(
                "blank", "animal", f"a blank belongs to no animal, this one to {row.animal}.", "Leave the cell empty."
            )
        if row.sample == "sample" and not (row.animal and row.organ):
            fault("sample", "organ", "a sample needs its animal and organ.", "Fill both in.")
        if row.animal and known and row.animal not in known:
            near = did_you_mean(row.animal, known)
            fault(
                "animal", "animal", f"there is no animal {row.animal!r}.", f"Write {near}." if near else "Correct it."
            )
        elif row.sample == "sample" and row.organ and organs and (row.animal, row.organ) not in organs:
            near = did_you_mean(row.organ, [organ for animal, organ in organs if animal == row.animal])
            mend = f"Write {near}." if near else "Add it with its weight to organs.csv."
            found.append(
                Finding("icp.organ", Severity.WARNING, Place(file, row.row, "organ"),
                        f"organs.csv has no {row.organ} of {row.animal}.", mend)
            )  # fmt: skip
    return found


def reference_organs(
    sheets: ExVivoSheets, /
) -> tuple[tuple[OrganReference, ...], tuple[Balance, ...], tuple[Finding, ...]]:
    """Organs by mass spectrometry, their sums per animal, and warnings.

    Parameters
    ----------
    sheets : ExVivoSheets
    """
    tables, findings = read_icp(sheets)
    level = sheets.settings.analysis.interval_level
    z = float(special.ndtri(0.5 * (1 + level)))
    weights = {}
    for row in sheets.check.organs:
        if math.isfinite(row.weight_g):
            sd = row.weight_sd_g if math.isfinite(row.weight_sd_g) else WEIGHING_SD_G
            weights[row.animal, row.organ] = Estimate(
                row.weight_g, sd, row.weight_g - z * sd, row.weight_g + z * sd, level, "g", "weighed"
            )
    groups = {row.animal: row.group for row in sheets.check.animals}
    references: list[OrganReference] = []
    sums: list[Balance] = []
    for _, rows in tables:
        doses = element_doses(rows, sorted({row.animal for row in rows if row.animal}), level=level)
        found = organ_references(rows, weights, doses, level=level)
        references += found
        sums += reference_balances(found, groups, doses)
    return tuple(references), tuple(sums), findings


def agreements_of(
    organs: Sequence[OrganResult], references: Sequence[OrganReference], sheets: ExVivoSheets, /
) -> tuple[dict[str, tuple[OrganPair, ...]], tuple[OrganAgreement, ...]]:
    """Joined tables and agreements of trays with mass spectrometry, and with the living animals.

    Parameters
    ----------
    organs : sequence of OrganResult
    references : sequence of OrganReference
    sheets : ExVivoSheets
        In vivo signals are read from the study's results, where there are any.

    Returns
    -------
    pairs : dict of str to tuple of OrganPair
        ``icp-ms``: %ID/g of trays and of mass spectrometry; ``in vivo``: flux of the living animal's organ in its last session and
        of the excised one.
    agreements : tuple of OrganAgreement
    """
    level = sheets.settings.analysis.interval_level
    groups = {row.animal: row.group for row in sheets.check.animals}
    pairs: dict[str, tuple[OrganPair, ...]] = {}
    agreements: tuple[OrganAgreement, ...] = ()
    if references:
        pairs["icp-ms"] = join_organs(
            ((one.animal, one.organ, one.percent_dose_per_gram) for one in organs),
            ((one.animal, one.organ, one.percent_dose_per_gram) for one in references),
            lambda animal: groups.get(animal, ""),
        )
        agreements += organ_agreements("exvivo", "icp-ms", pairs["icp-ms"], level=level)
    living = in_vivo_signals(sheets)
    if living:
        pairs["in vivo"] = join_organs(living, _by_living_organ(organs), lambda animal: groups.get(animal, ""))
        agreements += organ_agreements("in vivo", "exvivo", pairs["in vivo"], level=level, same_unit=False)
    return pairs, agreements


def _by_living_organ(organs: Sequence[OrganResult]) -> list[tuple[str, str, Estimate]]:
    """Fluxes of excised organs under the names that the living animal's organs have: both kidneys together."""
    found: dict[tuple[str, str], list[Estimate]] = {}
    for one in organs:
        name = one.organ.casefold()
        for side in ("left ", "right "):
            name = name.removeprefix(side)
        found.setdefault((one.animal, {"kidney": "kidneys", "lung": "lungs"}.get(name, name)), []).append(one.flux)
    return [(animal, organ, _sum(fluxes)) for (animal, organ), fluxes in found.items()]


def in_vivo_signals(sheets: ExVivoSheets, /) -> tuple[tuple[str, str, Estimate], ...]:
    """Each animal's signal of every organ in its last session: the organ's glow in the brighter view and the lesions in it together.

    Parameters
    ----------
    sheets : ExVivoSheets

    Returns
    -------
    tuple of (animal, organ, Estimate)
        ph s-1; a primary tumour is called tumour. Empty where the study has not been run.
    """
    glow, lesions = (_rows(sheets.study / table) for table in (TABLE_OF_GLOW, TABLE_OF_SIGHTINGS))
    last: dict[str, float] = {}
    for row in (*glow, *lesions):
        last[row["animal"]] = max(last.get(row["animal"], -math.inf), float(row["day"]))
    best: dict[tuple[str, str], Estimate] = {}
    for row in glow:
        key, flux = (row["animal"], row["organ"]), _read(row)
        if float(row["day"]) == last[row["animal"]] and flux and (key not in best or flux.value > best[key].value):
            best[key] = flux
    parts = {key: [flux] for key, flux in best.items()}
    for row in lesions:
        flux = _read(row)
        if float(row["day"]) == last[row["animal"]] and row["seen"] == "true" and flux:
            organ = "tumour" if row["kind"] == "primary" else row["organ"]
            parts.setdefault((row["animal"], organ), []).append(flux)
    return tuple((animal, organ, _sum(parts[animal, organ])) for animal, organ in sorted(parts))


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.is_file() else []


def _sum(fluxes: Sequence[Estimate]) -> Estimate:
    value, sd = math.fsum(one.value for one in fluxes), math.hypot(*(one.sd for one in fluxes))
    level = fluxes[0].level
    reach = float(special.ndtri(0.5 * (1 + level))) * sd
    return Estimate(value, sd, value - reach, value + reach, level, FLUX_UNIT, "sum of its parts")


def _read(row: dict[str, str]) -> Estimate | None:
    try:
        value, sd, low, high = (float(row[name]) for name in ("flux", "flux_sd", "flux_low", "flux_high"))
    except ValueError:
        # an empty cell: not measured
        return None
    return Estimate(value, sd, low, high, 0.95, FLUX_UNIT, "in the living animal")
