"""Mixed models: simulated nulls with regions inside animals and with days, and independent programs on random tables.

Every animal is drawn; no group differs. What a test that counts rows as replicates does to the same tables stands beside.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from accuracy.figures import Figure, figure
from lampyris.statistics.intervals import wilson_interval
from lampyris.statistics.mixed.compare import nested_model
from lampyris.statistics.mixed.model import MixedModel
from lampyris.statistics.mixed.over_time import time_model
from lampyris.statistics.mixed.results import PLAIN
from lampyris.statistics.mixed.rows import checked_rows

TABLE = "mixed"
SETS, QUICK_SETS = 5000, 400
ORACLE_SETS, QUICK_ORACLE_SETS = 500, 40
LOW, HIGH = 0.04, 0.06
COVERED = (0.93, 0.97)


@dataclass(frozen=True, slots=True)
class Columns:
    """A virtual table without any effect of the group."""

    values: np.ndarray
    groups: tuple[str, ...]
    subjects: tuple[str, ...]
    days: np.ndarray | None = None
    regions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Null:
    """What came of one table: p of the answer and of the groups alone, by the model and with rows as replicates."""

    p: float
    group_p: float
    naive_p: float
    covered: bool
    singular: bool
    converged: bool


def nested_columns(rng: np.random.Generator, /, *, sizes: tuple[int, ...], spreads: tuple[float, ...]) -> Columns:
    """Two to five regions in each animal; animals of each group spread in their own way."""
    values: list[float] = []
    groups: list[str] = []
    subjects: list[str] = []
    for place, (size, spread) in enumerate(zip(sizes, spreads, strict=True)):
        for animal in range(size):
            regions = int(rng.integers(2, 6))
            values += list(spread * rng.standard_normal() + rng.standard_normal(regions))
            groups += [f"arm {place}"] * regions
            subjects += [f"{place}-{animal}"] * regions
    return Columns(np.array(values), tuple(groups), tuple(subjects))


def day_columns(rng: np.random.Generator, /, *, regions: int = 1, missing: float = 0.1) -> Columns:
    """Two arms of six animals on five days, each animal with a course of its own; days are missing here and there."""
    rows = []
    for arm in range(2):
        for animal in range(6):
            level, slope = rng.standard_normal(), 0.08 * rng.standard_normal()
            own = 0.5 * rng.standard_normal(regions)
            for day in (0.0, 3.0, 7.0, 14.0, 21.0):
                session = 0.3 * rng.standard_normal() if regions > 1 else 0.0
                if rng.random() < missing:
                    continue
                for region in range(regions):
                    value = level + slope * day + own[region] + session + region + 0.5 * rng.standard_normal()
                    rows.append((value, f"arm {arm}", f"{arm}-{animal}", day, f"organ {region}"))
    values, groups, subjects, days, organs = zip(*rows, strict=True)
    return Columns(np.array(values), groups, subjects, np.array(days), organs if regions > 1 else None)


ARMS: dict[str, Callable[[np.random.Generator], Columns]] = {
    "regions, 6 and 6": lambda rng: nested_columns(rng, sizes=(6, 6), spreads=(1.0, 1.0)),
    "regions, 4 of wide and 8 of narrow spread": lambda rng: nested_columns(rng, sizes=(4, 8), spreads=(2.0, 1.0)),
    "regions, three arms of 6, one wide": lambda rng: nested_columns(rng, sizes=(6, 6, 6), spreads=(1.0, 1.0, 2.0)),
    "days, 6 and 6": day_columns,
    "days and organs, 6 and 6": lambda rng: day_columns(rng, regions=3),
    "regions, 6 and 6, animals hardly differ": lambda rng: nested_columns(rng, sizes=(6, 6), spreads=(0.3, 0.3)),
}


def null_of(columns: Columns, /, *, time: str = "auto") -> Null:
    """Test of a table in which nothing differs: of the groups, or with days of group x day."""
    rows = checked_rows(columns.values, columns.groups, columns.subjects, columns.days, columns.regions, PLAIN)
    if columns.days is None:
        model, _ = nested_model(rows)
        p = model.term_test(("group",)).p
    else:
        model, _ = time_model(rows, time=time)
        p = model.term_test(("group", "day")).p
    return Null(p, model.term_test(("group",)).p, _naive_p(model), _covered(model), model.singular, model.converged)


def _covered(model: MixedModel) -> bool:
    """Whether the interval of the first two groups' difference holds 0."""
    fixed = model.fixed
    groups = fixed.variables[0]
    first, second = groups.levels[:2]  # type: ignore[union-attr]
    found = model.contrast("", fixed.row({"group": first}) - fixed.row({"group": second})).estimate
    return bool(found.low <= 0.0 <= found.high)


