"""Allocation: sizes are met, balance is better than chance, chance still decides, and a seed decides all."""

import math

import numpy as np
import pytest

from lampyris.statistics.allocation import allocate

SIZES = {"A": 8, "B": 8, "control": 4}
WEIGHTS = np.random.default_rng(5).normal(22, 2, 20).tolist()
CAGES = [f"c{number // 5}" for number in range(20)]


def drawn(seed=1, **changes):
    options = {"weights_g": WEIGHTS, "cages": CAGES, **changes}
    return allocate(SIZES, **options, rng=np.random.default_rng(seed))


def test_sizes_are_met_and_a_seed_decides():
    one = drawn()
    assert {name: one.groups.count(name) for name in SIZES} == SIZES
    assert drawn() == one
    assert drawn(seed=2).groups != one.groups


def test_groups_are_more_alike_than_by_chance():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), list(SIZES.values()))
    weights = np.array(WEIGHTS)

    def between(order):
        return np.std([weights[order == number].mean() for number in range(3)]) / weights.std()

    chance = np.median([between(rng.permutation(labels)) for _ in range(2000)])
    balanced = [drawn(seed=seed).weight_sd_between for seed in range(8)]
    # the best twentieth by weight and cage together: in each of eight draws better than half of all allocations
    assert max(balanced) < chance


def test_every_animal_can_land_in_every_group():
    groups = [drawn(seed=seed).groups for seed in range(25)]
    # of 25 draws, an animal misses a group of a fifth of all with probability 0.8**25 = 0.004
    assert sum(len({one[animal] for one in groups}) == 3 for animal in range(20)) >= 18


def test_cages_are_spread():
    one = drawn()
    # of five animals in each cage, two are in A, two in B, one is a control, or as near as it goes
    assert one.cages_split < 0.5
    assert "cage" in one.method


def test_without_weights_and_cages_it_is_plain_chance():
    one = drawn(weights_g=[math.nan] * 20, cages=[""] * 20)
    assert math.isnan(one.weight_sd_between)
    assert math.isnan(one.cages_split)
    assert "balanced by" not in one.method


@pytest.mark.parametrize(("sizes", "count"), [({"A": 2, "B": 2}, 5), ({"A": 0, "B": 4}, 4), ({"A": 5, "B": 5}, 4)])
def test_impossible_sizes_are_refused(sizes, count):
    with pytest.raises(ValueError, match="animals"):
        allocate(sizes, weights_g=[20.0] * count, cages=[""] * count, rng=np.random.default_rng(1))
