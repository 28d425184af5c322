"""The in vivo call of each organ judged by its sections; an organ that was never looked at is no negative.

In the order of use: `living_organ`, `call_from_onset`, `match_calls`, `judge_calls`.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lampyris.core.estimate import Estimate
from lampyris.core.histology import CallAccuracy, OrganCall, OrganDensity

NOT_IMAGED = "never imaged"
NOT_SOUGHT = "never looked at in the living animal"
NO_LIMIT = "censored: no detection limit in the last session"
HIGH_LIMIT = "censored: the detection limit is too high"
NO_TRUTH = "no section tells"

Key = tuple[str, str]


def living_organ(organ: str, /) -> str:
    """Name that the living animal's organ has: both sides together.

    Examples
    --------
    >>> living_organ("Left kidney"), living_organ("lung"), living_organ("liver")
    ('kidneys', 'lungs', 'liver')
    """
    name = " ".join(organ.casefold().replace("_", " ").replace("-", " ").split())
    for side in ("left ", "right "):
        name = name.removeprefix(side)
    return {"kidney": "kidneys", "lung": "lungs", "tumor": "tumour"}.get(name, name)


def call_from_onset(
    animal: str,
    organ: str,
    /,
    *,
    probability: float,
    after_day: float,
    by_day: float,
    limit_cells: float,
    highest_limit: float = math.inf,
) -> OrganCall:
    """Call of an organ from the study's table of onsets.

    Parameters
    ----------
    animal, organ : str
    probability : float
        That any lesion lies there: the score.
    after_day, by_day : float
        Of the first arrival; `by_day` is infinite where nothing came, `after_day` minus infinity where nobody could look.
    limit_cells : float
        Detection limit of the last session; NaN or infinite where there is none.
    highest_limit : float
        A limit above it cannot rule out what matters: not called.

    Returns
    -------
    OrganCall
        Without truth.

    Examples
    --------
    >>> call_from_onset("m01", "liver", probability=0.0, after_day=-math.inf, by_day=math.inf, limit_cells=math.nan).reason
    'never looked at in the living animal'
    """
    if math.isfinite(by_day):
        return OrganCall(animal, organ, True, probability, None, "")
    if not math.isfinite(after_day):
        return OrganCall(animal, organ, None, math.nan, None, NOT_SOUGHT)
    if not math.isfinite(limit_cells):
        return OrganCall(animal, organ, None, math.nan, None, NO_LIMIT)
    if limit_cells > highest_limit:
        return OrganCall(animal, organ, None, math.nan, None, HIGH_LIMIT)
    return OrganCall(animal, organ, False, probability, None, "")


def match_calls(
    organs: Sequence[OrganDensity], calls: Mapping[Key, OrganCall], /, *, controls: frozenset[str] = frozenset()
) -> tuple[OrganCall, ...]:
    """Lay calls beside sections, an entry per animal and organ that has sections.

    Parameters
    ----------
    organs : sequence of OrganDensity
    calls : mapping of (animal, organ) to OrganCall
        Organs by their living names.
    controls : frozenset of str
        Arms without label: truly negative, but made to set the threshold, so that they are not judged by it.

    Returns
    -------
    tuple of OrganCall
        Both kidneys together where they are one organ in the living animal: without label only where both are.
    """
    truths: dict[Key, list[OrganDensity]] = {}
    for one in organs:
        if one.group not in controls:
            truths.setdefault((one.animal, living_organ(one.organ)), []).append(one)
    found = []
    for key in sorted(truths):
        told = [one.positive for one in truths[key]]
        # one kidney without label says nothing of the other, whose sections do not tell
        truth = True if True in told else None if None in told else False
        call = calls.get(key, OrganCall(*key, None, math.nan, None, NOT_IMAGED))
        reason = call.reason or ("" if truth is not None else NO_TRUTH)
        found.append(replace(call, truth=truth, reason=reason))
    return tuple(found)


def judge_calls(calls: Sequence[OrganCall], /, *, level: float = 0.95) -> CallAccuracy | None:
    """Sensitivity, specificity and ROC of the calls, organs clustered in animals.

    Parameters
    ----------
    calls : sequence of OrganCall
    level : float

    Returns
    -------
    CallAccuracy or None
        None where fewer than two animals have a call and a truth.
    """
    from lampyris.statistics.relations.calls import sensitivity_specificity
    from lampyris.statistics.relations.roc import roc

    judged = [one for one in calls if one.called is not None and one.truth is not None]
    left = Counter(one.reason for one in calls if one.called is None or one.truth is None)
    animals = [one.animal for one in judged]
    if len(set(animals)) < 2:
        return None
    truth = [bool(one.truth) for one in judged]
    found = sensitivity_specificity([bool(one.called) for one in judged], truth, cluster=animals, level=level)
    notes = [*found.notes]
    if left:
        notes.append(f"{sum(left.values())} of {len(calls)} organs are not judged; none of them counts as negative.")
    area: Estimate | None = None
    curve: tuple[tuple[float, float], ...] = ()
    scored = [one for one in judged if math.isfinite(one.score)]
    kinds = {bool(one.truth) for one in scored}
    if len(kinds) == 2 and len({one.animal for one in scored}) > 1:
        drawn = roc(
            [one.score for one in scored],
            [bool(one.truth) for one in scored],
            cluster=[one.animal for one in scored],
            level=level,
        )
        area = drawn.auc
        curve = tuple(zip(drawn.false_positive_rate, drawn.sensitivity, strict=True))
        if len(scored) < len(judged):
            notes.append(
                f"{len(judged) - len(scored)} organs have a call without a score: they are not in the ROC curve."
            )
    return CallAccuracy(
        sensitivity=found.sensitivity,
        specificity=found.specificity,
        positives=sum(truth),
        negatives=len(truth) - sum(truth),
        area=area,
        curve=curve,
        design=found.design,
        not_called=dict(sorted(left.items())),
        notes=tuple(notes),
    )
