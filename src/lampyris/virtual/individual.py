"""Draws one animal: its size, organs, optics, sites, and what else in it glows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.seeds import seed_sequence
from lampyris.metastasis.label import LabelLoss, label_retention
from lampyris.metastasis.seeding import tropism
from lampyris.tissue.anatomy import Anatomy, AnatomyParameters, build_anatomy, surface_point_mm
from lampyris.tissue.variation import anatomy_deviates, varied_anatomy, varied_optics
from lampyris.virtual.design import Arm, Design, World, session_name

Vector = tuple[float, float, float]
PRIMARY_SITES = ("left mammary fat pad", "right mammary fat pad")


@dataclass(frozen=True, slots=True)
class Site:
    """A lesion of the drawn animal.

    Parameters
    ----------
    number : int
        From 1 within the animal; 1 is the primary.
    organ : str
        Where it lies.
    position_mm : (z, y, x)
        In the animal's own frame.
    arrival_day : float
        From when its cells are there.
    cells : float
        Labelled cells at arrival.
    radius_mm : float
        Standard deviation of the ball of cells.
    """

    number: int
    organ: str
    position_mm: Vector
    arrival_day: float
    cells: float
    radius_mm: float


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that glows in one session and holds no probe: a lump of food, or a thing on the skin.

    Parameters
    ----------
    name : str
        ``food`` or ``artefact``, and the session.
    day : float
        Of its session.
    position_mm : (z, y, x)
        In the animal's own frame; an artefact lies on the skin above or below.
    radius_mm : float
        Standard deviation of the lump or spot.
    strength : float
        Food: glow against the same volume of other tissue; artefact: greatest radiance against the mean autofluorescence.
    colour : float
        Food: share of the probe's colour; artefact: logarithm of the radiance per 30 nm.
    view : str
        In which it is seen; "" for every one.
    """

    name: str
    day: float
    position_mm: Vector
    radius_mm: float
    strength: float
    colour: float
    view: str


@dataclass(frozen=True, slots=True)
class Individual:
    """An animal as it was drawn.

    Parameters
    ----------
    animal, arm, probe : str
        Identity, arm and probe ("" for unlabelled).
    parameters : AnatomyParameters
        Size and organs.
    optics_scale : dict of tissue to (absorption, scattering)
        Factors on the tabulated optics.
    brightness : float
        Factor on the probe's nominal load per cell.
    autofluorescence : float
        Factor on the design's level.
    inoculation : str
        Site of the primary, "none" for controls.
    sites : tuple of Site
        Empty for controls.
    trapped_cells, injection_cells : float
        Labelled cells caught in the lung on the first day, and left at the tail vein.
    strays : tuple of Stray
        What glows in one session and is no probe.
    """

    animal: str
    arm: str
    probe: str
    parameters: AnatomyParameters
    optics_scale: dict[str, tuple[float, float]]
    brightness: float
    autofluorescence: float
    inoculation: str
    sites: tuple[Site, ...]
    trapped_cells: float
    injection_cells: float
    strays: tuple[Stray, ...] = ()


def draw_individual(design: Design, animal: str, arm_name: str, /, *, seed: int) -> Individual:
    """Draw an animal; depends on the design, the animal's name and the seed alone."""
    rng = np.random.default_rng(seed_sequence("virtual", design.name, animal, "individual", seed))
    world, arm = design.world, design.arms[arm_name]
    parameters = _draw_anatomy(world, rng)
    anatomy = build_anatomy(parameters, voxel_mm=1.0)
    labelled = arm.role == "labelled"
    inoculation = PRIMARY_SITES[int(rng.integers(2))] if labelled else "none"
    spread = design.probes[arm.probe].per_cell_relative_sd if labelled else 0.0
    return Individual(
        animal=animal,
        arm=arm_name,
        probe=arm.probe if labelled else "",
        parameters=parameters,
        optics_scale=_draw_optics(world, anatomy, rng),
        # the rest of the stated spread lies between lots and calibrations, which a study shares
        brightness=float(np.exp(rng.normal(0.0, spread * world.brightness_spread))),
        autofluorescence=float(np.exp(rng.normal(0.0, 0.1))),
        inoculation=inoculation,
        sites=_draw_sites(world, anatomy, inoculation, rng) if labelled else (),
        trapped_cells=float(rng.uniform(*world.trapped_in_lung_cells)) if labelled else 0.0,
        injection_cells=float(rng.uniform(*world.injection_site_cells)) if labelled else 0.0,
        strays=_draw_strays(design, anatomy, animal, seed),
    )


def site_cells(site: Site, loss: LabelLoss, day: float, /, *, dose_j_cm2: float) -> float:
    """Labelled-cell equivalents of a site on a day: cells there, times what is left of their label; 0 before arrival."""
    if day < site.arrival_day:
        return 0.0
    return site.cells * float(label_retention(day, loss, dose_j_cm2=dose_j_cm2))


