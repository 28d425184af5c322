"""Signal of an injected probe: it follows the cells that are there, and the circulation.

The simplest model that has the right limbs: a dose leaves the blood with one half-life; lesions and organs take up what has
left it, each to its plateau, and lose it with a half-life of their own. Physiologically based kinetics are to replace it.
"""

from dataclasses import dataclass

# 1e9 cells a gram, the usual round figure for solid tumours
GRAMS_PER_CELL = 1e-9


@dataclass(frozen=True, slots=True)
class InjectedUptake:
    """Where a dose goes.

    Parameters
    ----------
    blood_half_life_h : float
        Of the dose in blood.
    washout_half_life_h : float
        Of what lesions and organs hold.
    lesion_share_per_gram : float
        Share of the dose that a gram of lesion holds once the blood is empty.
    liver_spleen_share : float
        Share of the dose that liver and spleen hold then.
    """

    blood_half_life_h: float
    washout_half_life_h: float
    lesion_share_per_gram: float
    liver_spleen_share: float


@dataclass(frozen=True, slots=True)
class DoseShares:
    """Shares of the dose some hours after it: in blood, in liver and spleen, and per gram of lesion."""

    blood: float
    liver_spleen: float
    lesion_per_gram: float


def dose_shares(hours: float, uptake: InjectedUptake, /) -> DoseShares:
    """Where the dose is.

    Parameters
    ----------
    hours : float
        Since the injection; 0 or more.
    uptake : InjectedUptake

    Returns
    -------
    DoseShares

    Raises
    ------
    ValueError
        If the hours are negative.

    Examples
    --------
    >>> dose_shares(0.0, InjectedUptake(0.5, 100.0, 0.03, 0.4))
    DoseShares(blood=1.0, liver_spleen=0.0, lesion_per_gram=0.0)
    """
    if hours < 0:
        raise ValueError(f"hours are expected to be 0 or more, got {hours}")
    blood = 0.5 ** (hours / uptake.blood_half_life_h)
    held = (1.0 - blood) * 0.5 ** (hours / uptake.washout_half_life_h)
    return DoseShares(blood, uptake.liver_spleen_share * held, uptake.lesion_share_per_gram * held)


def grown_cells(cells: float, days: float, /, *, doubling_days: float) -> float:
    """Cells after exponential growth.

    Examples
    --------
    >>> grown_cells(1e5, 6.0, doubling_days=3.0)
    400000.0
    """
    return cells * 2.0 ** (days / doubling_days)
