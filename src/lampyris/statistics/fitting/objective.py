"""What a fit makes small: half the weighted sum of squares, half the Poisson deviance, or minus a log likelihood.

Each gives its value and, for a step, a matrix A and a vector b: the slope is ``-A' b`` and the curvature ``A' A``, which for
squares is Gauss and Newton's, for counts Fisher's expected information, and for other likelihoods the observed one made positive.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from lampyris.statistics.fitting.differences import curvatures, slopes
from lampyris.statistics.fitting.problem import DataSet, LogLikelihood, Parameter, layout

Array = NDArray[np.float64]
# steps of numeric derivatives over the parameter's scale: far from the end, near it, and at it
_ROUGH, _QUICK, _FINE = 3e-8, 6e-6, 7e-4
# the same of a likelihood, whose second derivatives lose twice the digits
_LIKELIHOOD = 1e-2
# steps of its first derivatives over those of its second
_FIRST = 0.05
# of a log likelihood over a parameter's scale: less is flat
_LEAST_CURVATURE = 1e-10
# the least share of the mean count that a channel is taken to expect when it is weighed
_LEAST_SHARE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Which parameters move, from where, in which bounds.

    Parameters
    ----------
    parameters : tuple of Parameter
    base : ndarray, dims (parameter,)
        Values of those that are held.
    free : ndarray of int, dims (free,)
        Places of those that move.
    low, high : ndarray, dims (free,)
        Their bounds.
    """

    parameters: tuple[Parameter, ...]
    base: Array
    free: NDArray[np.intp]
    low: Array = field(init=False)
    high: Array = field(init=False)
    _given: Array = field(init=False)
    _least: Array = field(init=False)

    def __post_init__(self) -> None:
        moving = [self.parameters[one] for one in self.free]
        start = np.array([one.start for one in moving], dtype=np.float64)
        for name, values in (
            ("low", [one.low for one in moving]),
            ("high", [one.high for one in moving]),
            ("_given", [one.scale for one in moving]),
            ("_least", 1e-3 * np.abs(start)),
        ):
            object.__setattr__(self, name, np.array(values, dtype=np.float64))

    def full(self, theta: Array, /) -> Array:
        """All parameters, dims (parameter,)."""
        out = self.base.copy()
        out[self.free] = theta
        return out

    def typical(self, theta: Array, /) -> Array:
        """Size of each free parameter, for steps."""
        own = np.maximum(np.abs(theta), self._least)
        return np.where(self._given > 0, self._given, np.where(own > 0, own, 1.0))

    def holding(self, place: int, value: float, base: Array, /) -> "Frame":
        """The same with one more parameter held."""
        held = base.copy()
        held[place] = value
        return Frame(self.parameters, held, self.free[self.free != place])


