"""A virtual light-scattering instrument: correlograms of a known size distribution in ALV's and Malvern's own formats.

Speckles are simulated: a Gaussian field with the spectrum of the distribution, two modes of it for the coherence, correlated as
a correlator does. Only the scatter of photons is drawn from its variance. Neither is what the analysis assumes.
"""

import math
import sqlite3
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls import Optics, field_correlation
from lampyris.bench.dls.noise import bin_widths
from lampyris.io.durable import write_bytes, write_text

_STEPS = 24
"""Steps of the simulated field per decay of the fastest size that scatters a tenth."""
_MOST = 3_000_000


@dataclass(frozen=True, slots=True)
class Population:
    """Spheres of a lognormal distribution of the scattered light over size.

    Parameters
    ----------
    diameter_nm : float
        Hydrodynamic diameter of the mean decay rate, which is what a Z-average is.
    polydispersity : float
        Variance of the decay rate over the square of its mean.
    intensity : float
        Share of the light, relative to other populations.
    """

    diameter_nm: float = 18.4
    polydispersity: float = 0.05
    intensity: float = 1.0


WATER_AT_25C = Optics(90.0, 632.8, 1.332, 298.15, 0.89)


@dataclass(frozen=True, slots=True)
class CorrelogramTruth:
    """What a run is made of.

    Parameters
    ----------
    populations : tuple of Population
    optics : Optics
    duration_s, count_rate_kcps, intercept : float
        Of g2 - 1 at lag 0.
    dust : float
        Share of extra light of a few large specks that drift through the beam; 0 for none.
    baseline : float
        Left over at long lags, as a bad normalisation leaves it.
    name : str
    """

    populations: tuple[Population, ...] = (Population(),)
    optics: Optics = WATER_AT_25C
    duration_s: float = 10.0
    count_rate_kcps: float = 200.0
    intercept: float = 0.93
    dust: float = 0.0
    baseline: float = 0.0
    name: str = "synthetic dots"

    @property
    def z_average_nm(self) -> float:
        """Diameter of the mean decay rate."""
        total = sum(one.intensity for one in self.populations)
        return total / sum(one.intensity / one.diameter_nm for one in self.populations)

    @property
    def polydispersity(self) -> float:
        """Variance of the decay rate over the square of its mean."""
        total = sum(one.intensity for one in self.populations)
        square = (
            sum(one.intensity * (1.0 + one.polydispersity) / one.diameter_nm**2 for one in self.populations) / total
        )
        return square * self.z_average_nm**2 - 1.0


