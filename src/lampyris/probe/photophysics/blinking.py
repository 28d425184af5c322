"""Blinking: on and off times with a power law that an exponential cuts off."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import exp1, gamma, gammaincc

from lampyris.core.estimate import Estimate
from lampyris.probe.propagation import Uncertain, sampled, value_of
from lampyris.probe.refusals import each_within, refusal, within

_HALVINGS = 200


@dataclass(frozen=True, slots=True)
class SojournTimes:
    """Durations of one state, ``p(t) ~ t^-m exp(-t/c)`` from a shortest time on.

    Parameters
    ----------
    exponent : float
        m, about 1.5; above 1 unless there is a cut-off.
    shortest_s : float
        Shortest duration that counts, such as the exposure of a frame.
    cutoff_s : float
        c; infinity for none.

    Raises
    ------
    InputError
        If a number is out of bounds, or a law without cut-off cannot be normalised.

    References
    ----------
    M. Kuno et al., J. Chem. Phys. 112, 3117 (2000), doi:10.1063/1.480896.

    Examples
    --------
    >>> on = SojournTimes(1.5, 0.01, 7.0)
    >>> round(float(on.survival(on.quantile(0.25))), 9)
    0.75
    """

    exponent: float
    shortest_s: float
    cutoff_s: float = math.inf

    def __post_init__(self) -> None:
        within("exponent", self.exponent, 0.0, 5.0)
        within("shortest_s", self.shortest_s, 1e-9, 1e6, unit="s")
        if self.cutoff_s != math.inf:
            within(
                "cutoff_s", self.cutoff_s, self.shortest_s / 100.0, 1e12, unit="s", because="of the shortest duration"
            )
        elif not self.exponent > 1.0:
            seen = f"an exponent of {self.exponent:g} without cut-off has no normalisation."
            raise refusal("probe.no-blinking", "exponent", seen, "Give cutoff_s, or an exponent above 1.")

    def survival(self, duration_s: ArrayLike, /) -> NDArray[np.float64]:
        """Share of durations that are longer; 1 up to the shortest."""
        time = np.maximum(np.asarray(duration_s, dtype=np.float64), self.shortest_s)
        if self.cutoff_s == math.inf:
            return (time / self.shortest_s) ** (1.0 - self.exponent)
        power = 1.0 - self.exponent
        whole = upper_gamma(power, self.shortest_s / self.cutoff_s)
        return upper_gamma(power, time / self.cutoff_s) / whole

    def density_per_s(self, duration_s: ArrayLike, /) -> NDArray[np.float64]:
        """Probability density, 0 below the shortest duration."""
        time = np.asarray(duration_s, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            density = np.exp(self.log_density(np.maximum(time, self.shortest_s)))
        return np.where(np.isnan(time), np.nan, np.where(time < self.shortest_s, 0.0, density))

    def quantile(self, share: ArrayLike, /) -> NDArray[np.float64]:
        """Duration that a share of the durations do not exceed: the inverse of ``1 - survival``.

        Raises
        ------
        InputError
            If a share is not from 0 to below 1.
        """
        shape = np.shape(share)
        below = each_within("share", share, 0.0, np.nextafter(1.0, 0.0))
        if self.cutoff_s == math.inf:
            return (self.shortest_s * (1.0 - below) ** (1.0 / (1.0 - self.exponent))).reshape(shape)
        low = np.full(below.shape, math.log(self.shortest_s))
        # beyond 800 cut-offs nothing that a double can hold is left
        high = np.full(below.shape, math.log(self.shortest_s + 800.0 * self.cutoff_s))
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            longer = self.survival(np.exp(middle)) > 1.0 - below
            low, high = np.where(longer, middle, low), np.where(longer, high, middle)
            if float(np.max(high - low)) < 1e-15:
                break
        return np.exp(0.5 * (low + high)).reshape(shape)

    def mean_s(self, *, within_s: float = math.inf) -> float:
        """Mean duration, each cut at `within_s`; infinite for a law without cut-off and an exponent up to 2."""
        if self.cutoff_s == math.inf:
            return self._mean_without_cutoff(within_s)
        low = self.shortest_s / self.cutoff_s
        power = 1.0 - self.exponent
        whole = float(upper_gamma(power, low))
        first = float(upper_gamma(power + 1.0, low))
        if within_s == math.inf:
            return self.cutoff_s * first / whole
        high = max(within_s, self.shortest_s) / self.cutoff_s
        counted = self.cutoff_s * (first - float(upper_gamma(power + 1.0, high))) / whole
        return counted + high * self.cutoff_s * float(upper_gamma(power, high)) / whole

    def log_likelihood(self, duration_s: ArrayLike, /, *, cut_short: ArrayLike | None = None) -> float:
        """Log-likelihood of durations.

        Parameters
        ----------
        duration_s : array_like, dims (duration,)
            From the shortest duration on.
        cut_short : array_like of bool, dims (duration,), optional
            Durations that the record's end cut short: they count as longer than that.

        Raises
        ------
        InputError
            If there is none, one is not finite, or one is below the shortest duration.
        """
        time = each_within("duration_s", duration_s, self.shortest_s, 1e300, unit="s")
        cut = np.zeros(time.shape, dtype=bool) if cut_short is None else np.asarray(cut_short, dtype=bool)
        if cut.shape != time.shape:
            seen = f"{time.size} durations and {cut.size} marks of those cut short."
            raise refusal("probe.no-blinking", "cut_short", seen, "Give one mark to each duration.")
        with np.errstate(divide="ignore"):
            longer = np.log(self.survival(time[cut]))
        return float(self.log_density(time[~cut]).sum() + longer.sum())

    def log_density(self, time: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Logarithm of the probability density per second, of durations in seconds that are not below the shortest."""
        if self.cutoff_s == math.inf:
            scale = math.log(self.exponent - 1.0) + (self.exponent - 1.0) * math.log(self.shortest_s)
            return scale - self.exponent * np.log(time)
        power = 1.0 - self.exponent
        whole = float(upper_gamma(power, self.shortest_s / self.cutoff_s))
        scale = -power * math.log(self.cutoff_s) - math.log(whole)
        return scale - self.exponent * np.log(time) - time / self.cutoff_s

    def _mean_without_cutoff(self, within_s: float) -> float:
        power = 2.0 - self.exponent
        if within_s == math.inf:
            return math.inf if power >= 0 else self.shortest_s * (self.exponent - 1.0) / (self.exponent - 2.0)
        ratio = max(within_s / self.shortest_s, 1.0)
        # of the integral of the survival function from the shortest duration to the end
        grown = math.log(ratio) if power == 0 else (ratio**power - 1.0) / power
        return self.shortest_s * (1.0 + grown)


