"""Mass spectrometry of digested organs: blanks taken off, what lies below the detection limit censored, shares of the dose."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from lampyris.core.assays import Balance, OrganFlag, OrganReference
from lampyris.core.estimate import Estimate
from lampyris.core.schemas import IcpRow
from lampyris.imaging.amounts import percent_injected_dose
from lampyris.statistics.intervals import normal_interval

# standard deviations of the blank at which the detection limit lies (IUPAC)
LIMIT_SDS = 3.0
# of one digest where neither the instrument nor replicates say
DIGEST_RELATIVE_SD = 0.05
# of the largest blank where there are too few of them to have a spread
ASSUMED_BLANK_SD = 0.5
LEAST_BLANKS = 3
Key = tuple[str, str]


def amount_ng(row: IcpRow, /) -> float:
    """Element in the digest, ng: as written, or concentration times volume times what it was thinned.

    Examples
    --------
    >>> from lampyris.core.schemas import ICP_MS
    >>> empty = {column.name: math.nan if column.kind == "number" else "" for column in ICP_MS}
    >>> amount_ng(IcpRow(**{**empty, "row": 2, "concentration_ppb": 2.0, "digest_ml": 10.0, "dilution": 5.0}))
    100.0
    """
    if math.isfinite(row.amount_ng):
        return row.amount_ng
    return row.concentration_ppb * row.digest_ml * _or(row.dilution, 1.0)


def organ_references(
    rows: Sequence[IcpRow], weights: Mapping[Key, Estimate], doses: Mapping[str, Estimate], /, *, level: float = 0.95
) -> tuple[OrganReference, ...]:
    """Organs of an ICP-MS table.

    Parameters
    ----------
    rows : sequence of IcpRow
        Samples and blanks; blanks are those of the whole table.
    weights : mapping of (animal, organ) to Estimate
        Whole organs, g.
    doses : mapping of animal to Estimate
        ng of the element.
    level : float

    Returns
    -------
    tuple of OrganReference
        By animal and organ. Replicates are averaged; where one is below the limit the organ is below the largest of their limits
        or means.
    """
    blanks = [amount_ng(row) for row in rows if row.sample == "blank" and math.isfinite(amount_ng(row))]
    found: dict[Key, list[IcpRow]] = {}
    for row in rows:
        if row.sample == "sample":
            found.setdefault((row.animal, row.organ), []).append(row)
    return tuple(_organ(key, found[key], blanks, weights, doses, level) for key in sorted(found))


def element_doses(rows: Sequence[IcpRow], animals: Sequence[str], /, *, level: float = 0.95) -> dict[str, Estimate]:
    """What each animal was given, ng of the element: its own rows of the kind dose, else those of all.

    Parameters
    ----------
    rows : sequence of IcpRow
    animals : sequence of str
    level : float
    """
    blanks = [amount_ng(row) for row in rows if row.sample == "blank" and math.isfinite(amount_ng(row))]
    given = [row for row in rows if row.sample == "dose" and math.isfinite(amount_ng(row))]
    doses = {}
    for animal in animals:
        mine = [row for row in given if row.animal == animal] or [row for row in given if not row.animal]
        if mine:
            value, sd = _mean(mine, blanks)
            if value > 0:
                doses[animal] = normal_interval(
                    value, sd, unit="ng", method=f"mean of {len(mine)} digests of the dose", level=level
                )
    return doses


def _organ(
    key: Key,
    rows: Sequence[IcpRow],
    blanks: Sequence[float],
    weights: Mapping[Key, Estimate],
    doses: Mapping[str, Estimate],
    level: float,
) -> OrganReference:
    animal, organ = key
    limits, assumed = zip(*(_limit(row, blanks) for row in rows), strict=True)
    # each digest is of a piece of its own
    scales = [_whole(row, weights.get(key)) for row in rows]
    whole = all(math.isfinite(scale) for scale in scales)
    limit = max(limit * scale for limit, scale in zip(limits, scales, strict=True)) if whole else math.nan
    told = [
        (row, scale)
        for row, scale in zip(rows, scales, strict=True)
        if math.isfinite(amount_ng(row)) and not row.below_lod
    ]
    value, sd = -math.inf, math.nan
    if told and whole:
        value, sd = _mean([row for row, _ in told], blanks, [scale for _, scale in told])
    censored = whole and (len(told) < len(rows) or value < limit)
    flags = [OrganFlag.BELOW_LOD] if censored else []
    if any(assumed):
        flags.append(OrganFlag.LIMIT_ASSUMED)
    if key not in weights:
        flags.append(OrganFlag.NO_WEIGHT)
    if animal not in doses:
        flags.append(OrganFlag.NO_DOSE)
    if not whole:
        amount = Estimate.unknown(level, "ng", "a piece of an organ that was not weighed")
    elif censored:
        high = max(limit, value)
        amount = Estimate(math.nan, math.nan, 0.0, high, level, "ng", "below the detection limit")
    else:
        amount = normal_interval(
            value, sd, unit="ng", method=f"mean of {len(told)} digests, blanks taken off", level=level
        )
    dose, mass = doses.get(animal) if whole else None, weights.get(key)
    nothing = Estimate.unknown(level, "%ID", "not known")
    return OrganReference(
        animal=animal,
        organ=organ,
        amount_ng=amount,
        limit_ng=limit,
        percent_dose=percent_injected_dose(amount, dose, level=level) if dose else nothing,
        percent_dose_per_gram=percent_injected_dose(amount, dose, mass_g=mass, level=level)
        if dose and mass
        else nothing,
        replicates=len(rows),
        flags=tuple(str(flag) for flag in flags),
    )


def _whole(row: IcpRow, weight: Estimate | None) -> float:
    """Whole organ over what was digested of it; NaN for a piece of an organ that was not weighed."""
    if math.isfinite(row.digested_g):
        return weight.value / row.digested_g if weight is not None else math.nan
    return 1.0


def _limit(row: IcpRow, blanks: Sequence[float]) -> tuple[float, bool]:
    """Detection limit of a digest above its blank, ng, and whether it is assumed."""
    if math.isfinite(row.lod_ppb) and math.isfinite(row.digest_ml):
        return row.lod_ppb * row.digest_ml * _or(row.dilution, 1.0), False
    if len(blanks) >= LEAST_BLANKS:
        return LIMIT_SDS * stdev(blanks) * math.sqrt(1 + 1 / len(blanks)), False
    if blanks:
        return LIMIT_SDS * ASSUMED_BLANK_SD * max(abs(one) for one in blanks), True
    return 0.0, True


def _mean(rows: Sequence[IcpRow], blanks: Sequence[float], scales: Sequence[float] = ()) -> tuple[float, float]:
    """Mean amount above the blank, ng, each digest's times its scale, and its standard deviation."""
    scales = scales or [1.0] * len(rows)
    blank = fmean(blanks) if blanks else 0.0
    blank_sd = stdev(blanks) * math.sqrt(1 + 1 / len(blanks)) if len(blanks) > 1 else 0.0
    values = [scale * (amount_ng(row) - blank) for row, scale in zip(rows, scales, strict=True)]
    value = fmean(values)
    spreads = [scale * _sd(row, amount_ng(row)) for row, scale in zip(rows, scales, strict=True)]
    own = math.sqrt(fmean([sd**2 for sd in spreads]) / len(values))
    if len(values) > 1:
        own = max(own, stdev(values) / math.sqrt(len(values)))
    return value, math.hypot(own, fmean(scales) * blank_sd)


