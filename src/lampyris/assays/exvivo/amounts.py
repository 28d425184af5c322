"""What an organ's light amounts to: probe, share of the dose, share per gram, and how much of the dose the organs hold together.

Wells say how brightly the label shines in a thin clear layer; an organ's escape says what of that leaves it. Without wells, label and
lamp of study.toml stand in.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lampyris.assays.exvivo.trays import MeasuredOrgan
from lampyris.core.amounts import CalibrationLine
from lampyris.core.assays import Balance, OrganFlag, OrganResult
from lampyris.core.estimate import Estimate
from lampyris.core.settings import Instrument, ProbeSettings
from lampyris.imaging.amounts import (
    PMOL,
    WELL_REFRACTIVE_INDEX,
    WELL_RELATIVE_SD,
    percent_injected_dose,
    product,
    with_other_spread,
)
from lampyris.imaging.standards import amount_from_flux
from lampyris.probe.probe import band_fractions, photon_irradiance_per_mm2, probe_from_settings
from lampyris.statistics.intervals import normal_interval
from lampyris.statistics.thresholds import half_width

PMOL_UNIT, CELLS = "pmol", "labelled cells"


@dataclass(frozen=True, slots=True)
class Dose:
    """What an animal was given.

    Parameters
    ----------
    amount : Estimate
        In pmol or labelled cells.
    line : str
        Title of the line that it was looked up on; empty where there is none.
    on_line : Estimate
        The same, slope and stock of that line taken for exact.
    """

    amount: Estimate
    line: str
    on_line: Estimate


@dataclass(frozen=True, slots=True)
class Scale:
    """By what light becomes an amount.

    Parameters
    ----------
    unit : str
        ``pmol`` or ``labelled cells``.
    line : CalibrationLine or None
        Of wells, for this probe and camera.
    dose : Dose or None
        Of this animal, in this unit.
    """

    unit: str
    line: CalibrationLine | None
    dose: Dose | None


def organ_result(
    organ: MeasuredOrgan, group: str, file: str, scale: Scale, settings: ProbeSettings | None, instrument: Instrument, /
) -> OrganResult:
    """Turn an organ's light into an amount and its shares of the dose.

    Parameters
    ----------
    organ : MeasuredOrgan
    group, file : str
    scale : Scale
    settings : ProbeSettings or None
        Of the organ's probe; None for unlabelled animals, which have no amount.
    instrument : Instrument

    Returns
    -------
    OrganResult
    """
    level = organ.flux.level
    flags = list(organ.flags)
    amount = on_line = surface = Estimate.unknown(level, scale.unit, "unlabelled")
    if settings is not None and OrganFlag.NAME_UNSURE in organ.flags:
        amount = on_line = surface = Estimate.unknown(level, scale.unit, "name unsure")
    elif settings is not None:
        amount, on_line, surface, more = _amounts(organ, scale, settings, instrument)
        flags += more
    dose = scale.dose
    if settings is not None and dose is None:
        flags.append(str(OrganFlag.NO_DOSE))
    same_line = dose is not None and scale.line is not None and dose.line == scale.line.title
    part, whole = (on_line, dose.on_line) if dose is not None and same_line else (amount, dose.amount if dose else None)
    weighed = math.isfinite(organ.weight_g.value)
    return OrganResult(
        animal=organ.row.animal,
        organ=organ.row.organ,
        group=group,
        probe=organ.probe,
        file=file,
        place=organ.place,
        tissue=organ.tissue,
        outline_mm=organ.outline_mm,
        area_mm2=organ.area_mm2,
        y_mm=organ.y_mm,
        x_mm=organ.x_mm,
        weight_g=organ.weight_g,
        thickness_mm=organ.thickness_mm,
        flux=organ.flux,
        tray_flux=organ.tray_flux,
        escape=organ.escape,
        amount=amount,
        unit=scale.unit,
        percent_dose=_share(part, whole, None, level),
        percent_dose_per_gram=_share(part, whole, organ.weight_g if weighed else None, level, per_gram=True),
        surface_percent_dose_per_gram=_share(surface, whole, organ.weight_g if weighed else None, level, per_gram=True),
        flags=tuple(dict.fromkeys(flags)),
    )


def _share(
    part: Estimate, whole: Estimate | None, mass: Estimate | None, level: float, *, per_gram: bool = False
) -> Estimate:
    unit = "%ID/g" if per_gram else "%ID"
    if whole is None or math.isnan(part.low) or (per_gram and mass is None):
        return Estimate.unknown(level, unit, "not known")
    return percent_injected_dose(part, whole, mass_g=mass, level=level)


def _amounts(
    organ: MeasuredOrgan, scale: Scale, settings: ProbeSettings, instrument: Instrument
) -> tuple[Estimate, Estimate, Estimate, list[str]]:
    """Amount; the same with the line's slope taken for exact; the same without any absorption; flags."""
    escape = organ.escape
    if scale.line is None:
        per_unit, brightness_sd = photons_per_unit(scale.unit, settings, instrument)
        light = replace(organ.flux, unit=scale.unit, method="label and lamp as study.toml gives them")
        # a thin clear layer of the organ's own index sends out what the wells' water would
        thin = with_other_spread(light, factor=_out() / per_unit, with_=brightness_sd)
        amount = _through(thin, escape, 0.0)
        return amount, amount, thin, [str(OrganFlag.ASSUMED_BRIGHTNESS)]
    found = []
    flags: list[str] = []
    for known in (False, True):
        thin, outside = amount_from_flux(
            scale.line, organ.flux.value, organ.flux_sd, level=organ.flux.level, outside="flag", slope_known=known
        )
        if OrganFlag.SATURATED in organ.flags:
            thin = replace(thin, high=math.inf)
        found.append(thin)
        if outside:
            flags = [str(OrganFlag.OUTSIDE_LINE)]
    return (*(_through(thin, escape, WELL_RELATIVE_SD) for thin in found), found[1], flags)  # type: ignore[return-value]


