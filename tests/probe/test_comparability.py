"""Two lots side by side: equivalence, not absence of a difference."""

import math

import numpy as np
import pytest

from lampyris.core.dots import CoatSettings, DotSettings, LayerSettings, MeasuredDot
from lampyris.core.errors import InputError
from lampyris.core.estimate import Estimate
from lampyris.probe.comparability import band_share, compare_dots, equivalence, margins

MEASURED = {
    "emission_nm": 810.0, "emission_sd_nm": 1.0, "fwhm_nm": 75.0, "quantum_yield": 0.426, "quantum_yield_sd": 0.01,
    "molar_extinction_per_m_cm": 1e6, "excitation_nm": 710.0, "hydrodynamic_nm": 18.4, "hydrodynamic_sd_nm": 0.4,
    "retained_percent": 91.8, "retained_minutes": 60.0,
}  # fmt: skip


def dot(lot="A", material="CdTe", coat="PEG3400", **measured):
    return DotSettings(
        name="dot",
        lot=lot,
        layers=(LayerSettings(material=material, diameter_nm=6.8),),
        coat=CoatSettings(kind=coat, ligand="scFv", ligands_per_particle=3.0, zeta_mv=-5.0),
        measured=MeasuredDot(**(MEASURED | measured)),
    )


def rows(found):
    return {row.property: row for row in found.rows}


def near(value, sd, unit="nm"):
    return Estimate(value, sd, value - 2 * sd, value + 2 * sd, 0.95, unit, "measured")


@pytest.mark.parametrize(
    "shift, sd, verdict",
    [(0.0, 1.0, "pass"), (0.0, 4.0, "cannot tell"), (10.0, 1.0, "fail"), (5.0, 1.0, "cannot tell")],
)
def test_verdicts(shift, sd, verdict):
    assert equivalence(near(810, sd), near(810 + shift, sd), margin=5, kind="abs")[1] == verdict


def test_poor_measurements_never_pass():
    # a test for a difference would call these alike: p is far above 0.05
    difference, verdict = equivalence(near(810, 20), near(811, 20), margin=5, kind="abs")
    assert verdict == "cannot tell" and difference.low < -5 < 5 < difference.high


def test_false_passes_at_the_margin_are_five_in_a_hundred():
    rng = np.random.default_rng(5)
    sd, n = 1.0, 4000
    passes = sum(
        equivalence(near(a, sd), near(b, sd), margin=5, kind="abs")[1] == "pass"
        for a, b in zip(rng.normal(0, sd, n), rng.normal(5, sd, n), strict=True)
    )
    # 95 % bounds of a binomial share of 4000 around 0.05
    assert 0.043 < passes / n < 0.057


def test_ratios_are_alike_both_ways():
    one, two = near(1.0, 0.02, "1"), near(1.2, 0.024, "1")
    forth, back = (equivalence(*pair, margin=1.25, kind="ratio") for pair in ((one, two), (two, one)))
    assert forth[1] == back[1] and forth[0].value == pytest.approx(1 / back[0].value)
    assert forth[0].low == pytest.approx(1 / back[0].high)


def test_a_lot_is_like_itself_or_cannot_be_told():
    found = compare_dots(dot(), dot())
    assert found.verdict == "cannot tell" and not [row for row in found.rows if row.verdict == "fail"]
    assert rows(found)["emission_nm"].verdict == "pass" and rows(found)["layers"].verdict == "pass"
    assert found.signal.value == pytest.approx(1.0) and found.limit.value == pytest.approx(1.0)
    assert rows(found)["lifetime_ns"].reason == "neither sheet gives it"


def test_shifted_lot_fails_and_says_what_it_costs():
    found = compare_dots(dot(), dot("B", emission_nm=830.0), band_nm=(810.0, 40.0))
    row = rows(found)["emission_nm"]
    assert found.verdict == "fail" and row.verdict == "fail" and "passes" in row.effect
    shares = [band_share(peak, 75.0, (810.0, 40.0)) for peak in (810.0, 830.0)]
    assert found.signal.value == pytest.approx(shares[1] / shares[0])
    assert found.limit.value == pytest.approx(shares[0] / shares[1])


def test_dimmer_lot_needs_more_cells():
    found = compare_dots(dot(), dot("B", quantum_yield=0.213, quantum_yield_sd=0.01))
    assert found.limit.value == pytest.approx(2.0) and rows(found)["quantum_yield"].verdict == "fail"


def test_other_materials_coats_and_wavelengths():
    found = rows(
        compare_dots(dot(), dot("B", material="CdSe", coat="silica", excitation_nm=640.0, retained_minutes=30.0))
    )
    assert found["layers"].verdict == "fail" and found["coat"].verdict == "fail" and found["ligand"].verdict == "pass"
    assert found["brightness"].verdict == "cannot tell" and "640" in found["brightness"].reason
    assert found["bleaching"].verdict == "cannot tell"


def test_a_size_that_was_not_measured_is_no_measurement():
    found = rows(compare_dots(dot(), dot("B", hydrodynamic_nm=None, hydrodynamic_sd_nm=None)))
    assert found["hydrodynamic_nm"].verdict == "cannot tell" and "models say" in found["hydrodynamic_nm"].reason


def test_small_losses_by_light_are_poorly_known():
    kept = {"retained_percent": 99.0}
    found = rows(compare_dots(dot(**kept), dot("B", **kept)))
    assert found["bleaching"].verdict == "cannot tell"
    assert (
        rows(compare_dots(dot(retained_percent=20.0), dot("B", retained_percent=20.0)))["bleaching"].verdict == "pass"
    )


def test_metal_by_analysis_comes_before_the_composition():
    # 1 ug/ml of metal in 1 nM of dots: 1e-3 g/l over 1e-9 x N_A dots
    found = rows(compare_dots(dot(metal_ug_per_ml=1.0, concentration_nmol_per_l=1.0), dot("B")))
    assert found["metal_ag"].reference.value == pytest.approx(1e15 / 6.02214076e14)


def test_asked_range_would_pass():
    sharp = {"emission_sd_nm": 0.5}
    text = rows(compare_dots(dot(**sharp), dot("B", **sharp)))["emission_nm"].ask
    low, high = (float(part) for part in text.rsplit("; ", 1)[1].split(" nm")[0].split(" to "))
    for peak in (low, high):
        assert (
            rows(compare_dots(dot(**sharp), dot("B", emission_nm=round(peak + (810 - peak) * 0.05, 3), **sharp)))[
                "emission_nm"
            ].verdict
            == "pass"
        )


def test_share_of_a_band_is_the_integral_of_the_emission():
    wave = np.linspace(600, 1020, 42001)
    spectrum = np.exp(-4 * math.log(2) * ((wave - 815) / 75) ** 2)
    inside = (wave >= 790) & (wave <= 830)
    # trapezium of 0.01 nm steps
    expected = np.trapezoid(spectrum[inside], wave[inside]) / np.trapezoid(spectrum, wave)
    assert band_share(815.0, 75.0, (810.0, 40.0)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("allowed", [{"emision_nm": 5.0}, {"brightness": 0.5}, {"emission_nm": -1.0}])
def test_wrong_margins_are_refused(allowed):
    with pytest.raises(InputError):
        compare_dots(dot(), dot("B"), allowed=allowed)


def test_every_margin_has_reason_and_question():
    for margin in margins():
        assert margin.why and margin.ask and math.isfinite(margin.sd) != math.isfinite(margin.relative_sd)
