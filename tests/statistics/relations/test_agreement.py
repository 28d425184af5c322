"""Limits of agreement, concordance, intraclass correlation and kappa against published answers and independent packages."""

import math

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.relations.bland_altman import bland_altman
from lampyris.statistics.relations.concordance import FORMS, concordance, intraclass
from lampyris.statistics.relations.kappa import cohen_kappa, fleiss_kappa, kappa_from_table

# ---- limits of agreement -----------------------------------------------------------------------------------------


def test_bland_and_altman_1986(published):
    case = published["bland_altman_ccc"]
    found = bland_altman(case["x"], case["y"])
    full = case["computed_full"]
    assert found.bias.value == pytest.approx(full["mean_diff"], abs=1e-12)
    assert found.sd == pytest.approx(full["sd"], abs=1e-12)
    # the file rounds the normal quantile to 1.96
    assert [found.lower.value, found.upper.value] == pytest.approx(full["loa_1_96"], abs=2e-3)
    assert round(found.bias.value, 1) == case["published"]["mean_diff"]
    assert round(found.sd, 1) == case["published"]["sd"]
    # printed in the paper: standard error of the bias 9.4, its interval -22.0 to 17.8
    assert found.bias.sd == pytest.approx(9.4, abs=0.05)
    assert [found.bias.low, found.bias.high] == pytest.approx([-22.0, 17.8], abs=0.06)
    # the paper's approximate interval of the lower limit is -114.3 to -45.1 about -79.7; the exact one is lopsided
    assert found.lower.low < -114.3 < found.lower.value < found.lower.high < -45.1


def test_exact_limits_are_those_of_the_noncentral_t():
    rng = np.random.default_rng(1)
    for n in (3, 8, 40, 2000):
        a, b = rng.normal(size=(2, n))
        found = bland_altman(a, b)
        d = a - b
        z = stats.norm.ppf(0.975)
        expected = d.mean() + d.std(ddof=1) / math.sqrt(n) * stats.nct.ppf([0.025, 0.975], n - 1, z * math.sqrt(n))
        assert [found.upper.low, found.upper.high] == pytest.approx(list(expected), rel=1e-7)
        assert found.upper.high - found.bias.value == pytest.approx(found.bias.value - found.lower.low, rel=1e-9)


def test_order_and_units_of_the_columns():
    rng = np.random.default_rng(2)
    a, b = 10 + rng.normal(size=(2, 15))
    one, other = bland_altman(a, b), bland_altman(1000 * b, 1000 * a)
    assert other.bias.value == pytest.approx(-1000 * one.bias.value)
    assert [other.lower.low, other.upper.high] == pytest.approx([-1000 * one.upper.high, -1000 * one.lower.low])


def test_ratios_are_logarithms():
    rng = np.random.default_rng(3)
    b = np.exp(rng.normal(3, 1, 20))
    a = 1.2 * b * np.exp(rng.normal(0, 0.1, 20))
    ratio, log = bland_altman(a, b, scale="ratio"), bland_altman(np.log(a), np.log(b))
    for name in ("bias", "lower", "upper"):
        shown, inside = getattr(ratio, name), getattr(log, name)
        assert [shown.value, shown.low, shown.high] == pytest.approx(np.exp([inside.value, inside.low, inside.high]))
    assert ratio.difference == pytest.approx(tuple(a / b))


def test_repeats_by_hand():
    """Bland and Altman 2007: the total variance is the mean square within plus the component between subjects."""
    subject = np.repeat(np.arange(5), 3)
    rng = np.random.default_rng(4)
    d = rng.normal(0, 1, 5)[subject] + rng.normal(0, 0.5, 15)
    found = bland_altman(d + 7, np.full(15, 7.0), subject=subject)
    groups = d.reshape(5, 3)
    within = groups.var(axis=1, ddof=1).mean()
    between = 3 * groups.mean(axis=1).var(ddof=1)
    assert found.sd == pytest.approx(math.sqrt(within + (between - within) / 3), rel=1e-12)
    assert found.within_sd == pytest.approx(math.sqrt(within), rel=1e-12)
    assert (found.design.n, found.design.rows) == ((5,), 15)


