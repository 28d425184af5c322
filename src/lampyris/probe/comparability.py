"""Two lots or sources of a dot side by side: which differences a study notices, and what to ask of a supplier.

Likeness is shown, not assumed: a property passes where the whole 90 % interval of the difference lies within the margin (two one-sided
tests at 5 %), fails where it lies outside, and cannot be told otherwise. That p > 0.05 shows likeness is a mistake: few or poor
measurements then pass everything.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lampyris.core.constants import AVOGADRO_PER_MOL
from lampyris.core.dots import DotSettings
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.probe.coat import RENAL_THRESHOLD_NM, coated_size
from lampyris.probe.hazard import element, element_mass_ag
from lampyris.probe.refusals import outside, refuse, unknown
from lampyris.probe.structure import structure_from_settings
from lampyris.probe.tables import table_rows
from lampyris.statistics.intervals import NORMAL_95, normal_interval

Verdict = Literal["pass", "fail", "cannot tell"]
ONE_SIDED_95 = 1.6448536269514722
"""One-sided 95 % of the normal law: its two-sided interval is the 90 % one."""
RETAINED_SD = 0.02
"""Of a share of signal retained, for which sheets give no uncertainty: assumed. Of a small loss it is a large part."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far two lots may differ in a property before a study notices.

    Parameters
    ----------
    property : str
        Name of the property.
    unit : str
        Of its values.
    margin : float
        Difference in the unit, or factor above 1.
    kind : str
        ``abs`` or ``ratio``.
    sd, relative_sd : float
        Uncertainty that is taken where the sheet gives none, NaN where the other is used.
    why, ask : str
        What depends on it, and what to ask of a supplier.
    """

    property: str
    unit: str
    margin: float
    kind: str
    sd: float
    relative_sd: float
    why: str
    ask: str


@dataclass(frozen=True, slots=True)
class PropertyComparison:
    """One property of two lots.

    Parameters
    ----------
    property, unit : str
        What is compared.
    reference, other : Estimate or None
        Value of each lot, None where its sheet has none.
    difference : Estimate or None
        Other less reference, or other over reference, with its 90 % interval.
    margin : float
        Allowed difference, or factor.
    kind : str
        ``abs``, ``ratio`` or ``same`` (must be alike by name).
    verdict : {'pass', 'fail', 'cannot tell'}
        By the interval.
    reason : str
        Why.
    effect : str
        What the difference does to a study.
    ask : str
        What to ask of a supplier, with the range in which a measured value would pass.
    """

    property: str
    unit: str
    reference: Estimate | None
    other: Estimate | None
    difference: Estimate | None
    margin: float
    kind: str
    verdict: Verdict
    reason: str
    effect: str
    ask: str


@dataclass(frozen=True, slots=True)
class LotComparison:
    """Two lots side by side.

    Parameters
    ----------
    reference, other : str
        Names of the two dots with their lots.
    rows : tuple of PropertyComparison
        A row per property.
    verdict : {'pass', 'fail', 'cannot tell'}
        Fail if any property fails, cannot tell if any cannot be told.
    band_nm : tuple of float
        Centre and width of the study's filter.
    signal : Estimate or None
        Light in the band per dot and per excitation, other over reference; None where brightness is not known.
    limit : Estimate or None
        Cells at the detection limit, other over reference.
    """

    reference: str
    other: str
    rows: tuple[PropertyComparison, ...]
    verdict: Verdict
    band_nm: tuple[float, float]
    signal: Estimate | None
    limit: Estimate | None


def margins() -> tuple[Margin, ...]:
    """Margins of the table.

    Examples
    --------
    >>> margins()[0].property, margins()[0].margin
    ('emission_nm', 5.0)
    """
    return tuple(
        Margin(
            row["property"],
            row["unit"],
            float(row["margin"]),
            row["kind"],
            float(row["sd"] or math.nan),
            float(row["relative_sd"] or math.nan),
            row["why"],
            row["ask"],
        )
        for row in table_rows("comparability.csv")
    )


def compare_dots(
    reference: DotSettings,
    other: DotSettings,
    /,
    *,
    band_nm: tuple[float, float] | None = None,
    allowed: dict[str, float] | None = None,
) -> LotComparison:
    """Compare two lots property by property.

    Parameters
    ----------
    reference, other : DotSettings
        Sheets of the two dots; the reference is the lot that the study was planned with.
    band_nm : tuple of float, optional
        Centre and full width of the emission filter; left out, 40 nm around the reference's emission.
    allowed : dict of str to float, optional
        Margins in place of the table's.

    Raises
    ------
    InputError
        If a margin is of no known property, a number outside of its bounds, or a material or coat unknown.
    """
    known = {margin.property: margin for margin in margins()}
    wrong = [name for name in allowed or {} if name not in known]
    refuse((unknown("margin", name, known, basis="the table of comparability") for name in wrong), what="The margins")
    refuse(_margin_faults(known, allowed or {}), what="The margins")
    band = band_nm or (reference.measured.emission_nm or other.measured.emission_nm or 800.0, 40.0)
    refuse(
        (
            *outside("band centre", band[0], low=200, high=2000, unit="nm", basis="filters"),
            *outside("band width", band[1], low=1, high=1000, unit="nm", basis="filters"),
        ),
        what="The band",
    )
    values = [_values(dot) for dot in (reference, other)]
    rows = [*_same_rows(reference, other)]
    for name, margin in known.items():
        limit = (allowed or {}).get(name, margin.margin)
        effect = _effect(name, margin, values[0], values[1], band)
        rows.append(
            _compared(margin, limit, values[0].get(name), values[1].get(name), effect, _why_not(name, reference, other))
        )
    signal = _signal(values[0], values[1], band)
    return LotComparison(
        reference=_title(reference),
        other=_title(other),
        rows=tuple(rows),
        verdict=_joined(row.verdict for row in rows),
        band_nm=band,
        signal=signal,
        limit=_inverse(signal),
    )


def equivalence(reference: Estimate, other: Estimate, /, *, margin: float, kind: str) -> tuple[Estimate, Verdict]:
    """Difference or ratio with its 90 % interval, and whether it lies within the margin.

    Parameters
    ----------
    reference, other : Estimate
        With standard deviations; for a ratio both above 0.
    margin : float
        Difference, or factor above 1.
    kind : {'abs', 'ratio'}
        Ratios are compared on the log scale.

    References
    ----------
    Schuirmann (1987) J. Pharmacokinet. Biopharm. 15, 657; doi:10.1007/BF01068419: two one-sided tests.

    Examples
    --------
    >>> one = Estimate(810.0, 1.0, 808.0, 812.0, 0.95, "nm", "measured")
    >>> equivalence(one, one, margin=5.0, kind="abs")[1]
    'pass'
    """
    if kind == "abs":
        middle, sd = other.value - reference.value, math.hypot(reference.sd, other.sd)
        difference = normal_interval(middle, sd, unit=reference.unit, method="other less reference", level=0.9)
        low, high, bound = difference.low, difference.high, margin
    else:
        ratio = math.log(other.value / reference.value)
        sd = math.hypot(reference.sd / reference.value, other.sd / other.value)
        low, high, bound = ratio - ONE_SIDED_95 * sd, ratio + ONE_SIDED_95 * sd, math.log(margin)
        value = math.exp(ratio)
        difference = Estimate(value, value * sd, math.exp(low), math.exp(high), 0.9, "1", "other over reference")
    if -bound <= low and high <= bound:
        return difference, "pass"
    if low > bound or high < -bound:
        return difference, "fail"
    return difference, "cannot tell"


def band_share(emission_nm: float, fwhm_nm: float, band_nm: tuple[float, float], /) -> float:
    """Share of a Gaussian emission that a rectangular filter passes.

    Examples
    --------
    >>> round(band_share(810.0, 75.0, (810.0, 75.0)), 3)
    0.761
    """
    scale = fwhm_nm / (2 * math.sqrt(math.log(2)))
    low, high = band_nm[0] - band_nm[1] / 2, band_nm[0] + band_nm[1] / 2
    return 0.5 * (math.erf((high - emission_nm) / scale) - math.erf((low - emission_nm) / scale))


def _margin_faults(known: dict[str, Margin], allowed: dict[str, float]) -> list[Finding]:
    faults: list[Finding] = []
    for name, value in allowed.items():
        ratio = known[name].kind == "ratio"
        basis = "a factor above 1" if ratio else "a difference above 0"
        faults += outside(
            f"margin of {name}", value, low=1.000001 if ratio else 1e-9, high=1e6, unit=known[name].unit, basis=basis
        )
    return faults


def _title(dot: DotSettings) -> str:
    return f"{dot.name}, lot {dot.lot}" if dot.lot else dot.name


def _values(dot: DotSettings) -> dict[str, Estimate]:
    """Every property of a sheet that can be compared, with the sheet's uncertainty or the table's."""
    measured, coat = dot.measured, dot.coat
    found: dict[str, Estimate] = {}
    table = {margin.property: margin for margin in margins()}

    def put(name: str, value: float | None, sd: float | None = None, method: str = "measured") -> None:
        if value is None:
            return
        margin = table[name]
        # a standard deviation of 0 is none: nothing is measured without error
        given = sd if sd else (margin.sd if math.isfinite(margin.sd) else margin.relative_sd * abs(value))
        said = method if sd else f"{method}; uncertainty from the table of margins"
        found[name] = normal_interval(value, given, unit=margin.unit, method=said)

    put("emission_nm", measured.emission_nm, measured.emission_sd_nm)
    put("fwhm_nm", measured.fwhm_nm)
    put("quantum_yield", measured.quantum_yield, measured.quantum_yield_sd)
    put("lifetime_ns", measured.lifetime_ns)
    put("hydrodynamic_nm", measured.hydrodynamic_nm, measured.hydrodynamic_sd_nm)
    put("dispersity", measured.dispersity)
    put("zeta_mv", coat.zeta_mv if coat else None)
    put("ligands", coat.ligands_per_particle if coat and coat.ligand else None)
    put("core_nm", dot.layers[0].diameter_nm)
    if measured.molar_extinction_per_m_cm and measured.quantum_yield:
        relative = math.hypot(0.1, (measured.quantum_yield_sd or 0.1 * measured.quantum_yield) / measured.quantum_yield)
        bright = measured.molar_extinction_per_m_cm * measured.quantum_yield
        put("brightness", bright, relative * bright, "extinction (10 %) times quantum yield")
    if measured.retained_percent and measured.retained_minutes and measured.retained_percent < 100:
        left, minutes = measured.retained_percent / 100, measured.retained_minutes
        put("bleaching", -math.log(left) / minutes, RETAINED_SD / left / minutes, "retention known to 2 points")
    metal = _metal_ag(dot)
    if metal is not None:
        put("metal_ag", *metal)
    return found


def _metal_ag(dot: DotSettings) -> tuple[float, float, str] | None:
    """Metal with a permitted exposure in one dot: by analysis of the stock, or from the composition."""
    measured = dot.measured
    if measured.metal_ug_per_ml and measured.concentration_nmol_per_l:
        value = measured.metal_ug_per_ml * 1e15 / (measured.concentration_nmol_per_l * 1e-9 * AVOGADRO_PER_MOL)
        return value, 0.15 * value, "stock's metal over its dots (15 %)"
    structure = structure_from_settings(dot)
    masses = element_mass_ag(structure)
    value = math.fsum(mass.value for symbol, mass in masses.items() if element(symbol).permitted_ug_day)
    if value == 0:
        return None
    # volume goes as the cube of a diameter that is known to 0.2 nm
    return value, value * max(0.02, 3 * 0.2 / structure.diameter_nm), "composition and diameter (0.2 nm)"


def _compared(
    margin: Margin, limit: float, reference: Estimate | None, other: Estimate | None, effect: str, why_not: str
) -> PropertyComparison:
    difference: Estimate | None = None
    verdict: Verdict = "cannot tell"
    if reference is None or other is None:
        reason = why_not or ("neither sheet gives it" if reference is other else "one sheet only gives it")
    elif why_not:
        reason = why_not
    elif margin.kind == "ratio" and min(reference.value, other.value) <= 0:
        same = reference.value == other.value
        verdict = "pass" if same else "fail"
        reason = "both are 0" if same else "one of them is 0"
    else:
        difference, verdict = equivalence(reference, other, margin=limit, kind=margin.kind)
        reason = _reason(difference, limit, margin, verdict)
    ask = margin.ask if reference is None else _asked(margin, limit, reference)
    return PropertyComparison(
        margin.property, margin.unit, reference, other, difference, limit, margin.kind, verdict, reason, effect, ask
    )


def _reason(difference: Estimate, limit: float, margin: Margin, verdict: str) -> str:
    if margin.kind == "abs":
        shown = f"{difference.value:+.3g} ({difference.low:+.3g} to {difference.high:+.3g}) {margin.unit}".rstrip(" 1")
        bound = f"-{limit:g} to {limit:g}"
    else:
        shown = f"{difference.value:.3g} times ({difference.low:.3g} to {difference.high:.3g})"
        bound = f"{1 / limit:.3g} to {limit:g}"
    ends = {
        "pass": f"the whole interval is within {bound}",
        "fail": f"the whole interval is outside of {bound}",
        "cannot tell": f"the interval reaches across the margin ({bound}): measure more precisely",
    }
    return f"{shown}; {ends[verdict]}"


def _asked(margin: Margin, limit: float, reference: Estimate) -> str:
    """Range in which a supplier's value would pass, measured as well as the reference."""
    if margin.kind == "abs":
        room = limit - ONE_SIDED_95 * math.sqrt(2) * reference.sd
        if room > 0:
            low, high = reference.value - room, reference.value + room
            return f"{margin.ask}; {low:.4g} to {high:.4g} {margin.unit} would pass".replace(" 1 would", " would")
        return f"{margin.ask}; to a standard deviation below {limit / ONE_SIDED_95 / math.sqrt(2):.2g} {margin.unit}, else none passes"
    if reference.value <= 0:
        return margin.ask
    room = math.log(limit) - ONE_SIDED_95 * math.sqrt(2) * reference.sd / reference.value
    if room > 0:
        low, high = reference.value * math.exp(-room), reference.value * math.exp(room)
        return f"{margin.ask}; {low:.3g} to {high:.3g} {margin.unit} would pass".replace(" 1 would", " would")
    least = 100 * math.log(limit) / ONE_SIDED_95 / math.sqrt(2)
    return f"{margin.ask}; to a standard deviation below {least:.2g} %, else none passes"


