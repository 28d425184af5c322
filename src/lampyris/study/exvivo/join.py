"""The ex vivo part of a study as a whole: trays and ICP-MS tables beside each other, the living animal, and the arms compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lampyris.assays.exvivo.amounts import balances
from lampyris.core.assays import ExVivo, TrayView
from lampyris.core.design import Exclusion
from lampyris.core.errors import InputError, LampyrisError
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Severity
from lampyris.study.exvivo.comparing import compare_organs
from lampyris.study.exvivo.living import last_signals, stored_signals
from lampyris.study.exvivo.reference import agreements_of, read_icp, reference_organs
from lampyris.study.exvivo.sheets import ExVivoSheets, read_exvivo
from lampyris.study.exvivo.stored import tray_failed
from lampyris.study.exvivo.trays import Ground, tray_view
from lampyris.study.rules.sheets import SHEET_ANIMALS, SHEET_ASSAYS, SHEET_ORGANS, SHEET_STANDARDS

Living = Sequence[tuple[str, str, Estimate]]


@dataclass(frozen=True, slots=True)
class Aside:
    """Whose organs are measured and used for nothing further.

    Parameters
    ----------
    exclusions : tuple of Exclusion
    only : frozenset of str
        Animals to which the run is restricted; empty for all.
    """

    exclusions: tuple[Exclusion, ...] = ()
    only: frozenset[str] = frozenset()

    def holds(self, animal: str, /) -> bool:
        """Whether an animal's organs are left aside."""
        return any(one.unit == animal for one in self.exclusions) or bool(self.only and animal not in self.only)


def exvivo_study(directory: Path | str, /) -> ExVivo:
    """Measure every tray of a study and what its organs amount to.

    Parameters
    ----------
    directory : path
        The study, with assays.csv and organs.csv.

    Returns
    -------
    ExVivo
        A tray that cannot be analysed is left out, with a finding that says why.

    Raises
    ------
    InputError
        If settings, sheets or ICP-MS tables are invalid.
    """
    sheets = read_exvivo(directory)
    _, told = read_icp(sheets)
    errors = [one for one in told if one.severity is Severity.ERROR]
    if errors:
        raise InputError("ICP-MS tables cannot be read", errors)
    ground = Ground(sheets)
    trays: list[TrayView] = []
    findings: list[Finding] = []
    for file in sheets.trays:
        try:
            trays.append(tray_view(sheets, file, ground))
        except LampyrisError as error:
            findings += error.findings or [tray_failed(file, str(error))]
    living = last_signals(stored_signals(sheets.study, level=sheets.settings.analysis.interval_level))
    return joined(sheets, trays, living, ground, findings=[*ground.findings, *findings])


def exclusions_of(sheets: ExVivoSheets, /) -> tuple[Exclusion, ...]:
    """Animals that animals.csv excludes and that have organs."""
    held = {row.animal for row in sheets.check.organs}
    return tuple(
        Exclusion(row.animal, row.group, row.exclusion_reason)
        for row in sheets.check.animals
        if row.excluded and row.animal in held
    )


def joined(
    sheets: ExVivoSheets,
    trays: Sequence[TrayView],
    living: Living,
    ground: Ground,
    /,
    *,
    findings: Sequence[Finding] = (),
    only: Sequence[str] = (),
) -> ExVivo:
    """Lay measured trays beside mass spectrometry and the living animals, and compare the arms.

    Parameters
    ----------
    sheets : ExVivoSheets
    trays : sequence of TrayView
    living : sequence of (animal, organ, Estimate)
        Signals of the living animals in their last session.
    ground : Ground
    findings : sequence of Finding
        Of trays, standards and doses.
    only : sequence of str
        Animals to which the run is restricted; none for all.

    Returns
    -------
    ExVivo
        Faults of ICP-MS tables, and warnings of the sheets that matter here, are among its findings.
    """
    tables, told = read_icp(sheets)
    references, sums = reference_organs(tables, sheets)
    aside = Aside(exclusions_of(sheets), frozenset(only))
    organs = [organ for tray in trays for organ in tray.organs if not aside.holds(organ.animal)]
    references = tuple(one for one in references if not aside.holds(one.animal))
    pairs, agreements = agreements_of(organs, references, living, sheets)
    remarks = [one for one in sheets.check.findings if one.severity is not Severity.ERROR and _concerns(one)]
    return ExVivo(
        trays=tuple(trays),
        references=references,
        balances=(*balances(organs, ground.shared_sds(organs)), *(one for one in sums if not aside.holds(one.animal))),
        pairs=pairs,
        agreements=agreements,
        findings=tuple(dict.fromkeys([*remarks, *told, *findings])),
        comparisons=compare_organs(organs, sheets.settings, aside.exclusions),
        exclusions=aside.exclusions,
    )


def _concerns(finding: Finding) -> bool:
    return finding.place.file in (SHEET_ASSAYS, SHEET_ORGANS, SHEET_ANIMALS, SHEET_STANDARDS)
