"""Calibration lines: flux against amount through the standards of phantoms and well plates, and what a flux amounts to.

A line holds for the geometry of its standards. Largest amounts that shine less than the line says are left out (inner filter,
saturation), and nothing is looked up outside the range that is left.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lampyris.core.amounts import AmountFlag, CalibrationLine, InstrumentRatio, Standard
from lampyris.core.estimate import Estimate
from lampyris.core.flags import PixelFlag
from lampyris.core.images import FLUX_UNIT
from lampyris.imaging.radiance.calibrate import lambertian_flux
from lampyris.statistics.intervals import t_interval
from lampyris.statistics.relations.lines import (
    LineFit,
    inverse_prediction,
    lack_of_fit,
    line_with_scatter,
    quadratic_term,
    response_sd,
    scatter_degrees,
    york_line,
)

LINE_KINDS = ("well plate", "phantom")
LEAST_LEVELS = 3
# the largest amount is left out where it lies this surely and this far below the line through the others
SATURATION_P = 0.005
SATURATION_SHARE = 0.95
DOUBT_P = 0.01
# IUPAC's and ICH Q2's factors
DETECTION_SDS, QUANTIFICATION_SDS = 3.3, 10.0


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Standards as columns, dims (standard,)."""

    amount: NDArray[np.float64]
    flux: NDArray[np.float64]
    amount_sd: NDArray[np.float64]
    flux_sd: NDArray[np.float64]
    day: NDArray[np.float64]

    def chosen(self, mask: NDArray[np.bool_]) -> "_Points":
        return _Points(self.amount[mask], self.flux[mask], self.amount_sd[mask], self.flux_sd[mask], self.day[mask])

    @property
    def levels(self) -> NDArray[np.float64]:
        return np.unique(self.amount)


@dataclass(frozen=True, slots=True)
class _Fitted:
    line: LineFit
    absolute: float
    relative: float


def calibration_lines(standards: Iterable[Standard], /, *, level: float = 0.95) -> tuple[CalibrationLine, ...]:
    """A line per kind, probe, instrument, unit and depth.

    Parameters
    ----------
    standards : iterable of Standard
        Those of wells and phantoms are used.
    level : float
        Coverage of intervals.

    Returns
    -------
    tuple of CalibrationLine
        Sorted by what they are; those that cannot be drawn are there with a flag that says why.
    """
    groups: dict[tuple[str, ...], list[Standard]] = {}
    for one in standards:
        if one.kind in LINE_KINDS and math.isfinite(one.amount) and math.isfinite(one.flux):
            groups.setdefault((one.kind, one.unit, one.probe, f"{one.depth_mm:012.4f}", one.instrument), []).append(one)
    return tuple(calibration_line(groups[key], level=level) for key in sorted(groups))


def calibration_line(standards: Sequence[Standard], /, *, level: float = 0.95) -> CalibrationLine:
    """The line through standards of one kind, probe, instrument, unit and depth.

    Flux scatters about the line by an absolute and a relative part, both estimated; amounts have their own standard
    deviations (errors in variables).

    Parameters
    ----------
    standards : sequence of Standard
    level : float
        Coverage of intervals.

    Returns
    -------
    CalibrationLine
        With the flags `AmountFlag.TOO_FEW` or `AmountFlag.NO_SLOPE` nothing can be looked up.

    Raises
    ------
    ValueError
        If there is no standard, or they are of several kinds.
    """
    if len({(s.kind, s.unit, s.probe, f"{s.depth_mm}", s.instrument) for s in standards}) != 1:
        raise ValueError(f"a line needs standards of one kind, unit, probe, depth and instrument, got {len(standards)}")
    points = _Points(
        *(
            np.array([getattr(s, name) for s in standards], float)
            for name in ("amount", "flux", "amount_sd", "flux_sd", "day")
        )
    )
    if points.levels.size < LEAST_LEVELS:
        return _no_line(standards, points, level)
    used = _below_saturation(points)
    held = points.chosen(used)
    fitted = _Fitted(*line_with_scatter(held.amount, held.flux, held.amount_sd, held.flux_sd))
    return _described(standards, points, used, fitted, level)


