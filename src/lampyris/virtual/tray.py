"""Virtual trays: the organs of animals laid out in rows, photographed and imaged with the camera of the living animals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from lampyris.core.schemas import AssayRow, OrganRow
from lampyris.core.seeds import seed_sequence
from lampyris.probe.probe import band_fractions, probe_from_settings
from lampyris.virtual.design import Design
from lampyris.virtual.frames import DrawnCamera, choose_exposures, draw_counts, leakage_radiance
from lampyris.virtual.individual import Individual
from lampyris.virtual.organs import DrawnOrgan, draw_organs
from lampyris.virtual.raw_files import Shot

# black paper between organs, and to the edge of the image
GAP_MM, EDGE_MM = 3.0, 5.0
JITTER_MM = 1.0
TRAY_REFLECTANCE = 0.04
_FINE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Excised:
    """An animal after its last session.

    Parameters
    ----------
    who : Individual
    amounts : dict of str to float
        Cell equivalents of each source on its last day.
    """

    who: Individual
    amounts: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """An organ at its place on a tray: the middle in mm from the first pixel's centre.

    Parameters
    ----------
    organ : DrawnOrgan
    y_mm, x_mm : float
    touching : bool
        It lies against the organ before it.
    """

    organ: DrawnOrgan
    y_mm: float
    x_mm: float
    touching: bool


@dataclass(frozen=True, slots=True, eq=False)
class Tray:
    """A tray as it was laid out, and its light without noise.

    Parameters
    ----------
    name : str
    arm : str
    organs : tuple of Laid
        By place: row by row, from the left.
    labels : ndarray of uint8, dims (y, x)
        Place of the organ that each pixel's centre lies on, 0 on the tray.
    flux : tuple of float
        Probe light of each organ, Lambertian, ph s-1.
    shot : Shot
    """

    name: str
    arm: str
    organs: tuple[Laid, ...]
    labels: NDArray[np.uint8]
    flux: tuple[float, ...]
    shot: Shot


def draw_trays(
    design: Design,
    drawn: DrawnCamera,
    darks: Mapping[float, NDArray[np.uint16]],
    animals: Sequence[Excised],
    /,
    *,
    seed: int,
    acquired: str,
) -> tuple[Tray, ...]:
    """Cut out and lay out the organs of animals, and image them.

    Parameters
    ----------
    design : Design
    drawn : DrawnCamera
    darks : mapping of exposure to ndarray, dims (y, x)
    animals : sequence of Excised
        Those of one arm share trays.
    seed : int
    acquired : str
        ISO 8601 time of the images.

    Returns
    -------
    tuple of Tray

    Raises
    ------
    ValueError
        If organs do not fit on their tray.
    """
    most = design.exvivo.animals_per_tray
    arms: dict[str, list[Excised]] = {}
    for one in animals:
        arms.setdefault(one.who.arm, []).append(one)
    trays = []
    for arm, members in arms.items():
        for number, start in enumerate(range(0, len(members), most), start=1):
            name = f"{arm}-tray{number}"
            rng = np.random.default_rng(seed_sequence("virtual", design.name, name, "tray", seed))
            laid = lay_out(design, [_organs(design, one, seed) for one in members[start : start + most]], rng)
            trays.append(_imaged(design, drawn, darks, (name, arm), laid, acquired, rng))
    return tuple(trays)


def _organs(design: Design, one: Excised, seed: int) -> list[DrawnOrgan]:
    rng = np.random.default_rng(seed_sequence("virtual", design.name, one.who.animal, "organs", seed))
    organs = list(draw_organs(design, one.who, one.amounts, rng))
    return [organs[index] for index in rng.permutation(len(organs))]


def lay_out(design: Design, animals: Sequence[Sequence[DrawnOrgan]], rng: np.random.Generator, /) -> tuple[Laid, ...]:
    """Lay organs in rows, each animal beginning one; now and then one lies against the one before.

    Parameters
    ----------
    design : Design
    animals : sequence of sequence of DrawnOrgan
    rng : numpy.random.Generator

    Returns
    -------
    tuple of Laid
        Row by row, from the left.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    height, width = (count * design.instrument.pixel_mm for count in design.camera.pixels)
    rows: list[list[tuple[DrawnOrgan, float, bool]]] = []
    for organs in animals:
        row: list[tuple[DrawnOrgan, float, bool]] = []
        x = EDGE_MM
        for organ in organs:
            reach = _reach(organ)
            touching = bool(row) and rng.random() < design.exvivo.touch_probability
            if row and x + 2 * reach[1] + GAP_MM > width - EDGE_MM:
                rows.append(row)
                row, x, touching = [], EDGE_MM, False
            if touching:
                before, at, _ = row[-1]
                at_x = at + _contact(before, organ)
            else:
                at_x = x + (GAP_MM if row else 0.0) + float(rng.uniform(0, 2 * JITTER_MM)) + reach[1]
            row.append((organ, at_x, touching))
            x = max(x, at_x + reach[1])
        rows.append(row)
    laid = []
    top = EDGE_MM
    for row in rows:
        half = max(_reach(organ)[0] for organ, _, _ in row) + JITTER_MM
        shift = 0.0
        for organ, x, touching in row:
            # what touches shares its neighbour's height on the tray, so that it stays in contact
            shift = shift if touching else float(rng.uniform(-JITTER_MM, JITTER_MM))
            laid.append(Laid(organ, top + half + shift, x, touching))
        top += 2 * half + GAP_MM
    if top - GAP_MM > height - EDGE_MM + 1e-9:
        raise ValueError(
            f"{len(laid)} organs need {top - GAP_MM + EDGE_MM:.0f} mm of a tray of {height:.0f} mm: "
            "fewer animals per tray, or more pixels"
        )
    return tuple(laid)


