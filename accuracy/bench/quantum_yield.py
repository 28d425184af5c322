"""Quantum yields of virtual spheres and dilutions. ``matched``: the correction is right; ``mismatched``: it is off by a drawn tilt."""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.quantum_yield import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.quantum_yield import YieldTruth, write_virtual_dilutions, write_virtual_sphere

TABLE = "bench-quantum-yield"
REPEATS, QUICK_REPEATS = 600, 60
# the tilt of the mismatched arm, and what the analysis is told of it
TILT_SD = 0.03


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    count = QUICK_REPEATS if quick else REPEATS
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for arm in ("matched", "mismatched"):
            yields, absorptances = _spheres(Path(folder), arm, count)
            found += scored(TABLE, arm, "absolute_yield", yields, most_bias=0.01)
            found += scored(TABLE, arm, "absorptance", absorptances, most_bias=0.01)
        for name, own in _concentrated(Path(folder), count).items():
            found += scored(TABLE, "matched", name, own, most_bias=0.01)
        found += scored(TABLE, "matched", "relative_yield", _relatives(Path(folder), count), most_bias=0.01)
    return found


Pairs = list[tuple[Estimate, float]]


def _spheres(folder: Path, arm: str, count: int) -> tuple[Pairs, Pairs]:
    yields, absorptances = [], []
    mismatched = arm == "mismatched"
    for number in range(count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
        truth = YieldTruth(
            quantum_yield=float(rng.choice([0.05, 0.2, 0.426, 0.9])),
            absorptance=float(rng.choice([0.1, 0.35, 0.7])),
            emission_nm=float(rng.uniform(600, 820)),
            fwhm_nm=float(rng.choice([35.0, 60.0, 90.0])),
            peak_counts=float(rng.choice([5e4, 4e5, 3e6])),
            # from excitation to emission the tilt grows with the distance, here about two thirds of its span
            sensitivity_tilt=float(rng.normal(0.0, TILT_SD)) if mismatched else 0.0,
        )
        files = write_virtual_sphere(folder, truth, rng=rng)
        sources = [BenchSource(path, path.name, role=role) for role, path in files.items()]
        settings = Settings(
            calibration_relative_sd=TILT_SD * (truth.emission_nm - 450.0) / 500.0 if mismatched else 0.0
        )
        values = measure("quantum-yield", sources, settings=settings).pooled.values
        yields.append((values["quantum_yield"], truth.quantum_yield))
        absorptances.append((values["absorptance"], truth.absorptance))
    return yields, absorptances


def _concentrated(folder: Path, count: int) -> dict[str, Pairs]:
    """Samples that take up their own light, beside a very dilute one of the same dots."""
    pairs: dict[str, Pairs] = {"corrected_yield": [], "observed_yield": [], "reabsorbed_share": []}
    for number in range(count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "concentrated", str(number)))
        truth = YieldTruth(
            quantum_yield=float(rng.choice([0.2, 0.426, 0.9])),
            absorptance=float(rng.choice([0.35, 0.7])),
            emission_nm=float(rng.uniform(600, 820)),
            fwhm_nm=float(rng.choice([35.0, 60.0])),
            peak_counts=float(rng.choice([4e5, 3e6])),
            reabsorbed=float(rng.choice([0.05, 0.15])),
        )
        files = write_virtual_sphere(folder, truth, rng=rng)
        sources = [BenchSource(path, path.name, role=role) for role, path in files.items()]
        settings = Settings(calibration_relative_sd=0.0)
        values = measure("quantum-yield", sources, settings=settings).pooled.values
        own = truth.quantum_yield
        seen = own * (1.0 - truth.reabsorbed) / (1.0 - truth.reabsorbed * own)
        pairs["corrected_yield"].append((values["quantum_yield"], own))
        pairs["observed_yield"].append((values["observed_yield"], seen))
        pairs["reabsorbed_share"].append((values["reabsorbed_share"], truth.reabsorbed))
    return pairs


def _relatives(folder: Path, count: int) -> Pairs:
    pairs = []
    for number in range(count):
        rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "relative", str(number)))
        truth = YieldTruth(quantum_yield=float(rng.choice([0.05, 0.426, 0.8])), fwhm_nm=float(rng.choice([35.0, 60.0])))
        certificate, sd = 0.132, 0.004
        dye = YieldTruth(quantum_yield=certificate + float(rng.normal(0.0, sd)), emission_nm=830.0, fwhm_nm=45.0)
        dilutions = tuple(np.sort(rng.uniform(0.015, 0.095, int(rng.integers(1, 6)))).tolist())
        paths, read = write_virtual_dilutions(folder, truth, dilutions, name="dots", rng=rng)
        others, theirs = write_virtual_dilutions(
            folder, dye, (0.03, 0.05, 0.07), name="dye", rng=rng, refractive_index=1.3614
        )
        sources = [BenchSource(path, path.name) for path in paths]
        sources += [BenchSource(path, path.name, role="standard") for path in others]
        settings = Settings(
            absorbance=tuple(read),
            standard_absorbance=tuple(theirs),
            standard_yield=certificate,
            standard_yield_sd=sd,
            refractive_index=1.333,
            standard_refractive_index=1.3614,
        )
        pairs.append(
            (measure("quantum-yield", sources, settings=settings).pooled.values["quantum_yield"], truth.quantum_yield)
        )
    return pairs
