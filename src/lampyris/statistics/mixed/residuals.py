"""Checks of a mixed model's assumptions; they inform and switch nothing."""

import math
from collections.abc import Sequence

import numpy as np

from lampyris.core.design import TestResult
from lampyris.statistics.mixed.model import MixedModel

# Royston's approximation of Shapiro and Wilk's p ends here
MOST = 5000


def residual_checks(model: MixedModel, /) -> tuple[TestResult, ...]:
    """Shapiro-Wilk tests of what is left and of the first random term's effects.

    Parameters
    ----------
    model : MixedModel
        Fitted model.

    Returns
    -------
    tuple of TestResult
        With role "assumption"; none where there are fewer than three values or no spread.

    References
    ----------
    Shapiro & Wilk 1965, Biometrika 52:591, doi:10.1093/biomet/52.3-4.591.
    """
    from scipy import stats  # takes more than half a second to import

    effects = np.array([effect[0] for effect in model.effects[0].values()])
    found = []
    for values, of in ((model.residuals, "residuals"), (effects, f"effects of {model.terms[0].name}")):
        spread = float(np.ptp(values))
        if values.size < 3 or values.size > MOST or not spread > 1e-8 * float(np.std(model.fitted + model.residuals)):
            continue
        answer = stats.shapiro((values - values.mean()) / spread)
        note = f"largest |z| {float(np.abs(values / values.std()).max()):.2g}"
        found.append(
            TestResult(
                f"Shapiro-Wilk, {of}",
                "W",
                float(answer.statistic),
                (),
                float(answer.pvalue),
                f"{of} are normal",
                "assumption",
                note,
            )
        )
    return tuple(found)


def spread_ratio(model: MixedModel, labels: Sequence[object], /) -> float:
    """Largest over smallest standard deviation of the residuals among groups of rows.

    Parameters
    ----------
    model : MixedModel
        Fitted model.
    labels : sequence, dims (row,)
        Group or day of each row.

    Returns
    -------
    float
        NaN where fewer than two of them have three rows.
    """
    keys = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)[1]
    sds = [float(np.std(model.residuals[keys == k])) for k in range(keys.max() + 1) if (keys == k).sum() >= 3]
    return max(sds) / min(sds) if len(sds) > 1 and min(sds) > 0 else math.nan