def _sd(row: IcpRow, amount: float) -> float:
    if math.isfinite(row.amount_sd_ng):
        return row.amount_sd_ng
    if math.isfinite(row.concentration_sd_ppb) and math.isfinite(row.digest_ml):
        return row.concentration_sd_ppb * row.digest_ml * _or(row.dilution, 1.0)
    return DIGEST_RELATIVE_SD * abs(amount)


def reference_balances(
    references: Sequence[OrganReference], groups: Mapping[str, str], doses: Mapping[str, Estimate], /
) -> tuple[Balance, ...]:
    """Sum of each animal's shares by mass spectrometry; what is below the limit is missing from it, not zero in it.

    Parameters
    ----------
    references : sequence of OrganReference
    groups : mapping of animal to str
    doses : mapping of animal to Estimate
    """
    from lampyris.assays.exvivo.amounts import total

    found = []
    for animal in sorted({one.animal for one in references}):
        mine = [one for one in references if one.animal == animal]
        held = [one for one in mine if math.isfinite(one.percent_dose.value)]
        if held:
            dose = doses[animal]
            level = held[0].percent_dose.level
            sum_ = total([one.percent_dose for one in held], dose.sd / dose.value, level)
            missing = tuple(one.organ for one in mine if one not in held)
            found.append(
                Balance(animal, groups.get(animal, ""), sum_, tuple(one.organ for one in held), missing, "icp-ms")
            )
    return tuple(found)


def _or(value: float, default: float) -> float:
    return value if math.isfinite(value) else default
