"""Power against R, statsmodels, enumeration and simulation; what is asked of a design, and what cannot be."""

import dataclasses
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from lampyris.statistics.power import (
    KINDS,
    PowerQuestion,
    Spread,
    plan_auc_width,
    plan_power,
    plan_share_width,
    pooled_from_summary,
    pooled_spread,
)
from lampyris.statistics.power.means import (
    anova_power,
    correlation_power,
    equivalence_power,
    f_power,
    paired_power,
    t_power,
    two_sample_power,
)
from lampyris.statistics.power.nested import design_effect, nested_power, within_animal_correlation
from lampyris.statistics.power.onsets import OnsetPlan, drawn_onsets, event_share, interval_onset_power, logrank_power
from lampyris.statistics.power.shares import auc_error, auc_power, boschloo_p, fisher_p, share_width, shares_power

ORACLES = json.loads(
    (Path(__file__).parents[2] / "data" / "statistics" / "onset_and_power_oracles.json").read_text("utf-8")
)["power"]
KNOWN = Spread(1.0, math.inf, "given")


@pytest.fixture(scope="module")
def peer():
    with warnings.catch_warnings():
        # of the package itself, at import
        warnings.simplefilter("ignore")
        from statsmodels.stats import power
    return power


def test_printed_answers():
    # to the digits that R and G*Power print
    assert two_sample_power((20, 20), 0.5, 1.0) == pytest.approx(ORACLES["ttest2_d05_n20"], abs=5e-7)
    assert correlation_power(20, 0.5) == pytest.approx(ORACLES["corr_r05_n20"], abs=5e-8)
    n = optimize.brentq(lambda n: two_sample_power((n, n), 0.5, 1.0) - 0.8, 10, 200)
    assert n == pytest.approx(ORACLES["ttest2_d05_pow80_n"], abs=5e-6)
    assert plan_power(PowerQuestion("two-sample", effect=0.5, spread=KNOWN)).n == (64, 64)


def test_power_equals_statsmodels(peer):
    rng = np.random.default_rng(6)
    compared = 0
    for _ in range(40):
        n, ratio, d, alpha = (
            int(rng.integers(3, 60)),
            float(rng.uniform(0.5, 2)),
            # the peer's noncentral t gives up far out
            rng.uniform(0.1, 1),
            rng.uniform(0.001, 0.1),
        )
        two = peer.TTestIndPower().power(d, n, alpha, ratio=ratio)
        assert two_sample_power((n, n * ratio), d, 1.0, alpha=alpha) == pytest.approx(two, abs=1e-9)
        paired = peer.TTestPower().power(d, n, alpha)
        if math.isnan(paired):
            continue
        compared += 1
        assert paired_power(n, d, 1.0, alpha=alpha) == pytest.approx(paired, abs=1e-9)
        one_sided = peer.TTestPower().power(d, n, alpha, alternative="larger")
        assert paired_power(n, d, 1.0, alpha=alpha, two_sided=False) == pytest.approx(one_sided, abs=1e-9)
        means = rng.normal(size=4)
        f = means.std()
        assert anova_power([n] * 4, means, 1.0, alpha=alpha) == pytest.approx(
            peer.FTestAnovaPower().power(f, 4 * n, alpha, k_groups=4), abs=1e-8
        )
    assert compared >= 30


@pytest.mark.parametrize(
    "call", [lambda: t_power(0.0, 8), lambda: f_power(0.0, 2, 9), lambda: logrank_power((9, 9), 1.0, (0.5, 0.5))]
)
def test_no_effect_is_found_as_often_as_alpha_says(call):
    assert call() == pytest.approx(0.05)


def test_far_effects_are_found():
    assert two_sample_power((50, 50), 20.0, 1.0) == pytest.approx(1.0)
    assert equivalence_power((3, 3), 0.1, 1.0) < 0.01


