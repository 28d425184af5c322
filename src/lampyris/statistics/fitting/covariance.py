"""Covariance of fitted parameters, of three kinds that are told apart by name."""

import math
from dataclasses import dataclass

import numpy as np

from lampyris.statistics.fitting.objective import Array, Objective, Units, fine_steps

# from here on the last digits of numeric slopes decide
ILL = 1e8
# singular values below this share of the largest are none
_NONE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Covariance of the free parameters.

    Parameters
    ----------
    covariance : ndarray, dims (free, free)
        0 of those at a bound; infinite on the diagonal of those that the data do not tell apart, NaN beside it.
    held : ndarray of bool, dims (free,)
        At a bound.
    condition : float
    positive : bool
        The observed information is that of a minimum.
    """

    covariance: Array
    held: np.ndarray
    condition: float
    positive: bool


def spread(objective: Objective, theta: Array, kind: str, variance: float, /) -> Spread:
    """Covariance at a minimum.

    Parameters
    ----------
    objective : Objective
    theta : ndarray, dims (free,)
    kind : str
        ``expected``, ``observed`` or ``sandwich``.
    variance : float
        What the expected and the observed covariance are multiplied by: the residual variance, or 1.

    Raises
    ------
    ValueError
        If the kind is unknown, or the expected information of a likelihood is asked for, which only its model could give.

    References
    ----------
    Efron & Hinkley 1978, Biometrika 65:457, doi:10.1093/biomet/65.3.457 (observed and expected information); Huber 1967 and
    White 1982, Econometrica 50:1, doi:10.2307/1912526 (sandwich).
    """
    if kind not in ("expected", "observed", "sandwich"):
        raise ValueError(f"the kind of standard error is expected, observed or sandwich, got {kind!r}")
    if kind == "expected" and isinstance(objective, Units):
        raise ValueError(
            "the expected information of a likelihood is not known from its values: ask for observed or sandwich"
        )
    frame = objective.frame
    at_bound = (theta <= frame.low) | (theta >= frame.high)
    if not theta.size or at_bound.all():
        return Spread(np.zeros((theta.size, theta.size)), at_bound, 1.0, True)
    moving = np.flatnonzero(~at_bound)
    inner = objective.moved(type(frame)(frame.parameters, frame.full(theta), frame.free[moving]))
    inside = theta[moving]
    steps = _steps(inner, inside, variance)
    if kind == "expected":
        a, _ = inner.quadratic(inside, steps=steps)
        small, condition = _inverse_of_square(a)
        positive = True
        small = small * variance
    else:
        information = inner.hessian(inside, steps)
        small, condition, positive = _inverse(information)
        if kind == "sandwich":
            scores = inner.scores(inside, steps)
            small = small @ (scores.T @ scores) @ small
        else:
            small = small * variance
    whole = np.zeros((theta.size, theta.size))
    whole[np.ix_(moving, moving)] = small
    return Spread(whole, at_bound, condition, positive)


def _steps(objective: Objective, theta: Array, variance: float) -> Array:
    """Steps small beside the uncertainty, which a first derivative of lower order tells."""
    steps = fine_steps(objective, theta, None)
    for _ in range(2 if isinstance(objective, Units) else 1):
        a, _ = objective.quadratic(theta, steps=steps if isinstance(objective, Units) else None)
        if not np.isfinite(a).all():
            break
        sd = np.sqrt(np.maximum(np.diag(_inverse_of_square(a)[0]), 0.0) * variance)
        steps = fine_steps(objective, theta, sd)
    return steps


def _inverse_of_square(a: Array) -> tuple[Array, float]:
    """Inverse of ``a' a`` and the condition of `a` with columns of one length."""
    scale = np.linalg.norm(a, axis=0)
    blind = ~(scale > 0)
    scale = np.where(blind, 1.0, scale)
    even = a / scale
    # a tall matrix is turned into a square one first: same singular values and right vectors, far less work
    even = np.asarray(np.linalg.qr(even, mode="r")) if even.shape[0] > 8 * even.shape[1] else even
    _, size, right = np.linalg.svd(even, full_matrices=False)
    if size.size < scale.size:
        size = np.concatenate([size, np.zeros(scale.size - size.size)])
        right = np.linalg.svd(a / scale, full_matrices=True)[2]
    return _joined(size, right, scale)


def _inverse(information: Array) -> tuple[Array, float, bool]:
    """Inverse of an observed information, its condition, and whether it is that of a minimum."""
    diagonal = np.diag(information)
    if not np.isfinite(information).all() or (diagonal <= 0).any():
        nothing = np.full(information.shape, math.nan)
        return nothing, math.inf, False
    scale = np.sqrt(diagonal)
    size, turn = np.linalg.eigh(information / np.outer(scale, scale))
    if size[0] < -1e-9:
        return np.full(information.shape, math.nan), math.inf, False
    inverse, condition = _joined(np.sqrt(np.maximum(size[::-1], 0.0)), turn.T[::-1], scale, least=1e-9)
    return inverse, condition, True


def _joined(size: Array, right: Array, scale: Array, *, least: float = _NONE) -> tuple[Array, float]:
    seen = size > least * size[0]
    part = right[seen] / size[seen, None]
    inverse = part.T @ part / np.outer(scale, scale)
    condition = math.inf if not seen.all() or size[-1] == 0 else float(size[0] / size[-1])
    # what lies along an unseen direction is not known at all
    lost = (right[~seen] ** 2).sum(axis=0) > 1e-6
    inverse[lost] = math.nan
    inverse[:, lost] = math.nan
    inverse[lost, lost] = math.inf
    return inverse, condition
