"""Calibration lines through standards: range, saturation, drift, two instruments, and what lies outside."""

import math
from pathlib import Path

import numpy as np
import pytest

from lampyris.core.amounts import AmountFlag, Standard
from lampyris.imaging.amounts import dose_concentration, percent_injected_dose
from lampyris.imaging.standards import (
    amount_from_flux,
    calibration_line,
    calibration_lines,
    compare_instruments,
    flux_in_circle,
)
from lampyris.statistics.intervals import wilson_interval

AMOUNTS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
SLOPE = 2e6


def standard(amount, flux, **changes):
    fields = {
        "name": f"w{amount:g}", "kind": "well plate", "probe": "qd", "instrument": "box", "depth_mm": math.nan,
        "amount": amount, "amount_sd": 0.0, "unit": "pmol", "stock_relative_sd": 0.0, "flux": flux, "flux_sd": 0.0,
        "day": 0.0, "replicate": "1",
    }  # fmt: skip
    return Standard(**{**fields, **changes})


def plate(*, seed=1, amounts=AMOUNTS, repeats=3, gain=1.0, background=0.0, bend=lambda amount: 1.0, **changes):
    rng = np.random.default_rng(seed)
    made = []
    for amount in amounts:
        for k in range(repeats):
            flux = gain * SLOPE * amount * bend(amount) * (1 + rng.normal(0, 0.03)) + rng.normal(0, 1e5) + background
            made.append(standard(amount, flux, replicate=str(k), **changes))
    return made


def test_an_exact_line_is_found_exactly():
    line = calibration_line([standard(x, 7.0 + 3.0 * x) for x in (0, 1, 2, 3, 4, 5, 6, 7)])
    assert line.slope.value == pytest.approx(3.0, rel=1e-9)
    assert line.intercept.value == pytest.approx(7.0, rel=1e-7)
    amount, flags = amount_from_flux(line, 7.0 + 3.0 * 4.5, 0.0, background_removed=False)
    assert (amount.value, flags) == (pytest.approx(4.5, rel=1e-7), ())
    # a lesion's background is already off: the intercept is not taken off twice
    assert amount_from_flux(line, 3.0 * 4.5, 0.0)[0].value == pytest.approx(4.5, rel=1e-7)


def test_certified_line_of_norris():
    """NIST StRD Norris (ozone monitors): b1 = 1.00211681802045; the fit is unweighted, ours is not, so three of its
    standard deviations (4.3e-4) are the tolerance."""
    path = Path(__file__).parents[1] / "data/statistics/nist_norris.csv"
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    line = calibration_line([standard(x, y) for y, x in rows])
    assert line.slope.value == pytest.approx(1.00211681802045, abs=3 * 4.3e-4)
    assert line.slope.low < 1.00211681802045 < line.slope.high


def test_range_and_limits_of_a_plate():
    line = calibration_line(plate())
    assert line.valid
    assert line.flags == ()
    assert (line.n, line.levels, line.high_amount) == (21, 7, 50.0)
    assert line.low_amount <= 1.0
    assert line.slope.low < SLOPE < line.slope.high
    # ten standard deviations of 1e5 at 2e6 per pmol, as ICH Q2 defines it; 21 wells say it within a factor of 2
    assert 0.25 < line.quantification_amount < 1.0
    assert line.detection_amount == pytest.approx(0.33 * line.quantification_amount)


def test_saturation_ends_the_range():
    line = calibration_line(
        plate(amounts=(*AMOUNTS, 100.0, 200.0), bend=lambda x: {100.0: 0.8, 200.0: 0.5}.get(x, 1.0))
    )
    assert AmountFlag.SATURATES in line.flags
    assert line.high_amount == 50.0
    assert sum(line.used) == 21
    assert line.slope.low < SLOPE < line.slope.high


@pytest.mark.parametrize("seed", range(20))
def test_a_straight_plate_seldom_saturates(seed):
    line = calibration_line(plate(seed=100 + seed))
    assert AmountFlag.SATURATES not in line.flags


