"""Runs a study: check, sessions, animals, study, manifest. A killed run resumes; the bytes are the same for any workers."""

import json
import time
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lampyris.core.errors import ImageError, InputError, LampyrisError, UsageError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import AnimalRow, LandmarkRow, SampleRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome
from lampyris.io import durable
from lampyris.study.assemble import REPORT, RESULTS, StudyPlan, load_results, study_task, write_report
from lampyris.study.check import CheckResult, check_study
from lampyris.study.checks.run import is_check
from lampyris.study.curation.contradictions import CURATION_SHEET
from lampyris.study.curation.tasks import CorrectStep, CuratedAnimals, run_corrections
from lampyris.study.dot.task import BenchPlan, bench_plan, bench_tasks
from lampyris.study.draft.rules import frozen_files
from lampyris.study.drawn.gather import gather_regions, region_files
from lampyris.study.drawn.task import regions_task
from lampyris.study.exvivo.sections import SECTIONS_FAILED, read_sections
from lampyris.study.exvivo.stored import TRAY_FAILED
from lampyris.study.exvivo.task import AssayPlan, assay_plan, assay_tasks, has_assays
from lampyris.study.graph.cluster import ClusterEngine
from lampyris.study.graph.following import FollowStep, follow_sessions
from lampyris.study.graph.light import begin_light, light_is_shared
from lampyris.study.graph.steps import AnimalPlan, SessionStep, animal_task, session_task
from lampyris.study.graph.store import automatic_folder
from lampyris.study.graph.tasks import (
    RECORD,
    Progress,
    Task,
    TaskOutcome,
    do_task,
    hash_files,
    open_engine,
    run_tasks,
)
from lampyris.study.opening.views import SessionRows, lanes_named
from lampyris.study.rules.sheets import (
    SETTINGS,
    SHEET,
    SHEET_ANIMALS,
    SHEET_ASSAYS,
    SHEET_BENCH,
    SHEET_LANDMARKS,
    SHEET_ORGANS,
    SHEET_REGIONS,
    SHEET_STANDARDS,
    Sheets,
)
from lampyris.study.standards import standard_files

MANIFEST = "manifest.json"
MANIFEST_FORMAT = "lampyris-manifest/1"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run leaves.

    Parameters
    ----------
    results, report : Path
        Where.
    animals : dict of str to dict
        Per animal ``group``, ``status`` (``done``, ``failed``, ``excluded``) and ``reason``.
    seconds : dict of str to float
        Wall time of ``check``, ``sessions``, ``animals``, ``study`` and ``total``; in no file.
    exit_code : int
        0, or 4 where an animal, a tray of organs, a table or a technique of the bench failed.
    failed_assays : tuple of str
        Trays, sections, ICP-MS tables and techniques of the bench that could not be used, each with the reason.
    """

    results: Path
    report: Path
    animals: dict[str, dict[str, str]]
    seconds: dict[str, float]
    exit_code: int
    failed_assays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    """The study's sheets, sorted for the work: sessions per animal, exclusions, and what is left aside."""

    study: Path
    settings: StudySettings
    sessions: dict[str, tuple[SessionRows, ...]]
    excluded: dict[str, str]
    groups: dict[str, str]
    entries: dict[str, AnimalRow]
    only: tuple[str, ...]
    aside: frozenset[str]
    photographed: frozenset[str]

    @property
    def count(self) -> int:
        """Steps that a run makes: sessions, animals, and the report."""
        return sum(map(len, self.sessions.values())) + len(self.sessions) + len(self.excluded) + 1


