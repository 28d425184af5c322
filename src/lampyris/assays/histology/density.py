"""Labelled cells per mm2 of an organ: sections lie within organs, organs within animals, and animals are what was replicated.

In the order of use: `section_spread`, `organ_densities`, `group_densities`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from lampyris.assays.histology.cells import Threshold
from lampyris.assays.histology.detection import Detection
from lampyris.core.design import Design, Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.histology import GroupDensity, OrganDensity, SectionFlag, SectionResult
from lampyris.statistics.thresholds import half_width

DENSITY_UNIT = "mm-2"
# an organ holds labelled cells where as many are called in unlabelled tissue with less than this chance
POSITIVE_LEVEL = 0.01
# densities of sections differ by about 30 %: only weights rest on it
_USUAL_VARIANCE = 0.09
# densities of sections are skew, which a variance alone does not say
_SKEW = 1.15

Key = tuple[str, str]


def organ_densities(
    sections: Sequence[SectionResult],
    threshold: Threshold,
    /,
    *,
    detection: Detection | None = None,
    level: float = 0.95,
) -> tuple[OrganDensity, ...]:
    """Density of each organ of each animal.

    Parameters
    ----------
    sections : sequence of SectionResult
        Those that are not `used` count for nothing, but are listed by their organ's flags.
    threshold : Threshold
        Of the controls behind `SectionResult.false_expected`.
    detection : Detection, optional
        Share of labelled cells that reaches the threshold: counts are divided by it, and its uncertainty is in the interval.
    level : float
        Coverage.

    Returns
    -------
    tuple of OrganDensity
        By animal and organ. Sections' densities spread about their organ's by a relative variance that all organs have in common
        (`section_spread`), counts about them by Poisson. Calls that controls have as well are taken off.

    References
    ----------
    Jeffreys' interval of a Poisson mean: Brown, Cai & DasGupta 2003, Stat Sinica 13:19.
    """
    grouped: dict[Key, list[SectionResult]] = {}
    for one in sections:
        grouped.setdefault((one.animal, one.organ), []).append(one)
    spread = section_spread(sections)
    return tuple(_density(key, grouped[key], spread, threshold, detection, level) for key in sorted(grouped))


@dataclass(frozen=True, slots=True)
class SectionSpread:
    """How much density varies from section to section of an organ, beyond counting noise.

    Parameters
    ----------
    relative_variance : float
        Of a section's density about its organ's.
    df : float
        Degrees of freedom behind it; 0 where no organ has two sections with labelled cells.
    """

    relative_variance: float
    df: float


def section_spread(sections: Sequence[SectionResult], /) -> SectionSpread:
    """Learn the spread between sections from every organ with two or more, by moments.

    Parameters
    ----------
    sections : sequence of SectionResult

    Returns
    -------
    SectionSpread
        Relative, so that one number serves rich and poor organs; sections with few cells, which tell little of it, weigh little.
    """
    grouped: dict[Key, list[SectionResult]] = {}
    for one in sections:
        if one.used and one.tissue_mm2 > 0 and not one.control:
            grouped.setdefault((one.animal, one.organ), []).append(one)
    squares = total = weights = weights2 = 0.0
    for rows in grouped.values():
        count, area = sum(one.labelled for one in rows), sum(one.tissue_mm2 for one in rows)
        if len(rows) < 2 or count == 0:
            continue
        spare, mean = len(rows) - 1, count / len(rows)
        weight = (mean / (1.0 + _USUAL_VARIANCE * mean)) ** 2
        relative = sum((one.labelled / (count * one.tissue_mm2 / area) - 1.0) ** 2 for one in rows)
        squares += weight * (relative - spare / mean)
        total += weight * spare
        weights, weights2 = weights + weight * spare, weights2 + weight**2 * spare
    if total == 0:
        return SectionSpread(0.0, 0.0)
    return SectionSpread(max(squares / total, 0.0), weights**2 / weights2)


def _density(
    key: Key,
    rows: Sequence[SectionResult],
    spread: SectionSpread,
    threshold: Threshold,
    detection: Detection | None,
    level: float,
) -> OrganDensity:
    used = [one for one in rows if one.used and one.tissue_mm2 > 0]
    nuclei, labelled = sum(one.nuclei for one in used), sum(one.labelled for one in used)
    area = sum(one.tissue_mm2 for one in used)
    flags = list(dict.fromkeys(flag for one in rows for flag in one.flags if flag != SectionFlag.NOT_REGISTERED))
    if not used:
        flags.append(str(SectionFlag.NO_SECTION))
    elif len(used) == 1:
        flags.append(str(SectionFlag.ONE_SECTION))
    factor = _inflation(spread, labelled / max(len(used), 1), level)
    known = threshold.cells > 0
    wrong = threshold.false_positives * nuclei if known else 0.0
    p = _chance(labelled, wrong, threshold) if known and used else math.nan
    return OrganDensity(
        animal=key[0],
        organ=key[1],
        group=rows[0].group,
        sections=len(used),
        nuclei=nuclei,
        labelled=labelled,
        tissue_mm2=area,
        cells_per_mm2=_detected(_rate(labelled, wrong, area, factor, threshold, level, DENSITY_UNIT), detection),
        labelled_fraction=_detected(_rate(labelled, wrong, float(nuclei), factor, threshold, level, "1"), detection),
        p=p,
        positive=None if math.isnan(p) else p < POSITIVE_LEVEL,
        flags=tuple(flags),
    )


def _rate(
    count: int, wrong: float, base: float, factor: float, threshold: Threshold, level: float, unit: str
) -> Estimate:
    """Count less what is called wrongly, over area or cells."""
    if not base > 0:
        return Estimate.unknown(level, unit, "no usable section")
    tail = 0.5 * (1 - level)
    shape = count / factor + 0.5
    low = float(special.gammaincinv(shape, tail)) * factor if count else 0.0
    high = float(special.gammaincinv(shape, 1 - tail)) * factor
    value = max(count - wrong, 0.0)
    # the controls' own counting error; a rate learnt from few calls is little known
    calls = max(threshold.false_positives * threshold.cells, 1 / 3) if threshold.cells else 1.0
    unsure = float(special.ndtri(1 - tail)) * wrong / math.sqrt(calls)
    below = count - wrong - math.hypot(count - low, unsure)
    above = count - wrong + math.hypot(high - count, min(unsure, wrong))
    # what may hide is no less for having seen fewer than controls have
    hidden = float(special.gammaincinv(value / factor + 0.5, 1 - tail)) * factor
    above = max(above, hidden)
    sd = math.hypot(math.sqrt(count * factor), wrong / math.sqrt(calls))
    most = 1.0 if unit == "1" else math.inf
    ends = (min(max(below, 0.0), value), max(above, value))
    words = f"Jeffreys, variance {factor:.2g} times Poisson"
    return Estimate(
        min(value / base, most), sd / base, min(ends[0] / base, most), min(ends[1] / base, most), level, unit, words
    )


def _detected(called: Estimate, detection: Detection | None) -> Estimate:
    """Labelled cells from those called: over the share that is; the share's own uncertainty joins on the logarithm."""
    if detection is None or not math.isfinite(called.high):
        return called
    share, z = detection.share.value, half_width(called.level)
    most = 1.0 if called.unit == "1" else math.inf
    value, low, high = (min(one / share, most) for one in (called.value, called.low, called.high))
    own = z * detection.log_sd
    if value > 0:
        low = value * math.exp(-math.hypot(math.log(value / low), own)) if low > 0 else 0.0
        high = value * math.exp(math.hypot(math.log(max(high / value, 1.0)), own))
    else:
        high *= math.exp(own)
    sd = math.hypot(called.sd / share, value * detection.log_sd)
    words = f"{called.method}; over the {share:.2g} of labelled cells that are called"
    return Estimate(value, sd, low, max(min(high, most), value), called.level, called.unit, words)


