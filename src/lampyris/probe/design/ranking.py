"""The search: every family at every size asked for, the chance that each hit meets all targets, and why the rest fail."""

import math
from collections.abc import Sequence

from scipy.special import ndtr

from lampyris.core.dots import CoatSettings
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.design.answer import Candidate, DesignResult, Rejected
from lampyris.probe.design.calibration import Calibrated
from lampyris.probe.design.conditions import Calibration, Conditions, temperature_notes
from lampyris.probe.design.families import MADE, Family, families
from lampyris.probe.design.prediction import Colour, Prediction, predict
from lampyris.probe.design.reasons import (
    bare_reason,
    bulk_limit,
    elements_reason,
    reach_reason,
    refusal_words,
)
from lampyris.probe.design.search import Reach, Trial, reach, size_for
from lampyris.probe.design.targets import Targets, check_targets
from lampyris.probe.materials import Material, alloy, alloys, material
from lampyris.probe.structure import Layer, Structure

SIZES_NM = (2.5, 3.5, 4.5, 5.5, 6.5, 8.0)
"""Diameters of all layers that are searched where no core diameter was asked for."""

LEAST_CHANCE = 0.1
"""A dot with less chance than this to meet a target is no candidate."""

FULL_YIELD = 0.4
"""Quantum yield of a good shelled dot in water (assumed), by which yields are weighed in the ranking."""


def design(
    targets: Targets,
    /,
    *,
    temperature_k: float = 295.0,
    medium: str = "water",
    calibrations: tuple[Calibration, ...] = (),
    among: Sequence[Family] | None = None,
    most: int = 20,
) -> DesignResult:
    """Search the families of dots for those that meet the targets, and say why the rest fail.

    Parameters
    ----------
    targets : Targets
        What is asked.
    temperature_k : float
    medium : str
        What is around the dot.
    calibrations : tuple of Calibration
        Samples of the user's own.
    among : sequence of Family, optional
        Families to search; all of the table by default.
    most : int
        Candidates to keep.

    Returns
    -------
    DesignResult
        Candidates by their chance to meet every target, times how often such dots have been made.

    Raises
    ------
    InputError
        If a target is out of bounds, or coat or medium unknown.
    """
    check_targets(targets)
    around = Conditions(
        temperature_k=temperature_k,
        medium=medium,
        coat=CoatSettings(kind=targets.coat) if targets.coat else None,
        excitation_nm=targets.excitation_nm,
        calibrations=calibrations,
    )
    calibrated = Calibrated(around)
    found, failed, evaluated = [], [], 0
    for family in families() if among is None else among:
        colour = Colour(family, around, calibrated)
        candidates, rejected = _searched(family, targets, around, colour, calibrated)
        found += candidates
        failed += rejected
        evaluated += colour.evaluated
    found.sort(key=lambda one: (-one.score, one.family.label, one.prediction.structure.core_diameter_nm))
    return DesignResult(
        targets=targets,
        candidates=tuple(found[:most]),
        viable_families=tuple(dict.fromkeys(one.family.label for one in found)),
        rejected=tuple(failed),
        line_width=_line_widths(found, targets, around),
        evaluated=evaluated,
        notes=_notes(targets, around),
    )


def _searched(
    family: Family, targets: Targets, around: Conditions, colour: Colour, calibrated: Calibrated
) -> tuple[list[Candidate], list[Rejected]]:
    """Candidates of a family; or why it has none."""
    try:
        parts = family_materials(family)
    except InputError as error:
        return [], [Rejected(family, "material", refusal_words(error), math.nan, math.nan, math.nan)]
    refused = elements_reason(tuple(metal for part in parts for metal in part.metals_of_concern), targets)
    limit = bulk_limit(parts[0], colour.stokes_ev, around.temperature_k)
    if refused:
        return [], [Rejected(family, "elements", refused, math.nan, limit.emission_nm, math.nan)]
    reaches = [
        reach(family, size, reading=reading, emission_nm=targets.emission_nm, emission=colour)
        for size, reading in _sizes(family, targets, colour)
    ]
    tried = []
    for one in reaches:
        dots = [_candidate(one, trial.structure, targets, around, calibrated) for trial in _close(one, targets)]
        # where the colour turns back two dots have it: the surer one stands for both
        tried += [max(dots, key=lambda dot: dot.score)] if dots else []
    coloured = [one for one in tried if one.reachable >= LEAST_CHANCE]
    kept = [one for one in coloured if all(chance >= LEAST_CHANCE for _, chance in one.chances[1:])]
    if kept:
        # of sizes that nobody asked for, the best stands for the family
        return kept if math.isfinite(targets.core_nm) else [max(kept, key=lambda dot: dot.score)], []
    if coloured:
        return [], [_missed(family, coloured, limit.emission_nm)]
    return [], [_off_colour(family, reaches, targets, around, colour)]