def test_repeats_that_stay_the_same_pair_at_random():
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(60), 4)
    a, b = rng.normal(size=(2, 240)) + rng.normal(0, 5, 60)[subject]
    assert bland_altman(a, b, subject=subject, pairing="constant").sd == pytest.approx(math.sqrt(2), rel=0.12)


def test_repeats_counted_as_units_give_intervals_too_narrow():
    rng = np.random.default_rng(6)
    subject = np.repeat(np.arange(6), 10)
    a, b = 5 + rng.normal(0, 1, 6)[subject] + rng.normal(0, 0.3, 60), np.full(60, 5.0)
    naive, right = bland_altman(a, b), bland_altman(a, b, subject=subject)
    assert right.bias.high - right.bias.low > 2 * (naive.bias.high - naive.bias.low)


def test_proportional_bias_and_growing_spread_are_said():
    x = np.linspace(1, 100, 40)
    rng = np.random.default_rng(7)
    found = bland_altman(1.3 * x * np.exp(rng.normal(0, 0.2, 40)), x)
    notes = " ".join(found.warnings)
    assert "bias changes with the size" in notes
    assert "ask for the ratio form" in notes
    assert found.proportional.low > 0
    assert bland_altman(x + rng.normal(0, 1, 40), x + rng.normal(0, 1, 40)).warnings == ()


@pytest.mark.parametrize(
    ("a", "b", "options", "said"),
    [
        ([1, 2], [1, 3], {}, r"at least 3 subjects \(animal\), got 2"),
        ([1, 2, 3, 4], [2, 3, 4, 5], {}, "same amount in every row"),
        ([1, 2, 3, math.nan], [1, 2, 3, 4], {}, "must be finite"),
        ([1, 2, 0, 4], [1, 3, 3, 4], {"scale": "ratio"}, "above 0 in both"),
        ([1, 2, 3, 4], [1, 3, 3, 4], {"subject": list("aabb")}, r"at least 3 subjects \(animal\), got 2"),
        ([1, 2, 3, 4], [1, 3, 3], {}, "one value per row each"),
    ],
)
def test_what_gives_no_limits_is_refused(a, b, options, said):
    with pytest.raises(ValueError, match=said):
        bland_altman(a, b, **options)


@pytest.mark.parametrize(("subjects", "repeats"), [(10, 1), (12, 3)])
def test_intervals_of_limits_hold_them(subjects, repeats):
    """300 sets: standard error 0.013 of the share."""
    rng = np.random.default_rng(8)
    subject = np.repeat(np.arange(subjects), repeats)
    inside = np.zeros(2)
    upper = 0.5 + stats.norm.ppf(0.975) * math.sqrt(2)
    for _ in range(300):
        a = 0.5 + rng.normal(0, 1, subjects)[subject] + rng.normal(0, 1, subject.size)
        found = bland_altman(a, np.zeros(a.size), subject=subject)
        inside += [found.bias.low <= 0.5 <= found.bias.high, found.upper.low <= upper <= found.upper.high]
    assert inside / 300 == pytest.approx(0.95, abs=0.035), inside / 300


# ---- concordance and intraclass correlation ----------------------------------------------------------------------


def test_lins_coefficient(published):
    case = published["bland_altman_ccc"]
    found = concordance(case["x"], case["y"])
    full = case["computed_full"]
    assert found.ccc.value == pytest.approx(full["ccc_lin_1_n"], abs=1e-14)
    assert [found.ccc.low, found.ccc.high] == pytest.approx(full["ccc_ci_z"], abs=1e-12)
    assert found.accuracy == pytest.approx(full["Cb"], abs=1e-14)
    assert found.r == pytest.approx(full["r"], abs=1e-14)


def test_correlation_is_no_agreement():
    rng = np.random.default_rng(9)
    x = rng.normal(10, 1, 30)
    found = concordance(x, 2 * x + rng.normal(0, 0.1, 30))
    assert found.r > 0.99
    assert found.ccc.high < 0.2


