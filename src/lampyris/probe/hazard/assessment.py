"""Hazard of a dose: its metal beside published limits, what cells would bear, and what is not known."""

import math
from dataclasses import dataclass

import numpy as np

from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.core.sourced import SourcedValue
from lampyris.probe.hazard.composition import dots_of_nmol, element, element_mass_ag, material_faults, size_correction
from lampyris.probe.hazard.dissolution import Conditions, Release, released
from lampyris.probe.refusals import faulty, outside, refuse, unknown
from lampyris.probe.structure import Layer, Structure
from lampyris.probe.tables import plain, row_named, table_rows
from lampyris.statistics.intervals import NORMAL_95

HUMAN_KG = 60.0
SALT_FACTOR = 1.5
"""Either way (95 %) on a lethal dose, for strain, sex, vehicle and route: assumed."""


@dataclass(frozen=True, slots=True)
class Species:
    """An animal as the table of dose scaling has it."""

    name: str
    body_g: float
    km: float
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class Dose:
    """How much of a dot goes into whom.

    Parameters
    ----------
    nmol : float
        Dots.
    species : str
        mouse, rat or human.
    body_g : float, optional
        Weight; left out, that of the table.
    """

    nmol: float
    species: str = "mouse"
    body_g: float | None = None


@dataclass(frozen=True, slots=True)
class ElementDose:
    """One element of a dose.

    Parameters
    ----------
    symbol : str
        Of the element.
    total_ug : Estimate
        In the dose.
    per_kg : Estimate
        In micrograms per kg of body.
    human_ug : Estimate
        What a person of 60 kg would get at the equivalent dose.
    permitted_ug_day : SourcedValue or None
        Permitted daily exposure by injection; None where none is published.
    days_of_exposure : float
        Human-equivalent mass over the permitted daily exposure; NaN where there is none.
    impurity_class : str
        Class of ICH Q3D.
    """

    symbol: str
    total_ug: Estimate
    per_kg: Estimate
    human_ug: Estimate
    permitted_ug_day: SourcedValue | None
    days_of_exposure: float
    impurity_class: str


@dataclass(frozen=True, slots=True)
class LethalMargin:
    """A published lethal dose beside the dose.

    Parameters
    ----------
    symbol, species, route, salt : str
        What was given to whom.
    ld50_mg_kg : Estimate
        As mass of the element.
    margin_all : Estimate
        LD50 over the dose, were all of the metal an ion.
    margin_released : Estimate
        LD50 over what is in solution at the last time.
    source, mark : str
        Where it was read.
    """

    symbol: str
    species: str
    route: str
    salt: str
    ld50_mg_kg: Estimate
    margin_all: Estimate
    margin_released: Estimate
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class Viability:
    """Cells that live, by a dose-response of the free ion.

    Parameters
    ----------
    symbol, cells : str
        Ion, and cell line of the dose-response.
    hours : float
        Exposure of the dose-response.
    ion_umol_l : Estimate
        In solution by then.
    viability : Estimate
        Share of untreated cells, 0 to 1.
    ec50_umol_l, slope : float
        Of the log-logistic curve.
    source, mark : str
        Where it was read.
    """

    symbol: str
    cells: str
    hours: float
    ion_umol_l: Estimate
    viability: Estimate
    ec50_umol_l: float
    slope: float
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class WholeDotViability:
    """Cells that live, by a dose-response of whole dots of the same core.

    Parameters
    ----------
    core, coat, cells : str
        Of the dots that the dose-response is of, and the cells.
    hours : float
        Exposure.
    dots_ug_ml : float
        Crystal on the cells.
    viability : Estimate
        Share of untreated cells, 0 to 1.
    caution : str
        How those dots differ.
    source, mark : str
        Where it was read.
    """

    core: str
    coat: str
    cells: str
    hours: float
    dots_ug_ml: float
    viability: Estimate
    caution: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """A family of dots beside the one asked about, with as many dots of the same size.

    Parameters
    ----------
    family : str
        Name.
    index : float
        Sum over elements of mass over permitted daily exposure, relative to the dot asked about; NaN where that has none.
    worst : float
        The same, elements without a published limit counted with the strictest one (that of cadmium).
    known_share : float
        Share of its mass in elements with a published limit, or that count as harmless (sulphur, silicon, zinc and such).
    cadmium_free, lead_free : bool
        Whether it has none of it.
    reaches : bool or None
        Whether the family emits at the wavelength asked for; None where none was.
    emission_nm : tuple of float
        Range that the family reaches.
    note, source, mark : str
        Remark and source of the range.
    """

    family: str
    index: float
    worst: float
    known_share: float
    cadmium_free: bool
    lead_free: bool
    reaches: bool | None
    emission_nm: tuple[float, float]
    note: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """What is known of the hazard of a dose, and what is not.

    Parameters
    ----------
    structure : Structure
        The dot.
    nmol, body_g : float
        Dose and body.
    species : Species
        Whose body.
    elements : tuple of ElementDose
        Most critical first: least permitted exposure, then those without any.
    release : Release
        Share in solution over time.
    lethal : tuple of LethalMargin
        Published lethal doses beside the dose.
    viability : tuple of Viability
        Empty where no concentration was given or no dose-response is known.
    whole_dots : tuple of WholeDotViability
        By dose-responses of dots with the same core; empty where none is known.
    alternatives : tuple of Alternative
        Ranked, least hazard first.
    unknown : tuple of str
        What this cannot say.
    """

    structure: Structure
    nmol: float
    body_g: float
    species: Species
    elements: tuple[ElementDose, ...]
    release: Release
    lethal: tuple[LethalMargin, ...]
    viability: tuple[Viability, ...]
    whole_dots: tuple[WholeDotViability, ...]
    alternatives: tuple[Alternative, ...]
    unknown: tuple[str, ...]


