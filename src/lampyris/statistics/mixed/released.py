"""Tests of fixed effects where a variance is estimated at zero: the same likelihood, without the bound.

An estimate that cannot fall below zero is too large on average where subjects hardly differ, and with it every standard
error: the test finds too little. What the values vary by is the sum of all parts, and that stays positive when one part is
not: of regions that differ more inside an animal than chance lets animals' means differ, the best estimate of the animals'
variance is negative. With equal numbers the test is then, exactly, that of the subjects' means [1]_ [2]_.

References
----------
.. [1] Stroup & Littell 2002, Proc 14th Conf Appl Stat Agric, Kansas State University: impact of variance component estimates
   on fixed effect inference in unbalanced linear mixed models.
.. [2] Verbeke & Molenberghs 2003, Biometrics 59:254, doi:10.1111/1541-0420.00032 (when variances may be negative).
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from lampyris.statistics.mixed.likelihood import Problem, State, covariance_slope, state_of_covariance

Array = NDArray[np.float64]

# of the residual variance: no mean of values of one level is taken to vary less than this share of what independent ones give
LEAST = 0.1


def released_state(given: Problem, theta: Array, /) -> State | None:
    """Where the criterion is smallest if variances may be negative.

    Parameters
    ----------
    given : Problem
        The model.
    theta : ndarray, dims (parameter,)
        Its optimum within bounds.

    Returns
    -------
    State or None
        None where no variance is zero, or where an effect has a slope beside its intercept.
    """
    pieces = given.random.pieces
    if any(len(piece.names) > 1 for piece in pieces) or theta.min() > 0:
        return None
    found = optimize.minimize(
        lambda variances: _criterion(given, variances),
        theta**2,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in _lowest(given)],
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 200},
    )
    return _state(given, np.asarray(found.x))


def _lowest(given: Problem) -> list[float]:
    """Variances over the residual's at which the mean of the largest level would vary `LEAST` as much as of independent values."""
    squares = np.einsum("gii->gi", given.own)
    parts = zip(given.random.starts, given.random.counts, strict=True)
    return [-(1 - LEAST) / float(squares[:, start : start + count].max()) for start, count in parts]


def _state(given: Problem, variances: Array) -> State | None:
    """Everything that follows from the variances; None where some combination of values would vary too little."""
    relative = given.random.spread([np.array([[one]]) for one in variances])
    # of a product of symmetric matrices, one of them without negative eigenvalues: all are real
    sizes = np.linalg.eigvals(np.eye(given.random.size) + relative @ given.own).real
    return state_of_covariance(given, relative) if sizes.min() > 0.5 * LEAST else None


def _criterion(given: Problem, variances: Array) -> tuple[float, Array]:
    at = _state(given, variances)
    if at is None or not at.rest > 0:
        return math.inf, np.zeros_like(variances)
    value = at.log_h + given.free * math.log(at.rest) + (at.log_x if given.restricted else 0.0)
    slopes = given.random.gathered(covariance_slope(given, at))
    return value, np.array([float(slope[0, 0]) for slope in slopes])
