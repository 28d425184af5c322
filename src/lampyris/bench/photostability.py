"""Photostability: what is left of a signal under light, by the laws of `lampyris.probe.photophysics`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.bleaching import Bleaching, Law
from lampyris.statistics.averaging import akaike_weights, averaged_estimate, following, widened, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, derived, fit_least_squares

LAWS: tuple[Law, ...] = ("single", "double", "stretched", "power")
_FEWEST = {"single": 4, "double": 7, "stretched": 5, "power": 5}
"""Points that a law needs: its parameters and two beyond."""
_SHARES = np.append(np.linspace(0.0, 0.98, 50), [0.99, 0.995, 0.998, 0.999])
"""Of a point's variance at the mean signal, what goes with the signal; never all, so that no point is without scatter."""


def predict_trace(law: Law, minutes: ArrayLike, parameters: ArrayLike, /) -> NDArray[np.float64]:
    """Signal expected under constant light.

    Parameters
    ----------
    law : str
    minutes : array_like, dims (point,)
    parameters : array_like
        Of ``single``: signal at the start and rate per minute, which may be below 0, for dots that brighten. Of the others:
        signal at the start, logarithm of the minutes to 1/e, then of ``double`` logarithm of the second time and the share of the
        first, of ``stretched`` the exponent, of ``power`` the logarithm of the exponent.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    start, second, *rest = np.asarray(parameters, np.float64).tolist()
    at = np.asarray(minutes, np.float64)
    if law == "single":
        return start * np.exp(-second * at)
    scale = math.exp(second)
    match law:
        case "double":
            own = Bleaching("double", scale, dose_2=math.exp(rest[0]), share=min(max(rest[1], 0.0), 1.0))
        case "stretched":
            own = Bleaching("stretched", scale, shape=min(rest[0], 1.0))
        case _:
            own = Bleaching("power", scale, shape=math.exp(rest[0]))
    return start * own.retained(at)


def _slopes(law: Law, at: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Derivatives of `predict_trace` by its parameters, dims (point, parameter)."""

    def of(p: NDArray[np.float64]) -> NDArray[np.float64]:
        start, second, *rest = p.tolist()
        if law == "single":
            left = np.exp(-second * at)
            return np.column_stack([left, -start * at * left])
        x = at * math.exp(-second)
        match law:
            case "double":
                y, share = at * math.exp(-rest[0]), rest[1]
                one, two = np.exp(-x), np.exp(-y)
                left = share * one + (1.0 - share) * two
                slopes = [share * x * one, (1.0 - share) * y * two, one - two]
            case "stretched":
                y = x ** rest[0]
                left = np.exp(-y)
                slopes = [rest[0] * y * left, -y * np.log(x, where=x > 0, out=np.zeros(x.size)) * left]
            case _:
                exponent = math.exp(rest[0])
                fall, lean = exponent * np.log1p(x / exponent), x / (1.0 + x / exponent)
                left = np.exp(-fall)
                slopes = [lean * left, (lean - fall) * left]
        return np.column_stack([left, *(start * one for one in slopes)])

    return of


def variance_trace(
    expected: ArrayLike, /, *, electrons_per_unit: float, read_electrons: float = 0.0
) -> NDArray[np.float64]:
    """Variance of a signal that counts photons.

    Parameters
    ----------
    expected : array_like, dims (point,)
    electrons_per_unit : float
        Of the signal.
    read_electrons : float
        Read noise.

    Returns
    -------
    numpy.ndarray, dims (point,)
        In the signal's unit squared.
    """
    return (
        np.maximum(np.asarray(expected, np.float64), 0.0) * electrons_per_unit + read_electrons**2
    ) / electrons_per_unit**2


@dataclass(frozen=True, slots=True, eq=False)
class TraceFit:
    """One law fitted to one trace.

    Parameters
    ----------
    law : str
    fit : Fit
    retained, rate_per_min : Estimate
        Share left at the asked time, and minus its logarithm over that time, which of ``single`` is its rate.
    expected : numpy.ndarray, dims (point,)
    """

    law: Law
    fit: Fit
    retained: Estimate
    rate_per_min: Estimate
    expected: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TraceLaws:
    """All laws that a trace can bear, the best first.

    Parameters
    ----------
    fits : tuple of TraceFit
        In the order of AICc.
    together : tuple of str
        Laws within 2 of the best: the trace does not tell them apart.
    correlated : bool
        Residuals follow each other more than chance lets them: a drift of lamp or focus; intervals are widened for it.
    retained, rate_per_min : Estimate
        Means over the laws by their Akaike weights; the interval holds each law's own error and how far the laws differ.
    """

    fits: tuple[TraceFit, ...]
    together: tuple[str, ...]
    correlated: bool
    retained: Estimate
    rate_per_min: Estimate


