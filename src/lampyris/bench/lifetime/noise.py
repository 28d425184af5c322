"""What moves a fitted decay: the noise of its counts, that of its response, and channels of uneven width."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime.model import Decay
from lampyris.statistics.fitting import Fit

Array = NDArray[np.float64]
# of weighing squared residuals by the variance that they tell
_ROUNDS = 8


def information_of(model: Decay, fit: Fit, places: NDArray[np.intp], /) -> tuple[Array, Array]:
    """Information of the counts on some parameters, each scaled to 1, and the scales: they lie far apart.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        Dims (parameter, parameter) and (parameter,); the inverse over the product of the scales is a covariance.
    """
    root = model.jacobian(fit.values)[:, places] / np.sqrt(fit.fitted[0])[:, None]
    size = np.linalg.norm(root, axis=0)
    even = root / size
    return even.T @ even, size


def unevenness(fit: Fit, drawn: Array, /) -> float:
    """Standard deviation, relative, of the widths of the channels that the scatter of the counts asks for beside photons.

    The counts of a channel of mean m then vary by m + s^2 m^2; s^2 by weighted least squares of the squared residuals.

    Parameters
    ----------
    fit : Fit
    drawn : numpy.ndarray
        What the noise of the response adds to the squared weighted residuals, dims (channel,): that is no unevenness.

    Notes
    -----
    Channels of time converters differ in width (differential nonlinearity): a percent is little beside the noise of a hundred
    photons, and as much as that of ten thousand.
    """
    expected = fit.fitted[0]
    degrees = max(fit.goodness.degrees, 1)
    photons = expected * (1.0 + drawn)
    beyond = fit.residuals[0] ** 2 * (expected.size / degrees) - photons
    square = 0.0
    for _ in range(_ROUNDS):
        variance = photons + square * expected**2
        # of a squared residual: Poisson's own fourth moment counts where there are few photons
        weight = expected**2 / (2.0 * variance**2 + expected)
        square = max(float(weight @ beyond) / float(weight @ expected**2), 0.0)
    return math.sqrt(square)


def moves(model: Decay, fit: Fit, own: Array, moving: NDArray[np.intp], /) -> tuple[Array, Array]:
    """How estimates move with the counts, and with the response, to first order.

    Parameters
    ----------
    model : Decay
    fit : Fit
    own : numpy.ndarray, dims (moving, moving)
        Inverse information of the counts, F^-1.
    moving : numpy.ndarray, dims (moving,)
        Places of the parameters that are not held.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        F^-1 J' W of the fitted channels, and less that times the change of the expected counts by the response, which is 0 where the
        response has no noise; dims (moving, channel) over all channels.
    """
    window = model.window
    pull = own @ (model.jacobian(fit.values)[:, moving] / fit.fitted[0][:, None]).T
    by_count = np.zeros((moving.size, window.counts.size))
    by_count[:, window.start : window.end] = pull
    if not window.response.variance.any():
        return by_count, np.zeros_like(by_count)
    back = np.array([model.back(fit.values, row) for row in pull]).reshape(by_count.shape)
    # its sum is 1: what only makes it stronger is no change of shape
    return by_count, (back @ window.response.shape)[:, None] - back


def drawn_residuals(model: Decay, fit: Fit, /) -> tuple[Array, float]:
    """What the noise of the response adds to the squares of the weighted residuals, less what the fit takes up of it.

    Parameters
    ----------
    model : Decay
    fit : Fit

    Returns
    -------
    (numpy.ndarray, float)
        Mean of what is added, dims (channel,), and what is added to the variance of their sum.

    Notes
    -----
    With a column of L for one standard deviation of each of the response's channels, weighted and at right angles to the slopes Q of
    the fit, these are the diagonal of L L' and twice the trace of (1 + L L')^2 less that of 1. L is not formed: it is as large as all
    channels by those of the response.
    """
    window = model.window
    lit = np.flatnonzero(window.response.variance)
    root = np.sqrt(fit.fitted[0])
    if not lit.size:
        return np.zeros(root.size), 0.0
    whole = model.by_response(fit.values, lit) * np.sqrt(window.response.variance[lit])
    whole /= root[:, None]
    taken = np.linalg.qr(model.jacobian(fit.values)[:, fit.objective.frame.free] / root[:, None])[0]
    along = taken.T @ whole
    both = taken @ (along @ along.T) - 2.0 * (whole @ along.T)
    added = np.einsum("cr,cr->c", whole, whole) + np.einsum("cp,cp->c", taken, both)
    square = whole.T @ whole - along.T @ along
    return np.maximum(added, 0.0), float(4.0 * added.sum() + 2.0 * (square**2).sum())