def photons_per_unit(unit: str, settings: ProbeSettings, instrument: Instrument, /) -> tuple[float, float]:
    """Photons per second over the recorded bands that one unit emits under the lamp, in all directions, and its relative
    standard deviation, from study.toml alone.

    Parameters
    ----------
    unit : str
        ``pmol`` or ``labelled cells``.
    settings : ProbeSettings
    instrument : Instrument
    """
    dot = probe_from_settings("", settings)
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    share = float(band_fractions(dot, instrument.bands).sum())
    count = PMOL if unit == PMOL_UNIT else settings.per_cell
    yield_sd = settings.quantum_yield_sd / settings.quantum_yield
    spread = yield_sd if unit == PMOL_UNIT else dot.brightness_relative_sd
    return lamp * share * dot.cross_section_mm2 * dot.quantum_yield * count, spread


def _out() -> float:
    """Photons in all directions over those that leave a thin clear layer of water upwards, Lambertian as counted."""
    n = WELL_REFRACTIVE_INDEX
    return 4.0 * n**2 / (1.0 - ((n - 1.0) / (n + 1.0)) ** 2)


def _through(thin: Estimate, escape: Estimate, geometry_sd: float) -> Estimate:
    """An amount in a thin clear layer as the amount in the organ that shines so."""
    factor = 1.0 / (_out() * escape.value)
    relative = math.hypot(escape.sd / escape.value, geometry_sd)
    if thin.low > 0 or not math.isfinite(thin.value):
        out = with_other_spread(thin, factor=factor, with_=relative)
        if math.isfinite(thin.value) and math.isfinite(thin.high):
            return out
        # bounds move outwards
        z = half_width(thin.level)
        return replace(
            out, low=thin.low * factor * math.exp(-z * relative), high=thin.high * factor * math.exp(z * relative)
        )
    value, sd = product((thin.value, thin.sd), (factor, factor * relative))
    reach = (thin.high - thin.value) / thin.sd if thin.sd > 0 and math.isfinite(thin.high) else math.inf
    return replace(
        thin,
        value=value,
        sd=sd,
        low=value - reach * sd if math.isfinite(reach) else thin.low * factor,
        high=value + reach * sd,
    )