@dataclass(frozen=True, slots=True)
class _Level:
    """How a level of the graph is run, and how its progress is told."""

    force: bool
    progress: Progress | None
    total: int

    def run(
        self, tasks: Sequence[Task], names: Sequence[str], engine: Executor | None, before: int
    ) -> list[TaskOutcome]:
        """Do the tasks, `before` steps of the run being done."""
        shown = {task.folder: name for task, name in zip(tasks, names, strict=True)}

        def say(done: int, total: int, folder: str) -> None:
            if self.progress is not None:
                self.progress(before + done, self.total, shown[folder])

        return list(run_tasks(tasks, engine=engine, force=self.force, progress=say))

    def run_again(self, engine: Executor | None, tasks: Sequence[Task], names: Sequence[str]) -> list[TaskOutcome]:
        """Do tasks that stand for steps which were counted already."""
        return replace(self, progress=None).run(tasks, names, engine, 0)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is done to a session, to an animal, and to a session that a person corrects.

    Parameters
    ----------
    session : callable, optional
        `lampyris.imaging.step.analyse_session` by default.
    animal : callable, optional
        `lampyris.study.graph.following.follow_sessions` by default.
    correction : callable, optional
        `lampyris.imaging.corrected.correct_session` by default.
    """

    session: SessionStep | None = None
    animal: FollowStep | None = None
    correction: CorrectStep | None = None


def run_study(
    directory: Path | str,
    /,
    *,
    workers: int | None = None,
    scheduler: str = "",
    only: str | Sequence[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    analysis: Analysis = Analysis(),
) -> RunOutcome:
    """Analyse a study, or what of it is not done.

    Parameters
    ----------
    directory : path
        The study.
    workers : int, optional
        Processes; threads on every core by default, 1 works in this thread. The results do not depend on it.
    scheduler : str
        Address of a running Dask scheduler whose workers do the work; they see the study under the same path.
    only : str or sequence of str, optional
        Analyse these animals only. Results of the others stay on disk for a later run; report and manifest leave them out.
    force : bool
        Analyse also what is done.
    progress : callable, optional
        Called with the number done, the total and what was done.
    analysis : Analysis
        What is done to sessions and animals, where it is not the package's own.

    Returns
    -------
    RunOutcome
        Exit code 4 where a fault in an image, or anything else, stopped an animal.

    Raises
    ------
    InputError
        If sheets or settings are invalid: with every fault; nothing is analysed.
    UsageError
        If `only` names an unknown animal, the number of workers is below 1, or both workers and a scheduler are given.
    LampyrisError
        If another run holds the study, the disk refuses, or the cluster cannot be used.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")
    if scheduler and workers is not None:
        raise UsageError("workers and scheduler exclude each other: a cluster has its own workers")
    # workers on other machines stand in other directories
    study = Path(directory).resolve() if scheduler else Path(directory)
    start = time.monotonic()
    # first of all, so that its workers wake while the study is checked
    with open_engine(workers, scheduler=scheduler, study=study) as engine:
        check, settings = _checked(study)
        work = _work(study, check, settings, only)
        checked = time.monotonic()
        with durable.StudyLock(study):
            _make_room(study / RESULTS)
            level = _Level(force=force, progress=progress, total=work.count)
            with durable.passing_directory(study / RESULTS) as passing:
                parts = _begin_light(work, engine, analysis.animal, passing)
                outcomes = _run_sessions(work, analysis.session or _own_step(), engine, level)
                analysed = time.monotonic()
                light = passing.resolve() if light_is_shared(parts) else None
                follow = analysis.animal or follow_sessions
                plans, animal_tasks = _run_animals(work, outcomes, follow, engine, level, light)
                curated = run_corrections(
                    study,
                    check.curation,
                    plans,
                    settings,
                    partial(level.run_again, engine),
                    correct=analysis.correction or _own_correction(),
                    follow=follow,
                )
            trays = _run_assays(work, check, engine, level)
            bench = _run_bench(work, check, engine, level)
            followed = time.monotonic()
            final = _do_study(work, check, plans, curated, (trays, bench), engine, force=force)
            done = [outcome.folder for outcome in outcomes.values() if outcome.done]
            done += [task.folder for task in animal_tasks]
            _finish(work, [*done, *curated.folders, *final])
    animals = [(curated.plans.get(name) or plans[name]).outcome for name in sorted(plans)]
    if progress is not None:
        progress(work.count, work.count, "report")
    seconds = _seconds(start, checked, analysed, followed, time.monotonic())
    lost = (*_lost_assays(study, check, trays), *(bench.failed if bench is not None else ()))
    return _run_outcome(study, animals, lost, seconds)


