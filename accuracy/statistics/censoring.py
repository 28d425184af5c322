"""Values below a detection limit: how often intervals cover and tests err, and what putting a number in their place does.

Synthetic numbers, not animals: ``normal`` values as the likelihood assumes, ``skewed`` ones as it does not.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.statistics.censored import censored_summary, compare_censored
from lampyris.statistics.groups import welch_anova
from lampyris.statistics.intervals import wilson_interval

TABLE = "censoring"
DRAWS, QUICK_DRAWS = 5000, 200
# animals per group, and the share of them below the limit in the long run
N, BELOW = 8, 0.35
COVERED = {"at_least": 0.93, "at_most": 0.985}
# a limit hides part of the information: the test may find less than it could, never more
FALSE_POSITIVES = {"at_most": 0.06}
# of groups with one mean and these spreads
SIZES, SPREADS = (12, 18), (1.0, 3.0)
# groups as small as a study's arms, the one that spreads more being the larger and the smaller
SMALL = ((5, 6), (6, 5))
# values above the limit below which a group shows little
LITTLE = 3

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def _normal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return rng.normal(3.0, 1.0, n)


def _skewed(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    # mean 3, standard deviation 1, skewness 1
    return 3.0 + (rng.gamma(4.0, 1.0, n) - 4.0) / 2.0


def tables(*, quick: bool) -> list[Figure]:
    """Both arms, then false positives of larger and of small groups."""
    draws = QUICK_DRAWS if quick else DRAWS
    return [
        *arm("normal", _normal, draws, COVERED),
        *arm("skewed", _skewed, draws, {}),
        *false_positives(draws),
        *small_groups(draws),
    ]


def arm(name: str, draw: Draw, draws: int, goal: dict[str, float], /) -> list[Figure]:
    """Coverage of mean and standard deviation, and the bias of the mean beside what substitution gives."""
    rng = np.random.default_rng(20)
    limit = float(np.quantile(draw(rng, 200_000), BELOW))
    mean_held, sd_held, made = 0, 0, 0
    means: dict[str, list[float]] = {key: [] for key in ("likelihood", "zero", "half_limit", "limit")}
    for _ in range(draws):
        x = draw(rng, N)
        below = x < limit
        found = censored_summary(np.where(below, limit, x), below)
        for key, put in (("zero", 0.0), ("half_limit", 0.5 * limit), ("limit", limit)):
            means[key].append(float(np.where(below, put, x).mean()))
        if np.isfinite(found.mean.value):
            made += 1
            means["likelihood"].append(found.mean.value)
            mean_held += found.mean.low <= 3.0 <= found.mean.high
            sd_held += found.sd.low <= 1.0 <= found.sd.high
    lines = [_share(name, "mean_coverage", mean_held, made, goal), _share(name, "sd_coverage", sd_held, made, goal)]
    for key, values in means.items():
        off = np.array(values) - 3.0
        half = 1.96 * float(off.std()) / len(values) ** 0.5
        middle = float(off.mean())
        lines.append(figure(TABLE, name, f"bias_of_mean_{key}", middle, (middle - half, middle + half), len(values)))
    return lines


def false_positives(draws: int, /) -> list[Figure]:
    """Share of null data sets called different: spreads 1 and 3, limit below half of the values; naive tests beside."""
    rng = np.random.default_rng(21)
    limit = 2.5
    called = dict.fromkeys(("likelihood", "naive_limit", "naive_zero"), 0)
    made = 0
    for _ in range(draws):
        a, b = (rng.normal(3.0, spread, n) for n, spread in zip(SIZES, SPREADS, strict=True))
        marks = {"a": a < limit, "b": b < limit}
        values = {"a": np.where(marks["a"], limit, a), "b": np.where(marks["b"], limit, b)}
        (test, *_) = compare_censored(values, marks).tests
        if test.symbol != "F":
            continue
        made += 1
        called["likelihood"] += test.p < 0.05
        called["naive_limit"] += welch_anova(list(values.values())).p < 0.05
        called["naive_zero"] += welch_anova([np.where(marks[key], 0.0, values[key]) for key in values]).p < 0.05
    goals = {"likelihood": FALSE_POSITIVES}
    return [
        _share("unequal spread", f"false_positives_{key}", count, made, goals.get(key, {}))
        for key, count in called.items()
    ]


def small_groups(draws: int, /) -> list[Figure]:
    """Share of null sets of five and six values called different by the answer: of all, and of those in which a group shows little.

    Ranks of the same sets stand beside: a group shows little by lying low.
    """
    limit, lines = 2.5, []
    for place, sizes in enumerate(SMALL):
        rng = np.random.default_rng(22 + place)
        called = dict.fromkeys(("answer", "answer_where_little_is_seen", "ranks_where_little_is_seen"), 0)
        little = 0
        for _ in range(draws):
            a, b = (rng.normal(3.0, spread, n) for n, spread in zip(sizes, SPREADS, strict=True))
            marks = {"a": a < limit, "b": b < limit}
            values = {"a": np.where(marks["a"], limit, a), "b": np.where(marks["b"], limit, b)}
            tests = compare_censored(values, marks).tests
            found = bool(tests) and tests[0].p < 0.05
            called["answer"] += found
            if min(n - int(marks[key].sum()) for key, n in zip("ab", sizes, strict=True)) < LITTLE:
                little += 1
                called["answer_where_little_is_seen"] += found
                called["ranks_where_little_is_seen"] += any(one.p < 0.05 for one in tests if "exact" in one.name)
        arm_name = f"{sizes[0]} and {sizes[1]}, unequal spread"
        lines += [
            _share(
                arm_name,
                f"false_positives_{name}",
                count,
                draws if name == "answer" else max(little, 1),
                FALSE_POSITIVES if name.startswith("answer") else {},
            )
            for name, count in called.items()
        ]
    return lines


def _share(arm_name: str, measure: str, hits: int, n: int, goal: dict[str, float]) -> Figure:
    found = wilson_interval(int(hits), n)
    return figure(TABLE, arm_name, measure, found.value, (found.low, found.high), n, **goal)
