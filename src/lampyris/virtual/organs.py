"""Excised organs of a drawn animal: how heavy and of which shape, what they hold, and the light that leaves them on a tray."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.imaging.forward import radiance_from_exitance
from lampyris.probe.probe import band_fractions, photon_irradiance_per_mm2, probe_from_settings
from lampyris.tissue.anatomy import build_anatomy, organ_parts
from lampyris.tissue.diffusion import DiffusionSystem, build_system, collimated_source, solve, surface_map
from lampyris.tissue.geometry import body_geometry
from lampyris.tissue.optics import tissue_optics
from lampyris.tissue.variation import varied_optics
from lampyris.virtual.design import Design
from lampyris.virtual.individual import Individual

DENSITY_G_PER_ML = 1.05
# lungs collapse once the chest is open; the anatomy's are inflated at 0.35 g/ml
INFLATED_LUNG_G_PER_ML, COLLAPSED_LUNG_G_PER_ML = 0.35, 0.8
VOXEL_MM = 0.45
SOLVER_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class OrganKind:
    """What is cut out: its name, the anatomy's parts that it is, its tissue, and the shape that it takes on a tray.

    Parameters
    ----------
    organ : str
    source : str
        Organ of the anatomy; ``tumour`` is the primary.
    parts : tuple of str
    tissue : str
        Row of the optics table.
    aspect : float
        Length over width of its outline.
    flatness : float
        Mean height over the cube root of the volume.
    reflectance : float
        Share of the lamp's light that it sends back: dark liver and spleen, pale brain.
    glow : float
        Autofluorescence against other tissue.
    """

    organ: str
    source: str
    parts: tuple[str, ...]
    tissue: str
    aspect: float
    flatness: float
    reflectance: float
    glow: float


KINDS: tuple[OrganKind, ...] = (
    OrganKind("liver", "liver", ("left", "right"), "liver", 1.25, 0.50, 0.16, 1.6),
    OrganKind("spleen", "spleen", ("1",), "spleen", 2.4, 0.55, 0.14, 0.8),
    OrganKind("left kidney", "kidneys", ("left",), "kidneys", 1.5, 0.78, 0.22, 1.2),
    OrganKind("right kidney", "kidneys", ("right",), "kidneys", 1.5, 0.78, 0.22, 1.2),
    OrganKind("lungs", "lungs", ("left", "right"), "lung", 1.3, 0.60, 0.42, 0.7),
    OrganKind("heart", "heart", ("1",), "heart", 1.3, 0.85, 0.24, 0.7),
    OrganKind("brain", "brain", ("1",), "brain", 1.35, 0.72, 0.55, 0.9),
    OrganKind("tumour", "tumour", (), "tumour", 1.15, 0.80, 0.34, 0.9),
)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """An organ as it lies: a star-shaped outline, and its height over it.

    Parameters
    ----------
    length_mm, width_mm : float
        Semi-axes of the ellipse behind the outline.
    waves : tuple of (int, float, float)
        Order, relative size and phase of what the outline departs by.
    notch : (float, float)
        Angle and relative depth of a cleft between lobes.
    turn_rad : float
    height_mm : float
        Greatest height.
    dome : float
        Exponent of the height's fall towards the edge.
    lift : float
        0 with a flat underside, 1 with one as round as the top.
    """

    length_mm: float
    width_mm: float
    waves: tuple[tuple[int, float, float], ...]
    notch: tuple[float, float]
    turn_rad: float
    height_mm: float
    dome: float
    lift: float

    def distance(self, y_mm: NDArray[np.float64], x_mm: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Distance from the middle over that of the outline in the same direction."""
        angle = np.arctan2(x_mm, y_mm) - self.turn_rad
        ellipse = 1.0 / np.hypot(np.cos(angle) / self.length_mm, np.sin(angle) / self.width_mm)
        factor = np.ones_like(ellipse)
        for order, size, phase in self.waves:
            factor += size * np.cos(order * angle + phase)
        apart = np.abs((angle - self.notch[0] + np.pi) % (2 * np.pi) - np.pi)
        factor -= self.notch[1] * np.exp(-0.5 * (apart / 0.25) ** 2)
        return np.asarray(np.hypot(y_mm, x_mm) / (ellipse * factor))

    def height(self, distance: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Height over the tray's plane at a relative distance, 0 outside."""
        return self.height_mm * np.maximum(1.0 - distance**2, 0.0) ** self.dome

    @property
    def reach_mm(self) -> float:
        """Farthest that the outline goes from its middle."""
        return max(self.length_mm, self.width_mm) * (1.0 + sum(abs(size) for _, size, _ in self.waves))


@dataclass(frozen=True, slots=True, eq=False)
class DrawnOrgan:
    """An organ with its light, noise-free, not yet laid on the tray.

    Parameters
    ----------
    kind : OrganKind
    animal : str
    weight_g, volume_mm3 : float
    shape : Shape
    even, focal : float
        Cell equivalents spread evenly, and in lesions.
    probe, glow : ndarray, dims (channel, y, x)
        Radiance of the probe that it holds and of the tissue, ph s-1 cm-2 sr-1, on columns of `pitch_mm` about the middle.
    pitch_mm : float
    escape : float
        Light sent out upwards per photon that the probe would emit in a thin clear layer.
    reflectance : float
    """

    kind: OrganKind
    animal: str
    weight_g: float
    volume_mm3: float
    shape: Shape
    even: float
    focal: float
    probe: NDArray[np.float64]
    glow: NDArray[np.float64]
    pitch_mm: float
    escape: float
    reflectance: float

    @property
    def cells(self) -> float:
        """Cell equivalents that it holds."""
        return self.even + self.focal


def draw_organs(
    design: Design, who: Individual, amounts: Mapping[str, float], rng: np.random.Generator, /
) -> tuple[DrawnOrgan, ...]:
    """Cut an animal's organs out.

    Parameters
    ----------
    design : Design
    who : Individual
    amounts : mapping of str to float
        Cell equivalents of each source of the animal on its last day.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of DrawnOrgan
        An animal without a tumour has none to cut out.
    """
    volumes = _volumes(design, who, rng)
    contents = _contents(who, amounts, volumes)
    return tuple(
        _drawn(design, who, kind, volumes[kind.organ], contents.get(kind.organ, (0.0, ())), rng)
        for kind in KINDS
        if kind.organ in volumes
    )


def organ_contents(
    design: Design, who: Individual, amounts: Mapping[str, float], rng: np.random.Generator, /
) -> dict[str, tuple[float, float]]:
    """Volume in mm3 and cell equivalents of each organ that could be cut out of an animal, by the organ's name.

    Parameters
    ----------
    design : Design
    who : Individual
    amounts : mapping of str to float
        Cell equivalents of each source of the animal on its last day.
    rng : numpy.random.Generator

    Returns
    -------
    dict of organ to (volume, cells)
    """
    volumes = _volumes(design, who, rng)
    contents = _contents(who, amounts, volumes)
    return {organ: (volume, contents[organ][0] + sum(contents[organ][1])) for organ, volume in volumes.items()}


def _volumes(design: Design, who: Individual, rng: np.random.Generator) -> dict[str, float]:
    """Volume on the tray, mm3."""
    whole = float(np.prod(who.parameters.scale))
    found = {}
    for kind in KINDS:
        parts = [part for part in organ_parts() if part.organ == kind.source and part.part in kind.parts]
        volume = sum(part.volume_mm3 for part in parts) * whole * who.parameters.volume_scale.get(kind.source, 1.0)
        if kind.source == "lungs":
            volume *= INFLATED_LUNG_G_PER_ML / COLLAPSED_LUNG_G_PER_ML
        if kind.source == "tumour" and who.sites:
            volume = 1e3 * design.exvivo.tumour_g * float(np.exp(rng.normal(0.0, 0.4))) / DENSITY_G_PER_ML
        if volume > 0:
            found[kind.organ] = volume
    return found


def _contents(
    who: Individual, amounts: Mapping[str, float], volumes: Mapping[str, float]
) -> dict[str, tuple[float, tuple[float, ...]]]:
    """Cell equivalents of each organ: spread evenly, and of each lesion in it."""
    anatomy = build_anatomy(who.parameters, voxel_mm=1.0)
    body = float(anatomy.inside.sum())
    even = dict.fromkeys(volumes, 0.0)
    lesions: dict[str, list[float]] = {organ: [] for organ in volumes}
    of_source: dict[str, list[str]] = {}
    for kind in KINDS:
        if kind.organ in volumes:
            of_source.setdefault(kind.source, []).append(kind.organ)
    filled = {"liver and spleen": ("liver", "spleen"), "lungs": ("lungs",)}
    for name, cells in amounts.items():
        if name in filled:
            total = sum(volumes[organ] for organ in filled[name])
            for organ in filled[name]:
                even[organ] += cells * volumes[organ] / total
        elif name == "blood":
            for source, organs in of_source.items():
                if source in anatomy.names:
                    share = float(anatomy.region(source).sum()) / body
                    for organ in organs:
                        even[organ] += cells * share / len(organs)
        elif name == "halo" and "tumour" in even:
            even["tumour"] += cells
        elif name.startswith("lesion "):
            site = next(one for one in who.sites if f"lesion {one.number}" == name)
            organs = ["tumour"] if site.number == 1 else of_source.get(site.organ, [])
            if organs and organs[0] in lesions:
                lesions[organs[site.number % len(organs)]].append(cells)
    # the primary is the tumour itself: what its cells hold fills it
    even["tumour"] = even.get("tumour", 0.0) + sum(lesions.pop("tumour", []))
    return {organ: (even[organ], tuple(lesions.get(organ, ()))) for organ in volumes}


def _drawn(
    design: Design,
    who: Individual,
    kind: OrganKind,
    volume_mm3: float,
    content: tuple[float, tuple[float, ...]],
    rng: np.random.Generator,
) -> DrawnOrgan:
    shape = _draw_shape(design, kind, volume_mm3, rng)
    pitch = min(VOXEL_MM, shape.height_mm / 6.0)
    mask = _voxels(shape, pitch)
    scale = who.optics_scale.get(kind.tissue)
    if scale is None:
        # the living animal's tumour is too small to have tissue of its own
        scale = varied_optics((kind.tissue,), rng.standard_normal((1, 2)), spread=design.world.optics_spread)[
            kind.tissue
        ]
    lit = _Lit(design, scale, kind, mask, pitch)
    even, lesions = content
    density = np.full(mask.shape, 0.0)
    density[mask] = even / (mask.sum() * pitch**3)
    for cells in lesions:
        density += cells * _lesion(mask, pitch, rng)
    glow = mask.astype(float) * kind.glow
    radiance = [lit.radiance(density, band) for band in range(len(lit.bands))]
    own = np.stack([lit.radiance(glow, band) for band in range(len(lit.bands))])
    dot = probe_from_settings(who.probe, design.probes[who.probe]) if who.probe else None
    cells = even + sum(lesions)
    probe = np.zeros_like(own)
    escape = math.nan
    if dot is not None and cells > 0:
        share = band_fractions(dot, design.instrument.bands)
        lamp = photon_irradiance_per_mm2(design.instrument.excitation_mw_per_cm2, design.instrument.excitation_nm)
        per_cell = lamp * dot.photons_per_cell_fluence_mm2 * who.brightness * share
        maps = np.stack(radiance)
        probe = maps * per_cell[:, None, None]
        sent = maps.sum(axis=(1, 2)) * pitch**2 * np.pi / 100.0
        escape = float((sent * share).sum() / share.sum() / cells)
    return DrawnOrgan(
        kind=kind,
        animal=who.animal,
        weight_g=1e-3 * volume_mm3 * (COLLAPSED_LUNG_G_PER_ML if kind.source == "lungs" else DENSITY_G_PER_ML),
        volume_mm3=volume_mm3,
        shape=shape,
        even=even,
        focal=sum(lesions),
        probe=probe,
        glow=_coloured(design, who, own, kind, float(rng.normal(0.0, design.world.colour_relative_sd))),
        pitch_mm=pitch,
        escape=escape,
        reflectance=kind.reflectance * float(np.exp(rng.normal(0.0, 0.12))),
    )


def _draw_shape(design: Design, kind: OrganKind, volume_mm3: float, rng: np.random.Generator) -> Shape:
    drawn = design.exvivo
    mean_height = kind.flatness * volume_mm3 ** (1 / 3) * float(np.exp(rng.normal(0.0, drawn.flatness_spread)))
    dome = float(rng.uniform(*drawn.dome))
    aspect = kind.aspect * float(np.exp(rng.normal(0.0, 0.08)))
    waves = tuple(
        (order, float(rng.normal(0.0, drawn.irregularity / order)), float(rng.uniform(0, 2 * np.pi)))
        for order in (2, 3, 4, 5)
    )
    notch = (float(rng.uniform(0, 2 * np.pi)), 0.18 if kind.source in ("liver", "lungs") else 0.0)
    plain = Shape(math.sqrt(aspect), 1.0 / math.sqrt(aspect), waves, notch, 0.0, 1.0, dome, 0.0)
    # the volume fixes the size: that of a unit shape by midpoints
    step = plain.reach_mm / 60.0
    axis = np.arange(-plain.reach_mm, plain.reach_mm + step, step)
    unit = plain.height(plain.distance(axis[:, None] + 0.0 * axis, axis[None, :] + 0.0 * axis[:, None]))
    base, area = float(unit.sum() * step**2), float((unit > 0).sum() * step**2)
    size = math.sqrt(volume_mm3 / mean_height / area)
    return Shape(
        size * plain.length_mm,
        size * plain.width_mm,
        waves,
        notch,
        float(rng.uniform(0, 2 * np.pi)),
        volume_mm3 / (base * size**2),
        dome,
        float(rng.uniform(0.0, 0.6)),
    )


def _voxels(shape: Shape, pitch: float) -> NDArray[np.bool_]:
    """The organ on voxels, dims (z, y, x), its columns centred on the middle; up is the greatest z."""
    count = 2 * math.ceil(shape.reach_mm / pitch) + 3
    axis = (np.arange(count) - (count - 1) / 2) * pitch
    height = shape.height(shape.distance(axis[:, None] + 0.0 * axis, axis[None, :] + 0.0 * axis[:, None]))
    below = 0.5 * shape.lift * (shape.height_mm - height)
    z = (np.arange(math.ceil(shape.height_mm / pitch) + 2) - 0.5) * pitch
    return (z[:, None, None] >= below[None]) & (z[:, None, None] < (below + height)[None]) & (height > 0)[None]


def _lesion(mask: NDArray[np.bool_], pitch: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Density of a ball of cells somewhere in the organ, per cell."""
    places = np.argwhere(mask)
    middle = places[int(rng.integers(len(places)))]
    z, y, x = (np.arange(count) - at for count, at in zip(mask.shape, middle, strict=True))
    radius = 0.8 / pitch
    density = np.exp(-0.5 * (z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2) / radius**2) * mask
    return np.asarray(density / (density.sum() * pitch**3))


class _Lit:
    """The organ under the lamp."""

    def __init__(
        self, design: Design, scale: tuple[float, float], kind: OrganKind, mask: NDArray[np.bool_], pitch: float
    ) -> None:
        self.mask = mask
        body = body_geometry(mask)
        absorption, scattering = scale[0] * (1.0 - design.exvivo.drained_share), scale[1]

        def system(wavelength: float) -> DiffusionSystem:
            optics = tissue_optics(kind.tissue, wavelength)
            return build_system(
                np.full(mask.shape, optics.absorption_per_mm * absorption),
                np.full(mask.shape, optics.reduced_scattering_per_mm * scattering),
                body,
                voxel_mm=pitch,
                refractive_index=optics.refractive_index,
            )

        lamp = system(design.instrument.excitation_nm)
        beam = collimated_source(lamp, side="top", irradiance=1.0)
        fluence = solve(lamp, beam.source[:, None], tolerance=SOLVER_TOLERANCE)[:, 0] + beam.fluence
        self.fluence = np.zeros(mask.shape)
        self.fluence[mask] = fluence
        self.bands = [system(band.centre_nm) for band in design.instrument.bands]

    def radiance(self, density: NDArray[np.float64], band: int) -> NDArray[np.float64]:
        """Radiance towards the camera of what glows with a density under unit irradiance, dims (y, x)."""
        source = (density * self.fluence)[self.mask][:, None]
        if not source.any():
            return np.zeros(self.mask.shape[1:])
        fluence = solve(self.bands[band], source, tolerance=SOLVER_TOLERANCE)[:, 0]
        return radiance_from_exitance(surface_map(self.bands[band], fluence, side="top", outside=0.0))


def _coloured(
    design: Design, who: Individual, own: NDArray[np.float64], kind: OrganKind, slope: float
) -> NDArray[np.float64]:
    """Tissue glow on the scale of the living animal's, in its colour."""
    colour = np.array([band.autofluorescence for band in design.instrument.bands])
    colour = colour / colour.sum()
    total = own.sum(axis=0)
    level = design.world.autofluorescence_radiance * design.instrument.excitation_mw_per_cm2 * who.autofluorescence
    mean = float(total[total > 0].mean())
    centres = np.array([band.centre_nm for band in design.instrument.bands])
    tint = 1.0 + slope * (centres - centres.mean()) / 30.0
    return np.asarray(total / mean * kind.glow * level * (colour * tint)[:, None, None])
