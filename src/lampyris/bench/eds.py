"""X-ray spectra: families of lines over a continuum by Poisson likelihood, and composition by Cliff and Lorimer's factors."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.tables import table_rows
from lampyris.core.constants import FWHM_PER_SD
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_poisson

Array = NDArray[np.float64]
MN_KA_KEV = 5.895
_FANO_KEV = 2.5e-3
# share of the absorption above silicon's edge that is of its K shell: 1 - 1/11, of the table's values on either side
_ABOVE_EDGE = 0.91
_DEGREE = 4
_MANY = 12
# of Bethe's cross-section: Powell 1976, constants for K and, less certain, for L and M
_BETHE = {"K": (0.90, 0.65), "L": (0.75, 0.60), "M": (0.75, 0.60)}


@dataclass(frozen=True, slots=True)
class Family:
    """Lines of one shell of an element.

    Parameters
    ----------
    element, shell : str
    energies_kev, shares : tuple of float
        Of its lines; shares are of all photons of the family.
    main : str
        Its main line, such as ``Ka``.
    main_kev, main_share : float
    edge_kev, electrons, photons_per_vacancy : float
        Of the main line's level.
    molar_mass, relative_sd : float
        g/mol; of a computed k-factor.
    """

    element: str
    shell: str
    energies_kev: tuple[float, ...]
    shares: tuple[float, ...]
    main: str
    main_kev: float
    main_share: float
    edge_kev: float
    electrons: float
    photons_per_vacancy: float
    molar_mass: float
    relative_sd: float

    @property
    def name(self) -> str:
        """Such as ``Cd_L``."""
        return f"{self.element}_{self.shell}"


@lru_cache(maxsize=1)
def families() -> Mapping[str, Family]:
    """Every family of the tables by its name."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in table_rows("xray_lines.csv"):
        lines.setdefault(f"{row['element']}_{row['family']}", []).append(
            (float(row["energy_kev"]), float(row["share"]))
        )
    found = {}
    for row in table_rows("xray_families.csv"):
        name = f"{row['element']}_{row['family']}"
        own = lines[name]
        numbers = (float(row[key]) for key in ("main_share", "edge_kev", "electrons", "photons_per_vacancy",
                                               "molar_mass_g_mol", "relative_sd"))  # fmt: skip
        found[name] = Family(
            row["element"], row["family"], tuple(e for e, _ in own), tuple(s for _, s in own), row["main"],
            max(own, key=lambda one: one[1])[0], *numbers,
        )  # fmt: skip
    return found


def families_in(elements: Sequence[str], /, *, low_kev: float, high_kev: float, beam_kv: float) -> tuple[Family, ...]:
    """Families of elements whose main line lies within a range and whose edge the beam excites well."""
    return tuple(
        one
        for one in families().values()
        if one.element in elements and low_kev + 0.05 < one.main_kev < high_kev - 0.1 and one.edge_kev < 0.8 * beam_kv
    )


def fwhm_kev(energy_kev: Array | float, mn_ka_ev: float, /) -> Array:
    """Width of a line in a silicon detector whose width at Mn Ka is known: noise, and Fano's spread of charges.

    Examples
    --------
    >>> float(fwhm_kev(5.895, 130.0))
    0.13

    References
    ----------
    Fiori and Newbury, Scanning Electron Microscopy 1978/I, 401: 2.5 eV per eV.
    """
    energy = np.asarray(energy_kev, np.float64)
    return np.sqrt(np.maximum(_FANO_KEV * (energy - MN_KA_KEV) + (mn_ka_ev / 1000.0) ** 2, 1e-6))


def predict_family(edges_kev: Array, family: Family, mn_ka_ev: float, /) -> Array:
    """Share of a family's photons in each channel, dims (channel,); `edges_kev` has one more."""
    return _lines(edges_kev, np.array(family.energies_kev), np.array(family.shares), mn_ka_ev)