def upper_gamma(power: float, start: ArrayLike, /) -> NDArray[np.float64]:
    """Upper incomplete gamma function, also of negative order, by its recurrence.

    Parameters
    ----------
    power : float
        Order, above -6.
    start : array_like
        Above 0.

    Examples
    --------
    >>> round(float(upper_gamma(1.0, 2.0)), 6), round(float(upper_gamma(-0.5, 1.0)), 6)
    (0.135335, 0.178148)
    """
    x = np.asarray(start, dtype=np.float64)
    steps = max(0, math.ceil(-power)) if power <= 0 else 0
    order = power + steps
    if abs(order) < 1e-12:
        found, order = np.asarray(exp1(x)), 0.0
    else:
        found = np.asarray(gammaincc(order, x) * gamma(order))
    for _ in range(steps):
        order -= 1.0
        found = (found - x**order * np.exp(-x)) / order
    return found


def on_fraction(on: SojournTimes, off: SojournTimes, /, *, duration_s: float = math.inf) -> float:
    """Expected share of time that a dot is on.

    Parameters
    ----------
    on, off : SojournTimes
    duration_s : float
        Of the record: no stay counts for longer. Needed where a law has no mean; the share then falls or rises with the record.

    Returns
    -------
    float
        The mean on time over the mean of both; for laws with cut-offs much shorter than the record.

    Raises
    ------
    InputError
        If a mean is infinite and no duration is given.

    Examples
    --------
    >>> on = SojournTimes(1.5, 0.01, 7.0)
    >>> on_fraction(on, on)
    0.5
    """
    if duration_s != math.inf:
        within("duration_s", duration_s, 0.0, math.inf, unit="s", open_low=True)
    means = [one.mean_s(within_s=duration_s) for one in (on, off)]
    if not all(math.isfinite(one) for one in means):
        seen = "a stay without cut-off and with an exponent up to 2 has no mean."
        raise refusal("probe.no-blinking", "duration_s", seen, "Give the length of the record, or a cut-off.")
    return means[0] / (means[0] + means[1])


def on_fraction_estimate(
    exponents: tuple[Uncertain, Uncertain],
    cutoffs_s: tuple[Uncertain, Uncertain],
    shortest_s: float,
    /,
    *,
    seed: int = 0,
    draws: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """Share of time on, with the uncertainty of exponents and cut-offs.

    Parameters
    ----------
    exponents, cutoffs_s : pair of float or Estimate
        Of on times, then of off times.
    shortest_s : float
        Of both.
    seed, draws : int
        Of the draws; exponents and cut-offs are drawn log-normally.
    level : float

    Raises
    ------
    InputError
        As `SojournTimes`, for the values themselves.

    Examples
    --------
    >>> sure = on_fraction_estimate((1.5, 1.5), (7.0, 7.0), 0.01, draws=10)
    >>> sure.value, sure.low, sure.high
    (0.5, 0.5, 0.5)
    """
    names = ("m_on", "m_off", "c_on", "c_off")
    inputs = dict(zip(names, (*exponents, *cutoffs_s), strict=True))
    for exponent, cutoff in zip(exponents, cutoffs_s, strict=True):
        SojournTimes(value_of(exponent), shortest_s, value_of(cutoff))

    def shares(**them: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = [np.clip(them[name], 0.0, 5.0) for name in names[:2]]
        cuts = [np.maximum(them[name], shortest_s) for name in names[2:]]
        laws = zip(*powers, *cuts, strict=True)
        return np.array(
            [
                on_fraction(SojournTimes(m_on, shortest_s, c_on), SojournTimes(m_off, shortest_s, c_off))
                for m_on, m_off, c_on, c_off in laws
            ]
        )

    return sampled(
        shares,
        inputs,
        unit="1",
        method="share of time on",
        seed=seed,
        draws=draws,
        level=level,
        positive=frozenset(names),
    )