def test_concordance_of_repeats_leaves_out_subjects():
    rng = np.random.default_rng(10)
    subject = np.repeat(np.arange(8), 4)
    truth = rng.normal(0, 2, 8)[subject]
    a, b = truth + rng.normal(0, 0.5, 32), truth + rng.normal(0, 0.5, 32)
    plain, right = concordance(a, b), concordance(a, b, subject=subject)
    assert right.ccc.value == plain.ccc.value
    assert right.ccc.high - right.ccc.low > plain.ccc.high - plain.ccc.low
    assert (right.design.n, right.design.rows) == ((8,), 32)


def test_concordance_holds_the_truth():
    rng = np.random.default_rng(11)
    truth = 2 * 4 / (4 + 1 + 4 + 1 + 0.25)
    inside = 0
    for _ in range(300):
        x = rng.normal(0, 2, 30)
        e = concordance(x + rng.normal(0, 1, 30), x + 0.5 + rng.normal(0, 1, 30)).ccc
        inside += e.low <= truth <= e.high
    assert inside / 300 == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [([1, 2, 3], [1, 2, 3], "at least 4"), ([1, 1, 1, 1], [1, 2, 3, 4], "values of a are equal")],
)
def test_what_has_no_concordance_is_refused(a, b, said):
    with pytest.raises(ValueError, match=said):
        concordance(a, b)


def test_shrout_and_fleiss(published):
    case = published["icc_shrout_fleiss"]
    found = intraclass(np.array(list(case["J"])).T)
    for name, value, low, high in zip(FORMS, case["ICC"], case["lower"], case["upper"], strict=True):
        e = found.forms[name]
        assert [e.value, e.low, e.high] == pytest.approx([value, low, high], abs=0.0051), name


def test_forty_random_tables_agree_with_pingouin(pingouin, pandas):
    rng = np.random.default_rng(12)
    for _ in range(40):
        n, k = rng.integers(4, 12), rng.integers(2, 5)
        table = rng.normal(0, 1, (n, 1)) + rng.normal(0, 0.5, k) + rng.normal(0, 0.7, (n, k))
        long = pandas.DataFrame({"s": np.repeat(np.arange(n), k), "r": np.tile(np.arange(k), n), "v": table.ravel()})
        expected = pingouin.intraclass_corr(long, targets="s", raters="r", ratings="v")
        found = intraclass(table)
        for name, row in zip(FORMS, expected.to_dict("records"), strict=True):
            assert found.forms[name].value == pytest.approx(row["ICC"], abs=1e-10)
            assert found.p[name] == pytest.approx(row["pval"], rel=1e-6)
            low, high = row["CI95"]
            if low > high:  # its Spearman-Brown step passed a pole; ours is unbounded there
                assert found.forms[name].low == -math.inf
                low = -math.inf
            assert [found.forms[name].low, found.forms[name].high] == pytest.approx([low, high], abs=0.00501)


def test_readers_that_copy_each_other():
    table = np.column_stack([[1.0, 2, 4, 7], [1.0, 2, 4, 7]])
    found = intraclass(table)
    assert {found.forms[name].value for name in FORMS} == {1.0}
    shifted = intraclass(table + np.array([0.0, 1.0]))
    assert shifted.forms["ICC(3,1)"].value == 1.0
    assert shifted.forms["ICC(2,1)"].value < 1
    assert "copies" in shifted.notes[0]


@pytest.mark.parametrize("table", [np.ones((5, 2)), np.ones((2, 3)), [[1.0, 2], [3, math.nan], [1, 2]]])
def test_no_table_of_readings(table):
    with pytest.raises(ValueError, match=r"equal|needs a complete table"):
        intraclass(table)


# ---- kappa -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weights", "key"), [("none", "unweighted"), ("linear", "linear")])
def test_sas_proc_freq(published, weights, key):
    case = published["kappa"][key]
    found = kappa_from_table(published["kappa"]["table"], weights=weights)
    e = found.kappa
    assert [e.value, e.sd, e.low, e.high] == pytest.approx([case["k"], case["ase"], *case["ci"]], abs=5.1e-5)
    assert found.test.statistic == pytest.approx(case["z"], abs=5.1e-5)
    assert found.kappa.value / found.test.statistic == pytest.approx(case["ase0"], abs=5.1e-5)
    assert found.test.p == pytest.approx(case["p2"], abs=5.1e-5)


