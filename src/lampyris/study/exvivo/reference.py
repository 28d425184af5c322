"""What organs on trays are laid beside: ICP-MS tables, and the signal of the same organ in the living animal."""

import math
from collections.abc import Sequence
from dataclasses import replace

from lampyris.assays.exvivo.agreement import join_organs, organ_agreements
from lampyris.assays.exvivo.icp import element_doses, organ_references, reference_balances
from lampyris.assays.exvivo.trays import weighed
from lampyris.assays.histology.calls import living_organ
from lampyris.core.assays import Balance, OrganAgreement, OrganFlag, OrganPair, OrganReference, OrganResult
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.core.schemas import IcpRow
from lampyris.study.exvivo.living import sum_of
from lampyris.study.exvivo.sheets import ExVivoSheets
from lampyris.study.opening.icp import icp_rows
from lampyris.study.rules.assays import ICP_MS as ICP_KIND

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
