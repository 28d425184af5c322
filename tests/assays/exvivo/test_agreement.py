"""Two measurements of the same organs: joined, compared with animals as the unit, and a line with errors in both."""

import math

import numpy as np
import pytest

from lampyris.assays.exvivo.agreement import join_organs, organ_agreements
from lampyris.assays.exvivo.amounts import total
from lampyris.core.estimate import Estimate


def share(value, relative=0.05):
    return Estimate(
        value, relative * value, value * (1 - 2 * relative), value * (1 + 2 * relative), 0.95, "%ID/g", "given"
    )


def bound(high):
    return Estimate(math.nan, math.nan, 0.0, high, 0.95, "%ID/g", "bound")


def pairs_of(animals, ratio, *, spread=0.1, seed=4):
    rng = np.random.default_rng(seed)
    a, b = [], []
    for k in range(animals):
        own = ratio * math.exp(rng.normal(0, spread))
        for organ, level in (("liver", 20.0), ("spleen", 10.0), ("heart", 0.5)):
            true = level * math.exp(rng.normal(0, 0.2))
            a.append((f"m{k:02d}", organ, share(own * true)))
            b.append((f"m{k:02d}", organ.upper(), share(true)))
    return join_organs(a, b, lambda animal: "dots")


def test_pairs_are_joined_by_animal_and_organ_without_case():
    pairs = join_organs([("m01", "Left Kidney", share(1.0)), ("m02", "liver", share(2.0))],
                        [("m01", "left kidney", share(3.0)), ("m03", "liver", share(2.0))], lambda animal: "")  # fmt: skip
    assert [(one.animal, one.organ, one.a.value, one.b.value) for one in pairs] == [("m01", "Left Kidney", 1.0, 3.0)]


def test_animals_are_the_unit_not_organs():
    found = {one.organ: one for one in organ_agreements("exvivo", "icp-ms", pairs_of(8, 1.2))}
    assert set(found) == {"", "liver", "spleen", "heart"}
    every = found[""]
    assert (every.animals, every.pairs) == (8, 24)
    assert every.ratio.low < 1.2 < every.ratio.high
    # the interval is that of 8 animals: with 24 points as if independent it would be narrower
    alone = np.log([pair.a.value / pair.b.value for pair in pairs_of(8, 1.2)])
    naive = 2 * 2.069 * alone.std(ddof=1) / math.sqrt(24)
    assert math.log(every.ratio.high / every.ratio.low) > 1.2 * naive
    assert every.lower.value < every.ratio.low and every.upper.value > every.ratio.high
    assert any("not that of independent points" in note for note in every.notes)


def test_the_line_has_slope_one_where_the_two_are_proportional():
    every = organ_agreements("a", "b", pairs_of(10, 0.5))[0]
    assert every.slope.low < 1.0 < every.slope.high
    assert every.intercept.value == pytest.approx(math.log10(0.5), abs=0.1)


def test_bounds_are_counted_and_not_used():
    pairs = join_organs([("m01", "liver", share(1.0)), ("m02", "liver", bound(0.2))],
                        [("m01", "liver", share(1.0)), ("m02", "liver", share(0.1))], lambda animal: "")  # fmt: skip
    one = organ_agreements("a", "b", pairs)[0]
    assert (one.pairs, one.pairs_censored, one.animals) == (1, 1, 1)
    assert math.isnan(one.lower.value) and math.isnan(one.slope.value) and one.ratio.high == math.inf
    assert organ_agreements("a", "b", ()) == ()


def test_different_units_give_a_line_and_no_ratio():
    one = organ_agreements("in vivo", "exvivo", pairs_of(6, 1e4), same_unit=False)[0]
    assert math.isnan(one.ratio.value) and math.isfinite(one.slope.value)


def test_concordance_of_equal_series_is_near_one_and_falls_with_a_shift():
    near, far = (organ_agreements("a", "b", pairs_of(12, ratio, spread=0.02))[0].concordance for ratio in (1.0, 3.0))
    assert near.low <= near.value <= near.high and near.value > 0.9 > far.value


def test_sums_add_what_is_common_and_average_what_is_not():
    parts = [share(10.0, 0.2), share(10.0, 0.2)]
    apart, together = total(parts, 0.0, 0.95), total(parts, 0.2, 0.95)
    assert apart.value == together.value == 20.0
    assert apart.sd == pytest.approx(math.sqrt(8.0)) and together.sd == pytest.approx(4.0)