def _run_outcome(
    study: Path, animals: Sequence[AnimalOutcome], lost: tuple[str, ...], seconds: dict[str, float]
) -> RunOutcome:
    return RunOutcome(
        results=study / RESULTS,
        report=study / RESULTS / REPORT,
        animals={a.animal: {"group": a.group, "status": a.status, "reason": a.reason} for a in animals},
        seconds=seconds,
        exit_code=ImageError.exit_code if lost or any(animal.status == "failed" for animal in animals) else 0,
        failed_assays=lost,
    )


def render_again(directory: Path | str, /, *, image_budget_mb: float | None = None) -> Path:
    """Render the report from stored results; nothing is analysed.

    Parameters
    ----------
    directory : path
        The study.
    image_budget_mb : float, optional
        Room for pictures in the report; without it the report is, byte for byte, the run's.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    LampyrisError
        If there are no complete results.
    """
    study = Path(directory)
    results = study / RESULTS
    if not (results / MANIFEST).is_file():
        finding = Finding(
            "results.incomplete",
            Severity.ERROR,
            Place(f"{RESULTS}/{MANIFEST}"),
            "there are no complete results.",
            "Run the analysis first; it resumes where it was stopped.",
        )
        raise LampyrisError("no report can be rendered", [finding])
    with durable.StudyLock(study):
        listed = json.loads((results / MANIFEST).read_text(encoding="utf-8"))["files"]
        loaded = load_results(results, images=False)
        (results / MANIFEST).unlink()
        if image_budget_mb is not None:
            # the record vouches for the run's own report: without it the next run renders that again
            (results / RECORD).unlink(missing_ok=True)
        with open_engine() as engine:
            write_report(loaded, results, image_budget_mb=image_budget_mb, engine=engine)
        _write_manifest(results, hash_files(results, sorted(listed)))
    return results / REPORT


def _make_room(results: Path) -> None:
    """Begin a run in the results' folder: nothing of a killed one is left, and no manifest vouches for what is changed."""
    results.mkdir(exist_ok=True)
    durable.sweep(results)
    # half of an old run and half of a new one are no result
    (results / MANIFEST).unlink(missing_ok=True)


def _seconds(start: float, checked: float, analysed: float, followed: float, end: float) -> dict[str, float]:
    return {
        "check": checked - start,
        "sessions": analysed - checked,
        "animals": followed - analysed,
        "study": end - followed,
        "total": end - start,
    }


def _checked(study: Path) -> tuple[CheckResult, StudySettings]:
    """The check of a study whose sheets and settings are valid."""
    check = check_study(study)
    if check.sheet_errors or check.settings is None:
        count = len(check.sheet_errors)
        raise InputError(
            f"{count} fault{'' if count == 1 else 's'} in sheets and settings: nothing was analysed", check.errors
        )
    return check, check.settings


def _do_study(
    work: _Work,
    check: CheckResult,
    plans: Mapping[str, AnimalPlan],
    curated: CuratedAnimals,
    beside: tuple[AssayPlan | None, BenchPlan | None],
    engine: Executor | None,
    *,
    force: bool,
) -> list[str]:
    """Regions, tables and report over what is done, with a person's corrections; their folders."""
    trays, bench = beside
    plan = _with_regions(work, check, replace(_study_plan(work, check, plans, curated), bench=bench), force=force)
    if trays is not None:
        plan = replace(plan, trays=trays, sheets=(*plan.sheets, *(set(trays.files) - set(plan.sheets))))
    with ExitStack() as threads:
        if isinstance(engine, ClusterEngine):
            # its workers are far, and what they would send back is most of the report
            engine = threads.enter_context(open_engine())
        final = study_task(work.study, plan, engine=engine)
        do_task(final, force=force)
    return [
        *filter(None, [plan.regions]),
        *(trays.all_folders if trays is not None else ()),
        *(bench.folders if bench is not None else ()),
        final.folder,
    ]


def _run_assays(work: _Work, check: CheckResult, engine: Executor | None, level: _Level) -> AssayPlan | None:
    """Measure trays of organs, each by itself, and count sections; None where the study has no ex vivo part."""
    if not has_assays(check):
        return None
    tasks = assay_tasks(work.study, check, work.settings)
    return assay_plan(check, tasks, level.run_again(engine, tasks, [task.folder for task in tasks]))


