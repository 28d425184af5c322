"""What is left of a cell's label: dots are not copied, so a lesion's signal is only ever lost.

Division halves the load per cell and conserves the lesion's total; exocytosis, degradation and death lower it with
time, bleaching with the dose of light (never with calendar time).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class LabelLoss:
    """How a prelabelled population loses its signal.

    Parameters
    ----------
    early_share : float
        Share of the label lost early (loosely bound probe, cells that die after injection), 0 to 1.
    early_half_life_days, late_half_life_days : float
        Half-lives of the early and of the lasting part.
    bleaching_per_j_cm2 : float
        Rate of bleaching with excitation dose at the lesion, cm2 per J.
    """

    early_share: float
    early_half_life_days: float
    late_half_life_days: float
    bleaching_per_j_cm2: float


def label_retention(days: ArrayLike, loss: LabelLoss, /, *, dose_j_cm2: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Share of a lesion's signal that is left.

    Parameters
    ----------
    days : array_like
        Days since labelling; 0 or more.
    loss : LabelLoss
    dose_j_cm2 : array_like
        Excitation dose that the lesion has received, broadcast against `days`.

    Returns
    -------
    ndarray
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a day or dose is negative.

    Examples
    --------
    >>> label_retention([0.0, 10.0], LabelLoss(0.0, 1.0, 10.0, 0.0)).tolist()
    [1.0, 0.5]
    """
    time, dose = np.broadcast_arrays(np.asarray(days, float), np.asarray(dose_j_cm2, float))
    if (time < 0).any() or (dose < 0).any():
        raise ValueError("days and dose are expected to be 0 or more")
    early = loss.early_share * 0.5 ** (time / loss.early_half_life_days)
    late = (1.0 - loss.early_share) * 0.5 ** (time / loss.late_half_life_days)
    return (early + late) * np.exp(-loss.bleaching_per_j_cm2 * dose)
