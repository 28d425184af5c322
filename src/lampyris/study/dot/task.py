"""The bench as tasks: each technique of each probe and lot by itself, so that one that fails stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lampyris.core.bench_study import BenchGroup, BenchLots, BenchStated, StudyBench
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.settings import StudySettings
from lampyris.core.techniques import TechniqueSettings
from lampyris.io import durable
from lampyris.study.check import CheckResult
from lampyris.study.dot.groups import FileGroup, file_groups
from lampyris.study.dot.numbers import over_lots, stated_beside
from lampyris.study.dot.stored import StoredBench, bench_group, stored_bench
from lampyris.study.graph.codec import encode_rows
from lampyris.study.graph.store import read_noun, write_noun
from lampyris.study.graph.tasks import Task, TaskOutcome
from lampyris.study.rules.sheets import SHEET_BENCH

BENCH_FOLDER, BENCH = "results/bench", "bench.json"
BENCH_FAILED = "bench.failed"


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """The bench of a run.

    Parameters
    ----------
    folders : tuple of str
        Of what was measured, relative to the study.
    failed : tuple of str
        What gave no result, with the reason.
    findings : tuple of Finding
        Of what failed.
    """

    folders: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredStudyBench:
    """What study.json holds of the bench: all of `StudyBench` but its groups, which it names by their folders."""

    folders: tuple[str, ...]
    lots: tuple[BenchLots, ...]
    stated: tuple[BenchStated, ...]
    findings: tuple[Finding, ...]
    failed: tuple[str, ...]


def bench_tasks(study: Path, check: CheckResult, settings: StudySettings, /) -> tuple[Task, ...]:
    """Measure every technique of every probe and lot.

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
        Each depends on its own files, their rows and the technique's options.
    """
    groups = file_groups(check.bench, tuple(settings.probes))
    return tuple(_task(study, group, settings) for group in groups)


def _task(study: Path, group: FileGroup, settings: StudySettings) -> Task:
    options = settings.bench.of(group.technique)
    said = {
        "technique": group.technique,
        "probe": group.probe,
        "lot": group.lot,
        "rows": encode_rows(group.rows),
        "options": options.model_dump(mode="json"),
    }
    return Task(
        step="bench",
        study=str(study),
        folder=f"{BENCH_FOLDER}/{group.stem}",
        inputs=_files(study, group),
        outputs=(BENCH,),
        options=durable.canonical_json(said),
        work=partial(_measure, group, options),
        seed_key=("study", settings.study.name, "bench", group.stem),
    )


def _files(study: Path, group: FileGroup) -> tuple[str, ...]:
    """Every file that is read: of a folder all that lie in it."""
    found: set[str] = set()
    for row in group.rows:
        home = study / row.file
        inner = sorted(path for path in home.rglob("*") if path.is_file()) if home.is_dir() else []
        found.update(f"{row.file.rstrip('/')}/{path.relative_to(home).as_posix()}" for path in inner)
        if not home.is_dir():
            found.add(row.file)
    return tuple(sorted(found))


def _measure(group: FileGroup, options: TechniqueSettings, study: Path, folder: Path) -> None:
    from lampyris.study.bench import measure

    result = measure(group.technique, group.sources(study), settings=options)
    write_noun(folder / BENCH, stored_bench(result, group.probe, group.lot, group.stem))


def bench_plan(
    check: CheckResult, settings: StudySettings, tasks: Sequence[Task], outcomes: Sequence[TaskOutcome], /
) -> BenchPlan:
    """What became of the techniques.

    Parameters
    ----------
    check : CheckResult
    settings : StudySettings
    tasks : sequence of Task
        From `bench_tasks`.
    outcomes : sequence of TaskOutcome
        As `tasks`.
    """
    groups = file_groups(check.bench, tuple(settings.probes))
    failed: list[str] = []
    findings: list[Finding] = []
    for group, outcome in zip(groups, outcomes, strict=True):
        if outcome.done:
            continue
        reason = outcome.reason.rstrip(".")
        failed.append(f"{group.name}: {reason}")
        seen = f"{group.name} gave no result: {reason}."
        place = Place(SHEET_BENCH, group.rows[0].row, "file")
        findings += [
            Finding(BENCH_FAILED, Severity.ERROR, place, seen, "Mend it and run again; the rest was measured."),
            *outcome.findings,
        ]
    done = tuple(task.folder for task, outcome in zip(tasks, outcomes, strict=True) if outcome.done)
    return BenchPlan(done, tuple(failed), tuple(dict.fromkeys(findings)))


def study_bench(study: Path, plan: BenchPlan, settings: StudySettings, /) -> StudyBench:
    """The bench of a run from what its techniques left.

    Parameters
    ----------
    study : Path
    plan : BenchPlan
    settings : StudySettings
        What the study says of its probes.
    """
    groups = tuple(_read(study / name) for name in plan.folders)
    numbers = [number for group in groups for number in group.numbers]
    lots = over_lots(numbers)
    findings = [*plan.findings, *(finding for group in groups for finding in group.result.findings)]
    stated = stated_beside(numbers, lots, settings)
    return StudyBench(groups, lots, stated, tuple(dict.fromkeys(findings)), plan.failed)


def stored_study_bench(found: StudyBench, folders: Sequence[str], /) -> StoredStudyBench:
    """The bench for study.json; techniques by their folders relative to the results."""
    return StoredStudyBench(tuple(folders), found.lots, found.stated, found.findings, found.failed)


def load_bench(results: Path, stored: StoredStudyBench | None, /) -> StudyBench | None:
    """The bench from study.json and the techniques' folders.

    Parameters
    ----------
    results : Path
        The results' folder.
    stored : StoredStudyBench or None

    Raises
    ------
    LampyrisError
        If a result is missing or is not what was written.
    """
    if stored is None:
        return None
    groups = tuple(_read(results / name) for name in stored.folders)
    return StudyBench(groups, stored.lots, stored.stated, stored.findings, stored.failed)


def _read(folder: Path) -> BenchGroup:
    stored: StoredBench = read_noun(folder / BENCH, StoredBench)
    return bench_group(stored)
