"""Labelled cells per mm2 of an organ: sections lie within organs, organs within animals, and animals are what was replicated.

In the order of use: `organ_densities`, `group_densities`.
"""

import math
from collections.abc import Mapping, Sequence

from scipy import special

from lampyris.assays.histology.cells import Threshold
from lampyris.core.design import Design, Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.histology import GroupDensity, OrganDensity, SectionFlag, SectionResult

DENSITY_UNIT = "mm-2"
# an organ holds labelled cells where as many are called in unlabelled tissue with less than this chance
POSITIVE_LEVEL = 0.01
# spread between sections beyond counting noise, from which its own uncertainty is counted in full
_SPREAD_FROM, _SPREAD_FULL = 0.8, 1.5

Key = tuple[str, str]


def organ_densities(
    sections: Sequence[SectionResult], threshold: Threshold, /, *, level: float = 0.95
) -> tuple[OrganDensity, ...]:
    """Density of each organ of each animal.

    Parameters
    ----------
    sections : sequence of SectionResult
        Those that are not `used` count for nothing, but are listed by their organ's flags.
    threshold : Threshold
        Of the controls behind `SectionResult.false_expected`.
    level : float
        Coverage.

    Returns
    -------
    tuple of OrganDensity
        By animal and organ. Counts of sections are taken as Poisson times a spread that is common to an organ in an arm, learnt from
        all animals with several sections (quasi-likelihood; never below Poisson). Calls that controls have as well are taken off.

    References
    ----------
    McCullagh & Nelder 1989, Generalized Linear Models, ch. 9 (quasi-likelihood); Jeffreys' interval of a Poisson mean: Brown, Cai &
    DasGupta 2003, Stat Sinica 13:19.
    """
    grouped: dict[Key, list[SectionResult]] = {}
    for one in sections:
        grouped.setdefault((one.animal, one.organ), []).append(one)
    spreads = _spreads(grouped)
    return tuple(
        _density(key, grouped[key], spreads[grouped[key][0].group, key[1]], threshold, level) for key in sorted(grouped)
    )


def _spreads(grouped: Mapping[Key, Sequence[SectionResult]]) -> dict[Key, tuple[float, int]]:
    """Spread of counts over Poisson, and its degrees of freedom, by arm and organ."""
    sums: dict[Key, list[float]] = {}
    for (_, organ), rows in grouped.items():
        total = sums.setdefault((rows[0].group, organ), [0.0, 0.0])
        used = [one for one in rows if one.used and one.tissue_mm2 > 0]
        count, area = sum(one.labelled for one in used), sum(one.tissue_mm2 for one in used)
        if len(used) < 2 or count == 0:
            continue
        for one in used:
            expected = count * one.tissue_mm2 / area
            total[0] += (one.labelled - expected) ** 2 / expected
        total[1] += len(used) - 1
    return {key: (square / df if df else math.nan, int(df)) for key, (square, df) in sums.items()}


def _density(
    key: Key, rows: Sequence[SectionResult], spread: tuple[float, int], threshold: Threshold, level: float
) -> OrganDensity:
    used = [one for one in rows if one.used and one.tissue_mm2 > 0]
    nuclei, labelled = sum(one.nuclei for one in used), sum(one.labelled for one in used)
    area = sum(one.tissue_mm2 for one in used)
    flags = list(dict.fromkeys(flag for one in rows for flag in one.flags if flag != SectionFlag.NOT_REGISTERED))
    if not used:
        flags.append(str(SectionFlag.NO_SECTION))
    elif len(used) == 1:
        flags.append(str(SectionFlag.ONE_SECTION))
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
        cells_per_mm2=_rate(labelled, wrong, area, spread, threshold, level, DENSITY_UNIT),
        labelled_fraction=_rate(labelled, wrong, float(nuclei), spread, threshold, level, "1"),
        p=p,
        positive=None if math.isnan(p) else p < POSITIVE_LEVEL,
        flags=tuple(flags),
    )


def _rate(
    count: int, wrong: float, base: float, spread: tuple[float, int], threshold: Threshold, level: float, unit: str
) -> Estimate:
    """Count less what is called wrongly, over area or cells."""
    if not base > 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, level, unit, "no usable section")
    factor = _inflation(spread, level)
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
    sd = math.hypot(math.sqrt(count * factor), wrong / math.sqrt(calls))
    most = 1.0 if unit == "1" else math.inf
    ends = (min(max(below, 0.0), value), max(above, value))
    shown, df = spread
    words = f"between sections {shown:.2g} times Poisson, {df} df" if df else "Poisson: spread between sections not known"
    return Estimate(
        min(value / base, most), sd / base, min(ends[0] / base, most), min(ends[1] / base, most), level, unit, words
    )


def _inflation(spread: tuple[float, int], level: float) -> float:
    """Variance over Poisson; where it is clearly more, what few degrees of freedom leave open is in it."""
    shown, df = spread
    if df == 0:
        return 1.0
    tail = 0.5 * (1 + level)
    few = (float(special.stdtrit(df, tail)) / float(special.ndtri(tail))) ** 2
    weight = min(max((shown - _SPREAD_FROM) / (_SPREAD_FULL - _SPREAD_FROM), 0.0), 1.0)
    return max(shown, 1.0) * (1.0 + (few - 1.0) * weight)


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
        Exclusion(one.animal, one.group, ", ".join(one.flags) or "no usable section") for one in organs if one not in told
    )
    area = sum(one.tissue_mm2 for one in told)
    cells = sum(one.nuclei for one in told)
    design = Design(
        "animal", (key[0],) if key[0] else (), (len(told),), sum(one.sections for one in told), nested=("section",), exclusions=left
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
        return Estimate(math.nan, math.nan, math.nan, math.nan, level, unit, "no animal")
    mean = math.fsum(values) / n
    if mean == 0:
        high = float(special.gammaincinv(0.5, 0.5 * (1 + level))) / base if base > 0 else math.inf
        return Estimate(0.0, math.nan, 0.0, high, level, unit, f"none in {n} animals: bound by the tissue looked at")
    most = 1.0 if unit == "1" else math.inf
    if n == 1:
        return Estimate(mean, math.nan, 0.0, most, level, unit, "one animal: no interval")
    se = math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (n - 1) / n)
    reach = float(special.stdtrit(n - 1, 0.5 * (1 + level))) * se / mean
    low, high = mean * math.exp(-reach), mean * math.exp(min(reach, 700.0))
    return Estimate(mean, se, low, min(high, max(most, mean)), level, unit, f"{n} animals, Student's t on the logarithm")
