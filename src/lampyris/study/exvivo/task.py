"""Trays as tasks: each is measured by itself, so that a faulty one stops no other; and what is stored of the ex vivo part."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.core.assays import Balance, ExVivo, OrganAgreement, OrganPair, OrganReference, OrganResult, TrayView
from lampyris.core.comparison import Comparison
from lampyris.core.design import Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.images import RADIANCE_UNIT
from lampyris.core.settings import StudySettings
from lampyris.io import durable
from lampyris.study.check import CheckResult
from lampyris.study.exvivo.sections import SECTIONS_FAILED, SECTIONS_FOLDER, has_sections, section_task
from lampyris.study.exvivo.sheets import ExVivoSheets
from lampyris.study.graph.codec import encode_rows
from lampyris.study.graph.store import read_noun, write_noun
from lampyris.study.graph.tasks import Task, TaskOutcome
from lampyris.study.rules.assays import EXVIVO, ICP_MS
from lampyris.study.rules.sheets import SHEET_ASSAYS
from lampyris.study.standards import standard_files

ASSAYS_FOLDER = "results/assays"
TRAY, TRAY_IMAGE = "tray.json", "tray.ome.zarr"
TRAY_FAILED = "exvivo.failed"
PLANES = ("photo", "probe")
# a picture for the page needs no more pixels along its longer side
LONGEST_SHOWN = 640


@dataclass(frozen=True, slots=True)
class StoredTray:
    """What tray.json holds: all of `TrayView` but its images, and what was said of doses and standards."""

    file: str
    pixel_mm: float
    synthetic: bool
    organs: tuple[OrganResult, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class StoredExVivo:
    """What study.json holds of the ex vivo part: all of `ExVivo` but its trays, which it names by their folders."""

    trays: tuple[str, ...]
    references: tuple[OrganReference, ...]
    balances: tuple[Balance, ...]
    pairs: dict[str, tuple[OrganPair, ...]]
    agreements: tuple[OrganAgreement, ...]
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    exclusions: tuple[Exclusion, ...]


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
    from lampyris.study.exvivo.trays import Ground, tray_view

    sheets = ExVivoSheets(study, settings, check)
    ground = Ground(sheets)
    write_tray(tray_view(sheets, file, ground), folder, ground.findings)


def write_tray(tray: TrayView, folder: Path, findings: Sequence[Finding] = (), /) -> None:
    """Write a tray: its images, then ``tray.json``.

    Parameters
    ----------
    tray : TrayView
    folder : Path
        Where; it exists.
    findings : sequence of Finding
        Of doses and standards.
    """
    from lampyris.io.images.ome_zarr import ViewMetadata, write_view

    image = np.stack([tray.photo, tray.probe])
    with durable.durable_directory(folder / TRAY_IMAGE) as beside:
        write_view(beside, image, {}, ViewMetadata(PLANES, ("1", RADIANCE_UNIT), tray.pixel_mm, name=tray.file))
    write_noun(folder / TRAY, StoredTray(tray.file, tray.pixel_mm, tray.synthetic, tray.organs, tuple(findings)))


def read_tray(folder: Path, /, *, longest: int = LONGEST_SHOWN) -> TrayView:
    """Read what `write_tray` wrote, its images as small as a picture of them needs.

    Parameters
    ----------
    folder : Path
    longest : int
        Pixels along the longer side at most; neighbouring pixels are averaged.

    Returns
    -------
    TrayView

    Raises
    ------
    LampyrisError
        If a file is missing or is not what was written.
    """
    from lampyris.io.images.ome_zarr import read_view

    stored: StoredTray = read_noun(folder / TRAY, StoredTray)
    image = read_view(folder / TRAY_IMAGE)[0]["image"]
    joined = math.ceil(max(image.shape[1:]) / longest)
    photo, probe = (_averaged(plane, joined) for plane in image)
    return TrayView(
        stored.file, joined * stored.pixel_mm, photo, probe, stored.synthetic, stored.organs,
        first_mm=0.5 * (joined - 1) * stored.pixel_mm,
    )  # fmt: skip


def _averaged(plane: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    height, width = (size // count * count for size in plane.shape)
    blocks = plane[:height, :width].reshape(height // count, count, width // count, count)
    return blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)


def stored_exvivo(found: ExVivo, folders: Sequence[str], /) -> StoredExVivo:
    """The ex vivo part for study.json; trays by their folders relative to the results."""
    rest = {field.name: getattr(found, field.name) for field in fields(StoredExVivo) if field.name != "trays"}
    return StoredExVivo(trays=tuple(folders), **rest)


def load_exvivo(results: Path, stored: StoredExVivo | None, /) -> ExVivo | None:
    """The ex vivo part from study.json and the trays' folders.

    Parameters
    ----------
    results : Path
        The results' folder.
    stored : StoredExVivo or None

    Raises
    ------
    LampyrisError
        If a tray is missing or is not what was written.
    """
    if stored is None:
        return None
    rest = {field.name: getattr(stored, field.name) for field in fields(StoredExVivo) if field.name != "trays"}
    return ExVivo(trays=tuple(read_tray(results / name) for name in stored.trays), **rest)


def tray_failed(file: str, why: str, found: Sequence[Finding] = (), /) -> Finding:
    """A tray that gave no result, and how that is mended where what was found says it."""
    mend = next((one.mend for one in found if one.severity is Severity.ERROR and one.mend), "Mend it and run again.")
    return Finding(TRAY_FAILED, Severity.ERROR, Place(file), f"{why.rstrip('.')}.", mend)


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