def size_shares(populations: Sequence[Population], /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Diameters and shares of light, finely spaced.

    Parameters
    ----------
    populations : sequence of Population

    Returns
    -------
    tuple of numpy.ndarray, dims (size,)
    """
    sizes, shares = [], []
    for one in populations:
        # of a lognormal, the rate's relative variance is exp(s^2) - 1, and its mean lies exp(s^2 / 2) above the middle
        s = math.sqrt(math.log1p(one.polydispersity))
        z = np.linspace(-4.0, 4.0, 121) if s > 0 else np.zeros(1)
        weight = np.exp(-0.5 * z**2)
        sizes.append(one.diameter_nm * math.exp(0.5 * s * s) * np.exp(s * z))
        shares.append(one.intensity * weight / weight.sum())
    return np.concatenate(sizes), np.concatenate(shares)


def multi_tau_lags(first_s: float, last_s: float, /, *, group: int = 8) -> NDArray[np.float64]:
    """Lags of a multi-tau correlator: 2 groups at the first step, then a group per doubling.

    Parameters
    ----------
    first_s, last_s : float
    group : int

    Returns
    -------
    numpy.ndarray, dims (lag,)
    """
    lags = [first_s * k for k in range(1, 2 * group + 1)]
    step = first_s
    while lags[-1] < last_s:
        step *= 2.0
        lags += [lags[-1] + step * k for k in range(1, group + 1)]
    return np.array([one for one in lags if one <= last_s * (1 + 1e-9)])


def virtual_correlogram(
    truth: CorrelogramTruth, lag_s: NDArray[np.float64], /, *, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measured g2 - 1 at each lag, and the count rate over the run.

    Parameters
    ----------
    truth : CorrelogramTruth
    lag_s : numpy.ndarray, dims (lag,)
    rng : numpy.random.Generator

    Returns
    -------
    correlation : numpy.ndarray, dims (lag,)
    times_s, rates_kcps : numpy.ndarray, dims (time,)
    """
    sizes, shares = size_shares(truth.populations)
    rates = truth.optics.rates_per_s(sizes)
    order = np.argsort(-rates)
    fast = float(rates[order][np.searchsorted(np.cumsum(shares[order]) / shares.sum(), 0.1)])
    step = max(1.0 / (_STEPS * fast), truth.duration_s / _MOST)
    count = int(truth.duration_s / step)
    intensity = _speckles(truth, sizes, shares, step, count, rng)
    intensity += truth.dust * _specks(count, rng)
    mean = float(intensity.mean())
    measured = _correlated(intensity / mean, step, lag_s)
    field = field_correlation(lag_s, sizes, shares, truth.optics)
    width = bin_widths(lag_s)
    photons = truth.count_rate_kcps * 1e3 * (1.0 + truth.dust) * width
    variance = (1.0 + truth.intercept * field**2) / photons**2 + 2.0 * truth.intercept * (1.0 + field**4) / photons
    noise = rng.normal(0.0, np.sqrt(variance * width / truth.duration_s))
    blocks = np.array_split(intensity, 256)
    per_block = np.array([float(block.mean()) for block in blocks]) * truth.count_rate_kcps
    counts = rng.poisson(np.maximum(per_block * 1e3 * truth.duration_s / 256, 0.0)) / (1e3 * truth.duration_s / 256)
    times = (np.arange(256) + 1.0) * truth.duration_s / 256
    return measured + noise + truth.baseline, times, counts


def _speckles(
    truth: CorrelogramTruth,
    sizes: NDArray[np.float64],
    shares: NDArray[np.float64],
    step: float,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Intensity of a Gaussian field, of mean 1, in two modes whose shares give the intercept."""
    from scipy import fft

    length = fft.next_fast_len(
        count + min(count, int(40.0 / (float(truth.optics.rates_per_s(sizes).min()) * step)) + 1)
    )
    places = np.arange(length // 2 + 1) * step
    half = np.zeros(places.size)
    near = places < 40.0 / truth.optics.rates_per_s(sizes).min()
    coarse = np.concatenate([[0.0], np.geomspace(step / 4, max(places[-1], step), 600)])
    half[near] = np.interp(places[near], coarse, field_correlation(coarse, sizes, shares, truth.optics))
    spectrum = np.maximum(fft.rfft(np.concatenate([half, half[1 : length - half.size + 1][::-1]])).real, 0.0)
    full = np.concatenate([spectrum, spectrum[1 : length - spectrum.size + 1][::-1]]).astype(np.float32)
    root = np.sqrt(full / (2.0 * length)).astype(np.float32)
    main = 0.5 * (1.0 + math.sqrt(2.0 * min(max(truth.intercept, 0.5), 1.0) - 1.0))
    total = np.zeros(count)
    for part in (main, 1.0 - main):
        if part > 1e-9:
            drawn = rng.standard_normal((2, length), dtype=np.float32)
            field = fft.fft(((drawn[0] + 1j * drawn[1]) * root).astype(np.complex64))[:count]
            total += part * (field.real**2 + field.imag**2)
    if truth.intercept < 0.5:
        # incoherent light dilutes the speckles further
        diluted = math.sqrt(max(truth.intercept, 0.0) / 0.5)
        total = diluted * total + (1.0 - diluted)
    return total


def _specks(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Brightness over the run of specks that cross the beam, of mean about 1."""
    total = np.zeros(count)
    at = np.arange(count) / count
    for _ in range(4):
        centre, wide = rng.uniform(0.0, 1.0), rng.uniform(0.01, 0.04)
        total += rng.uniform(0.5, 1.5) * np.exp(-0.5 * ((at - centre) / wide) ** 2) / (4 * wide * 2.5066)
    return total


def _correlated(intensity: NDArray[np.float64], step: float, lag_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """g2 - 1 of an intensity of mean 1; between grid lags in a straight line, below the first from its own trend."""
    from scipy import fft

    count = intensity.size
    centred = intensity - 1.0
    length = fft.next_fast_len(2 * count, real=True)
    power = np.abs(fft.rfft(centred, length)) ** 2
    summed = fft.irfft(power, length)[:count]
    grid = np.unique(np.concatenate([np.arange(0, 64), np.geomspace(64, count // 2, 600).astype(np.intp)]))
    grid = grid[grid < count // 2]
    curve = summed[grid] / (count - grid)
    return np.interp(lag_s, grid * step, curve)


def write_virtual_alv(path: Path, truth: CorrelogramTruth, /, *, rng: np.random.Generator) -> None:
    """Write a run as the ``.ASC`` file of an ALV-7004 in pseudo-cross correlation.

    Parameters
    ----------
    path : Path
    truth : CorrelogramTruth
    rng : numpy.random.Generator
    """
    lag = multi_tau_lags(2e-7, truth.duration_s / 8)
    correlation, times, rates = virtual_correlogram(truth, lag, rng=rng)
    optics = truth.optics
    rows = [
        "ALV-7004/USB", 'Date :\t"01.01.2000"', 'Time :\t"00:00:00"', f'Samplename : \t"{truth.name}"',
        'SampMemo(0) : \t"synthetic: virtual instrument"',
        f"Temperature [K] :\t{optics.temperature_k:14.5f}", f"Viscosity [cp]  :\t{optics.viscosity_mpa_s:14.5f}",
        f"Refractive Index:\t{optics.refractive_index:14.5f}", f"Wavelength [nm] :\t{optics.wavelength_nm:14.5f}",
        f"Angle [M-0]       :\t{optics.angle_deg:14.5f}", f"Duration [s]    :\t{truth.duration_s:10g}",
        "Runs            :\t         1", 'Mode            :\t"C-CH0/1+1/0"', f"MeanCR0 [kHz]   :\t{rates.mean():14.5f}",
        f"MeanCR1 [kHz]   :\t{rates.mean():14.5f}", "", '"Correlation"',
    ]  # fmt: skip
    rows += [f"{1e3 * a:13.5E}\t{b:13.5E}" for a, b in zip(lag.tolist(), correlation.tolist(), strict=True)]
    rows += ["", '"Count Rate"']
    rows += [f"{a:14.5f}\t{b:14.5f}" for a, b in zip(times.tolist(), rates.tolist(), strict=True)]
    write_text(path, "\r\n".join([*rows, ""]))


_ENTRY = bytes((6, 1, 1, 1, 2, 1))
_ROOT = "SizeMeasurementResult"


def write_virtual_zmes(path: Path, truths: Sequence[CorrelogramTruth], /, *, rng: np.random.Generator) -> None:
    """Write runs as a database with the tables, names and number arrays of a ``.zmes`` file; results of the vendor are left out.

    Parameters
    ----------
    path : Path
    truths : sequence of CorrelogramTruth
        A record each.
    rng : numpy.random.Generator
    """
    base = sqlite3.connect(":memory:")
    base.executescript(
        "CREATE TABLE RecordParameterTypes (Id INTEGER PRIMARY KEY, UniformResourceName TEXT);"
        "CREATE TABLE RecordParameterTreeNodes (Id INTEGER PRIMARY KEY, ParameterTypeId INTEGER, ParentNodeId INTEGER);"
        "CREATE TABLE StandardRecords (Id INTEGER PRIMARY KEY, CreatedDateTime TEXT);"
        "CREATE TABLE RecordParameterData (Id INTEGER PRIMARY KEY, Data_Blob BLOB, Data_Boolean INTEGER, Data_Double REAL,"
        ' Data_Int32 INTEGER, Data_Int64 INTEGER, Data_Single REAL, Data_Text TEXT, "Index" INTEGER, ParameterTreeNodeId INTEGER,'
        " ParameterTypeId INTEGER, RecordId INTEGER);"
    )
    names: dict[str, int] = {}

    def node(name: str) -> int:
        if name not in names:
            names[name] = len(names) + 1
            prefix = "urn:Com.Malvern.RecordParameter:DataStructures.MeasurementData:"
            base.execute("INSERT INTO RecordParameterTypes VALUES (?, ?)", (names[name], prefix + name))
            parent = None if name == _ROOT else node(_ROOT)
            base.execute("INSERT INTO RecordParameterTreeNodes VALUES (?, ?, ?)", (names[name], names[name], parent))
        return names[name]

    for record, truth in enumerate(truths, start=1):
        base.execute("INSERT INTO StandardRecords VALUES (?, '2000-01-01 00:00:00')", (record,))
        for name, value in _parameters(truth, rng).items():
            kind = {float: "Data_Double", str: "Data_Text", bytes: "Data_Blob"}[type(value)]
            base.execute(
                f'INSERT INTO RecordParameterData ({kind}, "Index", ParameterTreeNodeId, ParameterTypeId, RecordId)'
                " VALUES (?, ?, ?, ?, ?)",
                (value, node(name), node(name), node(name), record),
            )
    base.commit()
    write_bytes(path, base.serialize())
    base.close()


def _parameters(truth: CorrelogramTruth, rng: np.random.Generator) -> dict[str, float | str | bytes]:
    lag = multi_tau_lags(2e-7, truth.duration_s / 8, group=16)
    correlation, _, rates = virtual_correlogram(truth, lag, rng=rng)
    settings = "ActualInstrumentSettings."
    return {
        "Measurement.Sample.Name": truth.name,
        "DispersantSettings.Name": "synthetic",
        f"{settings}Temperature": truth.optics.temperature_k - 273.15,
        f"{settings}DetectorAngle": truth.optics.angle_deg,
        f"{settings}Wavelength": truth.optics.wavelength_nm,
        f"{settings}DispersantViscosity": truth.optics.viscosity_mpa_s,
        f"{settings}DispersantRI": truth.optics.refractive_index,
        f"{settings}NumberOfRuns": 1.0,
        f"{settings}RunDuration": 1000.0 * truth.duration_s,
        "SizeRunSummaryInformation.MeanCountRateInKcps": float(rates.mean()),
        "SizeData.CorrelationLagTimes": _array(1e6 * lag),
        "SizeRunSummaryInformation.AverageNormalisedCorrelationFunction": _array(correlation),
    }


def _array(values: NDArray[np.float64]) -> bytes:
    head = b"\x01\x02\x01\x04Root\x00\x01\x03\x01\\System.Double[]"
    return head + b"".join(_ENTRY + struct.pack("<d", value) for value in values.tolist())
