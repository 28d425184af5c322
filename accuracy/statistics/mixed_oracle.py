"""Random unbalanced tables through statsmodels' MixedLM and through ours."""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from lampyris.statistics.mixed import Covariate, Factor, RandomTerm, fit_mixed_model, fixed_part

# statsmodels stops where its search does; of what it prints these shares are reproducible
EFFECTS, VARIANCES = 1e-4, 5e-3
# a likelihood this much below ours is another place than the optimum
PLACE = 1e-6


@dataclass(frozen=True, slots=True)
class Agreement:
    """One table: whether the peer converged where we did, whether the numbers agree, what likelihood ours lacks."""

    converged: bool
    agrees: bool
    likelihood_lost: float


def compared_with_statsmodels(rng: np.random.Generator, /) -> Agreement:
    """Draw a table, fit it twice: restricted or not, with a slope or without."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    slope, restricted = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    y, x, arm, subject = _table(rng, slope=slope)
    fixed = fixed_part([Factor("arm", tuple(arm)), Covariate("x", x)], [("arm",), ("x",), ("arm", "x")])
    term = RandomTerm("subject", tuple(subject), "x", x) if slope else RandomTerm("subject", tuple(subject))
    ours = fit_mixed_model(y, fixed, [term], method="REML" if restricted else "ML")
    z = np.column_stack([np.ones_like(x), x]) if slope else np.ones((len(x), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            peer = MixedLM(y, fixed.matrix, subject, exog_re=z).fit(reml=restricted, method=["bfgs", "lbfgs", "cg"])
        except (np.linalg.LinAlgError, ValueError):
            return Agreement(False, False, math.nan)
    lost = float(peer.llf) - ours.log_likelihood
    if not peer.converged or -lost > PLACE:
        return Agreement(False, False, lost)
    effects = np.array([one.estimate.value for one in ours.coefficients])
    errors = np.sqrt(np.diag(ours.inference.plain))
    theirs = np.asarray(peer.fe_params)
    covariance = np.atleast_2d(np.asarray(peer.cov_re))
    size = ours.residual_variance + float(np.abs(ours.covariances[0]).max())
    agrees = (
        bool((np.abs(effects - theirs) <= EFFECTS * errors).all())
        and bool((np.abs(ours.covariances[0] - covariance) <= VARIANCES * size).all())
        and abs(ours.residual_variance / float(peer.scale) - 1) < VARIANCES
    )
    return Agreement(True, agrees, lost)


def _table(rng: np.random.Generator, *, slope: bool) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """Unbalanced: 8 to 14 subjects of 3 to 8 rows at uneven times."""
    y, x, arm, subject = [], [], [], []
    for k in range(int(rng.integers(8, 15))):
        level, tilt = 1.5 * rng.standard_normal(), (0.7 * rng.standard_normal() if slope else 0.0)
        for at in np.sort(rng.uniform(0, 4, int(rng.integers(3, 9)))):
            y.append(level + tilt * at + 0.5 * at + 0.6 * rng.standard_normal())
            x.append(at)
            arm.append(("dye", "dots")[k % 2])
            subject.append(f"s{k:02d}")
    return np.array(y), np.array(x), arm, subject
