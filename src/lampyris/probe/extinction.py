"""Molar extinction of dots by material and size, guarded to what was measured, and the concentration that follows."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from lampyris.core.constants import AVOGADRO_PER_MOL, EV_NM, FWHM_PER_SD
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.core.sourced import SourcedValue
from lampyris.probe.materials import pooled
from lampyris.probe.probe import cross_section_mm2
from lampyris.probe.propagation import Uncertain, propagated, sd_of, value_of
from lampyris.probe.refusals import known, refusal, within
from lampyris.probe.spectra.spectrum import Continuum, assumed_continuum
from lampyris.probe.tables import table_rows
from lampyris.statistics.intervals import normal_interval
from lampyris.statistics.relations.lines import ratio_interval

# wavelengths in nm that are taken for the same one
_SAME_NM = 1.0
# relative change of a diameter by which the slope of the extinction is taken
_SIZE_STEP = 1e-3
_RULE = "probe.no-extinction"


@dataclass(frozen=True, slots=True)
class ExtinctionSource:
    """One published rule.

    Parameters
    ----------
    material : str
    wavelength_nm : float
        NaN at the first exciton.
    low_nm, high_nm : float
        Diameters for which it holds.
    needs_exciton : bool
        The rule is in the first exciton's energy and width, not in the diameter.
    source, mark, conditions : str
    row : dict
        As the table has it.
    """

    material: str
    wavelength_nm: float
    low_nm: float
    high_nm: float
    needs_exciton: bool
    source: str
    mark: str
    conditions: str
    row: dict[str, str]


def extinction_sources(material: str | None = None, /) -> tuple[ExtinctionSource, ...]:
    """Published rules of a material, or of all.

    Raises
    ------
    InputError
        If the table has none of the material; the finding lists those that it has.
    """
    rows = table_rows("extinction.csv")
    if material is not None:
        name = known("material", material, {row["material"] for row in rows}, rule=_RULE)
        rows = tuple(row for row in rows if row["material"] == name)
    return tuple(
        ExtinctionSource(
            material=row["material"],
            wavelength_nm=float(row["wavelength_nm"] or "nan"),
            low_nm=float(row["low_nm"]),
            high_nm=float(row["high_nm"]),
            needs_exciton=row["form"] == "molar-hwhm",
            source=row["source"],
            mark=row["mark"],
            conditions=row["conditions"],
            row=row,
        )
        for row in rows
    )


def molar_extinction(
    material: str,
    diameter_nm: float,
    /,
    *,
    wavelength_nm: float | None = None,
    first_exciton_ev: float | None = None,
    hwhm_ev: float = 0.06,
) -> Estimate:
    """Molar extinction (decadic) of a dot at its first exciton, or at a wavelength for which a source gives it.

    Parameters
    ----------
    material : str
        Of the core; the diameter is the core's, without shell.
    diameter_nm : float
    wavelength_nm : float, optional
        As a source has it (350 for CdSe, 400 for PbS and PbSe, 449.2 for InAs); at the first exciton otherwise.
    first_exciton_ev : float, optional
        Brings in the rule for CdSe that is in this energy.
    hwhm_ev : float
        Half width at half maximum of the first peak, on its red side: the peak's height goes as its inverse, for the rule that
        says so.

    Returns
    -------
    Estimate
        In 1/(M cm). Sources that disagree widen it.

    Raises
    ------
    InputError
        If no source covers the material, wavelength and diameter: nothing is extrapolated.

    References
    ----------
    W. W. Yu et al., Chem. Mater. 15, 2854 (2003), doi:10.1021/cm034081k. C. A. Leatherdale et al., J. Phys. Chem. B 106, 7619
    (2002), doi:10.1021/jp025698c. I. Moreels et al., ACS Nano 3, 3023 (2009), doi:10.1021/nn900863a.

    Examples
    --------
    >>> found = molar_extinction("CdTe", 4.0)
    >>> f"{found.value:.3g} {found.unit}"
    '1.9e+05 1/(M cm)'
    """
    own = _at(extinction_sources(material), wavelength_nm)
    within("hwhm_ev", hwhm_ev, 0.001, 0.5, unit="eV")
    if first_exciton_ev is None:
        own = tuple(one for one in own if not one.needs_exciton) or own
    size = _within_range(own, diameter_nm)
    held = tuple(one for one in own if one.low_nm <= size <= one.high_nm)
    values = [_by_source(one, size, first_exciton_ev, hwhm_ev) for one in held]
    found = pooled(values)
    return normal_interval(found.value, found.sd, unit=found.unit, method=f"extinction from {found.method}", low=0.0)


def _at(sources: tuple[ExtinctionSource, ...], wavelength_nm: float | None) -> tuple[ExtinctionSource, ...]:
    """Sources at the first exciton, or at the wavelength."""
    if wavelength_nm is None:
        found = tuple(one for one in sources if math.isnan(one.wavelength_nm))
    else:
        asked = within("wavelength_nm", wavelength_nm, 50.0, 20_000.0, unit="nm")
        found = tuple(one for one in sources if abs(one.wavelength_nm - asked) <= _SAME_NM)
    if not found:
        places = sorted(
            {"the first exciton" if math.isnan(one.wavelength_nm) else f"{one.wavelength_nm:g} nm" for one in sources}
        )
        where = "its first exciton" if wavelength_nm is None else f"{wavelength_nm:g} nm"
        seen = f"no source gives the extinction of {sources[0].material} at {where}."
        raise refusal(_RULE, "wavelength_nm", seen, f"Sources have it at {', '.join(places)}.")
    return found


def _within_range(sources: tuple[ExtinctionSource, ...], diameter_nm: float) -> float:
    low, high = min(one.low_nm for one in sources), max(one.high_nm for one in sources)
    because = f"range of {'; '.join(sorted({one.source for one in sources}))}"
    return within("diameter_nm", diameter_nm, low, high, unit="nm", because=because)


def _by_source(
    one: ExtinctionSource, diameter_nm: float, first_exciton_ev: float | None, hwhm_ev: float
) -> SourcedValue:
    row = one.row
    coefficient = float(row["coefficient"])
    match row["form"]:
        case "molar":
            value = coefficient * diameter_nm ** float(row["exponent"])
        case "molar-hwhm":
            if first_exciton_ev is None:
                seen = f"the rule for {one.material} is in the energy of the first exciton."
                raise refusal(_RULE, "first_exciton_ev", seen, "Give first_exciton_ev.")
            energy = within("first_exciton_ev", first_exciton_ev, 1.7, 3.0, unit="eV", because=f"sizes of {one.source}")
            value = coefficient + float(row["coefficient_2"]) * math.exp(-energy / float(row["scale_ev"]))
            value *= float(row["hwhm_ev"]) / hwhm_ev
        case form:
            per_nm = 1.0 if form == "area-nm" else 1e-7
            area_cm2 = coefficient * (diameter_nm / 2 * per_nm) ** float(row["exponent"])
            value = area_cm2 * AVOGADRO_PER_MOL / (1000.0 * math.log(10.0))
    return SourcedValue(value, value * float(row["relative_sd"]), "1/(M cm)", one.conditions, one.source, one.mark)


def cross_section_cm2(molar_extinction_per_m_cm: Uncertain, /) -> Estimate:
    """Absorption cross-section, ``2303 epsilon / N_A`` (2302.585 unrounded).

    Examples
    --------
    >>> f"{cross_section_cm2(1e5).value:.3e}"
    '3.824e-16'
    """
    within("molar_extinction", value_of(molar_extinction_per_m_cm), 0.0, math.inf, unit="1/(M cm)")
    return propagated(
        lambda extinction: float(cross_section_mm2(extinction)) / 100.0,
        {"extinction": molar_extinction_per_m_cm},
        unit="cm2",
        method="cross-section",
        low=0.0,
    )


def concentration_m(
    absorbance: Uncertain,
    path_cm: Uncertain,
    material: str,
    diameter_nm: Uncertain,
    /,
    *,
    wavelength_nm: float | None = None,
    first_exciton_ev: float | None = None,
    hwhm_ev: float = 0.06,
) -> Estimate:
    """Concentration of dots from an absorbance, by Lambert and Beer.

    Parameters
    ----------
    absorbance : float or Estimate
        Decadic, at the first exciton's peak or at `wavelength_nm`.
    path_cm, diameter_nm : float or Estimate
    material, wavelength_nm, first_exciton_ev, hwhm_ev
        As of `molar_extinction`.

    Returns
    -------
    Estimate
        In mol/l; the extinction's uncertainty is nearly all of it, so that its interval is Fieller's: it reaches further up than down,
        and has no upper end where the extinction is not clear of 0.

    Raises
    ------
    InputError
        If the absorbance is not from 0 to 6, the path not above 0, or no source covers the dot.

    Examples
    --------
    >>> found = concentration_m(0.2, 1.0, "CdTe", 4.0)
    >>> f"{1e6 * found.value:.2f} +- {1e6 * found.sd:.2f} ({1e6 * found.low:.2f} to {1e6 * found.high:.2f}) uM"
    '1.05 +- 0.21 (0.76 to 1.73) uM'
    """
    within("absorbance", value_of(absorbance), 0.0, 6.0, because="no instrument reads more")
    within("path_cm", value_of(path_cm), 0.0, 100.0, unit="cm", open_low=True)
    size = value_of(diameter_nm)

    def extinction_at(diameter: float) -> Estimate:
        return molar_extinction(
            material, diameter, wavelength_nm=wavelength_nm, first_exciton_ev=first_exciton_ev, hwhm_ev=hwhm_ev
        )

    own = extinction_at(size)
    by_size = _slope(lambda diameter: extinction_at(diameter).value, size) * sd_of(diameter_nm)
    path = value_of(path_cm)
    relative = math.hypot(own.sd / own.value, by_size / own.value, sd_of(path_cm) / path)
    light = own.value * path
    found = ratio_interval(
        (value_of(absorbance), sd_of(absorbance)), (light, relative * light), unit="mol/l", level=own.level
    )
    return replace(found, low=max(found.low, 0.0), method=f"absorbance over {own.method}, Fieller's interval")


def _slope(of: Callable[[float], float], at: float) -> float:
    step = at * _SIZE_STEP
    try:
        return (of(at + step) - of(at)) / step
    except InputError:
        # at the upper end of the extinction's range the slope is taken downwards
        return (of(at) - of(at - step)) / step


def excitation_extinction(
    material: str,
    diameter_nm: float,
    excitation_nm: float,
    first_exciton_ev: float,
    /,
    *,
    hwhm_ev: float = 0.06,
) -> Estimate:
    """Molar extinction at any excitation wavelength, between what sources give.

    Parameters
    ----------
    material : str
    diameter_nm : float
    excitation_nm : float
    first_exciton_ev : float
        Energy of the first absorption peak.
    hwhm_ev : float
        Its half width at half maximum.

    Returns
    -------
    Estimate
        In 1/(M cm): the first exciton's peak with its tail, and above it a smooth rise whose slope is that of a source at a short
        wavelength, where there is one, and assumed otherwise. Wide: by exp(0.4 per eV) to the nearest of both.

    Raises
    ------
    InputError
        If no source covers the dot at its first exciton or at another wavelength.

    Examples
    --------
    >>> blue = excitation_extinction("CdSe", 4.0, 405.0, 2.09)
    >>> red = excitation_extinction("CdSe", 4.0, 593.0, 2.09)
    >>> blue.value > 2 * red.value
    True
    """
    wavelength = within("excitation_nm", excitation_nm, 200.0, 2000.0, unit="nm")
    first = within("first_exciton_ev", first_exciton_ev, 0.1, 6.0, unit="eV")
    anchors = [one for one in extinction_sources(material) if not math.isnan(one.wavelength_nm)]
    if any(
        abs(one.wavelength_nm - wavelength) <= _SAME_NM and one.low_nm <= diameter_nm <= one.high_nm for one in anchors
    ):
        return molar_extinction(material, diameter_nm, wavelength_nm=wavelength)
    rise = assumed_continuum()
    blue = next((one for one in anchors if one.low_nm <= diameter_nm <= one.high_nm), None)
    at_blue = None if blue is None else molar_extinction(material, diameter_nm, wavelength_nm=blue.wavelength_nm)
    peak = _first_exciton(material, diameter_nm, first, hwhm_ev, at_blue, blue, rise)
    growth = rise.growth_per_ev
    if blue is not None and at_blue is not None:
        span = EV_NM / blue.wavelength_nm - first - rise.onset_ev
        if span > 0.2:
            growth = math.log(at_blue.value / (rise.height * peak.value)) / span
    shape = Continuum(rise.onset_ev, rise.smoothing_ev, rise.height, growth)
    above = EV_NM / wavelength - first
    exciton = math.exp(-0.5 * (above * FWHM_PER_SD / (2.0 * hwhm_ev)) ** 2)
    relative = exciton + float(shape(above))
    distance = abs(above) if blue is None else min(abs(above), abs(EV_NM / blue.wavelength_nm - first - above))
    slack = math.exp(0.4 * distance) - 1.0
    doubt = normal_interval(1.0, slack, unit="1", method="assumed rise")
    return propagated(
        lambda peak, doubt: peak * relative * doubt,
        {"peak": peak, "doubt": doubt},
        unit="1/(M cm)",
        method=f"{peak.method}, carried to {wavelength:g} nm",
        low=0.0,
    )


def _first_exciton(
    material: str,
    diameter_nm: float,
    first_ev: float,
    hwhm_ev: float,
    at_blue: Estimate | None,
    blue: ExtinctionSource | None,
    rise: Continuum,
) -> Estimate:
    """At the first exciton: by a source, or down the rise from a short wavelength where no source has it."""
    if any(math.isnan(one.wavelength_nm) for one in extinction_sources(material)):
        energy = _cdse_energy(material, first_ev)
        return molar_extinction(material, diameter_nm, first_exciton_ev=energy, hwhm_ev=hwhm_ev)
    if blue is None or at_blue is None:
        _within_range(extinction_sources(material), diameter_nm)
        raise refusal(_RULE, "material", f"no source gives an extinction of {material}.", "Give your own.")
    ratio = float(rise(EV_NM / blue.wavelength_nm - first_ev)) + 1e-9
    return propagated(lambda blue: blue / ratio, {"blue": at_blue}, unit="1/(M cm)", method="from the blue", low=0.0)


def _cdse_energy(material: str, first_exciton_ev: float) -> float | None:
    """The energy, where the rule that is in it can use it."""
    usable = material.strip().lower() == "cdse" and 1.7 <= first_exciton_ev <= 3.0
    return first_exciton_ev if usable else None
