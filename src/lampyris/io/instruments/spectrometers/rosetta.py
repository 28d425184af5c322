"""X-ray spectra of JEOL and Bruker maps and of HyperSpy, read by RosettaSciIO where it is installed; maps are summed."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.binary import MAX_POINTS
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.rosetta import axes_of, check_count, number_of, numbers, signals, words_of
from lampyris.io.instruments.spectrometers.axes import checked_axis

MAX_COUNTS = 400_000_000
"""Numbers of a map that is summed to one spectrum."""
_KEV = {"kev": 1.0, "ev": 1e-3}
# of HyperSpy to those of the EMSA/MAS standard, by which other spectra over energy are told from X-rays
_TYPES = {"EELS": "ELS", "CL": "CLS"}


def read(path: Path, /, *, max_bytes: int, file: str) -> tuple[Spectrum, ...]:
    """Read every spectrum over energy; a map gives the sum over its places.

    Raises
    ------
    MissingExtraError
        If RosettaSciIO is not installed.
    ImageError
        If the file is damaged, or holds no spectrum over energy.
    """
    found = []
    for signal in signals(path, max_bytes=max_bytes, file=file):
        axes = axes_of(signal, navigating=False)
        unit = _KEV.get(str(axes[0].get("units", "")).lower(), 0.0) if len(axes) == 1 else 0.0
        if not unit or signal["data"].dtype.kind not in "uif":
            continue
        data = signal["data"]
        if data.shape[-1] > MAX_POINTS:
            refuse(file, "spectrum.too-long", f"declares {data.shape[-1]} channels.", "Export one spectrum.")
        check_count(data, most=MAX_COUNTS, file=file)
        # summed before it is read: a map is several times larger than its file
        total = data.sum(axis=tuple(range(data.ndim - 1)), dtype=float)
        counts = np.asarray(numbers(total, most=MAX_POINTS, file=file), np.float64)
        if not np.isfinite(counts).all():
            refuse(file, "spectrum.numbers", "has counts that are no numbers.", "Export it again.")
        found.append(_spectrum(signal, unit, counts, file=file))
    if not found:
        refuse(file, "spectrum.none", "holds no spectrum over energy.", "Export the spectrum as EMSA/MAS.")
    return tuple(found)


def _spectrum(signal: dict[str, Any], unit_kev: float, counts: NDArray[np.float64], /, *, file: str) -> Spectrum:
    """Counts with the axis and the words that the signal has of them."""
    (axis,) = axes_of(signal, navigating=False)
    told = words_of(signal, ("beam_energy", "live_time", "signal_type"))
    step, first = number_of(axis.get("scale")), number_of(axis.get("offset", 0.0))
    energies = unit_kev * (first + step * np.arange(counts.size, dtype=np.float64))
    if not (np.isfinite(energies).all() and step > 0):
        refuse(file, "spectrum.axis", "has an axis that does not rise.", "Export it again.")
    checked_axis(energies, "xray_energy", file=file)
    words = {}
    beam_kv, live_s = number_of(told.get("beam_energy")), number_of(told.get("live_time"))
    if beam_kv > 0:
        words["BEAMKV"] = f"{beam_kv:g}"
    kind = _TYPES.get(str(told.get("signal_type", "")).upper())
    if kind:
        words["SIGNALTYPE"] = kind
    if signal["data"].ndim > 1:
        words["sum"] = f"of {math.prod(signal['data'].shape[:-1])} places"
    return Spectrum(
        energies, counts, "xray_energy", "counts", name=Path(file).stem, file=file,
        integration_s=live_s if live_s > 0 else math.nan, words=words,
    )  # fmt: skip
