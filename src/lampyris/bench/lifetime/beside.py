"""What a fitted law says of a decay beside its counts, and how the same counts and the same response move it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime.inference import DecayFit
from lampyris.bench.lifetime.model import Decay, Window
from lampyris.bench.lifetime.noise import information_of, moves
from lampyris.bench.lifetime.response import Response

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Background, shift and late light of a fitted law, with what moves them.

    A phasor and the law beside it are told by the same photons and the same response, so that their errors go together: a response
    that came a little later by chance is made up for by the fitted shift.

    Parameters
    ----------
    background, shift : float
        Counts per channel, and how much later than the response in channels.
    later : numpy.ndarray
        Light of the channels that follow those looked at, without the background, dims (channel,).
    slopes : numpy.ndarray
        Of background, shift and each channel of `later` by the parameters of the law, dims (quantity, parameter).
    by_count, by_response : numpy.ndarray
        How the parameters move with the counts and with the response in the channels looked at, dims (parameter, channel).
    root : numpy.ndarray
        Root of the covariance that the parameters have beside, dims (parameter, direction).
    unevenness : float
        Relative standard deviation of the widths of the channels.
    """

    background: float
    shift: float
    later: Array
    slopes: Array
    by_count: Array
    by_response: Array
    root: Array
    unevenness: float


def beside_of(found: DecayFit, first: int, last: int, end: int, /) -> Beside:
    """What a law says beside the counts in channels from `first` to before `last`, its light filled in up to before `end`.

    Parameters
    ----------
    found : DecayFit
    first, last, end : int
        Channels; `end` may lie beyond the record.

    Returns
    -------
    Beside
    """
    fit, window = found.fit, found.model.window
    names, variance = fit.names, window.response.variance
    # what ends at a bound is held there; a background of none is still as free as its limit says
    moving = np.flatnonzero(np.diag(fit.covariance) > 0)
    # of the counts alone: the fit's covariance holds what the instrument adds
    even, size = information_of(found.model, fit, moving)
    own = np.linalg.pinv(even, hermitian=True) / np.outer(size, size)
    by_count, by_response = moves(found.model, fit, own, moving)
    later, late = _later(found, last, end)
    slopes = np.zeros((2 + later.size, len(names)))
    slopes[0, names.index("background")] = slopes[1, names.index("shift")] = 1.0
    slopes[2:] = late
    outside = np.ones(window.counts.size, bool)
    outside[first:last] = False
    uneven = by_count * window.counts + by_response * window.response.shape
    root = [
        (by_count * np.sqrt(window.counts))[:, outside],
        (by_response * np.sqrt(variance))[:, outside],
        found.unevenness * uneven[:, outside],
    ]
    return Beside(
        float(fit.values[names.index("background")]),
        float(fit.values[names.index("shift")]),
        later,
        slopes[:, moving],
        by_count[:, first:last],
        by_response[:, first:last],
        np.concatenate(root, axis=1),
        found.unevenness,
    )


def _later(found: DecayFit, first: int, end: int) -> tuple[Array, Array]:
    """Light that the law expects in channels from `first` to before `end` without the background, and its slopes."""
    if end <= first:
        return np.zeros(0), np.zeros((0, len(found.fit.names)))
    window, response = found.model.window, found.model.window.response
    missing = np.zeros(max(end - window.counts.size, 0))
    drawn = Response(np.append(response.shape, missing), np.append(response.variance, missing))
    later = Decay(
        Window(np.append(window.counts, missing), drawn, first, end, window.period),
        found.model.components,
        found.model.stretched,
        found.model.scatter,
    )
    place = found.fit.names.index("background")
    light = later.expected(found.fit.values) - found.fit.values[place]
    slopes = later.jacobian(found.fit.values)
    slopes[:, place] = 0.0
    return np.maximum(light, 0.0), slopes
