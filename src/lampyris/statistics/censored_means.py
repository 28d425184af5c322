"""Means of values of which some lie below a limit, compared by the likelihood of censored normal distributions.

The public door is `lampyris.statistics.censored.compare_censored`, which checks what it is given and says what is tested.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.core.design import TestResult
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting import Fit, LogLikelihood, Parameter, fit_likelihood, profile_interval

Array = NDArray[np.float64]
Marks = NDArray[np.bool_]
Sample = tuple[Array, Marks]

# values above their limit that differ, from which a group's own spread is told both ways
LEAST_DETECTED = 2
# and those of some group from which a spread for all is taken, where a group has none of its own
LEAST_COMMON = 3
# standard deviations below all values, where nothing more can be told from a mean: a group of which nothing is seen ends there
FAR = 40.0
# logarithms of spreads, in units of the common one
NARROWEST, WIDEST = -12.0, 6.0
RATIO = "likelihood ratio test of censored normal means, spreads not taken as equal"
RATIO_COMMON = "likelihood ratio test of censored normal means with one spread"
WORDS = "difference of censored normal means, profile likelihood"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mean for all groups costs.

    Parameters
    ----------
    ratio : float
        Twice the log likelihood that is lost.
    degrees, number : float
        v and m of the notes of `compare_censored`.
    """

    ratio: float
    degrees: float
    number: float

    def statistic(self, first: int) -> float:
        """F with `first` degrees of freedom in its numerator."""
        return self.degrees * math.expm1(min(self.ratio / self.number, 700.0)) / first

    def p(self, first: int) -> float:
        """Probability of a larger F."""
        return float(special.fdtrc(first, self.degrees, self.statistic(first)))

    def rise(self, level: float) -> float:
        """Rise of the deviance at the ends of a difference's interval."""
        t = float(special.stdtrit(self.degrees, 0.5 * (1 + level)))
        return self.number * math.log1p(t * t / self.degrees)


def detected(x: Array, below: Marks) -> int:
    """Values above their limit that differ."""
    return int(np.unique(x[~below]).size)


def _log_likelihood(x: Array, below: Marks, mean: float, log_sd: float) -> Array:
    z = (x - mean) * math.exp(-log_sd)
    return np.where(below, special.log_ndtr(z), -0.5 * z * z - log_sd - 0.5 * math.log(2.0 * math.pi))


def normal_term(
    x: Array, below: Marks, /, *, names: tuple[str, ...], of: Callable[[Array], Sequence[float] | Array]
) -> LogLikelihood:
    """Likelihood of one group; `of` makes mean and logarithm of the spread from the parameters of those names."""

    def units(p: Array) -> Array:
        mean, log_sd = of(p)
        return _log_likelihood(x, below, float(mean), float(log_sd))

    return LogLikelihood(units, names)


def standardised(groups: Sequence[tuple[Array, Marks]]) -> tuple[list[tuple[Array, Marks]], float, float]:
    """Groups in units of their common spread about their common middle, so that parameters are of the size of 1."""
    whole = np.concatenate([x for x, _ in groups])
    middle, scale = float(whole.mean()), float(whole.std()) or 1.0
    return [((x - middle) / scale, below) for x, below in groups], middle, scale


def mean_of(name: str, x: Array, below: Marks) -> Parameter:
    """A group's mean; of a group of which nothing is seen it ends far below all values."""
    low = float(x.min()) - FAR
    return Parameter(name, float(x.min()) - 1.0 if below.all() else float(x.mean()), low=low, scale=0.3)


def spread_of(name: str, *samples: tuple[Array, Marks]) -> Parameter:
    """The logarithm of a spread, or of one that all samples share."""
    # a group all at one limit has a spread by rounding alone
    sds = [float(x.std()) for x, _ in samples if x.std() > 1e-9 * max(float(np.abs(x).max()), 1.0)]
    return Parameter(name, math.log(max(sds, default=1.0)), low=NARROWEST, high=WIDEST, scale=0.3)


def spreadless(groups: Sequence[tuple[Array, Marks]]) -> list[int]:
    """Places of groups whose own spread the likelihood would let shrink to nothing."""
    return [place for place, one in enumerate(groups) if not _has_spread(*one)]