def _inflation(spread: SectionSpread, mean: float, level: float) -> float:
    """Variance of a count over Poisson where sections hold `mean` cells each; what few degrees of freedom leave open is in it."""
    if spread.df == 0:
        return 1.0
    tail = 0.5 * (1 + level)
    few = (float(special.stdtrit(spread.df, tail)) / float(special.ndtri(tail))) ** 2
    return 1.0 + _SKEW * few * spread.relative_variance * mean


def _chance(count: int, wrong: float, threshold: Threshold) -> float:
    """Of at least so many calls in unlabelled tissue; the rate is known as well as the controls' calls tell it (gamma)."""
    if count == 0:
        return 1.0
    shape = threshold.false_positives * threshold.cells + 0.5
    share = wrong / (wrong + shape)
    return float(special.betainc(count, shape, share))


def group_densities(
    organs: Sequence[OrganDensity], /, *, controls: frozenset[str] = frozenset(), level: float = 0.95
) -> tuple[GroupDensity, ...]:
    """Mean density of each organ over the animals of each arm, an animal counting once.

    Parameters
    ----------
    organs : sequence of OrganDensity
    controls : frozenset of str
        Arms without label, which are listed last.
    level : float

    Returns
    -------
    tuple of GroupDensity
        Means over animals; intervals by Student's t on the mean's logarithm (delta method), which suits amounts that cannot be below 0
        and are skew. One animal has no interval.
    """
    grouped: dict[Key, list[OrganDensity]] = {}
    for one in organs:
        grouped.setdefault((one.group, one.organ), []).append(one)
    order = sorted(grouped, key=lambda key: (key[0] in controls, key))
    return tuple(_group(key, grouped[key], level) for key in order)


