"""The three steps as tasks: what each reads, writes, and depends on."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lampyris.core.finding import Finding
from lampyris.core.settings import StudySettings
from lampyris.core.study import AnimalOutcome, SessionResult
from lampyris.imaging.inputs import SessionInput
from lampyris.io.durable import canonical_json
from lampyris.study.codec import encode
from lampyris.study.graph import RECORD, Task
from lampyris.study.opening import SessionRows, open_session, session_files
from lampyris.study.outcomes import animal_outcome
from lampyris.study.store import (
    ANIMAL,
    SESSION,
    StoredAnimal,
    read_session,
    view_folder,
    write_noun,
    write_session,
)

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
        "injection": [animal.inoculation, animal.injection] if animal else ["", ""],
        "settings": settings.model_dump(mode="json", exclude={"study"}),
        "synthetic": settings.study.synthetic,
    }
    return Task(
        step="session",
        study=str(study),
        folder=session.folder,
        inputs=session_files(session, settings),
        outputs=(SESSION, *(view_folder(view) for view in views)),
        options=canonical_json(options),
        work=partial(_analyse, session, settings, step),
        seed_key=("study", settings.study.name, *session.name, "session"),
    )


def animal_task(
    study: Path, outcome: AnimalOutcome, folders: Sequence[str], findings: Sequence[Finding], /, *, level: float = 0.95
) -> Task:
    """Gather one animal's sessions into its outcome.

    Parameters
    ----------
    study : Path
        The study's directory.
    outcome : AnimalOutcome
        Who, and why it is not done; an animal that is done has its sessions filled in.
    folders : sequence of str
        Its sessions' folders, all of them done; none for an animal that is not done.
    findings : sequence of Finding
        Behind a failure.
    level : float
        Coverage of the interval of a limit.

    Returns
    -------
    Task
        Depends on the sessions' records.
    """
    return Task(
        step="animal",
        study=str(study),
        folder=f"results/sub-{outcome.animal}",
        inputs=tuple(f"{folder}/{RECORD}" for folder in folders),
        outputs=(ANIMAL,),
        options=canonical_json({"outcome": encode(outcome), "findings": encode(tuple(findings)), "level": level}),
        work=partial(_gather, outcome, tuple(folders), tuple(findings), level),
    )


def _analyse(session: SessionRows, settings: StudySettings, step: SessionStep, study: Path, folder: Path) -> None:
    write_session(step(open_session(study, session, settings), settings), folder)


def _gather(
    outcome: AnimalOutcome,
    folders: tuple[str, ...],
    findings: tuple[Finding, ...],
    level: float,
    study: Path,
    folder: Path,
) -> None:
    if folders:
        outcome = animal_outcome([read_session(study / name, images=False) for name in folders], level=level)
    write_noun(folder / ANIMAL, StoredAnimal(outcome, findings))
