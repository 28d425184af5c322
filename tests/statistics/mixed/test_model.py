"""Linear mixed models against printed fits, closed forms of balanced designs, and the defining formulae."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from lampyris.statistics.mixed import (
    Covariate,
    Factor,
    RandomTerm,
    fit_mixed_model,
    fixed_part,
    intraclass_correlations,
    nested_labels,
    profile_intervals,
    random_term_tests,
)
from lampyris.statistics.mixed.likelihood import criterion

DATA = Path(__file__).parents[2] / "data" / "statistics"


@pytest.fixture(scope="module")
def sleep():
    with (DATA / "lme4_sleepstudy.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    y, days = (np.array([float(row[name]) for row in rows]) for name in ("Reaction", "Days"))
    return y, days, tuple(row["Subject"] for row in rows)


def sleep_fit(sleep, method, *, slope=True):
    y, days, subjects = sleep
    term = RandomTerm("Subject", subjects, "Days", days) if slope else RandomTerm("Subject", subjects)
    return fit_mixed_model(y, fixed_part([Covariate("Days", days)], [("Days",)]), [term], method=method)


def test_restricted_fit_is_that_of_lme4_to_its_printed_digits(sleep):
    fit = sleep_fit(sleep, "REML")
    intercept, days = fit.coefficients
    assert round(fit.criterion, 3) == 1743.628
    assert [round(c.estimate.value, 3) for c in fit.coefficients] == [251.405, 10.467]
    assert [round(float(sd), 3) for sd in np.sqrt(np.diag(fit.inference.plain))] == [6.825, 1.546]
    (sd0, sd1, rho, rest) = (c.estimate.value for c in fit.components)
    # the vignette prints 612.10, 35.07, 0.066 and 654.94
    assert sd0**2 == pytest.approx(612.1, abs=0.05)
    assert sd1**2 == pytest.approx(35.07, abs=0.005)
    assert rho == pytest.approx(0.066, abs=5e-4)
    assert rest**2 == pytest.approx(654.94, abs=5e-3)
    # balanced, so that Kenward and Roger change nothing and 18 subjects leave 17 degrees of freedom
    assert [intercept.df, days.df] == pytest.approx([17, 17], rel=1e-6)


def test_likelihood_fit_is_that_of_mixedmodels_to_twelve_digits(sleep):
    fit = sleep_fit(sleep, "ML")
    assert fit.criterion == pytest.approx(1751.9393444636682, rel=1e-12)
    values = [c.estimate.value for c in fit.coefficients]
    assert values == pytest.approx([251.40510484848454, 10.467285959596126], rel=1e-12)
    assert [c.estimate.sd for c in fit.coefficients] == pytest.approx([6.6323, 1.5022], abs=5e-5)
    assert fit.components[0].estimate.value == pytest.approx(23.7805, abs=1e-4)
    assert fit.components[1].estimate.value == pytest.approx(5.7168, abs=5e-5)
    assert fit.residual_variance == pytest.approx(654.94146, abs=1e-3)


@pytest.mark.parametrize(
    ("slope", "ends"),
    [
        # lme4's printed profile intervals of these two models (J Stat Softw 67(1), section 5.1, and its help page)
        (True, [(14.3814, 37.7160), (3.8012, 8.7534), (-0.4815, 0.6850), (22.8983, 28.8580)]),
        (False, [(26.007, 52.936), (27.814, 34.591)]),
    ],
)
def test_profile_intervals_are_those_of_lme4(sleep, slope, ends):
    found = profile_intervals(sleep_fit(sleep, "ML", slope=slope))
    for component, (low, high) in zip(found, ends, strict=True):
        assert (component.estimate.low, component.estimate.high) == pytest.approx((low, high), abs=6e-4)


def test_test_of_the_slope_is_the_ratio_of_two_fits(sleep):
    fit = sleep_fit(sleep, "REML")
    (test,) = random_term_tests(sleep[0], fit)
    ratio = sleep_fit(sleep, "REML", slope=False).criterion - fit.criterion
    assert test.statistic == pytest.approx(ratio, rel=1e-10)
    assert test.p == pytest.approx(0.5 * (special.chdtrc(1, ratio) + special.chdtrc(2, ratio)), rel=1e-10)
    assert "edge" in test.note


def table(rng, *, animals=(5, 7), regions=(2, 5), slope=0.0):
    """An unbalanced table: values, group, animal, a covariate."""
    rows = []
    for arm, count in enumerate(animals):
        for animal in range(count):
            own, tilt = rng.standard_normal(), slope * rng.standard_normal()
            for _ in range(rng.integers(*regions, endpoint=True)):
                x = rng.uniform(0, 5)
                rows.append((own + tilt * x + 0.7 * rng.standard_normal() + 0.3 * arm, "ab"[arm], f"{arm}{animal}", x))
    y, group, animal, x = zip(*rows, strict=True)
    return np.array(y), group, animal, np.array(x)


def balanced(rng, n=5, m=4):
    animal = np.repeat(np.arange(2 * n), m)
    y = rng.standard_normal(2 * n)[animal] + rng.standard_normal(2 * n * m)
    return y, tuple("ab"[k // n] for k in animal), tuple(f"s{k}" for k in animal)


def test_balanced_regions_give_students_test_of_the_animals_means():
    y, group, animal = balanced(np.random.default_rng(1))
    fit = fit_mixed_model(y, fixed_part([Factor("group", group)], [("group",)]), [RandomTerm("animal", animal)])
    means = y.reshape(-1, 4).mean(axis=1)
    answer = stats.ttest_ind(means[5:], means[:5])
    test = fit.coefficients[1]
    assert (test.statistic, test.df, test.p) == pytest.approx((answer.statistic, 8, answer.pvalue), rel=1e-8)
    # analysis of variance of the animals and of what lies inside them
    between = y.reshape(-1, 4).mean(axis=1)
    centred = between - np.repeat([between[:5].mean(), between[5:].mean()], 5)
    inside = float(((y.reshape(-1, 4) - between[:, None]) ** 2).sum()) / 30
    assert fit.residual_variance == pytest.approx(inside, rel=1e-8)
    assert fit.components[0].variance == pytest.approx(float((centred**2).sum()) / 8 - inside / 4, rel=1e-7)


def test_three_levels_agree_with_the_means_of_the_cages():
    rng = np.random.default_rng(5)
    cage = np.repeat(np.arange(8), 6)
    animal = np.repeat(np.arange(16), 3)
    y = rng.standard_normal(8)[cage] + 0.6 * rng.standard_normal(16)[animal] + 0.5 * rng.standard_normal(48)
    group = tuple("ab"[c // 4] for c in cage)
    terms = [RandomTerm("cage", tuple(map(str, cage))), RandomTerm("cage:animal", tuple(map(str, animal)))]
    fit = fit_mixed_model(y, fixed_part([Factor("group", group)], [("group",)]), terms)
    means = y.reshape(8, 6).mean(axis=1)
    assert fit.coefficients[1].p == pytest.approx(stats.ttest_ind(means[:4], means[4:]).pvalue, rel=1e-7)
    shares = dict(intraclass_correlations(fit))
    whole = sum(c.variance for c in fit.components)
    assert shares["cage"].value == pytest.approx(fit.components[0].variance / whole, rel=1e-10)
    assert shares["cage"].low <= shares["cage"].value <= shares["cage"].high


def dense(fit, terms, y, x):
    """Kenward and Roger's quantities from whole matrices, as their paper writes them."""
    n = len(y)
    parts, sizes = [], []
    for term in terms:
        member = np.array([[label == other for other in term.labels] for label in term.labels], float)
        columns = [np.ones(n)] if term.slope is None else [np.ones(n), term.slope]
        for a in range(len(columns)):
            for b in range(a + 1):
                product = np.outer(columns[a], columns[b])
                parts.append(member * (product if a == b else product + product.T))
    for matrix in fit.covariances:
        sizes += [matrix[a, b] for a in range(len(matrix)) for b in range(a + 1)]
    parts.append(np.eye(n))
    sizes.append(fit.residual_variance)
    v = sum(size * part for size, part in zip(sizes, parts, strict=True))
    w = np.linalg.inv(v)
    phi = np.linalg.inv(x.T @ w @ x)
    p = [-x.T @ w @ g @ w @ x for g in parts]
    q = [[x.T @ w @ g @ w @ h @ w @ x for h in parts] for g in parts]
    r = range(len(parts))
    info = np.array(
        [
            [
                0.5 * np.trace(w @ parts[i] @ w @ parts[j])
                - np.trace(phi @ q[i][j])
                + 0.5 * np.trace(phi @ p[i] @ phi @ p[j])
                for j in r
            ]
            for i in r
        ]
    )
    covariance = np.linalg.inv(info)
    excess = sum(covariance[i, j] * (q[i][j] - p[i] @ phi @ p[j]) for i in r for j in r)
    residual = y - x @ phi @ x.T @ w @ y
    log_likelihood = -0.5 * (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(x.T @ w @ x)[1]
        + residual @ w @ residual
        + (n - x.shape[1]) * math.log(2 * math.pi)
    )
    return phi, phi + 2 * phi @ excess @ phi, phi @ x.T @ w @ y, p, covariance, log_likelihood