HARMLESS = frozenset({"S", "Si", "C", "O", "N", "Zn", "P", "Mg"})
"""Elements of the body or of sand, which count as no hazard at these masses: assumed."""


def species_named(name: str, /, *, field: str = "species") -> Species:
    """Animal of a name.

    Raises
    ------
    InputError
        If the table has none of that name.

    Examples
    --------
    >>> species_named("mouse").km
    3.0
    """
    rows = table_rows("species.csv")
    row = row_named(rows, name, column="species")
    if row is None:
        raise faulty((_unknown_species(name, field),), what="The dose")
    return Species(row["species"], float(row["body_g"]), float(row["km_kg_m2"]), row["source"], row["mark"])


def _unknown_species(name: str, field: str) -> Finding:
    known = [row["species"] for row in table_rows("species.csv")]
    return unknown(field, name, known, basis="the table of dose scaling")


def human_equivalent(per_kg: float, species: Species, /) -> float:
    """Dose per kg that a person would get for the same dose per body surface.

    References
    ----------
    FDA (2005) Guidance: Estimating the Maximum Safe Starting Dose; as quoted by Nair & Jacob (2016) doi:10.4103/0976-0105.177703.

    Examples
    --------
    >>> round(human_equivalent(12.3, species_named("mouse")), 2)
    1.0
    """
    return per_kg * species.km / species_named("human").km


