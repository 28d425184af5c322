"""The study's step: sessions and animals from disk to tables, comparison, methods text, report and crate."""

import contextlib
import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import lampyris
from lampyris.core.amounts import Amounts
from lampyris.core.analyses import Analyses
from lampyris.core.assays import ExVivo
from lampyris.core.bench_study import StudyBench
from lampyris.core.checks import CheckVerdict, ReportingItem
from lampyris.core.comparison import Comparison
from lampyris.core.errors import ImageError
from lampyris.core.finding import Finding
from lampyris.core.histology import Histology
from lampyris.core.lesions import Reach
from lampyris.core.schemas import AnimalRow, StandardRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, Corrections, RunRecord, SessionResult, StudyResults
from lampyris.io import durable
from lampyris.io.images.readers import image_files
from lampyris.io.tables import write_table
from lampyris.study.check import CheckResult
from lampyris.study.checks.evidence import Evidence, read_records
from lampyris.study.checks.reporting import reporting_items
from lampyris.study.checks.run import after_analysis
from lampyris.study.crate import crate_metadata
from lampyris.study.curation.words import correction_methods
from lampyris.study.dot.methods import bench_methods
from lampyris.study.dot.task import (
    BENCH,
    BenchPlan,
    StoredStudyBench,
    load_bench,
    stored_study_bench,
    study_bench,
)
from lampyris.study.draft.rules import allocation_methods
from lampyris.study.drawn.task import OUTLINES, REGIONS, StoredRegions
from lampyris.study.exvivo.sections import SECTIONS, SECTIONS_FOLDER
from lampyris.study.exvivo.stored import TRAY, TRAY_IMAGE, StoredExVivo, load_exvivo, stored_exvivo
from lampyris.study.exvivo.task import AssayPlan, has_organs, study_exvivo
from lampyris.study.graph.codec import encode
from lampyris.study.graph.provenance import package_versions, source_hash
from lampyris.study.graph.store import (
    ANIMAL,
    StoredAnimal,
    automatic_folder,
    read_noun,
    read_session,
    view_folder,
    write_noun,
)
from lampyris.study.graph.tasks import RECORD, Task, hash_files
from lampyris.study.methods.statistics import statistics_done
from lampyris.study.methods.text import methods_text
from lampyris.study.rules.sheets import Sheets
from lampyris.study.statistics import study_statistics
from lampyris.study.statistics.records import correlation_records, course_comparisons
from lampyris.study.tables.study import study_tables