@pytest.mark.parametrize(
    ("flux", "flag", "low", "high"),
    [(4e8, AmountFlag.ABOVE_RANGE, 50.0, math.inf), (1e3, AmountFlag.BELOW_RANGE, 0.0, 1.0)],
)
def test_outside_its_range_nothing_is_extrapolated(flux, flag, low, high):
    line = calibration_line(plate())
    with pytest.raises(ValueError, match=r"is outside .* measure standards"):
        amount_from_flux(line, flux, 1e3)
    amount, flags = amount_from_flux(line, flux, 1e3, outside="flag")
    assert flags == (flag,)
    assert math.isnan(amount.value)
    assert amount.low == low
    assert amount.high <= high


def test_the_stock_and_the_days_are_in_the_interval():
    plain = calibration_line(plate())
    shared = calibration_line(plate(stock_relative_sd=0.1))
    alone, stock = (amount_from_flux(line, 2e7, 0.0)[0] for line in (plain, shared))
    assert stock.sd == pytest.approx(math.hypot(alone.sd, 0.1 * alone.value), rel=1e-6)


def test_drift_over_days():
    made = [one for day in (0.0, 10.0, 20.0) for one in plate(seed=int(day), gain=0.995**day, day=day)]
    line = calibration_line(made)
    drift = line.drift_percent_per_day
    assert drift.low < -0.5 < drift.high < 0
    assert AmountFlag.DRIFTS in line.flags
    steady = calibration_line([one for day in (0.0, 10.0, 20.0) for one in plate(seed=int(day), day=day)])
    assert steady.drift_percent_per_day.low < 0 < steady.drift_percent_per_day.high
    assert steady.between_days_relative_sd < line.between_days_relative_sd


def test_two_instruments():
    lines = calibration_lines([*plate(seed=1), *plate(seed=2, gain=1.3, instrument="other")])
    (found,) = compare_instruments(lines)
    assert (found.a, found.b) == ("box", "other")
    assert found.slope_ratio.low < 1 / 1.3 < found.slope_ratio.high
    assert found.pairs == 18
    assert found.mean_ratio.low < 1 / 1.3 < found.mean_ratio.high
    assert found.agreement[0] < found.mean_ratio.low < found.mean_ratio.high < found.agreement[1]


def test_lines_that_cannot_be_drawn_say_so():
    one, flat = calibration_lines([standard(5.0, 1e7), *(standard(x, 1e6, unit="ng") for x in (0, 1, 2, 3, 4))][::-1])
    by_unit = {line.unit: line for line in (one, flat)}
    assert by_unit["pmol"].flags == (AmountFlag.TOO_FEW,)
    assert AmountFlag.NO_SLOPE in by_unit["ng"].flags
    for line in by_unit.values():
        assert not line.valid
        with pytest.raises(ValueError, match="cannot be used"):
            amount_from_flux(line, 1e6, 1e3)


def test_a_missing_blank_and_an_offset_are_flagged():
    assert AmountFlag.NO_BLANK in calibration_line(plate(amounts=AMOUNTS[1:])).flags
    assert AmountFlag.OFFSET in calibration_line(plate(background=2e6)).flags


def test_order_does_not_matter():
    made = plate()
    forth, back = calibration_line(made), calibration_line(made[::-1])
    assert forth.slope.value == pytest.approx(back.slope.value, rel=1e-12)


def test_a_well_in_an_image():
    """A disc of radiance 5 over a background of 2: its flux is pi times 3 times its area in cm2."""
    y, x = np.mgrid[:80, :80] * 0.25
    image = np.where(np.hypot(y - 10, x - 9) <= 2.0, 5.0, 2.0)
    flux, sd = flux_in_circle(image, (10.0, 9.0), 2.2, pixel_mm=0.25)
    area = np.count_nonzero(image == 5.0) * 0.025**2
    assert flux == pytest.approx(math.pi * 3.0 * area, rel=1e-12)
    assert sd == 0.0
    with pytest.raises(ValueError, match="leaves the image"):
        flux_in_circle(image, (1.0, 9.0), 2.2, pixel_mm=0.25)
    with pytest.raises(ValueError, match="too few pixels"):
        flux_in_circle(image, (10.0, 9.0), 0.2, pixel_mm=0.25)


