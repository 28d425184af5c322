"""When metastasis reached an organ, compared between arms: intervals between sessions, never the day of first sight."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from lampyris.core.design import Exclusion
from lampyris.core.onset import OnsetResult
from lampyris.core.seeds import seed_sequence
from lampyris.core.study import AnimalOutcome
from lampyris.study.statistics.endpoints import LEAST_ANIMALS, labelled_arms

ANY = "any organ but the primary's"
ON_DAY_0 = 0.5
NOT_KNOWN = "when it was reached is not known"


def onsets_by_organ(
    outcomes: Sequence[AnimalOutcome],
    groups: Mapping[str, Mapping[str, str]],
    /,
    *,
    level: float = 0.95,
    study: str = "",
) -> tuple[OnsetResult, ...]:
    """Onset in any organ, and in each that any animal of a labelled arm had reached.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals; those without endpoints tell nothing of onset.
    groups : mapping of str to mapping
        Per arm key ``role``; controls carry no label and are not compared.
    level : float
        Coverage of the intervals.
    study : str
        The study's name, from which permutations are drawn.

    Returns
    -------
    tuple of OnsetResult
        Any organ first, with p of its own; then organs by name, with p adjusted over the organs by Holm's method. Empty
        where nothing was followed, or no organ was reached. Arms of fewer than three animals are described, and in no test.
    """
    arms = labelled_arms(groups)
    ordered = sorted(outcomes, key=lambda one: one.animal)
    done = [one for arm in arms for one in ordered if one.group == arm and one.status == "done"]
    animals = [(one, one.endpoints) for one in done if one.endpoints is not None and one.endpoints.days]
    if not any(math.isfinite(ends.first_spread[1]) for _, ends in animals):
        return ()
    from lampyris.statistics.onset import OnsetOptions, organ_onset

    seed = int(seed_sequence("resampling", study, "onset").generate_state(1)[0])
    options = OnsetOptions(seed=seed, level=level, least=LEAST_ANIMALS)
    first = [(ANY, one.animal, one.group, *ends.first_spread) for one, ends in animals]
    reached = {organ.organ for _, ends in animals for organ in ends.onsets if math.isfinite(organ.by_day)}
    rows = [
        (onset.organ, one.animal, one.group, onset.after_day, onset.by_day)
        for one, ends in animals
        for onset in ends.onsets
        if onset.organ in reached
    ]
    found: list[OnsetResult] = []
    for part in (first, rows):
        known = [row for row in part if not any(math.isnan(day) for day in row[3:])]
        if known:
            organs, names, arm, after, by = (list(column) for column in zip(*known, strict=True))
            # an onset takes some time: what shows on the day of inoculation came within it
            by = [max(day, ON_DAY_0) for day in by]
            made = organ_onset(organs, names, arm, after, by, group_order=arms, options=options)
            found += [
                _told(one, [row for row in known if one.event == f"metastasis in {row[0]}"], done) for one in made
            ]
    # any organ is one question; Holm's adjustment of one changes nothing and would be read as one over the organs
    return tuple(dataclasses.replace(one, p_adjusted=math.nan) if one.event.endswith(ANY) else one for one in found)


def _told(
    found: OnsetResult, rows: Sequence[tuple[str, str, str, float, float]], done: Sequence[AnimalOutcome]
) -> OnsetResult:
    """With the animals that have no onset among its exclusions, and with what was seen on day 0."""
    known = {animal for _, animal, *_ in rows}
    # an arm of which nothing is known is named too; one that is described and not tested is no matter of the design
    silent = {arm.group for arm in found.arms} - set(found.design.groups)
    without = tuple(
        Exclusion(one.animal, one.group, NOT_KNOWN)
        for one in done
        if one.animal not in known and one.group not in silent
    )
    design = dataclasses.replace(found.design, exclusions=(*found.design.exclusions, *without))
    return _with_day_0(dataclasses.replace(found, design=design), rows)


def _with_day_0(found: OnsetResult, rows: Sequence[tuple[str, str, str, float, float]]) -> OnsetResult:
    names = [f"{animal} ({group})" for _, animal, group, _, by in rows if by <= 0]
    if not names:
        return found
    note = f"Seen on day 0 in {', '.join(names)}: taken to have come within {ON_DAY_0:g} d."
    return dataclasses.replace(found, notes=(*found.notes, note))


def answer_p(onset: OnsetResult, /) -> float:
    """p of its first test; NaN where none was made."""
    return onset.tests[0].p if onset.tests else math.nan
