"""Cell numbers under a growth prior: closed forms, coverage, and a wrong prior that tells."""

import math

import numpy as np
import pytest

from lampyris.core.estimate import Estimate
from lampyris.metastasis.growth import GrowthPrior, current_cells


def amount(value, log_sd, level=0.95, unit="labelled-cell equivalents"):
    factor = math.exp(1.959963984540054 * log_sd)
    return Estimate(value, value * log_sd, value / factor, value * factor, level, unit, "synthetic")


# quantiles of 10000 evenly spread combinations are good to a few per mille
EVEN = 0.01


@pytest.mark.parametrize(
    ("prior", "days", "expected"),
    [
        (GrowthPrior("exponential", 3.0, 0.0), 9.0, 8e4),
        (GrowthPrior("exponential", 3.0, 0.0), 0.0, 1e4),
        (GrowthPrior("logistic", 3.0, 0.0, 1e6), 9.0, 1e6 / (1 + 99 / 8)),
        (GrowthPrior("logistic", 3.0, 0.0, 1e6), 900.0, 1e6),
        (
            GrowthPrior("gompertz", 3.0, 0.0, 1e6),
            9.0,
            1e6 * 0.01 ** math.exp(-3.0 * math.log(2.0) / math.log(100.0)),
        ),
        (GrowthPrior("gompertz", 3.0, 0.0, 1e6), 900.0, 1e6),
    ],
    ids=["exponential", "at once", "logistic", "logistic, late", "gompertz", "gompertz, late"],
)
def test_closed_forms(prior, days, expected):
    found = current_cells(amount(1e4, 0.0), days, prior)
    assert found.cells.value == pytest.approx(expected, rel=1e-9)
    assert (found.cells.unit, found.conflict) == ("cells", False)


@pytest.mark.parametrize("law", ["logistic", "gompertz"])
def test_far_from_its_end_every_law_starts_with_its_doubling_time(law):
    found = current_cells(amount(1e4, 0.0), 0.03, GrowthPrior(law, 3.0, 0.0, 1e12))
    # a hundredth of a doubling, before the end is felt: ten thousandths of growth
    assert math.log2(found.cells.value / 1e4) == pytest.approx(0.01, rel=2e-3)


def test_the_interval_carries_the_prior():
    # log-normal amount and doubling time: the logarithm's quantiles follow from the two where one of them is known
    only = current_cells(amount(1e4, 0.5), 9.0, GrowthPrior("exponential", 3.0, 0.0)).cells
    assert only.low == pytest.approx(8e4 * math.exp(-1.96 * 0.5), rel=EVEN)
    assert only.high == pytest.approx(8e4 * math.exp(1.96 * 0.5), rel=EVEN)
    prior = current_cells(amount(1e4, 0.0), 9.0, GrowthPrior("exponential", 3.0, 0.2)).cells
    assert prior.low == pytest.approx(1e4 * 2.0 ** (3.0 * math.exp(-1.96 * 0.2)), rel=EVEN)
    assert prior.high == pytest.approx(1e4 * 2.0 ** (3.0 * math.exp(1.96 * 0.2)), rel=EVEN)


def test_no_number_without_a_prior_or_a_reporter():
    found = current_cells(amount(1e4, 0.5), 9.0)
    assert math.isnan(found.cells.value)
    assert "prior" in found.cells.method
    reporter = amount(7e4, 0.3, unit="cells")
    assert current_cells(amount(1e4, 0.5), 9.0, reporter=reporter).cells == reporter
    unknown = Estimate.unknown(0.95, "labelled-cell equivalents", "")
    assert math.isnan(current_cells(unknown, 9.0, GrowthPrior("exponential", 3.0, 0.2)).cells.value)


def simulated(true_doubling_days, draws=200):
    """Animals whose cells grow by a doubling time that the prior (5 days, 25 %) may or may not know of."""
    rng = np.random.default_rng(3)
    prior = GrowthPrior("exponential", 5.0, 0.25)
    held = told = together = 0
    for _ in range(draws):
        doubling = true_doubling_days * math.exp(rng.normal(0.0, 0.25))
        truth = 1e4 * 2.0 ** (21.0 / doubling)
        measured = amount(1e4 * math.exp(rng.normal(0.0, 0.4)), 0.4)
        reporter = amount(truth * math.exp(rng.normal(0.0, 0.3)), 0.3, unit="cells")
        alone = current_cells(measured, 21.0, prior).cells
        both = current_cells(measured, 21.0, prior, reporter=reporter)
        held += alone.low <= truth <= alone.high
        told += both.conflict
        together += both.cells.low <= truth <= both.cells.high
    return held / draws, told / draws, together / draws


def test_a_right_prior_covers_the_truth_and_is_seldom_doubted():
    held, told, together = simulated(5.0)
    # 200 draws know 0.95 to 0.015: four of those; the growth factor is wider than log-normal above, so the doubt is not exact
    assert held >= 0.89
    assert told <= 0.10
    assert together >= 0.89


@pytest.mark.parametrize("true_doubling_days", [1.6, 2.0])
def test_a_wrong_prior_is_told_by_the_second_reporter(true_doubling_days):
    held, told, together = simulated(true_doubling_days)
    # alone the prior misses: nothing in a prelabelled signal can say so
    assert held < 0.5
    assert told > 0.7
    # a prior that was found wrong no longer narrows the interval
    assert together > 0.9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("linear", 3.0, 0.1), "law"),
        (("exponential", 0.0, 0.1), "above 0"),
        (("exponential", 3.0, -0.1), "above 0"),
        (("logistic", 3.0, 0.1), "capacity"),
        (("gompertz", 3.0, 0.1, -1.0), "capacity"),
    ],
)
def test_impossible_priors_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        GrowthPrior(*values)


def test_impossible_questions_are_refused():
    with pytest.raises(ValueError, match="0 or more"):
        current_cells(amount(1e4, 0.1), -1.0, GrowthPrior("exponential", 3.0, 0.1))
    with pytest.raises(ValueError, match="capacity"):
        current_cells(amount(1e6, 0.1), 1.0, GrowthPrior("gompertz", 3.0, 0.1, 1e6))
