"""Injected dose, and signals as a share of it: %ID and %ID/g. Every table of such shares is made with `percent_injected_dose`.

Quantum dots do not decay, so that no time enters: a dose is what left the syringe less what stayed in the tail.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lampyris.core.amounts import Brightness, CalibrationLine, InjectedDose
from lampyris.core.constants import AVOGADRO_PER_MOL
from lampyris.core.estimate import Estimate
from lampyris.core.settings import Instrument
from lampyris.probe.probe import Probe, band_fractions, photon_irradiance_per_mm2
from lampyris.statistics.relations.lines import ratio_interval
from lampyris.statistics.thresholds import half_width

# a balance of a tenth of a milligram, read twice
WEIGHING_SD_G = 0.0002
# a dilution series by pipette
CONCENTRATION_RELATIVE_SD = 0.05
DENSITY_G_PER_ML = 1.0
# water; a well is looked into from above
WELL_REFRACTIVE_INDEX = 1.33
# what walls and bottom of a well throw back, or keep
WELL_RELATIVE_SD = 0.15
PMOL = 1e-12 * AVOGADRO_PER_MOL


@dataclass(frozen=True, slots=True)
class Injection:
    """An injection as it was weighed.

    Parameters
    ----------
    full_g, empty_g : float
        Syringe before and after.
    weighing_sd_g : float
        Of one weighing.
    density_g_per_ml : float
        Of the injected solution.
    tail_percent, tail_sd_percent : float
        Share that stayed in the tail.
    """

    full_g: float
    empty_g: float
    weighing_sd_g: float = WEIGHING_SD_G
    density_g_per_ml: float = DENSITY_G_PER_ML
    tail_percent: float = 0.0
    tail_sd_percent: float = 0.0


def injected_dose(
    animal: str, injection: Injection, concentration_pmol_per_ml: Estimate, /, *, level: float = 0.95
) -> InjectedDose:
    """Dose of one animal from the weights of its syringe.

    Parameters
    ----------
    animal : str
    injection : Injection
    concentration_pmol_per_ml : Estimate
        Of the injected solution.
    level : float
        Coverage.

    Returns
    -------
    InjectedDose
        Its standard deviation is that of a product of independent factors, exact in the first two moments.

    Raises
    ------
    ValueError
        If the syringe is not lighter after injection, or a factor is not above 0.

    Examples
    --------
    >>> known = Estimate(1000.0, 0.0, 1000.0, 1000.0, 0.95, "pmol ml-1", "given")
    >>> dose = injected_dose("m01", Injection(1.35, 1.15, tail_percent=10.0), known)
    >>> f"{dose.volume_ml.value:.3f} ml, {dose.amount.value:.1f} +- {dose.amount.sd:.2f} pmol"
    '0.200 ml, 180.0 +- 0.25 pmol'
    """
    concentration, density, tail = concentration_pmol_per_ml, injection.density_g_per_ml, injection.tail_percent
    given_g = injection.full_g - injection.empty_g
    if not injection.full_g > injection.empty_g > 0:
        raise ValueError(
            f"the syringe of {animal} weighs {injection.full_g:g} g full and {injection.empty_g:g} g empty"
        )
    if not (concentration.value > 0 and density > 0 and 0 <= tail < 100):
        raise ValueError(f"{animal}: concentration {concentration.value:g}, density {density:g}, tail {tail:g} %")
    volume = _around(given_g / density, math.sqrt(2.0) * injection.weighing_sd_g / density, level, "ml", "weights")
    in_body = (1.0 - tail / 100.0, injection.tail_sd_percent / 100.0)
    value, sd = product((volume.value, volume.sd), (concentration.value, concentration.sd), in_body)
    method = f"syringe weights, {concentration.method}" + (", tail taken off" if tail > 0 else "")
    return InjectedDose(animal, volume, _around(value, sd, level, "pmol", method), tail, method)


def product(*factors: tuple[float, float]) -> tuple[float, float]:
    """Mean and standard deviation of a product of independent numbers, each (mean, standard deviation).

    Exact: E[x]^2 E[y]^2 ... is taken from E[x^2] E[y^2] ... (Goodman 1960, doi:10.1080/01621459.1960.10483369).

    Examples
    --------
    >>> mean, sd = product((2.0, 0.2), (3.0, 0.0))
    >>> f"{mean} {sd:.1f}"
    '6.0 0.6'
    """
    mean = math.prod(value for value, _ in factors)
    square = math.prod(value**2 + sd**2 for value, sd in factors)
    # the difference of two near numbers may round below 0
    return mean, math.sqrt(max(square - mean**2, 0.0))


def dose_concentration(
    standard: Estimate, /, *, dilution: float, weight_g: float = math.nan, density_g_per_ml: float = DENSITY_G_PER_ML
) -> Estimate:
    """Concentration of the injected solution from a dose standard, measured on a calibration line.

    Parameters
    ----------
    standard : Estimate
        Amount in the standard, pmol.
    dilution : float
        How many times the solution was thinned.
    weight_g : float
        Of the thinned solution in the standard.
    density_g_per_ml : float
        Of the thinned solution.

    Returns
    -------
    Estimate
        pmol ml-1.

    Raises
    ------
    ValueError
        If weight or dilution are not above 0.
    """
    if not (weight_g > 0 and dilution > 0):
        raise ValueError(f"a dose standard needs weight and dilution above 0, got {weight_g:g} g and {dilution:g}")
    factor = dilution * density_g_per_ml / weight_g
    value, sd, low, high = (factor * part for part in (standard.value, standard.sd, standard.low, standard.high))
    return Estimate(value, sd, low, high, standard.level, "pmol ml-1", "dose standard")


def mean_of(estimates: list[Estimate], /) -> Estimate:
    """Mean of several measurements of one thing; what they share, as a line's slope, is not averaged away.

    Parameters
    ----------
    estimates : list of Estimate
        At least one.

    Returns
    -------
    Estimate
        Its relative standard deviation is the mean one, or the scatter of the measurements where that is larger.
    """
    values = np.array([one.value for one in estimates])
    mean = float(values.mean())
    sd = mean * float(np.mean([one.sd / one.value for one in estimates]))
    if values.size > 1:
        sd = max(sd, float(values.std(ddof=1)) / math.sqrt(values.size))
    return _around(mean, sd, estimates[0].level, estimates[0].unit, f"{estimates[0].method}, {values.size} measured")


def percent_injected_dose(
    sample: Estimate, dose: Estimate, /, *, mass_g: Estimate | None = None, level: float = 0.95
) -> Estimate:
    """Share of the injected dose in a sample, %ID; with a mass, %ID/g. The one place where these are computed.

    Parameters
    ----------
    sample : Estimate
        What the sample holds: pmol, or a signal. An amount without a value (outside a line's range) gives its bounds; one with
        a low end above 0 keeps its skewed interval.
    dose : Estimate
        What was injected, in the same unit (a signal: that of a dose standard times what it was thinned, on the same instrument).
    mass_g : Estimate, optional
        Mass of the sample.
    level : float
        Coverage; `sample` has this level too.

    Returns
    -------
    Estimate
        Unit ``%ID`` or ``%ID/g``. Standard deviation by the delta method.

    Raises
    ------
    ValueError
        If units differ, or dose or mass are not above 0.

    Examples
    --------
    >>> organ = Estimate(9.0, 0.45, 8.1, 9.9, 0.95, "pmol", "given")
    >>> given = Estimate(180.0, 9.0, 162.0, 198.0, 0.95, "pmol", "given")
    >>> mass = Estimate(1.25, 0.0, 1.25, 1.25, 0.95, "g", "weighed")
    >>> found = percent_injected_dose(organ, given, mass_g=mass)
    >>> f"{found.value:.2f} +- {found.sd:.2f} {found.unit}"
    '4.00 +- 0.28 %ID/g'
    """
    if sample.unit != dose.unit:
        raise ValueError(f"sample and dose differ in unit: {sample.unit} and {dose.unit}")
    if not dose.value > 0 or (mass_g is not None and not mass_g.value > 0):
        raise ValueError(
            f"dose and mass must be above 0, got {dose.value:g}" + ("" if mass_g is None else f", {mass_g.value:g}")
        )
    unit = "%ID" if mass_g is None else "%ID/g"
    whole = (dose.value, _sd(dose)) if mass_g is None else product((dose.value, _sd(dose)), (mass_g.value, _sd(mass_g)))
    scale = 100.0 / whole[0]
    spread = whole[1] / whole[0]
    z = half_width(level)
    value, low, high = scale * sample.value, scale * sample.low, scale * sample.high
    known = math.isfinite(value)
    sd = abs(value) * math.hypot(sample.sd / sample.value, spread) if known and sample.value != 0 else scale * sample.sd
    if known and low > 0:
        ends = [
            value * math.exp(s * math.hypot(math.log(end / value), z * spread)) for s, end in ((-1, low), (1, high))
        ]
        return Estimate(value, sd, ends[0], ends[1], level, unit, "ratio, on logarithms")
    if known and math.isfinite(sample.sd):
        found = ratio_interval((sample.value, sample.sd), whole, level=level)
        low, high = (min(100 * found.low, value), max(100 * found.high, value))
        # of a lower bound, as of saturated light, the upper end stays open
        high = math.inf if math.isinf(sample.high) else high
        return Estimate(value, sd, low, high, level, unit, "ratio, Fieller's interval")
    # bounds: the one that is known moves outwards by the dose's own uncertainty
    return Estimate(
        value, sd, low * math.exp(-z * spread), high * math.exp(z * spread), level, unit, "bounds over dose"
    )


def brightness_in_wells(line: CalibrationLine, probe: Probe, instrument: Instrument, /) -> Brightness:
    """Photons that one labelled cell, or one pmol, emits under the lamp: measured in wells, and assumed.

    A thin clear layer under a flat surface of water, seen from above, sends T/n^2 of its radiance out, so that a Lambertian flux F
    means F 4 n^2 / T photons per second in all directions (T: Fresnel's transmission).

    Parameters
    ----------
    line : CalibrationLine
        Of wells, in labelled cells or pmol.
    probe : Probe
    instrument : Instrument
        Its lamp shone on the wells as on the animals.

    Returns
    -------
    Brightness

    Raises
    ------
    ValueError
        If the line is of another kind or unit, or cannot be used.
    """
    units = {"labelled cells": probe.per_cell, "pmol": PMOL}
    if line.kind != "well plate" or line.unit not in units or not line.valid:
        raise ValueError(f"brightness is measured in wells of labelled cells or pmol, not by {line.title}")
    n = WELL_REFRACTIVE_INDEX
    out = 4.0 * n**2 / (1.0 - ((n - 1.0) / (n + 1.0)) ** 2)
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    share = float(band_fractions(probe, instrument.bands).sum())
    assumed = lamp * share * probe.cross_section_mm2 * probe.quantum_yield * units[line.unit]
    spread = math.hypot(line.stock_relative_sd, line.between_days_relative_sd, WELL_RELATIVE_SD)
    value, sd = product((line.slope.value, line.slope.sd), (out, out * spread))
    level = line.slope.level
    return Brightness(
        probe=probe.name,
        unit=line.unit,
        calibration=line.title,
        photons=_around(value, sd, level, f"ph s-1 per {line.unit}", "wells"),
        assumed_photons=assumed,
        ratio=_around(value / assumed, sd / assumed, level, "1", "measured over assumed"),
    )


def with_other_spread(
    amount: Estimate, /, *, factor: float = 1.0, without: float = 0.0, with_: float = 0.0, unit: str = ""
) -> Estimate:
    """An amount times a factor, one relative standard deviation in its interval exchanged for another.

    Used where a number that the amount was computed with, such as probes per cell, has since been measured, or cancels.

    Parameters
    ----------
    amount : Estimate
        With a low end above 0, else only scaled.
    factor : float
    without, with_ : float
        Relative standard deviations: the one that goes, and the one that comes.
    unit : str
        Of the result; as before by default.

    Returns
    -------
    Estimate
    """
    z = half_width(amount.level)
    value = amount.value * factor
    scaled = replace(amount, value=value, sd=amount.sd * factor, low=amount.low * factor, high=amount.high * factor)
    scaled = replace(scaled, unit=unit or amount.unit)
    if not (math.isfinite(value) and amount.low > 0 and math.isfinite(amount.high)):
        return scaled
    change = z**2 * (with_**2 - without**2)
    halves = [math.sqrt(max(math.log(end / amount.value) ** 2 + change, 0.0)) for end in (amount.low, amount.high)]
    sd = value * math.sqrt(max((amount.sd / amount.value) ** 2 + with_**2 - without**2, 0.0))
    return replace(scaled, sd=sd, low=value * math.exp(-halves[0]), high=value * math.exp(halves[1]))


def _sd(estimate: Estimate) -> float:
    return estimate.sd if math.isfinite(estimate.sd) else 0.0


def _around(value: float, sd: float, level: float, unit: str, method: str) -> Estimate:
    z = half_width(level)
    return Estimate(value, sd, value - z * sd, value + z * sd, level, unit, method)
