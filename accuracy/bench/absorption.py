"""First excitons of virtual absorption spectra.

``matched``: a clear solution; ``mismatched``: one that scatters by a power of the wavelength between those that the analysis tries.
"""

import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure
from lampyris.core.bench import BenchSource
from lampyris.core.errors import LampyrisError
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.absorption import Settings
from lampyris.study.bench import measure
from lampyris.virtual.instruments.spectra import SpectrumTruth, write_virtual_absorption

TABLE = "bench-absorption"
EXPONENT = 3.4
REPEATS, QUICK_REPEATS = 400, 40
SCALE_SD_NM = 0.05
NONE = Estimate(float("nan"), float("nan"), float("nan"), float("nan"), 0.95, "nm", "refused")


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table; a spectrum in which no exciton is told counts as without number."""
    found: list[Figure] = []
    for arm, scattering in (("matched", 0.0), ("mismatched", 0.03)):
        excitons, heights = [], []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(QUICK_REPEATS if quick else REPEATS):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                truth = SpectrumTruth(
                    exciton_nm=float(rng.uniform(480, 780)),
                    fwhm_mev=float(rng.choice([90.0, 130.0, 180.0])),
                    absorbance=float(rng.choice([0.05, 0.2, 0.5])),
                    absorbance_sd=float(rng.choice([2e-4, 1e-3])),
                    scattering=scattering,
                    exponent=EXPONENT,
                    scale_shift_nm=float(rng.normal(0.0, SCALE_SD_NM)),
                )
                write_virtual_absorption(Path(folder) / "a.csv", truth, rng=rng)
                try:
                    source = BenchSource(Path(folder) / "a.csv", "a.csv")
                    values = measure(
                        "absorption", [source], settings=Settings(calibration_nm=SCALE_SD_NM)
                    ).pooled.values
                except LampyrisError:
                    values = {"first_exciton_nm": NONE, "absorbance": NONE}
                excitons.append((values["first_exciton_nm"], truth.exciton_nm))
                heights.append((values["absorbance"], truth.absorbance))
        found += scored(TABLE, arm, "first_exciton_nm", excitons, most_bias=0.01)
        found += scored(TABLE, arm, "absorbance", heights, most_bias=0.1, judged=False)
    return found