def arm_of(design: Design) -> list[tuple[str, str, Arm]]:
    """(animal, arm name, arm) for every animal of a design, in order."""
    animals: list[tuple[str, str, Arm]] = []
    for name, arm in design.arms.items():
        animals += [(f"m{len(animals) + index + 1:02d}", name, arm) for index in range(arm.animals)]
    return animals


def _draw_anatomy(world: World, rng: np.random.Generator) -> AnatomyParameters:
    deviates = rng.standard_normal(anatomy_deviates())
    length, width, height = np.exp(rng.normal(0.0, world.size_relative_sd, 3))
    return varied_anatomy(
        deviates,
        spread=world.anatomy_spread,
        weight_g=float(np.clip(rng.normal(world.weight_g, world.weight_sd_g), 15.0, 35.0)),
        size=(float(length), float(width), float(height)),
    )


def _draw_optics(world: World, anatomy: Anatomy, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    tissues = tuple(sorted(set(anatomy.tissues)))
    return varied_optics(tissues, rng.standard_normal((len(tissues), 2)), spread=world.optics_spread)


def _draw_sites(world: World, anatomy: Anatomy, inoculation: str, rng: np.random.Generator) -> tuple[Site, ...]:
    place = np.array(surface_point_mm(inoculation)) * anatomy.parameters.scale
    z, y, x = anatomy.coordinates()
    column = int(np.argmin(np.abs(x - place[2]))), int(np.argmin(np.abs(y - place[1])))
    filled = np.nonzero(anatomy.inside[:, column[1], column[0]])[0]
    # the fat pad lies under the belly's skin
    primary = Site(
        number=1,
        organ=inoculation,
        position_mm=(float(z[filled[0]] + rng.uniform(1.2, 2.0)), float(place[1]), float(place[2])),
        arrival_day=0.0,
        cells=float(world.primary_cells * np.exp(rng.normal(0.0, 0.15))),
        radius_mm=0.8,
    )
    sites = [primary]
    choices = tropism("mammary fat pad")
    weights = np.array([choice.weight for choice in choices])
    wanted = int(rng.integers(world.secondary_sites[0], world.secondary_sites[1] + 1))
    for _ in range(200):
        if len(sites) == wanted + 1:
            break
        choice = choices[int(rng.choice(len(choices), p=weights))]
        spot = _point_inside(anatomy, choice.organ, rng)
        apart = min(float(np.hypot(spot[1] - s.position_mm[1], spot[2] - s.position_mm[2])) for s in sites)
        if apart < world.site_distance_mm or any(site.organ == choice.organ for site in sites):
            continue
        low, high = np.log(world.secondary_cells)
        sites.append(
            Site(
                number=len(sites) + 1,
                organ=choice.organ,
                position_mm=spot,
                arrival_day=float(choice.arrival_day * np.exp(rng.normal(0.0, np.log(choice.arrival_spread)))),
                cells=float(np.exp(rng.uniform(low, high))),
                radius_mm=0.6,
            )
        )
    return tuple(sites)


def _draw_strays(design: Design, anatomy: Anatomy, animal: str, seed: int) -> tuple[Stray, ...]:
    """Food and artefacts, each session's from a key of its own: no other draw depends on whether there are any."""
    world, strays = design.world, []
    for day in design.days:
        session = session_name(day)
        rng = np.random.default_rng(seed_sequence("virtual", design.name, animal, "food", session, seed))
        if rng.random() < world.food_spot_probability:
            organ = ("gut", "stomach")[int(rng.integers(2))]
            low, high = np.log(world.food_strength)
            strays.append(
                Stray(
                    name=f"food {session}",
                    day=day,
                    position_mm=_point_inside(anatomy, organ, rng),
                    radius_mm=float(rng.uniform(0.8, 2.0)),
                    strength=float(np.exp(rng.uniform(low, high))),
                    colour=float(rng.uniform(*world.food_probe_colour)),
                    view="",
                )
            )
        rng = np.random.default_rng(seed_sequence("virtual", design.name, animal, "artefact", session, seed))
        if rng.random() < world.artefact_probability:
            low, high = np.log(world.artefact_strength)
            strays.append(
                Stray(
                    name=f"artefact {session}",
                    day=day,
                    position_mm=_point_inside(anatomy, "skin", rng),
                    radius_mm=float(rng.uniform(0.5, 1.2)),
                    strength=float(np.exp(rng.uniform(low, high))),
                    # autofluorescence falls by about a third per 30 nm; what comes from outside need not
                    colour=float(rng.uniform(-0.6, 0.6)),
                    view=design.views[int(rng.integers(len(design.views)))],
                )
            )
    return tuple(strays)


def _point_inside(anatomy: Anatomy, organ: str, rng: np.random.Generator) -> Vector:
    voxels = np.argwhere(anatomy.region(organ))
    index = voxels[int(rng.integers(len(voxels)))]
    jitter: NDArray[np.float64] = (rng.random(3) - 0.5) * anatomy.voxel_mm
    z, y, x = np.array(anatomy.origin_mm) + index * anatomy.voxel_mm + jitter
    return float(z), float(y), float(x)
