"""Corrections as tasks of their own, beside the automatic ones: of the sessions that change, and of their animals.

::

    results/sub-A/ses-S, results/sub-A/animal.json    automatic: untouched by curation.csv
    results/sub-A/curated/ses-S                       a session with its corrections
    results/sub-A/curated/animal.json                 the animal followed again over all its sessions
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lampyris.core.errors import InputError
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.lesions import Lesion
from lampyris.core.schemas import CurationRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.imaging.corrected import ViewCorrection
from lampyris.io.durable import canonical_json
from lampyris.study.curation.contradictions import CURATION_SHEET
from lampyris.study.curation.resolve import Resolved, resolve
from lampyris.study.graph.codec import encode
from lampyris.study.graph.following import AnimalInput, FollowStep, spread_of
from lampyris.study.graph.steps import AnimalPlan, followed_columns
from lampyris.study.graph.store import (
    ANIMAL,
    CURATED,
    SESSION,
    StoredAnimal,
    automatic_folder,
    outlines_folder,
    read_noun,
    read_session,
    write_corrected,
    write_noun,
)
from lampyris.study.graph.tasks import RECORD, Task, TaskOutcome, do_task
from lampyris.study.outcomes import animal_outcome

CorrectStep = Callable[[SessionResult, tuple[ViewCorrection, ...], StudySettings], SessionResult]
RunTasks = Callable[[Sequence[Task], Sequence[str]], list[TaskOutcome]]


@dataclass(frozen=True, slots=True)
class CuratedPlan:
    """An animal with its corrections.

    Parameters
    ----------
    automatic : AnimalPlan
        As it was followed without them.
    resolved : Resolved
        What is to be done.
    folders : tuple of str
        Its sessions' folders by day, corrected ones in place of the automatic; none where it is not done.
    outcome : AnimalOutcome
        Who, and why it is not done.
    findings : tuple of Finding
        Behind a failure.
    """

    automatic: AnimalPlan
    resolved: Resolved
    folders: tuple[str, ...]
    outcome: AnimalOutcome
    findings: tuple[Finding, ...] = ()

    @property
    def folder(self) -> str:
        """Where its outcome goes, relative to the study."""
        return f"results/sub-{self.outcome.animal}/{CURATED}"


@dataclass(frozen=True, slots=True)
class CuratedAnimals:
    """All animals with corrections, by name, and the folders of every task that made them."""

    plans: dict[str, CuratedPlan]
    folders: tuple[str, ...]


def run_corrections(
    study: Path,
    rows: Sequence[CurationRow],
    plans: Mapping[str, AnimalPlan],
    settings: StudySettings,
    run: RunTasks,
    /,
    *,
    correct: CorrectStep,
    follow: FollowStep,
) -> CuratedAnimals:
    """Make what follows from curation.csv, and nothing else.

    Parameters
    ----------
    study : Path
        The study's directory.
    rows : sequence of CurationRow
        Checked; those of animals that are not among the plans, excluded or failed are passed over.
    plans : mapping of str to AnimalPlan
        The animals as followed automatically.
    settings : StudySettings
    run : callable
        Does a level of tasks, which have these names.
    correct : callable
        Correction of a session: a module's function.
    follow : callable
        Analysis of an animal: a module's function.

    Returns
    -------
    CuratedAnimals
        An animal whose rows cannot be applied, or that cannot be followed, is failed, with the reason.
    """
    mine = {name: [row for row in rows if row.animal == name] for name in plans}
    wanted = [name for name in sorted(plans) if mine[name] and _can_be_corrected(plans[name], mine[name])]
    curated = {name: _plan(study, plans[name], mine[name]) for name in wanted}
    tasks = [
        _session_task(study, plan, session, views, settings, correct)
        for plan in curated.values()
        for session, views in plan.resolved.sessions
        if _session_folder(plan, session) in plan.folders
    ]
    done = run(tasks, [task.folder for task in tasks])
    owner = {folder: name for name, plan in curated.items() for folder in plan.folders}
    broken: dict[str, list[TaskOutcome]] = {}
    for outcome in done:
        if not outcome.done:
            broken.setdefault(owner[outcome.folder], []).append(outcome)
    for name, those in broken.items():
        findings = [finding for one in those for finding in one.findings]
        curated[name] = _failed(curated[name], "; ".join(dict.fromkeys(one.reason for one in those)), findings)
    animals = [_animal_task(study, plan, settings, follow) for plan in curated.values()]
    followed = run(animals, [plan.outcome.animal for plan in curated.values()])
    for name, outcome in zip(list(curated), followed, strict=True):
        if not outcome.done:
            curated[name] = _failed(curated[name], outcome.reason, outcome.findings)
            do_task(_animal_task(study, curated[name], settings, follow))
    folders = [one.folder for one in done if one.done] + [plan.folder for plan in curated.values()]
    return CuratedAnimals(curated, tuple(folders))


def _can_be_corrected(plan: AnimalPlan, rows: Sequence[CurationRow]) -> bool:
    """One that failed may still be left out by a person."""
    failed = plan.outcome.status == "failed"
    return plan.outcome.status == "done" or (failed and any(row.action == "exclude animal" for row in rows))


def _plan(study: Path, plan: AnimalPlan, rows: Sequence[CurationRow]) -> CuratedPlan:
    """Tie the rows of an animal to its automatic result."""
    name = plan.outcome.animal
    stored: StoredAnimal = read_noun(study / f"results/sub-{name}" / ANIMAL, StoredAnimal)
    sessions = {folder: read_session(study / folder, images=False) for folder in plan.folders}
    try:
        resolved = resolve(rows, tuple(sessions.values()), stored.outcome.lesions)
    except InputError as error:
        empty = CuratedPlan(plan, Resolved(), (), plan.outcome)
        return _failed(empty, str(error.args[0]), error.findings)
    if resolved.excluded:
        outcome = replace(plan.outcome, status="excluded", reason=resolved.excluded)
        return CuratedPlan(plan, resolved, (), outcome)
    changed = dict(resolved.sessions)
    folders = []
    for folder, session in sessions.items():
        todo = changed.get(session.session, ())
        left = {view.view for view in session.views} - {one.view for one in todo if one.excluded}
        if left:
            folders.append(f"results/sub-{name}/{CURATED}/{folder.rpartition('/')[2]}" if todo else folder)
    return CuratedPlan(plan, resolved, tuple(folders), plan.outcome)


def _failed(plan: CuratedPlan, reason: str, findings: Iterable[Finding]) -> CuratedPlan:
    name = plan.outcome.animal
    seen = f"the corrections of {name} could not be applied: {reason}; the animal is not in the results."
    mend = "Mend the rows and run again; without them its automatic result stands."
    told = Finding("animal.failed", Severity.ERROR, Place(CURATION_SHEET), seen, mend)
    every = tuple(findings)
    words = ": ".join([reason, *(str(finding) for finding in every)])
    outcome = replace(plan.outcome, status="failed", reason=f"corrections: {words}")
    return CuratedPlan(plan.automatic, replace(plan.resolved, rows=()), (), outcome, (told, *every))


def _session_folder(plan: CuratedPlan, session: str) -> str:
    return f"{plan.folder}/ses-{session}"


def _session_task(
    study: Path,
    plan: CuratedPlan,
    session: str,
    views: tuple[ViewCorrection, ...],
    settings: StudySettings,
    correct: CorrectStep,
) -> Task:
    """Correct one session: depends on its automatic record, on what is to be done and on the settings."""
    folder = _session_folder(plan, session)
    outlined = tuple(one.view for one in views if not one.excluded and (one.rejected or one.measures))
    options = {
        "step": f"{correct.__module__}.{correct.__qualname__}",
        "views": encode(views),
        "settings": settings.analysed(without=("study", "growth")),
    }
    return Task(
        step="curated session",
        study=str(study),
        folder=folder,
        inputs=(f"{automatic_folder(folder)}/{RECORD}",),
        outputs=(SESSION, *(outlines_folder(view) for view in outlined)),
        options=canonical_json(options),
        work=partial(_correct, views, outlined, settings, correct),
        seed_key=("study", settings.study.name, plan.outcome.animal, session, "curated"),
    )


def _correct(
    views: tuple[ViewCorrection, ...],
    outlined: tuple[str, ...],
    settings: StudySettings,
    correct: CorrectStep,
    study: Path,
    folder: Path,
) -> None:
    name = automatic_folder(folder.relative_to(study).as_posix())
    write_corrected(correct(read_session(study / name), views, settings), folder, outlined)


def _animal_task(study: Path, plan: CuratedPlan, settings: StudySettings, follow: FollowStep) -> Task:
    """Follow an animal with its corrections: depends on its sessions' records, its automatic one, and the rows."""
    options = {
        "step": f"{follow.__module__}.{follow.__qualname__}",
        "outcome": encode(plan.outcome),
        "sessions": plan.folders,
        "controls": plan.automatic.controls,
        "animal": followed_columns(plan.automatic.animal),
        "photographed": plan.automatic.photographed,
        "findings": encode(plan.findings),
        "resolved": encode(plan.resolved),
        "settings": settings.analysed(without=("study",)),
    }
    records = (*plan.folders, *(plan.automatic.controls if plan.folders else ()), f"results/sub-{plan.outcome.animal}")
    return Task(
        step="curated animal",
        study=str(study),
        folder=plan.folder,
        inputs=tuple(f"{folder}/{RECORD}" for folder in records),
        outputs=(ANIMAL,),
        options=canonical_json(options),
        work=partial(_gather, plan, settings, follow),
        seed_key=("study", settings.study.name, plan.outcome.animal, "curated"),
    )


