"""What a drawn animal sends to the camera: maps of exitance per source, view and band, and how bright each is on a day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lampyris.core.seeds import seed_sequence
from lampyris.imaging.forward import (
    Phantom,
    SurfaceGrid,
    build_phantom,
    radiance_from_exitance,
    surface_exitance,
    surface_grid,
)
from lampyris.probe.probe import band_fractions, photon_irradiance_per_mm2, probe_from_settings
from lampyris.tissue.anatomy import Anatomy, build_anatomy, surface_point_mm
from lampyris.virtual.design import Design
from lampyris.virtual.individual import Individual, Stray, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A drawn animal's light, noise-free, in its own frame.

    Parameters
    ----------
    grid : SurfaceGrid
        Of all maps.
    sources : tuple of str
        ``lesion 1`` ..., ``halo``, ``liver and spleen``, ``lungs``, ``blood`` (injected probes), ``injection site``,
        ``bladder`` (dyes); then what holds no probe: ``food SESSION``, ``artefact SESSION``.
    probe : ndarray, dims (source, view, channel, y, x)
        Radiance per labelled-cell equivalent, ph s-1 cm-2 sr-1; whole-organ sources per cell equivalent held by the organ.
        Of what holds no probe, radiance per unit of its `Stray.strength`, in its own colour.
    autofluorescence : ndarray, dims (view, channel, y, x)
        Radiance, texture included, colour of the bands not yet applied to filters.
    reflectance : ndarray, dims (view, y, x)
        Share of the lamp's light sent back, for leakage and the photograph.
    places : dict of name to (z, y, x)
        Of each of `sources`, in the animal's frame in mm; of what fills organs their centroid.
    """

    grid: SurfaceGrid
    sources: tuple[str, ...]
    probe: NDArray[np.float64]
    autofluorescence: NDArray[np.float64]
    reflectance: NDArray[np.float64]
    places: dict[str, Vector]


def build_scene(design: Design, who: Individual, /, *, seed: int) -> Scene:
    """Light transport through a drawn animal, for every source that may light up in it."""
    anatomy = build_anatomy(who.parameters, voxel_mm=design.world.voxel_mm)
    bands = design.instrument.bands
    phantom = build_phantom(
        anatomy,
        excitation_nm=design.instrument.excitation_nm,
        emission_nm=tuple(band.centre_nm for band in bands),
        optics_scale=who.optics_scale,
    )
    names, clouds = _clouds(design, who, anatomy)
    food = [one for one in who.strays if one.name.startswith("food")]
    lumps = [_lump(anatomy, one) for one in food]
    tissue = _tissue_sources(design, anatomy)
    views = design.views
    count = len(names) * len(views)
    lit = (
        np.stack([cloud * phantom.excitation_fluence[view] for cloud in (*clouds, *lumps) for view in views])
        if names or lumps
        else np.empty((0, *anatomy.labels.shape))
    )
    glow = np.stack([tissue * phantom.excitation_fluence[view] for view in views])
    order = tuple(views) * (len(names) + len(lumps) + 1)
    maps = np.stack(
        [surface_exitance(phantom, band, np.concatenate([lit, glow]), views=order) for band in range(len(bands))],
        axis=1,
    )
    shape = maps.shape[-2:]
    lamp = photon_irradiance_per_mm2(design.instrument.excitation_mw_per_cm2, design.instrument.excitation_nm)
    probe = np.zeros((0, len(views), len(bands), *shape))
    if names:
        dot = probe_from_settings(who.probe, design.probes[who.probe])
        per_cell = lamp * dot.photons_per_cell_fluence_mm2 * who.brightness * band_fractions(dot, bands)
        probe = radiance_from_exitance(maps[:count].reshape(len(names), len(views), len(bands), *shape))
        probe = probe * per_cell[:, None, None]
    glow_maps = maps[-len(views) :]
    glowing = maps[count : -len(views)].reshape(len(food), len(views), len(bands), *shape)
    grid = surface_grid(anatomy)
    strays = dict(zip((one.name for one in food), _food(design, who, food, glowing, glow_maps), strict=True))
    strays |= {one.name: _artefact(design, who, one, glow_maps, grid) for one in who.strays if one.name not in strays}
    return Scene(
        grid=grid,
        sources=(*names, *(one.name for one in who.strays)),
        probe=np.concatenate([probe, *(strays[one.name][None] for one in who.strays)]),
        autofluorescence=_autofluorescence(design, who, glow_maps, seed),
        reflectance=_reflectance(anatomy, phantom, views),
        places={name: _centroid(anatomy, cloud) for name, cloud in zip(names, clouds, strict=True)}
        | {one.name: one.position_mm for one in who.strays},
    )


