"""What lowers trust in a correlogram, and what to do about it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lampyris.bench.dls.cumulants import Cumulants
from lampyris.bench.dls.recording import Recording
from lampyris.statistics.thresholds import robust_sd

LOW_INTERCEPT, HIGH_INTERCEPT = 0.3, 1.05
"""Intercepts of g2 - 1 below which light is lost or scattered several times, and above which the scatterers change in number."""
SLOW_SHARE = 0.05
"""Share of the correlation that may be left after 40 decays."""
FEW_KCPS = 5.0
NOISY = 0.05
BROAD = 0.7
"""Polydispersity above which a mean size says little."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One remark.

    Parameters
    ----------
    flag : str
        Short stable name.
    seen, mend : str
    """

    flag: str
    seen: str
    mend: str


def advised(
    recording: Recording, cumulants: Cumulants | None, rate_kcps: float, vendor: Mapping[str, Any], /
) -> tuple[Advice, ...]:
    """Remarks about a run.

    Parameters
    ----------
    recording : Recording
    cumulants : Cumulants or None
        None where they could not be fitted.
    rate_kcps : float
        Count rate, NaN where not known.
    vendor : mapping
        What the file tells of the run: ``count_rates_kcps`` over time, ``run_retention_percent``.

    Returns
    -------
    tuple of Advice
    """
    told: list[Advice] = []
    intercept = recording.intercept + recording.baseline
    if intercept > HIGH_INTERCEPT:
        told.append(Advice(
            "intercept-above-one",
            f"begins at {intercept:.2f}: steady scatterers cannot exceed 1. Few large ones cross the beam.",
            "Filter or centrifuge the sample, and measure again.",
        ))  # fmt: skip
    elif recording.intercept < LOW_INTERCEPT:
        told.append(Advice(
            "low-intercept",
            f"begins at {recording.intercept:.2f} above its baseline: stray light, fluorescence of the dots at the detector,"
            " several modes, or multiple scattering of a sample too dense.",
            "Dilute; put a line filter before the detector.",
        ))  # fmt: skip
    if abs(recording.baseline) > max(0.02 * recording.intercept, 3.0 * recording.baseline_sd):
        told.append(Advice(
            "baseline",
            f"ends at {recording.baseline:.3g} instead of 0: slow specks, or a drifting laser or sample.",
            "Measure longer, or let temperature and sample settle.",
        ))  # fmt: skip
    slow = _left_after(recording, cumulants)
    if slow > SLOW_SHARE:
        told.append(Advice(
            "slow-tail",
            f"still holds {100 * slow:.0f} % of its correlation ten decays on: dust or aggregates beside the dots.",
            "Filter or centrifuge the sample.",
        ))  # fmt: skip
    told += _spikes(vendor)
    if rate_kcps < FEW_KCPS:
        told.append(
            Advice("few-counts", f"has {rate_kcps:.3g} thousand counts per s.", "Concentrate, or open the attenuator.")
        )
    elif float(np.sqrt(np.median(np.diag(recording.covariance)[:5]))) > NOISY * recording.intercept:
        told.append(Advice("noisy", "scatters by more than 5 % of its intercept.", "Measure longer."))
    if cumulants is not None and cumulants.pdi.value > BROAD:
        told.append(Advice(
            "very-polydisperse",
            f"has a polydispersity of {cumulants.pdi.value:.2f}: its Z-average is no size of anything in it.",
            "Look at the distribution.",
        ))  # fmt: skip
    return tuple(told)


def _left_after(recording: Recording, cumulants: Cumulants | None) -> float:
    """Share of the intercept ten mean decays on, where a single size of any moderate width has lost all."""
    if cumulants is None:
        return math.nan
    below = np.flatnonzero(recording.level < recording.intercept * math.exp(-1.0))
    if not below.size:
        return math.nan
    later = recording.lag_s > 10.0 * recording.lag_s[below[0]]
    first: NDArray[np.float64] = recording.level[later][:4]
    return float(first.mean()) / recording.intercept if first.size else math.nan


def _spikes(vendor: Mapping[str, Any]) -> list[Advice]:
    rates = vendor.get("count_rates_kcps")
    found: list[Advice] = []
    if rates is not None and len(rates) >= 16:
        values = np.asarray(rates, np.float64)
        middle = float(np.median(values))
        spread = robust_sd(values)
        high = int(np.sum(values > middle + max(6.0 * spread, 0.25 * middle)))
        if high or spread > 0.15 * middle:
            seen = f"has a count rate that swings by {100 * spread / middle:.0f} % and spikes {high} times of {values.size}: dust."
            found.append(Advice("dust", seen, "Filter or centrifuge the sample, and measure again."))
    kept = vendor.get("run_retention_percent", math.nan)
    if kept < 95.0:
        seen = f"lost {100 - kept:.0f} % of its runs, which the instrument's program took for dust"
        other = vendor.get("unfiltered_z_average_nm", math.nan)
        seen += f"; with them its Z-average is {other:.1f} nm." if math.isfinite(other) else "."
        found.append(Advice("runs-rejected", seen, "Filter or centrifuge the sample, and measure again."))
    return found