RESULTS = "results"
STUDY = "study.json"
REPORT = "report.html"
CRATE = "ro-crate-metadata.json"
OUTPUTS = ("tables", "figures", REPORT, STUDY, CRATE)
# the folder's name would make two copies of one study differ
COMMAND = "lampyris run ."


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """What study.json holds: all of `StudyResults` but sessions and outcomes, which it names by their folders.

    Parameters
    ----------
    name, title : str
    synthetic : bool
    groups : tuple of (str, dict)
        In the order in which arms are shown, which a JSON object does not keep.
    sessions, animals : tuple of str
        Folders relative to the results: those with a person's corrections where there are any.
    comparisons : tuple of Comparison
    reach : tuple of Reach
    findings : tuple of Finding
    methods : tuple of str
    record : RunRecord
    amounts : Amounts or None
        All of these as of `StudyResults`.
    automatic, automatic_sessions : tuple of str
        Folders of the animals that were corrected, and of those of their sessions, as found automatically.
    automatic_comparisons : tuple of Comparison
        Of all animals as found automatically; empty where nothing was corrected.
    automatic_analyses : Analyses
        Likewise.
    regions : str
        Folder of the regions drawn by hand, relative to the results; empty where there are none.
    checks : tuple of CheckVerdict
        Of every methods check.
    reporting : tuple of ReportingItem
        What the study states of what guidelines ask for.
    analyses : Analyses
        Courses over days, onsets and relations, and the list of all answers.
    exvivo : StoredExVivo or None
        Organs on trays and by mass spectrometry; None where there are none.
    histology : Histology or None
        Sections; None where there are none.
    bench : StoredStudyBench or None
        What the bench says of the probes; None where there are no files of it.
    """

    name: str
    title: str
    synthetic: bool
    groups: tuple[tuple[str, dict[str, str]], ...]
    sessions: tuple[str, ...]
    animals: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    reach: tuple[Reach, ...]
    findings: tuple[Finding, ...]
    methods: tuple[str, ...]
    record: RunRecord
    amounts: Amounts | None = None
    automatic: tuple[str, ...] = ()
    automatic_sessions: tuple[str, ...] = ()
    automatic_comparisons: tuple[Comparison, ...] = ()
    regions: str = ""
    checks: tuple[CheckVerdict, ...] = ()
    reporting: tuple[ReportingItem, ...] = ()
    analyses: Analyses = field(default_factory=Analyses)
    automatic_analyses: Analyses = field(default_factory=Analyses)
    exvivo: StoredExVivo | None = None
    histology: Histology | None = None
    bench: StoredStudyBench | None = None


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What the study's step is made from.

    Parameters
    ----------
    settings : StudySettings
        All settings.
    sessions, animals : tuple of str
        Folders relative to the study: sessions of animals that are done, sorted by animal and day; all animals. Those with a
        person's corrections where there are any.
    sheets : tuple of str
        Settings, sheets and the images of standards, files or folders, relative to the study.
    findings : tuple of Finding
        Of the checks and the analysis.
    published : str
        Date of the last session, or "".
    only : tuple of str
        Animals to which the run was restricted.
    standards : tuple of StandardRow
        Rows of standards.csv; the sheet and its images stand in `sheets`.
    entries : tuple of AnimalRow
        Rows of animals.csv.
    automatic, automatic_sessions : tuple of str
        Folders of the animals that were corrected, and of those of their sessions, as found automatically.
    regions : str
        Folder of the regions drawn by hand, relative to the study; empty where there are none.
    check : CheckResult or None
        What was checked: sheets and their findings, for the checks that read results.
    trays : AssayPlan or None
        Trays and tables of the ex vivo part; None where the study has none.
    bench : BenchPlan or None
        What the bench's techniques left; None where the study has no files of them.
    """

    settings: StudySettings
    sessions: tuple[str, ...]
    animals: tuple[str, ...]
    sheets: tuple[str, ...]
    findings: tuple[Finding, ...]
    published: str
    only: tuple[str, ...]
    standards: tuple[StandardRow, ...] = ()
    entries: tuple[AnimalRow, ...] = ()
    automatic: tuple[str, ...] = ()
    automatic_sessions: tuple[str, ...] = ()
    regions: str = ""
    check: CheckResult | None = None
    trays: AssayPlan | None = None
    bench: BenchPlan | None = None


def study_task(study: Path, plan: StudyPlan, /, *, engine: Executor | None = None) -> Task:
    """Make everything above the animals.

    Parameters
    ----------
    study : Path
        The study's directory.
    plan : StudyPlan
        What goes in.
    engine : concurrent.futures.Executor, optional
        What packs the report's pictures, beside this thread. The outputs do not depend on it.

    Returns
    -------
    Task
        Depends on the records of sessions and animals, on sheets and settings, and on the findings.
    """
    options = {
        "settings": plan.settings.model_dump(mode="json"),
        "sessions": plan.sessions,
        "animals": plan.animals,
        "findings": encode(plan.findings),
        "published": plan.published,
        "only": plan.only,
        "automatic": plan.automatic,
        "automatic_sessions": plan.automatic_sessions,
        "regions": plan.regions,
        "checks": encode(plan.check.checks) if plan.check is not None else [],
        "trays": encode(plan.trays),
        "bench": encode(plan.bench),
    }
    folders = (*plan.sessions, *plan.animals, *plan.automatic, *plan.automatic_sessions, *filter(None, [plan.regions]))
    folders += plan.trays.all_folders if plan.trays is not None else ()
    folders += plan.bench.folders if plan.bench is not None else ()
    return Task(
        step="study",
        study=str(study),
        folder=RESULTS,
        inputs=(*_files(study, plan.sheets), *(f"{folder}/{RECORD}" for folder in folders)),
        outputs=OUTPUTS,
        options=durable.canonical_json(options),
        work=partial(_assemble, plan, engine),
        seed_key=("study", plan.settings.study.name, "study"),
    )


def _files(study: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Sheets and images as files: of a folder that is one image all files in it, as of a session's."""
    files: set[str] = set()
    for name in names:
        home = study / name
        if not home.is_dir():
            files.add(name)
            continue
        # what cannot be listed cannot be measured either, which is told of the standard
        with contextlib.suppress(ImageError):
            files.update(f"{name}/{one.relative_to(home).as_posix()}" for one in image_files(home, file=name))
    return tuple(sorted(files))