def kenward_roger(rows, phi, adjusted, beta, p, w):
    """Statistic and degrees of freedom by the paper's formulae (p. 987)."""
    rank = len(rows)
    theta = rows.T @ np.linalg.inv(rows @ phi @ rows.T) @ rows
    r = range(len(p))
    step = [theta @ phi @ p[i] @ phi for i in r]
    a1 = sum(w[i, j] * np.trace(step[i]) * np.trace(step[j]) for i in r for j in r)
    a2 = sum(w[i, j] * np.trace(step[i] @ step[j]) for i in r for j in r)
    b = (a1 + 6 * a2) / (2 * rank)
    g = ((rank + 1) * a1 - (rank + 4) * a2) / ((rank + 2) * a2)
    d = 3 * rank + 2 * (1 - g)
    c1, c2, c3 = g / d, (rank - g) / d, (rank + 2 - g) / d
    mean = 1 / (1 - a2 / rank)
    variance = 2 / rank * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = variance / (2 * mean**2)
    df = 4 + (rank + 2) / (rank * rho - 1)
    wald = (rows @ beta) @ np.linalg.solve(rows @ adjusted @ rows.T, rows @ beta) / rank
    return df / (mean * (df - 2)) * wald, df


@pytest.mark.parametrize("kind", ["intercept", "slope", "crossed", "per group", "nested"])
def test_inference_is_that_of_the_defining_formulae(kind):
    rng = np.random.default_rng(11)
    y, group, animal, x = table(rng, slope=0.6 if kind == "slope" else 0.0)
    batch = tuple(f"b{k}" for k in rng.integers(0, 4, len(y)))
    y = y + (np.array([int(b[1]) for b in batch]) * 0.8 if kind in ("crossed", "nested") else 0.0)
    terms = {
        "intercept": [RandomTerm("animal", animal)],
        "slope": [RandomTerm("animal", animal, "x", x)],
        "crossed": [RandomTerm("animal", animal), RandomTerm("batch", batch)],
        "nested": [RandomTerm("animal", animal), RandomTerm("animal:batch", nested_labels(animal, batch))],
        "per group": [RandomTerm("animal", animal), RandomTerm("x alone", animal, "x", x, intercept=False)],
    }[kind]
    part = fixed_part([Factor("group", group), Covariate("x", x)], [("group",), ("x",), ("group", "x")])
    fit = fit_mixed_model(y, part, terms)
    assert fit.converged
    plain = terms
    if kind == "per group":
        # a slope alone, written out for the formulae as a product
        member = np.array([[a == b for b in animal] for a in animal], float)
        v1, v2 = fit.covariances[0][0, 0], fit.covariances[1][0, 0]
        v = v1 * member + v2 * member * np.outer(x, x) + fit.residual_variance * np.eye(len(y))
        phi = np.linalg.inv(part.matrix.T @ np.linalg.solve(v, part.matrix))
        assert fit.inference.plain == pytest.approx(phi, rel=1e-8)
        return
    phi, adjusted, beta, p, w, log_likelihood = dense(fit, plain, y, part.matrix)
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
    # whole matrices lose some digits in their inverses
    assert fit.inference.coefficients == pytest.approx(beta, rel=1e-7)
    assert fit.inference.plain == pytest.approx(phi, rel=1e-7, abs=1e-10)
    assert fit.inference.adjusted == pytest.approx(adjusted, rel=1e-6, abs=1e-10)
    rows = np.eye(4)[[1, 3]]
    test = fit.joint(rows)
    assert (test.statistic, test.df2) == pytest.approx(kenward_roger(rows, phi, adjusted, beta, p, w), rel=1e-6)


