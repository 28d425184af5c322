"""A virtual photon counter: its text, PTU or PHU files of dots whose lifetimes are known, behind a response with a tail."""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime import DecayLaw, Response, predict_decay
from lampyris.core.constants import FWHM_PER_SD
from lampyris.io.durable import write_bytes, write_text

Array = NDArray[np.float64]
# points of the drawn curves per channel of the instrument
_FINER = 4


@dataclass(frozen=True, slots=True)
class LifetimeTruth:
    """What a decay is made of.

    Parameters
    ----------
    lifetimes_ns, amplitudes : tuple of float
        One per component; amplitudes are shares of the height at time 0.
    stretch : float
        Exponent of a stretched decay.
    photons : float
        Of the decay, above the background.
    background : float
        Counts per channel.
    scatter_share : float
        Of the photons, light of the pulse itself.
    """

    lifetimes_ns: tuple[float, ...]
    amplitudes: tuple[float, ...]
    stretch: float = 1.0
    photons: float = 1e6
    background: float = 3.0
    scatter_share: float = 0.0

    @property
    def law(self) -> DecayLaw:
        """As what is inferred."""
        areas = np.multiply(self.lifetimes_ns, self.amplitudes)
        photons = tuple((self.photons * (1.0 - self.scatter_share) * areas / areas.sum()).tolist())
        return DecayLaw(self.lifetimes_ns, photons, self.stretch, self.background, self.photons * self.scatter_share)


@dataclass(frozen=True, slots=True)
class Counter:
    """The instrument.

    Parameters
    ----------
    channels : int
    channel_ns : float
    fwhm_ns : float
        Of the response.
    pulse_ns : float
        Where the pulse lies in the window.
    response_photons, response_background : float
        Photons of the response's recording, and counts per channel beside them.
    repetition_mhz : float
        0 for pulses far apart.
    colour_shift_ns : float
        How much later the sample's light comes than the response's.
    afterpulse_share : float
        Share of photons that come again, even over the window, of the decay and of its response.
    unevenness : float
        Standard deviation of the channels' widths, relative.
    """

    channels: int = 4096
    channel_ns: float = 0.0274
    fwhm_ns: float = 0.25
    pulse_ns: float = 25.0
    response_photons: float = 3e5
    response_background: float = 0.5
    repetition_mhz: float = 0.0
    colour_shift_ns: float = 0.03
    afterpulse_share: float = 0.0
    unevenness: float = 0.0

    @property
    def period_ns(self) -> float:
        """Time between pulses."""
        return 1e3 / self.repetition_mhz if self.repetition_mhz else math.inf


def virtual_decay(truth: LifetimeTruth, counter: Counter, /, *, rng: np.random.Generator) -> tuple[Array, Array]:
    """Counts of a decay and of the response that was recorded beside it, each dims (channel,)."""
    fine = counter.channel_ns / _FINER
    centre = float(counter.pulse_ns + rng.uniform(-0.5, 0.5) * counter.channel_ns)
    early, late = (_pulse(counter, fine, centre + shift) for shift in (0.0, counter.colour_shift_ns))
    law = truth.law
    flat = DecayLaw(law.lifetimes_ns, law.photons, law.stretch, 0.0, law.scatter)
    curve = predict_decay(flat, Response(late, np.zeros_like(late)), channel_ns=fine, period_ns=counter.period_ns)
    expected = curve.reshape(counter.channels, _FINER).sum(axis=1)
    if counter.afterpulse_share:
        expected = expected + counter.afterpulse_share * expected.sum() / counter.channels
    widths = 1.0 + counter.unevenness * rng.standard_normal(counter.channels)
    decay = rng.poisson(np.maximum((expected + truth.background) * widths, 0.0)).astype(np.float64)
    recorded = counter.response_photons * early.reshape(counter.channels, _FINER).sum(axis=1)
    # the same detector
    recorded = recorded + counter.afterpulse_share * recorded.sum() / counter.channels
    response = rng.poisson(np.maximum((recorded + counter.response_background) * widths, 0.0)).astype(np.float64)
    return decay, response


def _pulse(counter: Counter, fine: float, centre: float) -> Array:
    """Response: a peak that is steeper before than after, with a weak slow tail, as of a photomultiplier or a hybrid detector."""
    time = (np.arange(counter.channels * _FINER) + 0.5) * fine - centre
    sigma = counter.fwhm_ns / FWHM_PER_SD
    peak = np.exp(-0.5 * (time / np.where(time < 0, 0.85 * sigma, 1.15 * sigma)) ** 2)
    tail = 0.02 * np.where(time > 0, np.exp(-np.maximum(time, 0.0) / (1.6 * counter.fwhm_ns)), 0.0)
    shape = peak + tail
    shape[shape < 1e-12] = 0.0
    return np.asarray(shape / shape.sum())


