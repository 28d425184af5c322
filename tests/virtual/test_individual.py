"""Drawn animals: keyed chance, plausible spread, sites where they belong."""

import numpy as np
import pytest

from lampyris.metastasis.label import LabelLoss
from lampyris.tissue.anatomy import build_anatomy, organ_names, organ_parts
from lampyris.virtual.design import default_design
from lampyris.virtual.individual import PRIMARY_SITES, Site, draw_individual, site_cells

ANIMALS = [f"m{number:02d}" for number in range(1, 41)]


@pytest.fixture(scope="module")
def design():
    return default_design()


@pytest.fixture(scope="module")
def drawn(design):
    return [draw_individual(design, animal, "targeted", seed=1) for animal in ANIMALS]


def test_draws_do_not_depend_on_order(design, drawn):
    again = {animal: draw_individual(design, animal, "targeted", seed=1) for animal in reversed(ANIMALS[:6])}
    assert [again[animal] for animal in ANIMALS[:6]] == drawn[:6]


@pytest.mark.parametrize("change", ["animal", "seed", "design"])
def test_another_key_is_another_animal(design, change):
    one = draw_individual(design, "m01", "targeted", seed=1)
    other = draw_individual(
        design.model_copy(update={"name": "other"}) if change == "design" else design,
        "m02" if change == "animal" else "m01",
        "targeted",
        seed=2 if change == "seed" else 1,
    )
    assert one.parameters.weight_g != other.parameters.weight_g
    assert one.brightness != other.brightness


def test_more_animals_in_an_arm_leave_the_others_as_they_were(design):
    from lampyris.virtual.individual import arm_of

    arms = {**design.arms, "control": design.arms["control"].model_copy(update={"animals": 6})}
    more = design.model_copy(update={"arms": arms})
    for animal, arm, _ in arm_of(design):
        assert draw_individual(more, animal, arm, seed=1) == draw_individual(design, animal, arm, seed=1)


def test_controls_carry_nothing(design):
    control = draw_individual(design, "m16", "control", seed=1)
    assert control.sites == ()
    assert (control.probe, control.inoculation) == ("", "none")
    assert (control.trapped_cells, control.injection_cells) == (0.0, 0.0)


def test_sites(design, drawn):
    counts = set()
    for who in drawn:
        primary, *others = who.sites
        counts.add(len(others))
        assert primary.organ == who.inoculation in PRIMARY_SITES
        assert primary.arrival_day == 0.0
        assert [site.number for site in who.sites] == list(range(1, len(who.sites) + 1))
        organs = [site.organ for site in others]
        assert len(set(organs)) == len(organs)
        assert set(organs) <= set(organ_names())
        low, high = design.world.secondary_cells
        assert all(low <= site.cells <= high and site.arrival_day > 0 for site in others)
        for index, one in enumerate(who.sites):
            for two in who.sites[:index]:
                apart = np.hypot(one.position_mm[1] - two.position_mm[1], one.position_mm[2] - two.position_mm[2])
                assert apart >= design.world.site_distance_mm
    assert counts == {1, 2}
    assert {who.inoculation for who in drawn} == set(PRIMARY_SITES)


def test_sites_lie_in_their_organs_and_the_primary_under_the_belly_s_skin(drawn):
    for who in drawn[:12]:
        anatomy = build_anatomy(who.parameters, voxel_mm=1.0)
        axes = anatomy.coordinates()
        for site in who.sites:
            # the drawing grid is the same: the voxel that holds the site
            index = tuple(int(np.argmin(np.abs(axis - at))) for axis, at in zip(axes, site.position_mm, strict=True))
            assert anatomy.inside[index]
            if site.number > 1:
                assert anatomy.region(site.organ)[index]
            else:
                depth = anatomy.depth_mm(side="bottom")[index]
                assert 0.5 <= depth <= 3.0
                side = -1.0 if site.organ.startswith("right") else 1.0
                assert side * site.position_mm[2] > 5.0


def test_animals_are_of_a_mouse_s_size_and_vary(drawn):
    weights = np.array([who.parameters.weight_g for who in drawn])
    assert weights.min() >= 17.0
    assert weights.max() <= 28.0
    # 40 draws of 22 +- 1.5 g: mean to 0.24, sd to 0.17; four of each
    assert weights.mean() == pytest.approx(22.0, abs=1.0)
    assert weights.std() == pytest.approx(1.5, abs=0.7)
    spread = np.array([who.parameters.length_scale for who in drawn])
    assert spread.std() == pytest.approx(0.025, rel=0.5)


def test_organs_move_and_grow_by_their_tabulated_spread(drawn):
    for part in organ_parts():
        along = np.array([who.parameters.shift_mm[part.organ, part.part][1] for who in drawn])
        # sd of 40 values is known to 11 %; four of those, for 22 parts
        assert along.std() == pytest.approx(part.shift_sd_mm, rel=0.45)
        grown = np.log([who.parameters.volume_scale[part.organ] for who in drawn])
        largest = max(one.volume_relative_sd for one in organ_parts() if one.organ == part.organ)
        assert grown.std() == pytest.approx(largest, rel=0.45)


def test_optics_vary_and_can_be_held(design, drawn):
    liver = np.log([who.optics_scale["liver"][0] for who in drawn])
    assert 0.1 < liver.std() < 0.8
    still = design.model_copy(
        update={"world": design.world.model_copy(update={"optics_spread": 0.0, "anatomy_spread": 0.0})}
    )
    who = draw_individual(still, "m01", "targeted", seed=1)
    assert set(who.optics_scale.values()) == {(1.0, 1.0)}
    assert set(who.parameters.volume_scale.values()) == {1.0}
    assert all(np.allclose(shift, 0.0) for shift in who.parameters.shift_mm.values())


def test_cells_of_a_site_on_a_day():
    loss = LabelLoss(0.0, 1.0, 10.0, 0.1)
    site = Site(2, "liver", (0.0, 0.0, 0.0), 5.0, 1000.0, 0.6)
    assert site_cells(site, loss, 4.9, dose_j_cm2=0.0) == 0.0
    # the label is lost from the day of labelling, not of arrival
    assert site_cells(site, loss, 10.0, dose_j_cm2=0.0) == pytest.approx(500.0)
    assert site_cells(site, loss, 10.0, dose_j_cm2=10.0) == pytest.approx(500.0 * np.exp(-1.0))