def test_fisher_is_scipys_for_every_outcome():
    table = fisher_p((6, 9))
    for a in range(7):
        for b in range(10):
            assert table[a, b] == pytest.approx(stats.fisher_exact([[a, 6 - a], [b, 9 - b]]).pvalue, rel=1e-9)


@pytest.mark.parametrize("n", [(5, 5), (8, 12)])
def test_exact_tests_keep_to_alpha_whatever_the_share(n):
    fisher, boschloo = fisher_p(n), boschloo_p(n)
    assert (boschloo <= fisher * (1 + 1e-9)).all()
    worst = 0.0
    for share in np.linspace(0.001, 0.999, 333):
        chance = np.outer(
            stats.binom.pmf(np.arange(n[0] + 1), n[0], share), stats.binom.pmf(np.arange(n[1] + 1), n[1], share)
        )
        worst = max(worst, float(chance[boschloo <= 0.05].sum()))
    # the worst case is sought on a grid
    assert 0.02 < worst < 0.0502
    assert shares_power(n, (0.9, 0.2), test="boschloo") >= shares_power(n, (0.9, 0.2))


def test_nested_values_are_no_animals():
    assert design_effect(1, 0.7) == 1 and design_effect(6, 1.0) == 6
    # a variance by design effect is that of the animal's mean
    rho = within_animal_correlation(0.6, 0.9)
    sd = math.sqrt((0.6**2 + 0.9**2) * design_effect(5, rho) / 5)
    assert nested_power((7, 7), 1.0, 0.6, 0.9, 5) == pytest.approx(two_sample_power((7, 7), 1.0, sd))
    # as if its regions were animals, six animals would seem enough
    assert two_sample_power((30, 30), 1.0, math.sqrt(0.6**2 + 0.9**2)) > nested_power((6, 6), 1.0, 0.6, 0.9, 5) + 0.2


def test_onsets_are_drawn_as_said():
    rng = np.random.default_rng(2)
    times = drawn_onsets((4000, 4000), 0.5, OnsetPlan(9.0, (3.0, 9.0, 21.0), 1.5, loss=0.2), rng)
    # three binomial standard deviations; those lost are the same share in both groups
    reached = [
        float((times.high[side] <= 9.0).mean() / (times.low[side] < 21).mean())
        for side in (slice(0, 4000), slice(4000, None))
    ]
    assert reached[1] < reached[0] < 0.55
    plain = drawn_onsets((4000, 0), 0.5, OnsetPlan(9.0, (3.0, 9.0, 21.0), 1.5), rng)
    assert float((plain.high <= 9.0).mean()) == pytest.approx(0.5, abs=0.024)
    assert float(plain.seen.mean()) == pytest.approx(event_share(9.0, 21.0, shape=1.5), abs=0.012)


def test_onset_power_is_seeded_and_near_schoenfeld():
    plan = OnsetPlan(9.0, (3.0, 7.0, 10.0, 14.0, 21.0))
    one = interval_onset_power((25, 25), 0.4, plan, simulations=150)
    assert one == interval_onset_power((25, 25), 0.4, plan, simulations=150)
    shares = tuple(event_share(9.0, 21.0, hazard_ratio=ratio) for ratio in (1.0, 0.4))
    # looks cost a little of what exact days would give; three standard deviations of 150 draws
    assert one.value == pytest.approx(logrank_power((25, 25), 0.4, shares), abs=0.13)


