"""Organs measured in two ways, joined by animal and organ: how they agree, and the line between them with errors in both.

Animals are the unit of replication: organs of one animal share its dose, its standards and its camera. So agreement is told per
organ over animals; over all organs together each animal counts once.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev

from scipy import special

from lampyris.core.assays import OrganAgreement, OrganPair
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import t_interval
from lampyris.statistics.lines import york_line

LEAST_ANIMALS = 3
LN10 = math.log(10.0)


def join_organs(
    a: Iterable[tuple[str, str, Estimate]],
    b: Iterable[tuple[str, str, Estimate]],
    group_of: Callable[[str], str],
    /,
) -> tuple[OrganPair, ...]:
    """Pairs of (animal, organ) that both have, by animal and organ; organs' names are compared without case.

    Parameters
    ----------
    a, b : iterable of (animal, organ, Estimate)
    group_of : callable
        Arm of an animal.
    """
    first, second = ({(animal, _plain(organ)): (organ, value) for animal, organ, value in side} for side in (a, b))
    return tuple(
        OrganPair(key[0], first[key][0], group_of(key[0]), first[key][1], second[key][1])
        for key in sorted(first.keys() & second.keys())
    )


def _plain(organ: str) -> str:
    return " ".join(organ.casefold().replace("_", " ").replace("-", " ").split())


def organ_agreements(
    a: str, b: str, pairs: Sequence[OrganPair], /, *, level: float = 0.95, same_unit: bool = True
) -> tuple[OrganAgreement, ...]:
    """Agreement per organ, and over all organs with one value per animal.

    Parameters
    ----------
    a, b : str
        What is compared.
    pairs : sequence of OrganPair
    level : float
    same_unit : bool
        False where the two are of different units: then only the line is told.

    Returns
    -------
    tuple of OrganAgreement
        First of all organs together (organ ""), then of each.
    """
    if not pairs:
        return ()
    organs = sorted({pair.organ for pair in pairs})
    return tuple(
        _agreement(a, b, organ, [pair for pair in pairs if organ in ("", pair.organ)], level, same_unit)
        for organ in ("", *organs)
    )


def _agreement(a: str, b: str, organ: str, pairs: Sequence[OrganPair], level: float, same_unit: bool) -> OrganAgreement:
    used = [pair for pair in pairs if _positive(pair.a) and _positive(pair.b)]
    notes = []
    if len(used) < len(pairs):
        notes.append(f"{len(pairs) - len(used)} of {len(pairs)} pairs are bounds and not used")
    ratios: dict[str, list[float]] = {}
    for pair in used:
        ratios.setdefault(pair.animal, []).append(math.log(pair.a.value / pair.b.value))
    logs = [fmean(values) for values in ratios.values()]
    if len(logs) < LEAST_ANIMALS:
        notes.append(f"{len(logs)} animals: no limits of agreement with fewer than {LEAST_ANIMALS}")
    nan = math.nan
    unknown = Estimate(nan, nan, nan, nan, level, "1", "too few animals")
    ratio, limits, concordance = unknown, (nan, nan), unknown
    if same_unit and logs:
        mean = t_interval(logs, level=level)
        ratio = _exponential(mean, f"geometric mean over {len(logs)} animals")
        if len(logs) >= LEAST_ANIMALS:
            # of a single new animal, so with Student's factor
            half = float(special.stdtrit(len(logs) - 1, 0.975)) * stdev(logs) * math.sqrt(1 + 1 / len(logs))
            limits = (math.exp(mean.value - half), math.exp(mean.value + half))
            concordance = _concordance(_by_animal(used, "a"), _by_animal(used, "b"), level)
    slope, intercept = _line(used, organ, level)
    if organ == "" and used:
        notes.append(
            "the line over all organs takes each organ of each animal; its interval is not that of independent points"
        )
    return OrganAgreement(
        a=a,
        b=b,
        organ=organ,
        animals=len(logs),
        pairs=len(used),
        pairs_censored=len(pairs) - len(used),
        ratio=ratio,
        limits=limits,
        concordance=concordance,
        slope=slope,
        intercept=intercept,
        notes=tuple(notes),
    )


def _positive(one: Estimate) -> bool:
    return math.isfinite(one.value) and one.value > 0 and math.isfinite(one.high)


def _exponential(mean: Estimate, method: str) -> Estimate:
    ends = [math.exp(one) if one < 700 else math.inf for one in (mean.value, mean.low, mean.high)]
    return Estimate(ends[0], ends[0] * mean.sd, ends[1], ends[2], mean.level, "1", method)


def _by_animal(pairs: Sequence[OrganPair], side: str) -> list[float]:
    found: dict[str, list[float]] = {}
    for pair in pairs:
        found.setdefault(pair.animal, []).append(math.log10(getattr(pair, side).value))
    return [fmean(values) for values in found.values()]


def _concordance(x: Sequence[float], y: Sequence[float], level: float) -> Estimate:
    """Lin's concordance with the interval of its inverse hyperbolic tangent (Lin 1989, doi:10.2307/2532051, corrected 2000)."""
    n = len(x)
    mean_x, mean_y = fmean(x), fmean(y)
    s_x, s_y = (fmean([(one - mean) ** 2 for one in side]) for side, mean in ((x, mean_x), (y, mean_y)))
    s_xy = fmean([(p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True)])
    below = s_x + s_y + (mean_x - mean_y) ** 2
    nan = math.nan
    if not (s_x > 0 and s_y > 0 and below > 0) or n < LEAST_ANIMALS:
        return Estimate(nan, nan, nan, nan, level, "1", "all alike")
    value = 2 * s_xy / below
    r = s_xy / math.sqrt(s_x * s_y)
    if not 0 < abs(value) < 1 or not abs(r) < 1:
        return Estimate(value, nan, value, value, level, "1", "Lin's concordance, no interval")
    shift = (mean_x - mean_y) ** 2 / math.sqrt(s_x * s_y)
    free = 1 - value**2
    variance = (
        (1 - r**2) * value**2 / (free * r**2)
        + 2 * value**3 * (1 - value) * shift / (r * free**2)
        - value**4 * shift**2 / (2 * r**2 * free**2)
    ) / (n - 2)
    sd = math.sqrt(max(variance, 0.0))
    z = float(special.ndtri(0.5 * (1 + level)))
    ends = [math.tanh(math.atanh(value) + side * z * sd) for side in (-1.0, 1.0)]
    return Estimate(value, sd * free, ends[0], ends[1], level, "1", f"Lin's concordance of logarithms, n {n}")