def family_materials(family: Family, /) -> tuple[Material, ...]:
    """Materials of a family, an alloy at its middle."""
    names = {name for name, _, _ in alloys()}
    return tuple(alloy(name, 0.5) if name in names else material(name) for name in family.layers)


def _sizes(family: Family, targets: Targets, colour: Colour) -> list[tuple[float, str]]:
    """Sizes and what they mean; of a bare dot both readings are the same, and a free size is that of the colour."""
    if math.isnan(targets.core_nm):
        needed = size_for(family, targets.emission_nm, emission=colour) if family.free == "none" else math.nan
        return [(size, "particle") for size in (SIZES_NM if math.isnan(needed) else (needed,))]
    readings = targets.readings if len(family.layers) > 1 else targets.readings[:1]
    return [(targets.core_nm, reading) for reading in readings]


def _close(one: Reach, targets: Targets) -> tuple[Trial, ...]:
    """Hits, or else the nearest trial, whose uncertainty may still hold the wanted colour."""
    nearest = one.nearest(targets.emission_nm)
    if one.hits or nearest is None:
        return one.hits
    return (nearest,) if abs(nearest.emission_nm - targets.emission_nm) <= _FAR * targets.emission_nm else ()


_FAR = 0.25
"""Share of the wanted wavelength beyond which no uncertainty of the model reaches: such dots are not predicted in full."""


def _candidate(
    one: Reach, structure: Structure, targets: Targets, around: Conditions, calibrated: Calibrated
) -> Candidate:
    """A hit with the chance that it meets each target."""
    family = one.family
    core = structure.core_diameter_nm if one.reading == "core" else structure.diameter_nm
    prediction = predict(
        structure, around, size_sd_nm=targets.spread_nm(core), scaled=one.reading != "core", calibrated=calibrated
    )
    chances = _chances(prediction, targets)
    others = math.prod(chance for _, chance in chances[1:])
    reachable = _reachable(one, prediction.emission_nm.sd, targets)
    return Candidate(
        family=family,
        reading=one.reading if len(family.layers) > 1 and math.isfinite(targets.core_nm) else "",
        prediction=prediction,
        probability=chances[0][1] * others,
        reachable=reachable,
        chances=chances,
        score=math.sqrt(reachable * chances[0][1])
        * others
        * MADE[family.made]
        * min(prediction.quantum_yield.value / FULL_YIELD, 1.0),
        remarks=_remarks(family, prediction),
    )


def _reachable(one: Reach, sd_nm: float, targets: Targets) -> float:
    """Chance that some dot of the family at this size has the colour: all its colours are off by the same error.

    Of a bare dot whose size is free, the size is tuned.
    """
    if math.isnan(targets.core_nm) and one.family.free == "none" and one.hits:
        return 1.0
    low, high = one.wavelengths_nm
    wanted, off = targets.emission_nm, targets.tolerance_nm
    if sd_nm <= 0:
        return float(low - off <= wanted <= high + off)
    return float(ndtr((wanted - low + off) / sd_nm) - ndtr((wanted - high - off) / sd_nm))


def _chances(prediction: Prediction, targets: Targets) -> tuple[tuple[str, float], ...]:
    """Chance to meet each target that was given, taken as independent."""
    wanted, off = targets.emission_nm, targets.tolerance_nm
    emission = prediction.emission_nm
    chances = [("emission", within_chance(emission, wanted - off, wanted + off))]
    if math.isfinite(targets.fwhm_nm):
        chances.append(("width", within_chance(prediction.width.total_nm, 0.0, targets.fwhm_nm)))
    if math.isfinite(targets.total_nm):
        chances.append(("total size", float(prediction.structure.diameter_nm <= targets.total_nm + 1e-9)))
    if math.isfinite(targets.hydrodynamic_nm):
        chances.append(("hydrodynamic size", within_chance(prediction.size.diameter, 0.0, targets.hydrodynamic_nm)))
    if targets.renal:
        chances.append(("renal", prediction.size.below_renal_threshold))
    if math.isfinite(targets.brightness_per_m_cm):
        known = prediction.brightness
        chances.append(("brightness", within_chance(known, targets.brightness_per_m_cm, math.inf) if known else 0.0))
    return tuple(chances)