@pytest.mark.parametrize("restricted", [True, False])
def test_gradient_is_the_slope_of_the_criterion(restricted):
    y, group, animal, x = table(np.random.default_rng(2), slope=0.5)
    part = fixed_part([Factor("group", group)], [("group",)])
    terms = [RandomTerm("animal", animal, "x", x), RandomTerm("pair", tuple(str(int(v)) for v in x))]
    given = fit_mixed_model(y, part, terms, method="REML" if restricted else "ML").problem
    theta = np.array([0.8, -0.2, 0.4, 0.3])
    value, gradient = criterion(given, theta)
    for k, step in enumerate(1e-6 * np.eye(4)):
        slope = (criterion(given, theta + step)[0] - criterion(given, theta - step)[0]) / 2e-6
        # differences of numbers near 50 over 2e-6
        assert gradient[k] == pytest.approx(slope, abs=1e-6)
    assert math.isfinite(value)


def test_fit_follows_the_units_of_the_values():
    y, group, animal, x = table(np.random.default_rng(3), slope=0.4)
    part = fixed_part([Factor("group", group), Covariate("x", x)], [("group",), ("x",)])
    term = RandomTerm("animal", animal, "x", x)
    one = fit_mixed_model(y, part, [term])
    # far from zero and in other units, as photons are
    two = fit_mixed_model(1e7 * y + 1e12, part, [term])
    for a, b in zip(one.coefficients[1:], two.coefficients[1:], strict=True):
        # the offset leaves eleven digits of the values
        assert (b.estimate.value, b.estimate.sd) == pytest.approx(
            (1e7 * a.estimate.value, 1e7 * a.estimate.sd), rel=1e-5
        )
        assert b.df == pytest.approx(a.df, rel=1e-4)


