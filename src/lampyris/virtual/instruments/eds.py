"""A virtual energy-dispersive spectrometer: EMSA/MAS files of dots of known composition on a grid."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lampyris.bench.eds import Family, escape_share, families, fwhm_kev, k_factor
from lampyris.core.constants import FWHM_PER_SD
from lampyris.io.durable import write_text


@dataclass(frozen=True, slots=True)
class XrayTruth:
    """What the beam meets.

    Parameters
    ----------
    atoms : mapping of str to float
        Relative numbers of atoms, such as Cd 1 and Se 1.
    counts : float
        Photons of all lines together.
    continuum : float
        Photons of the continuum from 0.8 to 20 keV.
    grid_counts : float
        Photons of Cu K from the grid.
    beam_kv, fwhm_ev : float
    shift_ev, gain : float
        Of the axis: what the file says is wrong by so much.
    factor_sd : float
        Relative spread of the true k-factors about the computed ones.
    escape : float
        Photons that lose 1.74 keV to silicon's own fluorescence, over what `escape_share` says of a thick detector.
    """

    atoms: Mapping[str, float] = field(default_factory=lambda: {"Cd": 1.0, "Se": 1.0})
    counts: float = 2e4
    continuum: float = 1e4
    grid_counts: float = 4000.0
    beam_kv: float = 200.0
    fwhm_ev: float = 132.0
    shift_ev: float = 4.0
    gain: float = 1e-4
    factor_sd: float = 0.0
    escape: float = 0.0


def write_virtual_xray(
    path: Path, truth: XrayTruth, /, *, rng: np.random.Generator, channels: int = 2048
) -> dict[str, float]:
    """Write a spectrum of 10 eV per channel as EMSA/MAS; give the photons that are expected of each family by its name.

    Each photon is drawn: its line, its energy with the detector's spread, its channel. The continuum is Kramers' law behind a
    window that absorbs low energies.
    """
    photons: list[np.ndarray] = []  # type: ignore[type-arg]
    own = [one for one in families().values() if one.element in truth.atoms and 0.2 < one.main_kev < 25.0]
    rates = [truth.atoms[one.element] * _per_atom(one, truth, rng) for one in own]
    means = {one.name: truth.counts * rate / sum(rates) for one, rate in zip(own, rates, strict=True)}
    for one in own:
        photons.append(_drawn(one, means[one.name], truth, rng))
    photons.append(_drawn(families()["Cu_K"], truth.grid_counts, truth, rng))
    lines = np.concatenate(photons)
    lost = rng.random(lines.size) < truth.escape * escape_share(np.maximum(lines, 0.1))
    lines = np.where(lost, lines - 1.74, lines)
    fine = np.arange(0.15, 20.4, 0.002)
    shape = (truth.beam_kv - fine) / fine * np.exp(-((0.75 / fine) ** 3))
    # its number is told from 0.8 keV up, where spectra are fitted
    mean = truth.continuum / float(shape[fine > 0.8].sum())
    under = np.repeat(fine, rng.poisson(mean * shape))
    under = under + rng.uniform(0.0, 0.002, under.size)
    seen = np.concatenate([lines, under])
    told = seen * (1.0 + truth.gain) + truth.shift_ev / 1000.0
    counts = np.histogram(told, bins=np.arange(channels + 1) * 0.01 - 0.005)[0]
    head = [
        "#FORMAT      : EMSA/MAS Spectral Data File", "#VERSION     : 1.0", "#TITLE       : synthetic dots on a grid",
        "#OWNER       : synthetic, a virtual spectrometer", f"#NPOINTS     : {channels}.", "#NCOLUMNS    : 5", "#XUNITS      : keV",
        "#YUNITS      : counts", "#DATATYPE    : Y", "#XPERCHAN    : 0.01", "#OFFSET      : 0.0", "#SIGNALTYPE  : EDS",
        f"#BEAMKV   -kV: {truth.beam_kv:g}", "#LIVETIME  -s: 100.0", "#SPECTRUM    : Spectral Data Starts Here",
    ]  # fmt: skip
    rows = [", ".join(f"{value}." for value in counts[k : k + 5].tolist()) for k in range(0, channels, 5)]
    write_text(path, "\n".join([*head, *rows, "#ENDOFDATA   : End Of Data", ""]))
    return means | {"Cu_K": truth.grid_counts}


def _per_atom(one: Family, truth: XrayTruth, rng: np.random.Generator) -> float:
    """Photons of a family per atom, relative."""
    true = k_factor(one, truth.beam_kv)[0] * math.exp(truth.factor_sd * one.relative_sd * rng.standard_normal())
    return one.molar_mass / (true * one.main_share)


def _drawn(one: Family, mean: float, truth: XrayTruth, rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    shares = np.array(one.shares) / sum(one.shares)
    centres = rng.choice(np.array(one.energies_kev), size=rng.poisson(mean), p=shares)
    widths = fwhm_kev(centres, truth.fwhm_ev) if centres.size else np.zeros(0)
    return np.asarray(centres + rng.normal(0.0, 1.0, centres.size) * widths / FWHM_PER_SD)
