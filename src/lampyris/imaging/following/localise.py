"""Where in the animal a source of light lies: its windows against the light table, with the model's own error.

Every voxel of the nominal animal is asked how well a cell there would explain what the windows hold: flux, centre and spread
in each view. What a voxel predicts is uncertain too: by the optics and organs of real animals (ensemble of the light table),
by how well the nominal animal lies on this one, and by the shape of spots. These errors stand in the likelihood, so that its
width is the width of what is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.core.results import WindowMoments
from lampyris.imaging.light.light_table import VIEWS, LightTable

# places of the nominal animal that are asked, sideways from a window's centre
REACH_MM = 14.0
# errors of the table's spots beyond the ensemble's whole fluxes: share of each moment
SHAPE_ERROR = 0.15
# of the centre: the grid, and organs beside the path
CENTRE_ERROR_MM = 0.4
# share of the misplacement of the nominal animal that both views have in common
COMMON_REGISTRATION = 0.5
# what the background takes of a spot that was not fitted, as a share of its light
UNFITTED_SHARE = 0.3
ROUNDS = 4
# an amount may be anything, but the logarithm of a vanishing one must not win
LEAST_SIGNIFICANCE = 0.05
WIDEST_LOG_SD = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the windows of one source hold, all its sessions together.

    Parameters
    ----------
    views : tuple of str
        Those that were measured.
    centres_mm : ndarray, dims (view, 2)
        Window centres (y, x to the left) in the nominal frame.
    sigmas_mm : tuple of float
        Widths of the windows, the same in every view.
    moments : ndarray, dims (view, window, 4)
        Flux, along, left, spread.
    covariance : ndarray, dims (view, moment, moment)
        Of the background's structure and noise, the windows joined.
    registration_sd_mm : float
        Standard uncertainty, per axis, of the nominal animal's place.
    """

    views: tuple[str, ...]
    centres_mm: NDArray[np.float64]
    sigmas_mm: tuple[float, ...]
    moments: NDArray[np.float64]
    covariance: NDArray[np.float64]
    registration_sd_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """How well each voxel explains the evidence.

    Parameters
    ----------
    voxel : ndarray of int, dims (place,)
        Index into the light table.
    log_likelihood : ndarray, dims (place,)
        The amount integrated out, flat in its logarithm.
    log_amount, log_amount_sd : ndarray, dims (place,)
        Of the source if it lies there: logarithm of the amount in the table's unit (photons per second per unit fluence
        rate), for the sum of the sessions' weighted windows.
    """

    voxel: NDArray[np.int64]
    log_likelihood: NDArray[np.float64]
    log_amount: NDArray[np.float64]
    log_amount_sd: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PlacedWindows:
    """One view's windows on a source in one session, and where they lie in the nominal animal.

    Parameters
    ----------
    windows : tuple of WindowMoments
        Narrow ones first.
    y_mm, x_mm : float
        Their centre in the nominal frame, x to the animal's left.
    noise : ndarray, dims (moment, moment)
        `ViewResult.window_noise` of that view.
    """

    windows: tuple[WindowMoments, ...]
    y_mm: float
    x_mm: float
    noise: NDArray[np.float64]


def gather_evidence(sessions: Sequence[Sequence[PlacedWindows]], /, *, registration_sd_mm: float) -> Evidence:
    """Sum the windows of a source over its sessions, each view at its mean place.

    Parameters
    ----------
    sessions : sequence of sequence of PlacedWindows
        Per session its views, the same in each.
    registration_sd_mm : float
        Of the mean place.

    Returns
    -------
    Evidence

    Raises
    ------
    ValueError
        If there is no session, or the sessions differ in views or windows.
    """
    kinds = {tuple((row.windows[0].view, tuple(w.sigma_mm for w in row.windows)) for row in rows) for rows in sessions}
    if len(kinds) != 1:
        raise ValueError(f"a source's sessions have the same views and windows, got {sorted(kinds)}")
    kind = kinds.pop()
    centres, moments, covariances = [], [], []
    for index in range(len(kind)):
        rows = [session[index] for session in sessions]
        light = np.array([[[w.flux, w.along, w.left, w.spread] for w in row.windows] for row in rows])
        weight = np.maximum(light[:, -1, 0], 0.0)
        places = np.array([[row.y_mm, row.x_mm] for row in rows])
        centres.append(np.average(places, axis=0, weights=weight if weight.any() else None))
        moments.append(light.sum(axis=0))
        covariances.append(_summed_covariance(rows))
    return Evidence(
        views=tuple(view for view, _ in kind),
        centres_mm=np.array(centres),
        sigmas_mm=kind[0][1],
        moments=np.array(moments),
        covariance=np.array(covariances),
        registration_sd_mm=registration_sd_mm,
    )


