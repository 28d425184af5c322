"""Errors of infrared bands that hold what baseline and neighbours take of the noise: each fit knows neither."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.ftir.baseline import smooth_line
from lampyris.bench.ftir.group import RISE, slopes_of_group
from lampyris.statistics.fitting import Fit

Array = NDArray[np.float64]
_LINE = 2


def joint_covariances(
    wavenumber_cm: Array, sd: Array, groups: Sequence[tuple[slice, Fit, int]], /, *, reach_cm: float
) -> list[Array]:
    """Covariance of each group's parameters where all groups and the baseline were fitted in turn until nothing moved.

    Parameters
    ----------
    wavenumber_cm, sd : numpy.ndarray, dims (point,)
        Standard deviations up to a factor, which each group's fit tells.
    groups : sequence of (slice, Fit, int)
        Window, fit and number of bands.
    reach_cm : float
        Of the baseline, as of `smooth_line`, drawn under what the bands leave; 0 where it is not drawn from them.

    Returns
    -------
    list of numpy.ndarray, dims (parameter, parameter)
        Those of the fits alone where a joint one cannot be told.

    Notes
    -----
    With bands B, windows' lines L, smoother S and each window's weighted slopes A, rounds end where
    A'((1 - S)(y - B) - L) = 0. That is linear in small errors: noise e moves parameters by G^-1 H e, G = A'((1 - S)B', L') and
    H = A'(1 - S), so that their covariance is G^-1 H V H' G^-1'.
    """
    alone = [np.array(fit.covariance) for _, fit, _ in groups]
    free = [np.isfinite(np.diag(own)) & (np.diag(own) > 0) for own in alone]
    edges = np.cumsum([0, *(int(own.sum()) for own in free)])
    if not edges[-1]:
        return alone
    moved = np.zeros((wavenumber_cm.size, edges[-1]))
    asked = np.zeros_like(moved)
    noise = np.full(wavenumber_cm.size, float(np.median([fit.scatter for _, fit, _ in groups])))
    beneath = np.zeros_like(moved)
    for k, (place, fit, _) in enumerate(groups):
        own = wavenumber_cm[place]
        line = (own - 0.5 * (own[0] + own[-1])) / float(own[-1] - own[0])
        columns = slice(edges[k], edges[k + 1])
        everywhere = slopes_of_group(wavenumber_cm, np.zeros(wavenumber_cm.size))(fit.values)
        everywhere[:, -_LINE:] = 0.0
        within = slopes_of_group(own, line)(fit.values)
        asked[place, columns] = within[:, free[k]] / sd[place, None] ** 2
        moved[:, columns] = everywhere[:, free[k]]
        within[:, : RISE - 1] = 0.0
        beneath[place, columns] = within[:, free[k]]
        noise[place] = fit.scatter
    under = (lambda a: smooth_line(wavenumber_cm, a, reach_cm=reach_cm)) if reach_cm else np.zeros_like
    moved = moved - under(moved)
    told = asked - under(asked)
    answer = np.zeros((edges[-1], edges[-1]))
    for k, (place, _, _) in enumerate(groups):
        rows = slice(edges[k], edges[k + 1])
        own = asked[place, rows].T
        answer[rows] = own @ moved[place]
        answer[rows, rows] += own @ beneath[place, rows]
    scale = np.sqrt(np.abs(np.diag(answer)))
    if not (np.isfinite(answer).all() and (scale > 0).all()):
        return alone
    try:
        inverse = np.linalg.inv(answer / np.outer(scale, scale)) / np.outer(scale, scale)
    except np.linalg.LinAlgError:
        return alone
    drawn = (told * (sd * noise)[:, None]) @ inverse.T
    whole = drawn.T @ drawn
    joint = []
    for k, own in enumerate(alone):
        rows = slice(edges[k], edges[k + 1])
        places = np.flatnonzero(free[k])
        own[np.ix_(places, places)] = whole[rows, rows]
        joint.append(own)
    return joint
