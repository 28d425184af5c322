"""Figures that a course of amounts gives: contents per gram, the half-life in plasma, excretion."""

import math

import numpy as np
from numpy.typing import NDArray

from lampyris.probe.fate.body import Body
from lampyris.probe.fate.dosing import Dosing
from lampyris.probe.fate.matrix import ONE, PLACE, organ_places

Array = NDArray[np.float64]
SHOWN = ("plasma", "liver", "spleen", "kidney", "lung", "tumour", "gut", "muscle", "bone", "rest")


def organ_share(amounts: Array, organ: str, /) -> Array:
    """Amount in an organ with its blood, dims (time, draw); of plasma that in large vessels."""
    places = [PLACE["arteries"], PLACE["veins"]] if organ == "plasma" else organ_places(organ)
    return np.asarray(amounts[:, :, places].sum(axis=2))


def content_percent_per_g(amounts: Array, body: Body, organ: str, dosing: Dosing, /) -> Array:
    """Percent of all doses per gram of organ, dims (time, draw); of plasma per ml, in the veins."""
    if organ == "plasma":
        return np.asarray(100.0 * amounts[:, :, PLACE["veins"]] / (body.central_ml / 2.0) / dosing.doses)
    return np.asarray(100.0 * organ_share(amounts, organ) / body.mass_g[organ] / dosing.doses)


def excreted_percent(amounts: Array, where: str, dosing: Dosing, /) -> Array:
    """Percent of all doses in urine or faeces, dims (time, draw)."""
    return np.asarray(100.0 * amounts[:, :, PLACE[where]] / dosing.doses)


def mass_balance_error(amounts: Array, grid: Array, dosing: Dosing, /) -> float:
    """Largest departure of all amounts together from what was given, relative to it."""
    given = np.array([sum(start <= time + 1e-9 for start in dosing.starts) for time in grid], dtype=np.float64)
    held = amounts.sum(axis=2) - amounts[:, :, ONE]
    return float(np.abs(held / given[:, None] - 1.0).max())


def half_life_h(amounts: Array, body: Body, grid: Array, dosing: Dosing, /) -> Array:
    """Hours from the end of the first dose until the plasma holds half of what it held, dims (draw,).

    At an injection that is half of the dose over all plasma, as soon as it is mixed; after an infusion half of what is there at
    its end. NaN where the plasma does not fall so far before the next dose or the end, and for dots in cells.
    """
    draws = body.central_ml.size
    if dosing.cells_in:
        return np.full(draws, math.nan)
    ends = dosing.infusion_h
    last = min(dosing.every_h, float(grid[-1])) if dosing.doses > 1 else float(grid[-1])
    seen = np.flatnonzero((grid >= ends - 1e-9) & (grid < last + 1e-9 if dosing.doses == 1 else grid < last - 1e-9))
    level = amounts[seen][:, :, PLACE["veins"]] / (body.central_ml / 2.0)
    first = level[0].copy() if ends > 0 else 1.0 / body.plasma_ml
    # at an injection the whole dose is in the veins, not yet mixed
    logs = np.log(np.maximum(level / first, 1e-300))
    logs[0] = 0.0
    times = grid[seen] - ends
    from scipy.interpolate import PchipInterpolator

    if not np.isfinite(logs).all():
        return np.full(draws, math.nan)
    falling = PchipInterpolator(times, logs, axis=0)
    found = np.full(draws, math.nan)
    for draw in range(draws):
        below = np.flatnonzero(logs[1:, draw] <= math.log(0.5))
        if below.size:
            after = below[0] + 1
            curve = PchipInterpolator.construct_fast(
                falling.c[:, after - 1 : after, draw], times[after - 1 : after + 1]
            )
            found[draw] = curve.solve(math.log(0.5), extrapolate=False)[0]
    return found