def _gather(plan: CuratedPlan, settings: StudySettings, follow: FollowStep, study: Path, folder: Path) -> None:
    resolved = plan.resolved
    if not plan.folders:
        write_noun(folder / ANIMAL, StoredAnimal(plan.outcome, plan.findings, resolved.rows))
        return
    automatic: StoredAnimal = read_noun(folder.parent / ANIMAL, StoredAnimal)
    sessions, controls = (
        tuple(read_session(study / name, images=False) for name in names)
        for names in (plan.folders, plan.automatic.controls)
    )
    folders = tuple(study / automatic_folder(name) for name in plan.folders)
    together = tuple(frozenset(keys) for keys in resolved.together)
    organs = tuple((frozenset(one.keys), one.organ) for one in resolved.relabelled if one.organ)
    own = plan.automatic
    inputs = AnimalInput(sessions, folders, controls, own.animal, own.photographed, together, organs)
    followed = follow(inputs, settings)
    lesions = with_stable_numbers(relabelled(followed.lesions, resolved), automatic.outcome.lesions, resolved.merged)
    endpoints = followed.endpoints if lesions == followed.lesions else spread_of(sessions, lesions, settings)
    outcome = animal_outcome(sessions, lesions=lesions, level=settings.analysis.interval_level)
    outcome = replace(outcome, endpoints=endpoints, registrations=followed.registrations)
    findings = (*followed.findings, *resolved.findings, *_not_followed(plan.outcome.animal, lesions, resolved))
    write_noun(folder / ANIMAL, StoredAnimal(outcome, findings, resolved.rows))


