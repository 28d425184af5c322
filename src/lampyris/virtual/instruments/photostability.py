"""A virtual fluorometer under constant light: its text export for dots or dyes that bleach by a known law."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lampyris.bench.photostability import variance_trace
from lampyris.io.durable import write_text
from lampyris.probe.photophysics.bleaching import Bleaching


@dataclass(frozen=True, slots=True)
class TraceTruth:
    """What a trace is made of.

    Parameters
    ----------
    bleaching : Bleaching
        In minutes.
    electrons : float
        At the start, per reading.
    lamp_drift : float
        Standard deviation of a slow drift of the lamp, relative.
    """

    bleaching: Bleaching
    electrons: float = 1e5
    lamp_drift: float = 0.0


def write_virtual_traces(
    path: Path,
    arms: Mapping[str, tuple[TraceTruth, ...]],
    /,
    *,
    rng: np.random.Generator,
    minutes: float = 60.0,
    every_min: float = 0.5,
) -> None:
    """Write traces as CSV, a column per replicate named ``ARM NUMBER``.

    Parameters
    ----------
    path : Path
    arms : mapping of str to tuple of TraceTruth
        Replicates of each arm.
    rng : numpy.random.Generator
    minutes, every_min : float
        Length, and time between readings.
    """
    at = np.arange(0.0, minutes + every_min / 2, every_min)
    names, columns = ["Time (min)"], [at]
    for arm, replicates in arms.items():
        for number, truth in enumerate(replicates, start=1):
            walk = np.cumsum(rng.normal(0.0, 1.0, at.size)) / np.sqrt(at.size)
            expected = truth.electrons * truth.bleaching.retained(at) * (1.0 + truth.lamp_drift * walk)
            sd = np.sqrt(variance_trace(expected, electrons_per_unit=1.0, read_electrons=5.0))
            names.append(f"{arm} {number}")
            columns.append((expected + rng.normal(0.0, sd)) / 100.0)
    rows = [",".join(f"{value:.7g}" for value in row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    write_text(path, "synthetic photostability\n" + ",".join(names) + "\n" + "\n".join(rows) + "\n")
