"""Two-way designs against closed forms of balanced ones; statsmodels is asked in test_oracles."""

import numpy as np
import pytest
from scipy import stats

from lampyris.statistics.groups import factorial_anova, one_way_anova


def balanced(rng, a=3, b=2, n=4):
    first = np.repeat([f"a{k}" for k in range(a)], b * n)
    second = np.tile(np.repeat([f"b{k}" for k in range(b)], n), a)
    return rng.normal(0, 1, a * b * n) + (first == "a1") * 1.5, list(first), list(second)


def test_a_balanced_design_has_the_textbook_sums_of_squares():
    y, first, second = balanced(np.random.default_rng(1))
    cube = y.reshape(3, 2, 4)
    cells, grand = cube.mean(axis=2), y.mean()
    rows, columns = cells.mean(axis=1), cells.mean(axis=0)
    expected = {
        "dose": 8 * ((rows - grand) ** 2).sum(),
        "sex": 12 * ((columns - grand) ** 2).sum(),
        "dose x sex": 4 * ((cells - rows[:, None] - columns + grand) ** 2).sum(),
    }
    error = ((cube - cells[..., None]) ** 2).sum()
    for kind in (2, 3):
        found = factorial_anova(y, {"dose": first, "sex": second}, ss_type=kind)
        assert found.balanced
        assert found.error_variance == pytest.approx(error / 18, rel=1e-12)
        for term in found.terms:
            assert term.sum_of_squares == pytest.approx(expected[term.name], rel=1e-10)
            assert term.p == pytest.approx(stats.f.sf(term.f, term.df, 18), rel=1e-10)
            assert term.eta_squared.value == pytest.approx(
                term.sum_of_squares / (term.sum_of_squares + error), rel=1e-10
            )
            assert term.omega_squared.low <= term.omega_squared.value <= term.omega_squared.high


def test_one_factor_is_the_one_way_analysis():
    y, first, _ = balanced(np.random.default_rng(2))
    (term,) = factorial_anova(y, {"dose": first}).terms
    test = one_way_anova([y[np.array(first) == name] for name in ("a0", "a1", "a2")])
    assert (term.f, term.p) == pytest.approx((test.statistic, test.p), rel=1e-10)


def test_types_differ_only_where_the_design_is_not_balanced():
    rng = np.random.default_rng(3)
    y, first, second = balanced(rng)
    kept = [k for k in range(y.size) if k not in (0, 1, 9)]
    args = y[kept], {"dose": [first[k] for k in kept], "sex": [second[k] for k in kept]}
    two, three = factorial_anova(*args, ss_type=2), factorial_anova(*args, ss_type=3)
    assert not two.balanced
    assert two.terms[0].f != pytest.approx(three.terms[0].f, rel=1e-3)
    assert two.terms[2].f == pytest.approx(three.terms[2].f, rel=1e-10)


def test_simple_effects_are_differences_of_cells():
    y, first, second = balanced(np.random.default_rng(4), a=2)
    found = factorial_anova(y, {"dose": first, "sex": second})
    cells = y.reshape(2, 2, 4).mean(axis=2)
    assert [(one.a, one.b, one.within) for one in found.simple_effects] == [("a0", "a1", "b0"), ("a0", "a1", "b1")]
    for k, one in enumerate(found.simple_effects):
        assert one.difference.value == pytest.approx(cells[0, k] - cells[1, k], rel=1e-10)
        assert one.difference.sd == pytest.approx(np.sqrt(found.error_variance / 2), rel=1e-10)
    alone = [2 * stats.t.sf(abs(one.statistic), found.error_df) for one in found.simple_effects]
    assert [one.p for one in found.simple_effects] == pytest.approx(
        [min(1, 2 * p) if p == min(alone) else max(2 * min(alone), p) for p in alone], rel=1e-9
    )


def test_a_block_takes_out_its_variance():
    rng = np.random.default_rng(5)
    group = ["x", "y"] * 12
    cage = [f"c{k // 4}" for k in range(24)]
    y = rng.normal(0, 1, 24) + 20 * np.repeat(rng.normal(0, 1, 6), 4) + np.array([0.0, 2.0] * 12)
    blocked = factorial_anova(y, {"group": group}, block=cage)
    assert blocked.terms[0].p < 1e-3 < factorial_anova(y, {"group": group}).terms[0].p
    assert [term.name for term in blocked.terms] == ["group", "block"]


def test_blocks_that_are_whole_groups_are_refused():
    group = ["x"] * 4 + ["y"] * 4
    with pytest.raises(ValueError, match="cannot be told from another"):
        factorial_anova(np.arange(8.0) ** 2, {"group": group}, block=["c1"] * 4 + ["c2"] * 4)


def test_far_values_keep_their_digits():
    y, first, second = balanced(np.random.default_rng(6))
    args = {"dose": first, "sex": second}
    near, far = factorial_anova(y, args), factorial_anova(y + 1e7, args)
    # adding 1e7 rounds the values at 1e-9
    assert [one.f for one in far.terms] == pytest.approx([one.f for one in near.terms], rel=1e-6)


@pytest.mark.parametrize(
    ("y", "factors", "options", "message"),
    [
        ([1, 2, 3], {"a": ["x", "x", "y"], "b": ["u", "v", "u"]}, {}, "no unit has a 'y' with b 'v'"),
        ([1, 2, 3, 4], {"a": list("xxyy"), "b": list("uvuv")}, {}, "no degree of freedom"),
        ([1, 2, 3, 4], {"a": list("xxxx")}, {}, "at least two levels"),
        ([1, 1, 2, 2], {"a": list("xxyy")}, {}, "no spread"),
        ([1, 2, np.nan], {"a": list("xxy")}, {}, "finite values"),
        ([1, 2, 3], {"a": list("xxy")}, {"ss_type": 1}, "type 2 or 3"),
        ([1, 2, 3], {}, {}, "one or two factors"),
    ],
)
def test_faults_are_named(y, factors, options, message):
    with pytest.raises(ValueError, match=message):
        factorial_anova(y, factors, **options)
