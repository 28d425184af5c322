"""Signals that are no lesion: the bladder of dyes, food in the gut, things on the skin."""

from dataclasses import replace

import numpy as np
import pytest

from lampyris.imaging.body.animal import stage_from_animal
from lampyris.metastasis.label import LabelLoss, label_retention
from lampyris.probe.probe import band_fractions, probe_from_settings
from lampyris.tissue.anatomy import build_anatomy
from lampyris.virtual.design import default_design
from lampyris.virtual.individual import arm_of, draw_individual
from lampyris.virtual.scene import build_scene, excreted_share
from lampyris.virtual.simulate import _amounts, simulate_study
from lampyris.virtual.truth import lesion_image, read_truth, source_images


def world(design, **changes):
    return design.model_copy(update={"world": design.world.model_copy(update=changes)})


@pytest.fixture(scope="module")
def busy():
    """A design in which every session has food and an artefact, on a coarse grid."""
    return world(default_design(), food_spot_probability=1.0, artefact_probability=1.0, voxel_mm=1.2)


@pytest.fixture(scope="module")
def control(busy):
    who = draw_individual(busy, "m16", "control", seed=1)
    return who, build_scene(busy, who, seed=1)


def test_the_default_study_has_none():
    design = default_design()
    assert design.world.food_spot_probability == design.world.artefact_probability == 0.0
    for animal, arm, _ in arm_of(design):
        assert draw_individual(design, animal, arm, seed=1).strays == ()


@pytest.mark.parametrize("arm", ["targeted", "dye", "control"])
def test_no_other_draw_depends_on_them(busy, arm):
    plain = world(busy, food_spot_probability=0.0, artefact_probability=0.0)
    who = draw_individual(busy, "m03", arm, seed=1)
    assert len(who.strays) == 2 * len(busy.days)
    assert replace(who, strays=()) == draw_individual(plain, "m03", arm, seed=1)
    # nor one session's on the others
    fewer = busy.model_copy(update={"days": busy.days[2:]})
    assert draw_individual(fewer, "m03", arm, seed=1).strays == who.strays[4:]


def test_they_come_as_often_as_said():
    design = world(default_design(), food_spot_probability=0.3, artefact_probability=0.1)
    names = [s.name for n in range(200) for s in draw_individual(design, f"x{n}", "control", seed=1).strays]
    # 1000 sessions know 0.3 to 0.0145 and 0.1 to 0.0095: four of those
    assert sum(name.startswith("food") for name in names) / 1000 == pytest.approx(0.3, abs=0.058)
    assert sum(name.startswith("artefact") for name in names) / 1000 == pytest.approx(0.1, abs=0.038)


def test_food_lies_in_the_gut_and_artefacts_on_the_skin(busy):
    for number in range(6):
        who = draw_individual(busy, f"m{number:02d}", "control", seed=1)
        anatomy = build_anatomy(who.parameters, voxel_mm=1.0)
        for stray in who.strays:
            index = tuple(
                int(np.argmin(np.abs(axis - at)))
                for axis, at in zip(anatomy.coordinates(), stray.position_mm, strict=True)
            )
            organs = ("gut", "stomach") if stray.name.startswith("food") else ("skin",)
            assert any(anatomy.region(organ)[index] for organ in organs)


def test_each_glows_in_its_own_session_alone(busy, control):
    who, scene = control
    assert scene.sources == tuple(stray.name for stray in who.strays)
    for day in busy.days:
        amounts = _amounts(busy, who, day, 0.0)
        assert tuple(amounts) == scene.sources
        lit = {name: amount for name, amount in amounts.items() if amount > 0}
        assert lit == {stray.name: stray.strength for stray in who.strays if stray.day == day}
        assert len(lit) == 2


def test_an_artefact_lies_in_one_view_and_is_as_bright_as_said(busy, control):
    who, scene = control
    # the draw's own factor on the level, and none of its texture
    level = busy.world.autofluorescence_radiance * busy.instrument.excitation_mw_per_cm2 * who.autofluorescence
    for stray in who.strays:
        if stray.name.startswith("artefact"):
            maps = scene.probe[scene.sources.index(stray.name)].sum(axis=1)
            view = busy.views.index(stray.view)
            assert maps[1 - view].max() == 0.0
            # a spot of 0.5 mm may peak between the places of a 1.2 mm grid, or at the animal's edge
            assert 0.1 * level < maps[view].max() <= level * (1 + 1e-12)


