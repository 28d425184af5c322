"""What a source is taken for: named cases of place and time course, with the likelihood of one voxel."""

from dataclasses import replace

import numpy as np
import pytest

from lampyris.core.flags import DetectionKind
from lampyris.imaging.following.kinds import ARTEFACTS_PER_SESSION, Setting, TimeCourse, control_rate, weigh_kinds
from lampyris.imaging.following.localise import Likelihood
from lampyris.imaging.light.light_table import light_table
from lampyris.probe.probe import probe_from_settings
from lampyris.virtual.design import default_design

INF = float("inf")
SETTING = Setting("left mammary fat pad")
STAYING = TimeCourse(3.0, 7.0, False, 2, 0, (7.0, 14.0, 21.0), 5)
FROM_START = TimeCourse(-INF, 0.0, True, 4, 0, (0.0, 3.0, 7.0, 14.0, 21.0), 5)
ONCE = TimeCourse(3.0, 7.0, False, 0, 2, (7.0,), 5)
FIRST_DAY = TimeCourse(-INF, 0.0, True, 0, 4, (0.0,), 5)
# (z, y, x) in the nominal animal, course, setting, expected kind, expected organ (None: not asked)
CASES = {
    "where the cells were put, from the start": ((-5.0, 71.8, 9.0), FROM_START, SETTING, "primary", "left mammary fat pad"),
    "the same place without an inoculation": ((-5.0, 71.8, 9.0), FROM_START, Setting("none"), "lesion", None),
    "in the liver, later, staying": ((-2.0, 47.0, -4.0), STAYING, SETTING, "lesion", "liver"),
    "in the lung, later, staying": ((1.5, 34.0, 4.3), STAYING, SETTING, "lesion", "lungs"),
    "in the lung on the first day, gone after": ((1.5, 34.0, 4.3), FIRST_DAY, SETTING, "lung trapping", None),
    "on the skin once, though it would be seen": ((8.0, 60.0, 3.0), ONCE, SETTING, "artefact", None),
    "in the bladder, coming and going": ((-3.6, 81.4, 0.0), replace(ONCE, seen=1, missed=1), SETTING, "bladder", None),
    "beside the primary, from the start": ((-4.5, 62.0, 8.0), FROM_START, SETTING, "halo of the primary", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def table():
    design = default_design()
    return light_table(design.instrument, probe_from_settings("targeted-dot", design.probes["targeted-dot"]))


def at(table, place, sd_mm=1.0):
    """A likelihood that is Gaussian about a place."""
    squared = ((table.points_mm - np.array(place)) ** 2).sum(axis=1)
    count = len(squared)
    return Likelihood(np.arange(count), -0.5 * squared / sd_mm**2, np.zeros(count), np.full(count, 0.3))


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_cases(table, case):
    place, course, setting, kind, organ = case
    verdict = weigh_kinds(table, at(table, place), course, setting)
    assert next(iter(verdict.kinds)) == kind
    assert organ is None or next(iter(verdict.organs)) == organ
    assert verdict.reasons


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_probabilities(table, case):
    place, course, setting, *_ = case
    verdict = weigh_kinds(table, at(table, place), course, setting)
    for shares in (verdict.kinds, verdict.organs):
        assert sum(shares.values()) == pytest.approx(1.0)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert set(verdict.kinds) <= {kind.value for kind in DetectionKind}
    assert verdict.place_weight.sum() == pytest.approx(1.0)
    assert (verdict.place_weight >= 0).all()


def test_a_place_between_two_organs_is_not_certain(table):
    # between right liver lobe and right lung
    verdict = weigh_kinds(table, at(table, (-0.5, 41.0, -4.2), sd_mm=2.5), STAYING, SETTING)
    assert next(iter(verdict.organs.values())) < 0.95


def test_controls_that_show_spots_make_artefacts_likelier(table):
    found = at(table, (8.0, 60.0, 3.0))
    shares = [
        weigh_kinds(table, found, replace(ONCE, missed=1), setting).kinds["artefact"]
        for setting in (SETTING, replace(SETTING, artefacts_per_session=0.5), replace(SETTING, control_spots_near=3))
    ]
    assert shares[0] < shares[1]
    assert shares[0] < shares[2]


def test_in_the_gut_what_controls_show_may_be_food(table):
    found = at(table, (-3.0, 60.0, 0.0))
    plain, shown = (weigh_kinds(table, found, ONCE, replace(SETTING, control_spots_near=n)).kinds for n in (0, 2))
    assert shown["gut and food"] > plain["gut and food"] > shown["lesion"]


def test_where_no_day_is_known_a_tumour_shows_in_a_session_by_chance_like_the_rest(table):
    """Without a primary neither lesions nor artefacts have days: how long a study went on says nothing of which it is."""
    once = TimeCourse(3.0, 7.0, False, 0, 0, (7.0,), 2)
    found = at(table, (-3.0, 60.0, 0.0))
    short, long = (weigh_kinds(table, found, replace(once, sessions=count), Setting("none")).kinds for count in (2, 8))
    # artefacts alone are stated per session, and so grow with the sessions against all that is stated per animal
    ratio = [kinds["lesion"] / kinds["gut and food"] for kinds in (short, long)]
    assert ratio[0] == pytest.approx(ratio[1])
    assert long["artefact"] / long["lesion"] == pytest.approx(4.0 * short["artefact"] / short["lesion"])


@pytest.mark.parametrize(("spots", "sessions", "rate"), [(0, 0, ARTEFACTS_PER_SESSION), (0, 19, 0.001), (9, 8, 1.0)])
def test_rate_of_controls(spots, sessions, rate):
    # the expectation counts as one session
    assert control_rate([(0.0, 0.0)] * spots, sessions) == pytest.approx(rate, rel=0.01)
