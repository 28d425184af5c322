"""Composition of virtual dots. ``matched``: factors are as spread as is assumed; ``mismatched``: with escape peaks, not fitted."""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.eds import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.eds import XrayTruth, write_virtual_xray

TABLE = "bench-eds"
REPEATS, QUICK_REPEATS = 200, 24
DOTS = (
    {"Cd": 1.0, "Se": 1.0},
    {"Cd": 0.7, "Se": 0.3, "Te": 0.7},
    {"In": 0.5, "P": 0.5, "Zn": 0.6, "S": 0.6},
    {"Pb": 1.0, "S": 0.8},
)


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    for arm, escape in (("matched", 0.0), ("mismatched", 0.01)):
        pairs: list[tuple[Estimate, float]] = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(QUICK_REPEATS if quick else REPEATS):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                atoms = {e: a * float(rng.uniform(0.6, 1.5)) for e, a in DOTS[number % len(DOTS)].items()}
                truth = XrayTruth(
                    atoms=atoms,
                    counts=float(rng.choice([5e3, 2e4, 1e5])),
                    continuum=float(rng.choice([2e3, 1e4])),
                    shift_ev=float(rng.uniform(-8, 8)),
                    gain=float(rng.uniform(-5e-4, 5e-4)),
                    fwhm_ev=float(rng.uniform(125, 145)),
                    factor_sd=1.0,
                    escape=escape,
                )
                write_virtual_xray(Path(folder) / "a.msa", truth, rng=rng)
                settings = Settings(element=tuple(atoms))
                values = measure("eds", [BenchSource(Path(folder) / "a.msa", "a.msa")], settings=settings).pooled.values
                total = sum(atoms.values())
                missing = Estimate(float("nan"), float("nan"), float("nan"), float("nan"), 0.95, "%", "not found")
                pairs += [(values.get(f"atomic_percent_{e}", missing), 100.0 * a / total) for e, a in atoms.items()]
        found += scored(TABLE, arm, "atomic_percent", pairs, most_bias=0.05)
    return found
