"""The demonstration: a virtual study made, analysed as any study would be, and scored against its truth."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lampyris.study.graph.store import ANIMAL, StoredAnimal, read_noun, read_session
from lampyris.study.run import run_study
from lampyris.trial.score import Score, accuracy, score_sessions
from lampyris.virtual.design import Design
from lampyris.virtual.simulate import simulate_study
from lampyris.virtual.truth import read_truth

Progress = Callable[[int, int, str], None]
# each worker holds its own copy of the nominal animal, about half a gigabyte with its libraries
MOST_WORKERS = 3


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What the demonstration leaves.

    Parameters
    ----------
    study, report : Path
        Folder of the study and its report.
    accuracy : dict
        See `lampyris.trial.score.accuracy`.
    seconds : dict of stage to float
        Wall time of ``simulate``, ``run``, ``score`` and ``total``.
    exit_code : int
        The analysis' own.
    """

    study: Path
    report: Path
    accuracy: dict[str, Any]
    seconds: dict[str, float]
    exit_code: int


def run_demo(
    directory: Path, /, *, seed: int = 1, design: Design | None = None, progress: Progress | None = None
) -> DemoOutcome:
    """Simulate, analyse, score.

    Parameters
    ----------
    directory : Path
        Where the study goes; its truth goes beside it into ``directory-truth``.
    seed : int
        Key of everything drawn.
    design : Design, optional
        The default design if left out.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    DemoOutcome
    """
    start = time.perf_counter()
    made = simulate_study(directory, seed=seed, design=design, progress=progress)
    simulated = time.perf_counter()
    # processes: at this size the sessions' many small steps keep threads waiting for the interpreter
    outcome = run_study(made.study, workers=min(os.cpu_count() or 1, MOST_WORKERS), progress=progress)
    analysed = time.perf_counter()
    figures = accuracy(score_study(made.study, made.truth))
    scored = time.perf_counter()
    seconds = {
        "simulate": simulated - start,
        "run": analysed - simulated,
        "score": scored - analysed,
        "total": scored - start,
    }
    return DemoOutcome(made.study, outcome.report, figures, seconds, outcome.exit_code)


def score_study(study: Path, truth: Path, /) -> Score:
    """Score the stored results of an analysed study against its truth."""
    results = study / "results"
    folders = sorted(results.glob("sub-*/ses-*"))
    outcomes = [read_noun(path, StoredAnimal).outcome for path in sorted(results.glob(f"sub-*/{ANIMAL}"))]
    return score_sessions((read_session(one) for one in folders), read_truth(truth), outcomes=outcomes)