def _not_followed(animal: str, lesions: Sequence[Lesion], resolved: Resolved) -> list[Finding]:
    """Rows that following could not obey: what one image shows as two, and what cannot be placed."""
    findings = []

    def warn(seen: str) -> None:
        mend = "Look at the table of sightings, and correct the rows."
        findings.append(Finding("curation.not-followed", Severity.WARNING, Place(CURATION_SHEET), seen, mend))

    for those in resolved.together:
        holding = [lesion.number for lesion in lesions if _keys(lesion) & set(those)]
        if len(holding) > 1:
            numbers = " and ".join(map(str, holding))
            warn(
                f"{animal}: lesions {numbers} were to be one, but an image shows them apart; they stay {len(holding)}."
            )
    for label in resolved.relabelled:
        if not any(_keys(lesion) & set(label.keys) for lesion in lesions):
            warn(f"{animal}: what was to be {label.kind or label.organ} belongs to no lesion that could be followed.")
    return findings


def relabelled(lesions: Sequence[Lesion], resolved: Resolved, /) -> tuple[Lesion, ...]:
    """Lesions with the kinds and organs that a person gave them: certain, with the reason first."""
    changed = list(lesions)
    for label in resolved.relabelled:
        keys = set(label.keys)
        shares = [len(keys & _keys(lesion)) for lesion in changed]
        if not any(shares):
            continue
        index = shares.index(max(shares))
        one = changed[index]
        if label.kind:
            one = replace(one, kind=label.kind, kinds={label.kind: 1.0})
        if label.organ:
            one = replace(one, organ=label.organ, organs={label.organ: 1.0})
        changed[index] = replace(one, reasons=(f"by hand: {label.reason}", *one.reasons))
    return tuple(changed)


def with_stable_numbers(
    lesions: Sequence[Lesion], automatic: Sequence[Lesion], merged: Sequence[int] = (), /
) -> tuple[Lesion, ...]:
    """Lesions under the numbers of the automatic ones whose detections they hold; others are numbered after those.

    Parameters
    ----------
    lesions : sequence of Lesion
        As followed with corrections.
    automatic : sequence of Lesion
        As followed without.
    merged : sequence of int
        Automatic lesions that are part of another, whose numbers are given up.

    Returns
    -------
    tuple of Lesion
        By number.
    """
    number_of = {key: lesion.number for lesion in automatic if lesion.number not in merged for key in _keys(lesion)}
    held = Counter((lesion.number, number_of[key]) for lesion in lesions for key in _keys(lesion) if key in number_of)
    known: dict[int, int] = {}
    for (own, number), _ in sorted(held.items(), key=lambda item: (-item[1], item[0][1], item[0][0])):
        if own not in known and number not in known.values():
            known[own] = number
    free = max((lesion.number for lesion in automatic), default=0) + 1
    for lesion in sorted(lesions, key=lambda one: one.number):
        if lesion.number not in known:
            known[lesion.number] = free
            free += 1
    return tuple(sorted((_renumbered(lesion, known) for lesion in lesions), key=lambda lesion: lesion.number))


def _keys(lesion: Lesion) -> set[tuple[str, str, int]]:
    return {(one.session, view, number) for one in lesion.sightings for view, number in one.detections}


def _renumbered(lesion: Lesion, known: Mapping[int, int]) -> Lesion:
    sightings = tuple(
        replace(one, shared_with=tuple(sorted(known[number] for number in one.shared_with))) for one in lesion.sightings
    )
    return replace(
        lesion,
        number=known[lesion.number],
        sightings=sightings,
        split_from=known.get(lesion.split_from, 0),
        merged_into=known.get(lesion.merged_into, 0),
    )
