"""Trays as tasks: each is measured by itself, so that a faulty one stops no other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lampyris.core.assays import ExVivo
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import StudySettings
from lampyris.io import durable
from lampyris.study.check import CheckResult
from lampyris.study.exvivo.sections import SECTIONS_FAILED, SECTIONS_FOLDER, has_sections, section_task
from lampyris.study.exvivo.sheets import ExVivoSheets
from lampyris.study.exvivo.stored import TRAY, TRAY_IMAGE, StoredTray, read_tray, tray_failed, write_tray
from lampyris.study.graph.codec import encode_rows
from lampyris.study.graph.store import read_noun
from lampyris.study.graph.tasks import Task, TaskOutcome
from lampyris.study.rules.assays import EXVIVO, ICP_MS
from lampyris.study.rules.sheets import SHEET_ASSAYS
from lampyris.study.standards import standard_files

ASSAYS_FOLDER = "results/assays"


@dataclass(frozen=True, slots=True)
class AssayPlan:
    """Trays, tables and sections of a run.

    Parameters
    ----------
    folders : tuple of str
        Of those that were measured, relative to the study.
    files : tuple of str
        Tables of ICP-MS, relative to the study.
    findings : tuple of Finding
        Of those that could not be measured.
    sections : str
        Folder of the counted sections, relative to the study; empty where there are none.
    """

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sections: str = ""

    @property
    def all_folders(self) -> tuple[str, ...]:
        """Of trays and of sections."""
        return (*self.folders, *([self.sections] if self.sections else ()))


def has_assays(check: CheckResult, /) -> bool:
    """Whether a study has trays, sections or ICP-MS tables."""
    return bool(check.assays)


def has_organs(check: CheckResult, /) -> bool:
    """Whether a study has trays or ICP-MS tables."""
    return any(row.kind in (EXVIVO, ICP_MS) for row in check.assays)


def tray_folders(files: Sequence[str], /) -> dict[str, str]:
    """Folder of each tray's results, relative to the study, by its image.

    Examples
    --------
    >>> tray_folders(["exvivo/tray 1.ome.tiff", "late/Tray 1.ome.tiff"])
    {'exvivo/tray 1.ome.tiff': 'results/assays/tray-1', 'late/Tray 1.ome.tiff': 'results/assays/Tray-1-2'}
    """
    # the sections' folder lies beside them
    taken = {Path(SECTIONS_FOLDER).name: 1}
    found = {}
    for file in sorted(files):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).name.split(".", 1)[0]).strip("-") or "tray"
        # some file systems take names that differ in case alone for one
        count = taken[stem.casefold()] = taken.get(stem.casefold(), 0) + 1
        found[file] = f"{ASSAYS_FOLDER}/{stem}" + (f"-{count}" if count > 1 else "")
    return found


def assay_tasks(study: Path, check: CheckResult, settings: StudySettings, /) -> tuple[Task, ...]:
    """Measure every tray of a study, and count its sections.

    Parameters
    ----------
    study : Path
        The study's directory.
    check : CheckResult
        Checked sheets.
    settings : StudySettings

    Returns
    -------
    tuple of Task
        Trays by file, then the sections. A tray depends on its own images and outlines, its organs, its animals' doses, the
        standards and the settings.
    """
    sheets = ExVivoSheets(study, settings, check)
    folders = tray_folders(list(sheets.trays))
    tasks = [_task(_of_tray(sheets, file), file, folders[file]) for file in sheets.trays]
    return (*tasks, section_task(study, check, settings)) if has_sections(check) else tuple(tasks)


def _of_tray(sheets: ExVivoSheets, file: str) -> ExVivoSheets:
    """Of the sheets what a tray's result rests on; lines of files are for messages and change no result."""
    check = sheets.check
    organs = sheets.organs_on(file)
    animals = {row.animal for row in organs}
    # what stands for nothing here would be carried to every worker
    mine = CheckResult(
        findings=(),
        settings=check.settings,
        samples=(),
        animals=tuple(row for row in check.animals if row.animal in animals),
        standards=check.standards,
        assays=sheets.trays[file],
        organs=organs,
    )
    return replace(sheets, check=mine)