def _summed_covariance(rows: Sequence[PlacedWindows]) -> NDArray[np.float64]:
    """Noise of the summed windows: the background's structure belongs to the animal and adds as it is, not in quadrature."""
    deviations = np.sum([np.sqrt(np.diag(row.noise)) for row in rows], axis=0)
    own = np.diag(rows[0].noise)
    correlation = rows[0].noise / np.sqrt(np.outer(own, own))
    covariance = correlation * np.outer(deviations, deviations)
    for index, sigma in enumerate(window.sigma_mm for window in rows[0].windows):
        own_sd = sum(row.windows[index].own_sd for row in rows)
        unfitted = sum(abs(row.windows[index].flux) for row in rows if not row.windows[index].fitted)
        extra = np.hypot(own_sd, UNFITTED_SHARE * unfitted) * np.array([1.0, sigma, sigma, 2.0 * sigma**2])
        part = slice(4 * index, 4 * index + 4)
        covariance[part, part] += np.diag(extra**2)
    return covariance


def window_kernels(
    columns_mm: NDArray[np.float64], centre_mm: NDArray[np.float64], sigma_mm: float, /, *, blur_mm: float
) -> NDArray[np.float64]:
    """Weights with which a window's moments and their slopes sum the skin's light, dims (12, column).

    The four moments, then their derivatives with the animal's place along y and along x; the lens' blur, which the window
    meets on the image, is taken to the window instead.

    Parameters
    ----------
    columns_mm : ndarray, dims (column, 2)
    centre_mm : ndarray, dims (2,)
        (y, x to the left).
    sigma_mm, blur_mm : float
    """
    along, left = (columns_mm - centre_mm).T
    squared = along**2 + left**2
    wide = sigma_mm**2 + blur_mm**2
    share = sigma_mm**2 / wide
    weight = share * np.exp(-0.5 * squared / wide)
    spread = share**2 * squared + 2.0 * share * blur_mm**2
    moments = np.stack([weight, weight * share * along, weight * share * left, weight * spread])
    zero = np.zeros_like(weight)
    slopes = []
    for offset, first, second in ((along, weight, zero), (left, zero, weight)):
        slope = -moments * offset / wide
        slope[1] += share * first
        slope[2] += share * second
        slope[3] += 2.0 * share**2 * weight * offset
        slopes.append(slope)
    return np.concatenate([moments, *slopes])


def likelihood(table: LightTable, evidence: Evidence, /, *, blur_mm: float) -> Likelihood:
    """Ask every voxel within reach.

    Parameters
    ----------
    table : LightTable
    evidence : Evidence
    blur_mm : float
        Standard deviation of the lens blur.

    Returns
    -------
    Likelihood
    """
    middle = evidence.centres_mm.mean(axis=0)
    apart = np.hypot(table.points_mm[:, 1] - middle[0], table.points_mm[:, 2] - middle[1])
    voxel = np.flatnonzero(apart <= max(REACH_MM, float(apart.min()) + 2.0 * table.pitch_mm))
    windows = len(evidence.sigmas_mm)
    views = len(evidence.views)
    # dims (voxel, view, moment) and (voxel, view, axis, moment)
    model = np.empty((voxel.size, views, 4 * windows))
    slopes = np.empty((voxel.size, views, 2, 4 * windows))
    for index, view in enumerate(evidence.views):
        kernels = np.stack(
            [
                window_kernels(table.columns_mm[view], evidence.centres_mm[index], sigma, blur_mm=blur_mm)
                for sigma in evidence.sigmas_mm
            ]
        )
        near = np.abs(kernels[:, 0]).max(axis=0) > 1e-6
        light = table.flux[view][np.flatnonzero(near)[:, None], voxel[None]]
        laid = kernels[..., near].astype(np.float32) @ light
        laid = laid * np.exp(table.log_flux_shift[VIEWS.index(view), voxel])
        model[:, index] = laid[:, :4].reshape(4 * windows, -1).T
        for axis in (0, 1):
            slopes[:, index, axis] = laid[:, 4 + 4 * axis : 8 + 4 * axis].reshape(4 * windows, -1).T
    return _profile(table, evidence, voxel, model, slopes)