def predict_escape(edges_kev: Array, family: Family, mn_ka_ev: float, /) -> Array:
    """What escape changes per photon of a family, dims (channel,): missing in its line, it stands below by silicon's own photon."""
    silicon = families()["Si_K"]
    centres, shares = np.array(family.energies_kev), np.array(family.shares)
    able = centres > silicon.edge_kev
    if not able.any():
        return np.zeros(edges_kev.size - 1)
    centres, shares = centres[able], shares[able] * escape_share(centres[able])
    return _lines(edges_kev, centres - silicon.main_kev, shares, mn_ka_ev) - _lines(
        edges_kev, centres, shares, mn_ka_ev
    )


def escape_share(energy_kev: Array | float, /) -> Array:
    """Share of photons after which silicon's own fluorescence leaves a thick detector of silicon through its front.

    Examples
    --------
    >>> escape_share(np.array([3.13, 11.2])).round(4)
    array([0.0086, 0.0005])

    References
    ----------
    Reed and Ware, J. Phys. E 5, 582 (1972), DOI 10.1088/0022-3735/5/6/029, written down from memory: for rays upright to the front.
    Absorption is that of the table, in straight lines of logarithms.
    """
    energy = np.asarray(energy_kev, np.float64)
    silicon = families()["Si_K"]
    ratio = np.exp(np.interp(np.log(energy), *_silicon()))
    share = 0.5 * silicon.photons_per_vacancy * _ABOVE_EDGE * (1.0 - np.log1p(ratio) / ratio)
    return np.where(energy > silicon.edge_kev, share, 0.0)


@lru_cache(maxsize=1)
def _silicon() -> tuple[Array, Array]:
    """Logarithms of energies above silicon's edge, and of its absorption there over that of its own fluorescence."""
    silicon = families()["Si_K"]
    row = next(one for one in table_rows("xray_absorption.csv") if one["element"] == "Si")
    own = float(row[silicon.name])
    known = [(one.main_kev, float(row[one.name]) / own) for one in families().values()]
    at, ratio = np.log(np.array(sorted(one for one in known if one[0] > silicon.edge_kev))).T
    return at, ratio


def _lines(edges_kev: Array, centres: Array, shares: Array, mn_ka_ev: float) -> Array:
    from scipy.special import ndtr

    sd = fwhm_kev(centres, mn_ka_ev) / FWHM_PER_SD
    ends = np.searchsorted(edges_kev, [float((centres - 7 * sd).min()), float((centres + 7 * sd).max())])
    out = np.zeros(edges_kev.size - 1)
    first, last = max(int(ends[0]) - 1, 0), min(int(ends[1]) + 1, out.size)
    if last > first:
        steps = np.diff(ndtr((edges_kev[first : last + 1, None] - centres) / sd), axis=0)
        out[first:last] = steps @ shares
    return out


def _continuum(kramers: Array, basis: Array, bends: Array) -> Array:
    """Continuum per channel: Kramers' law times the exponential of a polynomial, which stands for window and absorption.

    `bends` are coefficients of Chebyshev's polynomials in the logarithm of the energy. Kramers, Phil. Mag. 46, 836 (1923),
    DOI 10.1080/14786442308565244.
    """
    return np.asarray(kramers * np.exp(np.clip(basis @ bends, -60.0, 60.0)))


def _kramers(energy_kev: Array, beam_kv: float) -> Array:
    return np.asarray(np.maximum(beam_kv - energy_kev, 1e-3 * beam_kv) / energy_kev)


def _basis(energy_kev: Array) -> Array:
    u = np.log(energy_kev)
    u = 2.0 * (u - u[0]) / (u[-1] - u[0]) - 1.0
    return np.asarray(np.polynomial.chebyshev.chebvander(u, _DEGREE), np.float64)