def load_results(folder: Path, /, *, images: bool = True) -> StudyResults:
    """Read a finished study.

    Parameters
    ----------
    folder : Path
        Its results.
    images : bool
        Read the images of all sessions too; `StoredSessions` reads them one session at a time.

    Returns
    -------
    StudyResults

    Raises
    ------
    LampyrisError
        If a file is missing or is not what was written.
    """
    stored: StoredStudy = read_noun(folder / STUDY, StoredStudy)
    animals = [read_noun(folder / name / ANIMAL, StoredAnimal) for name in stored.animals]
    return StudyResults(
        name=stored.name,
        title=stored.title,
        synthetic=stored.synthetic,
        groups=dict(stored.groups),
        sessions=tuple(read_session(folder / name, images=images) for name in stored.sessions),
        outcomes=_sorted([animal.outcome for animal in animals]),
        comparisons=stored.comparisons,
        findings=stored.findings,
        methods=stored.methods,
        record=stored.record,
        reach=stored.reach,
        amounts=stored.amounts,
        corrections=Corrections(
            rows=tuple(row for animal in animals for row in animal.corrections),
            outcomes=_sorted([read_noun(folder / name / ANIMAL, StoredAnimal).outcome for name in stored.automatic]),
            sessions=tuple(read_session(folder / name, images=False) for name in stored.automatic_sessions),
            comparisons=stored.automatic_comparisons,
            analyses=stored.automatic_analyses,
        ),
        regions=_regions(folder / stored.regions).regions if stored.regions else (),
        checks=stored.checks,
        reporting=stored.reporting,
        analyses=stored.analyses,
        exvivo=load_exvivo(folder, stored.exvivo),
        histology=stored.histology,
        bench=load_bench(folder, stored.bench),
    )


def _regions(folder: Path) -> StoredRegions:
    found: StoredRegions = read_noun(folder / REGIONS, StoredRegions)
    return found


@dataclass(frozen=True, slots=True)
class StoredSessions(Sequence[SessionResult]):
    """Sessions of finished results with their images, each read when it is asked for and not kept; small on its way to a worker.

    Parameters
    ----------
    folder : Path
        The results.
    names : tuple of str
        Folders of the sessions, relative to the results.
    """

    folder: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, place: int) -> SessionResult: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SessionResult]: ...
    def __getitem__(self, place: int | slice) -> SessionResult | Sequence[SessionResult]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        return read_session(self.folder / self.names[place])


