"""Outcomes of animals, by hand-made sessions with known answers."""

import math

import pytest
from cheap_step import detection, lesion, limit, sighting
from made_outcomes import session
from scipy import stats

from lampyris.study.outcomes import animal_outcome, sum_fluxes


def test_the_brighter_view_counts_and_views_are_not_added():
    result = animal_outcome([session(([detection(1, 100.0)], []), ([detection(1, 300.0), detection(2, 50.0)], []))])
    assert result.total_flux[0].value == 350.0
    assert (result.below_limit, result.lesion_count) == ((False,), (2,))


def test_an_injection_site_is_no_lesion():
    found = [detection(1, 9e9, kind="injection site"), detection(2, 100.0)]
    result = animal_outcome([session((found, []))])
    assert result.total_flux[0].value == 100.0
    assert result.lesion_count == (1,)


def followed(kind, *detections, name="d00"):
    return lesion(1, [sighting(name, 0.0, detections)], kind=kind)


@pytest.mark.parametrize(
    ("lesions", "expected"),
    [
        ((), 100.0),
        # what the animal's step says of a detection counts more than what the session's said
        ((followed("gut and food", ("dorsal", 2)),), 0.0),
        ((followed("primary", ("dorsal", 1)),), 900.0 + 100.0),
        # of a spot that two share, one is tumour
        ((followed("halo of the primary", ("dorsal", 1)), followed("lesion", ("dorsal", 1))), 1000.0),
        # a sighting in another session, or another view, is not this one's
        ((followed("lesion", ("dorsal", 1), name="d07"), followed("lesion", ("ventral", 1))), 100.0),
    ],
    ids=["none", "other kind", "tumour", "shared", "elsewhere"],
)
def test_flux_is_of_what_lesions_of_tumour_own(lesions, expected):
    found = [detection(1, 900.0, kind="injection site"), detection(2, 100.0)]
    result = animal_outcome([session((found, [limit("liver", 50.0)]))], lesions=lesions)
    assert result.below_limit == (expected == 0,)
    assert result.total_flux[0].value == (expected or 50.0)
    assert result.lesions == lesions


def test_one_lesion_keeps_its_interval():
    spot = detection(1, 100.0)
    assert sum_fluxes([spot]) == spot.flux


def test_own_uncertainty_adds_in_quadrature_and_shared_linearly():
    # sd 10 each; own part 100/12.5 = 8, so the shared part is 6
    spots = [detection(1, 100.0, snr=12.5), detection(2, 100.0, snr=12.5)]
    total = sum_fluxes(spots)
    assert total.sd == pytest.approx(math.hypot(math.hypot(8, 8), 12), rel=1e-12)
    assert total.high - total.value == pytest.approx(1.96 * total.sd, rel=1e-12)
    assert total.value - total.low == pytest.approx(1.96 * total.sd, rel=1e-12)


@pytest.mark.parametrize(("snr", "expected"), [(10.0, math.hypot(10, 10)), (1e12, 20.0), (math.inf, 20.0)])
def test_limits_of_the_combination(snr, expected):
    """All own: quadrature; all shared: linear."""
    total = sum_fluxes([detection(1, 100.0, snr=snr), detection(2, 100.0, snr=snr)])
    assert total.sd == pytest.approx(expected, rel=1e-9)


def test_nothing_found_gives_the_limit():
    result = animal_outcome(
        [
            session(
                ([], [limit("liver", 300.0), limit("lung", 900.0)]),
                ([detection(1, 5.0, kind="injection site")], [limit("liver", 200.0), limit("lung", 1000.0)]),
            )
        ]
    )
    total = result.total_flux[0]
    # liver is seen down to 200 by one view, lung to 900 by the other; the lesion may be in the lung
    assert (total.low, total.value, total.high) == (0.0, 900.0, 900.0)
    assert result.below_limit == (True,)
    assert result.lesion_count == (0,)


def test_no_finite_limit_is_not_zero():
    (total,) = animal_outcome([session(([], []))]).total_flux
    assert math.isnan(total.value)
    only_infinite = limit("lung", 1.0)
    object.__setattr__(
        only_infinite, "flux", type(only_infinite.flux)(math.inf, math.nan, 0, math.inf, 0.95, "ph s-1", "")
    )
    assert math.isnan(animal_outcome([session(([], [only_infinite]))]).total_flux[0].value)


def test_sessions_are_sorted_by_day():
    late, early = session(([detection(1, 2.0)], []), day=7.0, name="d07"), session(([detection(1, 1.0)], []))
    result = animal_outcome([late, early])
    assert result.days == (0.0, 7.0)
    assert [total.value for total in result.total_flux] == [1.0, 2.0]


def test_sessions_of_two_animals_are_refused():
    with pytest.raises(ValueError, match="one animal"):
        animal_outcome([session(([], [])), session(([], []), animal="m02")])
    with pytest.raises(ValueError, match="one animal"):
        animal_outcome([])


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_limit_bears_the_interval_level_and_covers_it(level):
    """The flux at the interval's end is missed with probability 1 - level at most, whatever the threshold (2 or more)."""
    power, sigma = 0.95, 7.0
    for threshold in (2.0, 4.5, 9.0):
        value = (threshold + stats.norm.ppf(power)) * sigma
        (total,) = animal_outcome([session(([], [limit("liver", value)]))], level=level).total_flux
        assert (total.level, total.low, total.value) == (level, 0.0, value)
        assert stats.norm.cdf(threshold - total.high / sigma) <= 1 - level + 1e-12
        assert "found with probability 0.95" in total.method
