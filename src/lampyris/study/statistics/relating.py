"""Relations between endpoints of the same animals: few questions, the animal as the unit, each with interval and influence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lampyris.core.analyses import Relation
from lampyris.core.design import Design, Exclusion
from lampyris.core.study import AnimalOutcome
from lampyris.statistics.multiplicity import holm
from lampyris.study.statistics.endpoints import (
    Reading,
    burden_on,
    endpoint_days,
    flux_on,
    labelled_arms,
    persistence,
)

LEAST_PAIRS = 4


@dataclass(frozen=True, slots=True)
class _Question:
    """Two readings per animal, and the animals that lack one."""

    x: str
    y: str
    pairs: tuple[tuple[str, str, Reading, Reading], ...]
    without: tuple[tuple[str, str], ...]


def relations(
    outcomes: Sequence[AnimalOutcome],
    groups: Mapping[str, Mapping[str, str]],
    weights: Mapping[str, float] | None = None,
    /,
    *,
    level: float = 0.95,
) -> tuple[Relation, ...]:
    """Correlate what a reader would ask of the animals.

    First flux with the cells outside the primary on the last day, first flux with the share of the primary's signal that is
    left, and weight at the start with the last flux. The answer is over all labelled arms with the arms' means removed, so that a
    difference between arms does not pass for a relation between animals; each arm is described beside it, and where only one has
    enough animals it is the answer itself. Pearson's r of logarithms; animals of which either value is a limit are left out and
    counted, since a limit is no value.

    Parameters
    ----------
    outcomes : sequence of AnimalOutcome
        All animals.
    groups : mapping of str to mapping
        Per arm key ``role``.
    weights : mapping of str to float, optional
        Weight of each animal in g.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of Relation
        Those of at least four animals; p of the answers adjusted over all answers by Holm's method, NaN of what is described.
    """
    arms = labelled_arms(groups)
    done = sorted((one for one in outcomes if one.status == "done" and one.group in arms), key=lambda one: one.animal)
    days, _ = endpoint_days(done, arms)
    if not days:
        return ()
    made = [one for question in _questions(done, days, weights or {}) for one in _answered(question, arms, level)]
    adjusted = holm([one.tests[0].p if is_answer(one) else math.nan for one in made])
    return tuple(replace(one, p_adjusted=float(p)) for one, p in zip(made, adjusted, strict=True))


def is_answer(relation: Relation, /) -> bool:
    """Whether it was tested; the others are described."""
    return relation.tests[0].role == "primary"


def _answered(question: _Question, arms: Sequence[str], level: float) -> list[Relation]:
    whole = _together(question, arms, level)
    own = [one for arm in arms if (one := _alone(question, arm, level)) is not None]
    if whole is None:
        return own
    return [whole, *(_described(one) for one in own)]


def _described(one: Relation) -> Relation:
    """A single arm beside the answer: r and its interval, and no p that would be read as one more test."""
    return replace(one, tests=tuple(replace(test, role="beside", p=math.nan) for test in one.tests))


def _questions(done: Sequence[AnimalOutcome], days: Sequence[float], weights: Mapping[str, float]) -> list[_Question]:
    first, last = days[0], days[-1]
    begun = {one.animal: flux_on(one, first) for one in done}
    ended = {one.animal: flux_on(one, last) for one in done}
    cells = {one.animal: burden_on(one, last) for one in done}
    left = {one.animal: persistence(one) for one in done}
    weight = {name: Reading(grams) for name, grams in weights.items() if math.isfinite(grams)}
    start = f"log10 total lesion flux on day {first:g}"
    asked: list[tuple[str, str, Mapping[str, Reading | None], Mapping[str, Reading | None]]] = [
        (start, f"log10 labelled cells outside the primary on day {last:g}", begun, cells),
        (start, "log10 share of the primary's first signal that is left", begun, left),
        ("weight (g)", f"log10 total lesion flux on day {last:g}", weight, ended),
    ]
    return [
        _Question(
            x,
            y,
            tuple(
                (one.animal, one.group, a, b)
                for one in done
                if (a := of_x.get(one.animal)) is not None and (b := of_y.get(one.animal)) is not None
            ),
            tuple(
                (one.animal, one.group) for one in done if of_x.get(one.animal) is None or of_y.get(one.animal) is None
            ),
        )
        for x, y, of_x, of_y in asked
    ]


def _measured(question: _Question, arms: Sequence[str]) -> list[tuple[str, str, float, float]]:
    return [
        (who, arm, a.value, b.value) for who, arm, a, b in question.pairs if arm in arms and not a.limit and not b.limit
    ]


def _limited(question: _Question, arms: Sequence[str]) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(who, arm, "a value is a detection limit")
        for who, arm, a, b in question.pairs
        if arm in arms and (a.limit or b.limit)
    )


def _without(question: _Question, arms: Sequence[str]) -> tuple[Exclusion, ...]:
    return tuple(Exclusion(who, arm, "a value is missing") for who, arm in question.without if arm in arms)


def _varies(values: Sequence[float]) -> bool:
    return max(values) - min(values) > 1e-12 * max(map(abs, values))


def _alone(question: _Question, arm: str, level: float) -> Relation | None:
    """In one arm."""
    rows = _measured(question, [arm])
    if len(rows) < LEAST_PAIRS:
        return None
    names, of, x, y = (tuple(column) for column in zip(*rows, strict=True))
    if not (_varies(x) and _varies(y)):
        return None
    from lampyris.statistics.relations.correlation import correlate

    found = correlate(x, y, subject=names, level=level)
    lost = _limited(question, [arm])
    design = Design(
        "animal",
        (arm,),
        (len(rows),),
        rows=len(rows),
        below_limit=(len(lost),),
        exclusions=(*lost, *_without(question, [arm])),
    )
    words = "" if found.influence is None else _influence_words(found.influence.unit, found.influence.r)
    notes = (*found.notes, *found.warnings)
    return Relation(question.x, question.y, arm, found.r, found.tests, math.nan, names, of, x, y, words, design, notes)


def _together(question: _Question, arms: Sequence[str], level: float) -> Relation | None:
    """Over all arms with several animals, the arms' means removed from both values."""
    rows = _measured(question, arms)
    known = [arm for arm in arms if sum(row[1] == arm for row in rows) > 1]
    rows = [row for row in rows if row[1] in known]
    if len(known) < 2 or len(rows) - (len(known) - 1) < LEAST_PAIRS:
        return None
    names, of, x, y = (tuple(column) for column in zip(*rows, strict=True))
    members = np.array([[float(arm == one) for one in known[1:]] for arm in of])
    from lampyris.statistics.relations.correlation import partial_correlation

    try:
        found = partial_correlation(x, y, members, level=level)
    except ValueError:
        # nothing is left where an arm's animals do not differ
        return None
    lost = _limited(question, known)
    design = Design(
        "animal",
        tuple(known),
        tuple(of.count(arm) for arm in known),
        rows=len(rows),
        covariates=("arm",),
        below_limit=tuple(sum(one.group == arm for one in lost) for arm in known),
        exclusions=(*lost, *_without(question, known)),
    )
    tests = tuple(replace(one, null="no linear relation within arms") for one in found.tests)
    notes = ("All arms together with the arms' means removed: a common slope within arms is assumed.",)
    words = _leave_one_out(names, of, x, y)
    return Relation(question.x, question.y, "", found.r, tests, math.nan, names, of, x, y, words, design, notes)