def _group(key: Key, organs: Sequence[OrganDensity], level: float) -> GroupDensity:
    told = [one for one in organs if one.sections > 0]
    left = tuple(
        Exclusion(one.animal, one.group, ", ".join(one.flags) or "no usable section")
        for one in organs
        if one not in told
    )
    area = sum(one.tissue_mm2 for one in told)
    cells = sum(one.nuclei for one in told)
    design = Design(
        "animal",
        (key[0],) if key[0] else (),
        (len(told),),
        sum(one.sections for one in told),
        nested=("section",),
        exclusions=left,
    )
    return GroupDensity(
        key[0],
        key[1],
        _mean([one.cells_per_mm2.value for one in told], area, level, DENSITY_UNIT),
        _mean([one.labelled_fraction.value for one in told], float(cells), level, "1"),
        design,
    )


def _mean(values: Sequence[float], base: float, level: float, unit: str) -> Estimate:
    n = len(values)
    if n == 0:
        return Estimate.unknown(level, unit, "no animal")
    mean = math.fsum(values) / n
    if mean == 0:
        high = float(special.gammaincinv(0.5, 0.5 * (1 + level))) / base if base > 0 else math.inf
        return Estimate(0.0, math.nan, 0.0, high, level, unit, f"none in {n} animals: bound by the tissue looked at")
    most = 1.0 if unit == "1" else math.inf
    if n == 1:
        return Estimate(mean, math.nan, 0.0, most, level, unit, "one animal: no interval")
    se = math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (n - 1) / n)
    reach = float(special.stdtrit(n - 1, 0.5 * (1 + level))) * se / mean
    # beyond the mean itself the logarithm's upper end runs away: from there along its tangent
    low, high = mean * math.exp(-reach), mean * (math.exp(reach) if reach < 1 else math.e * reach)
    return Estimate(
        mean, se, low, min(high, max(most, mean)), level, unit, f"{n} animals, Student's t on the logarithm"
    )
