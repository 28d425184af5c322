"""How many cells there are now: never from a prelabelled signal alone, which division does not raise.

Label counts the cells that carried it in. Their number today follows only with an assumption on growth, whose spread the
interval carries, or from a second reporter that is copied with the cells, which can also contradict the assumption.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from lampyris.core.estimate import Estimate
from lampyris.core.flags import TUMOUR_KINDS
from lampyris.core.lesions import Lesion, Sighting
from lampyris.core.settings import Growth
from lampyris.metastasis.kinetics import log_sd
from lampyris.statistics.thresholds import half_width

UNIT = "cells"
# equally likely combinations of the three uncertain numbers, spread evenly by additive recurrence: nothing is drawn, and the ends
# of a 95 % interval are good to a percent of its width
COMBINATIONS = 10000
# powers of the root of x^4 = x + 1, whose multiples fill the unit cube evenly
RECURRENCE = 1.2207440846057596 ** -np.arange(1.0, 4.0)
# chance of a difference as large as that between prior and reporter below which the two are said to conflict
CONFLICT = 0.05


@dataclass(frozen=True, slots=True)
class GrowthPrior:
    """What is assumed of growth.

    Parameters
    ----------
    law : str
        ``exponential``, ``logistic`` or ``gompertz``.
    doubling_days : float
        Doubling time at the start: of few cells for the logistic, of the cells that arrived for the Gompertz law.
    doubling_log_sd : float
        Standard deviation of its logarithm between lesions; 0.3 is a factor of 1.8 either way at 95 %.
    capacity_cells : float
        Number of cells at which growth ends; inf for the exponential law.
    capacity_log_sd : float
        Standard deviation of its logarithm.

    Raises
    ------
    ValueError
        If a time is not above 0, a spread is negative, or a law that ends has no finite capacity.
    """

    law: Literal["exponential", "logistic", "gompertz"]
    doubling_days: float
    doubling_log_sd: float
    capacity_cells: float = math.inf
    capacity_log_sd: float = 0.0

    def __post_init__(self) -> None:
        if self.law not in ("exponential", "logistic", "gompertz"):
            raise ValueError(f"law is exponential, logistic or gompertz, got {self.law!r}")
        if not self.doubling_days > 0 or not self.doubling_log_sd >= 0 or not self.capacity_log_sd >= 0:
            got = self.doubling_days, self.doubling_log_sd, self.capacity_log_sd
            raise ValueError(f"the doubling time must be above 0 and spreads not negative, got {got}")
        if not self.capacity_cells > 0 or (self.law != "exponential" and math.isinf(self.capacity_cells)):
            raise ValueError(f"a {self.law} law needs a finite capacity above 0, got {self.capacity_cells}")


@dataclass(frozen=True, slots=True)
class CellNumber:
    """Cells that are there now, and whether two ways to know it agree.

    Parameters
    ----------
    cells : Estimate
        NaN where there was neither a prior nor a reporter.
    p : float
        Chance of a difference between prior and reporter at least as large as the one found; NaN where not both were given.
    conflict : bool
        That chance is below 5 %: `cells` then spans both.
    """

    cells: Estimate
    p: float
    conflict: bool


def current_cells(
    cells_at_injection: Estimate,
    days: float,
    growth: GrowthPrior | None = None,
    /,
    *,
    reporter: Estimate | None = None,
    level: float = 0.95,
) -> CellNumber:
    """Number of cells some days after they were labelled.

    Parameters
    ----------
    cells_at_injection : Estimate
        Labelled cells that arrived, before any label was lost: an amount of a later day understates them.
    days : float
        Since then; 0 or more.
    growth : GrowthPrior, optional
        What is assumed of growth.
    reporter : Estimate, optional
        Cells now by a second reporter that is copied at division, such as a luciferase. A study's sheets have no column for
        one: whoever measured it calls this function.
    level : float
        Coverage of the interval, the prior's spread included.

    Returns
    -------
    CellNumber
        With both, their mean weighted by precision; where they conflict, an interval that spans the two.

    Raises
    ------
    ValueError
        If the days are negative or a Gompertz law has a capacity that the cells have reached already.

    References
    ----------
    Benzekry et al. 2014, PLoS Comput Biol 10:e1003800, doi:10.1371/journal.pcbi.1003800: the three laws on mouse tumours.

    Examples
    --------
    >>> labelled = Estimate(1e4, 0.0, 1e4, 1e4, 0.95, "labelled-cell equivalents", "given")
    >>> now = current_cells(labelled, 9.0, GrowthPrior("exponential", 3.0, 0.1)).cells
    >>> f"{now.value:.2e} ({now.low:.2e} to {now.high:.2e})"
    '8.00e+04 (5.52e+04 to 1.25e+05)'
    """
    if not days >= 0:
        raise ValueError(f"days are expected to be 0 or more, got {days}")
    grown = _grown(cells_at_injection, days, growth, level) if growth is not None else None
    seen = _finite(reporter)
    if grown is None or not _finite(grown):
        cells = reporter if reporter is not None and seen else _unknown(level)
        return CellNumber(cells, math.nan, False)
    if reporter is None or not seen:
        return CellNumber(grown, math.nan, False)
    return _reconciled(grown, reporter, level)


def growth_prior(given: Growth, /) -> GrowthPrior | None:
    """Prior that the settings state; None where they state none.

    Examples
    --------
    >>> growth_prior(Growth()) is None
    True
    >>> growth_prior(Growth(model="exponential", doubling_days=3.0, doubling_log_sd=0.3)).doubling_days
    3.0
    """
    if given.model == "none" or given.doubling_days is None or given.doubling_log_sd is None:
        return None
    capacity = math.inf if given.capacity_cells is None else given.capacity_cells
    return GrowthPrior(given.model, given.doubling_days, given.doubling_log_sd, capacity, given.capacity_log_sd)


def number_cells(
    lesions: Sequence[Lesion], growth: GrowthPrior, /, *, injected: bool = False, level: float = 0.95
) -> tuple[Lesion, ...]:
    """Give each sighting its current number of cells under a growth prior.

    A lesion's label counts the cells of day 0 that it descends from, so that growth counts from day 0, the same before and
    after cells arrive. Label that was lost before its first sighting is not counted: the number then understates.

    Parameters
    ----------
    lesions : sequence of Lesion
        Of one animal, followed over its sessions.
    growth : GrowthPrior
    injected : bool
        The probe was injected: its amount counts no labelled cells, and no number is given.
    level : float
        Coverage of the intervals, the prior's spread included.

    Returns
    -------
    tuple of Lesion
        With `current_cells` in every sighting: NaN, with the reason as its method, where nothing is seen, where the source is
        no tumour, or where the cells that arrived are as many as the capacity already.
    """
    return tuple(replace(one, sightings=_numbered(one, growth, injected, level)) for one in lesions)


def _numbered(lesion: Lesion, growth: GrowthPrior, injected: bool, level: float) -> tuple[Sighting, ...]:
    # label is only lost, and one spot of several lesions holds more than this one's
    seen = sorted((one for one in lesion.sightings if one.seen), key=lambda one: (bool(one.shared_with), one.day))
    why = ""
    if injected:
        why = "an injected probe counts no labelled cells"
    elif lesion.kind not in TUMOUR_KINDS or not seen:
        why = "no tumour"
    elif seen[0].cells.value >= growth.capacity_cells:
        why = f"{seen[0].cells.value:.2g} cells arrived: the growth prior's capacity is {growth.capacity_cells:.2g}"

    def number(sighting: Sighting) -> Estimate:
        if why or not sighting.seen:
            return _unknown(level, why or "not seen")
        found = current_cells(seen[0].cells, max(sighting.day, 0.0), growth, level=level).cells
        shared = ", of lesions that are one spot together" if seen[0].shared_with else ""
        return replace(found, method=f"{found.method} from day 0, label of day {seen[0].day:g}{shared}")

    return tuple(replace(one, current_cells=number(one)) for one in lesion.sightings)


def _grown(cells: Estimate, days: float, growth: GrowthPrior, level: float) -> Estimate:
    """Quantiles of the cell number over arrivals, doubling times and capacities.

    References
    ----------
    Niederreiter 1992, Random number generation and quasi-Monte Carlo methods, doi:10.1137/1.9781611970081, chapter 3.
    """
    if not _finite(cells):
        return _unknown(level)
    place = (0.5 + np.arange(COMBINATIONS)[:, None] * RECURRENCE) % 1.0
    z = ndtri(np.clip(place, 0.1 / COMBINATIONS, 1.0 - 0.1 / COMBINATIONS)).T
    start = np.exp(math.log(cells.value) + log_spread(cells) * z[0])
    rate = math.log(2.0) / (growth.doubling_days * np.exp(growth.doubling_log_sd * z[1]))
    limit = growth.capacity_cells * np.exp(growth.capacity_log_sd * z[2])
    number = _law(growth, cells.value, start, rate, limit, days)
    tail = 0.5 * (1.0 - level)
    low, value, high = (float(one) for one in np.quantile(number, [tail, 0.5, 1.0 - tail]))
    sd = float(number.std())
    return Estimate(value, sd, low, high, level, UNIT, f"labelled cells that arrived, {growth.law} growth assumed")


def _law(
    growth: GrowthPrior,
    middle: float,
    start: NDArray[np.float64],
    rate: NDArray[np.float64],
    limit: NDArray[np.float64],
    days: float,
) -> NDArray[np.float64]:
    if growth.law == "exponential":
        return start * np.exp(rate * days)
    if growth.law == "logistic":
        return limit / (1.0 + (limit / start - 1.0) * np.exp(-rate * days))
    if middle >= growth.capacity_cells:
        raise ValueError(
            f"{middle:g} cells have reached the capacity of {growth.capacity_cells:g}: no doubling time fits"
        )
    # the doubling time is that of the median arrival; a larger one grows more slowly from the first day
    slowing = rate / math.log(growth.capacity_cells / middle)
    return limit * (start / limit) ** np.exp(-slowing * days)


def _reconciled(grown: Estimate, reporter: Estimate, level: float) -> CellNumber:
    sds = log_spread(grown), log_spread(reporter)
    apart = math.log(grown.value / reporter.value)
    scale = math.hypot(*sds)
    p = float(2.0 * ndtr(-abs(apart) / scale)) if scale > 0 else float(apart == 0)
    if p < CONFLICT:
        # neither is known to be the right one
        low, high = min(grown.low, reporter.low), max(grown.high, reporter.high)
        value = math.sqrt(grown.value * reporter.value)
        return CellNumber(
            Estimate(value, math.nan, low, high, level, UNIT, "growth prior and reporter conflict: spans both"), p, True
        )
    share = sds[1] ** 2 / scale**2 if scale > 0 else 0.5
    middle = share * math.log(grown.value) + (1.0 - share) * math.log(reporter.value)
    sd = sds[0] * sds[1] / scale if scale > 0 else 0.0
    value, factor = math.exp(middle), math.exp(half_width(level) * sd)
    method = "growth prior and second reporter, weighted by precision"
    return CellNumber(Estimate(value, value * sd, value / factor, value * factor, level, UNIT, method), p, False)


def log_spread(estimate: Estimate, /) -> float:
    """Standard deviation of a positive estimate's logarithm: from its interval where that is bounded, else from its sd.

    Examples
    --------
    >>> round(log_spread(Estimate(10.0, 3.0, 5.0, 20.0, 0.95, "cells", "")), 3)
    0.354
    """
    if 0 < estimate.low <= estimate.high < math.inf:
        return math.log(estimate.high / estimate.low) / (2.0 * half_width(estimate.level))
    return log_sd(estimate.sd / estimate.value)


def _finite(estimate: Estimate | None) -> bool:
    return (
        estimate is not None
        and math.isfinite(estimate.value)
        and estimate.value > 0
        and math.isfinite(log_spread(estimate))
    )


def _unknown(level: float, method: str = "no cell number without a growth prior or a second reporter") -> Estimate:
    return Estimate.unknown(level, UNIT, method)