def _line(pairs: Sequence[OrganPair], organ: str, level: float) -> tuple[Estimate, Estimate]:
    """Slope and intercept of log10 a against log10 b."""
    nan = math.nan
    unknown = Estimate(nan, nan, nan, nan, level, "1", "too few points")
    x, y = ([math.log10(getattr(pair, side).value) for pair in pairs] for side in ("b", "a"))
    if len(pairs) < LEAST_ANIMALS or len(set(x)) < 2:
        return unknown, unknown
    sd_x, sd_y = ([_log_sd(getattr(pair, side)) for pair in pairs] for side in ("b", "a"))
    fit = york_line(x, y, sd_x, sd_y)
    # points scatter more than their own errors where more lies between the two than measurement
    stretch = math.sqrt(max(1.0, fit.chi2 / fit.degrees)) if fit.degrees > 0 else 1.0
    t = float(special.stdtrit(max(fit.degrees, 1), 0.5 * (1 + level)))
    del organ
    out = []
    for value, variance in ((fit.slope, fit.slope_variance), (fit.intercept, fit.intercept_variance)):
        sd = stretch * math.sqrt(variance)
        out.append(
            Estimate(value, sd, value - t * sd, value + t * sd, level, "1", "errors in both, log10 against log10")
        )
    return out[0], out[1]


def _log_sd(one: Estimate) -> float:
    sd = one.sd / one.value / LN10 if math.isfinite(one.sd) else 0.0
    return max(sd, 1e-3)