QUESTIONS = {
    "two-sample": PowerQuestion("two-sample", effect=1.5, spread=KNOWN),
    "welch": PowerQuestion("two-sample", effect=2.0, spread=KNOWN, second_sd=2.0, ratio=2.0),
    "paired": PowerQuestion("paired", effect=1.1, spread=KNOWN),
    "anova": PowerQuestion("anova", effect=1.4, spread=KNOWN, means=(0.0, 0.5, 1.0)),
    "kruskal": PowerQuestion("kruskal", effect=1.4, spread=KNOWN, means=(0.0, 0.0, 1.0)),
    "correlation": PowerQuestion("correlation", effect=0.7),
    "equivalence": PowerQuestion("equivalence", effect=1.2, spread=KNOWN, difference=0.1),
    "shares": PowerQuestion("shares", effect=0.3, control=0.9),
    "boschloo": PowerQuestion("shares", effect=0.3, control=0.9, test="boschloo"),
    "log-rank": PowerQuestion("log-rank", effect=0.4, control=9.0, days=(28.0,)),
    "nested": PowerQuestion("nested", effect=1.6, spread=KNOWN, sd_within=1.5, inside=6),
    "auc": PowerQuestion("auc", effect=0.8),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_size_power_and_effect_agree_and_simulation_says_the_same(name):
    question = QUESTIONS[name]
    simulations = 200 if name == "log-rank" else 3_000
    found = plan_power(dataclasses.replace(question, simulations=simulations))
    assert found.solved == "n" and found.power >= 0.8 and found.sentence
    if name not in ("shares", "boschloo"):
        fewer = tuple(n - 1 for n in found.n)
        assert min(fewer) < KINDS[question.kind].least or plan_power(dataclasses.replace(question, n=fewer)).power < 0.8
    # three standard deviations of the simulation, and two hundredths for what is a large-sample formula; for log-rank with
    # strong effects Schoenfeld's is known to be rough
    room = 0.06 if name == "log-rank" else 0.025
    assert found.simulated.value == pytest.approx(found.power, abs=3 * found.simulated.sd + room)
    back = plan_power(dataclasses.replace(question, n=found.n, effect=None, power=found.power))
    assert back.solved == "effect"
    # shares are found to a hundredth of the way
    assert back.effect == pytest.approx(found.effect, abs=0.02 if question.kind == "shares" else 1e-4)
    sizes = [n for n, _ in found.curve]
    assert sizes == sorted(set(sizes)) and found.n[0] in sizes


def test_onset_question():
    question = PowerQuestion("onset", n=(12,), effect=0.3, control=9.0, days=(3.0, 7.0, 14.0, 21.0), simulations=25)
    found = plan_power(question)
    assert 0.2 < found.power < 0.95 and "simulated experiments" in " ".join(found.assumptions)


def test_pilot_spread():
    spread = pooled_spread([[1.0, 2.0, 4.0], [3.0, 3.5], [9.0]])
    assert (spread.df, spread.sd) == (3.0, pytest.approx(math.sqrt((14 / 3 + 0.125) / 3)))
    assert pooled_from_summary(
        [3, 2, 1], [np.std([1, 2, 4], ddof=1), np.std([3, 3.5], ddof=1), math.nan]
    ) == dataclasses.replace(spread, source="table", sd=pytest.approx(spread.sd))
    # the limit holds the true spread as often as it says
    rng = np.random.default_rng(1)
    held = np.mean([Spread(float(s), 5.0, "").upper(0.8) > 1 for s in np.sqrt(rng.chisquare(5, 2_000) / 5)])
    assert held == pytest.approx(0.8, abs=0.027)
    for samples, said in (([[1.0], [2.0]], "two units"), ([[1.0, 1.0]], "equal"), ([[1.0, math.nan]], "finite")):
        with pytest.raises(ValueError, match=said):
            pooled_spread(samples)


def test_a_pilot_makes_power_uncertain():
    known = plan_power(PowerQuestion("two-sample", n=(10,), effect=1.5, spread=KNOWN))
    pilot = plan_power(PowerQuestion("two-sample", n=(10,), effect=1.5, spread=Spread(1.0, 6.0, "pilot")))
    assert known.power_range == () and math.isnan(known.assurance)
    assert pilot.power < known.power and pilot.power_range[0] < pilot.power < pilot.power_range[1]
    assert pilot.power_range[0] < pilot.assurance < pilot.power_range[1]
    assert "only roughly" in pilot.sentence
    # assurance is the mean over draws of the true spread
    rng = np.random.default_rng(3)
    draws = [two_sample_power((10, 10), 1.5, math.sqrt(6 / c)) for c in rng.chisquare(6, 3_000)]
    assert pilot.assurance == pytest.approx(np.mean(draws), abs=4 * np.std(draws) / math.sqrt(3_000))


def test_loss_and_endpoints():
    one = plan_power(PowerQuestion("two-sample", effect=1.0, spread=KNOWN))
    many = plan_power(PowerQuestion("two-sample", effect=1.0, spread=KNOWN, endpoints=4, attrition=0.2))
    assert many.alpha == pytest.approx(0.0125) and many.n[0] > one.n[0]
    assert many.allocated == tuple(math.ceil(n / 0.8) for n in many.n)
    assert "loss 20 %" in many.sentence and any("4 endpoints" in one for one in many.assumptions)
    weak = plan_power(PowerQuestion("two-sample", n=(3,), effect=1.0, spread=KNOWN))
    assert "would say little" in weak.sentence


def test_width_of_a_sensitivity():
    found = plan_share_width(0.9, 0.2)
    n = found.n[0]
    assert share_width(n, 0.9) <= 0.2 < share_width(n - 1, 0.9)
    assert math.isnan(found.power)
    with pytest.raises(ValueError, match="between 0 and 1"):
        plan_share_width(1.2, 0.2)


def test_width_of_an_area():
    found = plan_auc_width(0.85, 0.2, ratio=2.0, attrition=0.1)
    one, other = found.n
    assert other == 2 * one and found.allocated == (math.ceil(one / 0.9), math.ceil(other / 0.9))
    assert 2 * 1.959964 * auc_error((one, other), 0.85) <= 0.2 < 2 * 1.959964 * auc_error((one - 1, other - 2), 0.85)
    with pytest.raises(ValueError, match=r"from 0\.5 to below 1"):
        plan_auc_width(0.4, 0.2)


def test_auc_of_chance_is_found_as_alpha_says():
    # by the variance under chance it is the rank-sum test's
    assert auc_power((30, 30), 0.5000001) == pytest.approx(0.025, abs=0.003)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "best"}, "kind is one of"),
        ({"spread": None}, "needs a spread"),
        ({"effect": None}, "give the effect"),
        ({"effect": 0.0}, "other than 0"),
        ({"alpha": 1.5}, "alpha is between"),
        ({"power": 0.01}, "wanted power"),
        ({"attrition": 1.0}, "attrition"),
        ({"endpoints": 0}, "at least 1"),
        ({"ratio": 0.0}, "ratio"),
        ({"n": (1,)}, "at least 2 units"),
        ({"n": (5, 5, 5)}, "one number of units or 2"),
        ({"spread": Spread(-1.0, math.inf, "")}, "above 0"),
        ({"kind": "anova"}, "pattern"),
        ({"kind": "anova", "means": (1.0, 1.0)}, "that differ"),
        ({"kind": "shares", "control": 0.5, "effect": 1.5}, "from 0 to 1"),
        ({"kind": "onset", "control": 9.0, "days": (0.0, 3.0)}, "days above 0"),
        ({"kind": "log-rank", "control": 9.0, "days": (9.0,), "effect": 1.0}, "hazard ratio"),
        ({"kind": "correlation", "effect": 1.0}, "correlation is between"),
        ({"kind": "equivalence", "difference": 2.0}, "above the true difference"),
        ({"kind": "auc", "effect": 0.4}, "between 0.5 and 1"),
        ({"kind": "nested"}, "within an animal"),
        ({"effect": 1e-6}, "too small"),
        ({"kind": "shares", "control": 0.1, "n": (3,), "effect": None}, "no share in the second group"),
    ],
)
def test_faults_are_named(change, said):
    base = {"kind": "two-sample", "effect": 1.0, "spread": KNOWN}
    with pytest.raises(ValueError, match=said):
        plan_power(PowerQuestion(**(base | change)))


def test_faults_come_together():
    with pytest.raises(ValueError, match=r"needs a spread.*; give the effect.*; attrition"):
        plan_power(PowerQuestion("paired", attrition=2.0))