def _outline(organ: DrawnOrgan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners (y, x) of its outline about the middle, mm."""
    angle = np.linspace(0.0, 2 * np.pi, 360, endpoint=False)
    y, x = np.cos(angle), np.sin(angle)
    radius = 1.0 / organ.shape.distance(y, x)
    return radius * y, radius * x


def _reach(organ: DrawnOrgan) -> tuple[float, float]:
    y, x = _outline(organ)
    return float(np.abs(y).max()), float(np.abs(x).max())


def _contact(left: DrawnOrgan, right: DrawnOrgan) -> float:
    """How far to the right of one organ's middle the other's must lie for the two to just touch on one height."""
    step = 0.1
    reach = max(_reach(left)[0], _reach(right)[0])
    rows = np.arange(-reach, reach, step)
    facing, behind = (_sides(organ, rows, side) for organ, side in ((left, 1.0), (right, -1.0)))
    held = np.isfinite(facing) & np.isfinite(behind)
    return float((facing[held] + behind[held]).max()) - 0.1


def _sides(organ: DrawnOrgan, rows: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    """How far the outline goes to one side at each height, NaN beyond it."""
    y, x = _outline(organ)
    out = np.full(rows.size, np.nan)
    for index, row in enumerate(rows):
        near = np.abs(y - row) < 0.4
        if near.any():
            out[index] = (side * x[near]).max()
    return out


def _imaged(
    design: Design,
    drawn: DrawnCamera,
    darks: Mapping[float, NDArray[np.uint16]],
    named: tuple[str, str],
    laid: tuple[Laid, ...],
    acquired: str,
    rng: np.random.Generator,
) -> Tray:
    pixel, shape = design.instrument.pixel_mm, design.camera.pixels
    bands = len(design.instrument.bands)
    light, flux = np.zeros((bands, *shape)), []
    for one in laid:
        probe, glow = (_projected(one, maps, shape, pixel) for maps in (one.organ.probe, one.organ.glow))
        flux.append(float(np.pi * probe.sum() * (pixel / 10.0) ** 2))
        light += probe * drawn.probe_factor[:, None, None] + glow * drawn.autofluorescence_factor[:, None, None]
    labels, reflectance = _seen(design, laid, rng)
    light += _tray_glow(design, shape, rng) * (labels == 0)
    leak = leakage_radiance(design) * drawn.leakage_factor
    radiance = light + leak[:, None, None] * reflectance[None]
    exposure = choose_exposures(drawn.camera, radiance, design.camera.exposures_s)
    counts = draw_counts(drawn.camera, radiance, exposure, rng, cosmic_per_s=design.camera.cosmic_per_frame_s)
    blurred = gaussian_filter(reflectance, 0.5 * design.instrument.blur_mm / pixel)
    grey = blurred * 50000.0 * (1.0 + rng.normal(0.0, 0.01, shape))
    name, arm = named
    shot = Shot(
        folder="exvivo/raw",
        session=name,
        view="organs",
        acquired=acquired,
        counts=counts,
        exposure_s=exposure,
        picture=np.clip(np.rint(grey), 0, 65535).astype(np.uint16),
        darks=np.stack([darks[seconds] for seconds in exposure.tolist()]),
        labels={"experiment": design.name, "group": arm, "comment": name, "instrument": design.instrument.name},
    )
    return Tray(name, arm, laid, labels, tuple(flux), shot)


def _window(one: Laid, shape: tuple[int, int], pixel: float) -> tuple[slice, slice]:
    """Rows and columns of the image that an organ, and a pixel or two about it, may cover."""
    reach = one.organ.shape.reach_mm + 2.0 * one.organ.pitch_mm + 2.0 * pixel
    starts = [max(math.floor((at - reach) / pixel), 0) for at in (one.y_mm, one.x_mm)]
    stops = [
        min(math.ceil((at + reach) / pixel) + 1, size) for at, size in zip((one.y_mm, one.x_mm), shape, strict=True)
    ]
    return slice(starts[0], stops[0]), slice(starts[1], stops[1])


def _fine(part: slice, pixel: float) -> NDArray[np.float64]:
    """Places of `_FINE` points in each pixel of a part of the image, mm."""
    count = part.stop - part.start
    return (part.start - 0.5 + (np.arange(_FINE * count) + 0.5) / _FINE) * pixel


def _in_pixels(fine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over each pixel's points, dims (y, x)."""
    height, width = (size // _FINE for size in fine.shape)
    return np.asarray(fine.reshape(height, _FINE, width, _FINE).mean(axis=(1, 3)))


def _projected(one: Laid, maps: NDArray[np.float64], shape: tuple[int, int], pixel: float) -> NDArray[np.float64]:
    """Maps of the organ's columns on the camera's pixels, dims (channel, y, x); what a column sends is kept."""
    part = _window(one, shape, pixel)
    middle = (maps.shape[1] - 1) / 2
    where = np.meshgrid(
        *(
            (_fine(side, pixel) - at) / one.organ.pitch_mm + middle
            for side, at in zip(part, (one.y_mm, one.x_mm), strict=True)
        ),
        indexing="ij",
    )
    out = np.zeros((len(maps), *shape))
    for channel, values in enumerate(maps):
        laid = _in_pixels(map_coordinates(values, where, order=0, mode="constant", cval=0.0))
        total = laid.sum() * pixel**2
        # sampling must neither make nor lose light
        out[channel][part] = laid * (values.sum() * one.organ.pitch_mm**2 / total if total != 0 else 0.0)
    return out


def _seen(
    design: Design, laid: tuple[Laid, ...], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Place of the organ on each pixel, and the reflectance of tray and organs, dims (y, x)."""
    shape, pixel = design.camera.pixels, design.instrument.pixel_mm
    labels = np.zeros(shape, np.uint8)
    y, x = (np.linspace(-0.5, 0.5, size) for size in shape)
    tilt = 0.15 * rng.normal(size=2)
    reflectance = TRAY_REFLECTANCE * (1.0 + tilt[0] * y[:, None] + tilt[1] * x[None, :])
    texture = gaussian_filter(rng.standard_normal(shape), 1.5 / pixel)
    texture *= 0.06 / texture.std()
    for place, one in enumerate(laid, start=1):
        part = _window(one, shape, pixel)
        away = np.meshgrid(
            *(_fine(side, pixel) - at for side, at in zip(part, (one.y_mm, one.x_mm), strict=True)), indexing="ij"
        )
        distance = one.organ.shape.distance(*away)
        cover, height = _in_pixels((distance <= 1.0).astype(float)), _in_pixels(one.organ.shape.height(distance))
        centres = distance[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE]
        labels[part][(centres <= 1.0) & (labels[part] == 0)] = place
        slope = np.hypot(*np.gradient(gaussian_filter(height, 1.0), pixel))
        shade = 0.75 + 0.25 / np.sqrt(1.0 + slope**2)
        own = one.organ.reflectance * shade * (1.0 + texture[part])
        reflectance[part] = (1.0 - cover) * reflectance[part] + cover * own
    return labels, reflectance


def _tray_glow(design: Design, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth glow of the tray itself, partly in the probe's colour, dims (channel, y, x)."""
    instrument = design.instrument
    colour = np.array([band.autofluorescence for band in instrument.bands])
    colour = colour / colour.sum()
    if design.probes:
        name, settings = next(iter(design.probes.items()))
        own = band_fractions(probe_from_settings(name, settings), instrument.bands)
        share = design.exvivo.tray_probe_colour
        colour = (1.0 - share) * colour + share * own / own.sum()
    level = design.exvivo.tray_glow * design.world.autofluorescence_radiance * instrument.excitation_mw_per_cm2
    y, x = (np.linspace(-1.0, 1.0, count) for count in shape)
    tilt = rng.normal(0.0, 0.15, 3)
    field = 1.0 + tilt[0] * y[:, None] + tilt[1] * x[None, :] + tilt[2] * y[:, None] * x[None, :]
    return np.asarray(level * np.maximum(field, 0.1) * colour[:, None, None])


def organ_rows(tray: Tray, file: str, rng: np.random.Generator, /, *, weighing_sd_g: float) -> list[OrganRow]:
    """Rows of organs.csv of one tray, as a person would weigh and note them."""
    return [
        OrganRow(
            row=0,
            animal=one.organ.animal,
            organ=one.organ.kind.organ,
            weight_g=round(max(one.organ.weight_g + float(rng.normal(0.0, weighing_sd_g)), 1e-4), 4),
            weight_sd_g=weighing_sd_g,
            file=file,
            place=place,
            y_mm=math.nan,
            x_mm=math.nan,
            thickness_mm=math.nan,
            tissue="",
        )
        for place, one in enumerate(tray.organs, start=1)
    ]


def tray_rows(
    design: Design, tray: Tray, image: str, photo: str, backgrounds: Sequence[str], probe: str, /
) -> list[AssayRow]:
    """Rows of assays.csv of one tray, one per band."""
    return [
        AssayRow(
            row=0, kind="exvivo", file=image, animal="", organ="", section="", channel=band.channel, stain="",
            exposure_s=float(seconds), background=background, photo=photo, outlines="", pixel_um=math.nan, probe=probe,
            lot="", replicate="", date=tray.shot.acquired[:10], instrument="",
        )
        for band, seconds, background in zip(design.instrument.bands, tray.shot.exposure_s, backgrounds, strict=True)
    ]  # fmt: skip
