"""What followed sources were taken for, on a flat animal whose sources are round spots of known light."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_nouns import (
    PIXEL_MM,
    detection,
    estimate,
    followed,
    outcome,
    session,
    sighting,
    true_animal,
    true_lesion,
    truth_of,
    view_result,
)

from lampyris.core.flags import DetectionKind
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.trial.score_kinds import KIND_OF_SOURCE, TRUE_KINDS, confusion, kind_figures, score_kinds

DAYS = {"d00": 0.0, "d07": 7.0}
# name: place (y, x) on the stage, true kind
SOURCES = {
    "lesion 1": ((10.0, 20.0), "primary"),
    "lesion 2": ((10.0, 40.0), "lesion"),
    "food d07": ((30.0, 20.0), "gut"),
    "artefact d07": ((30.0, 40.0), "artefact"),
    "bladder": ((50.0, 30.0), "bladder"),
}
# a spot of unit peak and variance 2 mm2, as the synthetic animal's lesions
FLUX = lambertian_flux(2.0 * np.pi * 2.0 / PIXEL_MM**2, PIXEL_MM)


def animal():
    lesions = [
        true_lesion(number, "liver", (0.0, 10.0, left), dict.fromkeys(DAYS, 1.0))
        for number, left in ((1, 10.0), (2, -10.0))
    ]
    bare = true_animal(*lesions, sessions=tuple(DAYS))
    others = {name: place for name, (place, _) in SOURCES.items() if not name.startswith("lesion")}
    # the maps run to the animal's left, the stage to its right
    y, x = np.indices(bare.maps.shape[2:]) * PIXEL_MM
    maps = [np.exp(-0.5 * ((y - at[0]) ** 2 + (60.0 - x - at[1]) ** 2) / 2.0) for at in others.values()]
    return replace(
        bare,
        sources={name: {"d00": 0.0 if name.endswith("d07") else 1.0, "d07": 1.0} for name in others},
        places={name: (0.0, at[0], 30.0 - at[1]) for name, at in others.items()},
        other_maps=np.array(maps, np.float32)[:, None],
    )


def cases_of(spots, kinds, *, flux=FLUX):
    """One followed source per spot of d07, called by its kind."""
    found = [replace(detection(n, *at), flux=estimate(flux, 0.1 * flux)) for n, at in enumerate(spots, 1)]
    sessions = [session(name, day, view_result("dorsal", found if name == "d07" else [])) for name, day in DAYS.items()]
    lesions = [
        followed(n, (sighting("d00", 0.0), sighting("d07", 7.0, ("dorsal", n))), kind=kind)
        for n, kind in enumerate(kinds, 1)
    ]
    return score_kinds(iter(sessions), truth_of(animal()), outcomes=[outcome(lesions)])


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_under_the_spot_explains_it(name):
    place, kind = SOURCES[name]
    (case,) = cases_of([place], ["lesion"])
    assert (case.source, case.true) == (name, kind)
    assert (case.spots, case.sessions, case.stated) == (1, 1, "lesion")


CHANCE = {
    "nothing lies there": ((50.0, 10.0), FLUX),
    "what lies there is far too faint": (SOURCES["bladder"][0], 100.0 * FLUX),
}


@pytest.mark.parametrize("case", CHANCE.values(), ids=list(CHANCE))
def test_what_nothing_explains_is_chance(case):
    place, flux = case
    (found,) = cases_of([place], ["artefact"], flux=flux)
    assert (found.source, found.true, found.right) == ("", "chance", True)


def test_a_source_that_is_not_lit_explains_nothing():
    food = detection(1, *SOURCES["food d07"][0])
    early = session("d00", 0.0, view_result("dorsal", [replace(food, flux=estimate(FLUX, 0.1 * FLUX))]))
    lesion = followed(1, (sighting("d00", 0.0, ("dorsal", 1)),))
    (case,) = score_kinds([early], truth_of(animal()), outcomes=[outcome([lesion])])
    assert case.true == "chance"


def test_every_kind_of_detection_may_be_true():
    assert {kind.name.lower() for kind in DetectionKind} == set(TRUE_KINDS) - {"chance"}
    assert set(KIND_OF_SOURCE.values()) | {DetectionKind.LESION, DetectionKind.PRIMARY} == set(DetectionKind)


def test_figures_are_counted():
    """A primary, a lesion, food and a spot of chance, all called tumours but for the last: two tumours of three calls."""
    spots = [SOURCES[name][0] for name in ("lesion 1", "lesion 2", "food d07")] + [(50.0, 10.0)]
    cases = cases_of(spots, ["primary", "lesion", "lesion", "artefact"])
    assert confusion(cases) == {
        ("chance", "artefact"): 1, ("gut", "lesion"): 1, ("lesion", "lesion"): 1, ("primary", "primary"): 1,
    }  # fmt: skip
    figures = kind_figures(cases)
    assert (figures["kind_accuracy"], figures["kind_accuracy_n"]) == (0.75, 4)
    assert figures["tumour_precision"] == figures["tumour_precision_of_spots"] == pytest.approx(2 / 3)
    assert figures["tumour_recall"] == 1.0
    assert (figures["named_gut"], figures["tumour_gut"], figures["spots_gut"]) == (0.0, 1.0, 0.25)
    # each kind was stated with certainty
    assert figures["kind_confidence_gap"] == figures["tumour_confidence_gap"] == pytest.approx(0.25)
    assert figures["named_bladder"] is None and figures["spots_bladder"] == 0.0


def test_no_cases_are_no_figures():
    figures = kind_figures(())
    assert {value for name, value in figures.items() if not name.endswith("_n")} == {None}
