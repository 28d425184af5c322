"""Organs measured in two ways, joined by animal and organ: how they agree, and the line between them with errors in both.

Animals are the unit of replication: organs of one animal share its dose, its standards and its camera. So agreement is told per
organ over animals; over all organs together they are nested in their animals.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from scipy import special

from lampyris.core.assays import OrganAgreement, OrganPair
from lampyris.core.estimate import Estimate
from lampyris.statistics.intervals import t_interval
from lampyris.statistics.relations.bland_altman import bland_altman
from lampyris.statistics.relations.concordance import concordance
from lampyris.statistics.relations.lines import york_line

LEAST_ANIMALS, LEAST_FOR_CONCORDANCE = 3, 4
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
    """Agreement per organ, and over all organs nested in their animals.

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
    animals = [pair.animal for pair in used]
    count = len(set(animals))
    if count < LEAST_ANIMALS:
        notes.append(f"{count} animals: no limits of agreement with fewer than {LEAST_ANIMALS}")
    ratio, lower, upper = _ratio(used, count, level) if same_unit else (_unknown(level),) * 3
    concordance_ = _concordance(used, count, level) if same_unit else _unknown(level)
    slope, intercept = _line(used, organ, level)
    if organ == "" and used:
        notes.append(
            "the line over all organs takes each organ of each animal; its interval is not that of independent points"
        )
    return OrganAgreement(
        a=a,
        b=b,
        organ=organ,
        animals=count,
        pairs=len(used),
        pairs_censored=len(pairs) - len(used),
        ratio=ratio,
        lower=lower,
        upper=upper,
        concordance=concordance_,
        slope=slope,
        intercept=intercept,
        notes=tuple(notes),
    )


def _unknown(level: float) -> Estimate:
    return Estimate.unknown(level, "1", "too few animals, or all alike")


def _ratio(pairs: Sequence[OrganPair], animals: int, level: float) -> tuple[Estimate, Estimate, Estimate]:
    """Geometric mean of a over b and its limits of agreement, organs nested in animals."""
    values = [[getattr(pair, side).value for pair in pairs] for side in ("a", "b")]
    if animals >= LEAST_ANIMALS:
        try:
            found = bland_altman(*values, subject=[pair.animal for pair in pairs], scale="ratio", level=level)
        except ValueError:
            # every ratio alike: there is no spread to give limits from
            return _unknown(level), _unknown(level), _unknown(level)
        return found.bias, found.lower, found.upper
    logs: dict[str, list[float]] = {}
    for pair in pairs:
        logs.setdefault(pair.animal, []).append(math.log(pair.a.value / pair.b.value))
    if not logs:
        return _unknown(level), _unknown(level), _unknown(level)
    mean = t_interval([fmean(values) for values in logs.values()], level=level)
    ends = [math.exp(one) if one < 700 else math.inf for one in (mean.value, mean.low, mean.high)]
    ratio = Estimate(
        ends[0], ends[0] * mean.sd, ends[1], ends[2], level, "1", f"geometric mean over {len(logs)} animals"
    )
    return ratio, _unknown(level), _unknown(level)


def _concordance(pairs: Sequence[OrganPair], animals: int, level: float) -> Estimate:
    """Lin's concordance of logarithms."""
    x, y = ([math.log10(getattr(pair, side).value) for pair in pairs] for side in ("a", "b"))
    if animals < LEAST_FOR_CONCORDANCE or len(set(x)) < 2 or len(set(y)) < 2:
        return _unknown(level)
    return concordance(x, y, subject=[pair.animal for pair in pairs], level=level).ccc


def _positive(one: Estimate) -> bool:
    return math.isfinite(one.value) and one.value > 0 and math.isfinite(one.high)


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