def _same_rows(reference: DotSettings, other: DotSettings) -> list[PropertyComparison]:
    """What must be alike by name: layers, coat, ligand."""
    layers = [structure_from_settings(dot).label for dot in (reference, other)]
    coats = [dot.coat.kind if dot.coat else "none" for dot in (reference, other)]
    ligands = [(dot.coat.ligand if dot.coat else None) or "none" for dot in (reference, other)]
    reasons = {
        "layers": "another material has its own spectrum, decay and metal: no margin makes it the same dot",
        "coat": "another coat goes elsewhere in the body and to other cells",
        "ligand": "another ligand binds elsewhere",
    }
    rows = []
    for name, (first, second) in (("layers", layers), ("coat", coats), ("ligand", ligands)):
        verdict: Verdict = "pass" if first.lower() == second.lower() else "fail"
        said = f"both {first}" if verdict == "pass" else f"{first} against {second}"
        rows.append(
            PropertyComparison(
                name, "1", None, None, None, math.nan, "same", verdict, said, reasons[name], f"{name} by name"
            )
        )
    return rows


def _why_not(name: str, reference: DotSettings, other: DotSettings) -> str:
    """Why two values that are there cannot be compared, "" where they can."""
    first, second = reference.measured, other.measured
    both_bright = first.molar_extinction_per_m_cm and second.molar_extinction_per_m_cm
    if name == "brightness" and both_bright and first.excitation_nm != second.excitation_nm:
        return f"extinctions are at {first.excitation_nm or 'an unknown'} and {second.excitation_nm or 'an unknown'} nm"
    missing = first.hydrodynamic_nm is None or second.hydrodynamic_nm is None
    if name == "hydrodynamic_nm" and missing:
        guesses = [predicted_hydrodynamic(dot) for dot in (reference, other)]
        shown = [f"{guess.value:.3g} nm" if guess else "nothing" for guess in guesses]
        return f"not measured of both; the coats' models say {shown[0]} and {shown[1]}, which is no measurement"
    both_bleach = first.retained_minutes and second.retained_minutes
    if name == "bleaching" and both_bleach and first.retained_minutes != second.retained_minutes:
        return "the minutes differ, and the light of neither is said: ask for the dose in J/cm2"
    return ""


