"""What the skin would show of a cell anywhere in the nominal animal, and how far real animals depart from it.

Per voxel of the nominal animal: the light that each place of the skin sends towards each view (adjoint fields of
`lampyris.imaging.forward`), the probability that the voxel belongs to each organ, and the covariance of the logarithms of
the two views' fluxes. The last two come from an ensemble of animals spread evenly over the stated uncertainty of anatomy and
optics. The grid is coarser than that of limits and regions: a posterior is wider than its voxels.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.special import ndtri

from lampyris.core.seeds import seed_sequence
from lampyris.core.settings import Instrument
from lampyris.imaging.forward import SIDE_OF_VIEW, Phantom, build_phantom, skin_sensitivity, visible_share
from lampyris.probe.probe import Probe, band_fractions, photon_irradiance_per_mm2
from lampyris.tissue.anatomy import Anatomy, build_anatomy, half_width_mm
from lampyris.tissue.variation import anatomy_deviates, varied_anatomy, varied_optics

TABLE_VOXEL_MM = 1.2
# animals of the ensemble
ENSEMBLE = 32
# lengths and widths are measured from the outline, the height is not
HEIGHT_RELATIVE_SD = 0.03
# where a place belongs to no organ
ELSEWHERE = "subcutis"
NOT_ORGANS = ("muscle", "skin", "tail", "skeleton")
# a share of organ probability this small is rounding of the ensemble, not knowledge
LEAST_PROBABILITY = 1e-3
VIEWS = tuple(SIDE_OF_VIEW)
_ENSEMBLE_PART = "ensemble"
LIGHT_PARTS = (*VIEWS, _ENSEMBLE_PART)
"""What the table of any probe is made from, each of which can be computed by itself: both views' fields, and the ensemble."""
# sets of wavelengths whose parts are kept: excitation, and the bands' centres; nothing else of an instrument counts for them
_KEPT = 2
Wavelengths = tuple[float, tuple[float, ...]]
_LOCK = threading.Lock()
_PARTS: dict[tuple[Wavelengths, str], dict[str, NDArray[Any]]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class LightTable:
    """The nominal animal's light, voxel by voxel.

    Parameters
    ----------
    points_mm : ndarray, dims (voxel, 3)
        Centres (z, y, x) in the nominal animal's frame; body without tail.
    depth_mm : dict of view to ndarray, dims (voxel,)
        Below the surface that the view sees.
    columns_mm : dict of view to ndarray, dims (column, 2)
        Places (y, x) of the skin.
    flux : dict of view to ndarray of float32, dims (column, voxel)
        Photons per second over the recorded bands that leave through the column, per photon per second and unit fluence
        rate that the voxel's cell would emit at the lamp's irradiance; times `Probe.photons_per_cell_fluence_mm2` per cell.
    whole_flux : dict of view to ndarray, dims (voxel,)
        The same over all columns: what the view receives in all.
    organs : tuple of str
        `ELSEWHERE` first.
    organ_probability : ndarray, dims (organ, voxel)
        Over the ensemble; sums to 1 per voxel.
    log_flux_shift : ndarray, dims (view, voxel)
        Mean over the ensemble of the logarithm of each view's whole flux against the nominal animal's.
    log_flux_covariance : ndarray, dims (view, view, voxel)
    pitch_mm : float
        Of voxels and columns.
    """

    points_mm: NDArray[np.float64]
    depth_mm: dict[str, NDArray[np.float64]]
    columns_mm: dict[str, NDArray[np.float64]]
    flux: dict[str, NDArray[np.float32]]
    whole_flux: dict[str, NDArray[np.float64]]
    organs: tuple[str, ...]
    organ_probability: NDArray[np.float64]
    log_flux_shift: NDArray[np.float64]
    log_flux_covariance: NDArray[np.float64]
    pitch_mm: float


def light_table(instrument: Instrument, probe: Probe, /) -> LightTable:
    """Light table of the nominal animal, computed on first use and kept.

    Parameters
    ----------
    instrument : Instrument
    probe : Probe
        Its emission weights the bands.

    Returns
    -------
    LightTable
    """
    fractions = tuple(np.round(band_fractions(probe, instrument.bands), 12).tolist())
    with _LOCK:
        return _light_table(instrument, fractions)


def light_part(instrument: Instrument, part: str, /) -> dict[str, NDArray[Any]]:
    """One of `LIGHT_PARTS`, computed on first use and kept.

    Parameters
    ----------
    instrument : Instrument
    part : str

    Returns
    -------
    dict of str to ndarray
        For `keep_light_part` of another process.
    """
    with _LOCK:
        return _light_part(instrument, part)


def keep_light_part(instrument: Instrument, part: str, arrays: dict[str, NDArray[Any]], /) -> None:
    """Take over what `light_part` gave in another process, so that this one need not compute it.

    Parameters
    ----------
    instrument : Instrument
    part : str
    arrays : dict of str to ndarray
    """
    with _LOCK:
        _keep(instrument, part, arrays)


def has_light_part(instrument: Instrument, part: str, /) -> bool:
    """Whether this process has a part already."""
    return (_wavelengths(instrument), part) in _PARTS


def _wavelengths(instrument: Instrument) -> Wavelengths:
    return instrument.excitation_nm, tuple(band.centre_nm for band in instrument.bands)


def _light_part(instrument: Instrument, part: str) -> dict[str, NDArray[Any]]:
    known = _PARTS.get((_wavelengths(instrument), part))
    if known is None:
        wavelengths = _wavelengths(instrument)
        known = _ensemble(wavelengths) if part == _ENSEMBLE_PART else _skin_fields(wavelengths, part)
        _keep(instrument, part, known)
    return known


def _keep(instrument: Instrument, part: str, arrays: dict[str, NDArray[Any]]) -> None:
    _PARTS[_wavelengths(instrument), part] = arrays
    kept = list(dict.fromkeys(known for known, _ in reversed(_PARTS)))[:_KEPT]
    for key in [key for key in _PARTS if key[0] not in kept]:
        del _PARTS[key]


@lru_cache(maxsize=4)
def _light_table(instrument: Instrument, fractions: tuple[float, ...]) -> LightTable:
    anatomy = build_anatomy(voxel_mm=TABLE_VOXEL_MM)
    inside = anatomy.inside
    body = ~anatomy.region("tail")[inside]
    _, y, x = anatomy.coordinates()
    points = _points(anatomy)
    lamp = photon_irradiance_per_mm2(instrument.excitation_mw_per_cm2, instrument.excitation_nm)
    flux, whole, columns, depth = {}, {}, {}, {}
    for view, side in SIDE_OF_VIEW.items():
        fields = _light_part(instrument, view)
        # the bands' shapes hardly differ: the middle band gives the shape, all of them the amount
        amount = np.sum([part * share for part, share in zip(fractions, fields["share"], strict=True)], axis=0)
        scale = lamp * fields["excitation"] * amount / fields["seen"].sum(axis=0)
        places = fields["columns"]
        columns[view] = np.stack([y[places[:, 0]], x[places[:, 1]]], axis=1)
        inside_share = _coverage(columns[view], instrument.pixel_mm).astype(np.float32)
        flux[view] = fields["seen"][:, body]
        flux[view] *= scale.astype(np.float32)[body]
        flux[view] *= inside_share[:, None]
        whole[view] = (lamp * fields["excitation"] * amount)[body]
        depth[view] = anatomy.depth_mm(side=side)[inside][body]
    ensemble = _light_part(instrument, _ENSEMBLE_PART)
    return LightTable(
        points_mm=points,
        depth_mm=depth,
        columns_mm=columns,
        flux=flux,
        whole_flux=whole,
        organs=tuple(ensemble["organs"].tolist()),
        organ_probability=ensemble["organ_probability"],
        log_flux_shift=ensemble["log_flux_shift"],
        log_flux_covariance=ensemble["log_flux_covariance"],
        pitch_mm=TABLE_VOXEL_MM,
    )


def _coverage(columns_mm: NDArray[np.float64], margin_mm: float) -> NDArray[np.float64]:
    """Share of each column that lies inside the outline by more than the pixel that the analysis leaves out at the edge."""
    y, x = columns_mm.T
    outer = half_width_mm(y) - margin_mm
    return np.clip((outer - np.abs(x)) / TABLE_VOXEL_MM + 0.5, 0.0, 1.0)


def _skin_fields(wavelengths: Wavelengths, view: str) -> dict[str, NDArray[Any]]:
    """Adjoint fields of the nominal animal: shared by all probes; voxels in the order of the body."""
    excitation_nm, emission_nm = wavelengths
    phantom = build_phantom(
        build_anatomy(voxel_mm=TABLE_VOXEL_MM), excitation_nm=excitation_nm, emission_nm=emission_nm
    )
    inside = phantom.anatomy.inside
    columns, seen = skin_sensitivity(phantom, len(emission_nm) // 2, view=view)
    return {
        "columns": columns,
        "seen": seen,
        "share": np.stack([visible_share(phantom, band, view=view)[inside] for band in range(len(emission_nm))]),
        "excitation": phantom.excitation_fluence[view][inside],
    }


def _points(anatomy: Anatomy) -> NDArray[np.float64]:
    """Centres (z, y, x) of the body's voxels without the tail."""
    z, y, x = anatomy.coordinates()
    index = np.argwhere(anatomy.inside & ~anatomy.region("tail"))
    return np.stack([z[index[:, 0]], y[index[:, 1]], x[index[:, 2]]], axis=1)


def _ensemble(wavelengths: Wavelengths) -> dict[str, NDArray[Any]]:
    """Organ probabilities, and mean and covariance of the views' log flux, over animals as they may be."""
    from scipy.stats import qmc  # takes half a second to import

    nominal = build_anatomy(voxel_mm=TABLE_VOXEL_MM)
    points = _points(nominal)
    tissues = tuple(sorted(set(nominal.tissues)))
    organs = (ELSEWHERE, *(name for name in nominal.names if name not in NOT_ORGANS))
    count = anatomy_deviates()
    rng = np.random.default_rng(seed_sequence("imaging", "ensemble"))
    deviates = ndtri(qmc.LatinHypercube(1 + count + 2 * len(tissues), rng=rng).random(ENSEMBLE))
    belongs = np.zeros((len(organs), len(points)))
    logs = np.empty((ENSEMBLE, len(VIEWS), len(points)))
    for number, row in enumerate(deviates):
        height = float(np.exp(HEIGHT_RELATIVE_SD * row[0]))
        anatomy = build_anatomy(varied_anatomy(row[1 : count + 1], size=(1.0, 1.0, height)), voxel_mm=TABLE_VOXEL_MM)
        optics = varied_optics(tissues, row[count + 1 :])
        at = _places(anatomy, points * np.array([height, 1.0, 1.0]))
        labels = map_coordinates(anatomy.labels, at, order=0, mode="nearest")
        named = np.array([0, *(organs.index(name) if name in organs else 0 for name in anatomy.names)])
        belongs[named[labels], np.arange(len(points))] += 1.0 / ENSEMBLE
        logs[number] = _log_flux(wavelengths, anatomy, optics, at)
    logs -= _log_flux(wavelengths, nominal, {}, _places(nominal, points))
    shift = logs.mean(axis=0)
    covariance = np.einsum("kvn,kwn->vwn", logs - shift, logs - shift) / (ENSEMBLE - 1)
    return {
        "organs": np.array(organs),
        "organ_probability": _softened(belongs, nominal, points),
        "log_flux_shift": shift,
        "log_flux_covariance": covariance,
    }


def _log_flux(
    wavelengths: Wavelengths, anatomy: Anatomy, optics: dict[str, tuple[float, float]], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of what each view receives from a cell at the given places, dims (view, place)."""
    excitation_nm, emission_nm = wavelengths
    middle = emission_nm[len(emission_nm) // 2]
    phantom: Phantom = build_phantom(anatomy, excitation_nm=excitation_nm, emission_nm=(middle,), optics_scale=optics)
    rows = []
    for view in VIEWS:
        light = visible_share(phantom, 0, view=view) * phantom.excitation_fluence[view]
        rows.append(np.log(_sampled(light, anatomy.inside, at)))
    return np.stack(rows)


def _sampled(light: NDArray[np.float64], inside: NDArray[np.bool_], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values between voxels; beside the body those of the nearest part of it."""
    above = map_coordinates(np.where(inside, light, 0.0), at, order=1, mode="nearest")
    share = map_coordinates(inside.astype(float), at, order=1, mode="nearest")
    whole = float(np.median(light[inside]))
    return np.where(share > 0.05, above / np.maximum(share, 0.05), whole)


def _places(anatomy: Anatomy, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return (points - np.array(anatomy.origin_mm)).T / anatomy.voxel_mm


def _softened(belongs: NDArray[np.float64], anatomy: Anatomy, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Organ probabilities smoothed over a voxel, so that a small ensemble leaves no zero beside an organ."""
    at = np.rint(_places(anatomy, points)).astype(int)
    smooth = np.empty_like(belongs)
    weight = np.zeros(anatomy.labels.shape)
    weight[tuple(at)] = 1.0
    weight = gaussian_filter(weight, 0.5)
    for index, row in enumerate(belongs):
        volume = np.zeros(anatomy.labels.shape)
        volume[tuple(at)] = row
        smooth[index] = gaussian_filter(volume, 0.5)[tuple(at)] / weight[tuple(at)]
    smooth = np.where(smooth < LEAST_PROBABILITY, 0.0, smooth)
    return smooth / smooth.sum(axis=0)
