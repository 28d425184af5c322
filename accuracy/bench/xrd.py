"""Size, strain and lattice of virtual powders of dots, atom by atom. ``matched``: spheres, ellipsoids, rounded cubes and
truncated octahedra; ``mismatched``: with lines whose strengths are not the crystal's, a hump of glass and an instrument another than
assumed; ``lines``: the same dots by pseudo-Voigts alone."""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure, figure
from lampyris.bench.xrd.crystals import phases
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.xrd import Settings
from lampyris.statistics.intervals import wilson_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.xrd import SHAPES, XrdTruth, write_virtual_xrd

TABLE = "bench-xrd"
REPEATS, QUICK_REPEATS = 200, 10
ARMS = ("matched", "mismatched", "lines")
_PHASES = ("CdSe zinc blende", "CdSe wurtzite", "PbS rock salt", "InP zinc blende", "CdTe zinc blende")


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    for arm in ARMS:
        pairs: dict[str, list[tuple[Estimate, float]]] = {"size_nm": [], "strain": [], "lattice_A": []}
        right = 0
        repeats = QUICK_REPEATS if quick else REPEATS
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.xrdml"
            for number in range(repeats):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                truth = drawn(rng, arm)
                write_virtual_xrd(path, truth, rng=rng)
                method = "lines" if arm == "lines" else "auto"
                settings = Settings(phase=(truth.phase,), method=method)
                own = measure("xrd", [BenchSource(path, path.name)], settings=settings).pooled.values
                pairs["size_nm"].append((own["size_nm"], truth.size_nm))
                pairs["strain"].append((own["strain"], truth.strain))
                lattice = truth.lattice_scale * phases()[truth.phase].lengths_a[0]
                pairs["lattice_A"].append((own["lattice_A"], lattice))
                if arm == "matched" and number % 4 == 0:
                    whole = measure("xrd", [BenchSource(path, path.name)], settings=Settings()).pooled
                    right += truth.phase in whole.words["possible_phases"].split(", ")
        judged = arm != "mismatched"
        for name, most in (("size_nm", 0.03 if arm == "matched" else None), ("strain", None), ("lattice_A", 0.002)):
            found += scored(TABLE, arm, name, pairs[name], most_bias=most, judged=judged)
        if arm == "matched":
            tried = (repeats + 3) // 4
            ends = wilson_interval(right, tried)
            found.append(
                figure(TABLE, arm, "phase_among_possible", right / tried, (ends.low, ends.high), tried, at_least=0.9)
            )
    return found


def drawn(rng: np.random.Generator, arm: str, /) -> XrdTruth:
    """A powder and how it is measured."""
    odd = arm == "mismatched"
    return XrdTruth(
        phase=str(rng.choice(_PHASES)),
        size_nm=float(rng.uniform(2.0, 6.0)),
        spread=float(np.clip(rng.normal(0.12, 0.05), 0.04, 0.25)),
        lattice_scale=float(rng.normal(1.0, 0.002)),
        strain=float(rng.uniform(0.001, 0.01)),
        width_deg=float(np.clip(rng.normal(0.1, 0.03), 0.05, 0.2)) if not odd else 0.2,
        shift_deg=float(rng.normal(0.0, 0.04)),
        peak_counts=float(rng.choice([800.0, 3000.0, 10000.0])),
        hump_counts=400.0 if odd else 0.0,
        texture=0.12 if odd else 0.0,
        dots=int(rng.integers(12, 25)),
        shape=str(rng.choice(list(SHAPES))),
    )