def _no_line(standards: Sequence[Standard], points: _Points, level: float) -> CalibrationLine:
    first, nan = standards[0], math.nan
    unknown = Estimate(nan, nan, nan, nan, level, f"{FLUX_UNIT} per {first.unit}", "too few standards")
    return CalibrationLine(
        first.kind, first.probe, first.instrument, first.unit, first.depth_mm, len(standards), points.levels.size,
        unknown, replace(unknown, unit=FLUX_UNIT), nan, 0, nan, nan, 0.0, 0.0, nan, nan, nan, nan, nan, nan,
        replace(unknown, unit="% per day"), (AmountFlag.TOO_FEW,), tuple(standards), (False,) * len(standards),
    )  # fmt: skip


def _below_saturation(points: _Points) -> NDArray[np.bool_]:
    """Which standards lie below where flux falls behind the line; the test goes down from the largest amount."""
    used = np.ones(points.amount.size, bool)
    while np.unique(points.amount[used]).size > LEAST_LEVELS:
        top = used & (points.amount == points.amount[used].max())
        below = points.chosen(used & ~top)
        if below.amount.size < LEAST_LEVELS + 1:
            break
        fit, absolute, relative = line_with_scatter(below.amount, below.flux, below.amount_sd, below.flux_sd)
        amount, flux = float(points.amount[top][0]), float(points.flux[top].mean())
        own = response_sd(points.amount[top], points.flux_sd[top], fit.slope, absolute, relative)
        own = own**2 + (fit.slope * points.amount_sd[top]) ** 2
        sd = math.sqrt(float(own.mean()) / top.sum() + float(fit.variance_at(amount)))
        p = float(special.stdtr(fit.degrees, (flux - float(fit.at(amount))) / sd))
        if not (p < SATURATION_P and flux < SATURATION_SHARE * float(fit.at(amount))):
            break
        used &= ~top
    return used


def _described(
    standards: Sequence[Standard], points: _Points, used: NDArray[np.bool_], fitted: _Fitted, level: float
) -> CalibrationLine:
    first, held, fit = standards[0], points.chosen(used), fitted.line
    t = float(special.stdtrit(max(fit.degrees, 1), 0.5 * (1 + level)))
    slope = _normal(fit.slope, math.sqrt(fit.slope_variance), t, level, f"{FLUX_UNIT} per {first.unit}")
    intercept = _normal(fit.intercept, math.sqrt(fit.intercept_variance), t, level, FLUX_UNIT)
    rises = slope.low > 0
    variance = _variance(held, fitted)
    lack = lack_of_fit(held.amount, held.flux, variance, fit)
    quadratic = quadratic_term(held.amount, held.flux, variance)
    drift, between = _drift(held, fitted, level) if rises else (_unknown(level, "% per day"), 0.0)
    at_zero = math.hypot(fitted.absolute, math.sqrt(fit.intercept_variance))
    detection, quantification = (
        (factor * at_zero / fit.slope if rises else math.nan) for factor in (DETECTION_SDS, QUANTIFICATION_SDS)
    )
    blank = bool((held.amount == 0).any())
    smallest = float(held.amount[held.amount > 0].min())
    tests = (
        (not rises, AmountFlag.NO_SLOPE),
        (not blank, AmountFlag.NO_BLANK),
        (not used.all(), AmountFlag.SATURATES),
        (quadratic < DOUBT_P, AmountFlag.CURVED),
        (lack < DOUBT_P, AmountFlag.LACK_OF_FIT),
        (intercept.low > 0 or intercept.high < 0, AmountFlag.OFFSET),
        (drift.low > 0 or drift.high < 0, AmountFlag.DRIFTS),
    )
    return CalibrationLine(
        kind=first.kind,
        probe=first.probe,
        instrument=first.instrument,
        unit=first.unit,
        depth_mm=first.depth_mm,
        n=int(used.sum()),
        levels=held.levels.size,
        slope=slope,
        intercept=intercept,
        covariance=fit.covariance,
        degrees=fit.degrees,
        absolute_sd=fitted.absolute,
        relative_sd=fitted.relative,
        stock_relative_sd=max(one.stock_relative_sd for one in standards),
        between_days_relative_sd=between,
        # between a blank and the smallest amount the line is held at both ends
        low_amount=min(smallest, quantification) if blank and rises else smallest,
        high_amount=float(held.amount.max()),
        detection_amount=detection,
        quantification_amount=quantification,
        lack_of_fit_p=lack,
        quadratic_p=quadratic,
        drift_percent_per_day=drift,
        flags=tuple(str(flag) for found, flag in tests if found),
        standards=tuple(standards),
        used=tuple(bool(one) for one in used),
    )