def write_report(
    results: StudyResults, folder: Path, /, *, image_budget_mb: float | None = None, engine: Executor | None = None
) -> None:
    """Render the report with its figures into the results' folder, from whose images it is drawn a session at a time per worker."""
    from lampyris.report.render import render_report

    stored: StoredStudy = read_noun(folder / STUDY, StoredStudy)
    budget: dict[str, float] = {} if image_budget_mb is None else {"image_budget_mb": image_budget_mb}
    files = render_report(results, sessions=StoredSessions(folder, stored.sessions), engine=engine, **budget)
    for name, data in sorted(files.items()):
        durable.write_bytes(folder / name, data)


def _assemble(plan: StudyPlan, engine: Executor | None, study: Path, folder: Path) -> None:
    from lampyris.metastasis.reach import reach

    settings, level = plan.settings, plan.settings.analysis.interval_level
    animals: list[StoredAnimal] = [read_noun(study / name / ANIMAL, StoredAnimal) for name in plan.animals]
    outcomes = _sorted([animal.outcome for animal in animals])
    automatic = _automatic_outcomes(plan, study, outcomes)
    groups = {
        name: {"title": group.title or name, "role": group.role, "probe": group.probe}
        for name, group in settings.groups.items()
    }
    comparisons, analyses = _statistics(plan, outcomes, groups)
    was = _statistics(plan, automatic, groups) if plan.automatic else ((), Analyses())
    record = _record(plan, study)
    amounts, unmeasured = _amounts(plan, study, outcomes)
    exvivo, of_trays = _exvivo(plan, study, outcomes)
    histology = _histology(plan, study, outcomes)
    bench = study_bench(study, plan.bench, settings) if plan.bench is not None else None
    # each view has a folder; decoding hundreds of sessions only to count theirs would take seconds
    views = max(
        (sum(1 for _ in (study / automatic_folder(name)).glob(view_folder("*"))) for name in plan.sessions), default=1
    )
    stored = StoredStudy(
        name=settings.study.name,
        title=settings.study.title,
        synthetic=settings.study.synthetic,
        groups=tuple(groups.items()),
        sessions=tuple(name.removeprefix(f"{RESULTS}/") for name in plan.sessions),
        animals=tuple(name.removeprefix(f"{RESULTS}/") for name in plan.animals),
        comparisons=comparisons,
        reach=reach(outcomes, groups, level=level),
        amounts=amounts,
        findings=(
            *(finding for animal in animals for finding in animal.findings),
            *plan.findings,
            *unmeasured,
            *(_regions(study / plan.regions).findings if plan.regions else ()),
            *of_trays,
            *(one for one in (histology.findings if histology is not None else ()) if one not in plan.findings),
            *(bench.findings if bench is not None else ()),
        ),
        methods=(
            *allocation_methods(study),
            *methods_text(settings, record, views=views, done=statistics_done(comparisons, analyses)),
            *_assay_methods(exvivo, histology, settings),
            *(bench_methods(bench) if bench is not None else ()),
            *correction_methods(animals),
        ),
        record=record,
        automatic=tuple(name.removeprefix(f"{RESULTS}/") for name in plan.automatic),
        automatic_sessions=tuple(name.removeprefix(f"{RESULTS}/") for name in plan.automatic_sessions),
        automatic_comparisons=was[0],
        regions=plan.regions.removeprefix(f"{RESULTS}/"),
        analyses=analyses,
        automatic_analyses=was[1],
        exvivo=exvivo,
        histology=histology,
        bench=_stored_bench(bench, plan),
    )
    _write_out(stored, plan, engine, study, folder)


def _write_out(stored: StoredStudy, plan: StudyPlan, engine: Executor | None, study: Path, folder: Path) -> None:
    """The study as one file, and what is made from it: tables, figures, report and crate."""
    write_noun(folder / STUDY, stored)
    # from here on everything is made from what was stored, so that rendering again gives the same bytes
    results = _judged(load_results(folder, images=False), plan, study)
    write_noun(folder / STUDY, replace(stored, checks=results.checks, reporting=results.reporting))
    for stem, (columns, units, types) in study_tables(results).items():
        write_table(folder / "tables", stem, columns, units=units, types=types)
    (folder / "figures").mkdir(exist_ok=True)
    write_report(results, folder, engine=engine)
    _write_crate(results, folder, stored, plan.published)