class Objective(Protocol):
    """What the engine needs of a fit's objective; `theta` are the free parameters."""

    @property
    def frame(self) -> Frame:
        """Which parameters are free, and where the others stand."""
        ...

    def value(self, theta: Array, /) -> float:
        """What is made smallest; a likelihood's is its negative logarithm."""
        ...

    def quadratic(self, theta: Array, /, *, steps: Array | None = None, rough: bool = False) -> tuple[Array, Array]:
        """A least-squares problem with the slope and nearly the curvature of the value.

        Matrix, dims (row, free), and right side, dims (row,).
        """
        ...

    def hessian(self, theta: Array, steps: Array, /) -> Array:
        """Whole curvature by differences of these steps, dims (free, free)."""
        ...

    def scores(self, theta: Array, steps: Array, /) -> Array:
        """Gradient of each independent part of the value, dims (part, free)."""
        ...

    def moved(self, frame: Frame, /) -> "Objective":
        """The same with other parameters free."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Curves:
    """Models of several data sets as one long vector."""

    sets: tuple[DataSet, ...]
    places: tuple[NDArray[np.intp], ...]
    frame: Frame
    observed: Array

    def expected(self, theta: Array, /) -> Array:
        full = self.frame.full(theta)
        parts = []
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            for one, places in zip(self.sets, self.places, strict=True):
                part = np.asarray(one.model(full[places]), dtype=np.float64)
                if part.shape != one.observed.shape:  # type: ignore[union-attr]
                    raise ValueError(
                        f"{one.name}: the model gives shape {part.shape} for observed values of shape {np.shape(one.observed)}"
                    )
                parts.append(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def jacobian(self, theta: Array, steps: Array | None, /, *, rough: bool = False) -> Array:
        """Slopes of the expected values, dims (point, free)."""
        frame = self.frame
        order = 4
        if steps is None:
            order, share = (1, _ROUGH) if rough else (2, _QUICK)
            steps = share * frame.typical(theta)
        full, low, high = frame.full(theta), frame.low, frame.high
        blocks = []
        for one, places in zip(self.sets, self.places, strict=True):
            block = np.zeros((np.size(one.observed), theta.size))
            if one.jacobian is not None:
                whole = np.zeros((full.size, np.size(one.observed)))
                with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
                    leaning = np.asarray(one.jacobian(full[places]), dtype=np.float64).T
                if np.unique(places).size == places.size:
                    whole[places] = leaning
                else:
                    # a parameter that a model takes twice moves it twice
                    np.add.at(whole, places, leaning)
                block = whole[frame.free].T
            else:
                # only of those that the set takes
                own = np.flatnonzero(np.isin(frame.free, places))
                if own.size:
                    alone = _alone(one, places, full, frame.free[own])
                    block[:, own] = slopes(alone, theta[own], steps[own], low[own], high[own], order=order)
            blocks.append(block)
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def bends(self, theta: Array, steps: Array, weights: Array, /) -> Array:
        """Weighted sum over the points of the second derivatives, dims (free, free)."""
        frame = self.frame
        full, low, high = frame.full(theta), frame.low, frame.high
        total = np.zeros((theta.size, theta.size))
        at = 0
        for one, places in zip(self.sets, self.places, strict=True):
            part = weights[at : at + np.size(one.observed)]
            at += part.size
            own = np.flatnonzero(np.isin(frame.free, places))
            if own.size:
                alone = _alone(one, places, full, frame.free[own])
                found = curvatures(alone, theta[own], steps[own], low[own], high[own])
                total[np.ix_(own, own)] += found @ part
        return total


def _alone(one: DataSet, places: NDArray[np.intp], full: Array, moving: NDArray[np.intp]) -> Callable[[Array], Array]:
    """A set's model as a function of those of its parameters that move."""

    def model(theta: Array) -> Array:
        at = full.copy()
        at[moving] = theta
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            return np.asarray(one.model(at[places]), dtype=np.float64)

    return model


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """Half the sum of squared residuals over their standard deviations.

    Parameters
    ----------
    curves : _Curves
    sd : ndarray, dims (point,)
    """

    curves: _Curves
    sd: Array

    @property
    def frame(self) -> Frame:
        return self.curves.frame

    def residuals(self, theta: Array, /) -> Array:
        """Expected less observed over the standard deviation, dims (point,)."""
        return (self.curves.expected(theta) - self.curves.observed) / self.sd

    def slopes_of_residuals(self, theta: Array, /, *, steps: Array | None = None, rough: bool = False) -> Array:
        return self.curves.jacobian(theta, steps, rough=rough) / self.sd[:, None]

    def value(self, theta: Array, /) -> float:
        off = self.residuals(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            half = 0.5 * float(off @ off)
        return half if math.isfinite(half) else math.inf

    def quadratic(self, theta: Array, /, *, steps: Array | None = None, rough: bool = False) -> tuple[Array, Array]:
        return self.slopes_of_residuals(theta, steps=steps, rough=rough), -self.residuals(theta)

    def hessian(self, theta: Array, steps: Array, /) -> Array:
        leaning = self.slopes_of_residuals(theta, steps=steps)
        return leaning.T @ leaning + self.curves.bends(theta, steps, self.residuals(theta) / self.sd)

    def scores(self, theta: Array, steps: Array, /) -> Array:
        return self.slopes_of_residuals(theta, steps=steps) * self.residuals(theta)[:, None]

    def moved(self, frame: Frame, /) -> "Squares":
        return Squares(replace(self.curves, frame=frame), self.sd)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Half the Poisson deviance of counts."""

    curves: _Curves

    @property
    def frame(self) -> Frame:
        return self.curves.frame

    def deviances(self, theta: Array, /) -> Array:
        """Half the deviance of each count; infinite where a model expects no or negative counts and some came."""
        expected, seen = self.curves.expected(theta), self.curves.observed
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            half = xlogy(seen, seen) - xlogy(seen, expected) - (seen - expected)
        half = np.where(expected >= 0, half, math.inf)
        return np.where(np.isfinite(half), half, math.inf)

    def value(self, theta: Array, /) -> float:
        return float(self.deviances(theta).sum())

    def log_likelihood(self, theta: Array, /) -> float:
        seen = self.curves.observed
        full = xlogy(seen, seen) - seen - gammaln(seen + 1.0)
        return float(full.sum()) - self.value(theta)

    def _weighed(self, theta: Array) -> Array:
        least = max(_LEAST_SHARE * float(self.curves.observed.mean()), 1e-300)
        return np.maximum(self.curves.expected(theta), least)

    def quadratic(self, theta: Array, /, *, steps: Array | None = None, rough: bool = False) -> tuple[Array, Array]:
        expected = self._weighed(theta)
        root = np.sqrt(expected)
        return self.curves.jacobian(theta, steps, rough=rough) / root[:, None], (self.curves.observed - expected) / root

    def hessian(self, theta: Array, steps: Array, /) -> Array:
        expected, seen = self._weighed(theta), self.curves.observed
        leaning = self.curves.jacobian(theta, steps)
        return (leaning.T * (seen / expected**2)) @ leaning + self.curves.bends(theta, steps, 1.0 - seen / expected)

    def scores(self, theta: Array, steps: Array, /) -> Array:
        off = 1.0 - self.curves.observed / self._weighed(theta)
        return self.curves.jacobian(theta, steps) * off[:, None]

    def moved(self, frame: Frame, /) -> "Counts":
        return Counts(replace(self.curves, frame=frame))


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Minus the log likelihood of independent units."""

    terms: tuple[LogLikelihood, ...]
    places: tuple[NDArray[np.intp], ...]
    frame: Frame

    def each(self, theta: Array, /) -> Array:
        """Minus each unit's log likelihood."""
        full = self.frame.full(theta)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            parts = [
                np.atleast_1d(np.asarray(one.of(full[places]), dtype=np.float64))
                for one, places in zip(self.terms, self.places, strict=True)
            ]
        return -(parts[0] if len(parts) == 1 else np.concatenate(parts))

    def _total(self, theta: Array) -> Array:
        return np.asarray(self.each(theta).sum())

    def value(self, theta: Array, /) -> float:
        total = float(self.each(theta).sum())
        return total if math.isfinite(total) else math.inf

    def quadratic(self, theta: Array, /, *, steps: Array | None = None, rough: bool = False) -> tuple[Array, Array]:
        frame = self.frame
        typical = frame.typical(theta)
        if steps is None:
            # a step needs its slope well and its curvature only about
            slope = slopes(self._total, theta, _QUICK * typical, frame.low, frame.high, order=2)
            curvature = curvatures(self._total, theta, _LIKELIHOOD * typical, frame.low, frame.high, order=2)
        else:
            slope = slopes(self._total, theta, _FIRST * steps, frame.low, frame.high, order=4)
            curvature = self.hessian(theta, steps)
        # in units of the parameters' scales, and a sum of squares whatever its sign, so that a step always leads down
        scaled = curvature * np.outer(typical, typical)
        size, turn = np.linalg.eigh(scaled if np.isfinite(scaled).all() else np.eye(theta.size))
        root = np.sqrt(np.maximum(np.abs(size), _LEAST_CURVATURE))
        return root[:, None] * turn.T / typical, -(turn.T @ (slope * typical)) / root

    def hessian(self, theta: Array, steps: Array, /) -> Array:
        frame = self.frame
        return curvatures(self._total, theta, steps, frame.low, frame.high)

    def scores(self, theta: Array, steps: Array, /) -> Array:
        return slopes(self.each, theta, _FIRST * steps, self.frame.low, self.frame.high, order=4)

    def moved(self, frame: Frame, /) -> "Units":
        return Units(self.terms, self.places, frame)


def _frame(parameters: Sequence[Parameter]) -> Frame:
    free = [place for place, one in enumerate(parameters) if not one.fixed]
    return Frame(
        tuple(parameters), np.array([one.start for one in parameters], dtype=np.float64), np.array(free, dtype=np.intp)
    )


def _curves(sets: Sequence[DataSet], parameters: Sequence[Parameter]) -> _Curves:
    places = layout(parameters, sets)
    return _Curves(tuple(sets), places, _frame(parameters), np.concatenate([np.asarray(one.observed) for one in sets]))


def squares(sets: Sequence[DataSet], parameters: Sequence[Parameter], /) -> Squares:
    """Objective of least squares; a set without standard deviations has them all 1."""
    sd = [np.ones(np.size(one.observed)) if one.sd is None else np.asarray(one.sd) for one in sets]
    return Squares(_curves(sets, parameters), np.concatenate(sd))


def counts(sets: Sequence[DataSet], parameters: Sequence[Parameter], /) -> Counts:
    """Objective of Poisson likelihood.

    Raises
    ------
    ValueError
        If a count is negative or a set brings standard deviations, which counts have of themselves.
    """
    faults = []
    for one in sets:
        if (np.asarray(one.observed) < 0).any():
            places = np.flatnonzero(np.asarray(one.observed) < 0)[:5].tolist()
            faults.append(f"{one.name}: counts at places {places} are negative")
        if one.sd is not None:
            faults.append(f"{one.name}: counts bring their own uncertainty: leave sd out, or fit by least squares")
    if faults:
        raise ValueError("; ".join(faults))
    return Counts(_curves(sets, parameters))


def units(terms: Sequence[LogLikelihood], parameters: Sequence[Parameter], /) -> Units:
    """Objective of a likelihood that is given as such."""
    return Units(tuple(terms), layout(parameters, terms), _frame(parameters))


def fine_steps(objective: Objective, theta: Array, sd: Array | None, /) -> Array:
    """Steps of the derivatives at the end: a share of the scale, and small beside the uncertainty where that is known."""
    typical = objective.frame.typical(theta)
    if isinstance(objective, Units):
        wanted = 0.02 * sd if sd is not None else _LIKELIHOOD * typical
        return np.where(np.isfinite(wanted) & (wanted > 0), wanted, _LIKELIHOOD * typical)
    steps = _FINE * typical
    if sd is not None:
        steps = np.where(np.isfinite(sd) & (sd > 0), np.minimum(steps, 0.1 * sd), steps)
    return np.maximum(steps, 1e-6 * typical)
