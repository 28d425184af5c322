"""Tests of fixed effects where a variance is estimated at zero: the same likelihood, without the bound.

An estimate that cannot fall below zero is too large on average where subjects hardly differ, and with it every standard
error: the test finds too little. What the values vary by is the sum of all parts, and that stays positive when one part is
not: of regions that differ more inside an animal than chance lets animals' means differ, the best estimate of the animals'
variance is negative. With equal numbers the test is then, exactly, that of the subjects' means [1]_ [2]_.

With unequal numbers one negative variance for all would take the most from the means that rest on many values, as they
vary least: such animals would count for nearly all, by chance. So, below zero, what is taken from the mean of each level
is a share of the variance that its mean has by what lies inside it (rows, and finer terms), the same share for all levels.
Weights then stay what they are at zero, no mean can vary less than nothing, and the test is that of the subjects' means with
those weights.

References
----------
.. [1] Stroup & Littell 2002, Proc 14th Conf Appl Stat Agric, Kansas State University: impact of variance component estimates
   on fixed effect inference in unbalanced linear mixed models.
.. [2] Verbeke & Molenberghs 2003, Biometrics 59:254, doi:10.1111/1541-0420.00032 (when variances may be negative).
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lampyris.statistics.mixed.likelihood import Problem, State, covariance_slope, descended, state, state_of_covariance

Array = NDArray[np.float64]

# of the variance that a level's mean has by what lies inside it: no less than this share is left of it
LEAST = 0.1


def released_state(given: Problem, theta: Array, /) -> tuple[Problem, State] | None:
    """Where the criterion is smallest if what is estimated at zero may be negative.

    Parameters
    ----------
    given : Problem
        The model.
    theta : ndarray, dims (parameter,)
        Its optimum within bounds.

    Returns
    -------
    tuple of Problem and State, or None
        The model in which effects that are at zero are measured in standard deviations of their level's mean, and its
        optimum; None where no variance is zero, or where an effect has a slope beside its intercept.
    """
    if any(len(piece.names) > 1 for piece in given.random.pieces) or theta.min() > 0:
        return None
    sizes = _sizes(given, theta)
    variances, free = theta**2, theta == 0
    while True:
        scaled = _scaled(given, sizes, free)
        variances = _searched(scaled, variances, free)
        # a variance that the others' release drives to zero is released as well
        reached = ~free & (variances <= 0)
        if not reached.any():
            break
        free |= reached
    found = _state(scaled, variances)
    return None if found is None else (scaled, found)


def _sizes(given: Problem, theta: Array) -> Array:
    """One over the standard deviation of each level's mean by what lies inside it, in those of a row; dims (block, effect)."""
    random = given.random
    labels = [np.asarray(random.terms[piece.term].labels, dtype=object).astype(str) for piece in random.pieces]
    found = np.zeros((random.blocks, random.size))
    for k, (start, count) in enumerate(zip(random.starts, random.counts, strict=True)):
        inside = [_finer(own, labels[k]) for own in labels]
        information = np.einsum("gii->gi", state(given, np.where(inside, theta, 0.0)).inner)
        found[:, start : start + count] = np.sqrt(information[:, start : start + count])
    return found


def _finer(one: NDArray[np.str_], other: NDArray[np.str_]) -> bool:
    """Whether every level of one lies in a level of the other, which holds several of them."""
    levels = len(set(one.tolist()))
    return levels == len(set(zip(one.tolist(), other.tolist(), strict=True))) > len(set(other.tolist()))


def _scaled(given: Problem, sizes: Array, free: NDArray[np.bool_]) -> Problem:
    """The model with the effects of released pieces divided by `sizes`; absent levels stay as they are."""
    random = given.random
    released = np.zeros(random.size, dtype=bool)
    for start, count, one in zip(random.starts, random.counts, free, strict=True):
        released[start : start + count] = one
    by = 1 / np.where(released & (sizes > 0), sizes, 1.0)
    return replace(given, own=by[:, :, None] * given.own * by[:, None, :], cross=by[:, :, None] * given.cross)


def _searched(given: Problem, start: Array, free: NDArray[np.bool_]) -> Array:
    low = np.where(free, -(1 - LEAST), 0.0)
    return descended(lambda variances: _criterion(given, variances), start, low, np.full(low.size, np.inf))[0]


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