def _profile(
    table: LightTable,
    evidence: Evidence,
    voxel: NDArray[np.int64],
    model: NDArray[np.float64],
    slopes: NDArray[np.float64],
) -> Likelihood:
    """Best amount per voxel by generalised least squares whose covariance grows with the amount, and its likelihood.

    The covariance is that of the noise plus a few directions per voxel (each view's amount, each view's place), so that
    inverse and determinant come from small matrices (Woodbury's identity).
    """
    views, size = model.shape[1], model.shape[2]
    count = views * size
    data = evidence.moments.reshape(count)
    noise = np.zeros((count, count))
    for index, block in enumerate(evidence.covariance):
        part = slice(index * size, (index + 1) * size)
        noise[part, part] = block
    noise[np.diag_indices(count)] += (SHAPE_ERROR * _typical(evidence)) ** 2
    whitener = np.linalg.inv(np.linalg.cholesky(noise))
    directions = np.zeros((voxel.size, 3 * views, count))
    for index in range(views):
        part = slice(index * size, (index + 1) * size)
        directions[:, index, part] = model[:, index]
        directions[:, views + 2 * index : views + 2 * index + 2, part] = slopes[:, index]
    directions = directions @ whitener.T
    shape = directions[:, :views].sum(axis=1)
    values = whitener @ data
    inner = directions @ directions.transpose(0, 2, 1)
    along_shape = np.einsum("pkc,pc->pk", directions, shape)
    along_data = directions @ values
    spread_inverse = np.linalg.inv(_spread(table, evidence, voxel))
    shape_shape, shape_data = np.einsum("pc,pc->p", shape, shape), shape @ values
    amount = np.maximum(shape_data / shape_shape, LEAST_SIGNIFICANCE / np.sqrt(shape_shape))
    for _ in range(ROUNDS):
        small = spread_inverse / amount[:, None, None] ** 2 + inner
        solved = np.linalg.solve(small, np.stack([along_shape, along_data], axis=-1))
        information = shape_shape - np.einsum("pk,pk->p", along_shape, solved[..., 0])
        agreement = shape_data - np.einsum("pk,pk->p", along_shape, solved[..., 1])
        amount = np.maximum(agreement / information, LEAST_SIGNIFICANCE / np.sqrt(information))
    residual = values @ values - np.einsum("pk,pk->p", along_data, solved[..., 1])
    chi2 = residual - 2.0 * amount * agreement + amount**2 * information
    log_det = np.linalg.slogdet(small)[1] + 6.0 * views * np.log(amount) - np.linalg.slogdet(spread_inverse)[1]
    log_sd = np.minimum(1.0 / (amount * np.sqrt(information)), WIDEST_LOG_SD)
    return Likelihood(voxel, -0.5 * (chi2 + log_det) + np.log(log_sd), np.log(amount), log_sd)


def _typical(evidence: Evidence) -> NDArray[np.float64]:
    """Size of each moment of each window, for errors that are a share of it."""
    flux = np.abs(evidence.moments[:, :, 0])
    sigma = np.array(evidence.sigmas_mm)
    return np.stack([flux, flux * sigma, flux * sigma, evidence.moments[:, :, 3].clip(min=0)], axis=-1).reshape(-1)


def _spread(table: LightTable, evidence: Evidence, voxel: NDArray[np.int64]) -> NDArray[np.float64]:
    """Covariance of each view's relative amount and of each view's place in mm, dims (voxel, direction, direction)."""
    views = len(evidence.views)
    rows = np.array([VIEWS.index(view) for view in evidence.views])
    spread = np.zeros((voxel.size, 3 * views, 3 * views))
    spread[:, :views, :views] = table.log_flux_covariance[np.ix_(rows, rows, voxel)].transpose(2, 0, 1)
    spread[:, range(views), range(views)] += SHAPE_ERROR**2
    sd = evidence.registration_sd_mm
    for a in range(views):
        for b in range(views):
            shared = sd**2 * (1.0 if a == b else COMMON_REGISTRATION) + (CENTRE_ERROR_MM**2 if a == b else 0.0)
            for axis in (0, 1):
                spread[:, views + 2 * a + axis, views + 2 * b + axis] = shared
    return spread