def _variance(held: _Points, fitted: _Fitted) -> NDArray[np.float64]:
    slope = fitted.line.slope
    own = response_sd(held.amount, held.flux_sd, slope, fitted.absolute, fitted.relative)
    return own**2 + (slope * held.amount_sd) ** 2


def _normal(value: float, sd: float, t: float, level: float, unit: str) -> Estimate:
    return Estimate(value, sd, value - t * sd, value + t * sd, level, unit, "weighted least squares, Student's t")


def _unknown(level: float, unit: str, method: str = "not measured") -> Estimate:
    return Estimate.unknown(level, unit, method)


def _drift(held: _Points, fitted: _Fitted, level: float) -> tuple[Estimate, float]:
    """Change of the slope per day in per cent, and the spread of slopes between days beyond their uncertainty."""
    days, slopes, variances = [], [], []
    for day in np.unique(held.day[np.isfinite(held.day)]):
        own = held.chosen(held.day == day)
        if own.levels.size >= 2:
            own_sd = response_sd(own.amount, own.flux_sd, fitted.line.slope, fitted.absolute, fitted.relative)
            fit = york_line(own.amount, own.flux, own.amount_sd, own_sd)
            if fit.slope > 0:
                days.append(float(day))
                slopes.append(math.log(fit.slope))
                variances.append(fit.slope_variance / fit.slope**2)
    if len(days) < 2:
        return _unknown(level, "% per day", "fewer than two days"), 0.0
    line = york_line(days, slopes, 0.0, np.sqrt(variances))
    stretch = math.sqrt(max(1.0, line.chi2 / line.degrees)) if line.degrees > 0 else 1.0
    sd = stretch * math.sqrt(line.slope_variance)
    half = float(special.stdtrit(max(fitted.line.degrees, 1), 0.5 * (1 + level))) * sd
    percent = [100.0 * math.expm1(line.slope + side * half) for side in (-1.0, 0.0, 1.0)]
    drift = Estimate(
        percent[1], 100.0 * math.exp(line.slope) * sd, percent[0], percent[2], level, "% per day",
        f"logarithm of the slopes of {len(days)} days against the day",
    )  # fmt: skip
    return drift, _between(np.array(slopes), np.array(variances))


def _between(values: NDArray[np.float64], variances: NDArray[np.float64]) -> float:
    """Standard deviation between groups beyond their own variances (DerSimonian & Laird 1986)."""
    weight = 1.0 / variances
    mean = float(np.average(values, weights=weight))
    q = float((weight * (values - mean) ** 2).sum())
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    return math.sqrt(max(0.0, (q - (values.size - 1)) / scale))