def test_the_colour_of_food_lies_between_autofluorescence_and_the_probe(busy, control):
    who, _ = control
    bands = busy.instrument.bands
    name, first = next(iter(busy.probes.items()))
    probe = band_fractions(probe_from_settings(name, first), bands)
    own = np.array([band.autofluorescence for band in bands])
    food = next(stray for stray in who.strays if stray.name.startswith("food"))

    def colour(share):
        scene = build_scene(busy, replace(who, strays=(replace(food, colour=share),)), seed=1)
        return scene.probe[0].sum(axis=(0, 2, 3))

    ends = colour(0.0), colour(1.0)
    # tissue tints both alike on the way out
    assert (ends[1] / ends[0]) / (ends[1] / ends[0])[0] == pytest.approx(
        (probe / own) / (probe / own)[0], rel=1e-6
    )  # the solver's tolerance
    assert colour(0.5) == pytest.approx(0.5 * (ends[0] + ends[1]), rel=1e-6)


@pytest.mark.parametrize(("arm", "share"), [("dye", 0.03), ("targeted", 0.0), ("control", 0.0)])
def test_only_dyes_pass_the_kidney(arm, share):
    design = default_design()
    assert excreted_share(design, draw_individual(design, "m01", arm, seed=1)) == share


def test_the_bladder_holds_a_share_of_what_was_freed_within_a_day():
    design = default_design()
    who = draw_individual(design, "m11", "dye", seed=1)
    loss = LabelLoss(**design.losses["dye"].model_dump())
    for day in (0.0, 0.5, 3.0, 21.0):
        freed = label_retention(max(day - 1.0, 0.0), loss) - label_retention(day, loss)
        found = _amounts(design, who, day, 5.0)["bladder"]
        # light frees no label; differences of numbers near 1e6 keep ten digits
        assert found == pytest.approx(
            design.world.freed_to_bladder_share * who.sites[0].cells * float(freed), rel=1e-8, abs=1e-6
        )


def test_without_a_share_there_is_no_source_to_solve_for():
    design = world(default_design(), freed_to_bladder_share=0.0, voxel_mm=2.0)
    who = draw_individual(design, "m11", "dye", seed=1)
    assert "bladder" not in build_scene(design, who, seed=1).sources
    assert "bladder" not in _amounts(design, who, 3.0, 0.0)


def test_the_truth_names_them(tmp_path, busy):
    name = "dye"
    design = busy.model_copy(
        update={
            "arms": {
                name: busy.arms[name].model_copy(update={"animals": 1}),
                "control": busy.arms["control"].model_copy(update={"animals": 1}),
            },
            "days": busy.days[:2],
            "views": ("ventral",),
        }
    )
    labelled, control = read_truth(simulate_study(tmp_path / "study", seed=1, design=design).truth).animals
    assert labelled.sources["bladder"]["d03"] > labelled.sources["bladder"]["d00"] == 0.0
    assert {"food d00", "food d03", "artefact d00", "artefact d03"} <= set(labelled.sources)
    assert set(control.sources) == {"food d00", "food d03", "artefact d00", "artefact d03"}
    assert control.sources["food d00"]["d03"] == 0.0 < control.sources["food d00"]["d00"]
    assert control.lesions == ()


def test_the_truth_says_where_they_lie_and_what_unmixing_makes_of_them(tmp_path, busy):
    design = busy.model_copy(
        update={"arms": {"dye": busy.arms["dye"].model_copy(update={"animals": 1})}, "days": busy.days[:2]}
    )
    truth = read_truth(simulate_study(tmp_path / "study", seed=1, design=design).truth)
    (animal,) = truth.animals
    who = draw_individual(design, "m01", "dye", seed=1)
    assert set(animal.places) == set(animal.sources)
    for stray in who.strays:
        assert animal.places[stray.name] == stray.position_mm
    anatomy = build_anatomy(who.parameters, voxel_mm=design.world.voxel_mm)
    middle = [
        points[index].mean()
        for points, index in zip(anatomy.coordinates(), np.nonzero(anatomy.region("bladder")), strict=True)
    ]
    assert animal.places["bladder"] == pytest.approx(middle)
    images = source_images(truth, animal, "d00", "ventral")
    # what is not there on a day sends no light
    assert "food d00" in images and "food d03" not in images and "bladder" not in images
    later = source_images(truth, animal, "d03", "ventral")
    assert later["lesion 1"] == pytest.approx(lesion_image(truth, animal, 0, "d03", "ventral"))
    # order of the maps is that of the names, in memory and on disk: light of the bladder lies over the bladder
    at = np.unravel_index(np.argmax(later["bladder"]), later["bladder"].shape)
    y, x = stage_from_animal(animal.poses["d03"]["ventral"], np.array(middle[1]), np.array(-middle[2]))
    # light leaves a deep source where its cover is thinnest, within its depth
    assert np.hypot(at[0] * truth.pixel_mm - y, at[1] * truth.pixel_mm - x) < 4.0
    # an artefact may lean away from the probe's colour
    assert all((later[name] >= 0).all() for name in ("lesion 1", "bladder", "halo"))