def within_arms(values: Sequence[float], groups: Sequence[str], /) -> tuple[float, ...]:
    """Values less the mean of their arm."""
    means = {arm: float(np.mean([v for v, g in zip(values, groups, strict=True) if g == arm])) for arm in set(groups)}
    return tuple(v - means[g] for v, g in zip(values, groups, strict=True))


def _leave_one_out(names: Sequence[str], of: Sequence[str], x: Sequence[float], y: Sequence[float]) -> str:
    """The animal whose leaving moves r most, and r without it."""
    whole = _r(x, y, of)
    rest = []
    for k in range(len(names)):
        kept = [i for i in range(len(names)) if i != k]
        r = _r([x[i] for i in kept], [y[i] for i in kept], [of[i] for i in kept])
        if math.isfinite(r):
            rest.append((abs(r - whole), names[k], r))
    if not rest:
        return ""
    _, name, r = max(rest, key=lambda one: (one[0], one[1]))
    return _influence_words(name, r)


def _r(x: Sequence[float], y: Sequence[float], of: Sequence[str]) -> float:
    u, v = (np.array(within_arms(column, of)) for column in (x, y))
    bottom = math.sqrt(float(u @ u) * float(v @ v))
    return float(u @ v) / bottom if bottom > 0 else math.nan


def _influence_words(name: str, r: float) -> str:
    return f"r = {r:.2f} without {name}, whose leaving moves it most".replace("r = -", "r = −")