def _clouds(design: Design, who: Individual, anatomy: Anatomy) -> tuple[tuple[str, ...], list[NDArray[np.float64]]]:
    """Density per cell equivalent (mm-3) of every source that carries probe."""
    if not who.sites:
        return (), []
    clouds = {f"lesion {site.number}": _ball(anatomy, site.position_mm, site.radius_mm) for site in who.sites}
    clouds["halo"] = _ball(anatomy, who.sites[0].position_mm, design.world.halo_mm)
    clouds["liver and spleen"] = _organs(anatomy, ("liver", "spleen"))
    clouds["lungs"] = _organs(anatomy, ("lungs",))
    tail = np.array(surface_point_mm("tail vein")) * who.parameters.scale
    if design.arms[who.arm].label == "injected":
        clouds["blood"] = _organs(anatomy, anatomy.names)
    clouds["injection site"] = _ball(anatomy, (float(tail[0]), float(tail[1]), float(tail[2])), 1.0)
    if excreted_share(design, who) > 0:
        clouds["bladder"] = _organs(anatomy, ("bladder",))
    return tuple(clouds), list(clouds.values())


def excreted_share(design: Design, who: Individual, /) -> float:
    """Share of the label lost within a day that stands in the bladder; none for dots, and for a probe that was injected."""
    if not who.sites or design.arms[who.arm].label == "injected" or design.probes[who.probe].kind != "dye":
        return 0.0
    return design.world.freed_to_bladder_share


def _lump(anatomy: Anatomy, food: Stray) -> NDArray[np.float64]:
    """Glow of a lump of food against that of other tissue, 1 in its middle."""
    density = _ball(anatomy, food.position_mm, food.radius_mm)
    return density / density.max()


def _ball(anatomy: Anatomy, centre: tuple[float, float, float], radius: float) -> NDArray[np.float64]:
    axes = anatomy.coordinates()
    parts = [np.exp(-0.5 * ((points - at) / radius) ** 2) for points, at in zip(axes, centre, strict=True)]
    density = parts[0][:, None, None] * parts[1][None, :, None] * parts[2][None, None, :] * anatomy.inside
    return density / (density.sum() * anatomy.voxel_mm**3)


def _organs(anatomy: Anatomy, names: tuple[str, ...]) -> NDArray[np.float64]:
    mask = np.logical_or.reduce([anatomy.region(name) for name in names]).astype(float)
    return mask / (mask.sum() * anatomy.voxel_mm**3)


def _centroid(anatomy: Anatomy, density: NDArray[np.float64]) -> Vector:
    z, y, x = (
        float(density.sum(axis=tuple({0, 1, 2} - {axis})) @ points / density.sum())
        for axis, points in enumerate(anatomy.coordinates())
    )
    return z, y, x


def _tissue_sources(design: Design, anatomy: Anatomy) -> NDArray[np.float64]:
    """Relative density of what glows by itself: every tissue, the skin more, the gut by what was eaten."""
    density = anatomy.inside.astype(float)
    density[anatomy.region("skin")] = 3.0
    diet = design.world.chow_factor if design.diet == "chow" else 1.0
    for organ in ("gut", "stomach"):
        density[anatomy.region(organ)] = 1.0 + design.world.gut_relative * diet
    return density


