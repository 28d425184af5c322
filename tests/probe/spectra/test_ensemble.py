"""The ensemble: moments of its sizes, energies from few calls, shapes, and what is refused."""

import numpy as np
import pytest

from lampyris.core.errors import InputError
from lampyris.probe.spectra import Ensemble, SizeSpread, energies, shape_factor, weighted_energies


def confined(diameter):
    return 1.5 + 10.0 / diameter**1.6


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_sizes_have_their_mean_and_standard_deviation(kind):
    diameter, weight = SizeSpread(6.8, 0.9, kind).nodes()
    mean = weight @ diameter
    # cut at 5 standard deviations, which takes 1e-5 of the variance
    assert mean == pytest.approx(6.8, rel=1e-5)
    assert np.sqrt(weight @ (diameter - mean) ** 2) == pytest.approx(0.9, rel=1e-4)


def test_one_size_is_one_node():
    diameter, weight = SizeSpread(5.0, 0.0).nodes()
    assert (diameter.tolist(), weight.tolist()) == ([5.0], [1.0])


def test_few_calls_carry_many_sizes():
    calls = []

    def counted(diameter):
        calls.append(diameter)
        return confined(diameter)

    diameter, _ = SizeSpread(6.8, 0.9).nodes()
    found = energies(counted, diameter)
    assert len(calls) == 13
    # 13 Chebyshev nodes over a smooth curve: far below a line width
    assert found == pytest.approx(confined(diameter), abs=1e-4)


def test_arrays_serve_as_well_as_a_function():
    grid = np.linspace(1.5, 13.0, 200)
    diameter, _ = SizeSpread(6.8, 0.9).nodes()
    # a monotone cubic on 0.06 nm
    assert energies((grid, confined(grid)), diameter) == pytest.approx(energies(confined, diameter), abs=1e-4)


def test_finer_sizes_keep_the_moments():
    ensemble = Ensemble(SizeSpread(6.8, 0.9))
    coarse = weighted_energies(confined, ensemble)
    fine = weighted_energies(confined, ensemble, finest_ev=5e-4)
    assert fine[0].size > coarse[0].size
    assert fine[0] @ fine[1] == pytest.approx(coarse[0] @ coarse[1], rel=1e-5)


def test_volume_weight_moves_the_mean_to_the_large_dots():
    ensemble = Ensemble(SizeSpread(6.8, 0.9))
    by_number = np.average(
        *weighted_energies(lambda d: d, ensemble)[:1], weights=weighted_energies(lambda d: d, ensemble)[1]
    )
    energy, weight = weighted_energies(lambda d: d, ensemble, size_power=3.0)
    # E[d^4]/E[d^3] of a normal: (m^4 + 6 m^2 s^2 + 3 s^4) / (m^3 + 3 m s^2)
    m, s = 6.8, 0.9
    assert by_number == pytest.approx(m, rel=1e-5)
    assert energy @ weight == pytest.approx((m**4 + 6 * m**2 * s**2 + 3 * s**4) / (m**3 + 3 * m * s**2), rel=1e-4)


def test_shape_is_the_box_of_the_same_volume():
    aspect = np.array([0.5, 1.0, 1.7, 3.0])
    short, long = aspect ** (-1 / 3), aspect ** (2 / 3)
    # sum of 1/L^2 over the three sides, over that of the cube
    assert shape_factor(aspect) == pytest.approx((2 / short**2 + 1 / long**2) / 3, rel=1e-13)
    assert shape_factor(1.0) == 1.0


def test_elongated_dots_shine_bluer_and_wider():
    round_dots = weighted_energies(confined, Ensemble(SizeSpread(5.0, 0.2)))
    rods = weighted_energies(confined, Ensemble(SizeSpread(5.0, 0.2), aspect=2.0, aspect_sd=0.3, bulk_gap_ev=1.5))
    means = [energy @ weight for energy, weight in (round_dots, rods)]
    spreads = [
        np.sqrt(weight @ (energy - mean) ** 2) for (energy, weight), mean in zip((round_dots, rods), means, strict=True)
    ]
    # every size is moved by the same factor of its confinement, a little more for the mean over aspects
    assert means[1] - 1.5 == pytest.approx((means[0] - 1.5) * shape_factor(2.0), rel=0.02)
    assert spreads[1] > spreads[0]
    assert rods[1].sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: SizeSpread(0.0, 0.1), "mean_nm"),
        (lambda: SizeSpread(np.nan, 0.1), "mean_nm"),
        (lambda: SizeSpread(5.0, -0.1), "sd_nm"),
        (lambda: SizeSpread(5.0, 2.0), "sd_nm"),
        (lambda: SizeSpread(5.0, 0.5, "uniform"), "kind"),
        (lambda: Ensemble(SizeSpread(5.0, 0.5), aspect=0.5), "aspect"),
        (lambda: Ensemble(SizeSpread(5.0, 0.5), aspect=2.0), "bulk_gap_ev"),
        (lambda: Ensemble(SizeSpread(5.0, 0.5), composition_sd=0.9), "composition_sd"),
        (lambda: energies(confined, []), "diameter_nm"),
        (lambda: energies(confined, [np.nan]), "diameter_nm"),
        (lambda: energies(([3.0, 9.0], [2.0, 1.6]), [2.0]), "diameter_nm"),
        (lambda: energies(([9.0, 3.0], [1.6, 2.0]), [4.0]), "transitions"),
        (lambda: energies(lambda d: -1.0, [4.0]), "transition energy"),
        (lambda: energies(lambda d: np.nan, [4.0]), "transition energy"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(make, field):
    with pytest.raises(InputError) as refused:
        make()
    assert [finding.place.column for finding in refused.value.findings] == [field]
    assert all(finding.mend for finding in refused.value.findings)
