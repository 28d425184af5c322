"""Composition of virtual dots.

``matched``: factors are as spread as is assumed, and no photon escapes, as where a program has put escape peaks back. ``mismatched``:
photons escape, half to one and a half times as often as from the detector that is assumed.
"""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure
from lampyris.bench.eds import families
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.eds import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.eds import XrayTruth, write_virtual_xray

TABLE = "bench-eds"
REPEATS, QUICK_REPEATS = 600, 24
NUMBERS = {"atomic_percent": 0.05, "weight_percent": 0.05, "counts": 0.02}
MISSING = Estimate.unknown(0.95, "%", "not found")
_MASS = {one.element: one.molar_mass for one in families().values()}
DOTS = (
    {"Cd": 1.0, "Se": 1.0},
    {"Cd": 0.7, "Se": 0.3, "Te": 0.7},
    {"In": 0.5, "P": 0.5, "Zn": 0.6, "S": 0.6},
    {"Pb": 1.0, "S": 0.8},
)


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    for arm, escapes in (("matched", (0.0, 0.0)), ("mismatched", (0.5, 1.5))):
        pairs: dict[str, list[tuple[Estimate, float]]] = {name: [] for name in NUMBERS}
        with tempfile.TemporaryDirectory() as folder:
            for number in range(QUICK_REPEATS if quick else REPEATS):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "with escape", arm, str(number)))
                atoms = {e: a * float(rng.uniform(0.6, 1.5)) for e, a in DOTS[number % len(DOTS)].items()}
                truth = XrayTruth(
                    atoms=atoms,
                    counts=float(rng.choice([5e3, 2e4, 1e5])),
                    continuum=float(rng.choice([2e3, 1e4])),
                    shift_ev=float(rng.uniform(-8, 8)),
                    gain=float(rng.uniform(-5e-4, 5e-4)),
                    fwhm_ev=float(rng.uniform(125, 145)),
                    factor_sd=1.0,
                    escape=float(rng.uniform(*escapes)),
                )
                means = write_virtual_xray(Path(folder) / "a.msa", truth, rng=rng)
                settings = Settings(element=tuple(atoms))
                record = measure("eds", [BenchSource(Path(folder) / "a.msa", "a.msa")], settings=settings).pooled
                _beside(record.tables, atoms, means, pairs)
        for name, own in pairs.items():
            found += scored(TABLE, arm, name, own, most_bias=NUMBERS[name])
    return found


def _beside(tables, atoms, means, pairs) -> None:  # type: ignore[no-untyped-def]
    """Rows of the record beside what was drawn: percents of each element, photons of each family that can be seen."""
    rows = {row["element"]: row for row in tables["atomic_percent"]}
    total, mass = sum(atoms.values()), sum(a * _MASS[e] for e, a in atoms.items())
    for element, own in atoms.items():
        row = rows.get(element, {})
        pairs["atomic_percent"].append((row.get("atomic_percent", MISSING), 100.0 * own / total))
        pairs["weight_percent"].append((row.get("weight_percent", MISSING), 100.0 * own * _MASS[element] / mass))
    pairs["counts"] += [(row["counts"], means[row["family"]]) for row in tables["lines"] if row["family"] in means]
