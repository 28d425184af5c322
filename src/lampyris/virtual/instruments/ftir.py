"""A virtual infrared spectrometer: JCAMP-DX files of dots with known bands."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.ftir import predict_bands, variance_absorbance
from lampyris.io.durable import write_text

Bands = tuple[tuple[float, float, float], ...]
OLEATE = (
    (3005.0, 18.0, 0.02), (2956.0, 20.0, 0.05), (2923.0, 26.0, 0.22), (2853.0, 18.0, 0.14), (1545.0, 40.0, 0.16),
    (1463.0, 18.0, 0.05), (1408.0, 34.0, 0.10), (721.0, 12.0, 0.03),
)  # fmt: skip
"""Centre and full width (1/cm) and absorbance of the bands of oleate on a dot, about as large as one sees them."""

PEG = ((2880.0, 45.0, 0.20), (1466.0, 18.0, 0.05), (1343.0, 14.0, 0.06), (1108.0, 45.0, 0.30), (948.0, 20.0, 0.05))
"""The same of a coat of polyethylene glycol."""


@dataclass(frozen=True, slots=True)
class InfraredTruth:
    """A sample in the spectrometer.

    Parameters
    ----------
    bands : tuple of (float, float, float)
        Centre and full width in 1/cm, and absorbance at the top.
    share : float
        Lorentzian share of all bands.
    noise : float
        Standard deviation of the transmittance, as a share of 1.
    wave : float
        Absorbance of interference fringes of 700 1/cm.
    slope : float
        Absorbance by which the baseline rises to high wavenumbers, as scattering makes it.
    carbon_dioxide : float
        Absorbance of the air's carbon dioxide.
    tail : float
        Share by which the side of a band to low wavenumbers is wider: no fitted shape has that.
    drag : float
        Decay of an exponential that blurs each band to low wavenumbers, over the band's full width: a tail of another shape.
    resolution : float
        Width over which the instrument averages, in steps of its axis.
    """

    bands: Bands = OLEATE
    share: float = 0.3
    noise: float = 5e-4
    wave: float = 0.0
    slope: float = 0.05
    carbon_dioxide: float = 0.0
    tail: float = 0.0
    drag: float = 0.0
    resolution: float = 0.0


def predict_recorded(
    wavenumber_cm: NDArray[np.float64], truth: InfraredTruth, bands: Bands, /, *, step_cm: float = 1.93
) -> NDArray[np.float64]:
    """Absorbance of bands as an instrument of the truth's resolution records it, without noise and baseline.

    Parameters
    ----------
    wavenumber_cm : numpy.ndarray, dims (point,)
    truth : InfraredTruth
    bands : tuple of (float, float, float)
    step_cm : float
        Of the instrument's axis.

    Returns
    -------
    numpy.ndarray, dims (point,)
        With a resolution, the mean of five places a fifth of its width apart.
    """
    fine = (wavenumber_cm[:, None] + truth.resolution * step_cm * np.linspace(-0.4, 0.4, 5)[None, :]).ravel()
    total = np.zeros(fine.size)
    tails = np.linspace(0.0, 6.0, 121) if truth.drag else np.zeros(1)
    weights = np.exp(-tails) / np.exp(-tails).sum()
    for centre, width, height in bands:
        for tail, weight in zip(tails, weights, strict=True):
            at = centre - tail * truth.drag * width
            one = predict_bands(fine, [weight * height, at, width, truth.share])
            wide = predict_bands(fine, [weight * height, at, width * (1.0 + truth.tail), truth.share])
            total += np.where(fine < at, wide, one)
    return total.reshape(-1, 5).mean(axis=1)


def write_virtual_infrared(
    path: Path,
    truth: InfraredTruth,
    /,
    *,
    rng: np.random.Generator,
    step_cm: float = 1.93,
    transmittance: bool = False,
) -> None:
    """Write a spectrum from 600 to 4000 1/cm as JCAMP-DX of plain numbers: bands as of `predict_recorded`, over a baseline."""
    x = np.arange(600.0, 4000.0, step_cm)
    expected = 0.02 + predict_recorded(x, truth, truth.bands, step_cm=step_cm)
    for centre, width in ((2342.0, 14.0), (2361.0, 12.0)):
        expected += predict_bands(x, [truth.carbon_dioxide, centre, width, 0.0])
    expected += truth.slope * (x / 4000.0) ** 2 + truth.wave * np.sin(2.0 * np.pi * x / 700.0)
    # the detector's noise is that of what comes through: absorbance has more of it where it is high
    sd = np.sqrt(variance_absorbance(expected, transmittance_sd=truth.noise))
    seen = expected + rng.normal(0.0, sd)
    y = 10.0**-seen if transmittance else seen
    unit = "TRANSMITTANCE" if transmittance else "ABSORBANCE"
    scaled = np.round(y / 1e-7).astype(np.int64)
    rows = []
    for k in range(0, x.size, 8):
        rows.append(f"{x[k]:.4f} " + " ".join(str(v) for v in scaled[k : k + 8].tolist()))
    head = [
        "##TITLE= synthetic infrared spectrum", "##JCAMP-DX= 4.24", "##DATA TYPE= INFRARED SPECTRUM",
        "##ORIGIN= synthetic, a virtual spectrometer", "##XUNITS= 1/CM", f"##YUNITS= {unit}", "##XFACTOR= 1",
        "##YFACTOR= 1E-7", f"##FIRSTX= {x[0]:.6f}", f"##LASTX= {x[-1]:.6f}", f"##NPOINTS= {x.size}", "##XYDATA= (X++(Y..Y))",
    ]  # fmt: skip
    write_text(path, "\n".join([*head, *rows, "##END=", ""]))