def _statistics(
    plan: StudyPlan, outcomes: Sequence[AnimalOutcome], groups: dict[str, dict[str, str]]
) -> tuple[tuple[Comparison, ...], Analyses]:
    options = plan.settings.analysis
    weights = {entry.animal: entry.weight_g for entry in plan.entries}
    return study_statistics(
        outcomes,
        groups,
        weights,
        level=options.interval_level,
        study=plan.settings.study.name,
        primary=options.primary_endpoint,
        lots=_lots(plan),
    )


def _lots(plan: StudyPlan) -> dict[str, list[str]]:
    """Lots of the probe by animal, as the sheet names them."""
    found: dict[str, list[str]] = {}
    for row in plan.check.samples if plan.check is not None else ():
        if row.lot:
            found.setdefault(row.animal, []).append(f"{row.probe} {row.lot}".strip())
    return found


def _judged(results: StudyResults, plan: StudyPlan, study: Path) -> StudyResults:
    """The results with the methods checks on them, and with what the study states of what guidelines ask for."""
    check = plan.check
    if check is None:
        return results
    sheets = Sheets(
        study, plan.settings, check.samples, check.animals, True, curation=check.curation, regions=check.regions
    )
    evidence = Evidence(
        sheets=sheets,
        findings=plan.findings,
        records=read_records(study),
        sessions=results.sessions,
        outcomes=results.outcomes,
        comparisons=(*results.comparisons, *course_comparisons(results.analyses.over_time)),
        regions=results.regions,
        correlations=correlation_records(results.analyses.relations, level=plan.settings.analysis.interval_level),
    )
    return replace(results, checks=after_analysis(check.checks, evidence), reporting=reporting_items(evidence))


def _amounts(
    plan: StudyPlan, study: Path, outcomes: Sequence[AnimalOutcome]
) -> tuple[Amounts | None, tuple[Finding, ...]]:
    from lampyris.study.amounts import amount_findings, amounts_wanted, study_amounts
    from lampyris.study.standards import measure_standards

    if not amounts_wanted(plan.standards, plan.entries):
        return None, ()
    measured, findings = measure_standards(study, plan.standards, plan.settings)
    sessions = [read_session(study / name, images=False) for name in plan.sessions]
    amounts = study_amounts(measured, plan.entries, plan.settings, outcomes, sessions)
    return amounts, (*findings, *amount_findings(amounts))


def _exvivo(
    plan: StudyPlan, study: Path, outcomes: Sequence[AnimalOutcome]
) -> tuple[StoredExVivo | None, tuple[Finding, ...]]:
    """Trays and tables beside the living animals, and what is to be said that the checks did not say."""
    if plan.trays is None or plan.check is None or not has_organs(plan.check):
        return None, ()
    from lampyris.study.exvivo.living import last_signals, signals_of

    # sessions stand by animal and day: the last of each was imaged before the organs were
    last = {Path(automatic_folder(name)).parent.name: name for name in plan.sessions}
    sessions = [read_session(study / name, images=False) for name in last.values()]
    living = last_signals(signals_of(sessions, outcomes))
    found: ExVivo = study_exvivo(study, plan.trays, plan.check, plan.settings, living, only=plan.only)
    stored = stored_exvivo(found, [name.removeprefix(f"{RESULTS}/") for name in plan.trays.folders])
    return stored, tuple(one for one in found.findings if one not in plan.findings)


def _histology(plan: StudyPlan, study: Path, outcomes: Sequence[AnimalOutcome]) -> Histology | None:
    """Sections beside the calls of the living animals."""
    if plan.trays is None or not plan.trays.sections:
        return None
    from lampyris.study.exvivo.sections import read_sections, study_sections

    counted = read_sections(study / plan.trays.sections)
    told = [one for one in plan.findings if one.rule.startswith("histology.")]
    aside = {entry.animal for entry in plan.entries if entry.excluded}
    if plan.only:
        aside |= {one.animal for one in counted.organs} - set(plan.only)
    return study_sections(counted, outcomes, plan.settings, aside=aside, findings=told)