def test_a_hundred_tables_agree_with_statsmodels():
    from statsmodels.stats.inter_rater import cohens_kappa

    rng = np.random.default_rng(13)
    names = {"none": None, "linear": "linear", "quadratic": "quadratic"}
    for k in range(102):
        size = int(rng.integers(2, 5))
        table = rng.integers(0, 9, (size, size)) + np.eye(size, dtype=int) * 3
        weights = list(names)[k % 3]
        expected = cohens_kappa(table, wt=names[weights])
        found = kappa_from_table(table, weights=weights)
        assert found.kappa.value == pytest.approx(expected.kappa, abs=1e-12)
        assert found.kappa.sd == pytest.approx(expected.std_kappa, abs=1e-12)
        assert found.test.p == pytest.approx(expected.pvalue_two_sided, rel=1e-9)


def test_rows_and_table_agree_whatever_the_names():
    a = ["low", "low", "high", "mid", "high", "mid", "low"]
    b = ["low", "mid", "high", "mid", "mid", "mid", "low"]
    order = ["low", "mid", "high"]
    found = cohen_kappa(a, b, categories=order, weights="quadratic")
    number = cohen_kappa([order.index(w) for w in a], [float(order.index(w)) for w in b], weights="quadratic")
    assert (found.kappa, found.table) == (number.kappa, number.table)
    assert found.categories == ("low", "mid", "high")
    assert kappa_from_table(found.table, weights="quadratic").kappa == found.kappa


def test_two_categories_are_phi_like():
    """Of two by two tables kappa has a closed form."""
    found = kappa_from_table([[30, 5], [8, 17]])
    assert found.kappa.value == pytest.approx(2 * (30 * 17 - 5 * 8) / (38 * 25 - 0 + (35 * 22) - 0), rel=1e-12)


def test_full_agreement_keeps_an_interval():
    found = cohen_kappa([1, 2, 1, 2, 1, 2], [1, 2, 1, 2, 1, 2])
    assert (found.kappa.value, found.kappa.high) == (1.0, 1.0)
    assert 0 < found.kappa.low < 0.7


def test_rows_of_one_animal_widen_the_interval():
    rng = np.random.default_rng(14)
    animal = np.repeat(np.arange(10), 8)
    a = rng.integers(0, 2, 80)
    wrong = (rng.random(10) < 0.3)[animal]
    b = np.where(wrong, 1 - a, a)
    plain, right = cohen_kappa(a, b), cohen_kappa(a, b, cluster=animal)
    assert right.kappa.value == plain.kappa.value
    assert right.kappa.sd > 1.5 * plain.kappa.sd
    assert (right.design.n, right.design.rows) == ((10,), 80)


@pytest.mark.parametrize(
    ("a", "b", "options", "said"),
    [
        (["x", "x"], ["x", "x"], {}, "at least two categories"),
        (["x", "y", "z"], ["x", "y", "y"], {"weights": "linear"}, "need the order"),
        (["x", "y"], ["x", "z"], {"categories": ["x", "y"]}, "z not among them"),
        (["x"], ["x", "y"], {}, "one category per row"),
        (["yes", "no"], [1, 0], {}, "share no category"),
        ([0, 1], [0, 1], {"weights": "cubic"}, "weights are one of"),
    ],
)
def test_what_has_no_kappa_is_refused(a, b, options, said):
    with pytest.raises(ValueError, match=said):
        cohen_kappa(a, b, **options)


def test_a_frequent_category_is_told():
    assert "four fifths" in " ".join(kappa_from_table([[90, 4], [4, 2]]).notes)


def test_fleiss(published):
    from statsmodels.stats.inter_rater import fleiss_kappa as expected

    table = published["kappa"]["fleiss_table"]["counts"]
    assert round(fleiss_kappa(table).kappa.value, 2) == published["kappa"]["fleiss_wikipedia"]
    rng = np.random.default_rng(15)
    for _ in range(30):
        counts = rng.multinomial(5, [0.5, 0.3, 0.2], 12)
        assert fleiss_kappa(counts).kappa.value == pytest.approx(expected(counts), abs=1e-12)


def test_fleiss_needs_equal_readers():
    with pytest.raises(ValueError, match="same number of readers"):
        fleiss_kappa([[2, 1], [1, 1], [3, 0]])
