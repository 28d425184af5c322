"""From a recorded decay to its law: Poisson likelihood through the predicted counts, and how many components it bears."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.lifetime.model import Decay, Window, best_shift, starts_of
from lampyris.bench.lifetime.noise import drawn_residuals, information_of, moves, unevenness
from lampyris.bench.lifetime.prediction import DecayLaw, amplitude_mean, intensity_mean
from lampyris.core.estimate import Estimate
from lampyris.statistics.averaging import akaike_weights, averaged_estimate
from lampyris.statistics.counting import counting_factors
from lampyris.statistics.fitting import DataSet, Fit, derived, fit_poisson, profile_interval
from lampyris.statistics.intervals import bounded_interval

Array = NDArray[np.float64]
CLEARLY = 10.0
"""By how much the criterion must fall for one more component: a ratio of the models' likelihoods of e^5 beyond its parameters."""
SHIFT_REACH = 30
"""Channels that the search for the response's shift goes in either direction."""
_LAGS = 20
_NUISANCE = ("background", "scatter")
# counts expected of a channel at least, and counts that are many: there the factors of counting are below 1.03
_TINY, _MANY = 1e-12, 60.0
# condition of the even information from which on its inverse means nothing
_ILL = 1e12
# Akaike weight of a law whose background is asked for
_WEIGHS = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class DecayFit:
    """A law fitted to a decay.

    Parameters
    ----------
    model : Decay
    fit : Fit
        Its covariance holds the noise of the response and uneven channels as well; lifetimes in channels.
    channel_ns : float
    criterion : float
        AICc, its likelihood divided by `excess`.
    excess : float
        Variance over that of the counts which the richest law leaves, at least 1.
    instrument_sd : numpy.ndarray
        Part of each parameter's standard error that the response's noise and uneven channels make, dims (parameter,).
    unevenness : float
        Standard deviation, relative, that the counts have beyond that of photons, as channels of uneven width give them.
    """

    model: Decay
    fit: Fit
    channel_ns: float
    criterion: float
    excess: float
    instrument_sd: Array
    unevenness: float = 0.0

    @property
    def order(self) -> NDArray[np.intp]:
        """Components from the shortest lifetime to the longest."""
        return np.argsort(self.fit.values[: self.model.components], kind="stable")

    @property
    def law(self) -> DecayLaw:
        """The fitted law."""
        values = dict(zip(self.fit.names, self.fit.values.tolist(), strict=True))
        return DecayLaw(
            tuple(values[f"lifetime {k + 1}"] * self.channel_ns for k in self.order),
            tuple(values[f"photons {k + 1}"] for k in self.order),
            values.get("stretch", 1.0),
            values["background"],
            values.get("scatter", 0.0),
            values["shift"],
        )

    @property
    def title(self) -> str:
        """Law in words."""
        if self.model.stretched:
            return "stretched exponential"
        return f"{self.model.components} exponential{'s' if self.model.components > 1 else ''}"

    def lifetimes(self, *, profile: bool = True) -> tuple[Estimate, ...]:
        """Lifetimes in ns, shortest first, with support-plane intervals."""
        return tuple(self._lifetime(int(k), profile) for k in self.order)

    def _lifetime(self, k: int, profile: bool) -> Estimate:
        name = f"lifetime {k + 1}"
        one = self.supported(name) if profile and name not in self.fit.at_bound else self.fit[name]
        scale = self.channel_ns
        return replace(
            one, value=one.value * scale, sd=one.sd * scale, low=one.low * scale, high=one.high * scale, unit="ns"
        )

    def supported(self, name: str, /) -> Estimate:
        """A parameter that is not below 0 in the fit's own unit, with its support-plane interval; a limit where it ends at none.

        Counts in channels that hold next to nothing are far from normal: of a background of none the curvature at the fit would
        allow a twentieth of what the counts allow. The rise of the likelihood, too, is that of many counts: where none came it
        would allow a mean of 1.9 of them at 95 %, which leaves none in one of seven cases. Of what few counts tell, the distances
        to the ends are stretched as `counting_factors` has it; of what many tell, the lower end near none is that of a
        `bounded_interval`, as one that is cut at none misses on one side alone.
        """
        one = self.fit[name]
        if not math.isfinite(one.sd):
            return one
        plain = profile_interval(self.fit, name)
        down, up = self._counting(name, plain.high) if name in _NUISANCE else (1.0, 1.0)
        # the counts' own interval, and beside it what the instrument adds
        added = float(self.instrument_sd[self.fit.names.index(name)])
        if name in self.fit.at_bound:
            method = "Poisson likelihood, none is likeliest: a limit"
            high = math.hypot(up * plain.high, self.fit.quantile() * added)
            return replace(one, sd=high / self.fit.quantile(), low=0.0, high=high, method=method)
        own = math.sqrt(max(one.sd**2 - added**2, 0.0)) or one.sd
        beside = one.sd / own if own else 1.0
        low = max(one.value - (one.value - plain.low) * down * beside, 0.0) if math.isfinite(plain.low) else plain.low
        high = one.value + (plain.high - one.value) * up * beside
        if name in _NUISANCE and down == up == 1.0:
            central = low if low > 0.0 else min(one.value - self.fit.quantile() * one.sd, 0.0)
            low = bounded_interval(replace(one, low=central, high=high)).low
        method = "Poisson likelihood, support plane (profile), widened by the response's noise and uneven channels"
        return replace(one, low=low, high=high, method=method)

    def _counting(self, name: str, high: float) -> tuple[float, float]:
        """Factors of what a parameter that adds counts is told by: as of one Poisson number, multiplied, that scatters as its score.

        The score is a sum of counts by weights; a multiple of one Poisson number has its variance and third moment.

        References
        ----------
        Bohm & Zech 2014, Nucl Instrum Methods A 748:1, doi:10.1016/j.nima.2014.02.021 (scaled Poisson distribution).
        """
        place = self.fit.names.index(name)
        if not math.isfinite(high):
            return 1.0, 1.0
        slope = np.maximum(self.model.jacobian(self.fit.values)[:, place], 0.0)
        value = float(self.fit.values[place])
        expected = np.maximum(self.fit.fitted[0] + slope * (high - value), _TINY)
        second, third = float((slope**2 / expected).sum()), float((slope**3 / expected**2).sum())
        if not third > 0.0:
            return 1.0, 1.0
        whole, each = second**3 / third**2, second**2 / third
        background = max(whole - each * high, 0.0)
        if whole > _MANY:
            return 1.0, 1.0
        down, up = counting_factors(background + each * value, background, level=self.fit.level)
        # light that by chance came less makes the data no more telling
        return max(down, 1.0), max(up, 1.0)

    def amplitudes(self) -> tuple[Estimate, ...]:
        """Share of each component in the height at time 0, by the delta method, cut at 0 and 1."""
        return self._shares(lambda lifetimes, photons: photons / lifetimes)

    def intensities(self) -> tuple[Estimate, ...]:
        """Share of each component in the photons."""
        return self._shares(lambda lifetimes, photons: photons)

    def _shares(self, of: Callable[[Array, Array], Array]) -> tuple[Estimate, ...]:
        n = self.model.components
        first = n + self.model.stretched
        if n == 1:
            return (Estimate(1.0, 0.0, 1.0, 1.0, self.fit.level, "1", "one component"),)

        def share(values: Array, k: int) -> float:
            each = of(values[:n], values[first : first + n])
            return float(each[k] / each.sum())

        made = (derived(self.fit, lambda values, k=int(k): share(values, k)) for k in self.order)  # type: ignore[misc]
        return tuple(replace(one, low=max(one.low, 0.0), high=min(one.high, 1.0)) for one in made)

    def mean(self, kind: str, /) -> Estimate:
        """Mean lifetime in ns, weighted by ``amplitude`` or by ``intensity``."""
        n, stretched = self.model.components, self.model.stretched
        weighted = amplitude_mean if kind == "amplitude" else intensity_mean

        def mean(values: Array) -> float:
            stretch = float(values[1]) if stretched else 1.0
            return weighted(values[:n], values[n + stretched : 2 * n + stretched], stretch) * self.channel_ns

        found = derived(self.fit, mean, unit="ns")
        if stretched:
            found = self._up_to_exponential(found, mean)
        held = [name for name in self.fit.at_bound if name.startswith("lifetime") or name == "stretch"]
        if not held:
            return found
        # what ends at a bound has no error, and a mean made of it has none either
        one = self._lifetime(0, profile=False) if n == 1 and not stretched else None
        low, high = (one.low, one.high) if one is not None else (0.0, math.inf)
        return replace(
            found, sd=math.nan, low=low, high=high, method=f"{found.method}; {', '.join(held)} ended at a bound"
        )

    def _up_to_exponential(self, found: Estimate, of: Callable[[Array], float]) -> Estimate:
        """Ends of a number of a stretched law where exponents above 1 are none: from there on along the exponential law.

        The support plane of normal errors: at an exponent of 1 the deviance has risen by the square of how far that is, and what is
        left of the rise goes along the exponential law, which is more certain.
        """
        stretch, quantile = self.fit["stretch"], self.fit.quantile()
        if not (0.0 < stretch.sd < math.inf and 0.0 < found.sd < math.inf):
            return found
        apart = (1.0 - stretch.value) / stretch.sd
        both = derived(self.fit, lambda values: of(values) / found.sd + float(values[1]) / stretch.sd)
        together = min(max(0.5 * both.sd**2 - 1.0, -1.0), 1.0)
        if apart >= quantile or not abs(together) * quantile > apart:
            return found
        left = math.sqrt((1.0 - together**2) * (quantile**2 - apart**2))
        end = found.value + found.sd * (together * apart + math.copysign(left, together))
        return replace(found, high=end) if together > 0 else replace(found, low=end)

    @property
    def borne(self) -> bool:
        """Nothing but background and scatter at a bound, each share clear of 0, neighbouring lifetimes clear of each other."""
        n = self.model.components
        held = [name for name in self.fit.at_bound if name not in _NUISANCE]
        if held or not np.isfinite(self.fit.sds[: 2 * n + self.model.stretched]).all():
            return False
        quantile = self.fit.quantile()
        lifetimes, sds = self.fit.values[:n][self.order], self.fit.sds[:n][self.order]
        apart = np.diff(lifetimes) > quantile * np.hypot(sds[1:], sds[:-1])
        return bool(apart.all()) and all(one.value > quantile * one.sd for one in self.amplitudes() if one.sd > 0)

    @property
    def weighted_residuals(self) -> Array:
        """Counts less expected over the root of the expected, of the fitted channels."""
        return np.asarray(self.fit.residuals[0] / np.sqrt(self.fit.fitted[0]))

    def autocorrelation(self, *, lags: int = 100) -> Array:
        """Autocorrelation of the weighted residuals at 1 to `lags` channels."""
        own = self.weighted_residuals - self.weighted_residuals.mean()
        count = min(lags, own.size // 4)
        power = float(own @ own)
        return np.array([float(own[:-k] @ own[k:]) / power for k in range(1, count + 1)])

    @property
    def correlated(self) -> bool:
        """Residuals follow each other: Ljung and Box's sum over 20 lags lies beyond its 0.1 % quantile.

        References
        ----------
        Ljung & Box 1978, Biometrika 65:297, doi:10.1093/biomet/65.2.297.
        """
        from scipy.special import chdtri

        size = self.weighted_residuals.size
        found = self.autocorrelation(lags=_LAGS)
        total = size * (size + 2.0) * float((found**2 / (size - np.arange(1, found.size + 1))).sum())
        return total > float(chdtri(found.size, 1e-3))

    def reduced_chi2(self) -> Estimate:
        """Pearson's chi-squared over the degrees of freedom, with an interval that holds 1 if the law does.

        The response comes with its own counting noise, which no law follows: that of a weak recording adds to chi-squared, most
        where light of the pulse itself is fitted, and the interval lies as much lower.
        """
        goodness = self.fit.goodness
        added, beside = drawn_residuals(self.model, self.fit)
        # of Poisson counts the variance of (n - m)^2 / m is 2 + 1 / m
        sd = math.sqrt(float((2.0 + 1.0 / self.fit.fitted[0]).sum()) + beside) / goodness.degrees
        value = goodness.reduced_chi2
        middle, half = value - float(added.sum()) / goodness.degrees, self.fit.quantile() * sd
        return Estimate(
            value, sd, middle - half, max(value, middle + half), self.fit.level, "1", "Pearson, of Poisson counts"
        )


def fit_decay(
    window: Window,
    /,
    *,
    channel_ns: float,
    components: int,
    stretched: bool = False,
    scatter: bool = False,
    shift: float | None = None,
    start_shift: float | None = None,
    level: float = 0.95,
) -> DecayFit:
    """One law fitted to a decay by Poisson likelihood.

    Parameters
    ----------
    window : Window
    channel_ns : float
    components : int
        1 to 4; 1 of a stretched law.
    stretched, scatter : bool
        Fit an exponent; fit light of the pulse itself.
    shift : float, optional
        Of the response in channels, held; fitted without it.
    start_shift : float, optional
        Where its search starts; found without it.
    level : float
        Of the intervals.

    Returns
    -------
    DecayFit
    """
    model = Decay(window, components, stretched, scatter)
    if shift is not None:
        at = shift
    else:
        at = best_shift(window, reach=SHIFT_REACH) if start_shift is None else start_shift
    found = starts_of(window, at, components, scatter=scatter)
    tail = [found[2 * components], at, *found[2 * components + 1 :]]
    start = np.array([*found[:components], *([0.8] if stretched else []), *found[components : 2 * components], *tail])
    data = DataSet(model.expected, window.seen, jacobian=model.jacobian, name="decay")
    parameters = model.parameters(start, shift_fixed=shift is not None, shift_reach=5.0)
    fit = fit_poisson(data, parameters, level=level)
    fit = _with_free_nuisance(model, fit)
    return _with_instrument(DecayFit(model, fit, channel_ns, fit.goodness.aicc, 1.0, np.zeros(len(fit.names))))


def _with_free_nuisance(model: Decay, fit: Fit) -> Fit:
    """Covariance with background and scatter as free as they are where the fit ends at none of them.

    That none is likeliest does not make none known: held there, they would lend the lifetimes an error too small.
    """
    at_zero = [name for name in fit.at_bound if name in _NUISANCE]
    if not at_zero or len(at_zero) < len(fit.at_bound):
        return fit
    free = fit.objective.frame.free
    even, size = information_of(model, fit, free)
    if not np.isfinite(even).all() or np.linalg.cond(even) > _ILL:
        return fit
    covariance = fit.covariance.copy()
    covariance[np.ix_(free, free)] = np.linalg.inv(even) / np.outer(size, size)
    estimates = list(fit.estimates)
    for name in at_zero:
        place = fit.names.index(name)
        estimates[place] = replace(estimates[place], sd=math.sqrt(float(covariance[place, place])))
    return _with_covariance(replace(fit, estimates=tuple(estimates)), covariance)


def _with_instrument(found: DecayFit) -> DecayFit:
    """Covariance with what the response's own counting noise and uneven channels move the fit by.

    The widths of the channels are the same in the decay and in its response, so that both move the estimates together.
    """
    fit, window = found.fit, found.model.window
    moving = np.flatnonzero(np.diag(fit.covariance) > 0)
    own = fit.covariance[np.ix_(moving, moving)]
    if not moving.size or not np.isfinite(own).all():
        return found
    uneven = unevenness(fit, np.zeros(fit.fitted[0].size))
    if uneven:
        # what scatters beyond photons may be the response's own noise
        uneven = unevenness(fit, drawn_residuals(found.model, fit)[0])
    by_count, by_response = moves(found.model, fit, own, moving)
    by_width = by_response * window.response.shape
    by_width[:, window.start : window.end] += by_count[:, window.start : window.end] * fit.fitted[0]
    added = (by_response * window.response.variance) @ by_response.T + uneven**2 * by_width @ by_width.T
    covariance = fit.covariance.copy()
    covariance[np.ix_(moving, moving)] += added
    sd = np.zeros(len(fit.names))
    sd[moving] = np.sqrt(np.diag(added))
    fit = _with_covariance(fit, covariance)
    return replace(found, fit=fit, instrument_sd=sd, unevenness=uneven)


def _with_covariance(fit: Fit, covariance: Array) -> Fit:
    estimates = []
    quantile = fit.quantile()
    for place, (one, parameter) in enumerate(zip(fit.estimates, fit.objective.frame.parameters, strict=True)):
        if not one.sd > 0 or not math.isfinite(one.sd):
            estimates.append(one)
            continue
        sd = math.sqrt(float(covariance[place, place]))
        low, high = max(one.value - quantile * sd, parameter.low), min(one.value + quantile * sd, parameter.high)
        estimates.append(replace(one, sd=sd, low=low, high=high))
    return replace(fit, covariance=covariance, estimates=tuple(estimates))


def infer_decay(
    window: Window,
    /,
    *,
    channel_ns: float,
    components: int | None = None,
    most: int = 3,
    stretched: bool | None = None,
    scatter: bool = False,
    shift: float | None = None,
    level: float = 0.95,
) -> tuple[DecayFit, ...]:
    """Law of a decay, and the others that were tried.

    Parameters
    ----------
    window : Window
    channel_ns : float
    components : int, optional
        Number of exponentials, where it is known.
    most : int
        Most exponentials that are tried otherwise.
    stretched : bool, optional
        Try a stretched exponential alone (True) or not at all (False); without it beside the others, where their number is open.
    scatter : bool
        Fit light of the exciting pulse.
    shift : float, optional
        Of the response in channels, where it is known.
    level : float
        Of the intervals.

    Returns
    -------
    tuple of DecayFit
        The chosen one first: the fewest exponentials from which no larger number that the decay bears lowers the criterion by
        more than `CLEARLY`. It bears a number if no parameter but background and scatter lies at a bound, each share is clear
        of 0, and neighbouring lifetimes are clear of each other. The criterion is AICc with the likelihood divided by the
        excess variance of the richest law (QAICc), so that errors of the response do not pass for components. A stretched
        exponential is chosen where its criterion is lower than that of several exponentials, or clearly lower than that of one.
        The others follow by their criterion.

    References
    ----------
    Burnham & Anderson 2002, Model Selection and Multimodel Inference, section 2.5, doi:10.1007/b97636.
    """
    common = {"channel_ns": channel_ns, "scatter": scatter, "shift": shift, "level": level}
    if stretched:
        return (fit_decay(window, components=1, stretched=True, **common),)  # type: ignore[arg-type]
    if components is not None:
        return (fit_decay(window, components=components, **common),)  # type: ignore[arg-type]
    at = best_shift(window, reach=SHIFT_REACH) if shift is None else None
    tried = [fit_decay(window, components=k, start_shift=at, **common) for k in range(1, most + 1)]  # type: ignore[arg-type]
    if stretched is None:
        tried.append(fit_decay(window, components=1, stretched=True, start_shift=at, **common))  # type: ignore[arg-type]
    excess = max(1.0, min(one.fit.goodness.reduced_chi2 for one in tried))
    tried = [replace(one, excess=excess, criterion=_criterion(one.fit, excess)) for one in tried]
    exponentials = tried[:most]
    chosen = exponentials[0]
    for one in exponentials[1:]:
        if one.borne and one.criterion < chosen.criterion - CLEARLY:
            chosen = one
    # of two laws of several parameters the likelier; a single exponential is given up only where another is clearly better
    margin = CLEARLY if chosen is exponentials[0] else 0.0
    for one in tried[most:]:
        if one.borne and one.criterion < chosen.criterion - margin:
            chosen = one
    return (chosen, *sorted((one for one in tried if one is not chosen), key=lambda one: one.criterion))


def shift_over(fits: Sequence[DecayFit], /) -> Estimate:
    """Shift of the response in ns over the laws that a decay bears, by their Akaike weights, as `mean_over` has it.

    All laws have it in common, and each would place the pulse a little differently.
    """
    sound, weights = _weighed(fits)
    scale = fits[0].channel_ns
    one = averaged_estimate([one.fit["shift"] for one in sound], weights, same_data=True)
    return replace(
        one, value=one.value * scale, sd=one.sd * scale, low=one.low * scale, high=one.high * scale, unit="ns"
    )


def background_over(fits: Sequence[DecayFit], /) -> Estimate:
    """Background per channel over the laws that a decay bears, by their Akaike weights: a slow tail is light to one of them and
    background to another. Laws that weigh less than a thousandth are left out.
    """
    sound, weights = laws_that_weigh(fits)
    return averaged_estimate(
        [one.supported("background") for one in sound], weights, least=0.0, uneven=True, same_data=True
    )


def mean_over(fits: Sequence[DecayFit], kind: str, /) -> Estimate:
    """Mean lifetime over the laws that a decay bears, by their Akaike weights.

    Parameters
    ----------
    fits : sequence of DecayFit
        The chosen one first, as `infer_decay` gives them.
    kind : str
        ``amplitude`` or ``intensity``.

    Returns
    -------
    Estimate
        In ns. Its interval holds each law's own error and how far the laws differ beyond it: that of one law says nothing of the choice.

    References
    ----------
    Burnham & Anderson 2002, Model Selection and Multimodel Inference, section 4.3, doi:10.1007/b97636.
    """
    sound, weights = _weighed(fits)
    return averaged_estimate([one.mean(kind) for one in sound], weights, least=0.0, uneven=True, same_data=True)


def laws_that_weigh(fits: Sequence[DecayFit], /) -> tuple[list[DecayFit], Array]:
    """Laws that a decay bears and that weigh at least a thousandth, and their Akaike weights.

    Parameters
    ----------
    fits : sequence of DecayFit
        The chosen one first.

    Returns
    -------
    (list of DecayFit, numpy.ndarray)
        The weights have dims (law,).
    """
    sound, weights = _weighed(fits)
    told = [k for k in range(len(sound)) if weights[k] >= _WEIGHS]
    return [sound[k] for k in told], weights[told]


def _weighed(fits: Sequence[DecayFit]) -> tuple[list[DecayFit], Array]:
    """The chosen law and those others that the decay bears, and their Akaike weights."""
    sound = [one for k, one in enumerate(fits) if one.borne or not k]
    return sound, akaike_weights([one.criterion for one in sound])


def _criterion(fit: Fit, excess: float) -> float:
    goodness = fit.goodness
    free = goodness.free + (excess > 1.0)
    return goodness.deviance / excess + 2.0 * free + 2.0 * free * (free + 1.0) / max(goodness.points - free - 1.0, 1e-9)
