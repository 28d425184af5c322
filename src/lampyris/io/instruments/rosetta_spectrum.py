"""X-ray spectra of JEOL and Bruker maps and of HyperSpy, read by RosettaSciIO where it is installed; maps are summed."""

import math
from pathlib import Path

import numpy as np

from lampyris.core.instruments import Spectrum
from lampyris.io.instruments.axes import checked_axis
from lampyris.io.instruments.binary import MAX_POINTS
from lampyris.io.instruments.files import refuse
from lampyris.io.instruments.rosetta import axes_of, numbers, signals, words_of

MAX_COUNTS = 400_000_000
"""Numbers of a map that is summed to one spectrum."""
_KEV = {"kev": 1.0, "ev": 1e-3}


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
        if not unit:
            continue
        axis, data = axes[0], signal["data"]
        if data.shape[-1] > MAX_POINTS:
            refuse(file, "spectrum.too-long", f"declares {data.shape[-1]} channels.", "Export one spectrum.")
        counts = numbers(data, most=MAX_COUNTS, file=file).reshape(-1, data.shape[-1]).sum(axis=0, dtype=float)
        energies = unit * (float(axis.get("offset", 0.0)) + float(axis.get("scale", math.nan)) * np.arange(counts.size))
        checked_axis(energies, "xray_energy", file=file)
        told = words_of(signal, ("beam_energy", "live_time"))
        words = {"BEAMKV": f"{told['beam_energy']:g}"} if "beam_energy" in told else {}
        if data.ndim > 1:
            words["sum"] = f"of {math.prod(data.shape[:-1])} places"
        live_s = float(told.get("live_time", math.nan))
        name = Path(path).stem
        found.append(
            Spectrum(energies, counts, "xray_energy", "counts", name=name, file=file, integration_s=live_s, words=words)
        )
    if not found:
        refuse(file, "spectrum.none", "holds no spectrum over energy.", "Export the spectrum as EMSA/MAS.")
    return tuple(found)
