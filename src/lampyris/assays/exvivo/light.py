"""Probe light of each organ on a tray: the tray's own light and what neighbours send across taken off, with everything that
makes the sum uncertain.

Light is summed a little beyond the outline, since the lens carries some there, each pixel counting for the organ it is nearest to;
what the lens carries from one organ into another's pixels, and out of all of them, is solved for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from lampyris.core.flags import PixelFlag
from lampyris.core.images import AbundanceMap
from lampyris.imaging.radiance.calibrate import lambertian_flux

# the lens carries less than a thousandth farther than three of its widths
BLUR_WIDTHS = 3.0
# the tray begins so far from every organ
TRAY_MM = 4.0
LEAST_TRAY_PIXELS = 200
# of the tray's light that comes through an organ: none is taken off, this is how far that may be wrong
THROUGH_ORGAN = 0.1
# colours of tissue and bands known to a per cent: what of the tissue's glow may pass for probe
COLOUR_SD = 0.01
ROUNDS = 20
# pixels of the tray above its own noise by so much shine by something that lies there
BRIGHT_SDS = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class OrganLight:
    """Light of one organ.

    Parameters
    ----------
    flux : float
        Lambertian, ph s-1.
    sd : float
        Of noise, tray, colour and crosstalk; not of the calibration.
    noise_sd : float
        Of the frames' noise alone.
    tray_flux : float
        Taken off as the tray's, ph s-1.
    saturated, edge : bool
    """

    flux: float
    sd: float
    noise_sd: float
    tray_flux: float
    saturated: bool
    edge: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrayLight:
    """Light of a tray.

    Parameters
    ----------
    organs : tuple of OrganLight
        In the order of the masks.
    probe : ndarray, dims (y, x)
        Probe radiance, the tray's removed.
    """

    organs: tuple[OrganLight, ...]
    probe: NDArray[np.float64]


def measure_light(
    abundance: AbundanceMap,
    masks: Sequence[NDArray[np.bool_]],
    /,
    *,
    blur_mm: float,
    colour_gain: float,
    spectral_error: float,
) -> TrayLight:
    """Measure every organ of a tray.

    Parameters
    ----------
    abundance : AbundanceMap
        Unmixed image.
    masks : sequence of ndarray of bool, dims (y, x)
        Outlines that do not overlap.
    blur_mm : float
        Standard deviation of the lens' blur.
    colour_gain : float
        Probe that unmixing makes of one unit of tissue glow per unit of relative error of its colour.
    spectral_error : float
        Relative error of the probe's light from its own colour.

    Returns
    -------
    TrayLight
    """
    pixel = abundance.pixel_mm
    stack = np.stack(masks)
    every = stack.any(axis=0)
    away, (rows, columns) = distance_transform_edt(~every, return_indices=True)
    owner = np.where(every, np.argmax(stack, axis=0), -1)[rows, columns]
    near = away * pixel <= BLUR_WIDTHS * blur_mm + 0.5 * pixel
    sigma = blur_mm / pixel
    probe, variance = abundance.values[0], abundance.variance[0]
    tray, tray_sd = _tray(probe, away * pixel)
    # an organ hides the tray; the lens carries the tray's light a little over its edge
    bare = gaussian_filter((~every).astype(float), sigma, mode="nearest")
    net = probe - tray * bare
    glow = abundance.values[1:2].sum(axis=0)
    glow_tray = _tray(glow, away * pixel)[0] if len(abundance.values) > 1 else np.zeros_like(glow)
    spill = _spill(net, stack, owner, near, sigma)
    sums = np.array([net[near & (owner == index)].sum() for index in range(len(masks))])
    inverse = np.linalg.inv(spill)
    flux = inverse @ sums
    light = []
    for index, mask in enumerate(masks):
        aperture = near & (owner == index)
        noise = math.sqrt(float(inverse[index] ** 2 @ [variance[near & (owner == k)].sum() for k in range(len(masks))]))
        pixels = float(aperture.sum())
        taken = float((tray * bare)[aperture].sum())
        other = float(np.abs(inverse[index] * sums)[np.arange(len(masks)) != index].sum())
        own_glow = float((glow - glow_tray * bare)[aperture].sum())
        parts = (
            noise,
            tray_sd * pixels,
            THROUGH_ORGAN * abs(float(np.mean(tray[aperture]))) * float(mask.sum()),
            COLOUR_SD * colour_gain * abs(own_glow),
            spectral_error * flux[index],
            # how the light lies in the neighbour is known to a fifth
            0.2 * other,
        )
        flags = abundance.flags[mask]
        light.append(
            OrganLight(
                flux=lambertian_flux(float(flux[index]), pixel),
                sd=lambertian_flux(math.hypot(*parts), pixel),
                noise_sd=lambertian_flux(noise, pixel),
                tray_flux=lambertian_flux(taken, pixel),
                saturated=bool((flags & np.uint16(PixelFlag.SATURATED)).any()),
                edge=bool(mask[[0, -1]].any() or mask[:, [0, -1]].any()),
            )
        )
    return TrayLight(tuple(light), net)


def share_beside(glow: NDArray[np.float64], masks: Sequence[NDArray[np.bool_]], pixel_mm: float, /) -> float:
    """Share of a tray's light that shines away from every outline: what tells that photograph and image are not of one field.

    Parameters
    ----------
    glow : ndarray, dims (y, x)
        Radiance over all bands.
    masks : sequence of ndarray of bool, dims (y, x)
    pixel_mm : float

    Returns
    -------
    float
        0 to 1; the tray's own smooth light and noise are not in it.
    """
    away = distance_transform_edt(~np.logical_or.reduce(masks)) * pixel_mm
    net = glow - _tray(glow, away)[0]
    apart = away > TRAY_MM
    if apart.sum() < LEAST_TRAY_PIXELS:
        return 0.0
    noise = 1.4826 * float(np.median(np.abs(net[apart] - np.median(net[apart]))))
    beside = float(net[apart & (net > BRIGHT_SDS * noise)].sum())
    on = float(np.maximum(net[~apart], 0.0).sum())
    return beside / (beside + on) if beside > 0 else 0.0


def _tray(values: NDArray[np.float64], away_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The tray's own level as a smooth surface, dims (y, x), and its standard deviation per pixel, common to an organ."""
    held = away_mm > TRAY_MM
    if held.sum() < LEAST_TRAY_PIXELS:
        held = away_mm > 0.5 * TRAY_MM
    y, x = (np.linspace(-1.0, 1.0, size) for size in values.shape)
    basis = np.stack(
        np.broadcast_arrays(1.0, y[:, None], x[None, :], y[:, None] * x[None, :], y[:, None] ** 2, x[None, :] ** 2),
        axis=-1,
    )
    if held.sum() < 12:
        level = float(np.median(values))
        return np.full(values.shape, level), abs(level)
    use = held.copy()
    for _ in range(3):
        surface = basis @ np.linalg.lstsq(basis[use], values[use], rcond=None)[0]
        apart = values - surface
        sd = 1.4826 * float(np.median(np.abs(apart[use])))
        use = held & (np.abs(apart) <= 4.0 * sd)
    # what the surface misses over an organ's size: smoothed over 5 mm the residuals show it
    return np.asarray(surface), _slow_sd(apart, use)


