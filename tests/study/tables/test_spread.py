"""The tables of what was followed: every cell of a known animal, and columns where nothing was."""

import math
from dataclasses import replace

import numpy as np
import pytest
from cheap_step import detection, endpoints_of, estimate, flux_of, lesion, sighting, view_result

from lampyris.core.estimate import Estimate
from lampyris.core.lesions import OrganActivity, Reach
from lampyris.core.study import AnimalOutcome, RunRecord, SessionResult, StudyResults
from lampyris.study.tables.study import study_tables

NOTHING = StudyResults("", "", False, {}, (), (), (), (), (), RunRecord("", "", {}, {}, {}, ""))
TABLES = ("lesions", "sightings", "endpoints", "onsets", "burden", "route", "activities", "washout", "reach")


@pytest.fixture(scope="module")
def tables():
    found = (
        lesion(1, [sighting("d00", 0.0, (), value=0.0), sighting("d07", 7.0, [("dorsal", 2), ("ventral", 1)])]),
        lesion(
            2,
            [sighting("d00", 0.0, [("dorsal", 1)]), sighting("d07", 7.0, [("dorsal", 2)], shared_with=(1,))],
            organ="lungs",
        ),
    )
    spread = replace(
        endpoints_of((0.0, 7.0), found),
        activities=(OrganActivity("liver", 7.0, flux_of(3.0), estimate(2.0, unit="1")),),
        washout_half_life={"liver": estimate(4.0, unit="d")},
    )
    done = AnimalOutcome(
        "m1", "arm", "done", "", (0.0, 7.0), (flux_of(1.0),) * 2, (False,) * 2, (1, 1), lesions=found, endpoints=spread
    )
    failed = AnimalOutcome("m2", "arm", "failed", "blurred", (), (), (), ())
    image = np.ones((1, 8, 8), np.float32)
    sessions = tuple(
        SessionResult(
            "m1",
            name,
            day,
            "",
            "arm",
            "qd",
            (
                view_result(
                    "dorsal",
                    image,
                    channels=("b1",),
                    detections=(detection(1, 5.0), detection(2, 4.0), detection(3, 3.0)),
                ),
            ),
        )
        for name, day in (("d00", 0.0), ("d07", 7.0))
    )
    share = Estimate(0.5, math.nan, 0.01, 0.99, 0.95, "1", "2 animals")
    reached = Reach("arm", "liver", 1, (0.0, 7.0), (share, share), (1.0, 0.5))
    return study_tables(replace(NOTHING, sessions=sessions, outcomes=(failed, done), reach=(reached,)))


def test_lesions(tables):
    values, units, types = tables["lesions"]
    assert values["lesion"] == [1, 2]
    assert values["organ"] == ["liver", "lungs"]
    assert values["organ_probability"] == [0.625, 0.625]
    assert (values["second_organ"], values["second_organ_probability"]) == (["spleen"] * 2, [0.25] * 2)
    assert values["kind_probability"] == [0.75, 0.75]
    assert [values[f"{axis}_mm"][0] for axis in "zyx"] == [5.0, 40.0, -2.0]
    assert (values["z_mm_sd"][0], values["z_mm_low"][0], values["z_mm_high"][0]) == (1.0, 3.0, 7.0)
    assert (values["after_day"], values["by_day"]) == ([-math.inf] * 2, [7.0, 0.0])
    assert (values["last_day"], values["lost_by_day"]) == ([7.0, 7.0], [math.inf, math.inf])
    assert values["split_from"] == [None, None]
    assert values["reasons"][0] == "bright; fades"
    assert (units["z_mm"], units["half_life_days"], types["lesion"]) == ("mm", "d", "integer")


def test_sightings(tables):
    values, units, _ = tables["sightings"]
    assert list(zip(values["lesion"], values["session"], values["seen"], strict=True)) == [
        (1, "d00", False),
        (1, "d07", True),
        (2, "d00", True),
        (2, "d07", True),
    ]
    assert values["detections"] == ["", "dorsal 2, ventral 1", "dorsal 1", "dorsal 2"]
    assert values["shared_with"] == ["", "", "", "1"]
    assert units["cells"] == "labelled-cell equivalents at injection"
    # no prior, no number
    assert all(math.isnan(value) for part in ("", "_sd", "_low", "_high") for value in values[f"current_cells{part}"])


def test_a_detection_names_the_lesion_that_owns_it(tables):
    values = tables["detections"][0]
    rows = list(zip(values["session"], values["number"], values["lesion"], strict=True))
    assert rows == [
        ("d00", 1, 2),
        ("d00", 2, None),
        ("d00", 3, None),
        ("d07", 1, None),
        # shared by two: the first
        ("d07", 2, 1),
        ("d07", 3, None),
    ]


def test_spread(tables):
    assert tables["endpoints"][0]["sites"] == [2]
    assert tables["onsets"][0]["organ"] == ["liver"]
    burden = tables["burden"][0]
    assert (burden["session"], burden["day"], burden["burden"]) == (["d00", "d07"], [0.0, 7.0], [20.0, 20.0])
    route = tables["route"][0]
    assert list(zip(route["source"], route["target"], route["lesion"], strict=True)) == [
        ("tail vein", "liver", 1),
        ("tail vein", "lungs", 2),
    ]
    assert tables["activities"][0]["ratio_to_background"] == [2.0]
    assert tables["washout"][0]["half_life_days"] == [4.0]
    reach = tables["reach"][0]
    assert (reach["day"], reach["reached_high"], reach["possible"]) == ([0.0, 7.0], [0.99, 0.99], [1.0, 0.5])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_keeps_its_columns(tables, name):
    values, units, types = study_tables(NOTHING)[name]
    assert list(values) == list(tables[name][0])
    assert all(rows == [] for rows in values.values())
    assert (units, types) == tables[name][1:]
