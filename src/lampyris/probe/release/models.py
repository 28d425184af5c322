"""Models of drug release: what share of the drug is out after a time, and what their parameters mean.

Shares are in percent of the drug that was put in, times in hours. Every model starts from nothing at time zero.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.statistics.fitting import Parameter

Array = NDArray[np.float64]
Shape = Literal["sphere", "cylinder", "film"]

EXPONENTS: dict[str, tuple[float, float]] = {"film": (0.5, 1.0), "cylinder": (0.45, 0.89), "sphere": (0.43, 0.85)}
"""Exponent of Fickian diffusion and of case II transport by shape (Ritger & Peppas 1987, doi:10.1016/0168-3659(87)90034-4)."""

EARLY_PERCENT = 60.0
"""The power laws are short-time solutions: they hold up to this share."""

# the exponents are of ideal shapes, and known to about two digits
_SLACK = 0.02


@dataclass(frozen=True, slots=True)
class ReleaseModel:
    """A model of release.

    Parameters
    ----------
    name, title : str
        Stable name, and the name that a reader knows.
    formula : str
        F in percent, t in h.
    parameters : tuple of str
        In the order in which `curve` takes them; ``total`` is held at 100 % unless a plateau is asked for.
    units : tuple of str
    early : bool
        It holds for the first 60 % only.
    curve : callable
        Times, dims (point,), and parameters, dims (parameter,), to percent released, dims (point,).
    meaning : str
        What it assumes.
    reference : str
    """

    name: str
    title: str
    formula: str
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    early: bool
    curve: Callable[[Array, Array], Array]
    meaning: str
    reference: str


def _zero_order(t: Array, p: Array) -> Array:
    return np.minimum(p[0] * t, p[1])


def _first_order(t: Array, p: Array) -> Array:
    return -p[1] * np.expm1(-p[0] * t)


def _higuchi(t: Array, p: Array) -> Array:
    return np.minimum(p[0] * np.sqrt(t), p[1])


def _korsmeyer_peppas(t: Array, p: Array) -> Array:
    return p[0] * t ** p[1]


def _peppas_sahlin(t: Array, p: Array) -> Array:
    slowed = t ** p[2]
    return p[0] * slowed + p[1] * slowed**2


def _weibull(t: Array, p: Array) -> Array:
    return -p[2] * np.expm1(-((t / p[0]) ** p[1]))


def _hixson_crowell(t: Array, p: Array) -> Array:
    return p[1] * (1.0 - np.maximum(1.0 - p[0] * t, 0.0) ** 3)


def _hopfenberg(t: Array, p: Array) -> Array:
    return p[2] * (1.0 - np.maximum(1.0 - p[0] * t, 0.0) ** p[1])


def _burst_sustained(t: Array, p: Array) -> Array:
    return -p[3] * (p[0] * np.expm1(-p[1] * t) + (1.0 - p[0]) * np.expm1(-p[2] * t))


MODELS: tuple[ReleaseModel, ...] = (
    ReleaseModel(
        "zero-order", "zero order", "F = k t, up to the total", ("k", "total"), ("%/h", "%"), False, _zero_order,
        "a constant rate until nothing is left", "Costa & Sousa Lobo 2001, Eur J Pharm Sci 13:123, doi:10.1016/S0928-0987(01)00095-1",
    ),
    ReleaseModel(
        "first-order", "first order", "F = total (1 - exp(-k t))", ("k", "total"), ("1/h", "%"), False, _first_order,
        "a rate in proportion to what is left", "Costa & Sousa Lobo 2001, doi:10.1016/S0928-0987(01)00095-1",
    ),
    ReleaseModel(
        "higuchi", "Higuchi", "F = k t^(1/2), up to the total", ("k", "total"), ("%/h^0.5", "%"), False, _higuchi,
        "Fickian diffusion out of a matrix", "Higuchi 1961, J Pharm Sci 50:874, doi:10.1002/jps.2600501018",
    ),
    ReleaseModel(
        "weibull", "Weibull", "F = total (1 - exp(-(t/tau)^shape))", ("tau", "shape", "total"), ("h", "1", "%"), False, _weibull,
        "an empirical curve: tau is when 63 % of the total is out, shape above 1 is S-shaped and below 1 steep at first",
        "Langenbucher 1972, J Pharm Pharmacol 24:979, doi:10.1111/j.2042-7158.1972.tb08930.x",
    ),
    ReleaseModel(
        "hixson-crowell", "Hixson-Crowell", "F = total (1 - (1 - k t)^3)", ("k", "total"), ("1/h", "%"), False, _hixson_crowell,
        "particles that dissolve from their surface and keep their shape", "Hixson & Crowell 1931, doi:10.1021/ie50260a018",
    ),
    ReleaseModel(
        "hopfenberg", "Hopfenberg", "F = total (1 - (1 - k t)^n)", ("k", "n", "total"), ("1/h", "1", "%"), False, _hopfenberg,
        "surface erosion: n is 1 for a film, 2 for a cylinder, 3 for a sphere, and fitted between them",
        "Hopfenberg 1976, ACS Symp Ser 33:26, doi:10.1021/bk-1976-0033.ch003",
    ),
    ReleaseModel(
        "burst-sustained", "burst plus sustained", "F = total (b (1 - exp(-kb t)) + (1 - b) (1 - exp(-ks t)))",
        ("burst", "k_burst", "k_sustained", "total"), ("1", "1/h", "1/h", "%"), False, _burst_sustained,
        "a share b that leaves quickly from the surface, the rest slowly from within",
        "two first-order pools; Costa & Sousa Lobo 2001, doi:10.1016/S0928-0987(01)00095-1",
    ),
    ReleaseModel(
        "korsmeyer-peppas", "Korsmeyer-Peppas", "F = k t^n", ("k", "n"), ("%/h^n", "1"), True, _korsmeyer_peppas,
        "an empirical power law whose exponent tells the mechanism by the shape of the carrier",
        "Korsmeyer et al. 1983, Int J Pharm 15:25, doi:10.1016/0378-5173(83)90064-9",
    ),
    ReleaseModel(
        "peppas-sahlin", "Peppas-Sahlin", "F = k_diffusion t^m + k_relaxation t^(2m)", ("k_diffusion", "k_relaxation", "m"),
        ("%/h^m", "%/h^2m", "1"), True, _peppas_sahlin,
        "diffusion and relaxation of the carrier side by side, m held at the Fickian exponent of the shape",
        "Peppas & Sahlin 1989, Int J Pharm 57:169, doi:10.1016/0378-5173(89)90306-2",
    ),
)  # fmt: skip
"""Models of the whole curve first, then those of its first 60 %."""


def model_named(name: str, /) -> ReleaseModel:
    """The model of that name.

    Raises
    ------
    KeyError
        If there is none.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise KeyError(f"there is no model {name!r}; there are {', '.join(one.name for one in MODELS)}")


