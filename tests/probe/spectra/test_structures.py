"""Spectra of layered dots with this package's own confinement."""

import numpy as np
import pytest

from lampyris.core.constants import EV_NM
from lampyris.core.errors import InputError
from lampyris.probe.spectra import (
    Ensemble,
    SizeSpread,
    energy_by_size,
    energy_by_sizing_curve,
    line_shape,
    line_width,
    resized,
    structure_light,
)
from lampyris.probe.structure import Layer, Structure

TYPE_TWO = Structure((Layer("CdTe", 2.2), Layer("CdSe", 1.2)))
WAVELENGTHS = np.arange(500.0, 1200.0, 1.0)


def test_only_what_grows_grows():
    core = resized(TYPE_TWO, 5.0)
    assert [one.thickness_nm for one in core.layers] == [2.5, 1.2]
    whole = resized(TYPE_TWO, 3.4, grows="whole")
    assert [one.thickness_nm for one in whole.layers] == pytest.approx([1.1, 0.6])
    assert [one.material for one in whole.layers] == ["CdTe", "CdSe"]


def test_larger_dots_are_redder_and_a_calibration_moves_all():
    energy, moved = energy_by_size(TYPE_TWO), energy_by_size(TYPE_TWO, offset_ev=0.05)
    values = [energy(one) for one in (3.5, 4.4, 5.5)]
    assert values == sorted(values, reverse=True)
    assert moved(4.4) == pytest.approx(energy(4.4) + 0.05, rel=1e-12)


def test_light_of_a_batch_holds_together():
    light = structure_light(TYPE_TWO, WAVELENGTHS, size_sd_nm=0.4)
    energy = energy_by_size(TYPE_TWO)
    assert light.first_exciton_nm == pytest.approx(EV_NM / energy(4.4), rel=1e-9)
    # emission lies a Stokes shift below the absorption; weighing by volume adds to it
    assert light.absorption.peak_ev - light.emission.peak_ev > light.line.stokes.value / 1000.0
    # whole spectrum against three energies, whose widths add in squares
    assert light.emission.fwhm_ev == pytest.approx(light.width.total_ev.value, rel=0.05)
    assert np.trapezoid(light.emission.values, WAVELENGTHS) == pytest.approx(1.0, abs=1e-3)


def test_the_studys_spread_on_bare_cdte():
    ensemble = Ensemble(SizeSpread(6.8, 0.9))
    by_curve, by_model = (
        line_width(energy, ensemble, line=line_shape("CdTe"), at_nm=810.0)
        for energy in (energy_by_sizing_curve("CdTe"), energy_by_size(Structure((Layer("CdTe", 3.4),))))
    )
    # 0.9 nm on 6.8 nm in CdTe alone: 89 meV, 47 nm at 810 nm
    assert 1000 * by_curve.size_ev.value == pytest.approx(89.0, abs=3.0)
    assert by_curve.size_nm.value == pytest.approx(47.0, abs=1.5)
    # the confinement model, with nothing tuned, is steeper there than the curve, which flattens towards its end
    assert by_curve.size_nm.value < by_model.size_nm.value < 1.6 * by_curve.size_nm.value


def test_a_sizing_curve_is_not_left():
    with pytest.raises(InputError, match="outside the range"):
        line_width(energy_by_sizing_curve("CdTe"), Ensemble(SizeSpread(8.9, 0.9)), line=line_shape("CdTe"))


def test_copper_indium_sulfide_is_broad_by_its_defects():
    light = structure_light(Structure((Layer("CuInS2", 1.6),)), np.arange(400.0, 1600.0), size_sd_nm=0.1)
    # Zang 2017: more than 300 meV
    assert light.width.total_ev.value > 0.29


@pytest.mark.parametrize(
    "call",
    [
        lambda: resized(TYPE_TWO, 0.0),
        lambda: resized(TYPE_TWO, 5.0, grows="shell"),
        lambda: structure_light(Structure((Layer("Unobtainium", 2.0),)), WAVELENGTHS, size_sd_nm=0.2),
        lambda: structure_light(TYPE_TWO, WAVELENGTHS, size_sd_nm=-0.2),
        lambda: structure_light(TYPE_TWO, [], size_sd_nm=0.2),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(InputError):
        call()