def hazard_of_dose(
    structure: Structure,
    dose: Dose,
    /,
    *,
    core_sd_nm: float = 0.0,
    hours: tuple[float, ...] = (24.0, 168.0, 672.0),
    concentration_nmol_l: float | None = None,
    emission_nm: float | None = None,
    conditions: Conditions | None = None,
    rng: np.random.Generator,
) -> Hazard:
    """Metal of a dose beside published limits, ions over time, viability, and alternatives.

    Parameters
    ----------
    structure : Structure
        Layers of the dot.
    dose : Dose
        How much, into whom.
    core_sd_nm : float
        Spread of the core's diameter, which makes the mean dot heavier than the dot of mean size.
    hours : tuple of float
        Times at which the release is told.
    concentration_nmol_l : float, optional
        Of dots on cells, for viability.
    emission_nm : float, optional
        That an alternative must reach.
    conditions : Conditions, optional
        Of the dissolution.
    rng : numpy.random.Generator
        Draws what is uncertain.

    Raises
    ------
    InputError
        If a material or species is unknown or a number outside of its bounds.
    """
    at = conditions or Conditions()
    faults = (*_dose_faults(dose, structure, core_sd_nm, concentration_nmol_l or 0.0), *at.faults())
    refuse((*faults, *material_faults(structure)), what="The dose")
    animal = species_named(dose.species)
    weight = animal.body_g if dose.body_g is None else dose.body_g
    mean_mass = size_correction(structure.core_diameter_nm, core_sd_nm)
    masses = {symbol: _scaled(mass, mean_mass, "ag") for symbol, mass in element_mass_ag(structure).items()}
    release = released(structure, np.array(sorted({0.0, *hours})), conditions=at, rng=rng)
    doses = tuple(_dose(symbol, mass, dose.nmol, weight, animal) for symbol, mass in masses.items())
    lives = () if concentration_nmol_l is None else _viabilities(structure, masses, concentration_nmol_l, at, rng)
    return Hazard(
        structure=structure,
        nmol=dose.nmol,
        body_g=weight,
        species=animal,
        elements=tuple(sorted(doses, key=_criticality)),
        release=release,
        lethal=_lethal_margins(doses, release),
        viability=lives,
        whole_dots=_whole_dots(structure, masses, concentration_nmol_l),
        alternatives=alternatives(structure, emission_nm=emission_nm),
        unknown=_not_known(doses, concentration_nmol_l, lives),
    )


def _dose_faults(dose: Dose, structure: Structure, core_sd_nm: float, cells_nmol_l: float) -> tuple[Finding, ...]:
    known = row_named(table_rows("species.csv"), dose.species, column="species") is not None
    weight = 20.0 if dose.body_g is None else dose.body_g
    size = structure.diameter_nm
    return (
        *outside("dose_nmol", dose.nmol, low=0, high=1e6, unit="nmol", basis="an amount; mice get 0.01 to 10"),
        *(() if known else (_unknown_species(dose.species, "species"),)),
        *outside("body_g", weight, low=1, high=2e5, unit="g", basis="from a newborn mouse to a person"),
        *outside("core_sd_nm", core_sd_nm, low=0, high=size / 2, unit="nm", basis="half of the diameter"),
        *outside("layers: inorganic diameter", size, low=1, high=40, unit="nm", basis="dots"),
        *outside("concentration_nmol_l", cells_nmol_l, low=0, high=1e6, unit="nmol/l", basis="dots on cells"),
    )


def log_logistic(concentration: float, ec50: float, slope: float, /) -> float:
    """Viability 1 / (1 + (c / EC50)^slope).

    Examples
    --------
    >>> log_logistic(13.7, 13.7, 4.6)
    0.5
    """
    if concentration <= 0:
        return 1.0
    power = slope * math.log(concentration / ec50)
    return 1 / (1 + math.exp(power)) if power < 700 else 0.0


def hazard_index_per_dot(structure: Structure, /, *, unknown_limit_ug_day: float = math.inf) -> float:
    """Sum over elements of mass in one dot (ag) over permitted daily exposure (ug).

    Elements without a published limit get the one given, by default none; those of the body or of sand add nothing.
    """
    total = 0.0
    for symbol, mass in element_mass_ag(structure).items():
        permitted = element(symbol).permitted_ug_day
        if permitted is not None:
            total += mass.value / permitted.value
        elif symbol not in HARMLESS:
            total += mass.value / unknown_limit_ug_day
    return total


