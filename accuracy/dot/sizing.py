"""Confinement against published sizing curves: first transitions of bare dots by material and size, no point fitted.

The model's own spread was set from these errors, so that the share of intervals that hold the curve is no independent test.
An arm is a curve over the range that it states. Errors are of the energy in per cent. ``calibrated`` takes one size of the curve as
the user's own sample and scores all others: ``near`` those within 1 nm of the sample, ``range`` the whole curve. The curve of
Dai is quoted from memory and has no goal: it stands beside that of Moreels, from which it differs by 14 % at 3 nm. ``all curves`` takes the
median over the sizes of all that have a goal. ``PbSe halfway``
is a prediction that lies halfway between the two, over the sizes of both, with the same calibration: what two curves that disagree leave
to any model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.core.constants import EV_NM
from lampyris.probe.confinement import calibrated, calibration, first_transition, solved_pair
from lampyris.probe.confinement.calibrate import leaning
from lampyris.probe.confinement.transition import Transition
from lampyris.probe.sizing import SizingCurve, sizing_curves
from lampyris.probe.structure import Layer, Structure

TABLE = "sizing"
MATERIALS = ("CdSe", "CdTe", "CdS", "PbS", "PbSe")
SIZES, QUICK_SIZES = 41, 11
SHOWN_NM = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
NEAR_NM = 1.0
MEDIAN_GOAL, WORST_GOAL, CALIBRATED_GOAL = 6.0, 15.0, 2.5
FROM_NM = 3.0
# curves are measured in organic solvents; lead salts in one without absorption of its own in the infrared
MEDIA = {"PbS": "tetrachloroethylene", "PbSe": "tetrachloroethylene"}


def sphere(material: str, diameter_nm: float, /) -> Structure:
    """A bare dot."""
    return Structure((Layer(material, diameter_nm / 2),))


def predicted(material: str, diameter_nm: float, /) -> Transition:
    """The model, as a user calls it."""
    return first_transition(sphere(material, diameter_nm), medium=MEDIA.get(material, "toluene"))


def published_ev(curve: SizingCurve, sizes_nm: NDArray[np.float64], /) -> NDArray[np.float64]:
    """Energies of a curve."""
    return np.array([EV_NM / curve.wavelength_nm(float(size)) for size in sizes_nm])


def calibrated_errors(
    curve: SizingCurve, sizes_nm: NDArray[np.float64], /
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Absolute errors in per cent after calibration, dims (sample, dot), and whether the interval holds the curve."""
    medium = MEDIA.get(curve.material, "toluene")
    truth = published_ev(curve, sizes_nm)
    errors, held = np.full((sizes_nm.size, sizes_nm.size), np.nan), np.full((sizes_nm.size, sizes_nm.size), np.nan)
    for i, sample in enumerate(sizes_nm):
        made = calibration(sphere(curve.material, float(sample)), EV_NM / truth[i], medium=medium)
        for j, size in enumerate(sizes_nm):
            if i != j:
                found = calibrated(sphere(curve.material, float(size)), made, medium=medium).energy_ev
                errors[i, j] = 100 * abs(found.value / truth[j] - 1)
                held[i, j] = found.low <= truth[j] <= found.high
    return errors, held


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Errors of a curve in per cent: signed by size, and absolute after calibration, dims (sample, dot)."""

    sizes_nm: NDArray[np.float64]
    error: NDArray[np.float64]
    held: NDArray[np.bool_]
    after: NDArray[np.float64]
    after_held: NDArray[np.float64]


def scored(curve: SizingCurve, /, *, sizes: int) -> Scored:
    """The model beside a curve, before and after a sample."""
    grid = np.linspace(curve.low_nm, curve.high_nm, sizes)
    truth = published_ev(curve, grid)
    found = [predicted(curve.material, float(size)).energy_ev for size in grid]
    error = 100 * (np.array([one.value for one in found]) / truth - 1)
    held = np.array([one.low <= energy <= one.high for one, energy in zip(found, truth, strict=True)])
    return Scored(grid, error, held, *calibrated_errors(curve, grid))


def curve_figures(curve: SizingCurve, one: Scored, /, *, judged: bool) -> list[Figure]:
    """Figures of one curve."""
    arm = f"{curve.material} {curve.source.split(' doi')[0].split(' ACS')[0].replace(' ', '-')}"
    grid, after, sizes = one.sizes_nm, one.after, one.sizes_nm.size
    from_3 = np.unique(np.append(grid[grid >= FROM_NM], max(FROM_NM, curve.low_nm)))
    worst = max(
        abs(predicted(curve.material, size).energy_ev.value * curve.wavelength_nm(size) / EV_NM - 1)
        for size in map(float, from_3)
    )
    near = np.abs(grid[:, None] - grid[None]) <= NEAR_NM + 1e-9
    pairs_near, pairs = int(np.sum(near) - sizes), sizes * (sizes - 1)

    def line(measure: str, value: float, n: int, at_most: float | None = None) -> Figure:
        return figure(TABLE, arm, measure, float(value), None, n, at_most=at_most if judged else None)

    lines = [
        line("median_error_percent", np.median(np.abs(one.error)), sizes, MEDIAN_GOAL),
        line("worst_error_from_3nm_percent", 100 * worst, from_3.size, WORST_GOAL),
        line(
            "calibrated_near_median_error_percent",
            np.nanmedian(np.where(near, after, np.nan)),
            pairs_near,
            CALIBRATED_GOAL,
        ),
        line("calibrated_range_median_error_percent", np.nanmedian(after), pairs, CALIBRATED_GOAL),
        line("interval_holds_curve", one.held.mean(), sizes),
        line("calibrated_interval_holds_curve", np.nanmean(one.after_held), pairs),
    ]
    for size in SHOWN_NM:
        if curve.low_nm <= size <= curve.high_nm:
            value = predicted(curve.material, size).energy_ev.value / published_ev(curve, np.array([size]))[0]
            lines.append(line(f"error_at_{size:g}nm_percent", 100 * (value - 1), 1))
    return lines


def together_figures(curves: Sequence[Scored], /) -> list[Figure]:
    """Medians over the sizes of all judged curves together: what a user meets who has one of these materials."""
    error, after = (np.concatenate([getattr(one, name).ravel() for one in curves]) for name in ("error", "after"))
    known = after[~np.isnan(after)]
    return [
        figure(
            TABLE,
            "all curves",
            "median_error_percent",
            float(np.median(np.abs(error))),
            None,
            error.size,
            at_most=MEDIAN_GOAL,
        ),
        figure(
            TABLE,
            "all curves",
            "calibrated_range_median_error_percent",
            float(np.median(known)),
            None,
            known.size,
            at_most=CALIBRATED_GOAL,
        ),
    ]


def halfway_figures(curves: tuple[SizingCurve, SizingCurve], /, *, sizes: int) -> list[Figure]:
    """Median error after calibration against each of two curves of one material, of a prediction halfway between them."""
    name, medium = curves[0].material, MEDIA.get(curves[0].material, "toluene")
    grid = np.linspace(max(one.low_nm for one in curves), min(one.high_nm for one in curves), sizes)
    dots = [sphere(name, float(size)) for size in grid]
    leanings = [leaning(dot, solved_pair(dot, medium=medium), medium=medium) for dot in dots]
    truths = [published_ev(curve, grid) for curve in curves]
    lines = []
    for curve, truth in zip(curves, truths, strict=True):
        off, errors = truth - np.mean(truths, axis=0), np.full((sizes, sizes), np.nan)
        for i, dot in enumerate(dots):
            made = calibration(dot, EV_NM / truth[i], medium=medium)
            variance = made.leaning.covariance(made.leaning) + made.measured_sd_ev**2
            for j, other in enumerate(leanings):
                if i != j:
                    moved = other.covariance(made.leaning) / variance * off[i]
                    errors[i, j] = 100 * abs(off[j] - moved) / truth[j]
        measure = f"calibrated_range_median_error_{curve.source.split()[0].lower()}_percent"
        lines.append(figure(TABLE, f"{name} halfway", measure, float(np.nanmedian(errors)), None, sizes * (sizes - 1)))
    return lines


def tables(*, quick: bool) -> list[Figure]:
    """Every curve of the five materials."""
    sizes = QUICK_SIZES if quick else SIZES
    found = [(curve, scored(curve, sizes=sizes)) for material in MATERIALS for curve in sizing_curves(material)]
    lines = [line for curve, one in found for line in curve_figures(curve, one, judged=curve.mark != "unseen")]
    lines += together_figures([one for curve, one in found if curve.mark != "unseen"])
    first, second = sizing_curves("PbSe")
    return lines + halfway_figures((first, second), sizes=sizes)
