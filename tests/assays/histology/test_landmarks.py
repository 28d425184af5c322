"""Sections laid on organs: exact cases, mirrored and stretched ones, how sure, and what is refused or suspected."""

import math

import numpy as np
import pytest

from lampyris.assays.histology.landmarks import LandmarkError, place_on_organ, register_section, suspects

PLACES = {"a": (0.0, 0.1), "b": (0.9, 0.0), "c": (0.1, 1.0), "d": (1.0, 0.8), "e": (0.4, 0.5)}
TURN = np.array([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])


def carried(matrix, shift=(12.0, 7.0), places=PLACES, noise=0.0, seed=1):
    rng = np.random.default_rng(seed)
    return {k: tuple(matrix @ np.array(p) + shift + rng.normal(0.0, noise, 2)) for k, p in places.items()}


@pytest.mark.parametrize(
    ("matrix", "model", "mirrored"),
    [
        (1.1 * TURN, "similarity", False),
        (0.9 * TURN @ np.diag([1.0, -1.0]), "similarity", True),
        (TURN @ np.array([[1.2, 0.1], [0.0, 0.9]]), "affine", False),
        (TURN @ np.array([[1.2, 0.1], [0.0, -0.9]]), "affine", True),
    ],
)
def test_exact_landmarks_give_the_exact_position(matrix, model, mirrored):
    found = register_section(PLACES, carried(matrix), middle_mm=(0.5, 0.5), model=model)
    assert np.allclose(found.matrix, matrix) and np.allclose(found.shift_mm, (12.0, 7.0))
    assert found.mirrored is mirrored and found.residual_mm == pytest.approx(0.0, abs=1e-12)
    assert place_on_organ(found, (0.2, 0.3)) == pytest.approx(tuple(matrix @ [0.2, 0.3] + [12.0, 7.0]))


def test_stated_uncertainty_is_the_scatter_of_the_middle():
    noise, errors, stated = 0.05, [], []
    for seed in range(300):
        found = register_section(PLACES, carried(TURN, noise=noise, seed=seed), middle_mm=(0.5, 0.5))
        errors.append(np.array(found.middle_mm) - (TURN @ [0.5, 0.5] + [12.0, 7.0]))
        stated.append(found.sd_mm**2)
    # five landmarks, 600 axes: the ratio of variances is known to about a tenth
    assert np.mean(stated) == pytest.approx(np.mean(np.square(errors)), rel=0.15)


def test_as_many_landmarks_as_terms_leave_no_uncertainty():
    three = {k: PLACES[k] for k in "abc"}
    found = register_section(three, carried(TURN, places=three), middle_mm=(0.5, 0.5), model="affine")
    assert math.isnan(found.sd_mm) and math.isnan(found.residual_mm)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ({"a": (0.0, 0.0), "b": (1.0, 1.0)}, "2 landmarks"),
        ({"a": (0.0, 0.0), "b": (0.0, 0.0), "c": (1.0, 1.0)}, "different places"),
        ({"a": (0.0, 0.0), "b": (0.5, 0.501), "c": (1.0, 1.0), "d": (2.0, 2.0)}, "on a line"),
        ({}, "0 landmarks"),
    ],
)
def test_landmarks_that_fix_nothing_are_refused(places, words):
    with pytest.raises(LandmarkError, match=words):
        register_section(places, carried(TURN, places=places), middle_mm=(0.5, 0.5))


def test_names_of_one_image_alone_do_not_count():
    organ = carried(TURN)
    organ["bb"] = organ.pop("b")
    assert register_section(PLACES, organ, middle_mm=(0.5, 0.5)).landmarks == ("a", "c", "d", "e")


def test_a_slip_of_typing_is_suspected_and_care_is_not():
    organ = carried(TURN, noise=0.01)
    assert suspects(PLACES, organ) == {}
    organ["d"] = (organ["d"][0] + 3.0, organ["d"][1])
    found = suspects(PLACES, organ)
    assert max(found, key=found.get) == "d" and found["d"] == pytest.approx(3.0, rel=0.1)
