"""Studies that are made, analysed, handed over and removed."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lampyris.study.run import run_study
from lampyris.trial.demo import MOST_WORKERS
from lampyris.virtual.design import Design
from lampyris.virtual.simulate import SimulatedStudy, simulate_study


def analysed(design: Design, /, *, seeds: tuple[int, ...], name: str) -> Iterator[SimulatedStudy]:
    """Simulate and analyse one study per seed; each is there until the next is asked for, and nothing is left on disk.

    Parameters
    ----------
    design : Design
    seeds : tuple of int
    name : str
        Of the table and its arm, for the progress on stderr.

    Yields
    ------
    SimulatedStudy

    Raises
    ------
    RuntimeError
        If an animal could not be analysed.
    """
    for seed in seeds:
        print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            made = simulate_study(Path(folder) / "study", seed=seed, design=design)
            outcome = run_study(made.study, workers=min(os.cpu_count() or 1, MOST_WORKERS))
            if outcome.exit_code != 0:
                # a worker that died for lack of memory is made up for alone; a fault that is no accident stays
                outcome = run_study(made.study, workers=1)
            if outcome.exit_code != 0:
                raise RuntimeError(f"{name}: the study of seed {seed} was only partly analysed: {outcome.animals}")
            yield made
