"""Peaks and widths of virtual emission. ``matched``: Gaussian in energy; ``mismatched``: with a tail that no fitted shape has."""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored, share
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.photoluminescence import Settings
from lampyris.probe.spectra.axes import measured_line, width_nm
from lampyris.study.bench import measure
from lampyris.virtual.instruments.spectra import SpectrumTruth, write_virtual_emission

TABLE = "bench-photoluminescence"
REPEATS, QUICK_REPEATS = 400, 40
NUMBERS = ("peak_nm", "peak_per_ev_nm", "fwhm_nm", "fwhm_meV")
SCALE_SD_NM = 0.05


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table."""
    found: list[Figure] = []
    for arm, skew in (("matched", 0.0), ("mismatched", 0.6)):
        pairs: dict[str, list] = {name: [] for name in NUMBERS}  # type: ignore[type-arg]
        with tempfile.TemporaryDirectory() as folder:
            for number in range(QUICK_REPEATS if quick else REPEATS):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                truth = SpectrumTruth(
                    emission_nm=float(rng.uniform(520, 850)),
                    fwhm_mev=float(rng.choice([60.0, 100.0, 180.0])),
                    skew=skew,
                    peak_counts=float(rng.choice([3e2, 2e3, 3e4])),
                    scale_shift_nm=float(rng.normal(0.0, SCALE_SD_NM)),
                )
                write_virtual_emission(Path(folder) / "a.csv", truth, rng=rng)
                source = BenchSource(Path(folder) / "a.csv", "a.csv")
                values = measure(
                    "photoluminescence", [source], settings=Settings(calibration_nm=SCALE_SD_NM)
                ).pooled.values
                for name, own in _true(truth).items():
                    pairs[name].append((values[name], own))
        for name, own in pairs.items():
            found += scored(TABLE, arm, name, own, most_bias=0.01)
    lines, told, count = _two_lines(QUICK_REPEATS if quick else REPEATS)
    found.append(share(TABLE, "matched", "two_lines_told", told, count))
    return found + scored(TABLE, "matched", "peaks_nm", lines, most_bias=0.01)


def _two_lines(count: int) -> tuple[list[tuple[Estimate, float]], int, int]:
    """Each told line of a dot with a second line to the red, beside the drawn line that is nearest; and how often two are told."""
    pairs, told = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            rng = np.random.default_rng(seed_sequence("accuracy", TABLE, "two lines", str(number)))
            emission = float(rng.uniform(520, 700))
            below = float(rng.uniform(0.2, 0.4))
            truth = SpectrumTruth(
                emission_nm=emission,
                fwhm_mev=float(rng.choice([80.0, 120.0])),
                trap_nm=EV_NM / (EV_NM / emission - below),
                trap_share=float(rng.uniform(0.1, 0.6)),
                trap_fwhm_mev=float(rng.choice([120.0, 200.0])),
                peak_counts=float(rng.choice([2e3, 3e4])),
                scale_shift_nm=float(rng.normal(0.0, SCALE_SD_NM)),
            )
            write_virtual_emission(Path(folder) / "a.csv", truth, rng=rng)
            source = BenchSource(Path(folder) / "a.csv", "a.csv")
            record = measure("photoluminescence", [source], settings=Settings(calibration_nm=SCALE_SD_NM)).pooled
            lines = record.lists.get("peaks_nm", ())
            told += len(lines) == 2
            pairs += [
                (one, min((truth.emission_nm, truth.trap_nm), key=lambda own, one=one: abs(own - one.value)))  # type: ignore[misc]
                for one in lines
            ]
    return pairs, told, count


def _true(truth: SpectrumTruth) -> dict[str, float]:
    """Top and widths of the line as it is emitted, on both axes."""
    sd = truth.fwhm_mev / 1000.0 / FWHM_PER_SD
    centre = EV_NM / truth.emission_nm
    energy = np.linspace(centre - 12 * sd, centre + 8 * sd, 20001)
    tails = np.linspace(0.0, 6.0, 121) if truth.skew else np.zeros(1)
    line = sum(np.exp(-t) * np.exp(-0.5 * ((energy - centre + t * truth.skew * sd) / sd) ** 2) for t in tails)
    per_ev = measured_line(energy, line)
    per_nm = measured_line((EV_NM / energy)[::-1], (line * energy**2)[::-1])
    assert truth.skew or abs(width_nm(per_ev.fwhm, truth.emission_nm) / per_nm.fwhm - 1) < 0.02
    own = EV_NM / per_ev.peak
    return {"peak_nm": per_nm.peak, "peak_per_ev_nm": own, "fwhm_nm": per_nm.fwhm, "fwhm_meV": 1000 * per_ev.fwhm}