def starting_parameters(
    model: ReleaseModel, time_h: Array, released: Array, /, *, plateau: bool = False, shape: Shape = "sphere"
) -> tuple[Parameter, ...]:
    """Where the search starts, from the curve itself.

    Parameters
    ----------
    model : ReleaseModel
    time_h, released : ndarray, dims (point,)
        Times above 0 and percent released.
    plateau : bool
        Fit the total in place of holding it at 100 %.
    shape : str
        Of the carrier: the exponent that Peppas-Sahlin holds.
    """
    top = float(released.max())
    total = min(max(1.05 * top, 1.0), 150.0) if plateau else 100.0
    share = np.clip(released / total, 0.01, 0.99)
    rate = float(np.median(-np.log1p(-share) / time_h))
    slope = float(np.median(np.maximum(released, 0.1) / time_h))
    root = float(np.median(np.maximum(released, 0.1) / np.sqrt(time_h)))
    burst, quick, slow = _peeled(time_h, share)
    known: dict[str, Parameter] = {
        "tau": Parameter("tau", 1.0 / rate, low=1e-9, unit="h"),
        "shape": Parameter("shape", 1.0, low=0.02, high=20.0, grid=(0.5, 2.0)),
        "burst": Parameter("burst", burst, low=0.0, high=1.0, grid=(0.4,)),
        "k_burst": Parameter("k_burst", quick, low=0.0, unit="1/h"),
        "k_sustained": Parameter("k_sustained", slow, low=0.0, unit="1/h"),
        "k_diffusion": Parameter("k_diffusion", root, unit="%/h^m", scale=root),
        "k_relaxation": Parameter("k_relaxation", 0.1 * slope, unit="%/h^2m", scale=slope),
        "m": Parameter("m", EXPONENTS[shape][0], fixed=True),
        "total": Parameter("total", total, low=0.0, high=150.0, fixed=not plateau, unit="%"),
    }
    if model.name == "hopfenberg":
        known["n"] = Parameter("n", 2.0, low=1.0, high=3.0)
        known["k"] = Parameter("k", min(0.3 * rate, 0.5 / float(time_h.max())), low=0.0, unit="1/h", grid=(0.8 * rate,))
    elif model.name == "korsmeyer-peppas":
        known["n"] = Parameter("n", 0.5, low=0.0, high=5.0)
        known["k"] = Parameter("k", root, low=0.0, unit="%/h^n")
    else:
        first = {"zero-order": slope, "higuchi": root, "hixson-crowell": 0.4 * rate}.get(model.name, rate)
        known["k"] = Parameter("k", first, low=0.0, unit=model.units[0])
    return tuple(known[name] for name in model.parameters)


