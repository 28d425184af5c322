"""Hydrodynamic diameter from core, shell, coat and ligands, and back: which coats fit a diameter that was measured."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lampyris.core.dots import CoatSettings
from lampyris.core.estimate import Estimate
from lampyris.core.finding import Finding
from lampyris.probe.coat.kinds import PEG_MASSES, Layer, Ligand, coat_layers, ligand_named, table_rows
from lampyris.probe.refusals import outside, refuse
from lampyris.probe.structure import Structure
from lampyris.statistics.intervals import NORMAL_95, normal_interval

RENAL_THRESHOLD_NM = 5.5
"""Hydrodynamic diameter below which dots leave by the kidney: Choi et al. 2007, doi:10.1038/nbt1340 (abstract), zwitterionic dots."""
INORGANIC_RANGE_NM = (1.0, 40.0)
INORGANIC_BASIS = "dots; below, clusters without a crystal, above, no longer quantum-confined"


@dataclass(frozen=True, slots=True)
class CoatedSize:
    """A dot with its coat.

    Parameters
    ----------
    inorganic_nm : float
        Core with all shells.
    layers : tuple of Layer
        Of the coat, from the dot outwards.
    bare : Estimate
        Hydrodynamic diameter in nm without ligands.
    diameter : Estimate
        With ligands: mean over dots, with its uncertainty.
    spread_nm : float
        Standard deviation between dots, from the core's.
    ligand : Ligand or None
        What it is targeted with.
    ligands_per_particle, coverage : float
        Mean ligands on a dot, and the share of the surface that they shade.
    below_renal_threshold, bare_below_renal_threshold : float
        Probability that a dot is smaller than 5.5 nm, with its ligands and without.
    """

    inorganic_nm: float
    layers: tuple[Layer, ...]
    bare: Estimate
    diameter: Estimate
    spread_nm: float
    ligand: Ligand | None
    ligands_per_particle: float
    coverage: float
    below_renal_threshold: float
    bare_below_renal_threshold: float


@dataclass(frozen=True, slots=True)
class CoatFit:
    """How well a coat explains a measured hydrodynamic diameter.

    Parameters
    ----------
    coat : str
        Name of the coat.
    thickness : Estimate
        Of this coat on that dot, in nm.
    diameter_nm : float
        Hydrodynamic diameter that it would give.
    deviation : float
        Predicted less measured thickness over their joint uncertainty.
    verdict : str
        ``fits``, ``too thin`` or ``too thick``.
    score : float
        Log likelihood, by which coats are ranked: a coat that could have any thickness explains nothing.
    mark : str
        How far the thickness is to be trusted.
    """

    coat: str
    thickness: Estimate
    diameter_nm: float
    deviation: float
    verdict: str
    score: float
    mark: str


def hydrodynamic_diameter(
    structure: Structure, coat: CoatSettings | str | None, /, *, grafting_per_nm2: float | None = None
) -> Estimate:
    """Hydrodynamic diameter in nm: core + 2 (shells + coat), and the ligands on it.

    Parameters
    ----------
    structure : Structure
        Layers of the dot.
    coat : CoatSettings, str or None
        Coat as a sheet has it, or only its name; None for a bare dot.
    grafting_per_nm2 : float, optional
        Chains of PEG per nm2.

    Raises
    ------
    InputError
        If coat or ligand is unknown, or a size outside of its bounds.

    Examples
    --------
    >>> from lampyris.probe.structure import Layer as Part
    >>> size = hydrodynamic_diameter(Structure((Part("CdTe", 3.4),)), "amphiphilic polymer")
    >>> round(size.value, 1), round(size.sd, 1)
    (14.8, 2.0)
    """
    return coated_size(structure.diameter_nm, coat, grafting_per_nm2=grafting_per_nm2).diameter


def coated_size(
    inorganic_nm: float,
    coat: CoatSettings | str | None,
    /,
    *,
    core_sd_nm: float = 0.0,
    grafting_per_nm2: float | None = None,
) -> CoatedSize:
    """All of a coated dot's size; see `hydrodynamic_diameter`.

    The standard deviation between dots is that of the core's diameter: coats are taken as equal on all dots.
    """
    settings = CoatSettings(kind=coat) if isinstance(coat, str) else coat
    low, high = INORGANIC_RANGE_NM
    refuse(
        (
            *outside("layers: inorganic diameter", inorganic_nm, low=low, high=high, unit="nm", basis=INORGANIC_BASIS),
            *outside("core_sd_nm", core_sd_nm, low=0, high=inorganic_nm / 2, unit="nm", basis="half of the diameter"),
        ),
        what="The dot",
    )
    layers: tuple[Layer, ...] = ()
    ligand, number = None, 0.0
    if settings is not None:
        layers = coat_layers(
            settings.kind,
            radius_nm=inorganic_nm / 2,
            thickness_nm=settings.thickness_nm,
            grafting_per_nm2=grafting_per_nm2,
        )
        if settings.ligand is not None:
            ligand = ligand_named(settings.ligand)
            number = 1.0 if settings.ligands_per_particle is None else settings.ligands_per_particle
    thickness = math.fsum(layer.thickness.value for layer in layers)
    sd = 2 * math.sqrt(math.fsum(layer.thickness.sd**2 for layer in layers))
    method = "core + 2 (shells + coat)"
    bare = normal_interval(inorganic_nm + 2 * thickness, sd, unit="nm", method=method, low=inorganic_nm)
    diameter, coverage = _with_ligands(bare, ligand, number)
    below = [_below(RENAL_THRESHOLD_NM, one.value, math.hypot(one.sd, core_sd_nm)) for one in (diameter, bare)]
    return CoatedSize(inorganic_nm, layers, bare, diameter, core_sd_nm, ligand, number, coverage, *below)


def fitting_coats(
    core_nm: float,
    hydrodynamic_nm: float,
    /,
    *,
    core_sd_nm: float = 0.0,
    hydrodynamic_sd_nm: float = 0.0,
    shell_nm: float = 0.0,
    names: Iterable[str] | None = None,
) -> tuple[CoatFit, ...]:
    """Which coats explain a measured hydrodynamic diameter, best first.

    Parameters
    ----------
    core_nm, core_sd_nm : float
        Diameter by electron microscopy and its standard deviation.
    hydrodynamic_nm, hydrodynamic_sd_nm : float
        Diameter by light scattering and its standard deviation.
    shell_nm : float
        Thickness of a shell that the core's diameter does not hold.
    names : iterable of str, optional
        Coats to try; left out, all of the table, PEG of the molar masses that are sold, and PEG on polymer and lipid.

    Raises
    ------
    InputError
        If a size is outside of its bounds, or the hydrodynamic diameter below the core's.

    Examples
    --------
    >>> fits = fitting_coats(6.8, 18.4, core_sd_nm=0.9, hydrodynamic_sd_nm=2.1)
    >>> [fit.coat for fit in fits if fit.verdict == "fits"][:1]
    ['amphiphilic polymer + PEG750']
    """
    low, high = INORGANIC_RANGE_NM
    inorganic = core_nm + 2 * shell_nm
    faults: list[Finding] = [
        *outside("core_nm", core_nm, low=low, high=high, unit="nm", basis=INORGANIC_BASIS),
        *outside("shell_nm", shell_nm, low=0, high=15, unit="nm", basis="thicker shells are not grown on dots"),
        *outside("core_sd_nm", core_sd_nm, low=0, high=high, unit="nm", basis="a standard deviation of sizes"),
        *outside("hydrodynamic_sd_nm", hydrodynamic_sd_nm, low=0, high=200, unit="nm", basis="a standard deviation"),
    ]
    if not faults:
        at_least = "a coated dot is not smaller than its crystal; above 200 nm it is a cluster"
        faults += outside("hydrodynamic_nm", hydrodynamic_nm, low=inorganic, high=200, unit="nm", basis=at_least)
    refuse(faults, what="The dot")
    measured = (hydrodynamic_nm - inorganic) / 2
    # where no standard deviation is given, light scattering repeats to a few per cent
    measured_sd = math.hypot(core_sd_nm, hydrodynamic_sd_nm or 0.05 * hydrodynamic_nm) / 2
    fits = [_fit(name, inorganic, measured, measured_sd) for name in names or candidate_coats()]
    return tuple(sorted(fits, key=lambda fit: (fit.verdict != "fits", -fit.score, fit.coat)))


def candidate_coats() -> tuple[str, ...]:
    """Coats that are tried: single ones, PEG alone, and PEG on polymer and lipid."""
    single = [row["name"] for row in table_rows("coats.csv")]
    peg = [f"PEG{mass}" for mass in PEG_MASSES]
    stacked = [
        f"{below} + PEG{mass}" for below in ("amphiphilic polymer", "phospholipid") for mass in (750, 2000, 5000)
    ]
    return (*single, *peg, *stacked)


def _fit(name: str, inorganic_nm: float, measured_nm: float, measured_sd_nm: float) -> CoatFit:
    layers = coat_layers(name, radius_nm=inorganic_nm / 2)
    value = math.fsum(layer.thickness.value for layer in layers)
    sd = math.sqrt(math.fsum(layer.thickness.sd**2 for layer in layers))
    joint = math.hypot(sd, measured_sd_nm)
    deviation = (value - measured_nm) / joint
    verdict = "fits" if abs(deviation) <= NORMAL_95 else "too thin" if deviation < 0 else "too thick"
    return CoatFit(
        coat=name,
        thickness=normal_interval(value, sd, unit="nm", method="sum of the layers", low=0.0),
        diameter_nm=inorganic_nm + 2 * value,
        deviation=deviation,
        verdict=verdict,
        score=-(deviation**2) / 2 - math.log(joint),
        mark=layers[-1].mark,
    )


def _with_ligands(bare: Estimate, ligand: Ligand | None, number: float) -> tuple[Estimate, float]:
    """Diameter with ligands, and the share of the surface that they shade.

    Between the sphere of equal volume (few ligands) and a full layer (a crowded surface), by the share of the surface shaded.
    """
    if ligand is None or number == 0:
        return bare, 0.0
    most = "more than a close-packed layer does not fit on the dot"
    radius, small = bare.value / 2, ligand.radius_nm
    room = 4 * (radius + small) ** 2 / small**2
    refuse(
        outside("coat.ligands_per_particle", number, low=0, high=math.floor(room), unit="1", basis=most),
        what="The coat",
    )
    volume = 2 * (radius**3 + number * small**3) ** (1 / 3)
    full = 2 * (radius + 2 * small)
    coverage = number / room
    value = volume + coverage * (full - volume)
    # the truth lies between the two pictures; a uniform law between them has this standard deviation
    sd = math.hypot(bare.sd, (full - volume) / math.sqrt(12) * min(1.0, 2 * math.sqrt(coverage * (1 - coverage))))
    method = "coat, and ligands between equal volume and a full layer"
    return normal_interval(value, sd, unit="nm", method=method, low=0.0), coverage


def _below(threshold: float, mean: float, sd: float) -> float:
    """Probability that a normal value lies below a threshold."""
    if sd == 0:
        return float(mean < threshold)
    return 0.5 * math.erfc((mean - threshold) / (sd * math.sqrt(2)))