def _run_bench(work: _Work, check: CheckResult, engine: Executor | None, level: _Level) -> BenchPlan | None:
    """Measure each technique of each probe and lot by itself; None where the study has no files of the bench."""
    if not check.bench:
        return None
    tasks = bench_tasks(work.study, check, work.settings)
    outcomes = level.run_again(engine, tasks, [task.folder for task in tasks])
    return bench_plan(check, work.settings, tasks, outcomes)


def _lost_assays(study: Path, check: CheckResult, trays: AssayPlan | None) -> tuple[str, ...]:
    """Trays that could not be measured, sections that could not be counted, and ICP-MS tables that could not be read."""
    if trays is None:
        return ()
    told = [one for one in check.image_errors if one.rule.startswith("icp.")]
    failed = [one for one in trays.findings if one.rule in (TRAY_FAILED, SECTIONS_FAILED)]
    if trays.sections:
        failed += [one for one in read_sections(study / trays.sections).findings if one.severity == Severity.ERROR]
    return tuple(map(str, (*failed, *told)))


def _begin_light(work: _Work, engine: Executor | None, follow: FollowStep | None, folder: Path) -> list[Future[None]]:
    """Start on the light that every animal needs, where sessions are to be analysed first and several animals follow."""
    new = [
        session
        for sessions in work.sessions.values()
        for session in sessions
        if not (work.study / session.folder / RECORD).is_file()
    ]
    if follow is not None or not new or len(work.sessions) < 2:
        return []
    return begin_light(work.settings.instrument, engine, folder)


def _own_step() -> SessionStep:
    from lampyris.imaging.step import analyse_session

    return analyse_session


def _own_correction() -> CorrectStep:
    from lampyris.imaging.corrected import correct_session

    return correct_session


def _work(study: Path, check: CheckResult, settings: StudySettings, only: str | Sequence[str] | None) -> _Work:
    rows_of: dict[str, dict[str, list[SampleRow]]] = defaultdict(lambda: defaultdict(list))
    for row in check.samples:
        rows_of[row.animal][row.session].append(row)
    wanted = tuple(sorted({only} if isinstance(only, str) else set(only))) if only else ()
    unknown = [name for name in wanted if name not in rows_of]
    if unknown:
        raise UsageError(f"{SHEET} has no animal {', '.join(unknown)}; it has {', '.join(sorted(rows_of))}")
    entries = {entry.animal: entry for entry in check.animals}
    lanes = lanes_named(check.samples)
    selected = sorted(wanted or rows_of)
    excluded = {name: _exclusion(entries[name]) for name in selected if name in entries and entries[name].excluded}
    return _Work(
        study=study,
        settings=settings,
        sessions={
            name: _sessions(rows_of[name], entries.get(name), check.landmarks, lanes)
            for name in selected
            if name not in excluded
        },
        excluded=excluded,
        groups={name: next(iter(sessions.values()))[0].group for name, sessions in rows_of.items()},
        entries=entries,
        only=wanted,
        aside=frozenset(rows_of) - frozenset(selected),
        photographed=check.photographed,
    )


def _sessions(
    rows: Mapping[str, list[SampleRow]],
    entry: AnimalRow | None,
    landmarks: Sequence[LandmarkRow],
    lanes: Mapping[str, tuple[int, ...]],
) -> tuple[SessionRows, ...]:
    sessions = []
    for session in rows.values():
        who = (session[0].animal, session[0].session)
        marks = tuple(mark for mark in landmarks if (mark.animal, mark.session) == who)
        shared = tuple((image, lanes[image]) for image in sorted({row.image for row in session}) if image in lanes)
        sessions.append(SessionRows(tuple(session), entry, marks, shared))
    return tuple(sorted(sessions, key=lambda session: (session.rows[0].day, session.rows[0].session)))


def _exclusion(entry: AnimalRow) -> str:
    by = ", ".join(part for part in (entry.exclusion_author, entry.exclusion_time) if part)
    return entry.exclusion_reason + (f" ({by})" if by else "")


def _run_sessions(
    work: _Work, step: SessionStep, engine: Executor | None, level: _Level
) -> dict[tuple[str, str], TaskOutcome]:
    """Do every session; by animal and session."""
    sessions = [session for group in work.sessions.values() for session in group]
    tasks = [session_task(work.study, session, work.settings, step) for session in sessions]
    outcomes = level.run(tasks, [" ".join(session.name) for session in sessions], engine, 0)
    return {session.name: outcome for session, outcome in zip(sessions, outcomes, strict=True)}