def amount_from_flux(
    line: CalibrationLine,
    flux: float,
    flux_sd: float,
    /,
    *,
    level: float = 0.95,
    background_removed: bool = True,
    scatter: bool = False,
    outside: Literal["raise", "flag"] = "raise",
    slope_known: bool = False,
) -> tuple[Estimate, tuple[str, ...]]:
    """Amount that gives a flux in the geometry of the line's standards.

    Parameters
    ----------
    line : CalibrationLine
    flux, flux_sd : float
        ph s-1, Lambertian.
    level : float
        Coverage.
    background_removed : bool
        The flux has no background left, as that of a lesion: the line's intercept, which is its standards' background, is not
        taken off. False for a sample measured as the standards were.
    scatter : bool
        The sample scatters as one standard does (it was pipetted as they were).
    outside : {"raise", "flag"}
        What happens outside the range for which the line holds. A flagged amount has no value, only a bound.
    slope_known : bool
        Take the line's slope and its stock for exact: where one amount is divided by another of the same line they cancel, and
        neither interval is right by itself. The spread between days stays: the two may be of different days.

    Returns
    -------
    amount : Estimate
        In the line's unit; its interval holds the line's own uncertainty, the spread between days and the stock's.
    flags : tuple of str

    Raises
    ------
    ValueError
        If nothing can be looked up on this line, or the amount lies outside its range and `outside` is "raise".
    """
    if not line.valid:
        raise ValueError(f"the line {line.title} cannot be used: {', '.join(line.flags)}")
    fit = LineFit(
        line.intercept.value,
        line.slope.value,
        line.intercept.sd**2,
        0.0 if slope_known else line.slope.sd**2,
        0.0 if slope_known else line.covariance,
        line.degrees,
        0.0,
    )
    degrees = math.inf
    if scatter:
        flux_sd, degrees = _with_scatter(line, fit, flux, flux_sd, background_removed)
    found = inverse_prediction(
        fit,
        flux,
        flux_sd,
        unit=line.unit,
        level=level,
        slope_relative_sd=math.hypot(line.between_days_relative_sd, 0.0 if slope_known else line.stock_relative_sd),
        through_zero=background_removed,
        response_degrees=degrees,
    )
    above, below = found.value > line.high_amount, found.value < line.low_amount
    if not (above or below):
        return found, ()
    if outside == "raise":
        raise ValueError(
            f"{found.value:.4g} {line.unit} is outside {line.low_amount:.4g} to {line.high_amount:.4g}, for which the line "
            f"{line.title} holds: measure standards of such amounts"
        )
    nan = math.nan
    if above:
        bound = Estimate(nan, nan, line.high_amount, math.inf, level, line.unit, "above the range of the line")
        return bound, (str(AmountFlag.ABOVE_RANGE),)
    high = max(line.low_amount, found.high)
    bound = Estimate(nan, nan, 0.0, high, level, line.unit, "below the range of the line")
    return bound, (str(AmountFlag.BELOW_RANGE),)


def _with_scatter(
    line: CalibrationLine, fit: LineFit, flux: float, flux_sd: float, background_removed: bool
) -> tuple[float, float]:
    """The flux's standard deviation with a standard's scatter, and the degrees of freedom behind it."""
    held = [one for one, used in zip(line.standards, line.used, strict=True) if used]
    amounts = np.array([one.amount for one in held])
    known = np.hypot([one.flux_sd for one in held], fit.slope * np.array([one.amount_sd for one in held]))
    at = (flux - (0.0 if background_removed else fit.intercept)) / fit.slope
    degrees = scatter_degrees(amounts, known, fit.slope, line.absolute_sd, line.relative_sd, at=at)
    return float(response_sd(at, flux_sd, fit.slope, line.absolute_sd, line.relative_sd)), degrees


def compare_instruments(lines: Iterable[CalibrationLine], /, *, level: float = 0.95) -> tuple[InstrumentRatio, ...]:
    """Every two instruments that measured the same kind of standards.

    Parameters
    ----------
    lines : iterable of CalibrationLine
    level : float
        Coverage of intervals; the limits of agreement are for 95 %.

    Returns
    -------
    tuple of InstrumentRatio

    References
    ----------
    Bland & Altman 1999, Stat Methods Med Res 8:135, doi:10.1177/096228029900800204, section 2.2 for ratios.
    """
    groups: dict[tuple[str, ...], list[CalibrationLine]] = {}
    for line in lines:
        if line.valid:
            groups.setdefault((line.kind, line.probe, line.unit, f"{line.depth_mm}"), []).append(line)
    pairs = itertools.chain.from_iterable(itertools.combinations(group, 2) for group in groups.values())
    return tuple(_instrument_ratio(a, b, level) for a, b in pairs)


