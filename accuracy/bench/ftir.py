"""Bands of virtual infrared spectra, as they are recorded.

``matched``: as they are fitted; ``mismatched``: lopsided, over fringes, through a resolution; ``dragged``: with a tail that no fitted
shape has, through a resolution. Where a model is not met, a number must hold the truth or be flagged by the program.
"""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import covered_or_flagged, scored, share
from accuracy.figures import Figure, figure
from lampyris.bench.ftir import band_area
from lampyris.core.bench import BenchRecord, BenchSource
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.ftir import Settings
from lampyris.probe.spectra.axes import measured_line
from lampyris.statistics.intervals import t_interval
from lampyris.study.bench import measure
from lampyris.virtual.instruments.ftir import OLEATE, PEG, InfraredTruth, predict_recorded, write_virtual_infrared

TABLE = "bench-ftir"
REPEATS, QUICK_REPEATS = 400, 12
NUMBERS = ("centre_cm", "height", "fwhm_cm", "area")
SPLITTING = "carboxylate_splitting_cm"
ARMS = {
    "matched": {}, "mismatched": {"tail": 0.15, "wave": 0.002, "resolution": 1.0}, "dragged": {"drag": 0.15, "resolution": 1.0},
}  # fmt: skip
DOUBTS = {"band-shape", "shape-misfit", "broad-band", "lopsided"}
"""Flags that speak of shape or baseline."""
FALSE_ALARMS = 0.05
NOT_THERE = Estimate.unknown(0.95, "1/cm", "not found")
Pairs = dict[str, list[tuple[Estimate, float]]]


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    for arm, how in ARMS.items():
        with tempfile.TemporaryDirectory() as folder:
            records = [
                _one(Path(folder) / "a.jdx", arm, number, how) for number in range(QUICK_REPEATS if quick else REPEATS)
            ]
        matched = arm == "matched"
        for name in (*NUMBERS, SPLITTING):
            pairs = [pair for _, own, _, _ in records for pair in own[name]]
            found += scored(TABLE, arm, name, pairs, most_bias=0.01, judged=matched)
            if not matched:
                flags = [doubted for _, own, _, doubted in records for _ in own[name]]
                found.append(covered_or_flagged(TABLE, arm, name, pairs, flags))
        doubts = [doubted for *_, doubted in records]
        found.append(share(TABLE, arm, "flagged", sum(doubts), len(doubts), at_most=FALSE_ALARMS if matched else None))
        mean = t_interval([false for _, _, false, _ in records])
        found.append(figure(TABLE, arm, "false_bands_per_spectrum", mean.value, (mean.low, mean.high), len(records)))
    return found


def _one(path: Path, arm: str, number: int, how: dict[str, float]) -> tuple[BenchRecord, Pairs, int, bool]:
    """Record of a drawn spectrum, its numbers beside their truths, how many of its bands are of nothing, and whether it is doubted."""
    rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
    bands = tuple(
        (c + float(rng.uniform(-4, 4)), w * float(rng.uniform(0.8, 1.3)), h * float(rng.uniform(0.5, 1.5)))
        for c, w, h in (OLEATE if number % 2 else PEG)
    )
    truth = InfraredTruth(
        bands=bands, share=float(rng.uniform(0.1, 0.7)), noise=float(rng.choice([2e-4, 5e-4, 1.5e-3])), **how
    )
    write_virtual_infrared(path, truth, rng=rng, transmittance=number % 3 == 0)
    source = BenchSource(path, path.name)
    record = measure("ftir", [source], settings=Settings(calibration_cm=0.0)).records[0]
    pairs: Pairs = {name: [] for name in (*NUMBERS, SPLITTING)}
    true = [_recorded(truth, band) for band in bands]
    false = _matched(record.tables["bands"], bands, true, pairs)
    if SPLITTING in record.values and number % 2:
        # of oleate's bands the fifth and the seventh are the carboxylate's
        pairs[SPLITTING].append((record.values[SPLITTING], true[4]["centre_cm"] - true[6]["centre_cm"]))
    return record, pairs, false, bool(DOUBTS & set(record.flags))


def _recorded(truth: InfraredTruth, band: tuple[float, float, float]) -> dict[str, float]:
    """What a band of its own shows of itself through the instrument; its area is that of its two halves, which no blur changes."""
    centre, width, height = band
    x = np.linspace(centre - 3.0 * width, centre + 3.0 * width, 2401)
    line = measured_line(x, predict_recorded(x, truth, (band,)))
    area = 0.5 * sum(band_area(height, side, truth.share) for side in (width, width * (1.0 + truth.tail)))
    top = float(predict_recorded(np.array([line.peak]), truth, (band,))[0])
    return {"centre_cm": line.peak, "height": top, "fwhm_cm": line.fwhm, "area": area}


def _matched(rows, bands, true, pairs) -> int:  # type: ignore[no-untyped-def]
    """Add what was found of each true band; give how many bands are of nothing."""
    taken: set[int] = set()
    for (_, width, _), own in zip(bands, true, strict=True):
        near = [
            (abs(row["centre_cm"].value - own["centre_cm"]), k)
            for k, row in enumerate(rows)
            if k not in taken and abs(row["centre_cm"].value - own["centre_cm"]) < 0.5 * width
        ]
        row = rows[min(near)[1]] if near else dict.fromkeys(NUMBERS, NOT_THERE)
        taken |= {min(near)[1]} if near else set()
        for name in NUMBERS:
            pairs[name].append((row[name], own[name]))
    return len(rows) - len(taken)
