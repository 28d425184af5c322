"""`lampyris compare` on a table of 10,000 rows: what a user waits for, start-up included."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from speed.measurement import Measurement, one_core

ROW = "compare"
ROWS, GROUPS, ROUNDS = 10_000, 4, 5
GOAL_S = 1.5


def measure() -> list[Measurement]:
    """Wall time of a fresh interpreter on one core, CSV to answer."""
    with tempfile.TemporaryDirectory() as folder:
        table = written(Path(folder) / "table.csv")
        words = [str(table), "--value", "flux", "--group", "arm", "--subject", "animal", "--json"]
        with one_core():
            took = statistics.median(_wall(["-m", "lampyris", "compare", *words]) for _ in range(ROUNDS))
    return [Measurement(ROW, f"{ROWS} rows", "", f"{GOAL_S:g} s", ours_s=took, held=took <= GOAL_S)]


def written(path: Path, /) -> Path:
    """A synthetic table, an animal per row."""
    values = np.random.default_rng(4).normal(5.0, 1.0, ROWS)
    rows = "".join(f"m{k},arm {k % GROUPS},{value:.6f}\n" for k, value in enumerate(values))
    path.write_text(f"animal,arm,flux\n{rows}", "utf-8")
    return path


def _wall(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start
