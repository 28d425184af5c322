"""The fitting engine: how often its intervals hold the truth, symmetric ones beside those by profile likelihood.

Synthetic decays: ``squares`` with a scatter that the residuals give, ``counts`` few enough that they are not normal.
"""

import numpy as np
from numpy.typing import NDArray

from accuracy.figures import Figure, figure
from lampyris.statistics.fitting import DataSet, Fit, Parameter, fit_least_squares, fit_poisson, with_profiles
from lampyris.statistics.intervals import wilson_interval

TABLE = "fitting"
DRAWS, QUICK_DRAWS = 5000, 300
X = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 12.0])
TRUTH = {"height": 10.0, "life": 3.0}
COVERED = {"at_least": 0.93, "at_most": 0.97}


def decay(p: NDArray[np.float64], /) -> NDArray[np.float64]:
    """The model: height and life."""
    return p[0] * np.exp(-X / p[1])


def fitted(arm: str, rng: np.random.Generator, /) -> Fit:
    """One draw, fitted."""
    expected = decay(np.array(list(TRUTH.values())))
    parameters = [Parameter("height", 8.0, low=0.0), Parameter("life", 2.0, low=0.01)]
    if arm == "counts":
        return fit_poisson(DataSet(decay, rng.poisson(expected)), parameters)
    return fit_least_squares(DataSet(decay, expected + rng.normal(0.0, 1.0, X.size)), parameters)


def tables(*, quick: bool) -> list[Figure]:
    """Both arms; the goal is the profile's."""
    lines = []
    for arm in ("squares", "counts"):
        rng = np.random.default_rng(22)
        draws = QUICK_DRAWS if quick else DRAWS
        held = {(kind, name): 0 for kind in ("profile", "wald") for name in TRUTH}
        for _ in range(draws):
            wald = fitted(arm, rng)
            for kind, fit in (("wald", wald), ("profile", with_profiles(wald))):
                for name, value in TRUTH.items():
                    held[kind, name] += fit[name].low <= value <= fit[name].high
        for (kind, name), count in held.items():
            found = wilson_interval(count, draws)
            goal = COVERED if kind == "profile" else {}
            ends = (found.low, found.high)
            lines.append(figure(TABLE, arm, f"{kind}_coverage_{name}", found.value, ends, draws, **goal))
    return lines