def _naive_p(model: MixedModel) -> float:
    """The test of the groups by least squares on rows, as if each were an animal."""
    matrix = model.fixed.matrix[:, list(model.fixed.kept)]
    y = model.fitted + model.residuals
    beta, *_ = np.linalg.lstsq(matrix, y, rcond=None)
    n, p = matrix.shape
    variance = float(((y - matrix @ beta) ** 2).sum()) / (n - p)
    able = model.fixed.estimable_part(model.fixed.term_rows(("group",)))[:, list(model.fixed.kept)]
    distance = able @ beta
    covariance = variance * able @ np.linalg.inv(matrix.T @ matrix) @ able.T
    f = float(distance @ np.linalg.solve(covariance, distance)) / len(able)
    return float(special.fdtrc(len(able), n - p, f))


def nulls(arm: str, count: int, /, *, seed: int = 41) -> list[Null]:
    """So many tables of an arm."""
    rng = np.random.default_rng([seed, list(ARMS).index(arm)])
    return [null_of(ARMS[arm](rng)) for _ in range(count)]


def figures_of(arm: str, found: list[Null], /) -> list[Figure]:
    """Lines of an arm, judged; with few tables by what chance leaves of the goal."""
    n = len(found)
    slack = 0.0 if n >= SETS else 3 * math.sqrt(0.05 * 0.95 / n)
    rate = {"at_least": LOW - slack, "at_most": HIGH + slack}
    covered = {"at_least": COVERED[0] - slack, "at_most": COVERED[1] + slack}

    def share(measure: str, count: int, **goal: float) -> Figure:
        interval = wilson_interval(count, n)
        return figure(TABLE, arm, measure, count / n, (interval.low, interval.high), n, **goal)

    return [
        share("false_positive_rate", sum(one.p < 0.05 for one in found), **rate),
        share("group_false_positive_rate", sum(one.group_p < 0.05 for one in found), **rate),
        share("interval_coverage", sum(one.covered for one in found), **covered),
        share("group_false_positive_rate_of_rows_as_replicates", sum(one.naive_p < 0.05 for one in found)),
        share("singular_share", sum(one.singular for one in found)),
        share("not_converged_share", sum(not one.converged for one in found), at_most=0.0),
    ]


def tables(*, quick: bool) -> list[Figure]:
    """All arms, then the independent programs."""
    found = []
    for arm in ARMS:
        found += figures_of(arm, nulls(arm, QUICK_SETS if quick else SETS))
    return found + oracle_figures(QUICK_ORACLE_SETS if quick else ORACLE_SETS)


def oracle_figures(count: int, /) -> list[Figure]:
    """Agreement with statsmodels' MixedLM where that converges; nothing where it is not installed."""
    try:
        import statsmodels  # noqa: F401
    except ImportError:
        return [figure(TABLE, "statsmodels", "agreement_share", None, None, 0, at_least=1.0)]
    from accuracy.statistics.mixed_oracle import Agreement, compared_with_statsmodels

    rng = np.random.default_rng(43)
    found: list[Agreement] = [compared_with_statsmodels(rng) for _ in range(count)]
    made = [one for one in found if one.converged]
    agree = sum(one.agrees for one in made)
    ends = wilson_interval(agree, len(made))
    worse = max((one.likelihood_lost for one in found if math.isfinite(one.likelihood_lost)), default=0.0)
    return [
        figure(
            TABLE, "statsmodels", "agreement_share", agree / len(made), (ends.low, ends.high), len(made), at_least=1.0
        ),
        figure(TABLE, "statsmodels", "peer_converged_share", len(made) / count, None, count),
        figure(TABLE, "statsmodels", "largest_likelihood_lost", worse, None, count, at_most=1e-6),
    ]
