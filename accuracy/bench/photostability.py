"""Share left after an hour of virtual traces. ``matched``: shot noise; ``mismatched``: the lamp drifts as well.

A drift on one trace cannot be told from bleaching: the analysis is told how large it is, as of a lamp that was tested.
"""

import math
import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored, share
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.photostability import Settings
from lampyris.probe.photophysics.bleaching import Bleaching
from lampyris.study.bench import measure
from lampyris.virtual.instruments.photostability import TraceTruth, write_virtual_traces

TABLE = "bench-photostability"
REPEATS, QUICK_REPEATS = 400, 30
DRIFT = 0.01
# sets before it were looked at while the lamp's error and the interval over laws were built in
FIRST = 5000
Pairs = list[tuple[Estimate, float]]
LAWS = {
    "single": lambda scale: Bleaching("single", scale),
    "double": lambda scale: Bleaching("double", scale / 8, dose_2=4 * scale, share=0.3),
    "stretched": lambda scale: Bleaching("stretched", scale, shape=0.6),
    "power": lambda scale: Bleaching("power", scale, shape=0.7),
}


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table: each trace on its own, then means of six replicates that differ."""
    count = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for arm, drift in (("matched", 0.0), ("mismatched", DRIFT)):
            for law in LAWS:
                pairs, named = _traces(Path(folder) / "a.csv", arm, law, drift, count)
                for measured, own in pairs.items():
                    found += scored(TABLE, arm, f"{measured}_{law}", own, most_bias=0.01)
                if not drift:
                    found.append(share(TABLE, arm, f"law_found_{law}", named, count))
            found += scored(
                TABLE, arm, "retained_of_six", _means(Path(folder) / "a.csv", arm, drift, count), most_bias=0.01
            )
    return found


def _scale(rng: np.random.Generator) -> float:
    return float(rng.choice([25.0, 100.0, 700.0]))


def _traces(path: Path, arm: str, law: str, drift: float, count: int) -> tuple[dict[str, Pairs], int]:
    pairs: dict[str, Pairs] = {"retained": [], "rate": []}
    named = 0
    for number in range(FIRST, FIRST + count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"{law} {number}"))
        bleaching = LAWS[law](_scale(rng))
        truth = TraceTruth(bleaching, electrons=float(rng.choice([1e4, 1e5, 1e6])), lamp_drift=drift)
        write_virtual_traces(path, {"dot": (truth,)}, rng=rng)
        record = measure(
            "photostability", [BenchSource(path, path.name)], settings=Settings(lamp_relative_sd=drift)
        ).pooled
        left = float(bleaching.retained(60.0))
        pairs["retained"].append((record.values["retained_60min"], left))
        pairs["rate"].append((record.values["rate_per_min"], -math.log(left) / 60.0))
        named += record.words["model"] == law
    return pairs, named


def _means(path: Path, arm: str, drift: float, count: int) -> Pairs:
    pairs = []
    for number in range(FIRST, FIRST + count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, f"six {number}"))
        logs = rng.normal(math.log(0.918), 0.03, 6)
        replicates = tuple(TraceTruth(Bleaching("single", -60.0 / min(own, -1e-3)), lamp_drift=drift) for own in logs)
        write_virtual_traces(path, {"dot": replicates}, rng=rng)
        record = measure(
            "photostability", [BenchSource(path, path.name)], settings=Settings(law="single", lamp_relative_sd=drift)
        ).pooled
        pairs.append((record.values["retained_60min"], 0.918))
    return pairs