def test_the_noise_of_a_dark_well():
    """Its standard deviation covers what an empty circle gives."""
    fluxes, sds = zip(
        *(
            flux_in_circle(np.random.default_rng(k).normal(0, 1, (60, 60)), (7.0, 7.0), 2.0, pixel_mm=0.25)
            for k in range(300)
        ),
        strict=True,
    )
    # 300 draws tell a standard deviation to 4 %; the median's variance is asymptotic
    assert np.std(fluxes) == pytest.approx(np.mean(sds), rel=0.15)


def test_amounts_of_wells_and_lesions_lie_in_their_intervals():
    """The whole way, saturation's test included: a plate is drawn, then a well and a lesion of known amount looked up."""
    held, rounds, bounds = {"well": 0, "lesion": 0}, 250, 0
    for k in range(rounds):
        rng = np.random.default_rng([9, k])
        line = calibration_line(plate(seed=[k, 0]))
        true = rng.uniform(2, 40)
        well = SLOPE * true * (1 + rng.normal(0, 0.03)) + rng.normal(0, 1e5)
        lesion, sd = SLOPE * true, 0.08 * SLOPE * true
        looked_up = {
            "well": amount_from_flux(line, well, 0.0, background_removed=False, scatter=True, outside="flag"),
            "lesion": amount_from_flux(line, lesion + rng.normal(0, sd), sd, outside="flag"),
        }
        for name, (amount, flags) in looked_up.items():
            # a plate whose top was taken for saturated by chance gives a bound, which must be right
            bounds += bool(flags)
            held[name] += amount.low <= true <= amount.high
    assert bounds < 0.02 * 2 * rounds
    for count in held.values():
        share = wilson_interval(count, rounds)
        # 0.93 to 0.97 is promised; 250 rounds tell it to about 0.03
        assert share.low < 0.97
        assert share.high > 0.93


def test_slope_and_stock_cancel_in_a_ratio_on_one_line():
    """20 % of the stock, in every amount of the plate alike, is in neither a share of a dose nor in its interval."""
    held, rounds, widths = 0, 250, []
    for k in range(rounds):
        rng = np.random.default_rng([11, k])
        # the plate's amounts are all wrong by one factor, the stock's: what it calls 1 shines as that much more or less
        line = calibration_line(plate(seed=[k, 1], gain=math.exp(rng.normal(0, 0.2)), stock_relative_sd=0.2))
        dose, sample, sd = rng.uniform(8, 12), rng.uniform(3, 10), 0.5 * SLOPE
        well = SLOPE * dose * (1 + rng.normal(0, 0.03)) + rng.normal(0, 1e5)
        options = {"outside": "flag", "slope_known": True}
        given, _ = amount_from_flux(line, well, 0.0, background_removed=False, scatter=True, **options)
        found, _ = amount_from_flux(line, SLOPE * sample + rng.normal(0, sd), sd, **options)
        share = percent_injected_dose(found, given)
        held += share.low <= 100 * sample / dose <= share.high
        widths.append(share.high / share.low)
    share = wilson_interval(held, rounds)
    # 0.93 to 0.97 is promised; 250 rounds tell it to about 0.03
    assert share.low < 0.97
    assert share.high > 0.93
    # 20 % twice would be a factor of 3
    assert np.median(widths) < 1.5


def test_a_ratio_on_one_line_by_hand():
    line = calibration_line([standard(x, 3.0 * x, stock_relative_sd=0.2) for x in (0, 1, 2, 3, 4, 5, 6, 7)])
    alone, _ = amount_from_flux(line, 9.0, 0.9)
    shared, _ = amount_from_flux(line, 9.0, 0.9, slope_known=True)
    assert alone.sd == pytest.approx(3.0 * math.hypot(0.1, 0.2), rel=1e-6)
    assert shared.sd == pytest.approx(3.0 * 0.1, rel=1e-6)
    assert (shared.value, shared.unit) == (alone.value, alone.unit)
    whole = dose_concentration(shared, dilution=10.0, weight_g=0.5)
    assert whole.sd == pytest.approx(shared.sd * 20.0)