def test_a_variance_of_zero_is_said_and_still_counts_animals():
    # animals' means differ less than regions would let them
    y = np.array([1.0, 3.0, 2.0, 3.1, 1.1, 2.0, 2.1, 3.0, 1.0] * 2) + np.repeat([0.0, 0.4], 9)
    animal = tuple(f"s{k}" for k in np.repeat(np.arange(6), 3))
    fit = fit_mixed_model(
        y, fixed_part([Factor("g", ("a",) * 9 + ("b",) * 9)], [("g",)]), [RandomTerm("animal", animal)]
    )
    assert fit.singular
    assert fit.converged
    assert fit.components[0].at_boundary
    assert fit.components[0].estimate.value == 0.0
    # with rows as replicates there would be 16
    assert fit.coefficients[1].df < 10
    interval = profile_intervals(fit)[0].estimate
    assert interval.low == 0.0
    assert 0 < interval.high < math.inf


def test_cells_without_data_are_not_determined():
    group = tuple("aaaabbbb")
    day = tuple("11221111")
    part = fixed_part([Factor("group", group), Factor("day", day)], [("group",), ("day",), ("group", "day")])
    y = [1.0, 2.0, 3.0, 4.0, 2.0, 2.5, 1.0, 3.0]
    fit = fit_mixed_model(y, part, [RandomTerm("animal", tuple("pqpqrsrs"))])
    missing = fit.contrast("b on day 2", part.row({"group": "b", "day": "2"}))
    assert math.isnan(missing.estimate.value)
    assert missing.estimate.method == "not determined by the data"
    assert math.isfinite(fit.contrast("a on day 2", part.row({"group": "a", "day": "2"})).estimate.value)
    assert math.isnan(fit.term_test(("group", "day")).statistic)


