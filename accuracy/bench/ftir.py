"""Bands of virtual infrared spectra. ``matched``: as they are fitted; ``mismatched``: lopsided, over fringes, through a resolution."""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure, figure
from lampyris.bench.ftir import band_area
from lampyris.core.bench import BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.ftir import Settings
from lampyris.statistics.intervals import t_interval, wilson_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.ftir import OLEATE, PEG, InfraredTruth, write_virtual_infrared

TABLE = "bench-ftir"
REPEATS, QUICK_REPEATS = 200, 12
NUMBERS = ("centre_cm", "height", "fwhm_cm", "area")
NOT_THERE = Estimate.unknown(0.95, "1/cm", "not found")


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    arms = {"matched": {}, "mismatched": {"tail": 0.15, "wave": 0.002, "resolution": 1.0}}
    for arm, how in arms.items():
        pairs: dict[str, list[tuple[Estimate, float]]] = {name: [] for name in NUMBERS}
        false: list[int] = []
        flagged = 0
        splittings: list[tuple[Estimate, float]] = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(QUICK_REPEATS if quick else REPEATS):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                bands = tuple(
                    (c + float(rng.uniform(-4, 4)), w * float(rng.uniform(0.8, 1.3)), h * float(rng.uniform(0.5, 1.5)))
                    for c, w, h in (OLEATE if number % 2 else PEG)
                )
                truth = InfraredTruth(
                    bands=bands,
                    share=float(rng.uniform(0.1, 0.7)),
                    noise=float(rng.choice([2e-4, 5e-4, 1.5e-3])),
                    **how,
                )
                write_virtual_infrared(Path(folder) / "a.jdx", truth, rng=rng, transmittance=number % 3 == 0)
                source = BenchSource(Path(folder) / "a.jdx", "a.jdx")
                record = measure("ftir", [source], settings=Settings(calibration_cm=0.0)).records[0]
                false.append(_matched(record.tables["bands"], truth, pairs))
                flagged += "band-shape" in record.flags
                if "carboxylate_splitting_cm" in record.values and number % 2:
                    # of oleate's bands the fifth and the seventh are the carboxylate's
                    splittings.append((record.values["carboxylate_splitting_cm"], bands[4][0] - bands[6][0]))
        for name, own in pairs.items():
            found += scored(TABLE, arm, name, own, most_bias=0.01, judged=arm == "matched")
        found += scored(TABLE, arm, "carboxylate_splitting_cm", splittings, most_bias=0.01, judged=arm == "matched")
        within = wilson_interval(flagged, len(false))
        found.append(
            figure(TABLE, arm, "band_shape_flagged", flagged / len(false), (within.low, within.high), len(false))
        )
        mean = t_interval(false)
        found.append(figure(TABLE, arm, "false_bands_per_spectrum", mean.value, (mean.low, mean.high), len(false)))
    return found


def _matched(rows, truth: InfraredTruth, pairs) -> int:  # type: ignore[no-untyped-def]
    """Add what was found of each true band; give how many bands are of nothing."""
    taken: set[int] = set()
    for centre, width, height in truth.bands:
        near = [
            (abs(row["centre_cm"].value - centre), k)
            for k, row in enumerate(rows)
            if k not in taken and abs(row["centre_cm"].value - centre) < 0.5 * width
        ]
        row = rows[min(near)[1]] if near else None
        if near:
            taken.add(min(near)[1])
        # a band with a tail has its own full width: half of it to each side
        wide = width * (1.0 + truth.tail / 2.0)
        area = 0.5 * sum(band_area(height, side, truth.share) for side in (width, width * (1.0 + truth.tail)))
        pairs["area"].append((row["area"] if row else NOT_THERE, area))
        pairs["centre_cm"].append((row["centre_cm"] if row else NOT_THERE, centre))
        pairs["height"].append((row["height"] if row else NOT_THERE, height))
        pairs["fwhm_cm"].append((row["fwhm_cm"] if row else NOT_THERE, wide))
    return len(rows) - len(taken)