def _effect(
    name: str, margin: Margin, reference: dict[str, Estimate], other: dict[str, Estimate], band: tuple[float, float]
) -> str:
    """What a difference does, in numbers where they follow."""
    if name not in reference or name not in other:
        return margin.why
    first, second = reference[name], other[name]
    if name in ("emission_nm", "fwhm_nm") and "fwhm_nm" in reference and "fwhm_nm" in other and "emission_nm" in other:
        shares = [band_share(one["emission_nm"].value, one["fwhm_nm"].value, band) for one in (reference, other)]
        return f"the filter {band[0]:g}/{band[1]:g} nm passes {shares[0]:.1%} and {shares[1]:.1%} of the light; {margin.why}"
    if name == "hydrodynamic_nm":
        below = [_below_renal(one) for one in (first, second)]
        return f"{below[0]:.1%} and {below[1]:.1%} lie below the kidney's {RENAL_THRESHOLD_NM} nm; {margin.why}"
    if name == "brightness":
        return f"the limit would be {first.value / second.value:.2f} times as many cells; {margin.why}"
    if name == "bleaching":
        left = [math.exp(-60 * one.value) for one in (first, second)]
        return f"{left[0]:.1%} and {left[1]:.1%} are left after an hour of that light; {margin.why}"
    if name == "metal_ag":
        return f"the same number of dots holds {second.value / first.value:.2f} times the metal"
    return margin.why


