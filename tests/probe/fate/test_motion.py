"""The linear core and what is built on it: nothing is lost, doses add up, clocks are the dose's own, limits hold."""

import math

import numpy as np
import pytest

from lampyris.probe.fate.body import body
from lampyris.probe.fate.calibration import NAMES, STARTS
from lampyris.probe.fate.dosing import Dosing, time_grid
from lampyris.probe.fate.figures import (
    content_percent_per_g,
    excreted_percent,
    half_life_h,
    mass_balance_error,
    organ_share,
)
from lampyris.probe.fate.matrix import ONE, PLACE, STATES, rate_matrix
from lampyris.probe.fate.motion import Uptake, courses
from lampyris.probe.fate.rates import rates, sieving
from lampyris.probe.fate.tables import ORGANS, SPECIES


def dot(species="mouse", coat="PEG", size=15.9, ligand="", draws=1, rng=None, tumour_g=None):
    values = {name: np.full(draws, STARTS[name]) for name in NAMES}
    animal = body(species, draws=draws, rng=rng, tumour_g=tumour_g)
    return rates(animal, values, coat, np.full(draws, size), ligand=ligand)


@pytest.mark.parametrize("species", SPECIES)
def test_columns_of_the_rate_matrix_sum_to_nothing(species):
    found = dot(species, draws=7, rng=np.random.default_rng(3), ligand="RGD")
    matrix = rate_matrix(found, infusion_per_h=0.5, death_per_h=0.1, cells_in="lung")
    assert np.abs(matrix.sum(axis=1)).max() < 1e-9 * np.abs(matrix).max()
    off_diagonal = matrix[:, ~np.eye(len(STATES), dtype=bool)]
    driven = [PLACE["syringe"] * (len(STATES) - 1) + ONE - 1]
    assert (np.delete(off_diagonal, driven, axis=1) >= 0).all()
    body_ = found.body
    outflow = sum(body_.flow_ml_h[organ] for organ in ORGANS if organ != "lung")
    np.testing.assert_allclose(outflow, body_.flow_ml_h["lung"])


@pytest.mark.parametrize(
    ("dosing", "uptake"),
    [
        (Dosing(), Uptake()),
        (Dosing(doses=3, every_h=12.0, infusion_h=2.0), Uptake()),
        (Dosing(cells_in="lung", cell_half_life_h=10.0), Uptake()),
        (Dosing(doses=2, every_h=12.0), Uptake("rat gold", capacity_per_g=0.2, receptors_per_g=0.1)),
    ],
    ids=["injection", "infusions", "cells", "saturable"],
)
def test_mass_balance(dosing, uptake):
    grid = time_grid(dosing, 36.0)
    amounts = courses(dot(ligand="RGD"), dosing, grid, uptake=uptake)
    assert mass_balance_error(amounts, grid, dosing) < 1e-9
    assert amounts.min() > -1e-12


def test_matrix_exponentials_agree_with_an_adaptive_stiff_solver():
    from scipy.integrate import solve_ivp

    found, grid = dot(), time_grid(Dosing(), 24.0)
    matrix = rate_matrix(found)[0]
    start = np.zeros(len(STATES))
    start[PLACE["veins"]] = start[ONE] = 1.0
    solved = solve_ivp(
        lambda _, x: matrix @ x, (0, 24.0), start, method="BDF", jac=matrix, t_eval=grid, rtol=1e-8, atol=1e-12
    )
    ours = courses(found, Dosing(), grid)[:, 0]
    keep = np.arange(len(STATES)) != ONE
    # the solver's own tolerance, with room for its error to add up
    assert np.abs(ours - solved.y.T)[:, keep].max() < 1e-6


@pytest.mark.parametrize("clock", ["", "rat gold"])
def test_repeated_doses_are_the_sum_of_single_ones(clock):
    """Also with uptake that rises in time: on the clock of each dose, not of the experiment."""
    found, uptake = dot(), Uptake(clock)
    repeated = Dosing(doses=3, every_h=12.0)
    grid = time_grid(repeated, 36.0)
    together = courses(found, repeated, grid, uptake=uptake)[-1, 0]
    sum_of_single = np.zeros(len(STATES))
    for start in repeated.starts:
        single = np.unique(np.round(np.concatenate([[0.0], grid[grid > start] - start]), 12))
        sum_of_single += courses(found, Dosing(), single, uptake=uptake)[-1, 0]
    np.testing.assert_allclose(together, sum_of_single, atol=1e-10)


def test_a_full_organ_takes_up_less_and_a_large_capacity_is_none():
    found, dosing = dot(), Dosing()
    grid = time_grid(dosing, 24.0)
    free = organ_share(courses(found, dosing, grid), "liver")[-1, 0]
    wide = organ_share(courses(found, dosing, grid, uptake=Uptake(capacity_per_g=1e9)), "liver")[-1, 0]
    tight = organ_share(courses(found, dosing, grid, uptake=Uptake(capacity_per_g=0.1)), "liver")[-1, 0]
    assert wide == pytest.approx(free, rel=1e-6)
    # 0.1 nmol per g in 1.1 g of liver: it holds at most that, besides what its vessels and tissue hold
    assert tight < 0.12 < free


