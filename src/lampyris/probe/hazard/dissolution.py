"""Ions that dots give off: layers that dissolve from outside, behind a coat that comes off by chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.constants import GAS_J_PER_MOL_K
from lampyris.core.finding import Finding
from lampyris.core.sourced import SourcedValue
from lampyris.probe.hazard.composition import substance
from lampyris.probe.refusals import outside, refuse
from lampyris.probe.structure import Structure
from lampyris.probe.tables import row_named, sourced, table_rows

REFERENCE_K, REFERENCE_PH = 310.15, 7.4
COAT_HALF_LIFE_D = 7.0
"""Time after which half of the dots have lost their coat's protection: assumed, with the factor below either way."""
COAT_FACTOR = 3.0
STEPS = 400


@dataclass(frozen=True, slots=True)
class Dissolution:
    """How fast a face of a material goes into solution.

    Parameters
    ----------
    speed_nm_per_h : SourcedValue
        At 37 C and pH 7.4, of a bare face.
    factor : float
        Its geometric standard deviation.
    activation_kj_mol : float
        Of Arrhenius' law.
    proton_order : float
        Speed goes as the concentration of hydrogen ions to this power.
    """

    speed_nm_per_h: SourcedValue
    factor: float
    activation_kj_mol: float
    proton_order: float

    def at(self, temperature_k: float, ph: float) -> float:
        """Speed in nm/h at a temperature and pH."""
        heat = self.activation_kj_mol * 1e3 / GAS_J_PER_MOL_K * (1 / REFERENCE_K - 1 / temperature_k)
        return self.speed_nm_per_h.value * math.exp(heat) * 10 ** (self.proton_order * (REFERENCE_PH - ph))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where a dot dissolves.

    Parameters
    ----------
    temperature_k, ph : float
        273-333 K; pH 3-10 (lysosomes have about 4.8).
    coat_half_life_d : float, optional
        Days after which half of the dots have lost their coat; 0 for bare dots; left out, 7 with a factor of 3 either way.
    speed_nm_per_h : float, optional
        In place of the table's for all layers at 37 C and pH 7.4, taken as known to a factor of 1.3.
    """

    temperature_k: float = REFERENCE_K
    ph: float = REFERENCE_PH
    coat_half_life_d: float | None = None
    speed_nm_per_h: float | None = None

    def faults(self) -> tuple[Finding, ...]:
        """Numbers outside of their bounds."""
        return (
            *outside(
                "temperature_k", self.temperature_k, low=273, high=333, unit="K", basis="Arrhenius' law near 37 C"
            ),
            *outside("ph", self.ph, low=3, high=10, unit="1", basis="the order in hydrogen ions was chosen for these"),
            *outside("coat_half_life_d", self.coat_half_life_d or 0, low=0, high=1e5, unit="d", basis="a time"),
            *outside("speed_nm_per_h", self.speed_nm_per_h or 0, low=0, high=1e3, unit="nm/h", basis="a speed"),
        )

    def speeds(self, laws: Sequence[Dissolution], /) -> NDArray[np.float64]:
        """Speed of each layer in nm/h, dims (layer,)."""
        given = self.speed_nm_per_h
        factors = [1.0 if given is None else given / law.speed_nm_per_h.value for law in laws]
        return np.array(
            [factor * law.at(self.temperature_k, self.ph) for factor, law in zip(factors, laws, strict=True)]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """Share of each element that has gone into solution.

    Parameters
    ----------
    hours : ndarray of float, dims (time,)
        Since injection.
    share, low, high : dict of str to ndarray of float, dims (time,)
        By element: middle, and 95 % interval from the speeds' and the coat's uncertainty.
    half_life_h : float
        Time until half of the first layer's first element is out, infinite where it is not within a million hours; of bare dots.
    """

    hours: NDArray[np.float64]
    share: dict[str, NDArray[np.float64]]
    low: dict[str, NDArray[np.float64]]
    high: dict[str, NDArray[np.float64]]
    half_life_h: float


def dissolution_law(material: str, /) -> Dissolution:
    """Speed of a material; of one without a row that of ``other``, which is assumed.

    Examples
    --------
    >>> dissolution_law("CdTe").speed_nm_per_h.mark
    'assumed'
    """
    rows = table_rows("dissolution.csv")
    row = row_named(rows, material, column="material") or row_named(rows, "other", column="material")
    assert row is not None  # the table's own row
    conditions = f"{row['material']}, 37 C, pH 7.4, dark"
    return Dissolution(
        sourced(row, "speed_nm_per_h", "nm/h", conditions=conditions),
        float(row["factor"]),
        float(row["activation_kj_mol"]),
        float(row["proton_order"]),
    )


def shrinking_share(hours: NDArray[np.float64], /, *, radius_nm: float, speed_nm_per_h: float) -> NDArray[np.float64]:
    """Dissolved share of a sphere whose radius shrinks at a constant speed: 1 - (1 - v t / r)^3.

    This is Noyes and Whitney's law far from saturation where the surface's reaction sets the pace (for a few nm diffusion is far faster);
    at first the share rises as 3 v t / r: twice the size takes twice the time.

    References
    ----------
    Noyes & Whitney (1897) J. Am. Chem. Soc. 19, 930; doi:10.1021/ja02086a003. Hixson & Crowell (1931) Ind. Eng. Chem. 23, 923.
    """
    return 1 - np.clip(1 - speed_nm_per_h * np.asarray(hours, dtype=float) / radius_nm, 0.0, 1.0) ** 3


def bare_release(
    hours: NDArray[np.float64], structure: Structure, speeds_nm_per_h: tuple[float, ...], /
) -> dict[str, NDArray[np.float64]]:
    """Dissolved share of each element of dots without a coat: the outer layer first, each at its own speed.

    Parameters
    ----------
    hours : ndarray of float, dims (time,)
        Since the dots stand bare.
    structure : Structure
        Layers of the dot.
    speeds_nm_per_h : tuple of float
        Of each layer, from the core outwards.
    """
    edges = np.cumsum([0.0, *(layer.thickness_nm for layer in structure.layers)])
    gone: dict[str, NDArray[np.float64]] = {}
    total: dict[str, float] = {}
    start = 0.0
    for number in reversed(range(len(structure.layers))):
        layer, speed = structure.layers[number], speeds_nm_per_h[number]
        inner, outer = edges[number], edges[number + 1]
        radius = np.clip(outer - speed * np.maximum(np.asarray(hours) - start, 0.0), inner, outer)
        start += (outer - inner) / speed if speed > 0 else math.inf
        known = substance(layer.material, composition=layer.composition)
        for symbol, share in known.mass_share.items():
            weight = known.density_g_cm3 * share
            gone[symbol] = gone.get(symbol, np.zeros_like(radius)) + weight * (outer**3 - radius**3)
            total[symbol] = total.get(symbol, 0.0) + weight * float(outer**3 - inner**3)
    return {symbol: gone[symbol] / total[symbol] for symbol in gone}


def released(
    structure: Structure,
    hours: NDArray[np.float64],
    /,
    *,
    conditions: Conditions | None = None,
    draws: int = 200,
    rng: np.random.Generator,
) -> Release:
    """Share of each element in solution over time, with its interval.

    A coat protects fully until it comes off, at a constant chance per time; then layers dissolve from outside.

    Parameters
    ----------
    structure : Structure
        Layers of the dot.
    hours : ndarray of float, dims (time,)
        Ascending, from 0.
    conditions : Conditions, optional
        Temperature, pH, coat and speed; left out, 37 C and pH 7.4 with the table's.
    draws : int
        For the interval.
    rng : numpy.random.Generator
        Draws speeds and half-lives.

    Raises
    ------
    InputError
        If a number is outside of its bounds.
    """
    hours = np.asarray(hours, dtype=float)
    at = conditions or Conditions()
    long = "beyond ten years no such dot was watched"
    ends = (float(hours.min(initial=0)), float(hours.max(initial=0)))
    late = tuple(fault for hour in ends for fault in outside("hours", hour, low=0, high=1e5, unit="h", basis=long))
    refuse((*late, *at.faults()), what="The dissolution")
    laws = [dissolution_law(layer.material) for layer in structure.layers]
    speeds = at.speeds(laws)
    spread = np.log([law.factor if at.speed_nm_per_h is None else 1.3 for law in laws])
    half_life = 24 * (COAT_HALF_LIFE_D if at.coat_half_life_d is None else at.coat_half_life_d)
    half_spread = math.log(COAT_FACTOR if at.coat_half_life_d is None else 1.3)
    middle = _behind_coat(hours, structure, tuple(speeds), half_life)
    # layers of one dot share the medium, so their speeds err together
    drawn = [
        _behind_coat(
            hours, structure, tuple(speeds * np.exp(common * spread)), half_life * math.exp(other * half_spread)
        )
        for common, other in rng.standard_normal((draws, 2))
    ]
    low, high = {}, {}
    for symbol, share in middle.items():
        bounds = np.quantile([one[symbol] for one in drawn], [0.025, 0.975], axis=0)
        low[symbol], high[symbol] = np.minimum(bounds[0], share), np.maximum(bounds[1], share)
    return Release(hours, middle, low, high, _half_life(structure, tuple(speeds)))


def _behind_coat(
    hours: NDArray[np.float64], structure: Structure, speeds: tuple[float, ...], half_life_h: float
) -> dict[str, NDArray[np.float64]]:
    """Mean over dots whose coats come off at exponential times: the bare curve averaged over those times."""
    if half_life_h == 0:
        return bare_release(hours, structure, speeds)
    # equal shares of the dots, each at the middle of its share
    when = -half_life_h / math.log(2) * np.log1p(-(np.arange(STEPS) + 0.5) / STEPS)
    since = np.maximum(hours[:, None] - when[None, :], 0.0)
    curves = bare_release(since.ravel(), structure, speeds)
    return {symbol: curve.reshape(since.shape).mean(axis=1) for symbol, curve in curves.items()}


def _half_life(structure: Structure, speeds: tuple[float, ...]) -> float:
    first = next(iter(substance(structure.layers[0].material, composition=structure.layers[0].composition).mass_share))
    hours = np.concatenate([[0.0], np.geomspace(1e-3, 1e6, 2000)])
    share = bare_release(hours, structure, speeds)[first]
    return float(np.interp(0.5, share, hours)) if share[-1] >= 0.5 else math.inf
