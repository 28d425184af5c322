"""Photostability: what is left of a signal under light, by the laws of `lampyris.probe.photophysics`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lampyris.core.estimate import Estimate
from lampyris.probe.photophysics.bleaching import Law
from lampyris.statistics.averaging import FOLLOWING, akaike_weights, following, widening
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares, profile_interval
from lampyris.statistics.thresholds import half_width

LAWS: tuple[Law, ...] = ("single", "double", "stretched", "power")
_FEWEST = {"single": 4, "double": 7, "stretched": 5, "power": 5}
"""Points that a law needs: its parameters and two beyond."""
_SHARES = np.append(np.linspace(0.0, 0.98, 50), [0.99, 0.995, 0.998, 0.999])
"""Of a point's variance at the mean signal, what goes with the signal; never all, so that no point is without scatter."""
_RATE = "rate_per_min"
_FASTEST = math.exp(7.0)
"""Of a rate, over the inverse of the trace's length: what is faster is gone between two readings."""
_SLOWEST = 1e-9
"""Of a mean rate, over the same: no trace tells it from none."""
_LARGEST_LOG = 700.0


def predict_trace(
    law: Law, minutes: ArrayLike, parameters: ArrayLike, /, *, at_min: float = 60.0
) -> NDArray[np.float64]:
    """Signal expected under constant light.

    All laws are told by what is asked for, the mean rate k until a time T, so that its profile likelihood is that of one
    parameter.

    Parameters
    ----------
    law : str
    minutes : array_like, dims (point,)
    parameters : array_like
        Signal at the start and k per minute: minus the logarithm of the share left at T, over T. Of ``single`` k may be below 0, for
        dots that brighten. Then of ``double`` the share v of k by which the slow component falls behind, with the rate
        ``(1-v) k``, and the logarithm of the rate f by which the fast one, with ``k + f``, is ahead; of ``stretched`` the
        exponent; of ``power`` the logarithm of the exponent.
    at_min : float
        T.

    Returns
    -------
    numpy.ndarray, dims (point,)
    """
    start, *rest = np.asarray(parameters, np.float64).tolist()
    return start * _left(law, np.asarray(minutes, np.float64) / at_min, rest, at_min)[0]