def test_two_doses_fill_phagocytes_more_than_their_sum():
    found, law = dot(), Uptake(capacity_per_g=0.3)
    one, two = Dosing(), Dosing(doses=2, every_h=12.0)
    grid = time_grid(two, 24.0)
    second = courses(found, two, grid, uptake=law)[-1, 0, PLACE["liver phagocytes"]]
    first = courses(found, one, time_grid(one, 24.0), uptake=law)[-1, 0, PLACE["liver phagocytes"]]
    assert second < 1.9 * first


def test_the_midpoint_rule_is_of_second_order():
    found, dosing = dot(), Dosing()
    grid, law = np.array([0.0, 0.05, 0.2, 0.8, 3.2, 12.8]), Uptake("rat gold", capacity_per_g=0.4)
    fine = courses(found, dosing, grid, uptake=law, substeps=32)[-1, 0]
    errors = [np.abs(courses(found, dosing, grid, uptake=law, substeps=k)[-1, 0] - fine).max() for k in (4, 8)]
    assert 1.7 < math.log2(errors[0] / errors[1]) < 2.6


def test_half_life_is_that_of_one_compartment_where_only_phagocytes_clear():
    values = {name: np.full(1, 1e-9) for name in NAMES} | {"clearance PEG": np.array([0.5])}
    values |= {"sieving half": np.array([3.0]), "sieving width": np.array([0.05])}
    animal = body("mouse", tumour_g=0.0)
    found = rates(animal, values, "PEG", np.array([15.9]))
    grid = time_grid(Dosing(), 24.0)
    amounts = courses(found, Dosing(), grid)
    cleared = 0.5 * animal.mass_g["liver"][0]
    expected = math.log(2) * animal.plasma_ml[0] / cleared
    # tissue that exchanges is left, and the liver sees plasma after the others: 2 % together
    assert half_life_h(amounts, animal, grid, Dosing())[0] == pytest.approx(expected, rel=0.02)


def test_infusion_gives_in_the_end_what_an_injection_gives():
    found = dot()
    slow, fast = Dosing(infusion_h=1.0), Dosing()
    late = [courses(found, one, time_grid(one, 48.0))[-1, 0] for one in (slow, fast)]
    # a little is left of what an hour's delay means for the release from phagocytes
    np.testing.assert_allclose(late[0], late[1], atol=2e-3)
    grid = time_grid(slow, 48.0)
    half_way = int(np.argmin(np.abs(grid - 0.5)))
    assert courses(found, slow, grid)[half_way, 0, PLACE["syringe"]] == pytest.approx(1.0 - grid[half_way], abs=1e-12)


def test_cells_die_with_their_half_life_and_set_their_dots_free_where_they_lie():
    dosing = Dosing(cells_in="lung", cell_half_life_h=24.0)
    grid = time_grid(dosing, 48.0)
    amounts = courses(dot(), dosing, grid)
    assert amounts[-1, 0, PLACE["cells"]] == pytest.approx(0.25)
    blood = courses(dot(), Dosing(cells_in="blood", cell_half_life_h=24.0), grid)
    assert organ_share(amounts, "lung")[-1, 0] > organ_share(blood, "lung")[-1, 0]
    assert math.isnan(half_life_h(amounts, dot().body, grid, dosing)[0])


def test_smaller_dots_pass_the_kidney_and_sieving_falls_smoothly():
    sizes = np.linspace(2.0, 12.0, 60)
    passed = sieving(sizes, np.array(3.9), np.array(0.6))
    assert (np.diff(passed) < 0).all() and passed[0] < 1
    urine = []
    for size in (4.4, 5.5, 8.7):
        found, grid = dot(coat="zwitterion", size=size), time_grid(Dosing(), 4.0)
        urine.append(excreted_percent(courses(found, Dosing(), grid), "urine", Dosing())[-1, 0])
    assert urine[0] > 50 > urine[2]


def test_contents_of_organs_add_up_to_the_dose():
    found, dosing = dot(), Dosing(doses=2, every_h=6.0)
    grid = time_grid(dosing, 24.0)
    amounts = courses(found, dosing, grid)
    total = sum(
        content_percent_per_g(amounts, found.body, organ, dosing)[-1, 0] * found.body.mass_g[organ][0]
        for organ in ORGANS
    )
    total += sum(100 * organ_share(amounts, "plasma")[-1, 0] / 2 for _ in "1")
    total += sum(excreted_percent(amounts, way, dosing)[-1, 0] for way in ("urine", "faeces"))
    assert total == pytest.approx(100.0, abs=1e-7)


def test_drawn_animals_are_whole():
    drawn = body("rat", draws=500, rng=np.random.default_rng(1))
    assert all((drawn.mass_g[organ] > 0).all() and (drawn.flow_ml_h[organ] > 0).all() for organ in ORGANS)
    assert (drawn.central_ml > 0).all()
    # lognormal about the table's value
    assert np.median(drawn.mass_g["liver"]) == pytest.approx(273 * 0.0346, rel=0.03)