def _stored_bench(bench: StudyBench | None, plan: StudyPlan) -> StoredStudyBench | None:
    if bench is None or plan.bench is None:
        return None
    return stored_study_bench(bench, [name.removeprefix(f"{RESULTS}/") for name in plan.bench.folders])


def _assay_methods(
    exvivo: StoredExVivo | None, histology: Histology | None, settings: StudySettings
) -> tuple[str, ...]:
    if exvivo is None and histology is None:
        return ()
    from lampyris.study.exvivo.methods import exvivo_methods

    return exvivo_methods(exvivo, histology, settings)


def _automatic_outcomes(plan: StudyPlan, study: Path, outcomes: tuple[AnimalOutcome, ...]) -> tuple[AnimalOutcome, ...]:
    """All animals as found automatically."""
    found = [read_noun(study / name / ANIMAL, StoredAnimal).outcome for name in plan.automatic]
    named = {outcome.animal for outcome in found}
    return _sorted([*found, *(outcome for outcome in outcomes if outcome.animal not in named)])


def _write_crate(results: StudyResults, folder: Path, stored: StoredStudy, published: str) -> None:
    views = [
        f"{automatic_folder(name)}/{view_folder(view.view)}"
        for name, session in zip(stored.sessions, results.sessions, strict=True)
        for view in session.views
    ]
    tops = [name for name in OUTPUTS if name != CRATE]
    files = hash_files(folder, [*tops, *(f"{name}/{ANIMAL}" for name in (*stored.animals, *stored.automatic))])
    sessions = (*stored.sessions, *stored.automatic_sessions)
    files |= hash_files(folder, [f"{name}/session.json" for name in sessions])
    files |= hash_files(folder, [f"{stored.regions}/{name}" for name in (REGIONS, OUTLINES) if stored.regions])
    trays = stored.exvivo.trays if stored.exvivo is not None else ()
    files |= hash_files(folder, [f"{name}/{TRAY}" for name in trays])
    files |= hash_files(folder, [f"{SECTIONS_FOLDER.removeprefix(f'{RESULTS}/')}/{SECTIONS}"])
    measured = stored.bench.folders if stored.bench is not None else ()
    files |= hash_files(folder, [f"{name}/{BENCH}" for name in measured])
    views += [f"{name}/{TRAY_IMAGE}" for name in trays]
    durable.write_json(folder / CRATE, crate_metadata(results, files, views, published=published))


def _record(plan: StudyPlan, study: Path) -> RunRecord:
    inputs = {name: durable.sha256_file(study / name) for name in _files(study, plan.sheets)}
    trays = plan.trays.all_folders if plan.trays is not None else ()
    bench = plan.bench.folders if plan.bench is not None else ()
    for folder in (*map(automatic_folder, plan.sessions), *plan.automatic_sessions, *trays, *bench):
        inputs |= json.loads((study / folder / RECORD).read_text(encoding="utf-8"))["inputs"]
    options: dict[str, Any] = plan.settings.model_dump(mode="json")
    if plan.only:
        options["only"] = list(plan.only)
    return RunRecord(
        lampyris=lampyris.__version__,
        source_hash=source_hash(),
        packages=package_versions(),
        options=options,
        inputs=dict(sorted(inputs.items())),
        command=" ".join([COMMAND, *(f"--only {name}" for name in plan.only)]),
    )


def _sorted(outcomes: Sequence[AnimalOutcome]) -> tuple[AnimalOutcome, ...]:
    return tuple(sorted(outcomes, key=lambda outcome: (outcome.group, outcome.animal)))