def within_chance(estimate: Estimate, low: float, high: float, /) -> float:
    """Chance that a normal estimate lies between two bounds.

    Examples
    --------
    >>> round(within_chance(Estimate(810.0, 20.0, 770.0, 850.0, 0.95, "nm", "normal"), 790.0, 830.0), 3)
    0.683
    """
    if estimate.sd <= 0:
        return float(low <= estimate.value <= high)
    upper, lower = (high - estimate.value) / estimate.sd, (low - estimate.value) / estimate.sd
    return float(ndtr(upper) - ndtr(lower))


def _missed(family: Family, candidates: list[Candidate], bulk_nm: float) -> Rejected:
    """The family has the colour, and fails another target: the best of its dots says which."""
    best = max(candidates, key=lambda one: one.probability)
    name, chance = min(best.chances, key=lambda one: one[1])
    prediction, words = best.prediction, _words_of(name, best.prediction)
    reason = f"{prediction.structure.label} of {prediction.structure.diameter_nm:.1f} nm has the colour, but {words}"
    reason += f": a chance of {100 * chance:.0f} % to meet the target."
    return Rejected(family, name, reason, prediction.emission_nm.value, bulk_nm, math.nan)


def _words_of(name: str, prediction: Prediction) -> str:
    width, size = prediction.width.total_nm, prediction.size.diameter
    match name:
        case "emission":
            return f"its emission, {prediction.emission_nm.value:.0f} nm, is uncertain by {prediction.emission_nm.sd:.0f} nm"
        case "width":
            return f"its line is {width.value:.0f} nm wide"
        case "total size":
            return f"all its layers are {prediction.structure.diameter_nm:.1f} nm"
        case "renal" | "hydrodynamic size":
            return f"its diameter in water is {size.value:.1f} nm"
        case _:
            known = prediction.brightness
            return f"its brightness is {known.value:.2g} 1/(M cm)" if known else "no source gives its brightness"


def _off_colour(family: Family, reaches: list[Reach], targets: Targets, around: Conditions, colour: Colour) -> Rejected:
    """The family does not reach the colour at the sizes asked for."""
    nearest = min(
        (trial for one in reaches for trial in one.trials),
        key=lambda trial: abs(trial.emission_nm - targets.emission_nm),
        default=None,
    )
    limit = bulk_limit(family_materials(family)[0], colour.stokes_ev, around.temperature_k)
    emission = nearest.emission_nm if nearest else math.nan
    if family.free != "none":
        return Rejected(family, "emission", reach_reason(reaches, targets), emission, math.nan, math.nan)
    if nearest is None:
        return Rejected(
            family, "emission", colour.refused or "it could not be computed.", math.nan, limit.emission_nm, math.nan
        )
    size = nearest.structure.diameter_nm
    reason, needed = bare_reason(family, size, emission, targets, limit, emission=colour)
    return Rejected(family, "emission", reason, emission, limit.emission_nm, needed)


def _line_widths(found: list[Candidate], targets: Targets, around: Conditions) -> tuple[Prediction, ...]:
    """The best dot of each family, and bare CdTe of the wanted core."""
    first: dict[str, Prediction] = {}
    for one in found:
        first.setdefault(one.family.label, one.prediction)
    rows = list(first.values())
    if math.isfinite(targets.core_nm) and "CdTe" not in first:
        bare = Structure((Layer("CdTe", targets.core_nm / 2),))
        rows.append(predict(bare, around, size_sd_nm=targets.spread_nm(targets.core_nm), scaled=True))
    return tuple(rows)


def _notes(targets: Targets, around: Conditions) -> tuple[str, ...]:
    """What the answer assumes."""
    notes = []
    if math.isfinite(targets.core_nm):
        spread = targets.spread_nm(targets.core_nm)
        how = "as asked" if math.isfinite(targets.core_sd_nm) else "13 % of it, as of the first paper's dot"
        notes.append(f"the core's diameter varies by {spread:.2g} nm (standard deviation), {how}")
        if not targets.reading:
            notes.append(
                "a core diameter may mean all inorganic layers or the innermost alone: both are searched, and each dot says which"
            )
    notes.append("emission is the first transition less the Stokes shift of the core's material")
    notes.append(
        f"a chance counts the spread of the published parameters; the targets' tolerance is {targets.tolerance_nm:g} nm"
    )
    if around.coat is None and (targets.renal or math.isfinite(targets.hydrodynamic_nm)):
        notes.append("no coat was named: the diameter in water is that of the bare dot, and a real one is larger")
    notes += temperature_notes(around)
    if not around.calibrations:
        notes.append("nothing was calibrated: one sample of your own (--calibrate) narrows the uncertainty most")
    return tuple(notes)


def _remarks(family: Family, prediction: Prediction) -> tuple[str, ...]:
    """What to know before making it."""
    remarks = [family.note] if family.note else []
    return tuple(remarks) + prediction.notes
