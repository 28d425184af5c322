"""What an unlabelled animal would show: the part of the probe image that is no spot.

Unmixing leaves structure behind, because bands and colours are never exactly the nominal ones. It is fitted with smooth
terms, the autofluorescence and leakage images themselves (a mismatch of bands makes a faint copy of them) and the shapes of
organs that take up freed probe. Spots are fitted at the same time, so that they are not swallowed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import nnls

from lampyris.core.images import AbundanceMap
from lampyris.statistics.thresholds import robust_sd

SMOOTHING_MM = 1.0
CLIP_AT_MEDIANS = 2.5
ROBUST_PASSES = 3
HUBER_SIGMAS = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundTerms:
    """Columns of the background fit, each an image.

    Parameters
    ----------
    free : ndarray, dims (term, y, x)
        May have either sign: constant, slopes, smoothed autofluorescence and leakage.
    uptake : ndarray, dims (organ, y, x)
        Organ shapes per photon per second; their share is not negative.
    organs : tuple of str
        Names of the organ shapes.
    """

    free: NDArray[np.float64]
    uptake: NDArray[np.float64]
    organs: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class JointFit:
    """Background and spots, fitted together.

    Parameters
    ----------
    background : ndarray, dims (y, x)
        Free terms and organ uptake.
    uptake : ndarray, dims (y, x)
        The organs' part of it.
    organ_flux : ndarray, dims (organ,)
        Photons per second of each organ.
    organ_sd : ndarray, dims (organ,)
        From the fit, with white noise of the residual's size.
    amplitudes : ndarray, dims (column,)
        Of the spot columns.
    weight : ndarray, dims (y, x)
        Inverse variance used, 0 outside.
    pixel_sd : float
        Robust standard deviation of the residual beyond the frames' noise.
    """

    background: NDArray[np.float64]
    uptake: NDArray[np.float64]
    organ_flux: NDArray[np.float64]
    organ_sd: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    weight: NDArray[np.float64]
    pixel_sd: float


def background_terms(
    abundance: AbundanceMap, body: NDArray[np.bool_], uptake: dict[str, NDArray[np.float64]], /
) -> BackgroundTerms:
    """Columns of the background fit.

    Parameters
    ----------
    abundance : AbundanceMap
        Its components beyond the probe become columns, smoothed and clipped: a bright spot's colour error must not
        turn the autofluorescence image into an image of the spot.
    body : ndarray of bool, dims (y, x)
    uptake : dict of organ to ndarray, dims (y, x)
        Probe radiance per photon per second of each organ's evenly spread uptake, laid on this image.

    Returns
    -------
    BackgroundTerms
    """
    y, x = np.nonzero(body)
    rows, columns = np.indices(body.shape, dtype=float)
    along = (rows - y.mean()) / max(y.std(), 1.0)
    across = (columns - x.mean()) / max(x.std(), 1.0)
    free = [np.ones(body.shape), along, across, along**2]
    sigma = SMOOTHING_MM / abundance.pixel_mm
    for image in abundance.values[1:]:
        inside = np.where(body, image, 0.0)
        share = gaussian_filter(body.astype(float), sigma)
        smooth = gaussian_filter(inside, sigma) / np.maximum(share, 0.2)
        middle = float(np.median(smooth[body]))
        spread = robust_sd(smooth[body])
        top = max(CLIP_AT_MEDIANS * abs(middle), middle + 4.0 * spread)
        free.append(np.clip(smooth, middle - 4.0 * spread, top) / max(abs(middle), spread, 1e-300))
    held = {organ: image for organ, image in uptake.items() if image[body].any()}
    shapes = np.stack(list(held.values())) if held else np.zeros((0, *body.shape))
    return BackgroundTerms(np.stack(free) * body, shapes * body, tuple(held))


def joint_fit(
    data: NDArray[np.float64],
    variance: NDArray[np.float64],
    body: NDArray[np.bool_],
    terms: BackgroundTerms,
    spots: NDArray[np.float64],
    /,
    *,
    spot_error: float,
    organ_error: float,
) -> JointFit:
    """Fit background and spot columns by robust weighted least squares; organ and spot amplitudes are not negative.

    Parameters
    ----------
    data, variance : ndarray, dims (y, x)
        Unbiased probe abundance and its variance.
    body : ndarray of bool, dims (y, x)
        Pixels used.
    terms : BackgroundTerms
    spots : ndarray, dims (column, y, x)
        Spot shapes, several per spot where its shape is free; may be empty.
    spot_error, organ_error : float
        Relative error of the shapes: where a spot or organ is bright, its pixels say less about the background.

    Returns
    -------
    JointFit
    """
    free, organs = terms.free.shape[0], terms.uptake.shape[0]
    inside = np.flatnonzero(body)
    parts = [part.reshape(len(part), body.size)[:, inside] for part in (terms.free, terms.uptake, spots)]
    columns = np.concatenate(parts)
    values, noise = data.ravel()[inside], variance.ravel()[inside]
    typical_noise = float(np.median(noise))
    pixel_sd = robust_sd(values)
    weight = 1.0 / (noise + pixel_sd**2)
    solution = np.zeros(columns.shape[0])
    covariance = np.zeros((columns.shape[0],) * 2)
    uptake = np.zeros_like(values)
    for _ in range(ROBUST_PASSES):
        solution, covariance = _bounded_fit(columns, values, weight, free)
        smooth, uptake, shine = (
            solution[part] @ columns[part]
            for part in (slice(free), slice(free, free + organs), slice(free + organs, None))
        )
        residual = values - smooth - uptake - shine
        total = robust_sd(residual)
        pixel_sd = float(np.sqrt(max(total**2 - typical_noise, (0.1 * total) ** 2)))
        known = noise + pixel_sd**2
        # spots that are not fitted yet stand above; the animal's glow rarely falls below
        reach = np.where(residual > 0, HUBER_SIGMAS, 2.0 * HUBER_SIGMAS) * np.sqrt(known)
        huber = reach / np.maximum(np.abs(residual), reach)
        known += (organ_error * uptake) ** 2 + (spot_error * shine) ** 2
        weight = huber / known
    laid = np.zeros((3, body.size))
    laid[:, inside] = smooth + uptake, uptake, 1.0 / known
    laid = laid.reshape(3, *body.shape)
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return JointFit(
        background=laid[0],
        uptake=laid[1],
        organ_flux=solution[free : free + organs],
        organ_sd=sd[free : free + organs],
        amplitudes=solution[free + organs :],
        weight=laid[2],
        pixel_sd=pixel_sd,
    )


def _bounded_fit(
    columns: NDArray[np.float64], values: NDArray[np.float64], weight: NDArray[np.float64], free: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted least squares with the first `free` coefficients of either sign and the others not negative."""
    root = np.sqrt(weight)
    weighted = columns * root
    # a matrix times its own transpose is taken at half the price
    normal = weighted @ weighted.T
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    normal = normal / np.outer(scale, scale)
    # columns that nearly coincide (two depths of one spot) are told apart by a whisper of shrinkage
    normal[np.diag_indices_from(normal)] += 1e-9
    right = (weighted @ (root * values)) / scale
    factor = np.linalg.cholesky(normal)
    inverse = np.linalg.inv(factor)
    # a free coefficient is the difference of two that are not negative
    both = np.concatenate([factor.T, -factor[:free].T], axis=1)
    found, _ = nnls(both, inverse @ right)
    solution = found[: len(factor)].copy()
    solution[:free] -= found[len(factor) :]
    return solution / scale, (inverse.T @ inverse) / np.outer(scale, scale)