def alternatives(structure: Structure, /, *, emission_nm: float | None = None) -> tuple[Alternative, ...]:
    """Families of the table with as many dots of the same inorganic size, least hazard first; those that miss the wavelength last.

    Parameters
    ----------
    structure : Structure
        The dot asked about; its core and shell thicknesses carry over.
    emission_nm : float, optional
        That the family must reach.
    """
    own = hazard_index_per_dot(structure)
    cadmium = element("Cd").permitted_ug_day
    strictest = cadmium.value if cadmium else math.nan
    found = []
    for row in table_rows("alternatives.csv"):
        other = _like(structure, row["core"], row["shell"])
        masses = {symbol: mass.value for symbol, mass in element_mass_ag(other).items()}
        told = math.fsum(
            mass for symbol, mass in masses.items() if element(symbol).permitted_ug_day or symbol in HARMLESS
        )
        reach = (float(row["emission_low_nm"]), float(row["emission_high_nm"]))
        found.append(
            Alternative(
                family=row["family"],
                index=hazard_index_per_dot(other) / own if own else math.nan,
                worst=hazard_index_per_dot(other, unknown_limit_ug_day=strictest) / own if own else math.nan,
                known_share=told / math.fsum(masses.values()),
                cadmium_free="Cd" not in masses,
                lead_free="Pb" not in masses,
                reaches=None if emission_nm is None else reach[0] <= emission_nm <= reach[1],
                emission_nm=reach,
                note=row["note"],
                source=row["source"],
                mark=row["mark"],
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(one: Alternative) -> tuple[bool, float, float, str]:
    index = one.index if math.isfinite(one.index) else 0.0
    return (one.reaches is False, round(index, 12), one.worst if math.isfinite(one.worst) else 0.0, one.family)


def _like(structure: Structure, core: str, shell: str) -> Structure:
    """The same inorganic size in other materials; without a shell all of it is core."""
    radius = structure.diameter_nm / 2
    inner = structure.core_diameter_nm / 2
    if not shell:
        return Structure((Layer(core, radius),))
    # a dot without a shell of its own is compared with one of which a sixth of the radius is shell
    thickness = radius - inner if radius > inner else radius / 6
    return Structure((Layer(core, radius - thickness), Layer(shell, thickness)))


def _dose(symbol: str, mass_ag: Estimate, nmol: float, body_g: float, animal: Species) -> ElementDose:
    known = element(symbol)
    # 1 ug is 1e12 ag
    total = _scaled(mass_ag, dots_of_nmol(nmol) * 1e-12, "ug")
    per_kg = _scaled(total, 1000 / body_g, "ug/kg")
    human = _scaled(per_kg, human_equivalent(1.0, animal) * HUMAN_KG, "ug")
    permitted = known.permitted_ug_day
    days = human.value / permitted.value if permitted else math.nan
    return ElementDose(symbol, total, per_kg, human, permitted, days, known.impurity_class)


def _criticality(dose: ElementDose) -> tuple[float, str]:
    return (-dose.days_of_exposure if math.isfinite(dose.days_of_exposure) else math.inf, dose.symbol)


def _lethal_margins(doses: tuple[ElementDose, ...], release: Release) -> tuple[LethalMargin, ...]:
    by_symbol = {dose.symbol: dose for dose in doses}
    found = []
    for row in table_rows("toxic_doses.csv"):
        dose = by_symbol.get(row["element"])
        if dose is None:
            continue
        lethal = float(row["ld50_mg_kg"]) * float(row["mass_share"])
        ends = (lethal / SALT_FACTOR, lethal, lethal * SALT_FACTOR)
        share = [curve[dose.symbol][-1] for curve in (release.high, release.share, release.low)]
        found.append(
            LethalMargin(
                symbol=dose.symbol,
                species=row["species"],
                route=row["route"],
                salt=row["salt"],
                ld50_mg_kg=Estimate(lethal, lethal * 0.2, ends[0], ends[2], 0.95, "mg/kg", "mass of the element"),
                margin_all=_margin(ends, (dose.per_kg.value,) * 3),
                margin_released=_margin(ends, tuple(dose.per_kg.value * float(one) for one in share)),
                source=row["source"],
                mark=row["mark"],
            )
        )
    return tuple(found)


def _margin(lethal_mg_kg: tuple[float, ...], dose_ug_kg: tuple[float, ...]) -> Estimate:
    """Lethal dose over dose, lowest with the highest dose; infinite without a dose."""
    low, value, high = (
        1000 * lethal / dose if dose > 0 else math.inf for lethal, dose in zip(lethal_mg_kg, dose_ug_kg, strict=True)
    )
    return Estimate(value, math.nan, low, high, 0.95, "1", "ratio, interval from both")


def _viabilities(
    structure: Structure,
    masses: dict[str, Estimate],
    concentration_nmol_l: float,
    conditions: Conditions,
    rng: np.random.Generator,
) -> tuple[Viability, ...]:
    found = []
    for row in table_rows("dose_responses.csv"):
        if row["element"] not in masses:
            continue
        symbol, hours = row["element"], float(row["hours"])
        release = released(structure, np.array([0.0, hours]), conditions=conditions, rng=rng)
        # ag per dot over g/mol gives 1e-18 mol; times nmol/l of dots (N_A each) gives the ion's concentration
        atoms = masses[symbol].value * 1e-18 / element(symbol).molar_mass * dots_of_nmol(1.0) * 1e9
        all_umol = atoms * concentration_nmol_l * 1e-3
        ends = [all_umol * float(curve[symbol][-1]) for curve in (release.low, release.share, release.high)]
        ec50, factor = float(row["ec50_umol_l"]), float(row["ec50_factor"]) ** NORMAL_95
        slope = float(row["slope"])
        lives = (
            log_logistic(ends[2], ec50 / factor, slope),
            log_logistic(ends[1], ec50, slope),
            log_logistic(ends[0], ec50 * factor, slope),
        )
        ion = Estimate(ends[1], math.nan, ends[0], ends[2], 0.95, "umol/l", "released by then")
        alive = Estimate(lives[1], math.nan, lives[0], lives[2], 0.95, "1", "log-logistic of the free ion")
        found.append(Viability(symbol, row["cells"], hours, ion, alive, ec50, slope, row["source"], row["mark"]))
    return tuple(found)


def _whole_dots(
    structure: Structure, masses: dict[str, Estimate], concentration_nmol_l: float | None
) -> tuple[WholeDotViability, ...]:
    if concentration_nmol_l is None:
        return ()
    found = []
    core, shells = structure.layers[0].material, structure.layers[1:]
    # ag per dot times dots per litre is 1e-18 g/l, and 1e-15 ug/ml
    dose = math.fsum(mass.value for mass in masses.values()) * dots_of_nmol(concentration_nmol_l) * 1e-15
    for row in table_rows("dot_responses.csv"):
        if plain(row["core"]) != plain(core):
            continue
        ec50, slope, factor = float(row["ec50_ug_ml"]), float(row["slope"]), float(row["ec50_factor"]) ** NORMAL_95
        low, value, high = (log_logistic(dose, ec50 * by, slope) for by in (1 / factor, 1.0, factor))
        other = f"of dots with {row['coat']} and no shell" + (
            ": this one has a shell, which spares cells" if shells else ""
        )
        alive = Estimate(value, math.nan, low, high, 0.95, "1", "log-logistic of whole dots")
        hours = float(row["hours"])
        found.append(
            WholeDotViability(
                row["core"], row["coat"], row["cells"], hours, dose, alive, other, row["source"], row["mark"]
            )
        )
    return tuple(found)


def _not_known(
    doses: tuple[ElementDose, ...], concentration: float | None, lives: tuple[Viability, ...]
) -> tuple[str, ...]:
    without = [dose.symbol for dose in doses if dose.permitted_ug_day is None and dose.symbol not in HARMLESS]
    said = [
        "a permitted daily exposure is of an impurity taken daily for life, not of one dose of a probe: it shows scale, not safety",
        "speeds of dissolution in tissue and of losing the coat are assumed, to a factor of 3 to 5: give measured ones",
        "dots are no ions: they go to other organs, stay longer, and make reactive oxygen in light, of which salts do not tell",
        "human-equivalent doses scale by body surface, which was made for small molecules",
    ]
    if without:
        said.append(
            f"no permitted exposure by injection is published for {', '.join(without)}: not counted, which is not the same as harmless"
        )
    if not any(dose.symbol == row["element"] for dose in doses for row in table_rows("toxic_doses.csv")):
        said.append("no lethal dose of these metals is in the table")
    if concentration is not None and not lives:
        said.append("no dose-response of these ions is in the table: viability cannot be told")
    return tuple(said)


def observed_doses(structure: Structure, /) -> tuple[dict[str, str], ...]:
    """Published doses of whole dots that share the core's material, with what was seen."""
    core = plain(structure.layers[0].material)
    return tuple(row for row in table_rows("observed_doses.csv") if plain(row["dot"]).startswith(core))


def _scaled(value: Estimate, factor: float, unit: str) -> Estimate:
    return Estimate(
        value.value * factor,
        value.sd * factor,
        value.low * factor,
        value.high * factor,
        value.level,
        unit,
        value.method,
    )