def _has_spread(x: Array, below: Marks) -> bool:
    seen = np.unique(x[~below])
    if x.size < 2 or seen.size != 1:
        return x.size >= 2
    # one value, seen once or more: what is known to lie elsewhere spreads
    return bool((below & (x < seen[0])).any())


def _joint_fit(groups: Sequence[Sample], *, own: bool, equal: bool, held: float | None = None) -> Fit:
    """Fit of standardised groups, with one spread each or one for all, with means of their own or one, which may be held."""
    count = len(groups)
    sets = [
        normal_term(
            *one, names=("mean" if equal else f"mean{place}", f"log_sd{place}" if own else "log_sd"), of=lambda p: p
        )
        for place, one in enumerate(groups)
    ]
    whole = (np.concatenate([x for x, _ in groups]), np.concatenate([below for _, below in groups]))
    means = [mean_of(f"mean{place}", *groups[place]) for place in range(count)]
    if equal:
        mean = mean_of("mean", *whole)
        means = [mean if held is None else replace(mean, start=held, fixed=True)]
    spreads = (
        [spread_of(f"log_sd{place}", groups[place]) for place in range(count)]
        if own
        else [spread_of("log_sd", *groups)]
    )
    return fit_likelihood(sets, [*means, *spreads])


def _cost(groups: Sequence[Sample], *, own: bool) -> Cost:
    """What one mean costs standardised groups.

    Of a group of which nothing is seen, with a spread of its own, the likelihood is known without a fit: 1 with a mean below
    its limit and no spread, and above it one half for each unit, which a spread without bound comes to.
    """
    unseen = [one for one in groups if own and one[1].all()]
    seen = [one for one in groups if not (own and one[1].all())]
    free, held = (_joint_fit(seen, own=own, equal=equal) for equal in (False, True))
    ratio = 2.0 * (free.goodness.log_likelihood - held.goodness.log_likelihood)
    limit = max((float(x.max()) for x, _ in unseen), default=math.inf)
    if held["mean"].value > limit:
        bounded = _joint_fit(seen, own=own, equal=True, held=limit)
        ratio = min(ratio + _step(unseen), 2.0 * (free.goodness.log_likelihood - bounded.goodness.log_likelihood))
    n = np.array([x.size for x, _ in groups], dtype=np.float64)
    if not own:
        return Cost(max(ratio, 0.0), float(n.sum() - n.size), float(n.sum()))
    # too few values seen do not bound a spread from above
    fitted = iter([free[f"log_sd{place}"].value for place in range(len(seen))])
    log_sds = [WIDEST if below.all() else next(fitted) for _, below in groups]
    told = [detected(*one) >= LEAST_DETECTED for one in groups]
    return Cost(max(ratio, 0.0), *_calibrated(n, np.where(told, log_sds, WIDEST)))


def _step(unseen: Sequence[Sample]) -> float:
    """Rise of the deviance where the means of groups of which nothing is seen lie above their limits."""
    return 2.0 * math.log(2.0) * sum(x.size for x, _ in unseen)


def _calibrated(n: Array, log_sds: Array) -> tuple[float, float]:
    """Degrees of freedom v and the number m of the notes of `compare_censored`, of spreads of their own."""
    variance = np.exp(2.0 * log_sds) / (n - 1)
    if n.size == 2:
        degrees = float(variance.sum() ** 2 / (variance**2 / (n - 1)).sum())
    else:
        weight = 1.0 / variance
        degrees = float((n.size**2 - 1) / (3.0 * ((1 - weight / weight.sum()) ** 2 / (n - 1)).sum()))
    # what turns the spreads of greatest likelihood into unbiased ones, each group by its part of the error
    return degrees, degrees * float(variance.sum() / (variance * (n - 1) / n).sum())


def _can(groups: Sequence[Sample]) -> tuple[bool, bool]:
    """Whether a likelihood can be had at all, and with each group's own spread."""
    seen = [detected(*one) for one in groups]
    if not spreadless(groups):
        return sum(seen) > 0, True
    free = sum(x.size for x, _ in groups) - len(groups)
    return max(seen) >= LEAST_COMMON and free >= 1, False