@pytest.mark.parametrize("contrasts", ["treatment", "sum"])
def test_tests_of_terms_do_not_depend_on_the_coding(contrasts):
    rng = np.random.default_rng(8)
    group = tuple(rng.choice(list("abc"), 60))
    day = tuple(rng.choice(list("xyz"), 60))
    animal = tuple(f"{g}{k % 5}" for k, g in enumerate(group))
    y = rng.standard_normal(60)
    terms = [("group",), ("day",), ("group", "day")]
    fits = [
        fit_mixed_model(
            y,
            fixed_part([Factor("group", group, tuple("abc"), c), Factor("day", day, tuple("xyz"), c)], terms),
            [RandomTerm("animal", animal)],
        )
        for c in ("treatment", contrasts)
    ]
    for term in terms:
        a, b = (fit.term_test(term) for fit in fits)
        assert (a.statistic, *a.df, a.p) == pytest.approx((b.statistic, *b.df, b.p), rel=1e-7)
    assert fits[0].criterion != pytest.approx(fits[1].criterion) or contrasts == "treatment"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": [1.0, 2.0, math.nan, 4.0]}, "row 2 is not"),
        ({"values": [1.0, 2.0]}, "4 rows"),
        ({"method": "AI"}, "method is"),
        ({"labels": ("p", "q", "r", "s")}, "cannot be told from the residual"),
        ({"labels": ("p", "p", "p", "p")}, "one level only"),
        ({"labels": ("p", "p")}, "2 labels for 4 values"),
        ({"values": [1.0, 1.0, 2.0, 2.0]}, "fits the values exactly"),
    ],
)
def test_faulty_input_is_named(change, match):
    part = fixed_part([Factor("g", tuple("aabb"))], [("g",)])
    term = RandomTerm("animal", change.get("labels", tuple("pqpq")))
    with pytest.raises(ValueError, match=match):
        fit_mixed_model(change.get("values", [1.0, 2.0, 3.0, 5.0]), part, [term], method=change.get("method", "REML"))


@pytest.mark.parametrize(
    ("terms", "match"),
    [([("group", "day")], "needs"), ([("cage",)], "names cage"), ([("x",), ("z",), ("x", "z")], "two covariates")],
)
def test_faulty_terms_are_named(terms, match):
    variables = [
        Factor("group", ("a", "b")),
        Factor("day", ("1", "2")),
        Covariate("x", np.ones(2)),
        Covariate("z", np.ones(2)),
    ]
    with pytest.raises(ValueError, match=match):
        fixed_part(variables, terms)


def test_integer_values_are_fine():
    part = fixed_part([Factor("g", tuple("aabbaabb"))], [("g",)])
    fit = fit_mixed_model(np.array([1, 2, 3, 4, 3, 2, 5, 4]), part, [RandomTerm("animal", tuple("pprrqqss"))])
    assert fit.converged


# fmt: off
HARDLY = [
    0.7547, 0.1633, 0.5029, -0.19, 2.0493, -0.6061, 0.7986, -0.7824, -0.3784, 0.4013, 1.1773, 1.3935, 0.6434, -0.0608, -0.6318,
    0.7273, -1.2789, -0.518, -0.3659, 0.3604, -1.1911, -0.4652, -0.093, 1.6436, -0.0147, -0.1442, -0.4994, 0.9576, 0.0914,
    -1.5841, 0.3529, -2.5326, 0.3155, -0.1766, -0.2333, 0.0416, 0.3644,
]
WIDE = [
    -5.96, -4.23, -3.3, -4.25, -4.24, -0.75, -2.27, 0.33, 8.13, 9.09, 8.39, 8.41, -1.34, -2.82, -1.44, -2.01, -3.08, -0.85, -2.41,
    -2.66, -2.46, -3.22, 1.02, -1.94, -1.5, -2.28, 0.44, 0.44, -2.43, -2.11, -0.05, 0.98, -0.31, 0.77, 0.81, 0.77, -0.4, -1.08, -0.7,
    -0.55, -2.21, -3.2, -0.31, -1.53, 1.11, -1.12,
]
# fmt: on


@pytest.mark.parametrize(
    ("y", "rows", "first", "sds"),
    [
        # the criterion falls from 0 by 1e-9 in all: what gains so little stays there, and that is no search that failed
        (HARDLY, [4, 2, 2, 3, 5, 3, 5, 3, 2, 4, 2, 2], 6, (0.0, 0.0)),
        # one short step of the search looked like its end, at a log likelihood of -77.99
        (WIDE, [5, 3, 4, 5, 5, 4, 2, 3, 4, 5, 2, 4], 4, None),
    ],
)
def test_a_search_ends_where_nothing_is_gained(y, rows, first, sds):
    animal = tuple(np.repeat(np.arange(12), rows).astype(str))
    group = np.repeat(["a", "b"], [sum(rows[:first]), sum(rows[first:])])
    own = [
        RandomTerm(f"animal in {one}", animal, "intercept", (group == one).astype(float), intercept=False)
        for one in "ab"
    ]
    model = fit_mixed_model(y, fixed_part([Factor("group", tuple(group))], [("group",)]), own)
    assert model.converged
    if sds is not None:
        assert tuple(c.estimate.value for c in model.components[:2]) == sds
    else:
        assert model.log_likelihood == pytest.approx(-76.688597, abs=1e-5)