def _run_animals(
    work: _Work,
    outcomes: Mapping[tuple[str, str], TaskOutcome],
    follow: FollowStep,
    engine: Executor | None,
    level: _Level,
    light: Path | None,
) -> tuple[dict[str, AnimalPlan], list[Task]]:
    """Follow every animal over its sessions; one that cannot be followed fails, with its reason."""
    plans = _animal_plans(work, outcomes)
    names = sorted(plans)
    tasks = [animal_task(work.study, plans[name], work.settings, follow, light=light) for name in names]
    done = level.run(tasks, names, engine, len(outcomes))
    for place, outcome in enumerate(done):
        if not outcome.done:
            name = names[place]
            plans[name] = _failed_plan(plans[name], outcome)
            tasks[place] = animal_task(work.study, plans[name], work.settings, follow)
            do_task(tasks[place])
    return plans, tasks


def _animal_plans(work: _Work, outcomes: Mapping[tuple[str, str], TaskOutcome]) -> dict[str, AnimalPlan]:
    plans = {}
    for name in sorted([*work.sessions, *work.excluded]):
        sessions = work.sessions.get(name, ())
        mine = [outcomes[session.name] for session in sessions]
        failed = {session.name[1]: one for session, one in zip(sessions, mine, strict=True) if not one.done}
        status = "excluded" if name in work.excluded else "failed" if failed else "done"
        reason = work.excluded.get(name) or "; ".join(f"{session}: {_told(one)}" for session, one in failed.items())
        plans[name] = AnimalPlan(
            outcome=AnimalOutcome(name, work.groups[name], status, reason, (), (), (), ()),
            folders=tuple(one.folder for one in mine) if status == "done" else (),
            animal=work.entries.get(name),
            photographed=all(_is_photographed(session, work.photographed) for session in sessions),
            findings=tuple(_failure_findings(name, failed)),
        )
    controls = {name: plan.folders for name, plan in plans.items() if _is_control(work, name)}
    return {
        # a control is judged by the others, so that it shows what a labelled animal without cells would
        name: replace(plan, controls=tuple(one for other, own in controls.items() if other != name for one in own))
        if plan.folders
        else plan
        for name, plan in plans.items()
    }


def _is_photographed(session: SessionRows, own: frozenset[str]) -> bool:
    """A photograph named on one row, or brought along by its image, is its view's."""
    views = {row.view for row in session.rows}
    return views == {row.view for row in session.rows if row.photo or row.image in own}


def _is_control(work: _Work, animal: str) -> bool:
    return work.settings.groups[work.groups[animal]].role == "control"


def _failed_plan(plan: AnimalPlan, outcome: TaskOutcome) -> AnimalPlan:
    """The animal as one that could not be followed."""
    name = plan.outcome.animal
    seen = f"{name} could not be followed over its sessions: {outcome.reason}; the animal is not in the results."
    told = Finding("animal.failed", Severity.ERROR, Place(outcome.folder), seen, "Mend it and run again.")
    return AnimalPlan(
        outcome=replace(plan.outcome, status="failed", reason=f"following: {_told(outcome)}"),
        findings=(*plan.findings, told, *outcome.findings),
    )


def _told(outcome: TaskOutcome) -> str:
    """Why a session failed, with every place and mend behind it."""
    return ": ".join([outcome.reason, *(str(finding) for finding in outcome.findings)])


def _failure_findings(animal: str, failed: Mapping[str, TaskOutcome]) -> list[Finding]:
    findings = []
    for session, outcome in failed.items():
        seen = f"{animal}, {session}: {outcome.reason}; the animal is not in the results."
        findings.append(Finding("animal.failed", Severity.ERROR, Place(outcome.folder), seen, "Mend it and run again."))
        findings += outcome.findings
    return findings


