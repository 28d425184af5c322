"""What lowers trust in a correlogram, and what to do about it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls.cumulants import Cumulants
from lampyris.bench.dls.recording import Recording
from lampyris.statistics.thresholds import robust_sd

LOW_INTERCEPT, HIGH_INTERCEPT = 0.3, 1.05
"""Intercepts of g2 - 1 below which light is lost or scattered several times, and above which the scatterers change in number."""
SLOW_SHARE = 0.05
"""Share of the correlation that may be left after 40 decays."""
FEW_KCPS = 5.0
NOISY = 0.05
BROAD = 0.7
"""Polydispersity above which a mean size says little."""
DUST_ALARMS = 0.01
"""Chance, at most, that the count rate of a run without dust is called dusty."""
_HALF_ALARMS = 2.576
"""Standard deviations that chance exceeds upwards in half of `DUST_ALARMS`."""
_ROBUST = 1.17
"""Relative error of `robust_sd` of n normal values times their square root."""
_RISE, _SWING = 0.25, 0.15
"""Of the mean rate: a spike, and a swing beyond that of speckles, that matter."""
_FEWEST_RATES = 16
_LONGEST = 0.35
"""Decays of a correlogram per interval of the count rate, above which dots cannot be told from specks by it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One remark.

    Parameters
    ----------
    flag : str
        Short stable name.
    seen, mend : str
    """

    flag: str
    seen: str
    mend: str


def advised(
    recording: Recording, cumulants: Cumulants | None, rate_kcps: float, vendor: Mapping[str, Any], /
) -> tuple[Advice, ...]:
    """Remarks about a run.

    Parameters
    ----------
    recording : Recording
    cumulants : Cumulants or None
        None where they could not be fitted.
    rate_kcps : float
        Count rate, NaN where not known.
    vendor : mapping
        What the file tells of the run: ``count_rates_kcps`` at ``count_rate_times_s``, ``run_retention_percent``.

    Returns
    -------
    tuple of Advice
    """
    told: list[Advice] = []
    intercept = recording.intercept + recording.baseline
    if intercept > HIGH_INTERCEPT:
        told.append(Advice(
            "intercept-above-one",
            f"begins at {intercept:.2f}: steady scatterers cannot exceed 1. Few large ones cross the beam.",
            "Filter or centrifuge the sample, and measure again.",
        ))  # fmt: skip
    elif recording.intercept < LOW_INTERCEPT:
        told.append(Advice(
            "low-intercept",
            f"begins at {recording.intercept:.2f} above its baseline: stray light, fluorescence of the dots at the detector,"
            " several modes, or multiple scattering of a sample too dense.",
            "Dilute; put a line filter before the detector.",
        ))  # fmt: skip
    if abs(recording.baseline) > max(0.02 * recording.intercept, 3.0 * recording.baseline_sd):
        told.append(Advice(
            "baseline",
            f"ends at {recording.baseline:.3g} instead of 0: slow specks, or a drifting laser or sample.",
            "Measure longer, or let temperature and sample settle.",
        ))  # fmt: skip
    slow = _left_after(recording, cumulants)
    if slow > SLOW_SHARE:
        told.append(Advice(
            "slow-tail",
            f"still holds {100 * slow:.0f} % of its correlation ten decays on: dust or aggregates beside the dots.",
            "Filter or centrifuge the sample.",
        ))  # fmt: skip
    told += _spikes(recording, cumulants.pdi.value if cumulants is not None else 0.0, vendor)
    if rate_kcps < FEW_KCPS:
        told.append(
            Advice("few-counts", f"has {rate_kcps:.3g} thousand counts per s.", "Concentrate, or open the attenuator.")
        )
    elif float(np.sqrt(np.median(np.diag(recording.covariance)[:5]))) > NOISY * recording.intercept:
        told.append(Advice("noisy", "scatters by more than 5 % of its intercept.", "Measure longer."))
    if cumulants is not None and cumulants.pdi.value > BROAD:
        told.append(Advice(
            "very-polydisperse",
            f"has a polydispersity of {cumulants.pdi.value:.2f}: its Z-average is no size of anything in it.",
            "Look at the distribution.",
        ))  # fmt: skip
    return tuple(told)


def _left_after(recording: Recording, cumulants: Cumulants | None) -> float:
    """Share of the intercept ten mean decays on, where a single size of any moderate width has lost all."""
    if cumulants is None:
        return math.nan
    below = np.flatnonzero(recording.level < recording.intercept * math.exp(-1.0))
    if not below.size:
        return math.nan
    later = recording.lag_s > 10.0 * recording.lag_s[below[0]]
    first: NDArray[np.float64] = recording.level[later][:4]
    return float(first.mean()) / recording.intercept if first.size else math.nan


def _spikes(recording: Recording, pdi: float, vendor: Mapping[str, Any]) -> list[Advice]:
    found: list[Advice] = []
    rates, times = vendor.get("count_rates_kcps"), vendor.get("count_rate_times_s")
    if rates is not None and times is not None and len(rates) >= _FEWEST_RATES:
        trace = dust_in(np.asarray(rates, np.float64), float(np.median(np.diff(times))), recording, pdi=pdi)
        if trace is not None:
            found.append(Advice("dust", trace, "Filter or centrifuge the sample, and measure again."))
    kept = vendor.get("run_retention_percent", math.nan)
    if kept < 95.0:
        seen = f"lost {100 - kept:.0f} % of its runs, which the instrument's program took for dust"
        other = vendor.get("unfiltered_z_average_nm", math.nan)
        seen += f"; with them its Z-average is {other:.1f} nm." if math.isfinite(other) else "."
        found.append(Advice("runs-rejected", seen, "Filter or centrifuge the sample, and measure again."))
    return found


def dust_in(rates_kcps: NDArray[np.float64], bin_s: float, recording: Recording, /, *, pdi: float = 0.0) -> str | None:
    """What a trace of count rates has that photons and speckles do not make, in words; None where it has nothing.

    Parameters
    ----------
    rates_kcps : numpy.ndarray, dims (time,)
        Means over intervals of one length.
    bin_s : float
        That length.
    recording : Recording
        Of the same run, its slow tail taken off with the baseline.
    pdi : float
        Polydispersity of the sample.

    Returns
    -------
    str or None

    Notes
    -----
    A clean run swings too: an interval holds few speckles where it is short or the dots are large. The relative variance of its light
    is (2/T) int_0^T (1 - t/T) (g2(t) - 1) dt. Of one decay its law is then inverse Gaussian, since the logarithm of its moments sums
    log(1 - s S(f)) over a Lorentzian spectrum S; decays that differ, and photons, are told by its third cumulant. An interval is a
    spike where its chance is below half of `DUST_ALARMS` over their number, and the run swings where its spread is above chance by the
    other half; either must besides be large enough to matter. So clean runs are called dusty at most at about that rate.

    References
    ----------
    Goodman, Speckle Phenomena in Optics, 2007, chapter 4; cumulants of counts as Mandel, Proc. Phys. Soc. 74, 233 (1959), DOI
    10.1088/0370-1328/74/3/301.
    """
    middle = float(np.median(rates_kcps))
    if not middle > 0 or not bin_s > 0:
        return None
    light, decay_s = _speckle_variance(recording, bin_s)
    if decay_s > _LONGEST * bin_s:
        return None
    photon = 1.0 / (1e3 * middle * bin_s)
    skewness = _skewness(pdi) / math.sqrt(min(max(recording.intercept, 0.1), 1.0))
    third = skewness * light**2 + 3.0 * light * photon + photon**2
    mean = middle * (1.0 + third / (6.0 * (light + photon)))
    # the correlogram is of all light: where specks add to it, the dots' own is less and swings more
    light *= (float(rates_kcps.mean()) / mean) ** 2
    variance = light + photon
    third = skewness * light**2 + 3.0 * light * photon + photon**2
    rare = _chance(rates_kcps / mean, variance, third) < 0.5 * DUST_ALARMS / rates_kcps.size
    high = int(np.sum(rare & (rates_kcps > (1.0 + _RISE) * mean)))
    spread = robust_sd(rates_kcps) / mean
    # neighbouring intervals share their speckles where they are shorter than a decay
    apart = rates_kcps.size * math.tanh(bin_s / decay_s)
    limit = math.sqrt(variance) * (1.0 + _HALF_ALARMS * _ROBUST / math.sqrt(apart))
    left = math.sqrt(max(spread**2 - variance, 0.0))
    if not high and not (spread > limit and left > _SWING):
        return None
    return (
        f"has a count rate that swings by {100 * spread:.0f} %, where photons and speckles make {100 * math.sqrt(variance):.0f} %, and"
        f" spikes {high} times of {rates_kcps.size}: dust."
    )


def _chance(share: NDArray[np.float64], variance: float, third: float) -> NDArray[np.float64]:
    """That an interval reaches this share of the mean: inverse Gaussian, shifted to hold three cumulants."""
    from scipy.special import log_ndtr

    mean = 3.0 * variance**2 / third
    shape = mean**3 / variance
    x = np.maximum(share - 1.0 + mean, 1e-12)
    root = np.sqrt(shape / x)
    # the second part, which lies below the first, is left out where it is nothing
    second = 2.0 * shape / mean + log_ndtr(-root * (x / mean + 1.0))
    return np.exp(log_ndtr(-root * (x / mean - 1.0))) - np.exp(np.minimum(second, 0.0))


def _skewness(pdi: float) -> float:
    """Third cumulant of an interval's light over the square of its variance, of coherent light: 3 for one decay.

    Decay rates follow a gamma law: g1 is (1 + pdi x)^(-1/pdi).
    """
    own = min(max(pdi, 1e-6), BROAD)
    steps = np.arange(4096) * 0.05
    half = np.exp(-np.log1p(own * steps) / own)
    spectrum = np.maximum(np.fft.rfft(np.concatenate([half, half[:0:-1]])).real, 0.0)
    # both sides of the spectrum alike
    spectrum = np.concatenate([spectrum, spectrum[:0:-1]])
    return float(2.0 * (spectrum**3).mean() / (spectrum**2).mean() ** 2)


def _speckle_variance(recording: Recording, bin_s: float) -> tuple[float, float]:
    """Relative variance of the light of an interval by speckles, and the time in which the correlation falls to its e-th part.

    What is left after an interval is of specks, and a steady field's intercept is 1 at most.
    """
    after = recording.level[(recording.lag_s >= bin_s) & (recording.lag_s <= 2.0 * bin_s)]
    slow = max(float(after.mean()), 0.0) if after.size else 0.0
    height = max(recording.intercept - slow, 1e-9)
    level = (recording.level - slow) * min(1.0, 1.0 / height)
    below = np.flatnonzero(recording.level - slow < height * math.exp(-1.0))
    decay = float(recording.lag_s[below[0]] if below.size else recording.lag_s[-1])
    lag = np.concatenate([[0.0], recording.lag_s])
    level = np.concatenate([[min(height, 1.0)], level])
    # further on there is nothing but noise
    used = lag <= min(bin_s, 40.0 * decay)
    within = float(np.trapezoid((1.0 - lag / bin_s)[used] * level[used], lag[used]))
    return max(2.0 * within / bin_s, 1e-9), decay