def _slopes(law: Law, at: NDArray[np.float64], at_min: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Derivatives of `predict_trace` by its parameters, dims (point, parameter)."""

    def of(p: NDArray[np.float64]) -> NDArray[np.float64]:
        start, *rest = p.tolist()
        left, slopes = _left(law, at / at_min, rest, at_min)
        return np.column_stack([left, *(start * one for one in slopes)])

    return of


def _left(
    law: Law, c: NDArray[np.float64], parameters: Sequence[float], at_min: float
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Share left at times over `at_min`, and its derivatives by the rate and by what else the law has."""
    rate, *rest = parameters
    lost = rate * at_min
    if law == "single":
        left = np.exp(-lost * c)
        return left, [-at_min * c * left]
    if law == "double":
        slowed, ahead = rest[0], math.exp(rest[1]) * at_min
        left, by_lost, by_behind, by_ahead = _left_double(c, lost, slowed * lost, ahead)
        return left, [at_min * (by_lost + slowed * by_behind), lost * by_behind, ahead * by_ahead]
    logs = np.log(c, where=c > 0, out=np.full(c.size, -np.inf))
    if law == "stretched":
        bent = c ** rest[0]
        left = np.exp(-lost * bent)
        return left, [-at_min * bent * left, -lost * bent * np.where(c > 0, logs, 0.0) * left]
    exponent = math.exp(rest[0])
    each = lost / exponent
    # beyond that number the 1 in a logarithm of 1 + c (exp(each) - 1) has no digits left
    fall = np.log1p(c * math.expm1(each)) if each < 500.0 else np.maximum(logs + each, 0.0)
    left, lean = np.exp(-exponent * fall), np.exp(logs + each - fall)
    return left, [-at_min * left * lean, -exponent * left * (fall - each * lean)]


def _left_double(c: NDArray[np.float64], lost: float, behind: float, ahead: float) -> list[NDArray[np.float64]]:
    """Share left by two exponentials that together lose `lost`, and its derivatives by the three numbers.

    The fast component loses ``lost + ahead``, the slow one ``lost - behind``, which sets their shares.
    """
    both = -math.expm1(-behind - ahead)
    fast = -math.expm1(-behind) / both
    slow = -math.exp(-behind) * math.expm1(-ahead) / both
    one, two = np.exp(-(lost + ahead) * c), np.exp(-(lost - behind) * c)
    left = fast * one + slow * two
    by_behind = slow / both * (one - two) + slow * c * two
    by_ahead = -fast * math.exp(-behind - ahead) / both * (one - two) - fast * c * one
    return [left, -c * left, by_behind, by_ahead]


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
        Its parameters are those of `predict_trace`.
    expected : numpy.ndarray, dims (point,)
    """

    law: Law
    fit: Fit
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
        Share left at the asked time, and minus its logarithm over that time, which of ``single`` is its rate. Means over the laws
        that the trace bears by their Akaike weights; the interval is the union of theirs.
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
    The scatter is that of the residuals, and its variance goes with the signal, as that of counted photons does, unless the
    residuals of the best law speak against it (likelihood ratio at `level`): then the likeliest part of it stays, as
    read noise does. All laws are weighed by it. Without it a signal that falls lends its loud start the scatter of its quiet
    end, and so does, if less, the likeliest part alone: a hundred residuals leave it anywhere between none and all.

    The law is a nuisance parameter with a few values, profiled as any other: the interval reaches as far as any law explains the
    trace about as well as the best does, by its deviance and 1 for each of its parameters, which is what chance takes from a
    deviance. A mean of laws with one standard error for each is too narrow: a law of fewer parameters that fits nearly as well
    as the true one outweighs it, and may be off by more than its own error. Where neighbours agree (lag-1 correlation r above
    chance) the rise of the deviance at the ends grows by (1+r)/(1-r), as variances do.

    References
    ----------
    Carroll and Ruppert, Transformation and Weighting in Regression, Chapman & Hall 1988, DOI 10.1201/9780203735268, chapter 2.
    Dauncey, Kenzie, Wardle and Davies, J Instrum 10, P04015 (2015), DOI 10.1088/1748-0221/10/04/P04015 (the form of a law as a
    nuisance parameter, and its correction for parameters).
    Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed., Springer 2002, DOI 10.1007/b97636, section 2.9 (weights).
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
    retained, rate = _over_laws(fits, at_min, widening(correlation))
    return TraceLaws(tuple(fits), together, correlation > 0.0, retained, rate)


def _over_laws(fits: Sequence[TraceFit], at_min: float, widen: float) -> tuple[Estimate, Estimate]:
    """Share left and mean rate, profiled over the laws as well; of the laws the best comes first."""
    best = fits[0].fit
    most = (widen * best.quantile()) ** 2
    unit = best.goodness.reduced_chi2 or 1.0
    lacks = np.array([one.fit.goodness.chi2 / unit + one.fit.goodness.free for one in fits])
    lacks -= lacks.min()
    borne = [(one, most - lack) for one, lack in zip(fits, lacks.tolist(), strict=True) if lack < most]
    # a profile's rise is in a law's own scatter
    each = [
        profile_interval(one.fit, _RATE, rise=rise * unit / (one.fit.goodness.reduced_chi2 or unit))
        for one, rise in borne
    ]
    weights = akaike_weights([one.fit.goodness.aicc for one, _ in borne])
    method = f"{each[0].method}, {' or '.join(one.law for one, _ in borne)}"
    if widen > 1.0:
        method += f", {FOLLOWING}"

    def told(value: Callable[[float], float], unit: str) -> Estimate:
        ends = [value(end) for one in each for end in (one.low, one.high)]
        mean = float(weights @ [value(one.value) for one in each])
        # the mean of equal values may lie beside them by rounding
        low, high = min(*ends, mean), max(*ends, mean)
        return Estimate(mean, (high - low) / (2.0 * best.quantile()), low, high, best.level, unit, method)

    return told(lambda rate: math.exp(min(-rate * at_min, _LARGEST_LOG)), "1"), told(lambda rate: rate, "1/min")


def _weighed(
    laws: Sequence[Law], at: NDArray[np.float64], y: NDArray[np.float64], known: tuple[float, float], level: float
) -> tuple[list[TraceFit], NDArray[np.float64]]:
    """Every law, the best first, and each point's standard deviation up to a factor, by which all are weighed alike."""
    # a double law takes several times as long as the others, whose residuals tell the scatter where one of them is best
    quick: list[Law] = [law for law in laws if law != "double"] or list(laws)
    pilot = [_fit(law, at, y, known, None, level) for law in quick]
    least = min(pilot, key=lambda one: one.goodness.aicc)
    for _ in range(2):
        sd = _scatter(least)
        fits = sorted((_fitted(law, at, y, known, sd, level) for law in laws), key=lambda one: one.fit.goodness.aicc)
        least = fits[0].fit
        if fits[0].law in quick:
            break
    return fits, sd


def _scatter(fit: Fit) -> NDArray[np.float64]:
    """Standard deviation of each point up to a factor, of a variance that is in part even and in part goes with the signal."""
    squares = fit.residuals[0] ** 2
    signal = np.maximum(fit.fitted[0], 0.0)
    if not squares.any() or not signal.any():
        return np.ones(squares.size)
    signal = signal / signal.mean()
    variances = (1.0 - _SHARES)[:, None] + _SHARES[:, None] * signal
    lacks = squares.size * np.log((squares / variances).mean(axis=1)) + np.log(variances).sum(axis=1)
    # light is counted in photons whatever the detector: an even part has to show
    counted = lacks[-1] - lacks.min() < half_width(fit.level) ** 2
    return np.asarray(np.sqrt(variances[-1 if counted else int(lacks.argmin())]))


def _fitted(
    law: Law,
    at: NDArray[np.float64],
    y: NDArray[np.float64],
    known: tuple[float, float],
    sd: NDArray[np.float64],
    level: float,
) -> TraceFit:
    fit = _fit(law, at, y, known, sd, level)
    return TraceFit(law, fit, predict_trace(law, at, fit.values, at_min=known[1]))


def _fit(
    law: Law,
    at: NDArray[np.float64],
    y: NDArray[np.float64],
    known: tuple[float, float],
    sd: NDArray[np.float64] | None,
    level: float,
) -> Fit:
    """Least squares; `sd` up to a common factor, even where there is none."""
    first, at_min = known
    span = float(at.max() - at.min()) or 1.0
    lost = max(1e-3, -math.log(max(float(np.median(y[-max(1, y.size // 20) :])) / first, 1e-3)))
    rate, fastest = lost / span, math.log(_FASTEST / span)
    slowest = fastest - 12.0
    ahead = [min(max(math.log(rate) + more, slowest), fastest) for more in (1.5, 3.0)]
    signal = Parameter("start", first, low=0.0, scale=0.01 * first)
    # dots of one kind may brighten; a spread of kinds is one of rates that bleach, and without loss it has no shape
    low, high = (-math.inf, math.inf) if law == "single" else (_SLOWEST / span, math.exp(fastest))
    rest = {
        "single": [],
        "double": [
            Parameter("slowed", 0.7, 0.0, 1.0, scale=0.05),
            Parameter("log_ahead", ahead[0], slowest, fastest, scale=0.1, grid=(ahead[1],)),
        ],
        "stretched": [Parameter("exponent", 0.8, 0.1, 1.0, scale=0.05)],
        "power": [Parameter("log_exponent", 0.0, math.log(0.02), math.log(1e4), scale=0.1)],
    }[law]
    data = DataSet(lambda p: predict_trace(law, at, p, at_min=at_min), y, sd=sd, jacobian=_slopes(law, at, at_min))
    parameters = [signal, Parameter(_RATE, rate, low, high, unit="1/min", scale=0.05 * rate), *rest]
    return fit_least_squares(data, parameters, scatter="residual", level=level)
