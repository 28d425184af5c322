"""Relations: how often intervals hold what was drawn, and how often tests err, by drawing pairs of columns many times.

The arm ``matched`` draws what a method assumes. ``mismatched`` shows beside it what it does not assume: rows of one animal taken for
animals, skewed values, another ratio of errors. All of it is synthetic.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from accuracy.figures import Figure, figure
from lampyris.core.estimate import Estimate
from lampyris.core.seeds import seed_sequence
from lampyris.statistics.intervals import wilson_interval
from lampyris.statistics.relations.bland_altman import bland_altman
from lampyris.statistics.relations.calls import clustered_share, sensitivity_specificity
from lampyris.statistics.relations.concordance import concordance, intraclass
from lampyris.statistics.relations.correlation import kendall, pearson, spearman
from lampyris.statistics.relations.equivalence import (
    equivalence_paired,
    equivalence_welch,
    noninferiority_welch,
)
from lampyris.statistics.relations.kappa import cohen_kappa
from lampyris.statistics.relations.regression import deming_line, passing_bablok_line, york_relation
from lampyris.statistics.relations.repeated import repeated_correlation
from lampyris.statistics.relations.roc import roc

TABLE = "relations"
SETS, QUICK_SETS = 5000, 500
COVERAGE = {"at_least": 0.93, "at_most": 0.97}
RHO = 0.6
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One measure: what a single drawing says, whether the truth was held or the test erred.

    Parameters
    ----------
    arm, measure : str
        As of `Figure`.
    draw : callable
        From a generator to yes or no.
    goal : dict
        Of the share of yes.
    """

    arm: str
    measure: str
    draw: Callable[[np.random.Generator], bool]
    goal: dict[str, float]


def tables(*, quick: bool) -> list[Figure]:
    """Every measure of both arms."""
    return [scored(trial, QUICK_SETS if quick else SETS) for trial in trials()]


def scored(trial: Trial, sets: int, /) -> Figure:
    """A trial drawn many times; its goal is widened by what chance allows of so few drawings."""
    print(f"{TABLE}: {trial.arm} {trial.measure}", file=sys.stderr, flush=True)
    rng = np.random.default_rng(seed_sequence("accuracy", TABLE, trial.arm, trial.measure))
    count = sum(bool(trial.draw(rng)) for _ in range(sets))
    e = wilson_interval(count, sets)
    room = 0.0 if sets >= SETS else 2.6 * math.sqrt(0.05 * 0.95 / sets)
    goal = {key: round(value + (room if key == "at_most" else -room), 3) for key, value in trial.goal.items()}
    return figure(TABLE, trial.arm, trial.measure, e.value, (e.low, e.high), sets, **goal)


def trials() -> Iterator[Trial]:
    """Every measure."""
    yield from _correlations()
    yield from _agreements()
    yield from _curves()
    yield from _lines()
    yield from _equivalences()


def _holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def _normal_pair(rng: np.random.Generator, n: int, rho: float = RHO) -> tuple[Floats, Floats]:
    x = rng.normal(size=n)
    return x, rho * x + math.sqrt(1 - rho**2) * rng.normal(size=n)


