"""Numbers of virtual absorption spectra.

``matched``: a clear solution; ``mismatched``: one that scatters, by a power of the wavelength that the analysis is not told.
A dot scatters about a published sizing curve as its authors say, and its extinction about a published rule; which of several holds is
drawn.
"""

import math
import tempfile
from pathlib import Path

import numpy as np

from accuracy.bench.scores import scored
from accuracy.figures import Figure, figure
from lampyris.core.bench import BenchSource
from lampyris.core.constants import EV_NM, FWHM_PER_SD
from lampyris.core.errors import LampyrisError
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.core.techniques.absorption import Settings
from lampyris.probe.extinction import ExtinctionSource, extinction_sources
from lampyris.probe.sizing import sizing_curves
from lampyris.study.bench import measure
from lampyris.virtual.instruments.spectra import SpectrumTruth, predict_dots, write_virtual_absorption

TABLE = "bench-absorption"
EXPONENT = 3.4
REPEATS, QUICK_REPEATS = 1000, 40
# sets before it showed that a tail of dots must not be told from scattering by how far each describes the red end, that what the data
# hardly tell must be averaged over, and that 400 sets do not tell 0.94 from 0.92
FIRST = 6000
SCALE_SD_NM = 0.05
MATERIALS = ("CdSe", "CdTe")
# goals of the relative bias; the extinction's own spread makes the median of a concentration wander by percents
NUMBERS = {
    "first_exciton_nm": 0.01, "band_gap_eV": 0.01, "fwhm_meV": 0.02, "absorbance": 0.02, "tauc_gap_eV": 0.01, "size_nm": 0.02,
    "concentration_M": 0.05,
}  # fmt: skip
WIDEST = {
    "first_exciton_nm": 0.02, "band_gap_eV": 0.02, "fwhm_meV": 0.2, "absorbance": 0.2, "tauc_gap_eV": 0.02, "size_nm": 0.2,
    "concentration_M": 1.0,
}  # fmt: skip
"""Goals of relative standard errors that all but a twentieth of the spectra keep: beyond them a spectrum tells a place no better than
the eye (12 nm at 600 nm), a width, a height or a size no better than to a fifth, and no concentration."""
NONE = Estimate.unknown(0.95, "", "refused")


def tables(*, quick: bool = False) -> list[Figure]:
    """Lines of the table; a spectrum in which no exciton is told counts as without number."""
    found: list[Figure] = []
    for arm, scattering in (("matched", 0.0), ("mismatched", 0.03)):
        pairs: dict[str, list[tuple[Estimate, float]]] = {name: [] for name in NUMBERS}
        with tempfile.TemporaryDirectory() as folder:
            for number in range(FIRST, FIRST + (QUICK_REPEATS if quick else REPEATS)):
                rng = np.random.default_rng(seed_sequence("accuracy", TABLE, arm, str(number)))
                values, true = one_spectrum(Path(folder) / "a.csv", scattering, rng)
                for name, own in true.items():
                    pairs[name].append((values.get(name, NONE), own))
        for name, own in pairs.items():
            found += scored(TABLE, arm, name, own, most_bias=NUMBERS[name])
            found.append(_widest(arm, name, own))
    return found


def _widest(arm: str, name: str, pairs: list[tuple[Estimate, float]]) -> Figure:
    """Relative standard error below which all but a twentieth lie: a coverage does not show intervals that burst."""
    shares = [one.sd / truth for one, truth in pairs if not math.isnan(one.value)]
    return figure(
        TABLE, arm, f"{name}_sd_95", float(np.quantile(shares, 0.95)), None, len(shares), at_most=WIDEST[name]
    )


def one_spectrum(
    path: Path, scattering: float, rng: np.random.Generator, /
) -> tuple[dict[str, Estimate], dict[str, float]]:
    """Numbers that a virtual spectrum of a drawn dot gives, none where it is refused, and their truths."""
    material = str(rng.choice(MATERIALS))
    exciton, size, rule = _dot(material, rng)
    truth = SpectrumTruth(
        exciton_nm=exciton,
        fwhm_mev=float(rng.choice([90.0, 130.0, 180.0])),
        absorbance=float(rng.choice([0.05, 0.2, 0.5])),
        absorbance_sd=float(rng.choice([2e-4, 1e-3])),
        scattering=scattering,
        exponent=EXPONENT,
        scale_shift_nm=float(rng.normal(0.0, SCALE_SD_NM)),
    )
    write_virtual_absorption(path, truth, rng=rng)
    energy = EV_NM / exciton
    light = float(predict_dots(np.array([exciton]), truth)[0])
    spread = 1.0 + float(rng.normal(0.0, float(rule.row["relative_sd"])))
    true = {
        "first_exciton_nm": exciton,
        "band_gap_eV": energy,
        "fwhm_meV": truth.fwhm_mev,
        "absorbance": light,
        "tauc_gap_eV": _tauc(truth),
        "size_nm": size,
        "concentration_M": light / (spread * _extinction(rule, size, energy, truth.fwhm_mev / 2000.0)),
    }
    try:
        settings = Settings(calibration_nm=SCALE_SD_NM, material=material)
        values = dict(measure("absorption", [BenchSource(path, "a.csv")], settings=settings).pooled.values)
    except LampyrisError:
        values = {}
    return values, true


def _dot(material: str, rng: np.random.Generator) -> tuple[float, float, ExtinctionSource]:
    """First exciton from 480 nm on, diameter that scatters about a curve, and the rule that its extinction follows."""
    curves = sizing_curves(material)
    while True:
        curve = curves[int(rng.integers(len(curves)))]
        exciton = float(rng.uniform(480.0, 780.0))
        # a few nm from the ends, where a measured exciton still lies on the curve
        if not curve.wavelengths_nm[0] + 3.0 < exciton < curve.wavelengths_nm[1] - 3.0:
            continue
        size = curve.diameter_nm(exciton) * (1.0 + float(rng.normal(0.0, curve.relative_sd)))
        rules = [
            one
            for one in extinction_sources(material)
            if math.isnan(one.wavelength_nm) and one.low_nm <= size <= one.high_nm
        ]
        if rules:
            return exciton, size, rules[int(rng.integers(len(rules)))]


def _extinction(rule: ExtinctionSource, size_nm: float, energy_ev: float, hwhm_ev: float) -> float:
    """1/(M cm), as printed: Yu and others 2003 by the diameter, Jasieniak and others 2009 by energy and half width."""
    row = {
        key: float(word) for key, word in rule.row.items() if key.startswith(("coeff", "exp", "scale", "hwhm")) and word
    }
    if not rule.needs_exciton:
        return row["coefficient"] * size_nm ** row["exponent"]
    at = row["coefficient"] + row["coefficient_2"] * math.exp(-energy_ev / row["scale_ev"])
    return at * row["hwhm_ev"] / hwhm_ev


def _tauc(truth: SpectrumTruth) -> float:
    """Where a line through the clean curve between 20 and 80 % of the exciton's square meets zero."""
    energy = EV_NM / truth.exciton_nm - np.linspace(0.0, 5.0 * truth.fwhm_mev / 1000.0 / FWHM_PER_SD, 4001)
    square = (predict_dots(EV_NM / energy, truth) * energy) ** 2
    edge = (square > 0.2 * square[0]) & (square < 0.8 * square[0])
    slope, level = np.polyfit(energy[edge], square[edge], 1)
    return float(-level / slope)
