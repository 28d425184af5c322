"""Laws of virtual blinking dots. ``matched``: two states and stays of at least two bins; ``mismatched``: grey states and stays
far shorter than a bin, which no trace can show: flagged as unresolved, and not judged. Six dots, and single dots.
"""

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.blinking import Settings
from lampyris.probe.photophysics.blinking import SojournTimes, on_fraction
from lampyris.study.bench import measure
from lampyris.virtual.instruments.blinking import BlinkingTruth, write_virtual_blinking

TABLE = "bench-blinking"
REPEATS, QUICK_REPEATS = 400, 3
FIRST = 10_000
"""Number of the first set: earlier ones were looked at while the fits were made."""
DOTS, SECONDS, BIN_S = 6, 60.0, 0.01
SHORTEST_S = {"matched": 0.02, "mismatched": 0.002}
Pairs = list[tuple[Estimate, float]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    count = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for arm in ("matched", "mismatched"):
            for dots, name in ((DOTS, "dots"), (1, "single")):
                for measured, pairs in _scores(Path(folder) / "a.csv", arm, dots, count).items():
                    # the threshold is shown to compare; a cut-off beyond what is seen has a long upper tail
                    judged = arm == "matched" and not measured.startswith("threshold")
                    bias = 0.05 if judged and measured.endswith("exponent") else None
                    found += scored(TABLE, arm, f"{name}_{measured}", pairs, most_bias=bias, judged=judged)
    return found


def _scores(path: Path, arm: str, dots: int, count: int) -> dict[str, Pairs]:
    keys = (
        "on_exponent",
        "off_exponent",
        "cutoff_s",
        "off_cutoff_s",
        "on_fraction",
        "threshold_on_exponent",
        "threshold_off_exponent",
    )
    pairs: dict[str, Pairs] = defaultdict(list)
    for number in range(FIRST, FIRST + count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"{dots} {number}"))
        on = SojournTimes(float(rng.uniform(1.3, 1.8)), SHORTEST_S[arm], float(rng.choice([1.0, 3.0])))
        off = SojournTimes(float(rng.uniform(1.4, 1.8)), SHORTEST_S[arm], 10.0)
        rate = float(rng.choice([3000.0, 8000.0]))
        truth = BlinkingTruth(on, off, rate, 0.1 * rate, grey_share=0.3 if arm == "mismatched" else 0.0)
        write_virtual_blinking(path, (truth,) * dots, rng=rng, seconds=SECONDS, bin_s=BIN_S)
        values = measure("blinking", [BenchSource(path, path.name)], settings=Settings()).pooled.values
        known = {
            "cutoff_s": on.cutoff_s,
            "off_cutoff_s": off.cutoff_s,
            "on_fraction": on_fraction(on, off),
            "on_exponent": on.exponent,
            "off_exponent": off.exponent,
            "on_level": rate * BIN_S,
            "off_level": 0.1 * rate * BIN_S,
        }
        for key in (*keys, *(("on_level", "off_level") if dots == 1 else ())):
            pairs[key].append((values[key], known[key.removeprefix("threshold_")]))
    return dict(pairs)
