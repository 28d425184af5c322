"""The three steps as tasks: what each reads, writes, and depends on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lampyris.core.finding import Finding
from lampyris.core.schemas import AnimalRow
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.imaging.inputs import SessionInput
from lampyris.io.durable import canonical_json
from lampyris.study.graph.codec import encode
from lampyris.study.graph.following import AnimalInput, FollowStep
from lampyris.study.graph.light import use_light
from lampyris.study.graph.store import (
    ANIMAL,
    SESSION,
    StoredAnimal,
    read_session,
    view_folder,
    write_noun,
    write_session,
)
from lampyris.study.graph.tasks import RECORD, Task
from lampyris.study.opening.views import SessionRows, named_in, open_session, session_files
from lampyris.study.outcomes import animal_outcome

SessionStep = Callable[[SessionInput, StudySettings], SessionResult]


def session_task(study: Path, session: SessionRows, settings: StudySettings, step: SessionStep, /) -> Task:
    """Analyse one session of one animal.

    Parameters
    ----------
    study : Path
        The study's directory.
    session : SessionRows
        Its rows of the sheet.
    settings : StudySettings
        All settings.
    step : callable
        The analysis: a module's function, as it travels to workers.

    Returns
    -------
    Task
        Depends on the files, on the rows and on the settings, but not on the study's title.
    """
    views = sorted({row.view for row in session.rows})
    # line numbers are for messages: moving a row in the sheet changes no result
    rows = [{key: value for key, value in encode(row).items() if key not in {"row", "lot"}} for row in session.rows]
    animal = session.animal
    options = {
        "step": f"{step.__module__}.{step.__qualname__}",
        "rows": sorted(rows, key=lambda row: (row["view"], row["channel"])),
        "landmarks": {view: named_in(session, view) for view in views},
        # another animal's row in the same image counts: it says how many there are to be found
        "lanes": session.lanes,
        "injection": [animal.inoculation, animal.injection] if animal else ["", ""],
        "settings": settings.analysed(without=("study", "growth")),
        "synthetic": settings.study.synthetic,
    }
    return Task(
        step="session",
        study=str(study),
        folder=session.folder,
        inputs=session_files(study, session, settings),
        outputs=(SESSION, *(view_folder(view) for view in views)),
        options=canonical_json(options),
        work=partial(_analyse, session, settings, step),
        seed_key=("study", settings.study.name, *session.name, "session"),
    )


@dataclass(frozen=True, slots=True)
class AnimalPlan:
    """Whose sessions are gathered, and what they are compared with.

    Parameters
    ----------
    outcome : AnimalOutcome
        Who, and why it is not done; an animal that is done has its sessions filled in.
    folders : tuple of str
        Its sessions' folders by day, all of them done; none for an animal that is not done.
    controls : tuple of str
        Sessions' folders of the study's other unlabelled animals.
    animal : AnimalRow or None
        The animal's row, where there is one.
    photographed : bool
        Every view has a photograph.
    findings : tuple of Finding
        Behind a failure.
    """

    outcome: AnimalOutcome
    folders: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    animal: AnimalRow | None = None
    photographed: bool = True
    findings: tuple[Finding, ...] = ()


def animal_task(
    study: Path, plan: AnimalPlan, settings: StudySettings, follow: FollowStep, /, *, light: Path | None = None
) -> Task:
    """Follow one animal over its sessions and gather its outcome.

    Parameters
    ----------
    study : Path
        The study's directory.
    plan : AnimalPlan
        Whose sessions.
    settings : StudySettings
        All settings.
    follow : callable
        The analysis: a module's function, as it travels to workers.
    light : Path, optional
        Folder in which the nominal animal's light lies, which is computed where it does not; the outcome is the same.

    Returns
    -------
    Task
        Depends on the records of its sessions and of the controls', on the animal's row and on the settings.
    """
    options = {
        "step": f"{follow.__module__}.{follow.__qualname__}",
        "outcome": encode(plan.outcome),
        "sessions": plan.folders,
        "controls": plan.controls,
        "animal": followed_columns(plan.animal),
        "photographed": plan.photographed,
        "findings": encode(plan.findings),
        "settings": settings.analysed(without=("study",)),
    }
    return Task(
        step="animal",
        study=str(study),
        folder=f"results/sub-{plan.outcome.animal}",
        inputs=tuple(f"{folder}/{RECORD}" for folder in (*plan.folders, *plan.controls)),
        outputs=(ANIMAL,),
        options=canonical_json(options),
        work=partial(_gather, plan, settings, follow, light),
        seed_key=("study", settings.study.name, plan.outcome.animal, "animal"),
    )


def followed_columns(animal: AnimalRow | None, /) -> dict[str, Any]:
    """Of an animal's row, what following may use: neither where it stands, nor its dose, nor why another run left it out."""
    row = encode(animal) if animal is not None else {}
    return {key: value for key, value in row.items() if key != "row" and not key.startswith(("exclu", "dose_"))}


def _analyse(session: SessionRows, settings: StudySettings, step: SessionStep, study: Path, folder: Path) -> None:
    write_session(step(open_session(study, session, settings), settings), folder)


def _gather(
    plan: AnimalPlan, settings: StudySettings, follow: FollowStep, light: Path | None, study: Path, folder: Path
) -> None:
    if not plan.folders:
        write_noun(folder / ANIMAL, StoredAnimal(plan.outcome, plan.findings))
        return
    if light is not None:
        use_light(settings.instrument, light)
    sessions, controls = (
        tuple(read_session(study / name, images=False) for name in names) for names in (plan.folders, plan.controls)
    )
    folders = tuple(study / name for name in plan.folders)
    followed = follow(AnimalInput(sessions, folders, controls, plan.animal, plan.photographed), settings)
    outcome = animal_outcome(sessions, lesions=followed.lesions, level=settings.analysis.interval_level)
    outcome = replace(outcome, endpoints=followed.endpoints, registrations=followed.registrations)
    write_noun(folder / ANIMAL, StoredAnimal(outcome, (*plan.findings, *followed.findings)))
