"""Laws of virtual blinking dots. ``matched``: two states and stays of at least two bins; ``mismatched``: grey states and stays
far shorter than a bin, which no trace can show: what is judged there is that a number is covered or the record flagged, and of the
matched arm how often the same flags are raised (``flagged``). Six dots, of which one flagged flags the record, and single dots.
"""

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from accuracy.bench.scores import covered_or_flagged, scored, share
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.blinking import Settings
from lampyris.probe.photophysics.blinking import SojournTimes, on_fraction
from lampyris.study.bench import measure
from lampyris.virtual.instruments.blinking import BlinkingTruth, write_virtual_blinking

TABLE = "bench-blinking"
DOTS, SECONDS, BIN_S = 6, 60.0, 0.01
REPEATS = {("matched", DOTS): 400, ("matched", 1): 1000, ("mismatched", DOTS): 150, ("mismatched", 1): 150}
"""By arm and dots: the few stays of single ones tell so little that 400 sets do not tell 0.95 from 0.92."""
QUICK_REPEATS = 3
FIRST = 30_000
"""Number of the first set: earlier ones were looked at while the fits were made."""
SHORTEST_S = {"matched": 0.02, "mismatched": 0.002}
FLAGS = frozenset(("unresolved", "several-levels"))
"""Of switching faster than a bin, and of more states than two."""
Pairs = list[tuple[Estimate, float]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for (arm, dots), repeats in REPEATS.items():
            matched, name = arm == "matched", "single" if dots == 1 else "dots"
            scores, flagged = _scores(Path(folder) / "a.csv", arm, dots, QUICK_REPEATS if quick else repeats)
            for measured, pairs in scores.items():
                # the threshold is shown to compare; a cut-off beyond what is seen has a long upper tail
                told = not measured.startswith("threshold")
                bias = 0.05 if matched and told and measured.endswith("exponent") else None
                found += scored(TABLE, arm, f"{name}_{measured}", pairs, most_bias=bias, judged=matched and told)
                if told and not matched:
                    found.append(covered_or_flagged(TABLE, arm, f"{name}_{measured}", pairs, flagged))
            found.append(
                share(TABLE, arm, f"{name}_flagged", sum(flagged), len(flagged), at_most=0.05 if matched else None)
            )
    return found


def _scores(path: Path, arm: str, dots: int, count: int) -> tuple[dict[str, Pairs], list[bool]]:
    """Pairs of estimate and truth by number, and whether each set was flagged."""
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
    flagged: list[bool] = []
    for number in range(FIRST, FIRST + count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"{dots} {number}"))
        on = SojournTimes(float(rng.uniform(1.3, 1.8)), SHORTEST_S[arm], float(rng.choice([1.0, 3.0])))
        off = SojournTimes(float(rng.uniform(1.4, 1.8)), SHORTEST_S[arm], 10.0)
        rate = float(rng.choice([3000.0, 8000.0]))
        truth = BlinkingTruth(on, off, rate, 0.1 * rate, grey_share=0.3 if arm == "mismatched" else 0.0)
        write_virtual_blinking(path, (truth,) * dots, rng=rng, seconds=SECONDS, bin_s=BIN_S)
        record = measure("blinking", [BenchSource(path, path.name)], settings=Settings()).pooled
        values = record.values
        flagged.append(bool(FLAGS & set(record.flags)))
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
    return dict(pairs), flagged