def shared_relative_sd(scale: Scale, settings: ProbeSettings, instrument: Instrument, /) -> float:
    """Relative standard deviation that all organs of an animal have in common in their shares of its dose.

    Parameters
    ----------
    scale : Scale
    settings : ProbeSettings
        Of the animal's probe.
    instrument : Instrument

    Returns
    -------
    float
        Of the dose and of the wells, whose slope cancels where the dose was read on the same line; without wells of the brightness that
        study.toml gives and of the camera's calibration.
    """
    dose, line = scale.dose, scale.line
    if line is None:
        parts = [photons_per_unit(scale.unit, settings, instrument)[1], instrument.radiance_relative_sd]
        given = dose.amount if dose is not None else None
    elif dose is not None and dose.line == line.title:
        parts, given = [WELL_RELATIVE_SD, line.between_days_relative_sd], dose.on_line
    else:
        slope_sd = line.slope.sd / line.slope.value
        parts = [WELL_RELATIVE_SD, line.between_days_relative_sd, slope_sd, line.stock_relative_sd]
        given = dose.amount if dose is not None else None
    return math.hypot(*parts, given.sd / given.value if given is not None else 0.0)


def balances(organs: Sequence[OrganResult], common: Mapping[str, float], /) -> tuple[Balance, ...]:
    """Sum of each animal's shares.

    Organs share the dose, the wells or the label's assumed brightness, and the camera; organs of one tissue share its optics. That part
    of their errors adds up, the rest in quadrature.

    Parameters
    ----------
    organs : sequence of OrganResult
    common : mapping of animal to float
        What of each organ's relative standard deviation is the same in all: `shared_relative_sd`.
    """
    found = []
    for animal in sorted({one.animal for one in organs if one.probe}):
        mine = [one for one in organs if one.animal == animal]
        held = [one for one in mine if math.isfinite(one.percent_dose.value)]
        missing = tuple(one.organ for one in mine if one not in held)
        if not held:
            continue
        level = held[0].percent_dose.level
        optics = [(one.tissue, one.escape.sd / one.escape.value) for one in held]
        found.append(
            Balance(animal, held[0].group, total([one.percent_dose for one in held], common.get(animal, 0.0), level, kinds=optics),
                    tuple(one.organ for one in held), missing, "light")
        )  # fmt: skip
    return tuple(found)


def total(
    parts: Sequence[Estimate],
    common_relative_sd: float,
    level: float,
    /,
    *,
    kinds: Sequence[tuple[str, float]] = (),
) -> Estimate:
    """Sum of shares that have a relative error in common.

    Parameters
    ----------
    parts : sequence of Estimate
        With finite values.
    common_relative_sd : float
        What of each one's relative standard deviation is the same in all.
    level : float
    kinds : sequence of (str, float), optional
        Of each part a kind, and the relative standard deviation that all of this kind share; the kind "" shares with none.

    Returns
    -------
    Estimate
        A lower bound where a part is one.
    """
    value = math.fsum(one.value for one in parts)
    variance = (common_relative_sd * value) ** 2
    shared: dict[str, float] = {}
    for index, one in enumerate(parts):
        own = max(one.sd**2 - (common_relative_sd * one.value) ** 2, 0.0)
        kind, relative = kinds[index] if kinds else ("", 0.0)
        together = min(abs(relative * one.value), math.sqrt(own)) if kind and math.isfinite(relative) else 0.0
        shared[kind] = shared.get(kind, 0.0) + together
        variance += own - together**2
    sd = math.sqrt(variance + math.fsum(one**2 for one in shared.values()))
    z = half_width(level)
    if any(math.isinf(one.high) for one in parts):
        # a saturated organ, or one beyond the line, holds at least so much
        low = math.fsum(one.low for one in parts)
        return Estimate(value, sd, min(low, value), math.inf, level, "%ID", "sum over organs, a lower bound")
    # a spread wider than the sum itself is no longer one of its logarithm
    if value > 0 and z * sd <= value:
        spread = z * sd / value
        return Estimate(value, sd, value * math.exp(-spread), value * math.exp(spread), level, "%ID", "sum over organs")
    return normal_interval(value, sd, unit="%ID", method="sum over organs", level=level)