def _task(sheets: ExVivoSheets, file: str, folder: str) -> Task:
    settings, check = sheets.settings, sheets.check
    options = {
        "assays": encode_rows(check.assays),
        "organs": encode_rows(check.organs),
        "animals": [
            {key: value for key, value in row.items() if not key.startswith("exclu")}
            for row in encode_rows(check.animals)
        ],
        "standards": encode_rows(check.standards),
        "settings": settings.analysed(without=("study", "growth")),
        "synthetic": settings.study.synthetic,
    }
    return Task(
        step="tray",
        study=str(sheets.study),
        folder=folder,
        inputs=_tray_files(sheets),
        outputs=(TRAY, TRAY_IMAGE),
        options=durable.canonical_json(options),
        # the study's place on this machine is the task's own
        work=partial(_measure, check, settings, file),
        seed_key=("study", settings.study.name, "assays", file),
    )


def _tray_files(sheets: ExVivoSheets) -> tuple[str, ...]:
    """Every file that measuring a tray reads, relative to the study."""
    rows = sheets.check.assays
    files = {path for row in rows for path in (row.file, row.background, row.photo, row.outlines) if path}
    files |= {band.flat for band in sheets.settings.instrument.bands if band.flat}
    return tuple(sorted({*files, *standard_files(sheets.check.standards, sheets.settings)}))


def _measure(check: CheckResult, settings: StudySettings, file: str, study: Path, folder: Path) -> None:
    # a study without trays loads nothing that measures them
    from lampyris.study.exvivo.trays import Ground, tray_view

    sheets = ExVivoSheets(study, settings, check)
    ground = Ground(sheets)
    write_tray(tray_view(sheets, file, ground), folder, ground.findings)


def assay_plan(check: CheckResult, tasks: Sequence[Task], outcomes: Sequence[TaskOutcome], /) -> AssayPlan:
    """What became of the trays.

    Parameters
    ----------
    check : CheckResult
    tasks : sequence of Task
        From `assay_tasks`.
    outcomes : sequence of TaskOutcome
        As `tasks`.
    """
    findings: list[Finding] = []
    for task, outcome in zip(tasks, outcomes, strict=True):
        if outcome.done:
            continue
        reason = outcome.reason.rstrip(".")
        if task.step == "tray":
            seen = "; ".join(one.seen.rstrip(".") for one in outcome.findings if one.severity is Severity.ERROR)
            lost = tray_failed(
                task.seed_key[-1], f"{seen or reason}; the organs on this tray are not in the results", outcome.findings
            )
        else:
            lost = Finding(SECTIONS_FAILED, Severity.ERROR, Place(SHEET_ASSAYS), f"{reason}.", "Mend it and run again.")
        findings += [lost, *outcome.findings]
    done = [task for task, outcome in zip(tasks, outcomes, strict=True) if outcome.done]
    return AssayPlan(
        folders=tuple(task.folder for task in done if task.step == "tray"),
        sections=next((task.folder for task in done if task.step == "sections"), ""),
        files=tuple(sorted({row.file for row in check.assays if row.kind == ICP_MS})),
        findings=tuple(dict.fromkeys(findings)),
    )


def study_exvivo(
    study: Path,
    plan: AssayPlan,
    check: CheckResult,
    settings: StudySettings,
    living: Sequence[tuple[str, str, Estimate]],
    /,
    *,
    only: Sequence[str] = (),
) -> ExVivo:
    """The ex vivo part of a run from its stored trays.

    Parameters
    ----------
    study : Path
    plan : AssayPlan
    check : CheckResult
    settings : StudySettings
    living : sequence of (animal, organ, Estimate)
        Signals of the living animals in their last session.
    only : sequence of str
        Animals to which the run is restricted.
    """
    from lampyris.study.exvivo.join import joined
    from lampyris.study.exvivo.trays import Ground

    sheets = ExVivoSheets(study, settings, check)
    stored: Mapping[str, StoredTray] = {name: read_noun(study / name / TRAY, StoredTray) for name in plan.folders}
    trays = [read_tray(study / name) for name in plan.folders]
    findings = [*plan.findings, *(finding for one in stored.values() for finding in one.findings)]
    return joined(sheets, trays, living, Ground(sheets), findings=findings, only=only)