def ratio_test(groups: Sequence[Sample], names: Sequence[str], /) -> tuple[TestResult | None, str]:
    """The test of all means, and a remark; no test where too little is seen, which the remark says."""
    possible, own = _can(groups)
    if not possible:
        return (
            None,
            f"No group has {LEAST_COMMON} values above the limit that differ: means are not compared by likelihood.",
        )
    cost = _cost(standardised(groups)[0], own=own)
    first = len(groups) - 1
    note = _spread_note(groups, names)
    made = TestResult(
        RATIO if own else RATIO_COMMON, "F", cost.statistic(first), (float(first), cost.degrees), cost.p(first),
        "all means are equal", "primary", note,
    )  # fmt: skip
    return made, f"The likelihood takes {note}." if note else ""


def _spread_note(groups: Sequence[Sample], names: Sequence[str]) -> str:
    """What the test takes for a spread that the values do not tell; empty where they tell it."""
    none = [names[place] for place in spreadless(groups)]
    if none:
        return (
            f"one spread for all, which finds too much where spreads differ, as {', '.join(none)} shows none of its own"
        )
    few = [name for name, one in zip(names, groups, strict=True) if detected(*one) < LEAST_DETECTED]
    if not few:
        return ""
    return f"the spread of {', '.join(few)} as wide as can be, as fewer than {LEAST_DETECTED} values that differ were seen there"


def difference_of_means(a: Sample, b: Sample, unit: str, level: float, /) -> tuple[Estimate, float]:
    """Mean of a less mean of b with its interval, and p."""
    nan = math.nan
    possible, own = _can((a, b))
    if not possible:
        return Estimate(nan, nan, -math.inf, math.inf, level, unit, "too few values seen for a likelihood"), nan
    if a[1].all():
        # the end far below all values must be the lower one of what is profiled
        return _difference(a, b, own, unit, level)
    mirrored, p = _difference(b, a, own, unit, level)
    return replace(mirrored, value=-mirrored.value, low=-mirrored.high, high=-mirrored.low), p


def _difference(a: Sample, b: Sample, own: bool, unit: str, level: float) -> tuple[Estimate, float]:
    (one, other), _, scale = standardised((a, b))
    cost = _cost((one, other), own=own)
    rise = cost.rise(level)
    if own and one[1].all():
        return _bound(_highest(one, other, rise, level), scale, unit, level), cost.p(1)
    found = profile_interval(_difference_fit(one, other, own), "difference", level=level, rise=rise)
    low = -math.inf if found.low <= -FAR else scale * found.low
    high = math.inf if found.high >= FAR else scale * found.high
    if one[1].all():
        return _bound(high / scale, scale, unit, level), cost.p(1)
    value = scale * found.value
    return Estimate(value, scale * found.sd, min(low, value), max(high, value), level, unit, WORDS), cost.p(1)


def _bound(highest: float, scale: float, unit: str, level: float) -> Estimate:
    words = f"{WORDS}: a bound, as nothing was seen in one group"
    return Estimate(math.nan, math.nan, -math.inf, scale * highest, level, unit, words)


def _highest(unseen: Sample, other: Sample, rise: float, level: float) -> float:
    """The largest difference of a mean of which nothing is seen from another; infinite where so few say nothing."""
    if _step([unseen]) <= rise:
        return math.inf
    fit = _joint_fit([other], own=True, equal=True)
    low = profile_interval(fit, "mean", level=level, rise=rise).low
    return math.inf if low <= float(other[0].min()) - FAR else float(unseen[0].max()) - low


def _difference_fit(one: Sample, other: Sample, own: bool) -> Fit:
    """Fit in which the difference of the means is a parameter."""
    joint = _joint_fit((one, other), own=own, equal=False)
    spreads = ("log_sd0", "log_sd1") if own else ("log_sd", "log_sd")
    terms = [
        normal_term(*one, names=("base", "difference", spreads[0]), of=lambda p: (p[0] + p[1], p[2])),
        normal_term(*other, names=("base", spreads[1]), of=lambda p: p),
    ]
    at = {name: joint[name].value for name in joint.names}
    parameters = [
        Parameter("difference", max(at["mean0"] - at["mean1"], -FAR), low=-FAR, high=FAR, scale=0.3),
        Parameter("base", at["mean1"], low=float(other[0].min()) - FAR, scale=0.3),
        *(Parameter(name, at[name], low=NARROWEST, high=WIDEST, scale=0.3) for name in dict.fromkeys(spreads)),
    ]
    return fit_likelihood(terms, parameters)
