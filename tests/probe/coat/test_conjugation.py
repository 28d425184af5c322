"""Ligands per dot and what a second bond gains."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from lampyris.core.errors import InputError
from lampyris.probe.coat import avidity, conjugated, ligand_named


@pytest.mark.parametrize("mean", [0.0, 0.3, 2.0, 7.0])
def test_shares_are_poisson(mean):
    found = conjugated(ligand_named("scFv"), mean)
    assert found.shares[:-1] == pytest.approx(poisson.pmf(np.arange(20), mean), abs=1e-14)
    assert math.fsum(found.shares) == pytest.approx(1.0, abs=1e-12)
    assert found.none == pytest.approx(math.exp(-mean))


def test_active_ligands_are_a_thinned_poisson():
    found = conjugated(ligand_named("antibody"), 3.0)
    share = ligand_named("antibody").active_random.value
    drawn = np.random.default_rng(2).binomial(np.random.default_rng(1).poisson(3.0, 200_000), share)
    # three standard errors of a share of 200 000 dots
    assert found.silent.value == pytest.approx((drawn == 0).mean(), abs=3 * 0.5 / math.sqrt(200_000))
    assert found.multivalent.value == pytest.approx((drawn >= 2).mean(), abs=3 * 0.5 / math.sqrt(200_000))


def test_oriented_single_chains_bind_more_often_than_random_antibodies():
    whole = conjugated(ligand_named("antibody"), 2.0)
    single = conjugated(ligand_named("scFv"), 2.0, orientation="oriented")
    assert single.silent.value < whole.silent.value and single.active.value > whole.active.value


def gain(kd=5.0, mean=2.0, receptors=1e5):
    ligand = ligand_named("scFv")
    return avidity(
        conjugated(ligand, mean),
        ligand,
        kd_nmol_l=kd,
        receptors_per_cell=receptors,
        cell_diameter_um=15,
        dot_diameter_nm=18,
    )


def test_gain_vanishes_without_receptors_and_grows_with_them():
    assert gain(receptors=0).gain == 1.0
    few, many = gain(receptors=1e4), gain(receptors=1e5)
    assert 1 < few.gain < many.gain
    # one and two bonds: the gain less 1 is proportional to receptors, ligands and affinity
    assert many.gain - 1 == pytest.approx(10 * (few.gain - 1))
    assert gain(kd=50).gain - 1 == pytest.approx((gain().gain - 1) / 10)
    assert many.apparent_kd_nmol_l.value == pytest.approx(5.0 / many.gain)


@pytest.mark.parametrize("wrong", [{"kd": -1.0}, {"receptors": -1.0}, {"mean": -2.0}])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(InputError):
        gain(**wrong)
