"""The onset of metastasis per organ: one analysis each, with p adjusted over the organs."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from lampyris.core.design import Exclusion
from lampyris.core.onset import OnsetResult
from lampyris.statistics.multiplicity import holm
from lampyris.statistics.onset.analysis import OnsetOptions, onset_analysis
from lampyris.statistics.onset.times import OnsetTimes

NOT_LOOKED_AT = "was never looked at there"


def organ_onset(
    organs: Sequence[str],
    animals: Sequence[str],
    groups: Sequence[str],
    after_day: Sequence[float],
    by_day: Sequence[float],
    /,
    *,
    strata: Sequence[str] | None = None,
    group_order: Sequence[str] = (),
    options: OnsetOptions | None = None,
) -> tuple[OnsetResult, ...]:
    """When each organ was reached, by group.

    Parameters
    ----------
    organs, animals, groups : sequence of str
        One entry per organ and animal, as in the table ``onsets`` of the results.
    after_day, by_day : sequence of float
        Reached in (after_day, by_day]. ``by_day`` is inf where it was not reached; ``after_day`` is -inf where nothing was
        looked at before ``by_day``, which then means at any time since day 0. Both infinite: the organ was never looked at, and
        the animal is left out of its analysis with that reason.
    strata : sequence of str, optional
        As `onset_analysis`.
    group_order : sequence of str
        The first is what others are compared with; by default the order of the entries.
    options : OnsetOptions, optional
        `event` is set for each organ.

    Returns
    -------
    tuple of OnsetResult
        By organ in order of the name; ``p_adjusted`` is Holm's over the organs that could be tested. Organs that no animal
        of any group had reached are given too: that nothing came is a result.

    Raises
    ------
    ValueError
        If columns differ in length, or an animal has an organ twice or two groups.

    Examples
    --------
    >>> inf = float("inf")
    >>> found = organ_onset(["liver"] * 4, ["m1", "m2", "m3", "m4"], ["dots"] * 2 + ["dye"] * 2, [0, 3, 7, 7], [3, 7, inf, inf])
    >>> found[0].event, round(found[0].p_adjusted, 2)
    ('metastasis in liver', 0.33)
    """
    columns = (organs, animals, groups, after_day, by_day, *([strata] if strata is not None else []))
    if len({len(column) for column in columns}) != 1:
        raise ValueError(f"columns need one length, got {[len(column) for column in columns]}")
    _check(organs, animals, groups)
    options = options or OnsetOptions()
    order = {name: k for k, name in enumerate(dict.fromkeys([*group_order, *groups]))}
    low = np.asarray(after_day, dtype=np.float64)
    high = np.asarray(by_day, dtype=np.float64)
    found = []
    for organ in sorted(set(organs)):
        rows = sorted((k for k, one in enumerate(organs) if one == organ), key=lambda k: order[groups[k]])
        known = [k for k in rows if low[k] > -math.inf or high[k] < math.inf]
        left = [Exclusion(animals[k], groups[k], NOT_LOOKED_AT) for k in rows if k not in known]
        if not known:
            continue
        times = OnsetTimes(np.maximum(low[known], 0.0), high[known])
        own = dataclasses.replace(options, event=f"metastasis in {organ}")
        layers = None if strata is None else [strata[k] for k in known]
        found.append(onset_analysis(times, [groups[k] for k in known], strata=layers, exclusions=left, options=own))
    p = holm([one.tests[0].p if one.tests else math.nan for one in found])
    return tuple(dataclasses.replace(one, p_adjusted=float(value)) for one, value in zip(found, p, strict=True))


def _check(organs: Sequence[str], animals: Sequence[str], groups: Sequence[str]) -> None:
    group_of: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    faults = []
    for organ, animal, group in zip(organs, animals, groups, strict=True):
        if (organ, animal) in seen:
            faults.append(f"animal {animal} has {organ} twice")
        seen.add((organ, animal))
        if group_of.setdefault(animal, group) != group:
            faults.append(f"animal {animal} is in {group_of[animal]} and in {group}")
    if faults:
        raise ValueError("; ".join(faults))