def variance_counts(expected: Array, /) -> Array:
    """Variance of counts: that of Poisson."""
    return np.asarray(expected, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumFit:
    """Lines fitted to an X-ray spectrum.

    Parameters
    ----------
    families : tuple of Family
        Those that were kept.
    fit : Fit
        Parameters: counts of each family, then the continuum's, escape over `escape_share`, shift, gain and width.
    expected, continuum : numpy.ndarray, dims (channel,)
    counts : mapping
        Photons of each family by its name.
    correlation, trade : numpy.ndarray, dims (family, family)
        Of the counts; and were the escape known, which moves all of them together.
    """

    families: tuple[Family, ...]
    fit: Fit
    expected: Array
    continuum: Array
    counts: Mapping[str, Estimate]
    correlation: Array
    trade: Array


def infer_lines(
    energy_kev: Array,
    counts: Array,
    tried: Sequence[Family],
    /,
    *,
    beam_kv: float,
    mn_ka_ev: float = 130.0,
    significance: float = 5.0,
    keep_all: bool = False,
) -> SpectrumFit:
    """Photons of each family by Poisson likelihood; families without significant counts are taken out, and fitted again.

    Parameters
    ----------
    energy_kev, counts : numpy.ndarray, dims (channel,)
        Even and rising, above 0.
    tried : sequence of Family
    beam_kv, mn_ka_ev : float
    significance : float
    keep_all : bool
        Keep families that are not significant too.

    Returns
    -------
    SpectrumFit

    Raises
    ------
    ValueError
        If channels or counts are too few.
    """
    if energy_kev.size < 50 or not counts.sum() > 100:
        raise ValueError(
            f"{energy_kev.size} channels with {counts.sum():.0f} counts are too few; 50 and 100 are needed"
        )
    own = tuple(tried)
    if len(own) > _MANY and not keep_all:
        # non-negative least squares leaves most of many families at no count at all
        areas = _start(energy_kev, counts, *_parts(energy_kev, own, beam_kv, mn_ka_ev))[0]
        own = tuple(one for one, area in zip(own, areas, strict=True) if area > 0)
    for restored in (False, True):
        while True:
            found = _fitted(energy_kev, counts, own, beam_kv, mn_ka_ev)
            weak = set() if keep_all else _weak(found, significance)
            if not weak:
                break
            own = tuple(one for one in own if one.name not in weak)
        # among many overlapping families one may fall out whose element stays: it gets another chance
        there = {one.element for one in own}
        again = tuple(one for one in tried if one.element in there)
        if restored or keep_all or again == own:
            break
        own = again
    return found


def _weak(found: SpectrumFit, significance: float) -> set[str]:
    """Families to take out: those of no count, else the least significant element's."""
    told = {}
    for one in found.families:
        estimate = found.counts[one.name]
        known = estimate.sd > 0 and math.isfinite(estimate.sd)
        told[one.name] = estimate.value / estimate.sd if known else 0.0
    none = {name for name, z in told.items() if z < 1.0}
    if none:
        return none
    best: dict[str, float] = {}
    for one in found.families:
        best[one.element] = max(best.get(one.element, 0.0), told[one.name])
    if not best:
        return set()
    least = min(best, key=lambda element: best[element])
    return {one.name for one in found.families if one.element == least} if best[least] < significance else set()


def _edges(energy_kev: Array, shift: float, gain: float) -> Array:
    step = (energy_kev[-1] - energy_kev[0]) / (energy_kev.size - 1)
    edges = np.concatenate([[energy_kev[0] - step / 2.0], energy_kev + step / 2.0])
    return np.asarray((edges - shift) / (1.0 + gain), np.float64)


def _templates(
    energy_kev: Array, own: Sequence[Family], shift: float, gain: float, width: float
) -> tuple[Array, Array]:
    """Lines of each family, and what escape changes of them, dims (channel, family)."""
    edges = _edges(energy_kev, shift, gain)
    shape = len(own), energy_kev.size
    lines = np.array([predict_family(edges, one, width) for one in own]).reshape(shape).T
    return lines, np.array([predict_escape(edges, one, width) for one in own]).reshape(shape).T


def _parts(energy_kev: Array, own: Sequence[Family], beam_kv: float, mn_ka_ev: float) -> tuple[Array, Array, Array]:
    """Lines where the file says, bends and Kramers' law of the continuum."""
    return _templates(energy_kev, own, 0.0, 0.0, mn_ka_ev)[0], _basis(energy_kev), _kramers(energy_kev, beam_kv)


def _fitted(energy_kev: Array, counts: Array, own: tuple[Family, ...], beam_kv: float, mn_ka_ev: float) -> SpectrumFit:
    n = len(own)
    lines, basis, kramers = _parts(energy_kev, own, beam_kv, mn_ka_ev)
    areas, bends = _start(energy_kev, counts, lines, basis, kramers)
    last: dict[tuple[float, ...], tuple[Array, Array]] = {}

    def parts(p: Array) -> tuple[Array, Array]:
        key = tuple(p[-3:].tolist())
        if key not in last:
            if len(last) > 8:
                last.clear()
            last[key] = _templates(energy_kev, own, key[0] / 1000.0, key[1] / 1000.0, key[2])
        return last[key]

    def templates(p: Array) -> Array:
        lines, escape = parts(p)
        return lines + p[-4] * escape

    def continuum(p: Array) -> Array:
        return _continuum(kramers, basis, p[n : n + _DEGREE + 1])

    def model(p: Array) -> Array:
        return templates(p) @ p[:n] + continuum(p) + 1e-9

    able = any(one.main_kev > families()["Si_K"].edge_kev for one in own)
    parameters = [
        *(Parameter(one.name, max(a, 1.0), 0.0, scale=math.sqrt(a + 10.0)) for one, a in zip(own, areas, strict=True)),
        *(Parameter(f"bend_{k}", float(b), scale=0.05) for k, b in enumerate(bends)),
        Parameter("escape", 0.5, -2.0, 4.0, scale=0.2, fixed=not able),
        Parameter("shift_ev", 0.0, -40.0, 40.0, unit="eV", scale=0.5),
        Parameter("gain_per_thousand", 0.0, -10.0, 10.0, scale=0.1),
        Parameter("mn_ka_ev", mn_ka_ev, 50.0, 300.0, unit="eV", scale=0.5),
    ]
    if not n:
        parameters = [*parameters[: _DEGREE + 1], *(replace(one, fixed=True) for one in parameters[_DEGREE + 1 :])]
    data = DataSet(model, counts, jacobian=_slopes(templates, parts, continuum, basis, n))
    fit = fit_poisson(data, parameters)
    values = fit.values
    covariance = fit.covariance[:n, :n]
    with_escape, escape = fit.covariance[:n, -4], float(fit.covariance[-4, -4])
    known = covariance - np.outer(with_escape, with_escape) / escape if escape > 0 else covariance
    return SpectrumFit(
        own,
        fit,
        model(values),
        continuum(values),
        {one.name: fit[one.name] for one in own},
        _correlation(covariance),
        _correlation(known),
    )


def _correlation(covariance: Array) -> Array:
    sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return np.asarray(covariance / np.outer(sd, sd))


def _slopes(
    templates: Callable[[Array], Array], parts: Callable[[Array], tuple[Array, Array]], continuum: Callable[[Array], Array],
    basis: Array, n: int,
) -> Callable[[Array], Array]:  # fmt: skip
    steps = (0.05, 0.01, 0.05)

    def of(p: Array) -> Array:
        columns = [templates(p), continuum(p)[:, None] * basis, (parts(p)[1] @ p[:n])[:, None]]
        for k, step in zip((-3, -2, -1), steps, strict=True):
            up, down = p.copy(), p.copy()
            up[k] += step
            down[k] -= step
            columns.append(((templates(up) - templates(down)) @ p[:n] / (2.0 * step))[:, None])
        return np.concatenate(columns, axis=1)

    return of


def _start(energy_kev: Array, counts: Array, lines: Array, basis: Array, kramers: Array) -> tuple[list[float], Array]:
    """Counts of the families and bends of the continuum where the fit begins."""
    from scipy.optimize import nnls

    free = lines.sum(axis=1) < 0.02 * max(float(lines.max()), 1e-9) if lines.size else np.ones(energy_kev.size, bool)
    if free.sum() < 4 * (_DEGREE + 1):
        free = np.ones(energy_kev.size, bool)
    smooth = np.convolve(counts, np.ones(9) / 9.0, mode="same")
    weights = np.sqrt(np.maximum(smooth[free], 0.3))
    level = np.log(np.maximum(smooth[free], 0.1) / kramers[free])
    bends = np.linalg.lstsq(basis[free] * weights[:, None], level * weights, rcond=None)[0]
    if not lines.size:
        return [], bends
    under = _continuum(kramers, basis, bends)
    sd = np.sqrt(np.maximum(smooth, 1.0))
    areas, _ = nnls(lines / sd[:, None], (counts - np.minimum(under, smooth)) / sd)
    return areas.tolist(), bends


def bethe(family: Family, beam_kv: float, /) -> float:
    """Relative cross-section for a vacancy in the main line's level (Bethe, with constants of Powell).

    References
    ----------
    Powell, Rev. Mod. Phys. 48, 33 (1976), DOI 10.1103/RevModPhys.48.33.
    """
    b, c = _BETHE[family.shell]
    over = c * beam_kv / family.edge_kev
    return family.electrons * b * math.log(max(over, 1.05)) / (beam_kv * family.edge_kev)


def k_factor(family: Family, beam_kv: float, /) -> tuple[float, float]:
    """Cliff-Lorimer factor of a family's main line to Si Ka, by weight, and its standard uncertainty; computed.

    Examples
    --------
    >>> k_factor(families()["Si_K"], 200.0)[0]
    1.0

    References
    ----------
    Cliff and Lorimer, J. Microsc. 103, 203 (1975), DOI 10.1111/j.1365-2818.1975.tb03895.x.
    """
    silicon = families()["Si_K"]

    def photons(one: Family) -> float:
        return bethe(one, beam_kv) * one.photons_per_vacancy / one.molar_mass

    value = photons(silicon) / photons(family)
    return value, family.relative_sd * value


def quantified(kept: Sequence[Family], /) -> dict[str, Family]:
    """Family by which each element is quantified: K where its line lies from 1 to 16 keV, then L, then M, then what there is."""
    chosen: dict[str, Family] = {}
    for one in kept:
        had = chosen.get(one.element)
        if had is None or _rank(one) < _rank(had):
            chosen[one.element] = one
    return chosen


def _rank(one: Family) -> tuple[bool, str]:
    return (not 1.0 <= one.main_kev <= 16.0, one.shell)


@dataclass(frozen=True, slots=True)
class Composition:
    """Composition of what counts.

    Parameters
    ----------
    atomic_percent, weight_percent : mapping of str to Estimate
        By element.
    """

    atomic_percent: Mapping[str, Estimate]
    weight_percent: Mapping[str, Estimate]


def infer_composition(
    found: SpectrumFit,
    chosen: Mapping[str, Family],
    factors: Mapping[str, tuple[float, float]],
    /,
    *,
    mass_thickness_g_cm2: float = 0.0,
    takeoff_deg: float = 20.0,
    level: float = 0.95,
) -> Composition:
    """Atomic and weight percent from ratios of counts, with the errors of counts and factors.

    Parameters
    ----------
    found : SpectrumFit
    chosen : mapping
        Family of each element that counts.
    factors : mapping
        Cliff-Lorimer factor of each family by name, and its standard uncertainty.
    mass_thickness_g_cm2, takeoff_deg : float
        Of the sample for its own absorption; none where 0.
    level : float

    Returns
    -------
    Composition
        Intervals on the scale of the log odds, so that they stay within 0 and 100.
    """
    from scipy.special import ndtri

    elements = list(chosen)
    counts = np.array([found.counts[chosen[e].name].value * chosen[e].main_share for e in elements])
    factor = np.array([factors[chosen[e].name][0] for e in elements])
    places = [found.families.index(chosen[e]) for e in elements]
    relative = np.array([found.counts[chosen[e].name].sd / found.counts[chosen[e].name].value for e in elements])
    spread = found.correlation[np.ix_(places, places)] * np.outer(relative, relative)
    spread = spread + np.diag([(factors[chosen[e].name][1] / factors[chosen[e].name][0]) ** 2 for e in elements])
    mass = np.array([chosen[e].molar_mass for e in elements])
    weights = factor * counts / float((factor * counts).sum())
    for _ in range(20 if mass_thickness_g_cm2 > 0 else 0):
        own = absorbed([chosen[e] for e in elements], weights, mass_thickness_g_cm2, takeoff_deg)
        weights = factor * counts * own
        weights = weights / weights.sum()
    atoms = weights / mass / float((weights / mass).sum())
    q = float(ndtri(0.5 + level / 2.0))
    return Composition(
        {e: _percent(atoms, spread, k, q, level) for k, e in enumerate(elements)},
        {e: _percent(weights, spread, k, q, level) for k, e in enumerate(elements)},
    )


def _percent(share: Array, spread: Array, k: int, q: float, level: float) -> Estimate:
    value = float(share[k])
    slope = -value * share
    slope[k] += value
    sd = math.sqrt(max(float(slope @ spread @ slope), 0.0))
    words = "Cliff-Lorimer, errors of counts and factors, log odds"
    if not 0 < value < 1:
        return Estimate(100.0 * value, 0.0, 100.0 * value, 100.0 * value, level, "%", "the only element that counts")
    odds, reach = math.log(value / (1.0 - value)), q * sd / (value * (1.0 - value))
    low, high = (1.0 / (1.0 + math.exp(-(odds + side * reach))) for side in (-1.0, 1.0))
    return Estimate(100.0 * value, 100.0 * sd, 100.0 * low, 100.0 * high, level, "%", words)


def absorbed(chosen: Sequence[Family], weights: Array, mass_thickness_g_cm2: float, takeoff_deg: float, /) -> Array:
    """Factor by which each family's counts are too few since the sample absorbs them, dims (family,); a flat film.

    References
    ----------
    Goldstein, Costley, Lorimer and Reed, Scanning Electron Microscopy 1977/I, 315.
    """
    rows = {row["element"]: row for row in table_rows("xray_absorption.csv")}
    out = []
    for one in chosen:
        mass = sum(w * float(rows[other.element][one.name]) for w, other in zip(weights, chosen, strict=True))
        depth = mass * mass_thickness_g_cm2 / math.sin(math.radians(takeoff_deg))
        out.append(depth / -math.expm1(-depth) if depth > 1e-9 else 1.0)
    return np.array(out)


def detection_limit(energy_kev: Array, found: SpectrumFit, family: Family, mn_ka_ev: float, /) -> float:
    """Photons of a family that would be found in 95 of 100 spectra, by Currie: 2.71 + 4.65 B^1/2 of the main line's window.

    Parameters
    ----------
    energy_kev : numpy.ndarray, dims (channel,)
    found : SpectrumFit
        Whose expected counts, but for the family's own, are what lies under it.
    family : Family
    mn_ka_ev : float

    References
    ----------
    Currie, Anal. Chem. 40, 586 (1968), DOI 10.1021/ac60259a007: paired observations.
    """
    shape = predict_family(_edges(energy_kev, 0.0, 0.0), family, mn_ka_ev)
    window = np.abs(energy_kev - family.main_kev) <= float(fwhm_kev(family.main_kev, mn_ka_ev))
    under = found.expected - (found.counts[family.name].value * shape if family.name in found.counts else 0.0)
    share = max(float(shape[window].sum()), 1e-6)
    return (2.71 + 4.65 * math.sqrt(max(float(under[window].sum()), 0.0))) / share