def _peeled(time_h: Array, share: Array) -> tuple[float, float, float]:
    """Burst, its rate and the rate of the rest, by peeling: a line through the logarithm of what is left late, then what came first."""
    left = np.log1p(-share)
    late = time_h >= np.median(time_h)
    apart = time_h[late] - time_h[late].mean()
    slope = float((apart * left[late]).sum() / max(float((apart**2).sum()), 1e-300))
    slow = max(-slope, 1e-3 / float(time_h.max()))
    burst = min(max(1.0 - math.exp(float(left[late].mean()) + slow * float(time_h[late].mean())), 0.05), 0.9)
    first = float(time_h.min())
    seen = float(share[time_h == first].mean()) + (1.0 - burst) * math.expm1(-slow * first)
    quick = -math.log1p(-min(max(seen / burst, 0.05), 0.95)) / first
    return burst, max(quick, 3.0 * slow), slow


def exponent_meaning(low: float, high: float, /, *, shape: Shape = "sphere") -> str:
    """What an exponent of Korsmeyer-Peppas says, as far as its interval allows.

    Parameters
    ----------
    low, high : float
        Ends of the exponent's interval.
    shape : str

    Returns
    -------
    str
        ``Fickian diffusion``, ``anomalous transport``, ``case II transport``, ``less than Fickian`` (a burst, or carriers of
        several sizes), or which of them the interval leaves open.

    Examples
    --------
    >>> exponent_meaning(0.42, 0.44)
    'Fickian diffusion'
    >>> exponent_meaning(0.42, 0.60)
    'Fickian diffusion or anomalous transport: the interval does not tell'
    """
    if not math.isfinite(low + high):
        return "unknown: the exponent has no interval"
    fickian, relaxed = EXPONENTS[shape]
    found = []
    if low < fickian - _SLACK:
        found.append("less than Fickian (a burst, or carriers of several sizes)")
    if low <= fickian + _SLACK and high >= fickian - _SLACK:
        found.append("Fickian diffusion")
    if high > fickian + _SLACK and low < relaxed - _SLACK:
        found.append("anomalous transport")
    if high >= relaxed - _SLACK:
        found.append("case II transport")
    return found[0] if len(found) == 1 else f"{' or '.join(found)}: the interval does not tell"
