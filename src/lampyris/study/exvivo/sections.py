"""Sections as a task: counted together, since controls set the threshold of all; the in vivo calls are judged where they are known."""

from collections.abc import Sequence, Set
from dataclasses import replace
from functools import partial
from pathlib import Path

from lampyris.core.finding import Finding
from lampyris.core.histology import Histology, OrganCall
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome
from lampyris.io import durable
from lampyris.study.check import CheckResult
from lampyris.study.graph.codec import encode_rows
from lampyris.study.graph.store import read_noun, write_noun
from lampyris.study.graph.tasks import Task
from lampyris.study.rules.assays import HISTOLOGY
from lampyris.study.rules.sheets import SHEET_SECTION_LANDMARKS

SECTIONS_FOLDER, SECTIONS = "results/assays/sections", "sections.json"
SECTIONS_FAILED = "histology.failed"


def has_sections(check: CheckResult, /) -> bool:
    """Whether a study has sections."""
    return any(row.kind == HISTOLOGY for row in check.assays)


def section_task(study: Path, check: CheckResult, settings: StudySettings, /) -> Task:
    """Count every section of a study.

    Parameters
    ----------
    study : Path
        The study's directory.
    check : CheckResult
        Checked sheets.
    settings : StudySettings

    Returns
    -------
    Task
        Depends on the micrographs, the landmarks, the animals' arms and the settings.
    """
    rows = tuple(row for row in check.assays if row.kind == HISTOLOGY)
    cut = {row.animal for row in rows}
    mine = CheckResult(
        findings=(),
        settings=check.settings,
        samples=(),
        animals=tuple(row for row in check.animals if row.animal in cut),
        assays=rows,
    )
    files = {row.file for row in rows}
    files |= {SHEET_SECTION_LANDMARKS} if (study / SHEET_SECTION_LANDMARKS).exists() else set()
    options = {
        "assays": encode_rows(rows),
        "arms": sorted((row.animal, row.group) for row in mine.animals),
        "settings": settings.analysed(without=("study", "growth", "instrument")),
    }
    return Task(
        step="sections",
        study=str(study),
        folder=SECTIONS_FOLDER,
        inputs=tuple(sorted(files)),
        outputs=(SECTIONS,),
        options=durable.canonical_json(options),
        work=partial(_count, mine, settings),
        seed_key=("study", settings.study.name, "assays", "sections"),
    )


def _count(check: CheckResult, settings: StudySettings, study: Path, folder: Path) -> None:
    from lampyris.study.histology import CountingOptions, count_study

    options = CountingOptions(level=settings.analysis.interval_level)
    write_noun(folder / SECTIONS, count_study(study, check, settings, options))


def read_sections(folder: Path, /) -> Histology:
    """What was counted, before any in vivo call was looked at."""
    found: Histology = read_noun(folder / SECTIONS, Histology)
    return found


def study_sections(
    counted: Histology,
    outcomes: Sequence[AnimalOutcome],
    settings: StudySettings,
    /,
    *,
    aside: Set[str] = frozenset(),
    findings: Sequence[Finding] = (),
) -> Histology:
    """Counted sections with the in vivo calls of a run laid beside them.

    Parameters
    ----------
    counted : Histology
    outcomes : sequence of AnimalOutcome
    settings : StudySettings
    aside : set of str
        Animals whose sections are counted and used for nothing further.
    findings : sequence of Finding
        Of the sheets, that matter here.

    Returns
    -------
    Histology
    """
    from lampyris.study.histology import judged, set_aside, unlabelled_arms

    level, controls = settings.analysis.interval_level, unlabelled_arms(settings)
    found = judged(set_aside(counted, aside, controls, level), living_calls(outcomes), controls, level)
    return replace(found, findings=tuple(dict.fromkeys((*findings, *found.findings))))


def living_calls(outcomes: Sequence[AnimalOutcome], /) -> dict[tuple[str, str], OrganCall]:
    """Calls of the living animals' images at their last session, by animal and organ.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
    """
    from lampyris.assays.histology.calls import call_from_onset, living_organ

    found = {}
    for outcome in outcomes:
        for onset in outcome.endpoints.onsets if outcome.endpoints is not None else ():
            organ = living_organ(onset.organ)
            found[outcome.animal, organ] = call_from_onset(
                outcome.animal,
                organ,
                probability=onset.probability,
                after_day=onset.after_day,
                by_day=onset.by_day,
                limit_cells=onset.limit_cells,
            )
    return found