def _autofluorescence(design: Design, who: Individual, maps: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Scale the tissue's glow to the design's level, give it its colour and a texture.

    Parameters
    ----------
    maps : ndarray, dims (view, channel, y, x)
    """
    world, bands = design.world, design.instrument.bands
    rng = np.random.default_rng(seed_sequence("virtual", design.name, who.animal, "texture", seed))
    colour = _own_colour(design)
    body = maps > 0
    level = _glow_level(design, who)
    centres = np.array([band.centre_nm for band in bands])
    out = np.empty_like(maps)
    for view in range(maps.shape[0]):
        mean = maps[view][body[view]].mean()
        texture = np.exp(_field(rng, maps.shape[-2:], world.texture_mm / world.voxel_mm, world.texture_relative_sd))
        slope = _field(rng, maps.shape[-2:], world.texture_mm / world.voxel_mm, world.colour_relative_sd)
        bend = _field(rng, maps.shape[-2:], world.texture_mm / world.voxel_mm, world.colour_relative_sd / 2)
        step = (centres - centres.mean()) / 30.0
        tint = 1.0 + slope[None] * step[:, None, None] + bend[None] * (step**2)[:, None, None]
        out[view] = maps[view] / mean * level * colour[:, None, None] * texture[None] * tint
    return out


def _own_colour(design: Design) -> NDArray[np.float64]:
    colour = np.array([band.autofluorescence for band in design.instrument.bands])
    return colour / colour.sum()


def _glow_level(design: Design, who: Individual) -> float:
    """Mean autofluorescence of the body, summed over the bands."""
    return design.world.autofluorescence_radiance * design.instrument.excitation_mw_per_cm2 * who.autofluorescence


def _food(
    design: Design, who: Individual, food: list[Stray], maps: NDArray[np.float64], glow: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Radiance of each lump per unit of strength, on the scale of the tissue's own glow.

    Parameters
    ----------
    maps : ndarray, dims (lump, view, channel, y, x)
    glow : ndarray, dims (view, channel, y, x)
        Of the tissue.

    Returns
    -------
    list of ndarray, dims (view, channel, y, x)
    """
    # food does not know the animal's arm: its colour leans towards the study's first probe
    probes = [
        band_fractions(probe_from_settings(name, one), design.instrument.bands) for name, one in design.probes.items()
    ]
    out = []
    for lump, own in zip(food, maps, strict=True):
        colour = _own_colour(design)
        if probes:
            colour = (1.0 - lump.colour) * colour + lump.colour * probes[0] / probes[0].sum()
        mean = np.array([one[one > 0].mean() for one in glow])
        out.append(own / mean[:, None, None, None] * _glow_level(design, who) * colour[:, None, None])
    return out


def _artefact(
    design: Design, who: Individual, spot: Stray, glow: NDArray[np.float64], grid: SurfaceGrid
) -> NDArray[np.float64]:
    """Radiance of a thing on the skin per unit of strength, dims (view, channel, y, x): no tissue lies above it."""
    centres = np.array([band.centre_nm for band in design.instrument.bands])
    colour = np.exp(spot.colour * (centres - centres.mean()) / 30.0)
    colour = colour / colour.sum()
    rows, columns = (np.arange(count) * grid.pitch_mm for count in glow.shape[-2:])
    along = (rows + grid.y_mm - spot.position_mm[1]) / spot.radius_mm
    aside = (columns + grid.x_mm - spot.position_mm[2]) / spot.radius_mm
    shape = np.exp(-0.5 * (along[:, None] ** 2 + aside[None, :] ** 2))
    out = np.zeros_like(glow)
    view = design.views.index(spot.view)
    # off the animal there is no skin for it to lie on
    out[view] = np.where(glow[view] > 0, shape * colour[:, None, None] * _glow_level(design, who), 0.0)
    return out


def _field(rng: np.random.Generator, shape: tuple[int, ...], sigma: float, sd: float) -> NDArray[np.float64]:
    """Smooth Gaussian random field with the given standard deviation."""
    noise = gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    return noise / noise.std() * sd


def _reflectance(anatomy: Anatomy, phantom: Phantom, views: tuple[str, ...]) -> NDArray[np.float64]:
    """Diffuse reflectance seen from above each side: shading of a rounded body, 0 off the animal."""
    maps = []
    for view in views:
        inside = anatomy.inside if view == "dorsal" else anatomy.inside[::-1]
        height = np.where(inside.any(axis=0), inside.shape[0] - inside[::-1].argmax(axis=0), 0) * anatomy.voxel_mm
        smooth = gaussian_filter(height.astype(float), 1.5)
        slope_y, slope_x = np.gradient(smooth, anatomy.voxel_mm)
        shade = 1.0 / np.sqrt(1.0 + slope_y**2 + slope_x**2)
        maps.append(np.where(inside.any(axis=0), 0.25 + 0.35 * shade, 0.0))
    return np.stack(maps)
