"""False-positive rates where nothing differs, and coverage of intervals where something does, over simulated data sets.

What the package does stands beside what it refuses or advises against: regions counted as replicates, and classic tests under
unequal spread and numbers. All of it is synthetic: normal values by known means and spreads.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from accuracy.figures import Figure, figure
from lampyris.core.estimate import Estimate
from lampyris.statistics import groups as ours
from lampyris.statistics.groups.equal import anova_f, error_variance
from lampyris.statistics.groups.simultaneous import many_to_one_sf, studentised_range_sf
from lampyris.statistics.groups.unequal import welch_f
from lampyris.statistics.intervals import clopper_pearson_interval

TABLE = "nulls"
SETS = 20_000
QUICK_SETS = 5_000
SEED = 20_260_512
LEVEL = 0.95
ALPHA = 1 - LEVEL
REGIONS = 5
# continuous statistics keep their level within these; discrete ones and simultaneous ones under estimated spread may lie below
EXACT = {"at_least": 0.04, "at_most": 0.06}
BELOW = {"at_most": 0.06}
COVERS = {"at_least": 0.93, "at_most": 0.97}
# the probability of superiority takes few values: what an interval can cover is not every number. Where all of one group exceed
# all of the other more often than an end may miss, that end misses never or too often, and no interval covers what is asked
COVERS_DISCRETE = {"at_least": 0.93}
MAY_MISS = 0.5 * ALPHA
# units and spreads of two groups, where the number of units is too small for a smooth distribution
FEW = (((5, 5), (1.0, 1.0)), ((5, 5), (3.0, 1.0)), ((4, 6), (3.0, 1.0)), ((6, 4), (3.0, 1.0)), ((3, 3), (1.0, 1.0)))
SUPERIORITIES = (0.5, 0.8, 0.95)
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class World:
    """Groups without any difference of means.

    Parameters
    ----------
    arm : str
        Stable name.
    ns : tuple of int
        Units per group.
    sds : tuple of float
        Standard deviation per group.
    """

    arm: str
    ns: tuple[int, ...]
    sds: tuple[float, ...]


EQUAL = World("equal spread and n", (6, 6, 6), (1.0, 1.0, 1.0))
# the smallest group spreads most: the classic test finds what is not there
UNEQUAL = World("unequal spread and n", (6, 9, 14), (3.0, 1.5, 1.0))
# means 3 apart are a probability of 0.814
SUPERIORITY = World("7 and 12 units, spread 3 and 1.5", (7, 12), (3.0, 1.5))
UNEQUAL_SUPERIORITIES = (0.5, 0.7, 0.814, 0.95)
NESTED = World("regions nested in animals", (6, 6, 6), (1.0, 1.0, 1.0))


def tables(*, quick: bool) -> list[Figure]:
    """Every world; ``--quick`` draws a quarter of the sets."""
    count = QUICK_SETS if quick else SETS
    return [*rates(EQUAL, count), *rates(UNEQUAL, count), *nested_rates(count), *coverage(count)]


def rates(world: World, count: int, /) -> list[Figure]:
    """False-positive rates of tests over all groups, and of any pair (familywise)."""
    samples = draws(world, count)
    m, s, n = _summaries(samples, world)
    t, df, load = _welch_pairs(m, s, n, [(a, 0) for a in range(1, len(world.ns))])
    classic_t, classic_df, classic_load = _classic_pairs(m, s, n, [(a, 0) for a in range(1, len(world.ns))])
    every = list(combinations(range(len(world.ns)), 2))
    equal = len(set(world.sds)) == 1
    goal = EXACT if equal else None
    lines = [
        ("welch", _p_f(*welch_f(m, s, n)) < ALPHA, EXACT),
        ("classic_anova", _p_f(*anova_f(m, s, n)) < ALPHA, goal),
        ("kruskal_wallis", kruskal_rejections(samples), BELOW if equal else None),
        ("games_howell_any_pair", _any_range(*_welch_pairs(m, s, n, every)[:2], len(world.ns)), BELOW),
        ("tukey_kramer_any_pair", _any_range(*_classic_pairs(m, s, n, every)[:2], len(world.ns)), goal),
        ("dunnett_unequal_any_pair", _any_against(t, df, load), BELOW),
        ("dunnett_any_pair", _any_against(classic_t, classic_df, classic_load), goal),
    ]
    return [_rate(world.arm, f"{name}_false_positives", found, bounds) for name, found, bounds in lines]


def nested_rates(count: int, /) -> list[Figure]:
    """Regions of animals with an intraclass correlation of one half: means per animal, and regions as if they were animals."""
    rng = np.random.default_rng(SEED + 1)
    k, n = len(NESTED.ns), NESTED.ns[0]
    animals = rng.normal(size=(count, k, n, 1))
    regions = animals + rng.normal(size=(count, k, n, REGIONS))
    of_animals = regions.mean(axis=-1)
    as_animals = regions.reshape(count, k, n * REGIONS)
    lines = []
    for name, values, bounds in (("animal_means", of_animals, EXACT), ("regions_as_replicates", as_animals, None)):
        ns = np.full((count, k), float(values.shape[-1]))
        f = welch_f(values.mean(axis=-1), values.std(axis=-1, ddof=1), ns)
        lines.append(_rate(NESTED.arm, f"{name}_false_positives", _p_f(*f) < ALPHA, bounds))
    return lines


def coverage(count: int, /) -> list[Figure]:
    """Share of intervals that hold the true value, of two groups that differ."""
    rng = np.random.default_rng(SEED + 2)
    # scalar functions: a tenth of the sets tells as much as is asked
    few = max(count // 4, 2_000)
    unequal = (rng.normal(12.0, 3.0, (few, 7)), rng.normal(9.0, 1.5, (few, 12)))
    equal = (rng.normal(0.8, 1.0, (few, 8)), rng.normal(0.0, 1.0, (few, 12)))
    logs = tuple(np.exp(x / 10) for x in unequal)
    both = rng.normal(0, 1, (few, 9, 1)) + np.array([0.7, 0.0]) + rng.normal(0, 0.6, (few, 9, 2))
    three = rng.normal(np.array([0.0, 0.5, 1.0])[:, None], 1.0, (few, 3, 9))
    noncentrality = 9 * 0.5
    lines: list[tuple[str, Callable[..., Estimate], tuple[Floats, ...], float]] = [
        ("mean_difference_unequal_spread", ours.mean_difference, unequal, 3.0),
        ("mean_ratio_unequal_spread", ours.mean_ratio, unequal, 12.0 / 9.0),
        ("geometric_mean_ratio_unequal_spread", ours.geometric_mean_ratio, logs, math.exp(0.3)),
        ("superiority_equal_spread", ours.superiority, equal, float(special.ndtr(0.8 / math.sqrt(2)))),
        ("hedges_g_equal_spread", ours.hedges_g, equal, 0.8),
        ("paired_difference", lambda a, b: ours.paired_t(a, b).difference, (both[..., 0], both[..., 1]), 0.7),
        (
            "omega_squared_equal_spread",
            lambda a, b, c: ours.one_way_anova([a, b, c]).effect_size,
            (three[:, 0], three[:, 1], three[:, 2]),
            noncentrality / (noncentrality + 27),
        ),
    ]
    found = []
    for name, function, samples, truth in lines:
        intervals = [function(*own) for own in zip(*samples, strict=True)]
        held = np.array([one.low <= truth <= one.high for one in intervals])
        found.append(_rate("two groups that differ", f"{name}_coverage", held, COVERS))
    return [*found, *_superiority(few), *few_units(count // 4 if count >= SETS else count // 20)]


def _superiority(count: int) -> list[Figure]:
    """Coverage of the probability of superiority, and how often its estimate is 1, the last value that it can take."""
    rng = np.random.default_rng(SEED + 4)
    found = []
    for truth in UNEQUAL_SUPERIORITIES:
        held, apart = _superiorities(rng, SUPERIORITY.ns, SUPERIORITY.sds, truth, count)
        share = _rate(SUPERIORITY.arm, f"superiority_of_{truth:g}_estimated_1_share", apart, None)
        discrete = share.low is not None and share.low > MAY_MISS
        goal = COVERS_DISCRETE if discrete else COVERS
        found += [_rate(SUPERIORITY.arm, f"superiority_of_{truth:g}_coverage", held, goal), share]
    return found


def _superiorities(
    rng: np.random.Generator, ns: tuple[int, ...], sds: tuple[float, ...], truth: float, count: int
) -> tuple[Bools, Bools]:
    """Whether intervals hold the probability, and whether the groups do not overlap; dims (set,)."""
    shift = float(special.ndtri(truth)) * math.hypot(*sds)
    first, second = rng.normal(shift, sds[0], (count, ns[0])), rng.normal(0.0, sds[1], (count, ns[1]))
    intervals = [ours.superiority(a, b) for a, b in zip(first, second, strict=True)]
    held = np.array([one.low <= truth <= one.high for one in intervals])
    return held, np.array([one.value == 1 for one in intervals])


def few_units(count: int, /) -> list[Figure]:
    """Coverage of the probability of superiority with three to six units per group."""
    rng = np.random.default_rng(SEED + 3)
    slack = 0.0 if count >= QUICK_SETS else 3 * math.sqrt(0.05 * 0.95 / count)
    goal = {name: bound - slack for name, bound in COVERS_DISCRETE.items()}
    found = []
    for ns, sds in FEW:
        arm = f"{ns[0]} and {ns[1]} units, spread {sds[0]:g} and {sds[1]:g}"
        # of so few splits the level of the permutation test is a multiple of one in so many
        found.append(figure(TABLE, arm, "splits_of_the_permutation_test", math.comb(sum(ns), ns[0]), None, 1))
        for truth in SUPERIORITIES:
            held, _ = _superiorities(rng, ns, sds, truth, count)
            found.append(_rate(arm, f"superiority_of_{truth:g}_coverage", held, goal))
    return found


def draws(world: World, count: int, /) -> tuple[Floats, ...]:
    """Values per group, dims (set, unit)."""
    rng = np.random.default_rng(SEED)
    return tuple(rng.normal(0.0, sd, (count, n)) for n, sd in zip(world.ns, world.sds, strict=True))


def kruskal_rejections(samples: tuple[Floats, ...], /) -> Bools:
    """Kruskal-Wallis over all sets; values do not tie."""
    pooled = np.concatenate(samples, axis=1)
    ranks = np.argsort(np.argsort(pooled, axis=1), axis=1) + 1.0
    total = pooled.shape[1]
    ends = np.cumsum([own.shape[1] for own in samples])[:-1]
    between = sum(own.shape[1] * (own.mean(axis=1) - 0.5 * (total + 1)) ** 2 for own in np.split(ranks, ends, axis=1))
    h = 12 * np.asarray(between) / (total * (total + 1))
    return np.asarray(special.chdtrc(len(samples) - 1, h) < ALPHA)


def _summaries(samples: tuple[Floats, ...], world: World) -> tuple[Floats, Floats, Floats]:
    count = samples[0].shape[0]
    return (
        np.stack([own.mean(axis=1) for own in samples], axis=1),
        np.stack([own.std(axis=1, ddof=1) for own in samples], axis=1),
        np.tile(np.array(world.ns, dtype=np.float64), (count, 1)),
    )


def _welch_pairs(m: Floats, s: Floats, n: Floats, pairs: list[tuple[int, int]]) -> tuple[Floats, Floats, Floats]:
    """Absolute t, degrees of freedom and loading on the second group, dims (set, pair)."""
    v = s * s / n
    a, b = (list(side) for side in zip(*pairs, strict=True))
    error = v[:, a] + v[:, b]
    df = error**2 / (v[:, a] ** 2 / (n[:, a] - 1) + v[:, b] ** 2 / (n[:, b] - 1))
    return np.abs(m[:, a] - m[:, b]) / np.sqrt(error), df, np.sqrt(v[:, b] / error)


def _classic_pairs(m: Floats, s: Floats, n: Floats, pairs: list[tuple[int, int]]) -> tuple[Floats, Floats, Floats]:
    v = error_variance(s, n)[:, None] / n
    a, b = (list(side) for side in zip(*pairs, strict=True))
    error = v[:, a] + v[:, b]
    df = np.broadcast_to((n.sum(axis=1) - n.shape[1])[:, None], error.shape)
    return np.abs(m[:, a] - m[:, b]) / np.sqrt(error), df, np.sqrt(v[:, b] / error)


def _any_range(t: Floats, df: Floats, groups: int) -> Bools:
    """Whether any pair is found by the studentised range.

    Its p lies between that of Student's t and as many times it as there are pairs: only in between it must be computed.
    """
    alone = 2 * special.stdtr(df, -t)
    found = alone * t.shape[1] < ALPHA
    open_ = (alone < ALPHA) & ~found
    found[open_] = studentised_range_sf(math.sqrt(2) * t[open_], groups, df[open_]) < ALPHA
    return np.asarray(found.any(axis=1))


def _any_against(t: Floats, df: Floats, load: Floats) -> Bools:
    """Whether any group is found to differ from the control by the many-to-one t, bounded as above."""
    alone = 2 * special.stdtr(df, -t)
    found = alone * t.shape[1] < ALPHA
    for k, pair in zip(*np.nonzero((alone < ALPHA) & ~found), strict=True):
        if not found[k].any():
            found[k, pair] = float(many_to_one_sf(t[k, pair], load[k], df[k, pair])) < ALPHA
    return np.asarray(found.any(axis=1))


def _p_f(f: Floats, df1: float, df2: Floats) -> Floats:
    return np.asarray(special.fdtrc(df1, df2, f))


def _rate(arm: str, measure: str, found: Bools, bounds: dict[str, float] | None) -> Figure:
    interval = clopper_pearson_interval(int(found.sum()), found.size)
    return figure(TABLE, arm, measure, float(found.mean()), (interval.low, interval.high), found.size, **(bounds or {}))
