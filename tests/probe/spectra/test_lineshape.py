"""One dot's line: its width with temperature and its phonon replicas."""

import math

import numpy as np
import pytest

from lampyris.core.constants import BOLTZMANN_EV_PER_K
from lampyris.core.errors import InputError
from lampyris.core.sourced import MARKS
from lampyris.probe.materials import pooled
from lampyris.probe.spectra import (
    LineShape,
    exactly,
    homogeneous_width_mev,
    line_shape,
    phonon_number,
    photophysical_constant,
    photophysical_values,
    replica_weights,
)
from lampyris.probe.tables import constant, table_rows


def shape(width_0=5.0, acoustic=0.05, optical=20.0, phonon=25.0, huang_rhys=0.0, stokes=0.0):
    return LineShape(
        exactly(width_0, "meV"),
        exactly(acoustic, "meV/K"),
        exactly(optical, "meV"),
        exactly(phonon, "meV"),
        exactly(huang_rhys, "1"),
        exactly(stokes, "meV"),
    )


def test_width_is_the_sum_of_its_parts():
    number = 1.0 / (math.exp(0.025 / (BOLTZMANN_EV_PER_K * 295.0)) - 1.0)
    assert homogeneous_width_mev(shape()).value == pytest.approx(5.0 + 0.05 * 295.0 + 20.0 * number, rel=1e-12)


@pytest.mark.parametrize(("temperature", "expected"), [(0.0, 5.0), (1.0, 5.05)], ids=["none", "too cold for phonons"])
def test_width_at_low_temperature(temperature, expected):
    # at 1 K no optical phonon is there: exp(-290)
    assert homogeneous_width_mev(shape(), temperature_k=temperature).value == pytest.approx(expected, rel=1e-12)


def test_width_grows_with_temperature_and_linearly_when_hot():
    widths = [homogeneous_width_mev(shape(), temperature_k=one).value for one in range(0, 1001, 50)]
    assert (np.diff(widths) > 0).all()
    # n = kT/E - 1/2 + O(E/kT)
    hot = 20.0 * (BOLTZMANN_EV_PER_K * 1000.0 / 0.025 - 0.5)
    assert widths[-1] == pytest.approx(5.0 + 50.0 + hot, rel=0.01)


@pytest.mark.parametrize("temperature", [-1.0, np.nan, 2000.0])
def test_temperatures_out_of_bounds_are_refused(temperature):
    with pytest.raises(InputError, match="temperature_k"):
        homogeneous_width_mev(shape(), temperature_k=temperature)


@pytest.mark.parametrize("temperature", [0.0, 77.0, 295.0])
@pytest.mark.parametrize("strength", [0.1, 1.0, 5.0])
def test_replicas_have_the_moments_of_pekars_distribution(strength, temperature):
    phonons, share = replica_weights(strength, 25.0, temperature)
    mean = phonons @ share
    variance = share @ (phonons - mean) ** 2
    assert share.sum() == pytest.approx(1.0, abs=1e-12)
    # shares below 1e-12 are cut
    assert mean == pytest.approx(strength, rel=1e-8)
    assert variance == pytest.approx(strength * (2 * phonon_number(25.0, temperature) + 1), rel=1e-8)


def test_replicas_obey_detailed_balance():
    phonons, share = replica_weights(0.8, 25.0, 295.0)
    by_phonon = dict(zip(phonons.tolist(), share, strict=True))
    boltzmann = math.exp(-0.025 / (BOLTZMANN_EV_PER_K * 295.0))
    assert by_phonon[-2] / by_phonon[2] == pytest.approx(boltzmann**2, rel=1e-10)


def test_no_coupling_gives_one_line():
    phonons, share = replica_weights(0.0, 25.0, 295.0)
    assert (phonons.tolist(), share.tolist()) == ([0], [1.0])


def test_every_constant_has_source_unit_and_mark():
    rows = table_rows("photophysics.csv")
    values = [constant(row) for row in rows]
    assert {one.mark for one in values} <= set(MARKS)
    # one quantity has one unit
    units = {(row["quantity"], row["unit"]) for row in rows}
    assert len(units) == len({row["quantity"] for row in rows})


def test_sources_that_disagree_widen_the_estimate():
    sources = photophysical_values("CdTe", "acoustic_broadening")
    assert len(sources) == 2
    found = pooled(sources)
    assert min(one.value for one in sources) < found.value < max(one.value for one in sources)
    assert found.sd > min(one.sd for one in sources)


def test_an_unknown_material_takes_what_is_assumed_and_says_so():
    assert "assumed" in photophysical_constant("AgInTe2", "lo_broadening").method
    assert line_shape("AgInTe2").stokes.value == 60.0


def test_what_the_table_lacks_is_refused():
    with pytest.raises(InputError, match="no source of the table gives lifetime of AgInTe2"):
        photophysical_constant("AgInTe2", "lifetime")
    with pytest.raises(InputError, match="is no quantity of the table"):
        photophysical_constant("CdTe", "colour")
