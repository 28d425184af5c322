"""Arms compared on the share of the dose per gram, an organ at a time; what lies below its limit is censored, never zero.

The animal is the experimental unit: each has an organ of a name once.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lampyris.core.assays import OrganFlag, OrganResult
from lampyris.core.comparison import Comparison
from lampyris.core.design import Exclusion
from lampyris.core.seeds import seed_sequence
from lampyris.core.settings import StudySettings

UNIT = "log10(%ID/g)"
LEAST_ANIMALS = 3
LOWER_BOUND = "its value is only a lower bound (saturated, or brighter than the line of wells)"
NO_SHARE = "no share of the dose per gram"
# value, and whether the true one lies below it
Reading = tuple[float, bool]


def compare_organs(
    organs: Sequence[OrganResult], settings: StudySettings, exclusions: Sequence[Exclusion] = (), /
) -> tuple[Comparison, ...]:
    """Compare the arms on every organ.

    Parameters
    ----------
    organs : sequence of OrganResult
        Of animals that count.
    settings : StudySettings
        Arms in their order; controls carry no label and have no share of a dose.
    exclusions : sequence of Exclusion
        Animals left out before, for the designs.

    Returns
    -------
    tuple of Comparison
        One per organ in the order of the trays, of the arms that have a share of it; adjusted by Holm over the organs that could be
        tested. None where only one arm is labelled.
    """
    from lampyris.statistics.groups import adjust_endpoints

    arms = [name for name, group in settings.groups.items() if group.role == "labelled"]
    held = {one.group for one in organs if _reading(one)}
    arms = [arm for arm in arms if arm in held]
    if len(arms) < 2:
        return ()
    names = list(dict.fromkeys(one.organ for one in organs if one.group in arms))
    made = [_compared(name, [one for one in organs if one.organ == name], arms, settings, exclusions) for name in names]
    return tuple(
        replace(one, adjustment=one.adjustment.replace("endpoints", "organs")) for one in adjust_endpoints(made)
    )


def _reading(one: OrganResult) -> Reading | None:
    """Logarithm of %ID/g, or of what it lies below; None where neither is known."""
    share = one.percent_dose_per_gram
    if not share.value > 0 or OrganFlag.FAINT in one.flags:
        return (math.log10(share.high), True) if math.isfinite(share.high) and share.high > 0 else None
    return (math.log10(share.value), False) if math.isfinite(share.high) else None


def _compared(
    organ: str,
    rows: Sequence[OrganResult],
    arms: Sequence[str],
    settings: StudySettings,
    exclusions: Sequence[Exclusion],
) -> Comparison:
    endpoint, level = f"log10 %ID/g of {organ}", settings.analysis.interval_level
    readings: dict[str, list[tuple[str, Reading]]] = {arm: [] for arm in arms}
    lost = list(exclusions)
    for row in sorted((one for one in rows if one.group in readings), key=lambda one: one.animal):
        reading = _reading(row)
        if reading is None:
            bound = math.isinf(row.percent_dose_per_gram.high)
            lost.append(Exclusion(row.animal, row.group, LOWER_BOUND if bound else NO_SHARE))
        else:
            readings[row.group].append((row.animal, reading))
    named = [f"{one.unit} ({one.reason})" for one in lost[len(exclusions) :]]
    # arms too thin for a test are described, and not compared
    thick = [arm for arm in arms if len(readings[arm]) >= LEAST_ANIMALS]
    thin = [f"{arm} ({len(readings[arm])})" for arm in arms if arm not in thick]
    notes = [f"Not compared, with fewer than {LEAST_ANIMALS} animals: {', '.join(thin)}."] if thin else []
    used = thick if len(thick) > 1 else [arm for arm in arms if readings[arm]]
    below = [name for arm in used for name, (_, limit) in readings[arm] if limit]
    if below:
        made = _censored(endpoint, {arm: readings[arm] for arm in used}, lost, settings)
        notes.append(
            f"Below the limit, known only to lie under it: {', '.join(below)}. They are taken as censored, neither as zero nor as "
            "the limit."
        )
    else:
        made = _measured(endpoint, {arm: readings[arm] for arm in used}, level)
    if len(thick) < 2:
        nan = math.nan
        notes.insert(0, f"No test was made: two arms with {LEAST_ANIMALS} animals are needed.")
        made = replace(made, test="", statistic=nan, df1=nan, df2=nan, p=nan, pairs=(), post_hoc="", tests=())
        made = replace(made, effect_size=None, effects=(), notes=(), warnings=())
    if named:
        notes.append(f"Left out: {', '.join(named)}.")
    design = replace(made.design, exclusions=tuple(lost)) if made.design is not None else None
    return replace(made, design=design, notes=(*notes, *made.notes))


def _measured(endpoint: str, readings: dict[str, list[tuple[str, Reading]]], level: float) -> Comparison:
    from lampyris.statistics.groups import ComparisonPlan, Source, compare_groups

    rows = [(value, arm, animal) for arm, mine in readings.items() for animal, (value, _) in mine]
    plan = ComparisonPlan(level=level, experimental_unit="animal", order=tuple(readings))
    values, arms, animals = zip(*rows, strict=True) if rows else ((), (), ())
    source = Source(value=endpoint, group="arm", subject="animal", unit=UNIT)
    return compare_groups(values, arms, animals, source=source, plan=plan)


def _censored(
    endpoint: str,
    readings: dict[str, list[tuple[str, Reading]]],
    lost: Sequence[Exclusion],
    settings: StudySettings,
) -> Comparison:
    from lampyris.statistics.censored import as_comparison, compare_censored

    values = {arm: [value for _, (value, _) in mine] for arm, mine in readings.items()}
    limits = {arm: [limit for _, (_, limit) in mine] for arm, mine in readings.items()}
    # drawn for random splits where there are too many to count
    rng = np.random.default_rng(seed_sequence("resampling", settings.study.name, "ex vivo", endpoint))
    found = compare_censored(
        values, limits, unit=UNIT, exclusions=lost, level=settings.analysis.interval_level, rng=rng
    )
    made = as_comparison(found, values, limits, endpoint=endpoint)
    units = {arm: tuple(name for name, _ in mine) for arm, mine in readings.items()}
    return replace(made, groups=tuple(replace(one, units=units[one.group]) for one in made.groups))