def _below_renal(value: Estimate) -> float:
    return 0.5 * math.erfc((value.value - RENAL_THRESHOLD_NM) / (value.sd * math.sqrt(2)))


def _signal(reference: dict[str, Estimate], other: dict[str, Estimate], band: tuple[float, float]) -> Estimate | None:
    """Light in the band per dot, other over reference, on the log scale."""
    needed = ("brightness", "emission_nm", "fwhm_nm")
    if any(name not in values for name in needed for values in (reference, other)):
        return None
    logs, variance = [], 0.0
    for values in (reference, other):
        bright, peak, width = (values[name] for name in needed)
        share = band_share(peak.value, width.value, band)
        if share <= 0:
            return None
        logs.append(math.log(bright.value * share))
        # a step of one standard deviation in peak and in width
        moved = (
            band_share(peak.value + peak.sd, width.value, band),
            band_share(peak.value, width.value + width.sd, band),
        )
        variance += (bright.sd / bright.value) ** 2 + sum((one / share - 1) ** 2 for one in moved)
    ratio, sd = math.exp(logs[1] - logs[0]), math.sqrt(variance)
    low, high = ratio * math.exp(-NORMAL_95 * sd), ratio * math.exp(NORMAL_95 * sd)
    return Estimate(ratio, ratio * sd, low, high, 0.95, "1", "brightness times share in the band")


def _inverse(signal: Estimate | None) -> Estimate | None:
    if signal is None or signal.low <= 0:
        return None
    value = 1 / signal.value
    relative = signal.sd / signal.value
    return Estimate(
        value, value * relative, 1 / signal.high, 1 / signal.low, signal.level, "1", "one over the light in the band"
    )


def _joined(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    return "fail" if "fail" in found else "cannot tell" if "cannot tell" in found else "pass"


def predicted_hydrodynamic(dot: DotSettings, /) -> Estimate | None:
    """Hydrodynamic diameter that the sheet's coat gives; None without a coat."""
    if dot.coat is None:
        return None
    return coated_size(structure_from_settings(dot).diameter_nm, dot.coat, core_sd_nm=dot.core_sd_nm).diameter
