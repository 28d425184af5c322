"""What a fit gives: estimates with a named kind of standard error, the covariance, how well it fits, and what to beware of."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lampyris.core.arrays import frozen_array
from lampyris.core.estimate import Estimate
from lampyris.statistics.fitting.objective import Objective

ErrorKind = Literal["expected", "observed", "sandwich"]
ERROR_KINDS: dict[str, str] = {
    "expected": "standard error from the expected information (J'J)",
    "observed": "standard error from the observed information (second derivatives)",
    "sandwich": "sandwich standard error (observed information about the squared scores, HC0)",
}
"""Kinds of standard error and how they are told."""


class FitFlag(StrEnum):
    """What to know about a fit before trusting its numbers."""

    NOT_CONVERGED = "not converged"
    AT_BOUND = "at a bound"
    ILL_CONDITIONED = "ill-conditioned"
    NO_DEGREES = "no degrees of freedom"
    NOT_A_MINIMUM = "observed information not positive"
    LOWER_FOUND = "a lower minimum was met on a profile"


FIT_FLAG_MEANING: dict[FitFlag, str] = {
    FitFlag.NOT_CONVERGED: "the search ended before the minimum was certain: try other starts or scales",
    FitFlag.AT_BOUND: "a parameter ends at a bound: it has no standard error, and the others' hold it there",
    FitFlag.ILL_CONDITIONED: "data do not tell some parameters apart: their errors are infinite or very large",
    FitFlag.NO_DEGREES: "as many parameters as values: scatter and standard errors are unknown",
    FitFlag.NOT_A_MINIMUM: "the second derivatives are not those of a minimum: no observed standard errors",
    FitFlag.LOWER_FOUND: "a profile met a lower minimum than the fit: try other starts",
}


@dataclass(frozen=True, slots=True)
class Goodness:
    """How well a model fits.

    Parameters
    ----------
    points, free, degrees : int
        Values, free parameters, and their difference.
    chi2 : float
        Sum of squared residuals over their standard deviations; of counts Pearson's. NaN of a likelihood.
    reduced_chi2 : float
        Over the degrees of freedom.
    residual_sd : float
        Root of `reduced_chi2`: of unweighted data the residual standard deviation in their unit.
    deviance : float
        Twice what the log likelihood lacks to that of a perfect fit; of least squares `chi2`, of a likelihood minus twice it.
    log_likelihood, aicc : float
        With all constants; the scatter counts as a parameter where it was estimated. NaN where they do not exist.
    p : float
        Chance of a larger deviance if the model holds, by chi-squared (rough for counts below about 5); NaN where the scatter
        was estimated.
    """

    points: int
    free: int
    degrees: int
    chi2: float
    reduced_chi2: float
    residual_sd: float
    deviance: float
    log_likelihood: float
    aicc: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fit.

    Parameters
    ----------
    method : str
        ``least squares``, ``Poisson likelihood`` or ``likelihood``.
    names : tuple of str
        All parameters, the fixed ones included, in their order.
    estimates : tuple of Estimate
        Per parameter; its method names the kind of standard error and of interval. A fixed one has sd 0.
    covariance : ndarray, dims (parameter, parameter)
        0 for parameters that are fixed or at a bound: they are held there.
    error_kind : str
        ``expected``, ``observed`` or ``sandwich``: of `covariance`.
    goodness : Goodness
    fitted, residuals : tuple of ndarray, dims (point,)
        Per data set: expected values, and observed less expected. Empty of a likelihood.
    at_bound : tuple of str
        Parameters that end at a bound.
    condition : float
        Of the scaled slopes: largest over smallest singular value.
    flags : tuple of FitFlag
        See `FIT_FLAG_MEANING`.
    scatter : float
        Standard deviation that was estimated and that errors are scaled by; 1 where it is known.
    scatter_known : bool
        Intervals are normal where it is, and Student's where it is not.
    level : float
        Of the intervals.
    objective : Objective
        For profiles.
    """

    method: str
    names: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    covariance: NDArray[np.float64]
    error_kind: str
    goodness: Goodness
    fitted: tuple[NDArray[np.float64], ...]
    residuals: tuple[NDArray[np.float64], ...]
    at_bound: tuple[str, ...]
    condition: float
    flags: tuple[FitFlag, ...]
    scatter: float
    scatter_known: bool
    level: float
    objective: Objective

    def __post_init__(self) -> None:
        count = len(self.names)
        object.__setattr__(
            self,
            "covariance",
            frozen_array("covariance", self.covariance, ("parameter", "parameter"), np.float64, (count, count)),
        )

    def __getitem__(self, name: str) -> Estimate:
        """Estimate of the parameter of that name."""
        if name not in self.names:
            raise KeyError(f"there is no parameter {name!r}; there are {', '.join(self.names)}")
        return self.estimates[self.names.index(name)]

    @property
    def values(self) -> NDArray[np.float64]:
        """All parameters, dims (parameter,)."""
        return np.array([one.value for one in self.estimates])

    @property
    def sds(self) -> NDArray[np.float64]:
        """Standard errors, dims (parameter,); 0 of fixed parameters, NaN of those at a bound."""
        return np.array([one.sd for one in self.estimates])

    @property
    def trusted(self) -> bool:
        """Nothing speaks against the fit but a parameter at its bound."""
        return not set(self.flags) - {FitFlag.AT_BOUND}

    def notes(self) -> tuple[str, ...]:
        """Flags in words for a reader."""
        told = []
        for flag in self.flags:
            which = f" ({', '.join(self.at_bound)})" if flag is FitFlag.AT_BOUND else ""
            told.append(f"{flag}{which}: {FIT_FLAG_MEANING[flag]}.")
        return tuple(told)

    def quantile(self, level: float | None = None, /) -> float:
        """Standard errors on each side of an estimate: Student's t where the scatter was estimated, else normal."""
        from scipy.special import ndtri, stdtrit

        tail = 0.5 * (1.0 + (self.level if level is None else level))
        if self.scatter_known:
            return float(ndtri(tail))
        return float(stdtrit(self.goodness.degrees, tail)) if self.goodness.degrees > 0 else math.inf