def _instrument_ratio(a: CalibrationLine, b: CalibrationLine, level: float) -> InstrumentRatio:
    spread = math.hypot(a.slope.sd / a.slope.value, b.slope.sd / b.slope.value)
    ratio = a.slope.value / b.slope.value
    half = float(special.stdtrit(max(min(a.degrees, b.degrees), 1), 0.5 * (1 + level))) * spread
    slope_ratio = Estimate(
        ratio,
        ratio * spread,
        ratio * math.exp(-half),
        ratio * math.exp(half),
        level,
        "1",
        "ratio of slopes, on logarithms",
    )
    logs = _paired_logs(a, b)
    mean = t_interval(logs, level=level)
    if logs.size == 0:
        return InstrumentRatio(
            a.instrument, b.instrument, a.kind, a.probe, a.unit, slope_ratio, 0, mean, (math.nan,) * 2
        )
    values = [math.exp(value) if value < 700 else math.inf for value in (mean.value, mean.low, mean.high)]
    mean_ratio = Estimate(
        values[0], values[0] * mean.sd, values[1], values[2], level, "1", f"geometric mean of {logs.size} pairs"
    )
    limits = (math.nan, math.nan)
    if logs.size > 1:
        reach = 1.959964 * float(logs.std(ddof=1))
        limits = (math.exp(mean.value - reach), math.exp(mean.value + reach))
    return InstrumentRatio(
        a.instrument, b.instrument, a.kind, a.probe, a.unit, slope_ratio, int(logs.size), mean_ratio, limits
    )


def _paired_logs(a: CalibrationLine, b: CalibrationLine) -> NDArray[np.float64]:
    """Logarithm of flux a over flux b of standards measured on both, within the range of both lines; blanks aside."""
    first, second = (_mean_logs(line) for line in (a, b))
    return np.array([first[key] - second[key] for key in sorted(first.keys() & second.keys())])


def _mean_logs(line: CalibrationLine) -> dict[tuple[str, str], float]:
    """Mean logarithm of a standard's flux over its days, by name and replicate."""
    logs: dict[tuple[str, str], list[float]] = {}
    for one, used in zip(line.standards, line.used, strict=True):
        if used and one.amount > 0 and one.flux > 0:
            logs.setdefault((one.name, one.replicate), []).append(math.log(one.flux))
    return {key: math.fsum(values) / len(values) for key, values in logs.items()}


def flux_in_circle(
    radiance: NDArray[np.float64],
    centre_mm: tuple[float, float],
    radius_mm: float,
    /,
    *,
    pixel_mm: float,
    flags: NDArray[np.uint16] | None = None,
) -> tuple[float, float]:
    """Lambertian flux of a standard in its image, what surrounds it taken off.

    Parameters
    ----------
    radiance : ndarray, dims (y, x)
        Summed over the bands, ph s-1 cm-2 sr-1.
    centre_mm : tuple of float
        (y, x) from the first pixel's centre.
    radius_mm : float
        Of the circle that holds the light. The background is the median of the ring from 1.2 to 1.6 radii.
    pixel_mm : float
    flags : ndarray, dims (y, x), optional
        `PixelFlag` bits of the image.

    Returns
    -------
    flux, sd : float
        ph s-1; the standard deviation is that of pixel noise and of the background's median.

    Raises
    ------
    ValueError
        If circle or ring hold no pixel, the circle leaves the image, or a pixel in it is saturated.
    """
    rows, columns = (np.arange(n) * pixel_mm for n in radiance.shape)
    for centre, edge in zip(centre_mm, (rows[-1], columns[-1]), strict=True):
        if centre - radius_mm < -pixel_mm / 2 or centre + radius_mm > edge + pixel_mm / 2:
            raise ValueError(
                f"a circle of {radius_mm:g} mm about {centre_mm} leaves the image of {rows[-1]:g} x {columns[-1]:g} mm"
            )
    distance = np.hypot(rows[:, None] - centre_mm[0], columns[None, :] - centre_mm[1]) / radius_mm
    inside, ring = distance <= 1.0, (distance >= 1.2) & (distance <= 1.6)
    if not inside.any() or ring.sum() < 8:
        raise ValueError(f"a circle of {radius_mm:g} mm holds too few pixels of {pixel_mm:g} mm")
    if flags is not None and (full := int(np.count_nonzero(flags[inside] & PixelFlag.SATURATED))):
        raise ValueError(f"{full} of {int(inside.sum())} pixels of its circle are saturated: shorten the exposure")
    around = radiance[ring]
    background = float(np.median(around))
    noise = 1.4826 * float(np.median(np.abs(around - background)))
    n = int(inside.sum())
    total = float(radiance[inside].sum()) - n * background
    # the variance of a median of normal numbers is pi / 2 times their mean's
    sd = noise * math.sqrt(n + n**2 * (math.pi / 2) / ring.sum())
    return lambertian_flux(total, pixel_mm), lambertian_flux(sd, pixel_mm)