def _study_plan(work: _Work, check: CheckResult, plans: Mapping[str, AnimalPlan], curated: CuratedAnimals) -> StudyPlan:
    optional = (
        *(SHEET_ANIMALS, SHEET_LANDMARKS, SHEET_STANDARDS, CURATION_SHEET, SHEET_REGIONS),
        *(SHEET_ASSAYS, SHEET_ORGANS, SHEET_BENCH),
    )
    sheets = [SETTINGS, SHEET, *(name for name in optional if (work.study / name).exists())]
    sheets += standard_files(check.standards, work.settings)
    # what the methods checks say stands in their own section
    findings = [one for one in check.findings if one.severity != Severity.ERROR and not is_check(one.rule)]
    if work.only:
        seen = f"only {', '.join(work.only)} of {len(work.groups)} animals were analysed."
        findings.insert(0, Finding("run.only", Severity.WARNING, Place(SHEET), seen, "Run again without --only."))
    sessions = {name: plan.folders for name, plan in plans.items()}
    sessions |= {name: plan.folders for name, plan in curated.plans.items()}
    folders = {name: f"{RESULTS}/sub-{name}" for name in plans}
    final = folders | {name: plan.folder for name, plan in curated.plans.items()}
    used = {folder for own in sessions.values() for folder in own}
    before = [folder for name in curated.plans for folder in plans[name].folders if folder not in used]
    return StudyPlan(
        settings=work.settings,
        sessions=tuple(folder for name in work.sessions for folder in sessions[name]),
        animals=tuple(final[name] for name in sorted(plans)),
        # what is frozen later stands in the record whether or not a step read it
        sheets=tuple(dict.fromkeys((*sheets, *frozen_files(work.study)))),
        findings=tuple(findings),
        published=max((row.date for row in check.samples), default=""),
        only=work.only,
        standards=check.standards,
        entries=check.animals,
        automatic=tuple(folders[name] for name in sorted(curated.plans)),
        automatic_sessions=tuple(before),
        check=check,
    )


def _with_regions(work: _Work, check: CheckResult, plan: StudyPlan, *, force: bool) -> StudyPlan:
    """Measure what was drawn by hand, if anything was."""
    sheets = Sheets(work.study, work.settings, check.samples, check.animals, True, regions=check.regions)
    drawn = [one for one in gather_regions(sheets)[0] if one.candidates[0].animal not in work.aside]
    # also files that belong to no view: the report says so, and rests on them
    lying = {file for file in region_files(sheets) if (work.study / file).is_file()}
    plan = replace(plan, sheets=(*plan.sheets, *sorted(lying - set(plan.sheets))))
    if not drawn:
        return plan
    named = {f"{RESULTS}/sub-{row.animal}/ses-{row.session}": (row.animal, row.session) for row in check.samples}
    folders = {named[automatic_folder(folder)]: folder for folder in plan.sessions}
    task = regions_task(work.study, drawn, folders, work.settings)
    do_task(task, force=force)
    return replace(plan, regions=task.folder)


def _finish(work: _Work, folders: Sequence[str]) -> None:
    """Remove what no task of this run vouches for, then write the manifest."""
    results = work.study / RESULTS
    listed: dict[str, str] = {}
    for folder in folders:
        path = work.study / folder / RECORD
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        inner = Path(folder).relative_to(RESULTS)
        # what the record says of its outputs was found on disk in this run
        listed |= {(inner / name).as_posix(): digest for name, digest in record["outputs"].items()}
        listed[(inner / RECORD).as_posix()] = durable.sha256_file(path)
    keep = tuple(f"sub-{name}/" for name in work.aside)
    tops = [entry.name for entry in results.iterdir() if entry.name.startswith("sub-")]
    for top in [*tops, "tables", "figures", "regions", "assays", "bench"]:
        _remove_unlisted(results, results / top, listed, keep)
    _write_manifest(results, listed)


def _remove_unlisted(results: Path, top: Path, listed: Container[str], keep: tuple[str, ...]) -> None:
    if not top.is_dir() or f"{top.name}/".startswith(keep):
        return
    for path in sorted(top.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(results).as_posix() not in listed:
            path.unlink()
    if not any(top.iterdir()):
        top.rmdir()


def _write_manifest(results: Path, listed: Mapping[str, str]) -> None:
    files = {
        name: {"sha256": digest, "bytes": (results / name).stat().st_size} for name, digest in sorted(listed.items())
    }
    durable.write_json(results / MANIFEST, {"format": MANIFEST_FORMAT, "files": files})
