"""What organs on trays are laid beside: ICP-MS tables, and the signal of the same organ in the living animal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lampyris.assays.exvivo.agreement import join_organs, organ_agreements
from lampyris.assays.exvivo.icp import amount_ng, element_doses, organ_references, reference_balances
from lampyris.assays.exvivo.trays import weighed
from lampyris.assays.histology.calls import living_organ
from lampyris.core.assays import Balance, OrganAgreement, OrganFlag, OrganPair, OrganReference, OrganResult
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import ICP_MS, IcpRow
from lampyris.io.mends import did_you_mean
from lampyris.io.paths import inside
from lampyris.io.sheets import read_sheet
from lampyris.study.exvivo.living import sum_of
from lampyris.study.exvivo.sheets import ExVivoSheets
from lampyris.study.rules.assays import ICP_MS as ICP_KIND
from lampyris.study.rules.sheets import SHEET_ASSAYS

# drying and weighing twice part a whole organ's weights
MOST_DIGESTED = 1.1
Living = Sequence[tuple[str, str, Estimate]]


def read_icp(sheets: ExVivoSheets, /) -> tuple[tuple[tuple[str, tuple[IcpRow, ...]], ...], tuple[Finding, ...]]:
    """Rows of every ICP-MS table of a study, by file.

    Parameters
    ----------
    sheets : ExVivoSheets

    Returns
    -------
    tables : tuple of (str, tuple of IcpRow)
        Those without a fault.
    findings : tuple of Finding
        Of all of them; one that has an error is not among the tables.
    """
    known = [row.animal for row in sheets.check.animals]
    organs = {(row.animal, row.organ): row.weight_g for row in sheets.check.organs}
    tables: list[tuple[str, tuple[IcpRow, ...]]] = []
    told: list[Finding] = []
    for file in dict.fromkeys(row.file for row in sheets.check.assays if row.kind == ICP_KIND):
        rows, findings = icp_rows(sheets.study, file, known, organs)
        told += findings
        if not any(one.severity is Severity.ERROR for one in findings):
            tables.append((file, rows))
    return tuple(tables), tuple(told)


def icp_rows(
    study: Path, file: str, animals: Sequence[str], organs: Mapping[tuple[str, str], float], /
) -> tuple[tuple[IcpRow, ...], tuple[Finding, ...]]:
    """Rows of one ICP-MS table.

    Parameters
    ----------
    study : Path
    file : str
        Relative to the study.
    animals : sequence of str
        Those of animals.csv.
    organs : mapping of (animal, organ) to float
        Those of organs.csv, with their weights in g.

    Returns
    -------
    rows : tuple of IcpRow
    findings : tuple of Finding
    """
    path = inside(study, file, place=Place(SHEET_ASSAYS))
    rows, findings = read_sheet(path, ICP_MS, IcpRow)
    # a table that cannot be read stops itself alone: its rules are not those of the study's sheets
    found = (replace(one, rule=one.rule.replace("sheet.", "icp.", 1)) for one in findings)
    return rows, (*found, *_faults(rows, path.name, animals, organs))


def _faults(
    rows: Sequence[IcpRow], file: str, known: Sequence[str], organs: Mapping[tuple[str, str], float]
) -> list[Finding]:
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
        weight = organs.get((row.animal, row.organ), math.nan)
        if row.digested_g > weight * MOST_DIGESTED:
            seen = f"{row.digested_g:g} g of the {row.organ} were digested, which weighs {weight:g} g."
            near = (
                f"Is it in mg? Then write {1e-3 * row.digested_g:g}."
                if row.digested_g > 50 * weight
                else "Correct one of both."
            )
            fault("digested", "digested_g", seen, near)
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
    tables: Sequence[tuple[str, tuple[IcpRow, ...]]], sheets: ExVivoSheets, /
) -> tuple[tuple[OrganReference, ...], tuple[Balance, ...]]:
    """Organs by mass spectrometry, and their sums per animal.

    Parameters
    ----------
    tables : sequence of (str, tuple of IcpRow)
        From `read_icp`.
    sheets : ExVivoSheets
    """
    level = sheets.settings.analysis.interval_level
    weights = {
        (row.animal, row.organ): weighed(row, level) for row in sheets.check.organs if math.isfinite(row.weight_g)
    }
    groups = {row.animal: row.group for row in sheets.check.animals}
    references: list[OrganReference] = []
    sums: list[Balance] = []
    for _, rows in tables:
        doses = element_doses(rows, sorted({row.animal for row in rows if row.animal}), level=level)
        found = organ_references(rows, weights, doses, level=level)
        references += found
        sums += reference_balances(found, groups, doses)
    return tuple(references), tuple(sums)


def agreements_of(
    organs: Sequence[OrganResult], references: Sequence[OrganReference], living: Living, sheets: ExVivoSheets, /
) -> tuple[dict[str, tuple[OrganPair, ...]], tuple[OrganAgreement, ...]]:
    """Joined tables and agreements of trays with mass spectrometry, and with the living animals.

    Parameters
    ----------
    organs : sequence of OrganResult
    references : sequence of OrganReference
    living : sequence of (animal, organ, Estimate)
        From `lampyris.study.exvivo.living.last_signals`.
    sheets : ExVivoSheets

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
            ((one.animal, one.organ, _told(one.percent_dose_per_gram, one)) for one in organs),
            ((one.animal, one.organ, one.percent_dose_per_gram) for one in references),
            lambda animal: groups.get(animal, ""),
        )
        agreements += organ_agreements("exvivo", "icp-ms", pairs["icp-ms"], level=level)
    if living:
        # a glow whose interval holds none is a bound too
        seen = ((animal, organ, flux if flux.low > 0 else _bound(flux)) for animal, organ, flux in living)
        pairs["in vivo"] = join_organs(seen, _by_living_organ(organs), lambda animal: groups.get(animal, ""))
        agreements += organ_agreements("in vivo", "exvivo", pairs["in vivo"], level=level, same_unit=False)
    return pairs, agreements


def _told(value: Estimate, organ: OrganResult) -> Estimate:
    """A value, or of an organ that is not told from nothing the bound."""
    return _bound(value) if OrganFlag.FAINT in organ.flags else value


def _bound(value: Estimate) -> Estimate:
    return replace(value, value=math.nan, sd=math.nan, low=0.0, method="not told from nothing: below the upper end")


def _by_living_organ(organs: Sequence[OrganResult]) -> list[tuple[str, str, Estimate]]:
    """Fluxes of excised organs under the names that the living animal's organs have: both kidneys together."""
    found: dict[tuple[str, str], list[Estimate]] = {}
    for one in organs:
        found.setdefault((one.animal, living_organ(one.organ)), []).append(_told(one.flux, one))
    return [(animal, organ, sum_of(fluxes)) for (animal, organ), fluxes in found.items()]