def _repeats(rng: np.random.Generator, rho: float, subjects: int = 8) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Animals at levels of their own that differ more than their days do, some seen less often than others."""
    subject = np.repeat(np.arange(subjects), rng.integers(2, 7, subjects))
    u, v = _normal_pair(rng, subject.size, rho)
    level_x, level_y = _normal_pair(rng, subjects, 0.0)
    return 3 * level_x[subject] + u, 3 * level_y[subject] + v, subject


def _correlations() -> Iterator[Trial]:
    for n in (6, 12, 30):
        yield Trial(
            "matched",
            f"pearson_coverage_n{n}",
            lambda rng, n=n: _holds(pearson(*_normal_pair(rng, n)).r, RHO),
            COVERAGE,
        )
    rank, tau = 6 / math.pi * math.asin(RHO / 2), 2 / math.pi * math.asin(RHO)
    yield Trial(
        "matched", "spearman_coverage_n20", lambda rng: _holds(spearman(*_normal_pair(rng, 20)).r, rank), COVERAGE
    )
    yield Trial("matched", "kendall_coverage_n20", lambda rng: _holds(kendall(*_normal_pair(rng, 20)).r, tau), COVERAGE)
    yield Trial(
        "matched", "repeated_coverage", lambda rng: _holds(repeated_correlation(*_repeats(rng, RHO)).r, RHO), COVERAGE
    )
    error = {"at_least": 0.04, "at_most": 0.06}
    yield Trial(
        "matched", "repeated_false_positive_rate", lambda rng: repeated_correlation(*_repeats(rng, 0.0)).p < 0.05, error
    )
    # rows of one animal counted as animals
    yield Trial(
        "mismatched", "pooled_rows_false_positive_rate", lambda rng: pearson(*_repeats(rng, 0.0)[:2]).p < 0.05, {}
    )
    yield Trial("mismatched", "pearson_coverage_n12_lognormal", _lognormal, {})


def _lognormal(rng: np.random.Generator) -> bool:
    s = 0.8
    x, y = (np.exp(s * column) for column in _normal_pair(rng, 12))
    truth = math.expm1(RHO * s * s) / math.expm1(s * s)
    return _holds(pearson(x, y).r, truth)


def _agreements() -> Iterator[Trial]:
    z = float(special.ndtri(0.975))

    def limits(rng: np.random.Generator, subjects: int, repeats: int, between: float, naive: bool = False) -> bool:
        count = rng.integers(1, 2 * repeats, subjects) if repeats > 1 else np.ones(subjects, int)
        subject = np.repeat(np.arange(subjects), count)
        d = 0.5 + between * rng.normal(size=subjects)[subject] + rng.normal(size=subject.size)
        found = bland_altman(d, np.zeros(d.size), subject=None if naive else subject)
        return _holds(found.upper, 0.5 + z * math.hypot(between, 1.0))

    for n in (5, 12, 40):
        yield Trial("matched", f"limit_coverage_n{n}", lambda rng, n=n: limits(rng, n, 1, 0.0), COVERAGE)
    for n in (8, 20):
        yield Trial("matched", f"limit_coverage_repeats_n{n}", lambda rng, n=n: limits(rng, n, 4, 1.0), COVERAGE)
    yield Trial(
        "mismatched", "limit_coverage_repeats_counted_as_units", lambda rng: limits(rng, 8, 4, 1.0, naive=True), {}
    )

    def lin(rng: np.random.Generator, n: int) -> bool:
        truth = 2 * rng.normal(size=n)
        found = concordance(truth + rng.normal(size=n), truth + 0.5 + rng.normal(size=n))
        return _holds(found.ccc, 8 / (10 + 0.25))

    for n in (15, 40):
        yield Trial("matched", f"concordance_coverage_n{n}", lambda rng, n=n: lin(rng, n), COVERAGE)

    def icc(rng: np.random.Generator) -> bool:
        table = rng.normal(size=(15, 1)) + 0.3 * rng.normal(size=4) + 0.6 * rng.normal(size=(15, 4))
        return _holds(intraclass(table).forms["ICC(2,1)"], 1 / (1 + 0.09 + 0.36))

    yield Trial("matched", "icc_2_1_coverage", icc, COVERAGE)

    def kappa(rng: np.random.Generator) -> bool:
        truth = rng.integers(0, 3, 60)
        a, b = (np.where(rng.random(60) < 0.8, truth, rng.integers(0, 3, 60)) for _ in range(2))
        # both right, or alike by chance: agreement 0.64 + 0.36 / 3
        return _holds(cohen_kappa(a, b).kappa, 0.64)

    yield Trial("matched", "kappa_coverage_n60", kappa, COVERAGE)


def _alike(rng: np.random.Generator, animals: int, organs: int, share: float) -> Floats:
    return (
        math.sqrt(share) * rng.normal(size=(animals, 1)) + math.sqrt(1 - share) * rng.normal(size=(animals, organs))
    ).ravel()


def _curves() -> Iterator[Trial]:
    area = float(special.ndtr(1.2 / math.sqrt(2)))

    def auc(rng: np.random.Generator, animals: int, organs: int, naive: bool = False) -> bool:
        cluster = np.repeat(np.arange(animals), organs)
        truth = rng.random(cluster.size) < 0.4
        if truth.all() or not truth.any():
            return True
        score = _alike(rng, animals, organs, 0.4) + 1.2 * truth
        return _holds(roc(score, truth, cluster=None if naive or organs == 1 else cluster).auc, area)

    for animals in (30, 80):
        yield Trial("matched", f"auc_coverage_n{animals}", lambda rng, n=animals: auc(rng, n, 1), COVERAGE)
    for animals in (12, 30):
        yield Trial(
            "matched", f"auc_coverage_{animals}_animals_6_organs", lambda rng, n=animals: auc(rng, n, 6), COVERAGE
        )
    # whole animals are sick or well, so their organs share both truth and score: counted as independent, they mislead most
    yield Trial(
        "matched", "auc_coverage_truth_of_animals", lambda rng: _whole_animals(rng, area, naive=False), COVERAGE
    )
    yield Trial(
        "mismatched", "auc_coverage_organs_counted_as_units", lambda rng: _whole_animals(rng, area, naive=True), {}
    )

    def share(rng: np.random.Generator, animals: int, naive: bool = False) -> bool:
        hit = _alike(rng, animals, 6, 0.4) < special.ndtri(0.85)
        found = (
            wilson_interval(int(hit.sum()), hit.size)
            if naive
            else clustered_share(hit, np.repeat(np.arange(animals), 6))
        )
        return _holds(found, 0.85)

    for animals in (12, 30):
        yield Trial(
            "matched", f"clustered_share_coverage_{animals}_animals", lambda rng, n=animals: share(rng, n), COVERAGE
        )
    yield Trial("mismatched", "share_coverage_organs_counted_as_units", lambda rng: share(rng, 30, naive=True), {})

    def ratio(rng: np.random.Generator) -> bool:
        truth = np.arange(70) < 30
        found = sensitivity_specificity(rng.random(70) < np.where(truth, 0.8, 0.15), truth)
        return _holds(found.likelihood_positive, 0.8 / 0.15)

    yield Trial("matched", "likelihood_ratio_coverage", ratio, COVERAGE)


def _whole_animals(rng: np.random.Generator, area: float, *, naive: bool) -> bool:
    cluster = np.repeat(np.arange(24), 6)
    truth = cluster % 2 == 0
    score = _alike(rng, 24, 6, 0.5) + 1.2 * truth
    return _holds(roc(score, truth, cluster=None if naive else cluster).auc, area)


def _lines() -> Iterator[Trial]:
    def pair(rng: np.random.Generator, n: int, ratio: float = 1.0, error: float = 0.4) -> tuple[Floats, Floats]:
        truth = 3 + rng.normal(size=n)
        return truth + error * rng.normal(size=n), 1 + 1.3 * truth + error * math.sqrt(ratio) * rng.normal(size=n)

    for n in (8, 30):
        yield Trial(
            "matched",
            f"deming_slope_coverage_n{n}",
            lambda rng, n=n: _holds(deming_line(*pair(rng, n)).slope, 1.3),
            COVERAGE,
        )
        yield Trial(
            "matched",
            f"york_slope_coverage_n{n}",
            lambda rng, n=n: _holds(york_relation(*pair(rng, n), 0.4, 0.4).slope, 1.3),
            COVERAGE,
        )
    yield Trial(
        "matched",
        "deming_intercept_coverage_n30",
        lambda rng: _holds(deming_line(*pair(rng, 30)).intercept, 1.0),
        COVERAGE,
    )
    yield Trial(
        "matched",
        "passing_bablok_slope_coverage_n40",
        lambda rng: _holds(passing_bablok_line(*pair(rng, 40, ratio=1.69, error=0.2)).slope, 1.3),
        COVERAGE,
    )
    yield Trial(
        "mismatched",
        "deming_slope_coverage_n30_ratio_wrong",
        lambda rng: _holds(deming_line(*pair(rng, 30, 4.0)).slope, 1.3),
        {},
    )


def _equivalences() -> Iterator[Trial]:
    error = {"at_most": 0.06}

    def groups(rng: np.random.Generator, a: float) -> tuple[Floats, Floats]:
        """Unequal spread and size."""
        return rng.normal(a, 1.0, 8), rng.normal(10.0, 0.4, 12)

    def welch(margin: float, a: float, scale: str) -> Callable[[np.random.Generator], bool]:
        return lambda rng: equivalence_welch(*groups(rng, a), margin=margin, scale=scale).shown

    yield Trial("matched", "tost_error_at_margin", welch(2.0, 12.0, "difference"), error)
    yield Trial("matched", "tost_ratio_error_at_margin", welch(1.25, 12.5, "ratio"), error)

    def geometric(rng: np.random.Generator) -> bool:
        a, b = np.exp(rng.normal(math.log(1.25), 0.2, 8)), np.exp(rng.normal(0, 0.1, 12))
        return equivalence_welch(a, b, margin=1.25, scale="geometric ratio").shown

    def paired(rng: np.random.Generator) -> bool:
        b = rng.normal(size=10)
        return equivalence_paired(b + 1 + 0.4 * rng.normal(size=10), b, margin=1.0).shown

    yield Trial("matched", "tost_geometric_error_at_margin", geometric, error)
    yield Trial("matched", "tost_paired_error_at_margin", paired, error)
    yield Trial(
        "matched",
        "noninferiority_error_at_margin",
        lambda rng: noninferiority_welch(*groups(rng, 9.0), margin=1.0, higher_is_better=True).shown,
        {"at_most": 0.03},
    )
    # "p > 0.05, so they are alike": how often that is said of groups that lie a whole margin apart
    yield Trial(
        "mismatched", "no_difference_taken_for_alike_at_margin",
        lambda rng: equivalence_welch(*groups(rng, 11.0)[:2], margin=1.0).tests[-1].p > 0.05, {},
    )  # fmt: skip
