"""Arms compared on organs: what is compared, what is censored, and what is left out."""

import math

import numpy as np
import pytest

from lampyris.core.assays import OrganFlag, OrganResult
from lampyris.core.design import Exclusion
from lampyris.core.estimate import Estimate
from lampyris.core.settings import Band, Group, Instrument, ProbeSettings, StudyInfo, StudySettings
from lampyris.study.exvivo.comparing import LOWER_BOUND, NO_SHARE, compare_organs

ARMS = {"one": 1.0, "two": 4.0}
ANIMALS = 5


@pytest.fixture(scope="module")
def settings():
    """Two labelled arms and a control."""
    instrument = Instrument(
        pixel_mm=0.5, gain_e_per_count=1.0, read_noise_e=2.0, radiance_per_rate=1.0, excitation_nm=745, excitation_mw_per_cm2=10,
        bands=[Band(channel="b1", centre_nm=780, width_nm=20, autofluorescence=1.0, leakage=0.0),
               Band(channel="b2", centre_nm=820, width_nm=20, autofluorescence=0.5, leakage=0.0)],
    )  # fmt: skip
    probe = ProbeSettings(emission_nm=800, fwhm_nm=45, molar_extinction_per_m_cm=1e6, quantum_yield=0.4, per_cell=1e5)
    groups = {name: Group(title=name, probe="dot") for name in ARMS} | {
        "control": Group(title="control", role="control")
    }
    return StudySettings(study=StudyInfo(name="made up"), instrument=instrument, probes={"dot": probe}, groups=groups)


def estimate(value, high, unit="%ID/g"):
    return Estimate(value, 0.1 * value, 0.7 * value, high, 0.95, unit, "made up")


def organ(animal, group, name, value, *, high=None, flags=()):
    share = estimate(value, 1.4 * value if high is None else high)
    return OrganResult(
        animal=animal, organ=name, group=group, probe="dot", file="tray.ome.tiff", place=1, tissue=name, outline_mm=(),
        area_mm2=1.0, y_mm=0.0, x_mm=0.0, weight_g=estimate(1.0, 1.1, "g"), thickness_mm=3.0, flux=estimate(1e8, 1.2e8, "ph s-1"),
        tray_flux=0.0, escape=estimate(0.5, 0.6, "1"), amount=estimate(1.0, 1.2, "pmol"), unit="pmol", percent_dose=share,
        percent_dose_per_gram=share, surface_percent_dose_per_gram=share, flags=flags,
    )  # fmt: skip


def organs(name, *, factor=1.0, change=lambda one: one):
    rng = np.random.default_rng(5)
    return [
        change(organ(f"{arm}{k}", arm, name, mean * factor ** (arm == "two") * math.exp(rng.normal(0, 0.3))))
        for arm, mean in ((arm, ARMS[arm] if factor == 1.0 else 1.0) for arm in ARMS)
        for k in range(ANIMALS)
    ]


def test_each_organ_is_compared_over_animals_and_adjusted_over_organs(settings):
    controls = [organ("c1", "control", "liver", math.nan)]
    liver, spleen = compare_organs([*organs("liver"), *organs("spleen", factor=1.0), *controls], settings)
    assert (liver.endpoint, liver.unit, liver.experimental_unit) == ("log10 %ID/g of liver", "log10(%ID/g)", "animal")
    assert liver.test.startswith("Welch") and liver.design.n == (ANIMALS, ANIMALS)
    (pair,) = liver.pairs
    assert pair.difference.low < math.log10(ARMS["one"] / ARMS["two"]) < pair.difference.high
    assert liver.adjustment == "Holm over 2 organs" and liver.p_adjusted == pytest.approx(2 * liver.p)
    assert spleen.p_adjusted >= spleen.p


def test_what_is_not_told_from_nothing_is_censored_never_zero(settings):
    def dim(one):
        if one.animal not in ("one0", "one1"):
            return one
        return organ(one.animal, one.group, one.organ, 0.3, high=0.5, flags=(str(OrganFlag.FAINT),))

    (made,) = compare_organs(organs("liver", change=dim), settings)
    arm = made.groups[0]
    assert arm.censored == (True, True, False, False, False) and made.design.below_limit == (2, 0)
    # at the bound, as a bound: neither at the value below it nor at zero
    assert arm.values[0] == pytest.approx(math.log10(0.5)) and "censored" in made.test
    assert any("one0, one1" in note for note in made.notes)


def test_bounds_from_below_and_missing_shares_are_named_and_left_out(settings):
    def odd(one):
        if one.animal == "one0":
            return organ("one0", "one", one.organ, math.nan, high=math.inf)
        return organ("two0", "two", one.organ, math.nan, high=math.nan) if one.animal == "two0" else one

    gone = Exclusion("two9", "two", "dose leaked")
    (made,) = compare_organs(organs("liver", change=odd), settings, [gone])
    assert made.design.n == (ANIMALS - 1, ANIMALS - 1)
    reasons = {one.unit: one.reason for one in made.design.exclusions}
    assert reasons == {"two9": "dose leaked", "one0": LOWER_BOUND, "two0": NO_SHARE}


def test_too_few_animals_are_described_and_not_tested(settings):
    few = [one for one in organs("liver") if one.animal[-1] in "01"]
    (made,) = compare_organs(few, settings)
    assert not made.test and math.isnan(made.p) and made.pairs == () and made.design.n == (2, 2)
    assert made.notes[0].startswith("No test was made")
    assert compare_organs([one for one in organs("liver") if one.group == "one"], settings) == ()