def write_virtual_decay(
    folder: Path, truth: LifetimeTruth, counter: Counter, /, *, rng: np.random.Generator, form: str = "text"
) -> tuple[Path, Path]:
    """Write a decay and the response beside it.

    Parameters
    ----------
    folder : Path
    truth : LifetimeTruth
    counter : Counter
    rng : numpy.random.Generator
    form : str
        ``text`` (channels with a time calibration), ``csv`` (time and counts), ``phu`` or ``ptu``.

    Returns
    -------
    (Path, Path)
        Decay and response.

    Raises
    ------
    ValueError
        If the form is none of these.
    """
    decay, response = virtual_decay(truth, counter, rng=rng)
    paths = []
    for name, counts in (("decay", decay), ("response", response)):
        path = folder / f"{name}.{'txt' if form == 'text' else form}"
        if form == "text":
            write_text(path, das_text(counts, counter.channel_ns, name, counter.repetition_mhz))
        elif form == "csv":
            rows = "".join(f"{(k + 0.5) * counter.channel_ns:.6f},{n:.0f}\n" for k, n in enumerate(counts.tolist()))
            write_text(path, f"synthetic\ntime (ns),counts\n{rows}")
        elif form == "phu":
            write_bytes(path, phu_bytes(counts, counter))
        elif form == "ptu":
            write_bytes(path, ptu_bytes(counts, counter, rng=rng))
        else:
            raise ValueError(f"form is text, csv, phu or ptu, got {form!r}")
        paths.append(path)
    return paths[0], paths[1]


def das_text(counts: Array, channel_ns: float, name: str, repetition_mhz: float = 0.0, /) -> str:
    """Text of a counter's histogram: a head with the time calibration, then channel and counts."""
    rate = f"Repetition rate: {repetition_mhz:g} MHz\n" if repetition_mhz else ""
    head = f"Item name: {name} (synthetic)\n\nReal time: 30\nLive time: 0\n"
    head += f"Time calibration: {channel_ns:.6E}ns/ch\n{rate}\nComment: \n\n\nChan\tData\n"
    return head + "".join(f"{k}\t{n:.0f}\n" for k, n in enumerate(counts.tolist(), start=1))


def tag(name: str, value: int | float | str | None, /, index: int = -1) -> bytes:
    """A tag of PicoQuant's unified format."""
    head = struct.pack("<32si", name.encode("ascii"), index)
    if value is None:
        return head + struct.pack("<Iq", 0xFFFF0008, 0)
    if isinstance(value, str):
        text = value.encode("cp1252") + b"\0"
        text += bytes(-len(text) % 8)
        return head + struct.pack("<Iq", 0x4001FFFF, len(text)) + text
    if isinstance(value, float):
        return head + struct.pack("<Id", 0x20000008, value)
    return head + struct.pack("<Iq", 0x10000008, value)


def phu_bytes(counts: Array, counter: Counter, /) -> bytes:
    """A PHU file of one curve."""

    def header(offset: int) -> bytes:
        rate = round(counter.repetition_mhz * 1e6)
        parts = [
            b"PQHISTO\0" + b"1.0.00\0\0",
            tag("File_Comment", "synthetic"),
            tag("Measurement_Mode", 0),
            tag("Measurement_SubMode", 1),
            tag("MeasDesc_Resolution", counter.channel_ns * 1e-9),
            tag("HistoResult_NumberOfCurves", 1),
            tag("HistResDscr_MDescResolution", counter.channel_ns * 1e-9, 0),
            tag("HistResDscr_MDescStopAfter", 30_000, 0),
            tag("HistResDscr_SyncRate", rate, 0),
            tag("HistResDscr_HistogramBins", counts.size, 0),
            tag("HistResDscr_DataOffset", offset, 0),
            tag("Header_End", None),
        ]
        return b"".join(parts)

    return header(len(header(0))) + counts.astype("<u4").tobytes()


def ptu_bytes(counts: Array, counter: Counter, /, *, rng: np.random.Generator, every: int = 20) -> bytes:
    """A PTU file in T3 mode of one detector, a photon in every `every` pulses."""
    period = counter.period_ns if math.isfinite(counter.period_ns) else counts.size * counter.channel_ns
    times = rng.permutation(np.repeat(np.arange(counts.size), counts.astype(np.int64)))
    pulses = np.arange(times.size) * every
    turns = pulses >> 10
    photons = (times.astype(np.uint32) << 10) | (pulses & 1023).astype(np.uint32)
    # an overflow before each photon that the pulse counter has turned over for
    new = np.flatnonzero(np.diff(turns, prepend=0))
    overflows = np.uint32((1 << 31) | (63 << 25)) | np.diff(turns, prepend=0)[new].astype(np.uint32)
    records = np.insert(photons, new, overflows)
    parts = [
        b"PQTTTR\0\0" + b"1.0.00\0\0",
        tag("File_Comment", "synthetic"),
        tag("Measurement_Mode", 3),
        tag("Measurement_SubMode", 1),
        tag("MeasDesc_Resolution", counter.channel_ns * 1e-9),
        tag("MeasDesc_GlobalResolution", period * 1e-9),
        tag("MeasDesc_AcquisitionTime", max(1, round(times.size * every * period * 1e-6))),
        tag("TTResultFormat_TTTRRecType", 0x00010307),
        tag("TTResultFormat_BitsPerRecord", 32),
        tag("TTResult_NumberOfRecords", records.size),
        tag("Header_End", None),
    ]
    return b"".join(parts) + records.astype("<u4").tobytes()