def infer_trace(
    minutes: ArrayLike, signal: ArrayLike, /, *, at_min: float = 60.0, laws: Sequence[Law] = LAWS, level: float = 0.95
) -> TraceLaws:
    """Laws of bleaching that a trace bears, and what is left at a time by each.

    Parameters
    ----------
    minutes, signal : array_like, dims (point,)
        Of one trace; the dark level is taken off.
    at_min : float
        Time of `retained`.
    laws : sequence of str
    level : float

    Returns
    -------
    TraceLaws

    Raises
    ------
    ValueError
        If the points are too few for every law, or the trace begins without signal.

    Notes
    -----
    The scatter is that of the residuals; what part of it grows with the signal, as counted photons do, and what part stays, as
    read noise does, is found by likelihood from those of the best law, and all laws are weighed by it. Without it a
    signal that falls lends its loud start the scatter of its quiet end. Where neighbours agree (lag-1 correlation r above chance)
    variances grow by (1+r)/(1-r).

    References
    ----------
    Carroll and Ruppert, Transformation and Weighting in Regression, Chapman & Hall 1988, DOI 10.1201/9780203735268, chapter 2.
    Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed., Springer 2002, DOI 10.1007/b97636, section 4.3.
    """
    at, y = np.asarray(minutes, np.float64), np.asarray(signal, np.float64)
    possible = [law for law in laws if at.size >= _FEWEST[law]]
    if not possible:
        raise ValueError(f"{at.size} points are too few; the least law needs {min(_FEWEST[law] for law in laws)}")
    first = float(np.median(y[: max(1, at.size // 20)]))
    if not first > 0:
        raise ValueError(f"the trace begins at {first:g}, not above the dark level")
    fits, sd = _weighed(possible, at, y, (first, at_min), level)
    best = fits[0].fit.goodness.aicc
    together = tuple(one.law for one in fits if one.fit.goodness.aicc < best + 2.0)
    correlation = following(fits[0].fit.residuals[0] / sd)
    widen = widening(correlation)
    fits = [
        replace(one, retained=widened(one.retained, widen), rate_per_min=widened(one.rate_per_min, widen))
        for one in fits
    ]
    # a law whose parameters the trace does not tell apart has an error without meaning, and would lend it to the mean
    sound = [one for one in fits if one.fit.trusted] or fits
    weights = akaike_weights([one.fit.goodness.aicc for one in sound])
    return TraceLaws(
        tuple(fits),
        together,
        correlation > 0.0,
        averaged_estimate([one.retained for one in sound], weights, least=0.0),
        averaged_estimate([one.rate_per_min for one in sound], weights),
    )


def _weighed(
    laws: Sequence[Law], at: NDArray[np.float64], y: NDArray[np.float64], known: tuple[float, float], level: float
) -> tuple[list[TraceFit], NDArray[np.float64]]:
    """Every law, the best first, and each point's standard deviation up to a factor, by which all are weighed alike."""
    # a double law takes ten times as long as the others, whose residuals tell the scatter where one of them is best
    quick: list[Law] = [law for law in laws if law != "double"] or list(laws)
    pilot = [_fit(law, at, y, known[0], None, level) for law in quick]
    least = min(pilot, key=lambda one: one.goodness.aicc)
    for _ in range(2):
        sd = _scatter(least)
        fits = sorted((_fitted(law, at, y, known, sd, level) for law in laws), key=lambda one: one.fit.goodness.aicc)
        least = fits[0].fit
        if fits[0].law in quick:
            break
    return fits, sd


def _scatter(fit: Fit) -> NDArray[np.float64]:
    """Standard deviation of each point up to a factor: the likeliest mixture of an even variance and one as the signal."""
    squares = fit.residuals[0] ** 2
    signal = np.maximum(fit.fitted[0], 0.0)
    if not squares.any() or not signal.any():
        return np.ones(squares.size)
    signal = signal / signal.mean()
    variances = (1.0 - _SHARES)[:, None] + _SHARES[:, None] * signal
    lacks = squares.size * np.log((squares / variances).mean(axis=1)) + np.log(variances).sum(axis=1)
    return np.asarray(np.sqrt(variances[int(lacks.argmin())]))


def _fitted(
    law: Law,
    at: NDArray[np.float64],
    y: NDArray[np.float64],
    known: tuple[float, float],
    sd: NDArray[np.float64],
    level: float,
) -> TraceFit:
    first, at_min = known
    fit = _fit(law, at, y, first, sd, level)

    def share(p: NDArray[np.float64]) -> float:
        return float(predict_trace(law, [at_min], [1.0, *p[1:].tolist()])[0])

    retained = derived(fit, share)
    rate = derived(fit, lambda p: -math.log(max(share(p), 1e-300)) / at_min, unit="1/min")
    return TraceFit(law, fit, retained, rate, predict_trace(law, at, fit.values))


def _fit(
    law: Law,
    at: NDArray[np.float64],
    y: NDArray[np.float64],
    first: float,
    sd: NDArray[np.float64] | None,
    level: float,
) -> Fit:
    """Least squares; `sd` up to a common factor, even where there is none."""
    span = float(at.max() - at.min()) or 1.0
    lost = max(1e-3, -math.log(max(float(np.median(y[-max(1, y.size // 20) :])) / first, 1e-3)))
    scale = math.log(span / lost)
    bounds = (math.log(span) - 7.0, math.log(span) + 12.0)
    start = min(max(scale, bounds[0]), bounds[1])
    signal = Parameter("start", first, low=0.0, scale=0.01 * first)
    rest = {
        "single": [Parameter("rate_per_min", lost / span, unit="1/min", scale=0.05 * lost / span)],
        "double": [
            Parameter("log_first_min", start - 1.5 if start - 1.5 > bounds[0] else start, *bounds, scale=0.1),
            Parameter("log_second_min", min(start + 1.5, bounds[1]), *bounds, scale=0.1),
            Parameter("share", 0.4, 0.0, 1.0, scale=0.05, grid=(0.1,)),
        ],
        "stretched": [
            Parameter("log_first_min", start, *bounds, scale=0.1),
            Parameter("exponent", 0.8, 0.1, 1.0, scale=0.05),
        ],
        "power": [
            Parameter("log_first_min", start, *bounds, scale=0.1),
            Parameter("log_exponent", 0.0, math.log(0.02), math.log(1e4), scale=0.1),
        ],
    }[law]
    data = DataSet(lambda p: predict_trace(law, at, p), y, sd=sd, jacobian=_slopes(law, at))
    return fit_least_squares(data, [signal, *rest], scatter="residual", level=level)