def _slow_sd(apart: NDArray[np.float64], use: NDArray[np.bool_]) -> float:
    width = 8.0
    weight = gaussian_filter(use.astype(float), width, mode="constant")
    mean = gaussian_filter(np.where(use, apart, 0.0), width, mode="constant") / np.maximum(weight, 1e-9)
    sure = use & (weight > 0.3)
    return float(mean[sure].std()) if sure.sum() > 12 else float(apart[use].std())


def _spill(
    net: NDArray[np.float64],
    stack: NDArray[np.bool_],
    owner: NDArray[np.int64],
    near: NDArray[np.bool_],
    sigma: float,
) -> NDArray[np.float64]:
    """Share of each organ's light (column) that falls into each organ's pixels (row)."""
    count = len(stack)
    out = np.eye(count)
    margin = math.ceil(5 * sigma) + 1
    sharp = _before_lens(net, np.asarray(stack.any(axis=0)), near, sigma)
    for index, mask in enumerate(stack):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box = (
            slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
            slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
        )
        own = np.where(mask[box], sharp[box], 0.0)
        if not own.any():
            own = mask[box].astype(float)
        spread = gaussian_filter(own, sigma, mode="constant", truncate=5.0)
        for other in range(count):
            out[other, index] = float(spread[near[box] & (owner[box] == other)].sum()) / float(own.sum())
    return out


def _before_lens(
    net: NDArray[np.float64], every: NDArray[np.bool_], near: NDArray[np.bool_], sigma: float
) -> NDArray[np.float64]:
    """How light lay on the organs before the lens spread it, dims (y, x): for the shares of what it carries across alone.

    A few rounds of Richardson (1972, doi:10.1364/JOSA.62.000055) and Lucy with the outlines as support.
    """
    seen = np.where(near, np.maximum(net, 0.0), 0.0)
    found = np.where(every, seen, 0.0)
    if sigma <= 0 or not found.any():
        return found
    floor = 1e-6 * float(found.max())
    for _ in range(ROUNDS):
        found = found * gaussian_filter(seen / np.maximum(gaussian_filter(found, sigma, mode="constant"), floor), sigma)
        found[~every] = 0.0
    return found
